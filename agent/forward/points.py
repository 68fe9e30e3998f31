"""Rows of the record turned into points: deterministic times and tags, so that a resend is none."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.cycle import Curve
from agent.forward.lines import Datum, Point
from agent.forward.measurements import (
    ADJUSTMENT,
    ANOMALY,
    BLIND,
    CURVE,
    CYCLE,
    LEDGER,
    NOTICE,
    Measurement,
)
from agent.forward.settings import InfluxSettings, SinkSettings
from agent.forward.topics import CURVES, Row
from agent.rows import to_ns
from agent.schema import VALUE_COLUMNS
from drivers.signals import SIGNALS

MOST_DECIMALS = 6

Encoder = Callable[[Row, SinkSettings], Iterator[Point]]


def cycle_points(row: Row, _settings: SinkSettings) -> Iterator[Point]:
    """The point of a cycle.

    Its time is its end to the microsecond. A clock that was set back, or stamps of whole seconds,
    can give two shots one time; the counter in the nanoseconds keeps both.
    """
    more: dict[str, float | int | str] = {}
    for name, value in json.loads(row["extra"] or "{}").items():
        more |= _extra(name, value)
    yield Point(
        measurement=CYCLE,
        tags=_tags(row, "machine", "mold", "revision"),
        fields=_fields(CYCLE, row),
        more=more,
        time_ns=row["time_ns"] + (row["counter"] + 7 * row["segment"]) % 1000,
    )


def _extra(name: str, value: Any) -> dict[str, float | int | str]:
    if isinstance(value, bool | int | float):
        return {f"x_{name}": float(value)}
    if not isinstance(value, str):
        return {}
    ours = name in SIGNALS and name not in (*CYCLE.tags, *(f.name for f in CYCLE.fields))
    return {name if ours and name not in VALUE_COLUMNS else f"x_{name}_text": value}


def curve_points(row: Row, settings: SinkSettings) -> Iterator[Point]:
    """A point for every instant of a cycle at which a wanted curve has a sample."""
    scaled = isinstance(settings, InfluxSettings) and settings.curve_numbers == "scaled"
    instants: dict[int, dict[str, float | int | str]] = {}
    for signal, curve in row[CURVES].items():
        if not settings.wants(signal):
            continue
        times_ns, values = _chosen(curve, settings.curve_points)
        decimals = _decimals(curve.resolution)
        name = signal
        numbers: Sequence[float | int] = _exact(values, decimals)
        if scaled and decimals is not None:
            name = f"{signal}_e{decimals}"
            numbers = np.round(values * 10**decimals).astype(np.int64).tolist()
        for time_ns, number in zip(times_ns.tolist(), numbers, strict=True):
            instants.setdefault(time_ns, {})[name] = number
    tags = _tags(row, "machine", "mold", "revision")
    for time_ns, more in sorted(instants.items()):
        yield Point(
            measurement=CURVE,
            tags=tags,
            fields={"counter": row["counter"]},
            more=more,
            time_ns=time_ns,
        )


def _chosen(curve: Curve, most: int | None) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Times in ns and values; where there are more than `most`, first, last and evenly between."""
    times_ns = to_ns(curve.started_at) + np.round(curve.t_s * 1e6).astype(np.int64) * 1000
    values = curve.values
    if most is not None and len(values) > most:
        kept = np.round(np.linspace(0, len(values) - 1, most)).astype(np.int64)
        times_ns, values = times_ns[kept], values[kept]
    finite = np.isfinite(values)
    return times_ns[finite], values[finite]


def _exact(values: NDArray[np.float64], decimals: int | None) -> Sequence[float]:
    """Values with no more digits than they have in the record.

    >>> _exact(np.array([3 * 0.1, 850.5]), 1), _exact(np.array([29.9], np.float32), None)
    ([0.3, 850.5], [29.9])
    """
    if decimals is not None:
        rounded: list[float] = np.round(values, decimals).tolist()
        return rounded
    return [float(str(value)) for value in values.astype(np.float32)]


