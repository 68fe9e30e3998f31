"""A stream as a file that `sprue replay` reads; notices have no place in it."""

import csv
from pathlib import Path

from bench.watch.stream import Stream
from drivers import Report

COLUMNS = ("time", "machine", "mold", "revision", "counter", "job", "mode", "resin", "closing")


def write_csv(stream: Stream, path: Path) -> int:
    """Write the cycles of a stream with their values at full length.

    Returns:
        How many there were.
    """
    reports: list[tuple[Report, str]] = []
    for observation in stream.observations():
        if isinstance(observation, Report):
            mold = observation.states["mold"]
            reports.append((observation, stream.revisions.get(mold, "A")))
    signals = sorted({name for report, _ in reports for name in report.values})
    states = [*COLUMNS[5:], "quality"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, "quality", *signals])
        for report, revision in reports:
            writer.writerow(
                [
                    report.ended_at.isoformat(),
                    report.machine,
                    report.states["mold"],
                    revision,
                    report.counter,
                    *(report.states.get(name, "") for name in states),
                    *(report.values.get(name, "") for name in signals),
                ]
            )
    return len(reports)
