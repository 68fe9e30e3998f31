"""The record of a trial held against the truth: lost, twice, wrong, blind, and when fresh."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agent.cycle import Booked
from bench.recovery.running import Evidence, seen_after
from bench.recovery.trials import PRESS

RESOLUTION = {"s": 0.0051, "bar": 0.051, "mm": 0.0051, "cm3": 0.0051, "kn": 0.51, "c": 0.051}
"""Half a step of the coarsest interface, by the end of a signal's name, and a little for floats."""

LATE_MOST_S = 30.0
"""A cycle that reaches the record later than this is not that shot any more."""
LEVEL_NEAR = 3
"""A level that was sampled is one of the last shots', or of those to come."""
NOISE = 0.02
"""Share that a live level may lie beside what its display shows at the ends of cycles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One row of the recovery table."""

    fault: str
    protocol: str
    shots: int
    """Closings of the truth while the agent looked."""
    lost: int
    """Neither in the record nor counted as not observed."""
    outside: int
    """By how many shots the truth lies outside of the ledger's own bounds."""
    twice: int
    """In the record more often than they happened, or never made."""
    wrong: tuple[str, ...]
    """Values accepted as good that the truth does not have; a sentence each."""
    misplaced: int
    """Shots on another mold than the one that made them."""
    off_s: float
    """How far the end of a cycle that was seen lies from the truth, at most; no flag says so."""
    unobserved: int
    """Shots that the ledger counts without their values."""
    blind_s: float
    """In blind intervals of the record, from the fault on."""
    causes: tuple[str, ...]
    fresh_s: float | None
    """From the end of the fault to the next poll answered or event; None: not within patience."""
    shot_s: float | None
    """To the first new shot in the record; in this a cycle has to end."""
    neighbor: float | None
    """The neighbor's signs of life a second against before."""
    remarks: tuple[str, ...]


def judge(evidence: Evidence) -> Verdict:
    """Compare, shot by shot."""
    truth = list(_truth(evidence))
    matched, extra = _match(evidence.cycles, truth)
    pairs = [(booked, truth[at]) for at, booked in matched.items()]
    unobserved = sum(run.unobserved for run in evidence.runs)
    still = [b.since for b in evidence.blinds if b.until is None]
    to_come = sum(
        row["time"] > min(still) for at, row in enumerate(truth) if still and at not in matched
    )
    missing = len(truth) - len(matched) - to_come
    made = sum(row["closing"] == "shot" for row in truth) - to_come
    least = sum(run.shots_min for run in evidence.runs)
    most = sum(run.shots_max for run in evidence.runs)
    blinds = [b for b in evidence.blinds if b.until is None or b.until > evidence.began]
    seen = [at for at in evidence.seen if at > evidence.ended]
    shots = [b.cycle.received_at for b in evidence.cycles if seen_after(b, evidence.ended)]
    return Verdict(
        fault=evidence.trial.fault.name,
        protocol=evidence.trial.on,
        shots=len(truth),
        lost=max(0, missing - unobserved),
        outside=max(0, least - made, made - most),
        twice=len(extra) + max(0, unobserved - missing),
        wrong=tuple(_wrong(matched, truth)),
        misplaced=sum(booked.mold != row["mold"] for booked, row in pairs),
        off_s=max((_off_s(booked, row) for booked, row in pairs), default=0.0),
        unobserved=unobserved,
        blind_s=sum(((b.until or _last(truth)) - b.since).total_seconds() for b in blinds),
        causes=tuple(dict.fromkeys(b.cause for b in blinds)),
        fresh_s=_first_after(evidence.ended, seen),
        shot_s=_first_after(evidence.ended, shots),
        neighbor=evidence.neighbor_during / evidence.neighbor_before
        if evidence.neighbor_before
        else None,
        remarks=tuple(_remarks(evidence, to_come)),
    )


def _off_s(booked: Booked, row: Mapping[str, Any]) -> float:
    cycle = booked.cycle
    if {"time_uncertain", "clock_off"} & set(cycle.flags):
        return 0.0
    off_s = float((cycle.time - row["time"]).total_seconds())
    return max(0.0, abs(off_s) - cycle.time_uncertainty_s)


def _first_after(end: datetime, times: Sequence[datetime]) -> float | None:
    return (min(times) - end).total_seconds() if times else None


