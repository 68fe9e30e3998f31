"""Slow samples read back: what a machine showed all the time, from the months' files."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import inspect, select

from agent import curves
from agent.cycle import Curve
from agent.files import curve_files, curves_path, reader
from agent.rows import from_ns, to_ns
from agent.schema import slow
from agent.slow import STRETCH_S


def slow_past(main: Path, machine: str, since: datetime, until: datetime) -> Mapping[str, Curve]:
    """Everything of a machine in a time, by signal; none where months were removed.

    Args:
        main: The record's main file.
        machine: Its name.
        since: The first sample is of then or later.
        until: And the last one before that.

    Raises:
        RecordError: a month's file can't be read.
    """
    earliest = since - timedelta(seconds=2 * STRETCH_S)  # a stretch is in the month it began in
    first, last = (curves_path(main, at) for at in (earliest, until))
    found: dict[str, list[Curve]] = {}
    for path in curve_files(main):
        if first <= path <= last:
            _read(path, machine, (to_ns(earliest), to_ns(until)), found)
    return {
        signal: cut
        for signal, parts in sorted(found.items())
        if (cut := _cut(parts, since, until)) is not None
    }


def _read(path: Path, machine: str, span: tuple[int, int], into: dict[str, list[Curve]]) -> None:
    query = (
        select(slow)
        .where(slow.c.started_ns >= span[0], slow.c.started_ns < span[1], slow.c.machine == machine)
        .order_by(slow.c.started_ns)
    )
    engine = reader(path)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(slow.name):  # of an older Sprue
                return
            for row in connection.execute(query):
                curve = curves.decode(row.data, from_ns(row.started_ns))
                into.setdefault(row.signal, []).append(curve)
    finally:
        engine.dispose()


def _cut(parts: list[Curve], since: datetime, until: datetime) -> Curve | None:
    """One curve of several, in a time; None where nothing is left."""
    begin = parts[0].started_at
    times = np.concatenate([(part.started_at - begin).total_seconds() + part.t_s for part in parts])
    values = np.concatenate([part.values for part in parts])
    low, high = ((at - begin).total_seconds() for at in (since, until))
    inside = (times >= low) & (times < high)
    if not inside.any():
        return None
    times, values = times[inside], values[inside]
    return Curve(
        started_at=begin + timedelta(seconds=float(times[0])),
        t_s=times - times[0],
        values=values,
        resolution=parts[-1].resolution,
    )
