"""An existing mold list taken in, with the shots that each mold had by then: all of it or nothing.

Spreadsheets come as they are: UTF-8 with or without a mark, UTF-16, or Windows' Latin letters;
commas, semicolons or tabs; headers in English or German; numbers with points or commas for
thousands and decimals. What can't be read is told line by line, and nothing is written then.
"""

import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.molds.desk import Desk, MoldError
from agent.molds.fields import SHOTS_MOST

HEADERS: Mapping[str, tuple[str, ...]] = {
    "mold": ("mold", "moldid", "mould", "mouldid", "tool", "toolid", "toolno", "id", "werkzeug",
             "werkzeugnr", "werkzeugnummer", "wkz", "wkznr", "form", "formnr"),
    "revision": ("revision", "rev", "stand", "index", "änderungsstand"),
    "part": ("part", "partname", "product", "teil", "artikel", "bezeichnung"),
    "description": ("description", "beschreibung", "bemerkung", "notes"),
    "alloy": ("alloy", "material", "steel", "werkstoff", "legierung"),
    "resin": ("resin", "plastic", "kunststoff", "granulat"),
    "cavities": ("cavities", "cavity", "cav", "kavitäten", "nester", "fachzahl"),
    "planned_shots": ("plannedshots", "plannedlife", "life", "lebensdauer", "standmenge",
                      "standzeit", "sollschuss"),
    "shots": ("shots", "shotcount", "presentshots", "cycles", "count", "schuss", "schüsse",
              "schusszahl", "istschuss", "zyklen"),
    "expected_cycle_s": ("expectedcycles", "cycletime", "cycletimes", "zykluszeit", "zykluszeits"),
    "wall_mm": ("wallmm", "wall", "wallthickness", "wanddicke", "wandstärke"),
    "owner": ("owner", "customer", "eigentümer", "kunde", "besitzer"),
    "location": ("location", "place", "standort", "lagerort", "lagerplatz"),
}  # fmt: skip
"""Names of columns, without spaces, signs and capitals."""

WHOLE = ("cavities", "planned_shots", "shots")
DECIMAL = ("expected_cycle_s", "wall_mm")

SPARE = ""
"""Under this name stand cells for which there is no column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of a file."""

    molds: tuple[str, ...]
    warnings: tuple[str, ...] = field(default=())


def import_molds(desk: Desk, path: Path) -> Imported:
    """Register every mold of a list, with its present count as a starting row.

    Raises:
        MoldError: the file can't be read, or has mistakes: one sentence a line of the file.
    """
    rows, unknown = read_list(path)
    mistakes: list[str] = []
    seen: dict[str, int] = {}
    names: list[str] = []
    for number, cells in rows:
        where = f"{path}, line {number}"
        try:
            if SPARE in cells:
                raise MoldError(
                    f"has more cells than the header has columns ({cells[SPARE]!r}); a comma "
                    "within a number or a text needs quotes"
                )
            fields = _fields(cells)
            name = str(fields.pop("mold", "") or "")
            if not name:
                raise MoldError("has no mold id")
            if name in seen:
                raise MoldError(f"mold {name} is on line {seen[name]} already")
            seen[name] = number
            revision, shots = str(fields.pop("revision", None) or "A"), fields.pop("shots", None)
            desk.add(name, fields, revision=revision)
            if shots:
                resin = fields.get("resin")
                reason = f"count when it was taken over from {path.name}"
                desk.correct(name, shots, reason, resin=resin, kind="start")
            names.append(name)
        except MoldError as error:
            mistakes += [f"{where}: {sentence}" for sentence in str(error).splitlines()]
    if mistakes:
        raise MoldError("\n".join([*mistakes, f"{path}: nothing was imported"]))
    told = (
        f"{path}: columns that are not understood and left out: {', '.join(unknown)}"
        if unknown
        else ""
    )
    return Imported(molds=tuple(names), warnings=(told,) if told else ())


