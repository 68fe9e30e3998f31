"""Moved cycles as `sprue verify` reads them: each file against its hash, each row in its order."""

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from agent.archive.catalogue import archive_folder, archived, closings_in
from agent.archive.closings import joined
from agent.archive.parquet import damaged, library, read, sha256_of
from agent.chain import Row

Said = tuple[bytes, int, int, bytes, int]
"""Machine, segment, counter, digest of the curves, id."""

WANTED = ("segment", "counter", "curves", "id", "time_ns")


class Moved:
    """What was moved, and whether it is there as it was written.

    Args:
        connection: To the main file, within one transaction.
        main: The main file.
        check: Whether files are compared with their hashes.

    Raises:
        RecordError: the library to read it with is not installed.
    """

    def __init__(self, connection: Connection, main: Path, *, check: bool = True) -> None:
        self._folder = archive_folder(main)
        there = archived(connection)
        self.wrong_files: dict[int, str] = {}
        """Files that are missing or altered: their number, and a sentence."""
        if there:
            library("pyarrow", "read")
        for each in there:
            path = self._folder / each.name
            if not path.is_file():
                self.wrong_files[each.number] = damaged(path, "").removeprefix("record: ")
            elif check and sha256_of(path) != each.sha256:
                words = "its SHA-256 is another one than when it was written"
                self.wrong_files[each.number] = damaged(path, words).removeprefix("record: ")
        self._files = [each for each in there if each.number not in self.wrong_files]
        whole = {each.number for each in self._files}
        # Of one that was altered the file is told, once, and not each of its rows.
        absent = [
            closings_in(connection, each.number)
            for each in archived(connection, retired=True)
            if each.number not in whole
        ]
        self._absent = np.sort(joined(absent).ids)

    def is_accounted_for(self, key: int) -> bool:
        """Whether a cycle was in a file that retention removed, or that is told as a whole."""
        at = np.searchsorted(self._absent, key)
        return bool(at < len(self._absent) and self._absent[at] == key)

    def span(self) -> tuple[int, int] | tuple[()]:
        """Times of the first and the last cycle, ns; nothing where nothing was moved."""
        if not self._files:
            return ()
        return (
            min(each.first_ns for each in self._files), max(each.last_ns for each in self._files),
        )  # fmt: skip

    def said(self, since_ns: int, until_ns: int) -> Iterator[Said]:
        """Moved cycles of a time that have curves, and their digests, in the order of `Said`."""
        for name in sorted({each.machine.encode() for each in self._files}):
            yield from heapq.merge(
                *(
                    _said(self._folder / each.name, name, since_ns, until_ns)
                    for each in self._files
                    if each.machine.encode() == name
                    and each.last_ns >= since_ns
                    and each.first_ns < until_ns
                )
            )

    def rows(self, names: Sequence[str], since: int, until: int) -> Iterator[Row]:
        """Rows of all files that are whole, by their ids; a file is open only while it is read.

        Args:
            names: Of the columns, in the wanted order; what an older file lacks is null.
            since: The id before the first one.
            until: The last id.
        """
        at = names.index("id")
        files = [each for each in self._files if each.last_id > since and each.first_id <= until]
        waiting = sorted(files, key=lambda each: each.first_id, reverse=True)
        heads: list[tuple[int, int, Row, Iterator[Row]]] = []
        while waiting or heads:
            while waiting and (not heads or waiting[-1].first_id <= heads[0][0]):
                each = waiting.pop()
                stream = _between(_of(self._folder / each.name, names), at, since, until)
                if (first := next(stream, None)) is not None:
                    heapq.heappush(heads, (int(first[at]), each.number, first, stream))
            if not heads:
                return
            _key, number, row, stream = heads[0]
            yield row
            if (following := next(stream, None)) is None:
                heapq.heappop(heads)
            else:
                heapq.heapreplace(heads, (int(following[at]), number, following, stream))


def _said(path: Path, machine: bytes, since_ns: int, until_ns: int) -> list[Said]:
    """A file's cycles that have curves, in order of their counters."""
    return sorted(
        (machine, segment, counter, digest, key)
        for segment, counter, digest, key, time_ns in _of(path, WANTED)
        if digest is not None and since_ns <= time_ns < until_ns
    )


def _of(path: Path, names: Sequence[str]) -> Iterator[Row]:
    """A file's rows with their values in a wanted order."""
    places: list[int | None] = []
    for has, row in read(path, names):
        if not places:
            places = [has.index(name) if name in has else None for name in names]
        yield tuple(None if place is None else row[place] for place in places)


def _between(rows: Iterator[Row], at: int, since: int, until: int) -> Iterator[Row]:
    return (row for row in rows if since < row[at] <= until)
