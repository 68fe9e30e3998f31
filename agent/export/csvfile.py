"""CSV: RFC 4180, UTF-8, one row a cycle."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from agent.export.table import Column, Page, Table, Type

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_csv(
    table: Table,
    path: Path,
    *,
    zone: ZoneInfo,
    units: bool = False,
    progress: Callable[[int], None] = lambda n: None,
) -> int:
    """Write a table; a value that is missing is an empty cell.

    Args:
        table: What.
        path: Where to.
        zone: The zone that times are written in, with their offset.
        units: A second row, of units; signals say theirs in their names anyway.
        progress: Told how many rows are written.

    Returns:
        How many rows there are.

    Raises:
        OSError: it can't be written.
    """
    n = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([safe(column.name) for column in table.columns])
        if units:
            writer.writerow([column.unit for column in table.columns])
        for page in table.pages():
            cells = (_cells(column, page, zone) for column in table.columns)
            writer.writerows(zip(*cells, strict=True))
            n += len(page.rows)
            progress(n)
    return n


def _cells(column: Column, page: Page, zone: ZoneInfo) -> Sequence[Any]:
    cells = column.cells(page)
    if column.type is Type.TIME:
        return [at.astimezone(zone).isoformat(timespec="microseconds") for at in cells]
    if column.type is Type.TEXT:
        return [safe(text) for text in cells]
    return cells


def safe(text: str | None) -> str | None:
    """A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{text}" if text and text.startswith(RUN_BY_SPREADSHEETS) else text
