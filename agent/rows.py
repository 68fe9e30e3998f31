"""What is written to the record: cycles, runs and the rest, turned into rows and back."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.cycle import Booked, Cycle
from agent.schema import VALUE_COLUMNS
from drivers import Origin, Value
from drivers.signals import SIGNALS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_ns(at: datetime) -> int:
    """A time as whole nanoseconds since 1970, UTC.

    >>> to_ns(datetime(2026, 1, 1, tzinfo=UTC))
    1767225600000000000
    """
    return (at - EPOCH) // MICROSECOND * 1000


def from_ns(ns: int) -> datetime:
    """The time behind `to_ns`, UTC."""
    return EPOCH + timedelta(microseconds=ns // 1000)


def compact(body: Mapping[str, Any]) -> str:
    """JSON without spaces, keys sorted, so that equal things are equal texts."""
    return json.dumps(body, separators=(",", ":"), sort_keys=True)


def cycle_row(booked: Booked) -> dict[str, Any]:
    """A cycle's own columns; ids of machine, mold and provenance are the writer's to add."""
    cycle = booked.cycle
    row: dict[str, Any] = dict.fromkeys(VALUE_COLUMNS)
    extra: dict[str, Value] = {}
    for name, value in cycle.values.items():
        if name in row and not isinstance(value, str):
            row[name] = float(value)
        else:
            extra[name] = value
    return row | {
        "segment": booked.segment,
        "counter": cycle.counter,
        "time_ns": to_ns(cycle.time),
        "received_ns": to_ns(cycle.received_at),
        "time_uncertainty_s": cycle.time_uncertainty_s,
        "revision": booked.revision,
        "job": cycle.job,
        "mode": cycle.mode,
        "resin": cycle.resin,
        "closing": cycle.closing,
        "state": cycle.state,
        "flags": " ".join(flag.replace(" ", "_") for flag in cycle.flags),
        "uncertainty": compact(cycle.uncertainty) if cycle.uncertainty else None,
        "extra": compact(extra) if extra else None,
    }


def booked_of(row: Mapping[str, Any]) -> Booked:
    """The cycle behind a row joined with machine, mold and provenance; curves are apart."""
    values: dict[str, Value] = {
        name: _number(name, row[name]) for name in VALUE_COLUMNS if row[name] is not None
    }
    values |= json.loads(row["extra"] or "{}")
    flags = tuple(row["flags"].split())
    cycle = Cycle(
        machine=row["machine"],
        counter=row["counter"],
        time=from_ns(row["time_ns"]),
        received_at=from_ns(row["received_ns"]),
        time_uncertainty_s=row["time_uncertainty_s"],
        fresh="time_uncertain" not in flags,
        closing=row["closing"],
        state=row["state"],
        mode=row["mode"],
        job=row["job"],
        mold=row["mold"],
        resin=row["resin"],
        values=values,
        provenance={name: Origin(word) for name, word in json.loads(row["provenance"]).items()},
        uncertainty=json.loads(row["uncertainty"] or "{}"),
        flags=flags,
    )
    return Booked(cycle=cycle, segment=row["segment"], mold=row["mold"], revision=row["revision"])


def _number(name: str, value: float) -> Value:
    signal = SIGNALS[name]
    return int(value) if not signal.unit and value.is_integer() else value
