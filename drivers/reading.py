"""One read of an OPC UA server: what it answered, and what its clock showed then."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asyncua import ua
from asyncua.ua.ua_binary import struct_from_binary


async def read(
    services: Any, wanted: ua.ReadParameters
) -> tuple[datetime | None, Sequence[ua.DataValue]]:
    """Send one request; asyncua's own `read` keeps the time of the answer to itself.

    Args:
        services: asyncua's service calls of a session.
        wanted: What to read.

    Returns:
        When the server made the answer, by its clock (None where it does not say), and one value
        for each node.
    """
    request = ua.ReadRequest()
    request.Parameters = wanted
    data = await services._send_request(request)
    response = struct_from_binary(ua.ReadResponse, data)
    response.ResponseHeader.ServiceResult.check()
    return told_time(response.ResponseHeader.Timestamp), response.Results


def told_time(stamp: datetime | None) -> datetime | None:
    """A time by somebody else's clock; None where it says none (1601 is OPC UA's zero)."""
    return stamp if stamp is not None and stamp.year >= 1970 else None
