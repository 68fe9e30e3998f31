"""The time that presses live in: runs `speed` times as fast as the wall, or only by hand."""

import asyncio
import time


class Clock:
    """Process time in seconds since the clock was made.

    Args:
        speed: Process seconds per wall second. None: time moves only when `advance` moves it.
    """

    def __init__(self, speed: float | None = 1.0) -> None:
        if speed is not None and not speed > 0:
            raise ValueError(f"speed is {speed}; it should be above 0, or None for time by hand")
        self.speed = speed
        self._origin = time.monotonic()
        self._by_hand = 0.0

    def now(self) -> float:
        """Process seconds since the clock was made."""
        if self.speed is None:
            return self._by_hand
        return (time.monotonic() - self._origin) * self.speed

    def advance(self, seconds: float) -> None:
        """Move a clock that is moved by hand; no effect on one that runs."""
        self._by_hand += seconds

    async def until(self, at: float) -> None:
        """Sleep until an absolute process time; returns at once where it is past.

        Raises:
            RuntimeError: the clock only moves by hand.
        """
        if self.speed is None:
            raise RuntimeError("this clock moves by hand; mold with `await press.mold()`")
        await asyncio.sleep(max(0.0, (at - self.now()) / self.speed))
