"""The evaluation as a list of tasks, each a stream or two, and what they come to together."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bench.watch import drawn, molded
from bench.watch.scoring import Verdict, Walked, judge, walked
from bench.watch.stream import Cause

Part = Literal[
    "molded clean", "drawn clean", "molded together", "drawn together", "molded faults",
    "drawn shifts",
]  # fmt: skip
"""`together` are the clean streams again, with the second opinion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work for one process."""

    part: Part
    mold: int
    seed: int
    case: int = 0
    """Of `molded.CASES` or `drawn.SHIFTS`."""
    interface: str = "everything"
    cycles: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanOutcome:
    """Cycles without a trouble, and what was said of them: all of it false."""

    mold: str
    kind: str
    """What the stream is like, in words."""
    cycles: int
    alarms: Counter[Cause]
    together: bool = False
    """Only of what all signals together showed; else of all that was said by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOutcome:
    """One stream with a trouble."""

    task: Task
    verdict: Verdict


@dataclass(slots=True, kw_only=True)
class Results:
    """All of it."""

    clean: list[CleanOutcome] = field(default_factory=list)
    faults: list[FaultOutcome] = field(default_factory=list)


def tasks(
    seed: int, *, cycles: int, each: int, interfaces: Sequence[str] = tuple(molded.INTERFACES)
) -> Iterator[Task]:
    """Everything there is to do.

    Args:
        seed: The first of `each` consecutive ones.
        cycles: Clean cycles for each of five molds, of both generators.
        each: Streams of every trouble, interface and size, over the molds in turn.
        interfaces: What machines show.
    """
    for n in range(5):
        yield Task(part="molded clean", mold=n, seed=seed, cycles=cycles)
        yield Task(part="drawn clean", mold=n, seed=seed, cycles=cycles)
        yield Task(part="molded together", mold=n, seed=seed, cycles=cycles)
        yield Task(part="drawn together", mold=n, seed=seed, cycles=cycles)
    for k in range(each):
        for case in range(len(molded.CASES)):
            for interface in interfaces:
                yield Task(
                    part="molded faults", mold=k % 5, seed=seed + k, case=case,
                    interface=interface,
                )  # fmt: skip
        for case in range(len(drawn.SHIFTS)):
            yield Task(part="drawn shifts", mold=k % 5, seed=seed + k, case=case)


def work(task: Task) -> CleanOutcome | FaultOutcome:
    """Do one task."""
    match task.part:
        case "molded clean" | "molded together":
            mold, together = molded.MOLDS[task.mold], task.part == "molded together"
            found = walked(molded.clean(mold, task.seed, task.cycles), together=together)
            about = {mold.id, molded.OTHER.id}
            return CleanOutcome(
                mold=mold.id,
                kind=f"{mold.resin}, {mold.alloy}, {mold.cavities} cavities",
                cycles=sum(n for name, n in found.cycles.items() if name in about),
                alarms=_said(found, together),
                together=together,
            )
        case "drawn clean" | "drawn together":
            one, together = drawn.MOLDS[task.mold], task.part == "drawn together"
            found = walked(drawn.clean(one, task.seed, task.cycles), together=together)
            return CleanOutcome(
                mold=one.mold,
                kind=one.unkind,
                cycles=found.cycles.total(),
                alarms=_said(found, together),
                together=together,
            )
        case "molded faults":
            stream = molded.faulty(
                molded.MOLDS[task.mold], task.seed, molded.CASES[task.case], task.interface
            )
        case "drawn shifts":
            stream = drawn.shifted(drawn.MOLDS[task.mold], task.seed, drawn.SHIFTS[task.case])
    return FaultOutcome(task=task, verdict=judge(stream, walked(stream)))


def _said(found: Walked, together: bool) -> Counter[Cause]:
    """Causes by how often; with `together` only what the second opinion said."""
    raised = [e for e in found.raised if not together or "t2" in e.anomaly.evidence]
    return Counter(each.cause for each in raised)
