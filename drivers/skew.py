"""How far another clock is from ours, from what it said and when that may have been.

A stamp that comes in an answer was made between question and answer; one that is new in a poll,
between the poll before and this one. So each gives bounds, and all together close ones. Late stamps
do happen (a server that looks at its machine once in ten seconds), and a clock that drifts leaves
old bounds: a few in a row that agree with one another and not with what we believed are the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

AGREEING = 3
"""Samples in a row that are believed against all before."""
RAREST_S = 60.0
"""A poll that was longer ago says little about when something changed since."""


@dataclass(frozen=True, slots=True)
class Skew:
    """How far a clock is from ours, as far as it is known."""

    ahead_s: float
    """Below 0 where it is behind."""
    within_s: float
    """Give or take."""


class Bounds:
    """What is known of one clock."""

    def __init__(self) -> None:
        self._low_s, self._high_s = float("-inf"), float("inf")
        self._doubts = 0
        self._doubt_s = self._low_s, self._high_s
        self.skew: Skew | None = None
        """The same object until a sample contradicts it, or narrows it to less than half."""

    def take(self, said: datetime, earliest: datetime, latest: datetime) -> None:
        """One stamp.

        Args:
            said: The stamp, UTC by their clock.
            earliest: When it can have been made at the earliest, by ours.
            latest: And at the latest.
        """
        if latest < earliest:
            return  # our own clock was set meanwhile
        low_s = (said - latest).total_seconds()
        high_s = (said - earliest).total_seconds()
        if low_s <= self._high_s and high_s >= self._low_s:
            self._doubts = 0
            self._keep(max(low_s, self._low_s), min(high_s, self._high_s))
            return
        doubt_low_s, doubt_high_s = self._doubt_s
        if self._doubts and low_s <= doubt_high_s and high_s >= doubt_low_s:
            self._doubts += 1
            self._doubt_s = max(low_s, doubt_low_s), min(high_s, doubt_high_s)
        else:
            self._doubts, self._doubt_s = 1, (low_s, high_s)
        if self._doubts >= AGREEING:
            self._doubts = 0
            self._keep(*self._doubt_s)

    def _keep(self, low_s: float, high_s: float) -> None:
        self._low_s, self._high_s = low_s, high_s
        middle_s, within_s = (low_s + high_s) / 2, (high_s - low_s) / 2
        shown = self.skew
        if shown and low_s <= shown.ahead_s <= high_s and within_s > shown.within_s / 2:
            return
        self.skew = Skew(round(middle_s, 3), round(within_s, 3))


class Stamps:
    """The machine's clock, by its stamps of some values that are read again and again.

    A value that did not change keeps an old stamp; so only stamps that are new count, and of those
    the newest.

    Args:
        bounds: What is known of that clock.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._before: Sequence[datetime | None] = ()
        self._read_at: datetime | None = None

    def take(self, times: Sequence[datetime | None], received_at: datetime) -> None:
        """The stamps of one reading, in the same order every time."""
        before, since = self._before, self._read_at
        self._before, self._read_at = times, received_at
        if since is None or times == before or len(times) != len(before):
            return
        if not 0 <= (received_at - since).total_seconds() <= RAREST_S:
            return
        new = [t for t, old in zip(times, before, strict=True) if t is not None and t != old]
        if new:
            self._bounds.take(max(new), since, received_at)
