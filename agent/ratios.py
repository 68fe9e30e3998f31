"""A machine's counters against one another over many shots: which one drifts, and parts a shot."""

from dataclasses import dataclass, field

from agent.cycle import Booked, Cycle
from agent.witness import CYCLES, PARTS

PATIENCE = 3
"""Shots for which something must be off before it is told: counters are not read at one instant."""

LEARNED = 5
"""Shots in a row with as many parts each say how many there should be."""


@dataclass(slots=True)
class _Pair:
    """The closings booked and one other counter, since they last agreed."""

    other: int
    last: int
    """What the other one said last."""
    booked: int = 0
    off: int = 0
    """By how much the other counter was ahead, as last told."""
    since: int = 0
    """Number of the shot from which it has been off otherwise."""
    doubted: int = 0
    """For how many shots."""


class Disagreement:
    """Counters of cycles that rise by more or less than the closings booked."""

    def __init__(self) -> None:
        self._pairs: dict[str, _Pair] = {}
        self._work: tuple[str | None, str | None] = (None, None)

    def take(self, cycle: Cycle, closings: int) -> tuple[str, int] | None:
        """A sentence, and the counter since when it is so; None mostly.

        Args:
            cycle: The last closing.
            closings: How many were booked with it.
        """
        told = None
        work = cycle.job, cycle.mold
        if work != self._work:
            # Set back by it, though it may show no less: a job of one shot, and another begins.
            self._work = work
            self._pairs.pop("job_counter", None)
        for name in CYCLES:
            now = cycle.counters.get(name)
            if now is None or now == cycle.counter:
                continue
            pair = self._pairs.get(name)
            if pair is None or now < pair.last:  # it was set back, as with every new job
                self._pairs[name] = _Pair(now, now)
                continue
            pair.last = now
            pair.booked += closings
            off = now - pair.other - pair.booked
            if off == pair.off:
                pair.doubted = 0
                continue
            if not pair.doubted:
                pair.since = cycle.counter
            pair.doubted += 1
            if pair.doubted >= PATIENCE:
                pair.off, pair.doubted = off, 0
                word = name.replace("_", " ")
                told = (
                    f"{cycle.machine} has two counts: {pair.booked:,} closings are booked, and its "
                    f"{word} rose by {now - pair.other:,}. Both are kept; the difference is not "
                    "shared out.",
                    pair.since,
                )
                # Said once for the difference as it is; only another one is news.
                self._pairs[name] = _Pair(now, now)
        return told


@dataclass(slots=True)
class PartsRatio:
    """Parts a shot against the open cavities, or against what was usual."""

    _mold: tuple[str | None, str | None] = (None, None)
    _before: int | None = None
    _usual: int | None = None
    _last: list[int] = field(default_factory=list)
    _told: int | None = None

    def take(self, booked: Booked, cavities: int | None, closings: int) -> str | None:
        """A sentence, where parts a shot are off and stay so; None mostly."""
        cycle, mold = booked.cycle, (booked.mold, booked.revision)
        if mold != self._mold:
            self._mold, self._usual, self._told, self._last = mold, None, None, []
        made = self._made(cycle, closings)
        if made is None or cycle.closing == "dry":
            return None
        self._last = [*self._last, made][-LEARNED:]
        if cavities is None and self._usual is None:
            if len(self._last) == LEARNED and len(set(self._last)) == 1 and made:
                self._usual = made
            return None
        expected = cavities or self._usual
        recent = self._last[-PATIENCE:]
        if len(recent) < PATIENCE or len(set(recent)) > 1:
            return None
        if made == expected:
            self._told = None
            return None
        if made == self._told:
            return None
        self._told = made
        return (
            f"{cycle.machine} makes {made} parts a shot where {expected} "
            f"{'cavities are open' if cavities else 'were usual'}: a cavity may be blocked, or "
            "opened, without anybody having said so."
        )

    def _made(self, cycle: Cycle, closings: int) -> int | None:
        now = cycle.counters.get(PARTS)
        if now is not None:
            before, self._before = self._before, now
            return now - before if before is not None and closings == 1 and now >= before else None
        good, bad = cycle.values.get("parts_good"), cycle.values.get("parts_bad")
        if good is None or bad is None or isinstance(good, str) or isinstance(bad, str):
            return None
        return int(float(good) + float(bad))
