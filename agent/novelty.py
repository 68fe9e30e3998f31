"""Whether a cycle is a new one: duplicates, late ones, old ones, and pulses that are no closing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import pairwise

from agent.cycle import Cycle
from agent.pace import EARLY, FASTER, PAIRED, SHORTEST_CYCLE_S, SURE
from agent.standing import Gap, Standing
from agent.witness import CYCLES, PARTS

BOUNCE = 0.4
"""A cycle shorter than this share of the usual one is no cycle (molding practice: 40 %)."""

BOUNCE_SURELY = 0.25
"""One as short as this leaves no doubt."""

BOUNCES_MOST = 3
"""More in a row are a new pace."""

EVEN = 1.5
"""The longest of some intervals over the shortest: switches do not bounce as evenly as this."""

OFF_S = 60.0
"""A machine's stamp that is further off than this was made by a clock that was set."""

LATE = timedelta(seconds=5)
"""A report may come this much after its counter was seen."""

DUE_MOST = 1.5
"""In usual cycles: later than this a cycle is not the one that was due."""

STALE_MOST = 2
"""So many cycles in a row that are too old to be new, a cycle apart: their clock was set back."""


def ended_at(standing: Standing, cycle: Cycle) -> datetime:
    """End of a cycle by our clock, whatever the machine's clock says; notes how far it is off."""
    if not cycle.announced:
        return cycle.time
    off_s = (cycle.received_at - cycle.time).total_seconds()
    if standing.ended is None:
        standing.skew_s = off_s if abs(off_s) > OFF_S else 0.0
    elif off_s < standing.skew_s - OFF_S:
        standing.skew_s = off_s  # stamped in the future: the clock was set forward
    if not standing.skew_s:
        return cycle.time
    return cycle.time + timedelta(seconds=standing.skew_s)


@dataclass(frozen=True, slots=True)
class Known:
    """Why a cycle is not a new one."""

    refused: str = ""
    gap: Gap | None = None
    """It came late, and belongs there."""


def known(standing: Standing, cycle: Cycle, when: datetime) -> Known | None:
    """Why a cycle is not a new one; None where it is."""
    ended = standing.ended
    assert ended is not None
    if cycle.stood or (cycle.counter > standing.counter and when > ended and cycle.fresh):
        return None
    for gap in reversed(standing.gaps):
        in_time = not cycle.fresh or gap.since < when <= gap.until + LATE
        if in_time and gap.first <= gap.number(cycle.counter) <= gap.last:
            if _is_due(standing, cycle):
                standing.skew_s = (cycle.received_at - cycle.time).total_seconds()
                return None
            return Known(gap=gap)
    again = cycle.counter == standing.counter
    if not cycle.fresh:
        return Known("not_new") if again else None
    half_s = _half_s(standing, cycle)
    for counter, stamp in reversed(standing.times):
        if counter == cycle.counter and abs((cycle.time - stamp).total_seconds()) < half_s:
            return Known("duplicate")
    if not cycle.announced:
        return Known("not_new") if again else None
    if when > ended or _clock_was_set(standing, cycle, half_s):
        return None
    return Known("duplicate")


def _half_s(standing: Standing, cycle: Cycle) -> float:
    """Half a cycle: the same counter again within it is the same shot."""
    usual_s = standing.pace.usual_s
    if usual_s is None:
        reported = cycle.values.get("cycle_time_s")
        usual_s = float(reported) if isinstance(reported, int | float) else 2.0
    return usual_s / 2


def _clock_was_set(standing: Standing, cycle: Cycle, half_s: float) -> bool:
    """Whether a cycle that seems to be older than the last one only has another clock's stamp."""
    at = cycle.received_at
    if not _follows(standing, cycle):
        often = 1
        if standing.stale is not None:
            counter, came, before = standing.stale
            apart = (at - came).total_seconds() >= half_s
            often = before + 1 if cycle.counter == counter + 1 and apart else 1
        standing.stale = (cycle.counter, at, often)
        if often <= STALE_MOST:
            return False
    standing.stale = None
    standing.skew_s = (at - cycle.time).total_seconds()
    return True


