"""A node map kept as a spreadsheet (CSV), because that is what plants have."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NUMBERS = ("scale", "offset")


def read_sheet(path: Path) -> tuple[dict[str, Any], list[int]]:
    """A spreadsheet as the same structure that TOML gives; empty cells are keys left out.

    Returns:
        The structure, and for each of its nodes the row it stands in, the header being row 1.

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
    if "signal" not in keys or not {"id", "path"} & set(keys):
        raise ValueError(
            f"{path}: row 1: should name the columns, 'signal' and 'id' or 'path' among them; "
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
    return {"node": entries}, numbers


def _entry(said: Mapping[str, str], *, decimal_comma: bool) -> dict[str, Any]:
    entry: dict[str, Any] = dict(said)
    for key in NUMBERS:
        if key in said and decimal_comma:
            entry[key] = said[key].replace(",", ".")
    if "invalid" in said:
        entry["invalid"] = said["invalid"].split()
    if "states" in said:
        pairs = (pair.partition("=") for pair in said["states"].split())
        entry["states"] = {number.strip(): word.strip() for number, _, word in pairs}
    return entry