def read_list(path: Path) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    """Rows with their line numbers, by our names; and the columns that nobody knows.

    Raises:
        MoldError: it can't be read, is empty, or has no column of mold ids.
    """
    try:
        text = decoded(path.read_bytes())
    except OSError as error:
        raise MoldError(f"{path}: {error.strerror}") from error
    lines = text.splitlines()
    first = next((n for n, line in enumerate(lines) if line.strip(" ;,\t")), None)
    if first is None:
        raise MoldError(f"{path} is empty")
    delimiter = max(";\t,", key=lines[first].count)
    if hint := re.fullmatch(r"sep=(.)", lines[first].strip('"')):  # Excel's own first line
        delimiter, first = hint[1], first + 1
    table = csv.reader(io.StringIO("\n".join(lines[first:])), delimiter=delimiter)
    heads = next(table, [])
    columns, unknown = _columns(heads)
    if "mold" not in columns.values():
        raise MoldError(
            f"{path}, line {first + 1}: should name the columns, one of them the mold id "
            f"('mold'); found {', '.join(heads)}"
        )
    doubled = [name for name in columns.values() if list(columns.values()).count(name) > 1]
    if doubled:
        raise MoldError(f"{path}, line {first + 1}: two columns mean {doubled[0]!r}")
    rows = []
    try:
        for cells in table:
            if not any(cell.strip() for cell in cells):
                continue
            known = {name: cells[at].strip() for at, name in columns.items() if at < len(cells)}
            if spare := [cell.strip() for cell in cells[len(heads) :] if cell.strip()]:
                known[SPARE] = ", ".join(spare)
            rows.append((first + table.line_num, known))
    except csv.Error as error:
        raise MoldError(f"{path}, line {first + table.line_num}: {error}") from error
    return rows, unknown


def decoded(data: bytes) -> str:
    """Text in whatever a spreadsheet wrote; Windows' Latin letters where it is no UTF."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if data[1:2] == b"\0":
        return data.decode("utf-16-le", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _columns(heads: list[str]) -> tuple[dict[int, str], list[str]]:
    columns: dict[int, str] = {}
    unknown: list[str] = []
    for at, head in enumerate(heads):
        plain = re.sub(r"[^a-zäöüß]", "", head.lower())
        name = next((name for name, known in HEADERS.items() if plain in known), None)
        if name is not None:
            columns[at] = name
        elif head.strip():
            unknown.append(head.strip())
    return columns, unknown


def _fields(cells: Mapping[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    mistakes: list[str] = []
    for name, cell in cells.items():
        if not cell:
            continue
        try:
            number = name in WHOLE or name in DECIMAL
            fields[name] = number_of(cell, whole=name in WHOLE) if number else cell
        except ValueError:
            kind = "a whole number, 0 or more" if name in WHOLE else "a number"
            mistakes.append(f"{name}: found {cell!r}; it should be {kind}")
    if mistakes:
        raise MoldError("\n".join(mistakes))
    return fields


def number_of(cell: str, *, whole: bool) -> float | int:
    """A number as English and German spreadsheets write it.

    >>> number_of("12.500", whole=True), number_of("12,500", whole=True)
    (12500, 12500)
    >>> number_of("2,5", whole=False), number_of("1.234,5", whole=False)
    (2.5, 1234.5)

    Raises:
        ValueError: it is none.
    """
    text = re.sub(r"[\s'\u00a0\u202f]", "", cell)
    if whole:
        if re.fullmatch(r"\d{1,3}([.,]\d{3})+", text):
            text = re.sub(r"[.,]", "", text)
        if not re.fullmatch(r"\d+([.,]0+)?", text):
            raise ValueError(cell)
        count = int(re.sub(r"[.,]0+$", "", text))
        if count > SHOTS_MOST:
            raise ValueError(cell)
        return count
    if "," in text and "." in text:
        thousands = "," if text.rindex(".") > text.rindex(",") else "."
        text = text.replace(thousands, "")
    number = float(text.replace(",", "."))
    if not math.isfinite(number):
        raise ValueError(cell)
    return number
