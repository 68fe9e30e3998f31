"""Reading a record against its hash chain: every row as it was written, and no other.

Rows and chain are read side by side, in one transaction, so that the agent may write meanwhile and
memory stays small: rows of a table lie in the chain in the order of their ids. Each row of the
chain says how far every table was by then, so a large record can be cut between two of them and
its pieces be read at the same time; where one differs, the whole is read again in order, to say
what it is.
"""

import heapq
import json
import os
import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DatabaseError

from agent.archive.proving import Moved
from agent.chain import COVERED, CYCLE, LEDGER, Covered, Row, digester, link_hash, text_as_bytes
from agent.copying import told
from agent.files import RecordError, main_path, reader
from agent.history import refuse_other_version
from agent.rows import from_ns
from agent.verifyingcurves import odd_curves

Progress = Callable[[int], None]

PIECE_ROWS = 500
"""How many rows of a table are read at once."""

EVERY_ROWS = 10_000
"""How often progress is told."""

ALONE_ROWS = 150_000
"""Cycles for which another process is worth its start, which takes half a second."""

PROCESSES_MOST = 4

DIFFERENCES_MOST = 20
"""One that is broken at the start differs everywhere; the first ones say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is not as it was written."""

    table: str
    row: int
    """Its id; of curves, their cycle's."""
    words: str
    """The whole sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was compared, and what differs; the first ones, in the order of the chain."""

    rows: int
    commits: int
    head: str
    """Hash of the newest commit: whoever keeps it can prove later that nothing was cut off."""
    differences: tuple[Difference, ...]


class _TooManyError(Exception):
    """Enough was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A stretch of the chain, and the rows of tables that belong to it."""

    after: int = 0
    """The row of the chain before its first one."""
    previous: str = ""
    """That one's hash."""
    since: Mapping[str, int] = field(default_factory=dict)
    """How far tables were by then."""
    last: int | None = None
    """Its last row of the chain; None: all that there are."""
    until: Mapping[str, int] | None = None
    """How far tables are by then; None: all their rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What came of a piece."""

    rows: int
    commits: int
    head: str
    ledger: Mapping[int, str]
    """Digests of rows of the ledger as its commits last wrote them."""
    differences: Sequence[Difference]


def verify(
    url: str,
    progress: Progress = lambda rows: None,
    *,
    includes: str | None = None,
    processes: int | None = None,
) -> Verdict:
    """Compare every covered row of a record with the chain.

    Args:
        url: Of the record.
        progress: Told how many rows have been compared.
        includes: Hash of a commit that was the newest once, and must be in the chain.
        processes: How many read at once; None for as many as are worth it.

    Raises:
        RecordError: there is none, it is another version's, or its file can't be read.
    """
    path = main_path(url)
    with _reading(path) as (raw, moved):
        # Files that are not what they were are told by one reader, as is what follows from it.
        wanted = 1 if moved.wrong_files else processes or _processes(raw)
        pieces = _pieces(raw, wanted)
        found = _together(path, raw, moved, pieces, progress) if len(pieces) > 1 else None
        if found is None or found.differences:
            alone = _Verifying(raw, moved, progress, _Piece())
            alone.walk()
            alone.compare_ledger()
            found = alone.found()
        differences = list(found.differences)
        rows = found.rows
        for odd in islice(
            odd_curves(path, raw, moved, lambda n: progress(rows + n)),
            max(0, DIFFERENCES_MOST - len(differences)),
        ):
            differences.append(Difference(table="curve", row=odd.row, words=odd.words))
        if includes is not None and not _has(raw, includes):
            words = (
                f"chain: no commit has the hash {includes}: rows were cut off, or the chain is "
                "another one"
            )
            differences.append(Difference(table="chain", row=0, words=words))
    return Verdict(
        rows=found.rows,
        commits=found.commits,
        head=found.head,
        differences=tuple(differences),
    )