def _decimals(resolution: float | None) -> int | None:
    """How many decimals hold a resolution exactly; None where none do.

    >>> _decimals(0.05), _decimals(1.0), _decimals(0.0244140625), _decimals(None)
    (2, 0, None, None)
    """
    if not resolution:
        return None
    for decimals in range(MOST_DECIMALS + 1):
        steps = resolution * 10**decimals
        if steps >= 0.5 and abs(steps - round(steps)) < 1e-9 * steps:
            return decimals
    return None


def ledger_points(row: Row, settings: SinkSettings) -> Iterator[Point]:
    """A run of the ledger; it grows in place where a point can be written again."""
    at_ns = row["since_ns"] if settings.texts else row["until_ns"]
    yield Point(
        measurement=LEDGER,
        tags=_tags(row, "machine", "mold", "revision", "kind"),
        fields=_fields(LEDGER, row) | {"duration_s": (row["until_ns"] - row["since_ns"]) / 1e9},
        time_ns=_told_apart(at_ns, row),
    )


def adjustment_points(row: Row, _settings: SinkSettings) -> Iterator[Point]:
    """What was added to a mold's life."""
    yield Point(
        measurement=ADJUSTMENT,
        tags=_tags(row, "mold", "revision", "kind"),
        fields=_fields(ADJUSTMENT, row),
        time_ns=_told_apart(row["at_ns"], row),
    )


def blind_points(row: Row, _settings: SinkSettings) -> Iterator[Point]:
    """Beginning and, where it is known, end of a blind interval."""
    yield from _interval(BLIND, row, _tags(row, "machine"), row["since_ns"], row["until_ns"])


def anomaly_points(row: Row, _settings: SinkSettings) -> Iterator[Point]:
    """An anomaly raised and, where it is, closed."""
    said: dict[str, Datum] = {"id": row["key"]}
    for name in ("value", "expected"):
        said |= _number_or_text(name, f"{name}_text", row[name])
    tags = _tags(row, "machine", "mold", "kind", "signal")
    yield from _interval(ANOMALY, row, tags, row["time_ns"], row["closed_ns"], said)


def _interval(
    measurement: Measurement,
    row: Row,
    tags: Mapping[str, str | None],
    since_ns: int,
    until_ns: int | None,
    said: Mapping[str, Datum] | None = None,
) -> Iterator[Point]:
    fields = _fields(measurement, row) | dict(said or {})
    yield Point(
        measurement=measurement,
        tags=tags,
        fields=fields | {"open": True},
        time_ns=_told_apart(since_ns, row),
    )
    if until_ns is not None:
        yield Point(
            measurement=measurement,
            tags=tags,
            fields=fields | {"open": False, "duration_s": (until_ns - since_ns) / 1e9},
            # An interval without length still ends after it began.
            time_ns=_told_apart(max(until_ns, since_ns + 1_000_000), row),
        )


def notice_points(row: Row, _settings: SinkSettings) -> Iterator[Point]:
    """What changed."""
    fields: dict[str, Datum] = {"n": 1, "who": row["who"]}
    for name in ("old", "new"):
        fields |= _number_or_text(f"{name}_number", name, row[name], always=True)
    yield Point(
        measurement=NOTICE,
        tags=_tags(row, "machine", "change", "name"),
        fields=fields,
        time_ns=_told_apart(row["time_ns"], row),
    )


def _number_or_text(
    number: str, text: str, body: str | None, *, always: bool = False
) -> dict[str, Datum]:
    """A JSON value under one name or another; `always` as a text too."""
    found = json.loads(body) if body else None
    if found is None:
        return {}
    if isinstance(found, bool | int | float):
        return {number: float(found)} | ({text: str(found)} if always else {})
    return {text: str(found)}


def _told_apart(at_ns: int, row: Row) -> int:
    """A time of our record has whole microseconds; what lies below tells rows of one apart."""
    return int(at_ns) + int(row["row_id"]) % 1000


def _tags(row: Row, *names: str) -> dict[str, str | None]:
    return {name: row[name] for name in names}


def _fields(measurement: Measurement, row: Row) -> dict[str, Datum]:
    return {field.name: row[field.name] for field in measurement.fields if field.name in row}


ENCODERS: Mapping[str, Encoder] = {
    "cycles": cycle_points,
    "curves": curve_points,
    "ledger": ledger_points,
    "adjustments": adjustment_points,
    "blinds": blind_points,
    "notices": notice_points,
    "anomalies": anomaly_points,
}
