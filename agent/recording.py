"""Past cycles in a file: rows in order of time, whatever their order in the file.

Two forms are read, told apart by their first letter: CSV with a line of names, and JSON lines as
`sprue cycles --format json` and the truth log of `sprue simulate` write them. A row is one line; a
line that can't be read is told with its number and left out, never silently.

Files that are in order of time already are read as a stream; of others an index of 16 bytes a row
is kept.
"""

import csv
import json
import shutil
import sys
import tempfile
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self
from zoneinfo import ZoneInfo

import numpy as np

from agent.ending import MISUSED, CommandError
from agent.rows import to_ns

DELIMITERS = (",", ";", "\t")


class RecordingError(CommandError):
    """The file as a whole can't be used; the message names it and says what would be right."""

    status = MISUSED


class Row(NamedTuple):
    """One line of the file."""

    line: int
    """Its number, from 1; the names of a CSV file are line 1."""
    names: tuple[str, ...]
    """The same object for every row with the same names in the same order."""
    cells: Sequence[str]
    """Aligned with `names`; empty where there is no value."""


class Recording:
    """A file of past cycles, open for reading.

    Args:
        path: The file; one that can't be read twice (a pipe) is copied first.
        zone: The zone of times without an offset.
        complain: Told every line that can't be read, as a sentence.

    Raises:
        RecordingError: there is no such file, it is empty, or its first line has no names.
    """

    def __init__(self, path: Path, zone: ZoneInfo, complain: Callable[[str], None]) -> None:
        self._path = path
        self._zone = zone
        self._complain = complain
        self.naive = 0
        """Times without an offset in the rows that were handed out."""
        self.refused = 0
        """Lines that could not be read."""
        self.dropped = 0
        """Cells that could not be read in lines that could."""
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        with ExitStack() as files:
            try:
                self._file: BinaryIO = files.enter_context(path.open("rb"))
                if not self._file.seekable():
                    copy = files.enter_context(tempfile.TemporaryFile())
                    shutil.copyfileobj(self._file, copy)
                    self._file = copy
                self.size = self._file.seek(0, 2)
                """Bytes."""
                self._open()
            except OSError as error:
                raise RecordingError(f"{path}: {error.strerror or error}") from error
            self._files = files.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files.close()

    def rows(self, progress: Callable[[int], None] = lambda n: None) -> Iterator[Row]:
        """Every row that can be read, in order of time; rows of one instant as in the file.

        Args:
            progress: Told how many bytes are done.
        """
        if self._in_order():
            yield from self._stream(progress)
        else:
            yield from self._sorted(progress)

    def time(self, row: Row) -> datetime:
        """When a row's cycle ended, UTC.

        Raises:
            ValueError: it has no time, or one that is not ISO 8601.
        """
        text = row.cells[row.names.index("time")] if "time" in row.names else ""
        at = datetime.fromisoformat(text)
        zone = at.tzinfo
        if zone is UTC:
            return at
        if zone is None:
            self.naive += 1
            at = at.replace(tzinfo=self._zone)
        return at.astimezone(UTC)

    def _open(self) -> None:
        """Find out which form it has, and where its rows begin."""
        self._file.seek(0)
        first = self._file.readline()
        number = 1
        while first and not first.strip():
            first, number = self._file.readline(), number + 1
        if not first:
            raise RecordingError(f"{self._path} is empty")
        self._json = first.lstrip(b"\xef\xbb\xbf \t").startswith(b"{")
        if self._json:
            self._start, self._first_line = 0, 1
            return
        self._start, self._first_line = self._file.tell(), number + 1
        try:
            text = first.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise RecordingError(f"{self._path}, line {number}: not UTF-8") from error
        self._delimiter = max(DELIMITERS, key=text.count)
        names = tuple(name.strip() for name in self._split(text))
        self._refuse_names(names, number)
        self._header = names

    def _refuse_names(self, names: Sequence[str], line: int) -> None:
        where = f"{self._path}, line {line}"
        missing = [name for name in ("time", "counter") if name not in names]
        if missing:
            raise RecordingError(
                f"{where}: should name the columns; found {', '.join(names)[:80]!r}, "
                f"and no {' and no '.join(missing)}"
            )
        twice = next((name for name in names if name and names.count(name) > 1), None)
        if twice is not None:
            raise RecordingError(f"{where}: two columns are called {twice!r}")

    def _stream(self, progress: Callable[[int], None]) -> Iterator[Row]:
        self._file.seek(self._start)
        done = self._start
        for number, line in enumerate(self._file, self._first_line):
            row = self._row(number, line)
            if row is not None:
                yield row
            done += len(line)
            if not number & 1023:
                progress(done)
        progress(self.size)

    def _sorted(self, progress: Callable[[int], None]) -> Iterator[Row]:
        times, offsets, numbers = self._index()
        done = 0
        for at in np.argsort(np.frombuffer(times, np.int64), kind="stable"):
            self._file.seek(offsets[at])
            line = self._file.readline()
            row = self._row(numbers[at], line)
            if row is not None:
                yield row
            done += len(line)
            progress(done)
        progress(self.size)

    def _in_order(self) -> bool:
        last = None
        for _offset, _number, at in self._times():
            if last is not None and at < last:
                return False
            last = at
        return True

    def _index(self) -> "tuple[array[int], array[int], array[int]]":
        """Time (ns), offset and number of every line."""
        times, offsets, numbers = array("q"), array("q"), array("q")
        for offset, number, at in self._times():
            times.append(to_ns(at))
            offsets.append(offset)
            numbers.append(number)
        return times, offsets, numbers

    def _times(self) -> Iterator[tuple[int, int, datetime]]:
        """Offset, number and time of every line; one without has the time of the line before.

        So it comes up in its place, and is told there.
        """
        self._file.seek(self._start)
        offset, last = self._start, datetime.min.replace(tzinfo=UTC)
        naive = self.naive
        for number, line in enumerate(self._file, self._first_line):
            row = self._row(number, line, quiet=True)
            if row is not None:
                last = self._time_or(row, last)
            yield offset, number, last
            offset += len(line)
        self.naive = naive

    def _time_or(self, row: Row, last: datetime) -> datetime:
        try:
            return self.time(row)
        except (ValueError, OverflowError):
            return last

    def _row(self, number: int, line: bytes, *, quiet: bool = False) -> Row | None:
        """The row of a line; `quiet` where only its time matters, and nothing is told of it."""
        try:
            text = line.decode().rstrip("\r\n")
            if not text or text.isspace():
                return None
            if self._json:
                names, cells = self._object(text)
            else:
                names = self._header
                cells = self._split(text, names.index("time") + 1 if quiet else -1)
                if len(cells) != len(names) and not quiet:
                    raise ValueError(f"has {len(cells)} cells, the line of names {len(names)}")
        except UnicodeDecodeError:
            problem = "not UTF-8"
        except (ValueError, csv.Error, RecursionError) as error:
            problem = str(error)
        else:
            return Row(number, names, cells)
        if not quiet:
            self.refuse(number, problem)
        return None

    def refuse(self, line: int, problem: str) -> None:
        """Count a line that can't be used, and tell it."""
        self.refused += 1
        self._complain(f"{self._path}, line {line}: {problem}; the line is left out")

    def drop(self, line: int, column: str, problem: str) -> None:
        """Count a cell that can't be used, and tell it; the rest of its line is."""
        self.dropped += 1
        self._complain(
            f"{self._path}, line {line}, column {column}: {problem}; the cell is left out"
        )

    def _split(self, text: str, most: int = -1) -> list[str]:
        """The cells of a line; where only the first ones matter, the rest may be one cell."""
        if '"' not in text:
            return text.split(self._delimiter, most)
        return next(csv.reader((text,), delimiter=self._delimiter, strict=True))

    def _object(self, text: str) -> tuple[tuple[str, ...], list[str]]:
        """Names and cells of one JSON object; what stands under `values` comes to the top."""
        try:
            found = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"no JSON: {error.msg}") from error
        if not isinstance(found, dict):
            raise ValueError("should be a JSON object")
        values = found.pop("values", None)
        if isinstance(values, Mapping):
            found = {**values, **found}
        names = tuple(map(sys.intern, found))
        names = self._names.setdefault(names, names)
        return names, [_cell(value) for value in found.values()]


def _cell(value: Any) -> str:
    """A JSON value as a cell of a CSV file would have it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, list | dict | bool) else repr(value)
