"""One read of an OPC UA server: made once, asked again and again, and what it answered.

Source:
    OPC 10000-6 §5.2.2 and OPC 10000-4 §7.33: how a request begins; its time and its number are all
    that is another in the next one.
"""

import struct
import time
from collections.abc import Sequence
from datetime import datetime

from asyncua import ua
from asyncua.ua.ua_binary import nodeid_to_binary, struct_to_binary

from drivers.plainanswer import decode
from drivers.uastream import Stream

_TIME_AND_HANDLE = struct.Struct("<qI")
_EPOCH_100NS = 116_444_736_000_000_000
"""From 1601, OPC UA's zero, to 1970."""


class ReadRequest:
    """A read of some nodes: fresh values, each with the machine's own time.

    Args:
        wanted: Which attribute of which nodes.
    """

    def __init__(self, wanted: Sequence[ua.ReadValueId]) -> None:
        self.wanted = ua.ReadParameters(
            MaxAge=0, TimestampsToReturn=ua.TimestampsToReturn.Source, NodesToRead=list(wanted)
        )
        self._made = b""
        self._time_at = 0
        self._made_for: tuple[ua.NodeId, float] | None = None

    def body(self, token: ua.NodeId, timeout_s: float, handle: int) -> bytes:
        """What is sent, for one session."""
        if self._made_for != (token, timeout_s):
            header = ua.RequestHeader(AuthenticationToken=token, TimeoutHint=int(timeout_s * 1000))
            request = ua.ReadRequest(RequestHeader=header, Parameters=self.wanted)
            self._made = struct_to_binary(request)
            self._time_at = len(nodeid_to_binary(request.TypeId) + nodeid_to_binary(token))
            self._made_for = token, timeout_s
        now = time.time_ns() // 100 + _EPOCH_100NS
        end = self._time_at + _TIME_AND_HANDLE.size
        changed = _TIME_AND_HANDLE.pack(now, handle)
        return self._made[: self._time_at] + changed + self._made[end:]


async def read(
    stream: Stream, wanted: ReadRequest
) -> tuple[datetime | None, Sequence[ua.DataValue]]:
    """Send one request.

    Args:
        stream: The connection, with a session.
        wanted: What to read.

    Returns:
        When the server made the answer, by its clock (None where it does not say), and one value
        for each node.
    """
    response = decode(await stream.ask(wanted.body))
    response.ResponseHeader.ServiceResult.check()
    return told_time(response.ResponseHeader.Timestamp), response.Results


def told_time(stamp: datetime | None) -> datetime | None:
    """A time by somebody else's clock; None where it says none (1601 is OPC UA's zero)."""
    return stamp if stamp is not None and stamp.year >= 1970 else None
