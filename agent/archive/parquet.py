"""One file of moved cycles: written, read back and compared, before anybody relies on it.

The columns are those of the record's table `cycle`, under their names, as they lie there: so that
a digest of a row in the file is the one that the hash chain has of it.
"""

import hashlib
import importlib
import json
import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Double, Integer

from agent.chain import Row
from agent.ending import CommandError
from agent.files import RecordError
from agent.schema import VERSION, cycle

ROW_GROUP = 16_384
"""Rows that are packed together: what is read at least, of a row that is wanted."""

MISSING = (
    "cycles that were moved to Parquet files can't be {done} without the extra 'records' "
    "(pip install 'sprue[records]'): {name} is not installed"
)


class ArchiveError(CommandError):
    """Cycles can't be moved; the message says which, why, and what would be right."""


def library(name: str, done: str) -> ModuleType:
    """A library of the extra `records`, or the part of one.

    Raises:
        RecordError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RecordError(MISSING.format(done=done, name=name.partition(".")[0])) from error


def write(path: Path, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Write rows of `cycle` to a new file, whole and on the disk on return.

    Args:
        path: Of the file; the folders above are made.
        names: Of the columns.
        rows: Their values as SQLite gives them, texts as bytes.

    Raises:
        RecordError: the library for it is not installed.
        ArchiveError: a value is none of its column's, or the disk does not give back what it got.
        OSError: the disk refused.
    """
    arrow, parquet = library("pyarrow", "written"), library("pyarrow.parquet", "written")
    table = _table(arrow, names, rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    with unfinished.open("wb") as file:
        parquet.write_table(
            table, file, compression="zstd", row_group_size=ROW_GROUP, write_page_checksum=True
        )
        file.flush()
        os.fsync(file.fileno())
    if not parquet.read_table(unfinished, page_checksum_verification=True).equals(table):
        raise ArchiveError(f"{unfinished} does not hold what was written to it: see to the disk")
    unfinished.replace(path)
    for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
        sync_folder(folder)


def _table(arrow: Any, names: Sequence[str], rows: Sequence[Row]) -> Any:
    arrays = []
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        kind = cycle.c[name].type
        try:
            if isinstance(kind, Integer):
                arrays.append(arrow.array(values, arrow.int64()))
            elif isinstance(kind, Double):
                arrays.append(arrow.array(values, arrow.float64()))
            else:
                texts = [None if value is None else value.decode() for value in values]
                arrays.append(arrow.array(texts, arrow.string()))
        except (arrow.ArrowException, ValueError, TypeError, AttributeError) as error:
            raise ArchiveError(
                f"a value of {name} in cycles {rows[0][0]} to {rows[-1][0]} is none that belongs "
                f"there ({error}); 'sprue verify' names the row"
            ) from error
    about = json.dumps({"sprue": version("sprue"), "schema": VERSION})
    return arrow.table(arrays, names=list(names)).replace_schema_metadata({"sprue": about})


def read(path: Path, only: Sequence[str] | None = None) -> Iterator[tuple[tuple[str, ...], Row]]:
    """A file's rows in order, with the names of their values; texts as bytes, as SQLite gives them.

    Args:
        path: Of the file.
        only: Columns that are wanted, as far as the file has them; None for all.

    Raises:
        RecordError: it is missing or damaged, or the library for it is not installed.
    """
    parquet, arrow = library("pyarrow.parquet", "read"), library("pyarrow", "read")
    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            there = tuple(file.schema_arrow.names)
            names = there if only is None else tuple(name for name in there if name in only)
            for batch in file.iter_batches(batch_size=2048, columns=list(names)):
                columns = [_as_stored(arrow, column) for column in batch.columns]
                for row in zip(*columns, strict=True):
                    yield names, row
    except (OSError, arrow.ArrowException) as error:
        raise RecordError(damaged(path, error)) from error


def _as_stored(arrow: Any, column: Any) -> list[Any]:
    if arrow.types.is_string(column.type):
        column = column.cast(arrow.binary())
    values: list[Any] = column.to_pylist()
    return values


def damaged(path: Path, error: object) -> str:
    """What to say of a file that can't be read."""
    what = "is missing" if not path.exists() else f"is damaged ({error})"
    return (
        f"record: {path} {what}: its cycles are nowhere else in the record; put the file back from "
        "a backup, then 'sprue verify' says whether all is well"
    )


def sha256_of(path: Path) -> str:
    """A file's SHA-256, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """What was made or renamed in a folder survives a power cut."""
    if os.name == "nt":  # folders can't be opened there
        return
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
