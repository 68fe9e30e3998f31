"""The commands that read the record: `status`, `cycles`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from agent.anomalies import Known, Wanted, anomalies
from agent.console import Format, ago, harmless, print_json, print_table, span
from agent.cycle import Booked
from agent.history import Filter, History, MachineSums
from drivers.condition import Condition
from drivers.skew import Skew

CALLING = 3
"""Anomalies that are open and told on a terminal, by machine: the newest."""
WITH_OURS_S = 2.0
"""A clock that is off by less is right, for cycles; it stands in the table alone."""
NAMED = 10
"""Signals that are not there and are named on a terminal, by machine."""
SHOWN = ("cycle_time_s", "cooling_time_s", "fill_time_s", "injection_pressure_peak_bar")


def cycle_line(booked: Booked) -> dict[str, Any]:
    """One cycle under its canonical names, as `sprue cycles --format json` prints it."""
    cycle = booked.cycle
    line: dict[str, Any] = {
        "machine": cycle.machine,
        "segment": booked.segment,
        "counter": cycle.counter,
        "mold": booked.mold,
        "revision": booked.revision,
        "job": cycle.job,
        "time": cycle.time,
        "closing": cycle.closing,
        "state": cycle.state,
        "values": dict(cycle.values),
        "provenance": {name: origin.value for name, origin in cycle.provenance.items()},
        "flags": list(cycle.flags),
    }
    if cycle.resin:
        line["resin"] = cycle.resin
    if cycle.uncertainty:
        line["uncertainty"] = dict(cycle.uncertainty)
    if cycle.time_uncertainty_s:
        line["time_uncertainty_s"] = cycle.time_uncertainty_s
    return line


def in_place(came: Sequence[Booked]) -> list[Booked]:
    """Each machine's cycles in order of segment and counter, on the lines that it has.

    What was filled in from the past came last, and belongs before.
    """
    by_machine: dict[str, list[Booked]] = {}
    for booked in came:
        by_machine.setdefault(booked.cycle.machine, []).append(booked)
    ordered = {
        name: iter(sorted(each, key=lambda booked: (booked.segment, booked.cycle.counter)))
        for name, each in by_machine.items()
    }
    return [next(ordered[booked.cycle.machine]) for booked in came]


def cycles(history: History, wanted: Filter, *, limit: int, form: Format, zone: ZoneInfo) -> None:
    """Print the cycles that came last, oldest first; all, as they came, where `limit` is 0."""
    came = history.cycles(wanted, newest=limit or None)
    found = in_place([*came]) if limit else came
    if form == "json":
        print_json(cycle_line(booked) for booked in found)
        return
    heads = ["time", "machine", "segment", "counter", "mold", "job", "closing", *SHOWN, "flags"]
    print_table(
        heads,
        ([*_row(booked, zone)] for booked in found),
        right=("segment", "counter", *SHOWN),
    )


def _row(booked: Booked, zone: ZoneInfo) -> list[object]:
    cycle = booked.cycle
    mold = f"{booked.mold} {booked.revision}" if booked.mold else ""
    return [
        cycle.time.astimezone(zone).isoformat(sep=" ", timespec="milliseconds"),
        cycle.machine,
        booked.segment,
        cycle.counter,
        mold,
        cycle.job,
        cycle.closing,
        *(cycle.values.get(name) for name in SHOWN),
        " ".join(cycle.flags),
    ]


def status(
    history: History,
    now: datetime,
    *,
    form: Format,
    expiring: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Print every machine's link, blind time and loss identity: seen = kept + refused.

    Args:
        history: What is kept.
        now: Our clock.
        form: For people or for programs.
        expiring: Certificates that a person must see to, by machine.
    """
    sums = history.sums(now)
    with history.connect() as connection:
        calling = calling_by_machine(connection, now)
    if form == "json":
        print_json(
            machine_line(each, calling.get(each.machine, ()))
            | {"expiring": list(expiring.get(each.machine, ()))}
            for each in sums
        )
        return
    heads = [
        "machine", "link", "seen", "mold", "cycles seen", "kept", "refused", "not observed",
        "blind", "clock", "why",
    ]  # fmt: skip
    print_table(
        heads,
        (
            [
                each.machine,
                each.link,
                f"{ago(each.seen_at, now)} ago" if each.seen_at else "never",
                each.mold,
                each.seen,
                each.kept,
                _reasons(each.refused),
                each.unobserved,
                span(each.blind_s),
                f"{each.condition.clock.ahead_s:+.1f} s" if each.condition.clock else "",
                each.blind_now.why if each.blind_now else "",
            ]
            for each in sums
        ),
        right=("cycles seen", "kept", "not observed", "blind", "clock"),
    )
    for each in sums:
        for sentence in _connection(each.condition):
            print(f"{each.machine}: {sentence}")
        for known in calling.get(each.machine, ())[-CALLING:]:
            words = harmless(known.anomaly.message).replace("\n", " ")
            print(f"{each.machine}: {words} (anomaly {known.number})")
    for machine, sentences in expiring.items():
        for sentence in sentences:
            print(f"{machine}: {sentence}")


