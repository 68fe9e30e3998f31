"""A node map kept as a spreadsheet (CSV), because that is what plants have."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_sheet(path: Path) -> dict[str, Any]:
    """A spreadsheet as the same structure that TOML gives; empty cells are keys left out.

    Raises:
        ValueError: the file can't be read, or has no header that we know.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text: {error}") from error
    header = text.partition("\n")[0]
    delimiter = max(";\t,", key=header.count)
    rows = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    if "signal" not in [name.strip() for name in rows.fieldnames or ()]:
        raise ValueError(f"{path}: row 1: should name the columns: 'signal', 'id' or 'path', ...")
    return {"node": [_row(row, decimal_comma=delimiter != ",") for row in rows if any(_said(row))]}


def _said(row: Mapping[str, Any]) -> list[str]:
    return [cell for cell in row.values() if isinstance(cell, str) and cell.strip()]


def _row(row: Mapping[str, Any], *, decimal_comma: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for name, cell in row.items():
        text = cell.strip() if isinstance(cell, str) else ""
        if not text:
            continue
        key = (name or "").strip()
        if key in ("scale", "offset") and decimal_comma:
            entry[key] = text.replace(",", ".")
        elif key == "invalid":
            entry[key] = text.split()
        elif key == "states":
            pairs = (pair.partition("=") for pair in text.split())
            entry[key] = {number.strip(): word.strip() for number, _, word in pairs}
        else:
            entry[key] = text
    return entry
