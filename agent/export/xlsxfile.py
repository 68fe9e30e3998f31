"""XLSX for people: typed cells, frozen heads, limits and flags in color; needs `records`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook
from xlsxwriter.exceptions import XlsxWriterException

from agent.export.content import Content, content
from agent.export.events import COLUMNS as EVENTS
from agent.export.events import cells as event_cells
from agent.export.limits import INCOMPLETE
from agent.export.manifest import query
from agent.export.page import Page
from agent.export.quality import BAD, UNCERTAIN
from agent.export.summary import METHOD
from agent.export.table import IN_UTC, Column, Table, Type
from agent.rows import from_ns

MOST_ROWS = 1_048_576
"""Of a sheet. Source: Excel's specification and limits."""
LONGEST = 32_767
"""Characters of a cell; the same source."""
HEADS = 2
"""Rows of names and units."""
WIDEST = 30
WIDTHS = {IN_UTC.name: 30}
"""Of columns whose cells are longer than their names, in letters."""
SUMMARY = (
    "machine", "mold", "revision", "signal", "unit", "n", "mean", "s", "least", "most", "alike",
    "low", "high", "cpk", "note",
)  # fmt: skip
SAID = (
    "kind", "label", "machine", "first segment", "first shot", "last segment", "last shot",
    "cycles", "more", "by", "entered",
)  # fmt: skip
DOUBTED = (("limits", INCOMPLETE), ("quality", UNCERTAIN), ("quality", BAD))
"""Cells that are colored as flags are."""
NEVER = datetime(2000, 1, 1, tzinfo=UTC)


def write_xlsx(
    table: Table,
    path: Path,
    *,
    zone: ZoneInfo,
    site: str = "",
    progress: Callable[[int], None] = lambda n: None,
    most_rows: int = MOST_ROWS,
) -> int:
    """Write a table, sheet after sheet where it is longer than one can be; then what it covers.

    Times are dates of the spreadsheet in a zone, which knows no offset; `time_utc` is exact.

    Args:
        table: What.
        path: Where to.
        zone: Of `time`.
        site: Where the presses are.
        progress: Told how many rows are written.
        most_rows: Of a sheet, heads included.

    Returns:
        How many rows there are.

    Raises:
        OSError: it can't be written.
    """
    with (
        TemporaryDirectory(prefix=".sprue-", dir=path.parent) as folder,
        _book(path, folder) as book,
    ):
        book.set_properties({"title": "Process record", "created": _created(table)})
        n = _Cycles(book, table, zone, most_rows).write(progress)
        _coverage(book, table, zone)
        said = content(table, zone, site)
        _limits(book, said, zone)
        _beside(book, said, zone)
    return n


@contextmanager
def _book(path: Path, folder: str) -> Iterator[Any]:
    """A workbook in constant memory, whose sheets grow in a folder until it is put together."""
    book = Workbook(path, {"constant_memory": True, "tmpdir": folder, "use_zip64": True})
    try:
        yield book
        book.close()
    except XlsxWriterException as error:
        raise OSError(None, str(error)) from error
    finally:
        for sheet in book.worksheets():
            with suppress(OSError, AttributeError):  # a disk that is full takes no last words
                sheet.row_data_fh.close()


