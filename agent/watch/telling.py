"""Anomalies made of what the watch found: one shape for verdicts, single shots and curves."""

from typing import Any

from agent.anomaly import SHORT_MOST, Anomaly
from agent.cycle import Booked
from agent.watch.baseline import Baseline
from agent.watch.envelope import Departure
from agent.watch.shapes import CONFIRMED
from agent.watch.shapes import told as told_of_curve
from agent.watch.together import LASTS, Strange
from agent.watch.verdict import Verdict
from agent.watch.words import amount
from drivers import Value


def event(booked: Booked, kind: str, cause: str, **words: Any) -> Anomaly:
    """One that is over as soon as it is told."""
    cycle = booked.cycle
    return Anomaly(
        **_of(booked, kind, cause),
        **{"since_counter": cycle.counter, "until_counter": cycle.counter} | words,
        closed_at=cycle.time,
    )


def interrupted(booked: Booked, stood_s: float, usual_s: float) -> Anomaly:
    """A cycle that was lost or stretched within automatic running."""
    return event(
        booked,
        "cycle_time",
        "interrupted",
        signal="cycle_time_s",
        value=round(usual_s + stood_s, 2),
        expected=round(usual_s, 2),
        message=f"The press stood {stood_s:.0f} s within automatic running; "
        f"a cycle usually takes {amount('cycle_time_s', usual_s)}.",
        short=f"interrupted {stood_s:.0f} s",
        likely="the guard door was opened, or the cycle was stopped",
        advice="Look at the next shots: they start like those after a stop.",
    )


def cut(booked: Booked, counter: int, value: float, usual: float) -> Anomaly:
    """A shot, this one or the one before, that did not cool as long as it should."""
    return event(
        booked,
        "cooling_time",
        "cut_short",
        since_counter=counter,
        until_counter=counter,
        signal="cooling_time_s",
        value=round(value, 3),
        expected=round(usual, 3),
        message=f"Shot {counter} cooled {amount('cooling_time_s', value)} instead of "
        f"{amount('cooling_time_s', usual)}: the mold opened before its time.",
        short=f"cooled only {value:.1f} s",
        likely="the cycle was aborted",
        advice="Set the parts of this shot aside.",
        severity="alarm",
    )


def of_verdict(booked: Booked, verdict: Verdict, baseline: Baseline) -> Anomaly:
    """What a decision came to."""
    channel = verdict.channel
    off = channel.off
    expected = channel.home if verdict.expected is None else verdict.expected
    evidence: dict[str, Value] = dict(verdict.evidence)
    if not channel.armed:
        evidence["provisional"] = True
    if baseline.approved_by:
        evidence["golden_by"] = baseline.approved_by
    return Anomaly(
        **_of(booked, verdict.kind, verdict.cause),
        since_counter=booked.cycle.counter if channel.since is None else channel.since,
        signal=channel.name,
        value=round(channel.now if verdict.value is None else verdict.value, 3),
        expected=round(expected, 3),
        limit=round(expected + (channel.limit if off > 0 else -channel.limit), 3),
        severity=verdict.severity,
        message=verdict.message,
        short=verdict.short[:SHORT_MOST],
        likely=verdict.likely,
        advice=verdict.advice,
        evidence=evidence,
        follows=verdict.follows,
    )


def of_all(booked: Booked, baseline: Baseline, strange: Strange) -> Anomaly:
    """Shots that are unlike the good ones only as a whole."""
    first = next(iter(strange.shares))
    named = ", ".join(
        f"{name.rpartition('_')[0].replace('_', ' ')} {100 * part:.0f} %"
        for name, part in strange.shares.items()
    )
    own = _of(booked, "process", "unexplained")
    channel = baseline.channels[first]
    return Anomaly(
        **own | {"id": f"{own['id']}:together"},
        since_counter=booked.cycle.counter - LASTS + 1,
        signal=first,
        value=round(channel.level, 3),
        expected=round(channel.home, 3),
        severity="info",
        message="Every signal is within its own limits, and together they are unlike the good "
        f"shots of this mold. What carries it: {named}.",
        short="unlike its good shots",
        advice="Compare these signals with an hour ago; look at what changed: lot, dryer, water.",
        evidence={
            "t2": round(strange.t2, 2),
            "t2:limit": round(strange.t2_limit, 2),
            "q": round(strange.q, 2),
            "q:limit": round(strange.q_limit, 2),
            **{f"{name}:share": round(part, 3) for name, part in strange.shares.items()},
        },
    )


def of_curve(booked: Booked, name: str, left: Departure, follows: str | None) -> Anomaly:
    """A curve that has left its golden one."""
    own = _of(booked, "process", "curve_off_golden")
    return Anomaly(
        **own | {"id": f"{own['id']}:{name}"},
        since_counter=booked.cycle.counter - CONFIRMED + 1,
        signal=name,
        value=round(left.most, 3),
        expected=0.0,
        message=told_of_curve(name, left),
        short=f"curve off in {left.phase}",
        advice="Lay the shot's curve over the golden one on the mold's page.",
        evidence={
            "phase": left.phase,
            "at_s": round(left.at_s, 2),
            "lasts_s": round(left.lasts_s, 2),
            "outside": round(left.share, 3),
            "distance": round(left.distance, 2),
        },
        follows=follows,
    )


def _of(booked: Booked, kind: str, cause: str) -> dict[str, Any]:
    """What every anomaly of a shot has."""
    cycle = booked.cycle
    return {
        "id": f"{kind}:{cause}:{cycle.machine}:{booked.mold}:{booked.revision}:"
        f"{booked.segment}:{cycle.counter}",
        "time": cycle.time,
        "machine": cycle.machine,
        "mold": booked.mold,
        "revision": booked.revision,
        "segment": booked.segment,
        "counter": cycle.counter,
        "kind": kind,
        "cause": cause,
    }
