"""One client's connection to a Modbus server: cuts the stream into requests."""

import asyncio
from collections.abc import Callable
from typing import cast

from simulators.modbus.framing import Framing, NotModbusError, Request


class ModbusLink(asyncio.Protocol):
    """Hands each request on, and sends the answers whenever they come.

    Args:
        framing: Of requests and answers.
        ask: Called with each request.
    """

    _transport: asyncio.Transport

    def __init__(self, framing: Framing, ask: "Callable[[ModbusLink, Request], None]") -> None:
        self._framing = framing
        self._ask = ask
        self._stream = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Pass on what is complete."""
        self._stream += data
        while self._stream:
            try:
                request, done = self._framing.first(self._stream)
            except NotModbusError:
                self._transport.abort()
                return
            self._stream = self._stream[done:]
            if request is None:
                return
            self._ask(self, request)

    def answer(self, frame: bytes | None) -> None:
        """Send an answer, if there is one and anybody still there."""
        if frame is not None and not self._transport.is_closing():
            self._transport.write(frame)
