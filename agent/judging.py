"""What an item says happened since the last closing: the counters, the clock and one another."""

from dataclasses import dataclass, replace
from datetime import datetime
from zlib import crc32

from agent.counter import ROLLED_BACK_MOST, Judgement, Step, certain, judge, stood
from agent.cycle import Cycle
from agent.pace import FASTER, Room
from agent.sighting import Sighting
from agent.standing import Standing
from agent.witness import PARTS, claims, weigh, weigh_job, weigh_parts
from drivers import Origin

POWER_OFF_S = 60.0
"""A control that lost power does not mold again sooner; own assumption."""

MOMENT = 0.25
"""Of the fastest cycle: a look so long ago was just before."""

STOOD = 2.0
"""In usual cycles: a press that closed no mold for so long was standing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One cycle or sighting, as the ledger looks at it."""

    item: Cycle | Sighting
    when: datetime
    """End of the cycle, or instant of the sighting, by our clock."""
    at: datetime
    """When we learned of it."""
    sure: bool
    """It is a closing, whatever its counter says."""
    changes: bool
    """Another mold is on the machine than at the last closing."""


def judged(standing: Standing, look: Look, modulus: int | None) -> Judgement:
    """How many closings there were since the last one, and by which rule.

    Args:
        standing: Where the ledger stands; it has a segment.
        look: What came.
        modulus: What the counter counts modulo, where the driver knows.
    """
    assert standing.ended is not None
    item, last, new = look.item, standing.counter, look.item.counter
    room = _room(standing, look, standing.ended, standing.started, standing.early_s)
    new_job = look.changes
    if item.job is not None and standing.job is not None:
        new_job = item.job != standing.job
    per_job = _per_job(standing, item) if new_job else False
    said = claims(standing.others, item.counters, last=last, new=new, new_job=new_job)
    if new == last and (look.sure or per_job):
        found = stood(last, room, sure=look.sure, per_job=per_job)
    else:
        found = _resumed(standing, look, room) or judge(
            last, new, room,
            sure=look.sure, modulus=modulus, per_job=per_job, heard=bool(said),
        )  # fmt: skip
    if found.step is Step.RESET and new - last in said.values():
        found = certain(Step.RISEN, new - last)
    shows = isinstance(item, Cycle) and not item.announced
    if found.step is Step.JUMPED and shows and not _is_new(standing, item):
        # Somebody set the number; the values are those of the last shot.
        found = replace(found, closings=0, least=0)
    found = weigh(found, said, room)
    if new_job:
        found = weigh_job(found, item.counters.get("job_counter"), room)
    else:
        was, now = standing.others.get(PARTS), item.counters.get(PARTS)
        found = weigh_parts(found, was, now, standing.made)
    if found.step in (Step.RISEN, Step.STUCK) and found.closings > max(1, new - last):
        return replace(found, step=Step.RESET, alone=False)
    return _may_have_fallen(standing, look, found, room) if standing.rolls else found


def _may_have_fallen(standing: Standing, look: Look, found: Judgement, room: Room) -> Judgement:
    """A rise with what may be behind it: a counter that falls back at times did so, and went on.

    All counters of a control fall together, so that none of them tells.
    """
    assert standing.ended is not None
    n, slack = found.closings, room.most - found.closings
    unused_s = (look.when - standing.ended).total_seconds() - n * (standing.pace.usual_s or 0.0)
    if room.told or found.step is not Step.RISEN or n < 1 or slack < 1 or unused_s < POWER_OFF_S:
        return found
    most = max(found.most, min(room.most, n + ROLLED_BACK_MOST - 1))
    said = f"time for {room.most}; it has fallen back before, and may have meanwhile"
    evidence = f"{found.evidence}; {said}" if found.evidence else said
    return replace(found, most=most, evidence=evidence)


def _room(
    standing: Standing, look: Look, ended: datetime, started: bool, early_s: float = 0.0
) -> Room:
    """How many closings there was time for since one that ended then, or as much earlier."""
    item, pace = look.item, standing.pace
    looked_s = another_s = None
    if item.looked_at is not None and standing.at is not None and item.looked_at > standing.at:
        looked_s = (look.at - item.looked_at).total_seconds()
    unnamed = item.mold is None and standing.job not in (None, item.job)
    if look.changes or unnamed:  # another job may be another mold, where the machine names none
        known = standing.fastest_s.get(item.mold) if item.mold is not None else None
        fastest_s = pace.fastest_s
        another_s = FASTER * known if known else (fastest_s or 0.0) / 4 or None
    elapsed_s = (look.when - ended).total_seconds()
    room = pace.room(
        elapsed_s, started=started, looked_s=looked_s, another_s=another_s, early_s=early_s
    )
    told = isinstance(item, Cycle) and item.unbroken
    if looked_s is not None and pace.fastest_s and pace.usual_s and not told:
        # A press that stood closes no mold in the moment between two looks.
        told = looked_s <= MOMENT * pace.fastest_s and elapsed_s >= STOOD * pace.usual_s
    return replace(room, told=True) if told else room


def _per_job(standing: Standing, item: Cycle | Sighting) -> bool | None:
    """Whether jobs set the counter to 0, as far as that is known."""
    if standing.per_job is not None:
        return standing.per_job
    if item.counters.get("machine_counter") == item.counter:
        return False
    return True if item.counters.get("job_counter") == item.counter else None


def _resumed(standing: Standing, look: Look, room: Room) -> Judgement | None:
    """Whether the counter goes on where it was before it went elsewhere, or stood still."""
    track, last, new = standing.track, standing.counter, look.item.counter
    if track is None:
        return None
    n = new - track.counter - track.since
    whole = _room(standing, look, track.ended, started=True)
    if n < int(look.sure) or n + track.since > max(whole.believable, track.since + 1):
        return None
    evidence = f"{last} to {new}; it was at {track.counter}, {track.since} closings before"
    if new < last or new - last > room.believable:
        return certain(Step.RESUMED, n, evidence)
    rise = new - last
    if not track.stood or rise < 2:
        return None
    near = room.likely is None or abs(room.likely - n) <= abs(room.likely - rise)
    return Judgement(
        step=Step.RESUMED,
        closings=n if near else rise,
        least=n,
        most=rise,
        alone=False,
        evidence=evidence,
    )


def shown(cycle: Cycle) -> tuple[int, int] | None:
    """Checksums of a last cycle's values and of their names, where a machine only shows them."""
    if Origin.LATCHED not in cycle.provenance.values():
        return None
    values = sorted(
        (name, value)
        for name, value in cycle.values.items()
        if cycle.provenance.get(name) is Origin.LATCHED and isinstance(value, int | float)
    )
    if not values:
        return None
    return crc32(repr(values).encode()), crc32(repr([name for name, _ in values]).encode())


def proves(standing: Standing, cycle: Cycle) -> bool:
    """Whether a cycle is a closing whatever its counter says."""
    if cycle.announced or cycle.stood or cycle.counter > standing.counter:
        return True
    return _is_new(standing, cycle)


def _is_new(standing: Standing, item: Cycle | Sighting) -> bool:
    """Whether the values that a machine shows are others than those it showed last."""
    now = shown(item) if isinstance(item, Cycle) else None
    before = standing.shown
    return bool(now and before and now[1] == before[1] and now[0] != before[0])