class _Cycles:
    """The sheets of cycles."""

    def __init__(self, book: Any, table: Table, zone: ZoneInfo, most_rows: int) -> None:
        self._book, self._table, self._zone, self._most = book, table, zone, most_rows
        first, *others = table.columns
        self._columns: Sequence[Column] = [first, IN_UTC, *others]
        self._beyond = [each.name for each in self._columns].index("outside_limits")
        self._time = _time_format(book)
        self._outside = book.add_format({"bg_color": "#F4B6B6", "bold": True})
        self._flagged = book.add_format({"bg_color": "#FFE7A3"})

    def write(self, progress: Callable[[int], None]) -> int:
        """Write them all; how many rows there are."""
        n, row = 0, HEADS
        sheet = self._sheet(1)
        sheets = 1
        for page in self._table.pages():
            cells = [self._cells(column, page) for column in self._columns]
            for line in zip(*cells, strict=True):
                if row == self._most:
                    self._end(sheet, row)
                    sheets += 1
                    sheet, row = self._sheet(sheets), HEADS
                self._line(sheet, row, line)
                row += 1
            n += len(page.rows)
            progress(n)
        self._end(sheet, row)
        return n

    def _sheet(self, number: int) -> Any:
        sheet = self._book.add_worksheet("cycles" if number == 1 else f"cycles {number}")
        bold = self._book.add_format({"bold": True, "bg_color": "#DDE5EC", "bottom": 1})
        units = self._book.add_format({"italic": True, "bg_color": "#DDE5EC"})
        sheet.freeze_panes(HEADS, 1)
        for n, column in enumerate(self._columns):
            width = WIDTHS.get(
                column.name, 23 if column.type is Type.TIME else len(column.name) + 2
            )
            sheet.set_column(n, n, min(WIDEST, max(9, width)))
        for n, column in enumerate(self._columns):
            sheet.write_string(0, n, _text(column.name), bold)
        for n, column in enumerate(self._columns):
            unit = self._zone.key if column.type is Type.TIME else column.unit
            sheet.write_string(1, n, unit, units)
        return sheet

    def _end(self, sheet: Any, row: int) -> None:
        sheet.autofilter(HEADS - 1, 0, max(HEADS, row - 1), len(self._columns) - 1)

    def _cells(self, column: Column, page: Page) -> Sequence[Any]:
        cells = column.cells(page)
        if column.type is Type.TIME:
            return [None if ns is None else _local(from_ns(ns), self._zone) for ns in cells]
        return cells

    def _line(self, sheet: Any, row: int, line: Sequence[Any]) -> None:
        beyond = line[self._beyond]
        outside = {word.rpartition(":")[0] for word in beyond.split()} if beyond else ()
        for n, (column, value) in enumerate(zip(self._columns, line, strict=True)):
            if value is None or value == "":
                continue
            color = None
            if outside and (column.name in outside or column.name in ("limits", "outside_limits")):
                color = self._outside
            elif column.name == "flags" or (column.name, value) in DOUBTED:
                color = self._flagged
            _cell(sheet, row, n, column.type, value, self._time, color)


def _cell(sheet: Any, row: int, n: int, type_: Type, value: Any, time: Any, color: Any) -> None:
    if type_ is Type.TEXT:
        sheet.write_string(row, n, _text(value), color)
    elif type_ is Type.TIME:
        sheet.write_datetime(row, n, value, time)
    else:
        try:
            sheet.write_number(row, n, value, color)
        except TypeError:  # neither infinite nor no number is one to a spreadsheet
            sheet.write_string(row, n, str(value), color)


def _coverage(book: Any, table: Table, zone: ZoneInfo) -> None:
    """What is recorded and what is missing, by machine; then every blind interval."""
    bold, time = book.add_format({"bold": True}), _time_format(book)
    sheet = book.add_worksheet("coverage")
    sheet.set_column(0, 8, 23)
    row = 0
    for name, value in query(table.survey.wanted).items():
        sheet.write_string(row, 0, name, bold)
        sheet.write_string(row, 1, _text(str(value)))
        row += 1
    heads = (
        "machine", f"since ({zone.key})", f"until ({zone.key})", "cycles", "shots",
        "not observed", "at boundaries", "blind_min",
    )  # fmt: skip
    row = _heads(sheet, row + 1, heads, bold)
    for each in table.survey.coverage:
        sheet.write_string(row, 0, _text(each.machine))
        sheet.write_datetime(row, 1, _local(each.since, zone), time)
        sheet.write_datetime(row, 2, _local(each.until, zone), time)
        numbers = each.cycles, each.shots, each.unobserved, each.unobserved_at_edges
        for n, number in enumerate(numbers, 3):
            sheet.write_number(row, n, number)
        sheet.write_number(row, 7, round(each.blind_s / 60, 2))
        row += 1
    row = _heads(sheet, row + 1, ("blind", "since", "until"), bold)
    for each in table.survey.coverage:
        for since, until in each.blind:
            sheet.write_string(row, 0, _text(each.machine))
            sheet.write_datetime(row, 1, _local(since, zone), time)
            sheet.write_datetime(row, 2, _local(until, zone), time)
            row += 1


