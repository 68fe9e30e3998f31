"""JSON lines: each cycle as `sprue cycles --format json` prints it, and what the limits say."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from agent.export.table import Table
from agent.listing import cycle_line
from agent.rows import booked_of


def write_json_lines(
    table: Table, path: Path, *, progress: Callable[[int], None] = lambda n: None
) -> int:
    """Write a table, one object a line, times in UTC; a value that is missing is not there.

    Returns:
        How many rows there are.

    Raises:
        OSError: it can't be written.
    """
    n = 0
    encoder = json.JSONEncoder(default=_time, ensure_ascii=False, allow_nan=False)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for page in table.pages():
            for row, outside in zip(page.rows, table.limits.cells(page), strict=True):
                line = cycle_line(booked_of(dict(row._mapping)))
                if outside:
                    line["outside_limits"] = outside.split()
                file.write(encoder.encode(line) + "\n")
            n += len(page.rows)
            progress(n)
    return n


def _time(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat(timespec="microseconds")
