"""The wire between a server and its clients, and what can go wrong on it, whatever the protocol.

It stands between the event loop and the server's own protocol: what comes in is passed on as it is,
and what goes out, one `write` an answer, is what the link faults make of it.

    server = await loop.create_server(wire.wrap(factory), host, port)
    wire.listens(server.sockets)
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any, cast

from simulators import blackhole
from simulators.faults import Active, Faults

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
PACE_S = 0.02
"""Between answers that had to wait: what was late takes them one by one."""
SENDING = ("slow_answers", "late_reply", "late_replies", "garbage_bytes", "truncated_frame")
"""Faults of what goes out."""


class Wire:
    """The links of one server.

    Answers never overtake each other, as on a serial line or within a session: while one is held
    back, those after it wait, and then go out one by one, as from a device that has fallen behind.
    In a black hole the network keeps what a client sends, as TCP's retransmission does: where the
    client still holds its link when the hole closes, its requests are answered then. A link that
    was forgotten stays silent until either side closes it.

    Args:
        faults: Of the machines behind the server; a fault of any of them acts on all links.
    """

    def __init__(self, faults: Sequence[Faults]) -> None:
        self._faults = tuple(faults)
        for each in self._faults:
            each.followers.append(self)
        self.links: set[Link] = set()
        self.up = True
        """Not from the moment the server stops until it listens again."""
        self._listening: tuple[socket.socket, ...] = ()
        self._random = Random("/".join(each.machine for each in self._faults))
        self._answers = 0
        self.dark = self._any("black_hole")
        self.sound = self._is_sound()
        """Whether answers go out as they are."""

    def wrap(self, factory: Callable[[], asyncio.BaseProtocol]) -> "Callable[[], Link]":
        """The factory to give to the event loop in place of the server's own."""
        return lambda: Link(self, cast(asyncio.Protocol, factory()))

    def listens(self, sockets: Iterable[socket.socket]) -> None:
        """Those that the server listens on since it has started; a black hole covers them too."""
        self.up = True
        self._listening = tuple(sockets)
        self._cover()

    def drop_all(self) -> None:
        """Reset every link, and forget the listening sockets; for a server that stops.

        A client that was just being let in is reset too: it would hold up the server's end.
        """
        self.up = False
        self._listening = ()
        self._reset_links()

    async def fault_changed(self, active: Active, *, on: bool) -> None:
        """Act on what stands: reset, forget or hold it."""
        if active.name == "link_dropped" and on:
            self._reset_links()
        elif active.name == "half_open" and on:
            for link in self.links:
                link.forget()
        elif active.name == "black_hole":
            self.dark = self._any("black_hole")
            self._cover()
            for link in tuple(self.links):
                link.light_changed()
        elif active.name == "late_replies":
            self._answers = 0
        self.sound = self._is_sound()

    def spoil(self, answer: bytes) -> tuple[bytes, float]:
        """What goes out for an answer, and how many seconds late."""
        late_s = 0.0
        for faults in self._faults:
            if faults.take("truncated_frame") is not None:
                answer = answer[: len(answer) // 2]
            if (noise := faults.take("garbage_bytes")) is not None:
                answer = self._random.randbytes(max(1, int(noise["bytes"]))) + answer
            if (slow := faults.active("slow_answers")) is not None:
                late_s = max(late_s, slow["delay_s"])
            if (late := faults.take("late_reply")) is not None:
                late_s = max(late_s, late["delay_s"])
            if (often := faults.active("late_replies")) is not None:
                self._answers += 1
                if self._answers % max(1, int(often["every"])) == 0:
                    late_s = max(late_s, often["delay_s"])
        self.sound = self._is_sound()
        return answer, late_s

    def _reset_links(self) -> None:
        for link in tuple(self.links):
            link.reset()

    def _cover(self) -> None:
        for listening in self._listening:
            if self.dark:
                blackhole.cover(listening)
            else:
                blackhole.uncover(listening)

    def _any(self, *names: str) -> bool:
        return any(faults.active(name) for faults in self._faults for name in names)

    def _is_sound(self) -> bool:
        return not self.dark and not self._any(*SENDING)


class Link(asyncio.Transport, asyncio.Protocol):
    """One client's connection: a protocol to the event loop, the transport to the server's own."""

    _transport: asyncio.Transport

    def __init__(self, wire: Wire, server: asyncio.Protocol) -> None:
        super().__init__()
        self._wire = wire
        self._server = server
        self._forgotten = False
        self._held: deque[tuple[float, bytes | None]] = deque()
        """When each answer is due, in the loop's time; None for the end of the link."""
        self._timer: asyncio.TimerHandle | None = None

    # What the event loop says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self._transport = cast(asyncio.Transport, transport)
        self._wire.links.add(self)
        self.light_changed()
        self._server.connection_made(self)
        if not self._wire.up:
            self.reset()

    def data_received(self, data: bytes) -> None:
        """The client sent something."""
        if not self._forgotten:
            self._server.data_received(data)

    def eof_received(self) -> bool | None:
        """The client has nothing more to send."""
        return self._server.eof_received()

    def pause_writing(self) -> None:
        """The client does not read."""
        self._server.pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        self._server.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        """The link has ended."""
        self._wire.links.discard(self)
        self._let_go()
        self._server.connection_lost(error)

    # What the server does

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Addresses and the like."""
        return self._transport.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send an answer."""
        if self._forgotten or self._transport.is_closing():  # uvloop's raises where it has closed
            return
        if self._wire.sound and not self._held:
            self._transport.write(data)
        elif not self.is_closing():
            answer, late_s = self._wire.spoil(bytes(data))
            self._hold(answer, late_s)

    def close(self) -> None:
        """End the link once everything has gone out."""
        if (self._held or self._wire.dark) and not self.is_closing():
            self._hold(None, 0.0)
        else:
            self._transport.close()

    def abort(self) -> None:
        """End the link at once."""
        self._let_go()
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether it has ended or will."""
        ending = bool(self._held) and self._held[-1][1] is None
        return ending or self._transport.is_closing()

    # What the faults do

    def forget(self) -> None:
        """Never hear or say anything again."""
        self._forgotten = True
        self._let_go()

    def reset(self) -> None:
        """End the link at once, with a reset in place of a goodbye."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None and not self._transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.abort()

    def light_changed(self) -> None:
        """Hear nothing in a black hole; say and hear what waited when it has closed."""
        if self._wire.dark:
            if self._transport.is_reading():
                self._transport.pause_reading()
        else:
            if not self._transport.is_closing() and not self._transport.is_reading():
                self._transport.resume_reading()
            self._send_due()

    def _hold(self, data: bytes | None, late_s: float) -> None:
        due = asyncio.get_running_loop().time() + late_s
        if self._held:
            due = max(due, self._held[-1][0] + PACE_S)
        self._held.append((due, data))
        if self._timer is None:
            self._send_due()

    def _send_due(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        while self._held and not self._wire.dark:
            due, data = self._held[0]
            if due > loop.time():
                self._timer = loop.call_at(due, self._send_due)
                break
            self._held.popleft()
            if data is None:
                self._transport.close()
            else:
                self._transport.write(data)

    def _let_go(self) -> None:
        self._held.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
