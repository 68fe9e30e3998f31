"""A signal after a stop: it settles until it has no slope any more.

A number of shots would be too few for a large mold and too many for a small one.
"""

from typing import Any

STEADY = 3
"""Shots in a row without a slope that end it."""
MOST, MOST_AT_FIRST = 150, 60
"""Shots that it takes at the most; fewer where nothing was learned yet, lest nothing ever is."""
QUICK, LAZY = 0.25, 0.1
"""Weights of two means; how far they are apart is six shots' worth of slope."""


class Settling:
    """Whether one signal still settles, and where it stands meanwhile."""

    __slots__ = ("_lazy", "_rough", "_steady", "_waited", "left", "level")

    def __init__(self) -> None:
        self.left = 0
        """Shots that it still takes at the least; 0 when it has settled."""
        self.level = 0.0
        self._lazy = self._rough = 0.0
        self._steady = self._waited = 0

    def start(self, shots: int) -> bool:
        """Settle for so many shots at the least; whether that is longer than it does already."""
        if shots <= self.left:
            return False
        if not self.left:
            self._steady = self._waited = 0
        self.left = shots
        return True

    def count(self) -> bool:
        """One shot of a signal that settles in a number of shots; whether that was the last."""
        self.left -= 1
        return not self.left

    def take(self, value: float, flat: float, *, known: bool) -> bool:
        """One value of a signal that settles by its slope; whether it has settled with it.

        Args:
            value: The value.
            flat: What two means may be apart that have no slope, in its unit.
            known: Its baseline is learned.
        """
        if not self._waited:
            self.level = self._lazy = value
            self._rough = 0.0
        self._waited += 1
        self._rough += LAZY * (abs(value - self.level) - self._rough)
        self.level += QUICK * (value - self.level)
        self._lazy += LAZY * (value - self._lazy)
        if self.left > 1:
            self.left -= 1
            return False
        is_flat = abs(self.level - self._lazy) < max(flat, 0.5 * self._rough)
        self._steady = self._steady + 1 if is_flat else 0
        if self._steady < STEADY and self._waited < (MOST if known else MOST_AT_FIRST):
            return False
        self.left = 0
        return True

    def save(self) -> list[Any]:
        """As JSON values."""
        return [self.left, self.level, self._lazy, self._rough, self._steady, self._waited]

    def load(self, kept: list[Any]) -> None:
        """Know again what `save` kept."""
        self.left, self.level, self._lazy, self._rough, self._steady, self._waited = kept
