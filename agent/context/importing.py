"""A list of what no machine says, taken in from a spreadsheet's CSV: all of it or nothing."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.context.book import Book
from agent.context.entry import KINDS, Entry, Said
from agent.context.error import ContextError
from agent.molds.importing import decoded

WHOLE = ("segment", "first", "last", "corrects")
TIMES = ("since", "until")
PLAIN = ("kind", "label", "machine", "mold", "revision")
DETAILS = tuple(sorted({name for kind in KINDS.values() for name in kind.details}))
COLUMNS = (*PLAIN, *WHOLE, *TIMES, *DETAILS)


def import_entries(book: Book, path: Path, zone: ZoneInfo, kind: str | None = None) -> list[Entry]:
    """Enter every row of a file.

    Args:
        book: Of a transaction, which ends with nothing written where this raises.
        path: CSV with commas, semicolons or tabs; its first row names columns of `COLUMNS`.
        zone: Of times without an offset.
        kind: Of rows that don't say theirs.

    Raises:
        ContextError: the file can't be read, or has mistakes: one sentence a line.
    """
    entries: list[Entry] = []
    mistakes: list[str] = []
    for number, cells in _rows(path):
        try:
            said, corrects = _said(cells, zone, kind)
            entries.append(book.enter(said, corrects=corrects))
        except ContextError as error:
            mistakes.append(f"{path}, line {number}: {error}")
    if mistakes:
        raise ContextError("\n".join([*mistakes, f"{path}: nothing was imported"]))
    return entries


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        text = decoded(path.read_bytes())
    except OSError as error:
        raise ContextError(f"{path}: {error.strerror}") from error
    head = text.splitlines()[:1]
    delimiter = max(";\t,", key=head[0].count) if head else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = [cell.strip().lower().replace(" ", "_") for cell in next(reader, [])]
    if "label" not in names:
        raise ContextError(f"{path}: its first line should name columns, one of them 'label'")
    if unknown := sorted(set(names) - set(COLUMNS)):
        raise ContextError(f"{path}: column {unknown[0]!r} should be one of {', '.join(COLUMNS)}")
    if doubled := [name for name in names if names.count(name) > 1]:
        raise ContextError(f"{path}: there are two columns {doubled[0]!r}")
    return [
        (reader.line_num, dict(zip(names, map(str.strip, cells), strict=False)))
        for cells in reader
        if any(cell.strip() for cell in cells)
    ]


def _said(cells: dict[str, str], zone: ZoneInfo, kind: str | None) -> tuple[Said, int | None]:
    found = {name: text for name, text in cells.items() if text}
    numbers = {name: _whole(name, found[name]) for name in WHOLE if name in found}
    times = {name: _time(name, found[name], zone) for name in TIMES if name in found}
    corrects = numbers.get("corrects")
    said = Said(
        kind=found.get("kind", kind or ""),
        label=found.get("label", ""),
        machine=found.get("machine"),
        mold=found.get("mold"),
        revision=found.get("revision"),
        segment=numbers.get("segment"),
        first=numbers.get("first"),
        last=numbers.get("last"),
        since=times.get("since"),
        until=times.get("until"),
        details={name: found[name] for name in DETAILS if name in found},
    )
    return said, corrects


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) >= 2**63:
        raise ContextError(f"{name}: {text!r} should be a whole number")
    return int(text)


def _time(name: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ContextError(f"{name}: {text!r} should be like 2026-11-23T06:00+01:00") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone)
        if at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset():
            raise ContextError(
                f"{name}: {text!r} is twice or never on a clock in {zone}: say its offset"
            )
    return at.astimezone(UTC)
