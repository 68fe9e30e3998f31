"""The serial line behind a Modbus server: one request after the other, whoever asks."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from simulators.modbus.framing import Request
from simulators.modbus.link import ModbusLink

BITS_PER_CHARACTER = 11
SILENT_CHARACTERS = 3.5
"""Before each frame."""
FRAME_BYTES = 3
"""Of an RTU frame around function code and data."""


@dataclass(frozen=True, slots=True)
class Baud:
    """How fast a line is.

    Source:
        MODBUS over Serial Line V1.02: 11 bits a character, and 3.5 of silence before a frame.
    """

    bits_per_s: float

    def seconds(self, request: bytes, answer: bytes) -> float:
        """What an exchange takes.

        >>> round(Baud(9600).seconds(bytes(5), bytes(2 + 2 * 60)), 3)
        0.16
        """
        characters = len(request) + len(answer) + 2 * (FRAME_BYTES + SILENT_CHARACTERS)
        return characters * BITS_PER_CHARACTER / self.bits_per_s


class Line:
    """Serves requests in the order in which they came; one that takes no time is served at once.

    Args:
        exchange: Called with each request when its turn comes: the seconds that the line is busy
            with it, and the frame that is sent then, if any.
    """

    def __init__(self, exchange: Callable[[Request], tuple[float, bytes | None]]) -> None:
        self._exchange = exchange
        self._waiting: deque[tuple[ModbusLink, Request]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, link: ModbusLink, request: Request) -> None:
        """Queue a request."""
        self._waiting.append((link, request))
        if len(self._waiting) == 1:
            self._serve()

    def clear(self) -> None:
        """Forget everything that waits."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _serve(self) -> None:
        while self._waiting:
            link, request = self._waiting[0]
            seconds, frame = self._exchange(request)
            if seconds > 0:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(seconds, self._end, link, frame)
                return
            self._waiting.popleft()
            link.answer(frame)

    def _end(self, link: ModbusLink, frame: bytes | None) -> None:
        self._timer = None
        self._waiting.popleft()
        link.answer(frame)
        self._serve()
