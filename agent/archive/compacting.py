"""Moving cycles of closed months to Parquet files, a file at a time, while the agent runs.

A file is written, forced to the disk, read back and compared; then one transaction writes it down
and removes its rows from the record. A kill before that leaves a file that nobody knows of, which
the next run removes; there is no moment at which a cycle is in neither, or in both.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, insert, select, text

from agent import schema
from agent.archive.catalogue import archive_folder, archived, file_name
from agent.archive.closings import Closings, encode
from agent.archive.looking import alone, looking
from agent.archive.parquet import ArchiveError, library, sha256_of, sync_folder, write
from agent.audit import Author, change, note
from agent.chain import Row, text_as_bytes
from agent.files import main_path
from agent.rows import to_ns

Progress = Callable[[int], None]

ROWS_MOST = 50_000
"""Cycles in one file: removing them holds up the agent's writer for some tenths of a second."""

STAY = 1000
"""Newest cycles of every machine that stay, however old: the agent goes on from them."""

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Cycles of a machine in a closed month that can be moved."""

    machine: str
    machine_id: int
    month: str
    cycles: int
    up_to: int
    """Id of the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be moved, and what stays although its month is closed."""

    closed: Sequence[Closed]
    waiting: int
    """Cycles of closed months that a sink has not been told of yet."""

    @property
    def cycles(self) -> int:
        """How many would be moved."""
        return sum(each.cycles for each in self.closed)


def end_of_closed(now: datetime, after: timedelta) -> datetime:
    """The end of the last month that ended long enough ago: the first instant that stays.

    >>> end_of_closed(datetime(2026, 11, 25, tzinfo=UTC), timedelta(days=90)).isoformat()
    '2026-08-01T00:00:00+00:00'
    """
    at = (now - after).astimezone(UTC)
    return datetime(at.year, at.month, 1, tzinfo=UTC)


def plan(url: str, before: datetime) -> Plan:
    """Look at what can be moved; changes nothing.

    Args:
        url: Of the record.
        before: The end of the last month that may move; `end_of_closed` says it.

    Raises:
        RecordError: there is no such record, or it can't be read.
    """
    with looking(main_path(url)) as connection:
        return _plan(connection, before)


def _plan(connection: Connection, before: datetime) -> Plan:
    told = _told_up_to(connection)
    newest = int(connection.execute(text("SELECT coalesce(max(id), 0) FROM cycle")).scalar_one())
    closed, waiting = [], 0
    for key, name in connection.execute(select(schema.machine.c.id, schema.machine.c.name)).all():
        staying = connection.execute(
            text(
                f"SELECT id FROM cycle WHERE machine_id = :m ORDER BY id DESC LIMIT 1 OFFSET {STAY}"
            ),
            {"m": key},
        ).scalar()
        if staying is None:
            continue
        up_to = min(int(staying), newest - 1)
        months = connection.execute(
            text(
                "SELECT strftime('%Y-%m', time_ns / 1000000000, 'unixepoch') AS month, "
                "sum(id <= :told) AS told, count(*) AS n FROM cycle "
                "WHERE machine_id = :m AND time_ns < :before AND id <= :up_to "
                "GROUP BY month ORDER BY month"
            ),
            {"m": key, "before": to_ns(before), "up_to": up_to, "told": told},
        ).all()
        for month, can, n in months:
            waiting += n - can
            if can:
                closed.append(
                    Closed(
                        machine=name, machine_id=key, month=month, cycles=can,
                        up_to=min(up_to, told),
                    )
                )  # fmt: skip
    return Plan(closed=sorted(closed, key=lambda each: (each.month, each.machine)), waiting=waiting)


def _told_up_to(connection: Connection) -> int:
    """The last cycle that every configured sink has been told of."""
    lane, sink = schema.lane, schema.sink
    query = (
        select(lane.c.after)
        .join(sink, sink.c.name == lane.c.sink)
        .where(sink.c.configured == 1, lane.c.topic.in_(("cycles", "curves")))
    )
    return min(connection.execute(query).scalars(), default=2**62)


def compact(
    url: str, before: datetime, author: Author, progress: Progress = lambda cycles: None
) -> int:
    """Move all that can be moved.

    Args:
        url: Of the record.
        before: The end of the last month that may move.
        author: Who wants it; stands in the audit log, a row a file.
        progress: Told how many cycles were moved.

    Returns:
        How many cycles were moved.

    Raises:
        RecordError: there is no such record, it can't be used, or a library is not installed.
        ArchiveError: the disk refused; what was moved until then is moved.
    """
    library("pyarrow", "written")
    main, moved = main_path(url), 0
    folder = archive_folder(main)
    with _disk(folder):
        folder.mkdir(exist_ok=True)
        with alone(folder):
            _remove_unknown(main, folder)
            for closed in plan(url, before).closed:
                while taken := _move(url, main, closed, before, author):
                    moved += taken
                    progress(moved)
            _write_manifests(main, folder)
    return moved


def _move(url: str, main: Path, closed: Closed, before: datetime, author: Author) -> int:
    """Move a file's worth of a machine's month; how many cycles that was."""
    names, rows = _rows(main, closed, before)
    if not rows:
        return 0
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    ids, times, counters, segments = (
        columns[name] for name in ("id", "time_ns", "counter", "segment")
    )
    name = file_name(closed.month, closed.machine, ids[0], ids[-1])
    path = archive_folder(main) / name
    write(path, names, rows)
    kept = Closings(
        ids=np.array(ids, np.int64),
        segments=np.array(segments, np.int64),
        counters=np.array(counters, np.int64),
        times_ns=np.array(times, np.int64),
        shots=np.array([closing == b"shot" for closing in columns["closing"]], np.int64),
    )
    row = {
        "machine_id": closed.machine_id,
        "month": closed.month,
        "name": name,
        "size": path.stat().st_size,
        "sha256": sha256_of(path),
        "rows": len(rows),
        "first_id": ids[0],
        "last_id": ids[-1],
        "first_ns": min(times),
        "last_ns": max(times),
        "first_segment": min(segments),
        "last_segment": max(segments),
        "first_counter": min(counters),
        "last_counter": max(counters),
        "closings": encode(kept),
    }
    with change(url) as connection:
        new = {"cycles": len(rows), "month": closed.month, "file": name, "sha256": row["sha256"]}
        audit = note(connection, author, "move", "machine", closed.machine, new=new)
        connection.execute(insert(schema.archive_file).values(**row, audit_id=audit))
        _remove(connection, ids)
    return len(rows)


def _rows(main: Path, closed: Closed, before: datetime) -> tuple[list[str], list[Row]]:
    year, month = map(int, closed.month.split("-"))
    since = datetime(year, month, 1, tzinfo=UTC)
    until = min(before, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC))
    query = (
        "SELECT * FROM cycle WHERE machine_id = ? AND time_ns >= ? AND time_ns < ? AND id <= ? "
        f"ORDER BY id LIMIT {ROWS_MOST}"
    )
    with looking(main) as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        with text_as_bytes(raw):
            values = (closed.machine_id, to_ns(since), to_ns(until), closed.up_to)
            cursor = raw.execute(query, values)
            return [each[0] for each in cursor.description], cursor.fetchall()


def _remove(connection: Connection, ids: Sequence[int]) -> None:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    removed = raw.execute(
        "DELETE FROM cycle WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
    ).rowcount
    if removed != len(ids):
        raise ArchiveError("the record changed meanwhile: try again; nothing was moved")


def _remove_unknown(main: Path, folder: Path) -> None:
    """What a run that was killed left: files that the record does not know of."""
    with looking(main) as connection:
        known = {folder / each.name for each in archived(connection)}
    for path in (*folder.glob("month=*/*/*.parquet"), *folder.glob("month=*/*/*.unfinished")):
        if path not in known:
            path.unlink()


def _write_manifests(main: Path, folder: Path) -> None:
    """A manifest a month, for people and other programs; the record itself goes by its tables."""
    with looking(main) as connection:
        files = archived(connection)
    for month in sorted({each.month for each in files}):
        listed = [
            {
                "machine": each.machine,
                "file": each.name.partition("/")[2],
                "rows": each.rows,
                "first_id": each.first_id,
                "last_id": each.last_id,
                "size": each.size,
                "sha256": each.sha256,
            }
            for each in files
            if each.month == month
        ]
        body = {"month": month, "record": main.name, "schema": schema.VERSION, "files": listed}
        words = json.dumps(body, indent=2) + "\n"
        path = folder / f"month={month}" / MANIFEST
        if path.is_file() and path.read_text(encoding="utf-8") == words:
            continue
        unfinished = path.with_name(f"{MANIFEST}.unfinished")
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(words)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        sync_folder(path.parent)


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        with suppress(OSError):
            for path in folder.glob("month=*/*/*.unfinished"):
                path.unlink()
        raise ArchiveError(f"{error.filename or folder}: {error.strerror or error}") from error
