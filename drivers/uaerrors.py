"""What asyncua raises, told in our words: who must do what next.

The names of asyncua's exceptions stop here.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from asyncua import ua
from asyncua.common.utils import NotEnoughData
from asyncua.ua.status_codes import get_name_and_doc
from asyncua.ua.uaerrors import UaError, UaStatusCodeError, UaStructParsingError

from drivers.errors import GarbledError, MachineError, RefusedError, UnreachableError

_Codes = ua.StatusCodes

GONE = frozenset(
    {
        _Codes.BadCommunicationError,
        _Codes.BadConnectionClosed,
        _Codes.BadConnectionRejected,
        _Codes.BadDisconnect,
        _Codes.BadNoCommunication,
        _Codes.BadNoSubscription,
        _Codes.BadNotConnected,
        _Codes.BadRequestTimeout,
        _Codes.BadResourceUnavailable,
        _Codes.BadSecureChannelClosed,
        _Codes.BadSecureChannelIdInvalid,
        _Codes.BadSecureChannelTokenUnknown,
        _Codes.BadServerHalted,
        _Codes.BadServerNotConnected,
        _Codes.BadSessionClosed,
        _Codes.BadSessionIdInvalid,
        _Codes.BadSessionNotActivated,
        _Codes.BadShutdown,
        _Codes.BadSubscriptionIdInvalid,
        _Codes.BadTcpInternalError,
        _Codes.BadTcpServerTooBusy,
        _Codes.BadTimeout,
    }
)
"""Statuses that mean: the link, or what we had on it, is gone; come back later."""

UNREADABLE = frozenset(
    {
        _Codes.BadDecodingError,
        _Codes.BadEncodingError,
        _Codes.BadTcpMessageTypeInvalid,
        _Codes.BadUnknownResponse,
    }
)
"""Statuses that mean: one side does not understand the other."""

TOO_MUCH = frozenset(
    {
        _Codes.BadEncodingLimitsExceeded,
        _Codes.BadRequestTooLarge,
        _Codes.BadResponseTooLarge,
        _Codes.BadTcpMessageTooLarge,
        _Codes.BadTooManyOperations,
    }
)
"""Statuses that mean: ask for less at once."""

ABSENT = frozenset(
    {
        _Codes.BadAttributeIdInvalid,
        _Codes.BadNoMatch,
        _Codes.BadNodeIdInvalid,
        _Codes.BadNodeIdUnknown,
    }
)
"""Statuses of a single node that mean: there is no such node here."""


UNDECODABLE = (
    AssertionError,
    AttributeError,
    LookupError,
    OverflowError,
    TypeError,
    ValueError,
    struct.error,
)
"""What asyncua's decoder raises over bytes it did not expect, such as text that is not UTF-8."""


CLOSED = "handler is closed"
"""What uvloop says, in a bare RuntimeError, to whoever writes on a transport that has ended."""


class LateError(UnreachableError):
    """One answer did not come in time; the link may yet be sound."""


def status_text(code: int) -> str:
    """A status code for a person: its name and what it means."""
    name, text = get_name_and_doc(code)
    return f"{name} ({text.rstrip('.')})" if text else str(name)


@contextmanager
def told(machine: str, doing: str) -> Iterator[None]:
    """Turn whatever goes wrong inside into a `MachineError`; nothing but asyncua runs inside.

    Args:
        machine: Its name.
        doing: What we were about, as a person says it: `reading`, `subscribing`.

    Raises:
        LateError: no answer in time.
        UnreachableError: no link, or it dropped.
        RefusedError: an answer that says no.
        GarbledError: an answer that can't be understood.
    """
    try:
        yield
    except UaStatusCodeError as error:
        raise _of_status(machine, doing, error.code) from error
    except (UaStructParsingError, NotEnoughData, *UNDECODABLE) as error:
        raise GarbledError(machine, f"{doing}: the answer can't be decoded: {error}") from error
    except UaError as error:
        raise RefusedError(machine, f"{doing}: {error}") from error
    except TimeoutError as error:
        raise LateError(machine, f"{doing}: no answer in time") from error
    except OSError as error:
        raise UnreachableError(machine, f"{doing}: {_reason(error)}") from error
    except RuntimeError as error:
        if CLOSED not in str(error):
            raise
        raise UnreachableError(machine, f"{doing}: the connection dropped") from error


def _of_status(machine: str, doing: str, code: int) -> MachineError:
    what = f"{doing}: {status_text(code)}"
    if code in GONE:
        return UnreachableError(machine, what)
    if code in UNREADABLE:
        return GarbledError(machine, what)
    return RefusedError(machine, what)


def _reason(error: OSError) -> str:
    if isinstance(error, ConnectionError) and error.errno is None:
        return "the connection dropped"  # asyncua has half a dozen sentences for it
    return error.strerror or str(error) or type(error).__name__
