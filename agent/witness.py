"""What a machine's other counters say of a stretch of time in which the first one leaves doubt.

A machine has up to three besides the one that numbers its cycles: of its life, of the job, of the
parts. They fail each in its own way, so where one fell or jumped the others mostly did not. What
they say is taken or left by rules, and both numbers are told; they are never averaged.
"""

from collections.abc import Mapping
from dataclasses import replace

from agent.counter import Judgement, Step
from agent.pace import Room

CYCLES = ("machine_counter", "job_counter")
PARTS = "parts_counter"

MADE_KEPT = 5
MADE_ALIKE = 3
"""So many shots in a row with the same number of parts say what the next ones make."""


def claims(
    before: Mapping[str, int],
    after: Mapping[str, int],
    *,
    last: int,
    new: int,
    new_job: bool,
) -> dict[str, int]:
    """By how much each other counter of cycles rose; those that fell or stood say nothing.

    Args:
        before: The other counters at the last closing.
        after: The other counters now.
        last: The first counter then.
        new: The first counter now; one that always equals it is no other counter.
        new_job: Another job began meanwhile, so that a counter of the job was set back.
    """
    found = {}
    for name in CYCLES:
        was, now = before.get(name), after.get(name)
        if was is None or now is None or now <= was or (was == last and now == new):
            continue
        if not (name == "job_counter" and new_job):
            found[name] = now - was
    return found


def weigh(judgement: Judgement, others: Mapping[str, int], room: Room) -> Judgement:
    """A judgement with what the other counters of cycles have to say.

    A doubt that one of them settles is settled. Where there was none and they differ, the larger
    number is booked if there was time for it, and the smaller is the least: counters hide closings
    (set back, rolled back, standing) more often than they invent some, and those who invent them
    contradict the clock.
    """
    heard = {name: n for name, n in others.items() if n <= room.believable}
    if not heard:
        return judgement
    evidence = _with(judgement, ", ".join(f"{name} rose by {n}" for name, n in heard.items()))
    least, most = min(heard.values()), max(heard.values())
    if not judgement.is_exact:
        if least > judgement.most or most < judgement.least:
            least, most = min(least, judgement.least), max(most, judgement.most)
            return replace(judgement, least=least, most=most, evidence=evidence)
        least, most = max(least, judgement.least), min(most, judgement.most)
        return replace(judgement, closings=most, least=least, most=most, evidence=evidence)
    if least == most == judgement.closings or room.most == judgement.closings == 1:
        return judgement
    if judgement.step is Step.SAME and most < 2:
        return judgement  # read while the machine was writing them
    least, most = min(least, judgement.closings), max(most, judgement.closings)
    return replace(judgement, closings=most, least=least, most=most, evidence=evidence)


def weigh_job(judgement: Judgement, made: int | None, room: Room) -> Judgement:
    """A judgement with the number of this closing in a job that began meanwhile."""
    if made is None or judgement.step is Step.SAME:
        return judgement
    if not judgement.closings < made <= room.believable:
        return judgement
    evidence = _with(judgement, f"number {made} of the job")
    most = max(made, judgement.most)
    return replace(judgement, closings=made, least=made, most=most, alone=False, evidence=evidence)


def weigh_parts(
    judgement: Judgement,
    before: int | None,
    after: int | None,
    made: tuple[int, ...],
) -> Judgement:
    """A judgement with what the counter of parts has to say: how many closings were with plastic.

    Args:
        judgement: With the other counters heard.
        before: Parts at the last closing.
        after: Parts now.
        made: Parts of the last shots seen.
    """
    alike = made[-MADE_ALIKE:]
    if before is None or after is None or after <= before:
        return judgement
    if judgement.closings < 2 and judgement.is_exact:
        return judgement
    if len(alike) < MADE_ALIKE or len(set(alike)) > 1 or alike[0] < 1:
        return judgement
    shots, rest = divmod(after - before, alike[0])
    if rest:
        return judgement
    evidence = _with(judgement, f"parts rose by {after - before}, {alike[0]} a shot")
    if not judgement.is_exact and judgement.least <= shots <= judgement.most:
        return replace(
            judgement, closings=shots, least=shots, most=shots, shots=shots, evidence=evidence
        )
    if judgement.is_exact and shots < judgement.closings:
        return replace(judgement, shots=shots, evidence=f"{evidence}: the others were dry")
    return judgement


def _with(judgement: Judgement, said: str) -> str:
    return f"{judgement.evidence}; {said}" if judgement.evidence else said
