"""What comes in over an OPC UA connection, looked at before the library takes it.

asyncua waits for the rest of an answer for ever, and takes noise for the beginning of one: the
link then looks like one whose server is silent. So bytes that can't begin a message, and a message
that does not go on, end the link at once. When the last byte came is noted: any of them is a sign
of life, whatever it belongs to.

Source:
    OPC 10000-6 §7.1.2: a message begins with its type and whether it is its last chunk.
"""

import asyncio
import time
from collections.abc import Callable

from asyncua import ua
from asyncua.client.ua_client import UaClient, UASocketProtocol, UASocketState

PART_S = 1.0
"""How long the rest of a message may take that has begun, since its last byte; what TCP sends anew
after a loss comes sooner."""
TYPES = (b"MSG", b"ACK", b"OPN", b"ERR")
"""Of the messages that a server sends."""
_TYPES = frozenset(TYPES)
CHUNKS = b"FCA"


class Stream(UASocketProtocol):  # type: ignore[misc]  # asyncua's types are not to be had
    """The receiving end of one connection.

    Attributes:
        heard_at: When the last byte came, by the monotonic clock.
        is_dead: Whether nobody listens any more, as far as we know.
    """

    heard_at = float("-inf")
    is_dead = False
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """The server has taken the call."""
        self.heard_at = time.monotonic()
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The link has ended."""
        if self._look is not None:
            self._look.cancel()
            self._look = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hand on what may be a message."""
        self.heard_at = time.monotonic()
        if data[:3] not in _TYPES and not self.receive_buffer and not begins_well(data):
            self._give_up()
            return
        super().data_received(data)
        if self.receive_buffer:
            self._came_in_part(self.receive_buffer)

    async def ask(self, body: Callable[[ua.NodeId, float, int], bytes]) -> bytes:
        """Send a request whose bytes are made already, and wait for the body of its answer.

        Args:
            body: Makes the bytes, given the session's token, the patience in s and the number that
                the answer repeats.

        Raises:
            TimeoutError: no answer in time.
            ConnectionError: the link has ended.
            UaStatusCodeError: the server says no to the whole.
        """
        if self.pre_request_hook is not None:
            await self.pre_request_hook()
        if self.transport is None:
            raise ConnectionError("the connection is not open")
        self._request_handle += 1
        made = body(self.authentication_token, self.timeout, self._request_handle)
        self.revolve_security_token()
        self._request_id: int = self._request_id + 1
        number = self._request_id
        message = self._connection.message_to_binary(made, request_id=number)
        answer: asyncio.Future[ua.utils.Buffer] = asyncio.get_running_loop().create_future()
        self._callbackmap[number] = answer
        try:
            self.transport.write(message)
            async with asyncio.timeout(self.timeout):
                found = await answer
        except (ua.UaError, TimeoutError):
            raise
        except Exception:
            if self.state is not UASocketState.OPEN:
                raise ConnectionError("the connection is closed") from None
            raise
        self.check_answer(found, " to a read")
        return bytes(found)

    def _came_in_part(self, part: bytes) -> None:
        if not begins_well(part):
            self._give_up()
        elif self._look is None and self.transport is not None:
            self._look = asyncio.get_running_loop().call_later(PART_S, self._see, self.heard_at)

    def _see(self, began_at: float) -> None:
        """Look whether the rest has come, or more of it."""
        self._look = None
        if not self.receive_buffer or self.transport is None:
            return
        if self.heard_at > began_at:
            self._came_in_part(self.receive_buffer)
        else:
            self._give_up()

    def _give_up(self) -> None:
        """End the link; whoever waits for an answer is told that it can't be understood."""
        self._fail_all_pending(ua.uaerrors.BadDecodingError())
        if self.transport is not None:
            self.transport.abort()


def begins_well(part: bytes) -> bool:
    """Whether bytes may be the beginning of a message.

    >>> begins_well(b"MSGF"), begins_well(b"MS"), begins_well(b"MSGX"), begins_well(b"HTTP")
    (True, True, False, False)
    """
    return any(kind.startswith(part[:3]) for kind in TYPES) and part[3:4] in CHUNKS


def look_at(client: UaClient) -> None:
    """Have the client's connections be such streams."""
    make = client._make_protocol

    def made() -> Stream:
        plain = make()
        stream = Stream(plain.timeout, security_policy=client.security_policy)
        stream.pre_request_hook = plain.pre_request_hook
        stream.on_connection_lost = plain.on_connection_lost
        stream.is_session_closing = plain.is_session_closing
        client.protocol = stream
        return stream

    client._make_protocol = made