def machine_line(each: MachineSums, calling: Iterable[Known]) -> dict[str, Any]:
    """One source as a JSON object.

    Args:
        each: Its sums.
        calling: Its anomalies that are open and that nobody muted.
    """
    return {
        "machine": each.machine,
        "driver": each.driver,
        "seen_at": each.seen_at,
        "mold": each.mold,
        "link": each.link,
        "why": each.blind_now.why if each.blind_now else None,
        "blind_since": each.blind_now.since if each.blind_now else None,
        "seen": each.seen,
        "kept": each.kept,
        "refused": dict(each.refused),
        "unobserved": each.unobserved,
        "blind_s": round(each.blind_s, 3),
        "unavailable": list(each.condition.unavailable),
        "publishing_s": each.condition.publishing_s,
        "sampling_s": each.condition.sampling_s,
        "lost": each.condition.lost,
        "missed": each.condition.missed,
        "clock": _skew(each.condition.clock),
        "server_clock": _skew(each.condition.server_clock),
        "anomalies": [known.anomaly.id for known in calling],
    }


def calling_by_machine(connection: Connection, now: datetime) -> dict[str | None, list[Known]]:
    """Anomalies that are open and that nobody muted."""
    open_ = anomalies(connection, Wanted(states=("open", "acknowledged")), now=now)
    calling: dict[str | None, list[Known]] = {}
    for known in open_:
        if known.muted is None:
            calling.setdefault(known.anomaly.machine, []).append(known)
    return calling


def _connection(condition: Condition) -> Iterator[str]:
    """What a person should know of a connection, in sentences."""
    for what in condition.unavailable[:NAMED]:
        yield f"unavailable: {what}"
    if (more := len(condition.unavailable) - NAMED) > 0:
        yield f"unavailable: {more} more; --format json names them all"
    if condition.publishing_s is not None:
        sampled = f", samples every {condition.sampling_s:g} s" if condition.sampling_s else ""
        yield f"the server publishes every {condition.publishing_s:g} s{sampled}"
    for whose, skew in (("its", condition.clock), ("its server's", condition.server_clock)):
        if skew is not None and abs(skew.ahead_s) - skew.within_s > WITH_OURS_S:
            yield f"{whose} clock is {_off(skew)}"
    if condition.lost:
        yield f"lost {condition.lost} notifications in this connection"
    if condition.missed:
        yield f"{condition.missed} polls left out in this connection: answers take too long"


def _skew(skew: Skew | None) -> dict[str, float] | None:
    return None if skew is None else asdict(skew)


def _off(skew: Skew) -> str:
    """How far a clock is off, in words.

    >>> _off(Skew(-3600.2, 0.05))
    '3600.2 s behind ours (give or take 0.05 s)'
    """
    where = "ahead of" if skew.ahead_s > 0 else "behind"
    return f"{abs(skew.ahead_s):.1f} s {where} ours (give or take {max(0.01, skew.within_s):.2g} s)"


def _reasons(refused: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {reason}" for reason, n in sorted(refused.items())) or "0"
