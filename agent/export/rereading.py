"""An exported file's rows, read back far enough to say which one is another."""

import struct
import zipfile
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

UNREADABLE = (
    zipfile.BadZipFile, zlib.error, struct.error, ET.ParseError, OSError, EOFError, KeyError,
    NotImplementedError, RuntimeError,
)  # fmt: skip
"""What the standard library's readers say of bytes that are no spreadsheet."""


def rows_of(path: Path, form: str) -> Generator[tuple[str, Any]]:
    """Every row with its name; lines where the format has lines.

    Raises:
        ValueError: it can't be read as what it should be.
    """
    match form:
        case "parquet":
            yield from _parquet(path)
        case "xlsx":
            yield from _xlsx(path)
        case "pdf":
            yield from _pdf(path)
        case _:
            with path.open("rb") as file:
                for n, line in enumerate(file, 1):
                    yield f"line {n}", line


def _parquet(path: Path) -> Generator[tuple[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = 0
    try:
        with pq.ParquetFile(path) as file:
            yield "its list of columns", file.schema_arrow
            for batch in file.iter_batches(1000):
                for row in batch.to_pylist():
                    n += 1
                    yield f"row {n}", repr(row)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"after row {n}: {str(error).splitlines()[0]}") from error


def _xlsx(path: Path) -> Generator[tuple[str, Any]]:
    sheet, row = "", "0"
    try:
        with zipfile.ZipFile(path) as book:
            for name in sorted(book.namelist()):
                sheet = name
                if "/worksheets/" not in name:
                    yield name, book.read(name)
                    continue
                with book.open(name) as file:
                    for _, element in ET.iterparse(file):
                        if element.tag.endswith("}row"):
                            row = element.get("r", "")
                            yield f"{name}, row {row}", ET.tostring(element)
                            element.clear()
    except UNREADABLE as error:
        raise ValueError(f"{sheet} after row {row}: {error}") from error


def _pdf(path: Path) -> Generator[tuple[str, Any]]:
    """Its objects: reportlab begins each on a line of its own."""
    for n, part in enumerate(path.read_bytes().split(b"endobj"), 1):
        yield f"object {n} of the PDF", part
