"""Process records as files: CSV as base, RFC 4180, UTF-8, one row a cycle."""

import contextlib
import csv
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.cycle import Booked
from agent.history import Filter, History
from agent.rows import compact
from drivers.signals import SIGNALS

FIXED = (
    "time", "machine", "segment", "counter", "mold", "revision", "job", "closing", "state", "mode",
    "resin", "time_uncertainty_s",
)  # fmt: skip
"""Columns of every export; the signals follow, then `flags` and `provenance`."""


class ExportError(Exception):
    """The export can't be written; the message says where and why."""


def export_csv(
    history: History,
    wanted: Filter,
    folder: Path,
    *,
    zone: ZoneInfo,
    progress: Callable[[int], None] = lambda n: None,
) -> Path:
    """Write the wanted cycles to a CSV file, in order of arrival.

    Columns of signals are those that occur, canonical ones first in the vocabulary's order, then
    vendors' own by name. A value that is missing is an empty cell. The file appears under its
    name only when it is whole.

    Args:
        history: Where from.
        wanted: Which cycles.
        folder: Where to; made if it is missing.
        zone: The zone that times are written in, with their offset.
        progress: Told how many rows are written.

    Raises:
        ExportError: nothing matches, or the folder can't be written to.
    """
    names = _signals(history.cycles(wanted))
    if names is None:
        raise ExportError("no cycle in the record matches: nothing was written")
    path = folder / f"{_name(wanted)}.csv"
    part = path.with_suffix(".csv.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*FIXED, *names, "flags", "provenance"])
            for n, booked in enumerate(history.cycles(wanted), 1):
                writer.writerow(_row(booked, names, zone))
                progress(n)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise ExportError(f"{path}: can't be written: {error.strerror}") from error
    return path


def _signals(cycles: Iterator[Booked]) -> list[str] | None:
    """Every signal that occurs; None where there is no cycle at all."""
    found: set[str] = set()
    some = False
    for booked in cycles:
        some = True
        found.update(booked.cycle.values)
    if not some:
        return None
    return [name for name in SIGNALS if name in found] + sorted(found - set(SIGNALS))


def _row(booked: Booked, names: Iterable[str], zone: ZoneInfo) -> list[object]:
    cycle = booked.cycle
    return [
        cycle.time.astimezone(zone).isoformat(timespec="microseconds"),
        _safe(cycle.machine),
        booked.segment,
        cycle.counter,
        _safe(booked.mold),
        _safe(booked.revision),
        _safe(cycle.job),
        cycle.closing,
        cycle.state,
        cycle.mode,
        _safe(cycle.resin),
        cycle.time_uncertainty_s,
        *(_safe(cycle.values.get(name)) for name in names),
        " ".join(cycle.flags),
        compact(cycle.provenance),
    ]


def _safe(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _name(wanted: Filter) -> str:
    parts = [
        "sprue",
        wanted.machine,
        wanted.mold,
        wanted.job,
        _day(wanted.since),
        _day(wanted.until),
    ]
    words = [part for part in parts if part]
    return "-".join("".join(c if c.isalnum() or c in "._-" else "_" for c in w) for w in words)


def _day(at: datetime | None) -> str | None:
    return at.strftime("%Y%m%dT%H%M%SZ") if at else None
