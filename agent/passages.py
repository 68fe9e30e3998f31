"""Closings that the phases show, held against those that the counter shows.

A press that molds while its counter stands still goes through its phases all the same. A closing is
taken from them only where it went from fill to open, and only when the next one is well under way
and the counter still has not moved: until then the counter may just be late.
"""

from collections.abc import Mapping
from datetime import datetime

from drivers.signals import PHASES

ORDER: Mapping[str, int] = {phase: at for at, phase in enumerate(PHASES)}
PLASTIC = range(ORDER["fill"], ORDER["open"])
OPENED = range(ORDER["open"], ORDER["idle"])
UNDER_WAY = ORDER["cool"]
"""In the next closing; from here on a counter that has not moved is not just late."""


class Passages:
    """Counts passages through the phases of one machine."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the running closing: the phases were not watched."""
        self._at: int | None = None
        self._filled = self._opened = False
        self._waiting: list[datetime] = []
        self._early = 0

    def counted(self, n: int) -> None:
        """The counter has moved by that much."""
        explained = min(n, len(self._waiting))
        del self._waiting[:explained]
        # It may have moved for a closing whose last phase still runs.
        self._early = min(1, n - explained)

    def take(self, phase: str, at: datetime) -> datetime | None:
        """Look at the phase of one frame.

        Args:
            phase: Its word.
            at: When it was seen.

        Returns:
            The end of a closing that the counter has missed; mostly None.
        """
        now = ORDER.get(phase)
        if now is None or now == self._at:
            return None
        before, self._at = self._at, now
        if before is None:
            return None
        if now < before or phase == "idle":
            self._end(at)
        self._filled = self._filled or now in PLASTIC
        self._opened = self._opened or (self._filled and now in OPENED)
        if now >= UNDER_WAY and self._filled and not self._opened:
            self._early = 0  # it moved for the closing before, which the frames did not show
            if self._waiting:
                return self._waiting.pop(0)
        return None

    def _end(self, at: datetime) -> None:
        if self._filled and self._opened:
            if self._early:
                self._early = 0
            else:
                self._waiting.append(at)
        self._filled = self._opened = False
