"""A register map kept as a spreadsheet (CSV), because that is what plants have."""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NUMBERS = ("scale", "offset")
WHOLE = ("function", "base", "bit", "length", "width", "modulus")
MODICON = re.compile(r"^([0134])(\d{4}|\d{5})$")
MODICON_FUNCTIONS = {"0": 1, "1": 2, "3": 4, "4": 3}
"""The first digit of a Modicon address says what it is: coil, discrete input, input, holding."""


def read_sheet(path: Path) -> tuple[dict[str, Any], list[int]]:
    """A spreadsheet as the same structure that TOML gives; empty cells are keys left out.

    Returns:
        The structure, and for each of its registers the row it stands in, the header being row 1.

    Raises:
        ValueError: the file can't be read, or has no header that we know.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text (save it as 'CSV UTF-8'): {error}") from error
    header = text.partition("\n")[0]
    delimiter = max(";\t,", key=header.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    keys = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "signal" not in keys or "address" not in keys:
        raise ValueError(
            f"{path}: row 1: should name the columns, 'signal' and 'address' among them; "
            f"found {', '.join(filter(None, keys)) or 'nothing'}"
        )
    entries, numbers = [], []
    for number, cells in enumerate(rows[1:], 2):
        if any(cell.strip() for cell in cells[len(keys) :]):
            raise ValueError(
                f"{path}: row {number}: found {len(cells)} cells under {len(keys)} names; "
                "a cell with a separator in it needs quotes"
            )
        said = {key: cell.strip() for key, cell in zip(keys, cells, strict=False) if cell.strip()}
        if said:
            entries.append(_entry(said, decimal_comma=delimiter != ","))
            numbers.append(number)
    return {"register": entries}, numbers


def _entry(said: Mapping[str, str], *, decimal_comma: bool) -> dict[str, Any]:
    entry: dict[str, Any] = dict(said)
    for key in NUMBERS:
        if key in said:
            entry[key] = _number(said[key], decimal_comma=decimal_comma)
    for key in WHOLE:
        if key in said:
            entry[key] = _whole(said[key])
    if "invalid" in said:
        entry["invalid"] = [_whole(word) for word in said["invalid"].split()]
    if "states" in said:
        pairs = (pair.partition("=") for pair in said["states"].split())
        entry["states"] = {number: word for number, _, word in pairs}
    modicon = MODICON.match(said["address"]) if "address" in said else None
    if modicon and "function" not in said:
        entry["function"] = MODICON_FUNCTIONS[modicon[1]]
        entry["address"] = int(modicon[2])
        entry.setdefault("base", 1)
    elif "address" in said:
        entry["address"] = _whole(said["address"])
    return entry


def _number(text: str, *, decimal_comma: bool) -> str:
    """A number as Excel writes it in Germany, in our notation; as it is where that is not sure.

    >>> _number("0,01", decimal_comma=True), _number("1.000,5", decimal_comma=True)
    ('0.01', '1000.5')
    >>> _number("0,1", decimal_comma=False), _number("1,000", decimal_comma=False)
    ('0.1', '1,000')
    """
    before, comma, after = text.rpartition(",")
    if not comma or "," in before or (not decimal_comma and len(after) == 3):
        return text
    return f"{before.replace('.', '')}.{after}"


def _whole(text: str) -> int | str:
    """A whole number, also in hexadecimal; as it is where it is none."""
    try:
        return int(text, 16 if text.lower().startswith(("0x", "-0x")) else 10)
    except ValueError:
        return text