def _is_due(standing: Standing, cycle: Cycle) -> bool:
    """Whether a cycle is the next one and comes just when that is due: only its stamp is odd."""
    fastest_s, usual_s = standing.pace.fastest_s, standing.pace.usual_s
    if fastest_s is None or usual_s is None or standing.at is None:
        return False
    if not (cycle.announced and cycle.fresh) or cycle.counter != standing.counter + 1:
        return False
    later_s = (cycle.received_at - standing.at).total_seconds()
    return FASTER * fastest_s <= later_s <= DUE_MOST * usual_s


def _follows(standing: Standing, cycle: Cycle) -> bool:
    """Whether a number goes on from the last one by what there was time for, by our own clock."""
    n = cycle.counter - standing.counter
    assert standing.at is not None
    elapsed_s = (cycle.received_at - standing.at).total_seconds()
    room = standing.pace.room(elapsed_s, started=False)
    if n < 1 or elapsed_s < 0 or n > room.believable:
        return False
    if room.likely is not None and n < room.likely / 2:
        return False  # an old number, by chance
    return not any(each.first < cycle.counter <= each.last for each in standing.earlier)


class Pulse(Enum):
    """What a step of the counter is that comes sooner than a mold can close."""

    CLOSING = auto()
    DOUBTED = auto()
    """A closing, or none: too little is known of the pace."""
    BOUNCE = auto()
    """No closing: a switch that bounced, or the mold closed twice on one shot."""
    PACE = auto()
    """A closing, and so were those before it: the pace is another one now."""


def pulse(standing: Standing, cycle: Cycle, when: datetime) -> Pulse:
    """Whether a step of the counter by one is a closing, by the time since the last one."""
    usual_s = standing.pace.usual_s
    if usual_s is None or standing.ended is None or not standing.started:
        return Pulse.CLOSING
    if usual_s < SHORTEST_CYCLE_S:
        return Pulse.CLOSING
    if cycle.closing == "dry" or cycle.mode not in (None, "AUTOMATIC", "SEMI_AUTOMATIC"):
        return Pulse.CLOSING
    last = standing.pulses[-1][0] if standing.pulses else standing.ended
    step_s = (when - last).total_seconds()
    if not 0 <= step_s < BOUNCE * usual_s:  # below 0 a clock was set back, and nobody knows
        return Pulse.CLOSING
    rose = {n: cycle.counters[n] - was for n, was in standing.others.items() if n in cycle.counters}
    if rose.get(PARTS, 0) > 0:
        return Pulse.CLOSING
    if any(n in rose for n in CYCLES) and not any(rose.get(n) for n in CYCLES):
        return Pulse.BOUNCE
    if standing.pulses:
        instants = [standing.ended, *(at for at, _most in standing.pulses), when]
        return Pulse.PACE if _is_even(instants) else Pulse.BOUNCE
    if len(standing.times) > 1:
        both_s = (cycle.time - standing.times[-2][1]).total_seconds()
        low, high = PAIRED
        if low * usual_s <= both_s <= high * usual_s:
            return Pulse.CLOSING
    if standing.early_s > EARLY * usual_s and step_s + standing.early_s >= BOUNCE * usual_s:
        return Pulse.DOUBTED  # the last one was told late, so that this one only seems to be soon
    return Pulse.BOUNCE if len(standing.pace.steps_s) >= SURE else Pulse.DOUBTED


def _is_even(instants: Sequence[datetime]) -> bool:
    """Whether there are enough of them, evenly apart: then they are a pace, and no bouncing."""
    steps_s = [(b - a).total_seconds() for a, b in pairwise(instants)]
    return len(steps_s) > BOUNCES_MOST and max(steps_s) < EVEN * min(steps_s)