def _truth(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """The afflicted press's closings from the first one that was ours to count."""
    ours = False
    for line in evidence.truth.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["machine"] != PRESS:
            continue
        ours = ours or row["counter"] > evidence.from_counter
        if ours:
            yield row | {"time": datetime.fromisoformat(row["time"])}


def _last(truth: Sequence[Mapping[str, Any]]) -> datetime:
    time = truth[-1]["time"]
    assert isinstance(time, datetime)
    return time


def _match(
    cycles: Sequence[Booked], truth: Sequence[Mapping[str, Any]]
) -> tuple[dict[int, Booked], list[Booked]]:
    """Each cycle with the one closing that it is; and those that are none.

    A counter alone does not tell a shot, as faults have it fall and repeat; our own clock does.
    """
    by_counter: dict[int, list[int]] = defaultdict(list)
    for at, row in enumerate(truth):
        by_counter[row["counter"]].append(at)
    matched: dict[int, Booked] = {}
    extra = []
    for booked in cycles:
        seen = booked.cycle.received_at
        candidates = [
            at
            for at in by_counter[booked.cycle.counter]
            if at not in matched and timedelta(seconds=-0.05) <= seen - truth[at]["time"]
            and seen - truth[at]["time"] <= timedelta(seconds=LATE_MOST_S)
        ]  # fmt: skip
        if candidates:
            matched[candidates[-1]] = booked
        else:
            extra.append(booked)
    return matched, extra


def _wrong(matched: Mapping[int, Booked], truth: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Every value that nothing marks as doubtful and that is not what was."""
    for at, booked in matched.items():
        cycle = booked.cycle
        if cycle.job not in (None, truth[at]["job"]):
            yield f"{cycle.counter}: job is {cycle.job}, was {truth[at]['job']}"
        doubted = {word.partition(":")[2] for word in cycle.flags if ":" in word}
        for name, value in cycle.values.items():
            if not isinstance(value, int | float) or name in doubted:
                continue
            within = RESOLUTION.get(name.rsplit("_", 1)[-1], 0.5)
            near = [truth[at]]
            if cycle.provenance[name] == "sampled":
                near = list(truth[max(0, at - LEVEL_NEAR) : at + LEVEL_NEAR])
            was = [row["values"][name] for row in near if name in row["values"]]
            if cycle.provenance[name] == "sampled" and was:
                within += NOISE * max(abs(each) for each in was)
            within += cycle.uncertainty.get(name, 0.0)
            if was and not min(was) - within <= value <= max(was) + within:
                yield f"{cycle.counter}: {name} is {value:g}, was {was[len(was) // 2]:g}"


def _names(booked: Booked) -> set[str]:
    return set(booked.cycle.values)


def _remarks(evidence: Evidence, to_come: int) -> Iterator[str]:
    """What else the record says of the trial."""
    if to_come:
        yield f"still blind; the counter will prove {to_come} more shots when it is seen again"
    opened = Counter(s.reason for s in evidence.segments if s.opened_at >= evidence.began)
    for reason, times in opened.items():
        often = f" ({times} times)" if times > 1 else ""
        yield f"new segment: {reason.replace('_', ' ')}{often}"
    for reason, times in evidence.sums.refused.items():
        if reason in ("duplicate", "not_new"):
            word = "already booked" if reason == "duplicate" else "shown again"
            yield f"{times} {word} and not taken again"
    usual = {n for b in evidence.cycles if b.cycle.received_at < evidence.began for n in _names(b)}
    left_out = [len(usual - _names(b)) for b in evidence.cycles if seen_after(b, evidence.began)]
    if any(left_out):
        cycles = sum(each > 0 for each in left_out)
        most = f"up to {max(left_out)} of {len(usual)} values"
        yield f"{most} left out of {cycles} cycle{'s' if cycles > 1 else ''}"
    flags: Counter[str] = Counter()
    for booked in evidence.cycles:
        flags.update({word.partition(":")[0] for word in booked.cycle.flags})
    for flag, times in flags.items():
        yield f"{times} cycle{'s' if times > 1 else ''} flagged `{flag}`"
    late = sum(run.kind == "seen_late" for run in evidence.runs)
    if late:
        yield f"{late} came late and {'was' if late == 1 else 'were'} put in their place"
