"""CSV: RFC 4180, UTF-8, one row a cycle."""

from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.export.page import Page
from agent.export.table import IN_UTC, Column, Table, Type
from agent.rows import from_ns

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
    table_columns = [table.columns[0], IN_UTC, *table.columns[1:]]
    with path.open("w", encoding="utf-8", newline="") as file:
        heads = [[quoted(safe(column.name)) for column in table_columns]]
        if units:
            heads.append([quoted(column.unit) for column in table_columns])
        file.writelines(",".join(cells) + "\r\n" for cells in heads)
        for page in table.pages():
            columns = [_cells(column, page, zone) for column in table_columns]
            file.writelines(",".join(cells) + "\r\n" for cells in zip(*columns, strict=True))
            n += len(page.rows)
            progress(n)
    return n


def _cells(column: Column, page: Page, zone: ZoneInfo) -> Sequence[str]:
    cells = column.cells(page)
    if column.type is Type.TIME:
        return [
            "" if ns is None else from_ns(ns).astimezone(zone).isoformat(timespec="microseconds")
            for ns in cells
        ]
    if column.type is Type.TEXT:
        if not any(cells):
            return [""] * len(cells)
        texts = {text: quoted(safe(text)) for text in set(cells)}  # few are many a time
        return [texts[text] for text in cells]
    return ["" if value is None else repr(value) for value in cells]


def quoted(text: str | None) -> str:
    """A cell as RFC 4180 has it.

    >>> quoted('5" pipe'), quoted("a,b"), quoted(None)
    ('"5"" pipe"', '"a,b"', '')
    """
    if not text:
        return ""
    if any(mark in text for mark in '",\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def safe(text: str | None) -> str | None:
    """A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{text}" if text and text.startswith(RUN_BY_SPREADSHEETS) else text
