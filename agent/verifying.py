"""Reading a record against its hash chain: every row as it was written, and no other.

Rows and chain are read side by side, in one transaction, so that the agent may write meanwhile and
memory stays small: rows of a table lie in the chain in the order of their ids.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from agent.chain import COVERED, LEDGER, Covered, Row, digester, link_hash, text_as_bytes
from agent.copying import told
from agent.files import RecordError, main_path, reader
from agent.history import refuse_other_version
from agent.rows import from_ns

Progress = Callable[[int], None]

EVERY_ROWS = 10_000
"""How often progress is told."""

DIFFERENCES_MOST = 20
"""One that is broken at the start differs everywhere; the first ones say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is not as it was written."""

    table: str
    row: int
    """Its id."""
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


def verify(url: str, progress: Progress = lambda rows: None) -> Verdict:
    """Compare every covered row of a record with the chain.

    Args:
        url: Of the record.
        progress: Told how many rows have been compared.

    Raises:
        RecordError: there is none, it is another version's, or its file can't be read.
    """
    path = main_path(url)
    engine = reader(path)
    try:
        with engine.connect() as connection:
            refuse_other_version(connection, path)
            connection.rollback()
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.isolation_level = None
            raw.execute("BEGIN")
            with text_as_bytes(raw):
                return _Verifying(raw, progress).verdict()
    except sqlite3.DatabaseError as error:
        raise RecordError(f"record: {told(path, error)}") from error
    finally:
        engine.dispose()


class _Stream:
    """A table's rows in their order, one ahead."""

    def __init__(self, raw: sqlite3.Connection, table: Covered) -> None:
        self.table = table
        cursor = raw.execute(f"SELECT * FROM {table.name} ORDER BY {table.order}")
        self.names = tuple(each[0] for each in cursor.description)
        self.digest = digester(table.name, self.names)
        self.key = self.names.index(table.key)
        self._rows = cursor
        self.row: Row | None = next(cursor, None)

    def next(self) -> None:
        self.row = next(self._rows, None)


class _Verifying:
    def __init__(self, raw: sqlite3.Connection, progress: Progress) -> None:
        self._raw = raw
        self._progress = progress
        self._machines = {
            key: name.decode("utf-8", "replace")
            for key, name in raw.execute("SELECT id, name FROM machine")
        }
        self._streams = {
            table.name: _Stream(raw, table) for table in COVERED if table is not LEDGER
        }
        self._ledger: dict[int, str] = {}
        self._differences: list[Difference] = []
        self._rows = 0
        self._commits = 0
        self._head = ""

    def verdict(self) -> Verdict:
        try:
            for commit in self._links():
                self._compare(commit)
            self._compare_ledger()
            for stream in self._streams.values():
                while stream.row is not None:
                    self._add(stream, stream.row)
        except _TooManyError:
            pass
        self._progress(self._rows)
        return Verdict(
            rows=self._rows,
            commits=self._commits,
            head=self._head,
            differences=tuple(self._differences),
        )

    def _links(self) -> Iterator[dict[str, Any]]:
        """The bodies of the chain's rows; one that was altered is told, and passed over."""
        query = "SELECT id, at_ns, previous, reached, body, hash FROM chain ORDER BY id"
        for each in self._raw.execute(query):
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
                self._ledger.update((key, digest) for key, digest in entries)
                continue
            stream = self._streams.get(name)
            if stream is None:
                continue  # an altered row of the chain, which was told
            for key, digest in entries:
                self._expect(stream, key, digest, found=commit["found"])

    def _expect(self, stream: _Stream, key: int, digest: str, *, found: bool) -> None:
        name = stream.table.name
        while stream.row is not None and stream.row[stream.key] != key:
            if not self._comes_first(stream, key):
                break
            self._add(stream, stream.row)
        row = stream.row
        if row is None or row[stream.key] != key:
            self._differ(name, key, f"{name}: row {key} is missing: it was removed")
            return
        if stream.digest(row) != digest:
            self._differ(name, key, f"{self._what(stream, row)} is not as it was written")
        elif found:
            words = "was added by something else than Sprue, or taken in from an older copy"
            self._differ(name, key, f"{self._what(stream, row)} {words}")
        self._count()
        stream.next()

    def _comes_first(self, stream: _Stream, key: int) -> bool:
        """Whether the stream's row lies before the one with a key, so that no commit has it."""
        row = stream.row
        assert row is not None
        if stream.table.key == stream.table.order:
            return bool(row[stream.key] < key)
        query = f"SELECT 1 FROM {stream.table.name} WHERE {stream.table.key} = ?"
        return self._raw.execute(query, (key,)).fetchone() is not None

    def _add(self, stream: _Stream, row: Row) -> None:
        key = row[stream.key]
        self._differ(
            stream.table.name,
            key,
            f"{self._what(stream, row)} is in no commit: it was added by something else than "
            "Sprue, or the chain was cut short",
        )
        self._count()
        stream.next()

    def _compare_ledger(self) -> None:
        stream = _Stream(self._raw, LEDGER)
        while (row := stream.row) is not None:
            expected = self._ledger.pop(row[stream.key], None)
            if expected is None:
                self._add(stream, row)
                continue
            if stream.digest(row) != expected:
                self._differ(
                    LEDGER.name,
                    row[stream.key],
                    f"{self._what(stream, row)} is not as it was last written",
                )
            self._count()
            stream.next()
        for key in self._ledger:
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

    def _count(self) -> None:
        self._rows += 1
        if self._rows % EVERY_ROWS == 0:
            self._progress(self._rows)

    def _differ(self, table: str, row: int, words: str) -> None:
        self._differences.append(Difference(table=table, row=row, words=words))
        if len(self._differences) >= DIFFERENCES_MOST:
            raise _TooManyError
