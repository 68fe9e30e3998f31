"""What the library raises is told by what must be done next."""

import asyncio

import pytest
from asyncua import ua
from asyncua.common.utils import NotEnoughData
from asyncua.ua.uaerrors import UaError, UaStatusCodeError, UaStructParsingError

from drivers import GarbledError, MachineError, RefusedError, UnreachableError
from drivers.uaerrors import LateError, told

Codes = ua.StatusCodes


@pytest.mark.parametrize(
    ("raised", "wanted", "said"),
    [
        (UaStatusCodeError(Codes.BadTooManySessions), RefusedError, "maximum number of sessions"),
        (UaStatusCodeError(Codes.BadIdentityTokenRejected), RefusedError, "identity token"),
        (UaStatusCodeError(Codes.BadCertificateUntrusted), RefusedError, "not trusted"),
        (UaStatusCodeError(Codes.BadUserAccessDenied), RefusedError, "permission"),
        (UaStatusCodeError(Codes.BadSecurityChecksFailed), RefusedError, "security"),
        (UaStatusCodeError(Codes.BadSessionIdInvalid), UnreachableError, "session id"),
        (UaStatusCodeError(Codes.BadServerHalted), UnreachableError, "BadServerHalted"),
        (UaStatusCodeError(Codes.BadDecodingError), GarbledError, "BadDecodingError"),
        (UaStructParsingError("x"), GarbledError, "can't be decoded"),
        (NotEnoughData("x"), GarbledError, "can't be decoded"),
        (UnicodeDecodeError("utf-8", b"\xfc", 0, 1, "x"), GarbledError, "can't be decoded"),
        (UaError("No matching endpoints"), RefusedError, "No matching endpoints"),
        (TimeoutError(), LateError, "no answer in time"),
        (ConnectionRefusedError(111, "Connection refused"), UnreachableError, "Connection refused"),
        (ConnectionError("client is disconnected"), UnreachableError, "the connection dropped"),
    ],
)
def test_an_error_is_of_the_kind_that_tells_what_to_do(
    raised: Exception, wanted: type[MachineError], said: str
) -> None:
    with pytest.raises(wanted, match="IMM-07: reading: ") as caught, told("IMM-07", "reading"):
        raise raised

    assert said in str(caught.value)
    assert caught.value.__cause__ is raised


def test_being_cancelled_is_no_error() -> None:
    with pytest.raises(asyncio.CancelledError), told("IMM-07", "reading"):
        raise asyncio.CancelledError