def _limits(book: Any, said: Content, zone: ZoneInfo) -> None:
    """The set-up sheets' limits of the molds that occur, as they were entered."""
    bold, time = book.add_format({"bold": True}), _time_format(book)
    sheet = book.add_worksheet("limits")
    sheet.set_column(0, 6, 23)
    heads = ("mold", "revision", "signal", "low", "high", f"since ({zone.key})", "by")
    row = _heads(sheet, 0, heads, bold)
    for limit in said.limits:
        words = ((0, limit.mold), (1, limit.revision), (2, limit.signal), (6, limit.who))
        for n, word in words:
            sheet.write_string(row, n, _text(word))
        for n, value in ((3, limit.low), (4, limit.high)):
            if value is not None:  # a lifted limit has neither
                sheet.write_number(row, n, value)
        sheet.write_datetime(row, 5, _local(limit.since, zone), time)
        row += 1


def _beside(book: Any, said: Content, zone: ZoneInfo) -> None:
    """Header, summary, what people said and what happened, each on a sheet of its own."""
    bold, time = book.add_format({"bold": True}), _time_format(book)
    sheet = book.add_worksheet("header")
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 80)
    for row, (name, value) in enumerate((*said.header, *said.counts)):
        sheet.write_string(row, 0, _text(name), bold)
        if isinstance(value, str):
            sheet.write_string(row, 1, _text(value))
        else:
            sheet.write_number(row, 1, value)
    sheet = book.add_worksheet("summary")
    sheet.set_column(0, len(SUMMARY) - 1, 14)
    sheet.write_string(0, 0, METHOD)
    row = _heads(sheet, 1, SUMMARY, bold)
    for each in said.lines:
        line = each.to_json()
        _plain_row(sheet, row, [line[name] for name in SUMMARY], time, zone)
        row += 1
    sheet = book.add_worksheet("said")
    sheet.set_column(0, len(SAID) - 1, 18)
    row = _heads(sheet, 0, SAID, bold)
    for use in said.uses:
        entry = use.entry
        more = ", ".join(f"{name}: {text}" for name, text in entry.details.items())
        shots = [*use.first, *use.last, use.rows]
        cells = [entry.kind, entry.label, use.machine, *shots, more, entry.who, entry.at]
        _plain_row(sheet, row, cells, time, zone)
        row += 1
    sheet = book.add_worksheet("events")
    sheet.set_column(0, 0, 23)
    sheet.set_column(1, len(EVENTS) - 1, 18)
    row = _heads(sheet, 0, EVENTS, bold)
    for cells_ in event_cells(said.events[: MOST_ROWS - 1]):
        _plain_row(sheet, row, cells_, time, zone)
        row += 1


def _plain_row(sheet: Any, row: int, cells: Iterable[Any], time: Any, zone: ZoneInfo) -> None:
    for n, value in enumerate(cells):
        if isinstance(value, datetime):
            sheet.write_datetime(row, n, _local(value, zone), time)
        elif isinstance(value, str):
            sheet.write_string(row, n, _text(value))
        elif value is not None:
            sheet.write_number(row, n, float(f"{value:.9g}"))


def _heads(sheet: Any, row: int, names: Iterable[str], bold: Any) -> int:
    for n, name in enumerate(names):
        sheet.write_string(row, n, name, bold)
    return row + 1


def _time_format(book: Any) -> Any:
    return book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})


def _created(table: Table) -> datetime:
    """When the selection ends: the same, whenever it is written."""
    until = max((each.until for each in table.survey.coverage), default=NEVER)
    return until.astimezone(UTC).replace(tzinfo=None, microsecond=0)


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def _text(text: str) -> str:
    return text[:LONGEST]