@contextmanager
def _reading(path: Path, *, check: bool = True) -> Iterator[tuple[sqlite3.Connection, Moved]]:
    """One read transaction on a record; texts are the bytes that lie in the file.

    Args:
        path: Of the main file.
        check: Whether files of moved cycles are compared with their hashes.
    """
    engine = reader(path)
    try:
        with engine.connect() as connection:
            refuse_other_version(connection, path)
            connection.rollback()
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.isolation_level = None
            raw.execute("BEGIN")
            moved = Moved(connection, path, check=check)
            with text_as_bytes(raw):
                yield raw, moved
    except (sqlite3.DatabaseError, DatabaseError) as error:
        raise RecordError(f"record: {told(path, getattr(error, 'orig', None) or error)}") from error
    finally:
        engine.dispose()


def _processes(raw: sqlite3.Connection) -> int:
    (newest,) = raw.execute("SELECT max(id) FROM cycle").fetchone()
    return min(PROCESSES_MOST, os.cpu_count() or 1, (newest or 0) // ALONE_ROWS)


def _pieces(raw: sqlite3.Connection, wanted: int) -> list[_Piece]:
    """Cut a record where its chain is between equal shares of its cycles; the last piece is open.

    One piece where it is too small, or where the chain is not what it should be.
    """
    (last,) = raw.execute("SELECT max(id) FROM chain").fetchone()
    (newest,) = raw.execute("SELECT max(id) FROM cycle").fetchone()
    whole = _Piece()
    if wanted < 2 or not last or not newest:
        return [whole]
    cuts: list[_Piece] = []
    for share in range(1, wanted):
        at = bisect_left(
            range(1, last + 1),
            newest * share // wanted,
            key=lambda number: _reached(raw, number)[0].get("cycle", 0),
        )
        since, head = _reached(raw, at)
        if not since or at <= (cuts[-1].after if cuts else 0):
            return [whole]
        cuts.append(_Piece(after=at, previous=head, since=since))
    ends = [*cuts, None]
    return [
        replace(piece, last=end.after if end else None, until=end.since if end else None)
        for piece, end in zip([whole, *cuts], ends, strict=True)
    ]


def _reached(raw: sqlite3.Connection, number: int) -> tuple[dict[str, int], str]:
    """How far tables were by a row of the chain, and its hash; nothing where it is damaged."""
    found = raw.execute("SELECT reached, hash FROM chain WHERE id = ?", (number,)).fetchone()
    try:
        reached = {str(name): int(at) for name, at in json.loads(found[0]).items()}
        return reached, str(found[1], "utf-8")
    except (ValueError, TypeError, AttributeError):
        return {}, ""


def _together(
    path: Path,
    raw: sqlite3.Connection,
    moved: Moved,
    pieces: Sequence[_Piece],
    progress: Progress,
) -> _Read:
    """Read all pieces at once: the last one here, which has what is written meanwhile before it."""
    # A fresh process each: a copy of this one would take its connection along.
    with ProcessPoolExecutor(len(pieces) - 1, mp_context=get_context("spawn")) as others:
        begun = [others.submit(_read_piece, path, piece) for piece in pieces[:-1]]
        here = _Verifying(raw, moved, lambda rows: progress(rows * len(pieces)), pieces[-1])
        here.walk()
        found = [each.result() for each in begun]
    before: dict[int, str] = {}
    for each in found:
        before.update(each.ledger)
    here.ledger = before | here.ledger
    here.compare_ledger()
    last = here.found()
    return _Read(
        rows=sum(each.rows for each in found) + last.rows,
        commits=last.commits,
        head=last.head,
        ledger={},
        differences=[d for each in (*found, last) for d in each.differences],
    )


def _read_piece(path: Path, piece: _Piece) -> _Read:
    with _reading(path, check=False) as (raw, moved):
        reading = _Verifying(raw, moved, lambda rows: None, piece)
        reading.walk()
        return reading.found()


def _has(raw: sqlite3.Connection, commit: str) -> bool:
    query = "SELECT 1 FROM chain WHERE hash = CAST(? AS TEXT)"
    return raw.execute(query, (commit.strip().lower(),)).fetchone() is not None


class _Stream:
    """A table's rows in their order, read some ahead; those that were moved among them."""

    def __init__(
        self, raw: sqlite3.Connection, table: Covered, piece: _Piece, moved: Moved | None = None
    ) -> None:
        self.table = table
        since = piece.since.get(table.name, -1)
        until = 2**63 - 1 if piece.until is None else piece.until.get(table.name, -1)
        cursor = raw.execute(
            f"SELECT * FROM {table.name} WHERE {table.order} > ? AND {table.order} <= ? "
            f"ORDER BY {table.order}",
            (since, until),
        )
        self.names = tuple(each[0] for each in cursor.description)
        self.digest = digester(table.name, self.names)
        self.key = self.names.index(table.key)
        self._rows: Iterator[Row] = cursor
        if moved is not None:
            others = moved.rows(self.names, since, until)
            self._rows = heapq.merge(cursor, others, key=lambda row: int(row[self.key]))
        self._ahead: list[Row] = []
        self._at = 0

    @property
    def row(self) -> Row | None:
        """The next one; None at the end."""
        return next(iter(self.ahead(1)), None)

    def ahead(self, n: int) -> list[Row]:
        """The next `n` rows, fewer at the end."""
        if self._at + n > len(self._ahead):
            more = islice(self._rows, max(n, PIECE_ROWS))
            self._ahead = [*self._ahead[self._at :], *more]
            self._at = 0
        return self._ahead[self._at : self._at + n]

    def skip(self, n: int = 1) -> None:
        """Go on behind rows that `ahead` has given."""
        self._at += n


class _Verifying:
    """Compares the rows of a piece with the chain.

    Args:
        raw: In a transaction.
        moved: What was moved to files.
        progress: Told how many rows have been compared.
        piece: What to compare.
    """

    def __init__(
        self, raw: sqlite3.Connection, moved: Moved, progress: Progress, piece: _Piece
    ) -> None:
        self._raw = raw
        self._moved = moved
        self._progress = progress
        self._piece = piece
        self._machines = {
            key: name.decode("utf-8", "replace")
            for key, name in raw.execute("SELECT id, name FROM machine")
        }
        self._streams = {
            table.name: _Stream(raw, table, piece, moved if table is CYCLE else None)
            for table in COVERED
            if table is not LEDGER
        }
        self.ledger: dict[int, str] = {}
        """Digests of the ledger's rows, as they were last written."""
        self._differences: list[Difference] = []
        self._rows = 0
        self._commits = piece.after
        self._head = piece.previous

    def walk(self) -> None:
        """Compare all tables but the ledger, which needs the whole chain."""
        with suppress(_TooManyError):
            for number, words in self._moved.wrong_files.items():
                self._differ("archive_file", number, words)
            for commit in self._links():
                self._compare(commit)
            for stream in self._streams.values():
                while (row := stream.row) is not None:
                    self._add(stream, row)

    def compare_ledger(self) -> None:
        """Compare the ledger with what every commit has said of it."""
        if len(self._differences) >= DIFFERENCES_MOST:
            return
        with suppress(_TooManyError):
            self._compare_ledger()

    def found(self) -> _Read:
        """What came of it."""
        self._progress(self._rows)
        return _Read(
            rows=self._rows,
            commits=self._commits,
            head=self._head,
            ledger=self.ledger,
            differences=self._differences,
        )

    def _links(self) -> Iterator[dict[str, Any]]:
        """The bodies of the chain's rows; one that was altered is told, and passed over."""
        query = (
            "SELECT id, at_ns, previous, reached, body, hash FROM chain "
            "WHERE id > ? AND id <= ? ORDER BY id"
        )
        last = self._piece.last or 2**63 - 1
        for each in self._raw.execute(query, (self._piece.after, last)):
            number = int(each[0])
            at_ns, previous, reached, body, found = (
                value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                for value in each[1:]
            )
            self._commits += 1
            if number != self._commits or previous != self._head:
                self._differ(
                    "chain",
                    number,
                    f"chain: row {number} does not follow the row before it: "
                    f"rows before it were removed or altered",
                )
                self._commits = number
            self._head = found
            if link_hash((number, at_ns, previous, reached, body)) != found:
                self._differ("chain", number, f"chain: row {number} is not as it was written")
            try:
                commit = json.loads(body)
                yield {"found": commit["found"], "rows": dict(commit["rows"].items())}
            except (ValueError, KeyError, TypeError, AttributeError):
                continue

    def _compare(self, commit: dict[str, Any]) -> None:
        for name, entries in commit["rows"].items():
            if name == LEDGER.name:
                self.ledger.update((key, digest) for key, digest in entries)
                continue
            stream = self._streams.get(name)
            if stream is None:
                continue  # an altered row of the chain, which was told
            rows, key, digest = stream.ahead(len(entries)), stream.key, stream.digest
            if not commit["found"] and [[row[key], digest(row)] for row in rows] == entries:
                stream.skip(len(rows))
                self._count(len(rows))
                continue
            for expected, written in entries:  # one by one, to say which it is
                self._expect(stream, expected, written, found=commit["found"])

    def _expect(self, stream: _Stream, key: int, digest: str, *, found: bool) -> None:
        name = stream.table.name
        while (row := stream.row) is not None and row[stream.key] != key:
            if not self._comes_first(stream, key):
                break
            self._add(stream, row)
        if row is None or row[stream.key] != key:
            if stream.table is CYCLE and self._moved.is_accounted_for(key):
                return
            self._differ(name, key, f"{name}: row {key} is missing: it was removed")
            return
        if stream.digest(row) != digest:
            self._differ(name, key, f"{self._what(stream, row)} is not as it was written")
        elif found:
            words = "was added by something else than Sprue, or taken in from an older copy"
            self._differ(name, key, f"{self._what(stream, row)} {words}")
        self._count()
        stream.skip()

    def _comes_first(self, stream: _Stream, key: int) -> bool:
        """Whether the stream's row lies before the one with a key, so that no commit has it."""
        row = stream.row
        assert row is not None
        if stream.table.key == stream.table.order:
            return bool(row[stream.key] < key)
        query = f"SELECT 1 FROM {stream.table.name} WHERE {stream.table.key} = ?"
        return self._raw.execute(query, (key,)).fetchone() is not None

    def _add(self, stream: _Stream, row: Row) -> None:
        self._differ_added(stream, row)
        self._count()
        stream.skip()

    def _differ_added(self, stream: _Stream, row: Row) -> None:
        key = row[stream.key]
        self._differ(
            stream.table.name,
            key,
            f"{self._what(stream, row)} is in no commit: it was added by something else than "
            "Sprue, or the chain was cut short",
        )

    def _compare_ledger(self) -> None:
        stream = _Stream(self._raw, LEDGER, _Piece())
        while rows := stream.ahead(PIECE_ROWS):
            for row in rows:
                expected = self.ledger.pop(row[stream.key], None)
                if expected is None:
                    self._differ_added(stream, row)
                elif stream.digest(row) != expected:
                    self._differ(
                        LEDGER.name,
                        row[stream.key],
                        f"{self._what(stream, row)} is not as it was last written",
                    )
            self._count(len(rows))
            stream.skip(len(rows))
        for key in self.ledger:
            self._differ(LEDGER.name, key, f"ledger: row {key} is missing: it was removed")

    def _what(self, stream: _Stream, row: Row) -> str:
        """A row in words: table, id, and where it has them machine, counter and time."""
        by_name = dict(zip(stream.names, row, strict=True))
        words = [f"{stream.table.name}: row {row[stream.key]}"]
        if (machine := by_name.get("machine_id")) is not None:
            words.append(str(self._machines.get(machine, f"machine {machine}")))
        for name in ("counter", "first"):
            if by_name.get(name) is not None:
                words.append(f"{name} {by_name[name]}")
        for name in ("time_ns", "at_ns", "since_ns"):
            value = by_name.get(name)
            if isinstance(value, int):
                try:
                    words.append(f"{from_ns(value):%Y-%m-%d %H:%M:%S} UTC")
                except (OverflowError, ValueError, OSError):
                    words.append(f"{name} {value}")
                break
        return ", ".join(words)

    def _count(self, rows: int = 1) -> None:
        before, self._rows = self._rows, self._rows + rows
        if before // EVERY_ROWS != self._rows // EVERY_ROWS:
            self._progress(self._rows)

    def _differ(self, table: str, row: int, words: str) -> None:
        self._differences.append(Difference(table=table, row=row, words=words))
        if len(self._differences) >= DIFFERENCES_MOST:
            raise _TooManyError
