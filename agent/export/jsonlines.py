"""JSON lines: each cycle as `sprue cycles --format json` prints it, and what the limits say."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from agent.export.moldshots import COLUMNS as MOLD_SHOTS
from agent.export.quality import quality_of
from agent.export.table import Table
from agent.listing import cycle_line
from agent.rows import booked_of
from agent.schema import VALUE_COLUMNS


def write_json_lines(
    table: Table, path: Path, *, progress: Callable[[int], None] = lambda n: None
) -> int:
    """Write a table, one object a line, times in UTC; a value that is missing is not there.

    Returns:
        How many rows there are.

    Raises:
        OSError: it can't be written.
    """
    rows = 0
    nothing = dict.fromkeys(VALUE_COLUMNS)
    encoder = json.JSONEncoder(default=_time, ensure_ascii=False, allow_nan=False)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for page in table.pages():
            shots = list(zip(MOLD_SHOTS, page.mold_shots, strict=True))
            said = {name: cells for name, cells in page.said.items() if any(cells)}
            for n, (row, outside) in enumerate(zip(page.rows, page.outside, strict=True)):
                line = cycle_line(booked_of(nothing | row._asdict()))
                line |= {name: cells[n] for name, cells in said.items() if cells[n]}
                if page.warm_up[n]:
                    line["warm_up"] = 1
                line |= {name: cells[n] for name, cells in shots if cells[n] is not None}
                line["quality"] = quality_of(row.flags)
                if page.judged[n]:
                    line["limits"] = page.judged[n]
                if outside:
                    line["outside_limits"] = outside.split()
                file.write(encoder.encode(line) + "\n")
            rows += len(page.rows)
            progress(rows)
    return rows


def _time(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat(timespec="microseconds")
