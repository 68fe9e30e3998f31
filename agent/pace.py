"""How fast a machine closes its mold, and how many closings a stretch of time leaves room for.

Measured from end of cycle to end of cycle, and not the machine's own cycle time: a simulator may
run faster than its process, and people may stand between two cycles.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor

PACE_CYCLES = 20
"""How many of the last intervals say what is usual."""

FASTER = 0.9
"""Of the fastest interval seen lately: a mold does not suddenly run more than a tenth faster."""

ANOTHER_MOLD = 0.25
"""Of the fastest interval on the last mold: a mold whose pace we do not know yet may run so."""

SOONEST_S = 3.0
"""Shortest interval of a machine of which nothing is known, where it bounds what can have been."""

NEVER_SOONER_S = 0.05
"""Shortest interval that is believed of a machine of which nothing is known: a simulator's."""

SET_BACK = 20_000
"""Closings that are believed where our own clock was set back: a fast day's."""

SURE = 3
"""Intervals that make a pace known."""

STEADY = 0.7
"""The fastest interval of a steady machine, as a share of its usual one, at least."""

EARLY = 0.5
"""Of the usual interval: an end that is less uncertain is taken as it is told."""

PAIRED = (1.75, 2.6)
"""A short gap and the one before it, in usual cycles, where one cycle was only published late."""

SHORTEST_CYCLE_S = 1.0
"""No press cycles faster. Where a simulator does, what comes too soon came late before it: our own
delays are as long as its cycles."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a stretch of time leaves room for."""

    most: int
    """Closings, at most; at least 1."""
    believable: int
    """A counter that says more is not believed; larger than `most` where the pace is not known."""
    likely: float | None
    """Closings, had the machine run on at its usual pace; None where that is not known."""
    steady: bool
    """Whether the pace is known so well that one closing too many shows."""
    paced: int | None = None
    """Closings at the fastest interval seen, at most; None where none was seen."""
    hidden: range = range(0)
    """Closings, had the machine run on behind an old picture; empty where no pace is known."""
    told: bool = False
    """What ended meanwhile was told: somebody looked all the time."""
    lately: int | None = None
    """Closings at the fastest of the last few intervals, at most; None where there are few."""
    paused: bool = False
    """Somebody saw it stand for a cycle and more."""


class Pace:
    """Of one machine, on the mold that it has.

    Args:
        steps_s: The last intervals from one shot's end to the next one's.
        floor_s: Shortest interval expected before there are any of this mold.
    """

    def __init__(self, steps_s: Iterable[float] = (), floor_s: float | None = None) -> None:
        self.steps_s = deque(steps_s, maxlen=PACE_CYCLES)
        self.floor_s = floor_s
        self._known: tuple[float, float] | None = None

    def copy(self) -> "Pace":
        """As it is now, whatever follows."""
        return Pace(self.steps_s, self.floor_s)

    def add(self, step_s: float) -> None:
        """Take one more interval."""
        self.steps_s.append(step_s)
        self._known = None

    def was_late(self, step_s: float) -> bool:
        """Whether a short interval and the one before it are two usual ones together: the one
        between was only told late."""
        low, high = PAIRED
        usual_s = self.usual_s
        if usual_s is None:
            return False
        return low * usual_s <= self.steps_s[-1] + step_s <= high * usual_s

    def even_out(self, step_s: float) -> None:
        """Take one more, that is short because the one before was long: only told late."""
        mean_s = (self.steps_s.pop() + step_s) / 2
        self.steps_s.extend((mean_s, mean_s))
        self._known = None

    def restart(self, floor_s: float | None = None) -> None:
        """Another mold is on.

        Args:
            floor_s: Its fastest interval, where it was here before.
        """
        fastest_s = self.fastest_s
        if floor_s is not None:
            self.floor_s = FASTER * floor_s
        elif fastest_s is not None:
            self.floor_s = ANOTHER_MOLD * fastest_s
        self.steps_s.clear()
        self._known = None

    @property
    def usual_s(self) -> float | None:
        """The median interval; None before the second shot."""
        return self._measured()[0] if self.steps_s else None

    @property
    def fastest_s(self) -> float | None:
        """The fastest interval, leaving out one that stands alone; None before the second shot."""
        return self._measured()[1] if self.steps_s else None

    def _measured(self) -> tuple[float, float]:
        if self._known is None:
            ranked = sorted(self.steps_s)
            half, odd = divmod(len(ranked), 2)
            middle = ranked[half] if odd else (ranked[half - 1] + ranked[half]) / 2
            self._known = middle, ranked[1 if len(ranked) >= 8 else 0]
        return self._known

    def room(
        self, elapsed_s: float, *, started: bool = True, looked_s: float | None = None,
        another_s: float | None = None, early_s: float = 0.0,
    ) -> Room:  # fmt: skip
        """How many closings can have ended in a time.

        Args:
            elapsed_s: Since the last one that we know of; below 0 where a clock was set.
            started: It ended just then, so that the next one takes a whole interval.
            looked_s: Since somebody saw that nothing had happened; None where nobody looked.
            another_s: The fastest interval of another mold that may have run meanwhile.
            early_s: By how much earlier that one may have ended; what is usual between two looks is
                in the pace already, and counts from half a cycle on.
        """
        steady, paced_s = False, None
        if self.steps_s:
            usual_s, fastest_s = self._measured()
            shortest_s = never_s = paced_s = FASTER * fastest_s
            if len(self.steps_s) < SURE:  # a stop may be in the few there are
                shortest_s = min(shortest_s, self.floor_s or SOONEST_S)
                never_s = min(shortest_s, NEVER_SOONER_S)
            steady = len(self.steps_s) >= SURE and fastest_s >= STEADY * usual_s
            steady = steady and usual_s >= SHORTEST_CYCLE_S
            likely = max(elapsed_s, 0.0) / usual_s
        else:
            shortest_s = self.floor_s or SOONEST_S
            never_s = min(self.floor_s or NEVER_SOONER_S, NEVER_SOONER_S)
            likely = None
        if another_s is not None:
            shortest_s, never_s = min(shortest_s, another_s), min(never_s, another_s)
            steady, likely, paced_s = False, None, None
        if elapsed_s < 0:
            return Room(1, SET_BACK, None, steady=False)
        whole_s = elapsed_s
        if self.steps_s and early_s > EARLY * usual_s:
            whole_s += early_s
        most = _closings(whole_s, shortest_s, started)
        hidden = range(0)
        if likely is not None and len(self.steps_s) >= SURE:
            hidden = range(ceil(likely / 2), most + 1)
        believable = _closings(whole_s, never_s, started)
        paused = False
        if looked_s is not None and 0 <= looked_s < elapsed_s:
            most_of_look = _closings(looked_s, shortest_s, started=False)
            paused = likely is not None and likely >= most_of_look + 1
            most = min(most, most_of_look)
            believable = min(believable, _closings(looked_s, never_s, started=False))
            likely = None if likely is None else min(likely, float(most))
        paced = None if paced_s is None else min(most, _closings(elapsed_s, paced_s, started))
        lately = None
        if len(self.steps_s) >= SURE:
            last_s = list(self.steps_s)[-SURE:]
            lately = _closings(elapsed_s, FASTER * min(last_s), started)
        return Room(most, believable, likely, steady, paced, hidden, lately=lately, paused=paused)


def _closings(elapsed_s: float, shortest_s: float, started: bool) -> int:
    """How many fit; a closing that ended at the end of the time always does."""
    if started:
        return max(1, floor(elapsed_s / shortest_s + 1e-6))
    return floor(elapsed_s / shortest_s) + 1
