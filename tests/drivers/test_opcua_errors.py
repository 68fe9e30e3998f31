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
        (RuntimeError("<TCPTransport>; the handler is closed"), UnreachableError, "dropped"),
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


def test_an_error_of_our_own_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="ours"), told("IMM-07", "reading"):
        raise RuntimeError("ours")


def test_a_write_after_the_end_is_a_dropped_connection_in_the_agents_own_loop() -> None:
    uvloop = pytest.importorskip("uvloop", reason="uvloop is not there on every system")

    async def write_too_late() -> None:
        async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        loop = asyncio.get_running_loop()
        async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", port)
            transport.abort()
            while True:  # uvloop takes a turn or two until it raises
                await asyncio.sleep(0.01)
                with told("IMM-07", "reading"):
                    transport.write(b"too late")

    async def within() -> None:
        async with asyncio.timeout(10):
            await write_too_late()

    with (
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        pytest.raises(UnreachableError, match="the connection dropped"),
    ):
        runner.run(within())
