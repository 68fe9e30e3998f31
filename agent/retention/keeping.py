"""What of a record is older than it has to be kept, what keeps it all the same, and letting it go.

By whole months: the curves' file of one, and the Parquet files of moved cycles. Each is archived,
checked, written down as gone in one transaction with a last look for holds, and only then removed.
"""

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from agent import schema
from agent.archive.catalogue import ArchiveFile, archive_folder, archived
from agent.archive.looking import alone
from agent.archive.parquet import sha256_of, sync_folder
from agent.audit import Author, change, note
from agent.copying import CopyError, copy_database
from agent.ending import CommandError
from agent.files import curve_files, main_path
from agent.history import Filter, History, open_history
from agent.retention.holds import Hold, active
from agent.retention.settings import RetentionSettings
from agent.rows import to_ns


class RetentionError(CommandError):
    """Something can't be let go of; the message says what and why. What went before is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One month of one kind that is older than it has to be kept."""

    kind: str
    """`curves`, `cycles`, `audit`."""
    month: str
    machine: str | None
    """None: all of them."""
    rows: int
    """Cycles, or rows."""
    size: int
    """Bytes."""
    path: Path | None
    """Its file."""
    file: ArchiveFile | None = None
    stays: str = ""
    """Why it stays all the same; empty where it goes."""


def plan(
    url: str, settings: RetentionSettings, sinks: Collection[str], curve_sinks: Collection[str],
    now: datetime,
) -> list[Item]:  # fmt: skip
    """Everything that is old enough to go, each with why it stays where it does.

    Args:
        url: Of the record.
        settings: How long each kind is kept.
        sinks: Names of those that are configured.
        curve_sinks: Those of them that take curves.
        now: UTC.

    Raises:
        RecordError: the record can't be read, or a file of moved cycles.
    """
    with open_history(url) as history, history.connect() as connection:
        held = active(connection)
        looking = _Looking(
            history=history,
            main=main_path(url),
            held=held,
            told={
                "curves": _told(connection, "curves", curve_sinks),
                "cycles": _told(connection, "cycles", sinks),
            },
        )
        return [
            *looking.curves(connection, _end(now, settings.curves_days)),
            *looking.cycles(connection, _end(now, settings.cycles_days)),
            *_audit(connection, now - timedelta(days=settings.audit_days)),
        ]


def apply(
    url: str, items: Sequence[Item], archive: Path | None, author: Author,
    step: Callable[[str], None] = lambda what: None,
) -> list[Item]:  # fmt: skip
    """Let go of what goes.

    Args:
        url: Of the record.
        items: As `plan` found them; those that stay are left alone.
        archive: Where they are put before; None: they are removed for good.
        author: Who wants it; stands in the audit log, a row a file.
        step: Told what is being done.

    Returns:
        What is gone.

    Raises:
        RecordError: the record can't be written to.
        RetentionError: the archive can't be written, or a file is not what it was.
    """
    main = main_path(url)
    gone = []
    folder = archive_folder(main)
    folder.mkdir(exist_ok=True)
    with alone(folder):
        for item in items:
            if item.stays or item.path is None:
                continue
            step(f"{item.kind} of {item.month} {item.machine or ''}".strip())
            try:
                target = _archive(main, item, archive)
                if _write_down(url, item, target, author):
                    item.path.unlink(missing_ok=True)
                    for end in ("-wal", "-shm"):
                        item.path.with_name(f"{item.path.name}{end}").unlink(missing_ok=True)
                    gone.append(item)
            except CopyError as error:
                raise RetentionError(str(error)) from error
            except OSError as error:
                raise RetentionError(f"{error.filename}: {error.strerror}") from error
    return gone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looking:
    history: History
    main: Path
    held: Sequence[Hold]
    told: dict[str, int | None]
    """By topic: the last cycle that all sinks were told of; None where no sink takes it."""

    def curves(self, connection: Connection, before: datetime) -> Iterator[Item]:
        for path in curve_files(self.main):
            month = path.name.removesuffix(".curves.db")[-7:]
            since, until = _month(month)
            if until > before:
                continue
            wanted = Filter(since=since, until=until)
            yield Item(
                kind="curves",
                month=month,
                machine=None,
                rows=self.history.count(wanted),
                size=path.stat().st_size,
                path=path,
                stays=self._stays(connection, "curves", None, since, until),
            )

    def cycles(self, connection: Connection, before: datetime) -> Iterator[Item]:
        for file in archived(connection):
            since, until = _month(file.month)
            if until > before:
                continue
            yield Item(
                kind="cycles",
                month=file.month,
                machine=file.machine,
                rows=file.rows,
                size=file.size,
                path=archive_folder(self.main) / file.name,
                file=file,
                stays=self._stays(connection, "cycles", file.machine, since, until),
            )
        cycle, machine = schema.cycle, schema.machine
        month = func.strftime("%Y-%m", cycle.c.time_ns / 1_000_000_000, "unixepoch").label("month")
        query = (
            select(machine.c.name, month, func.count())
            .join(machine, machine.c.id == cycle.c.machine_id)
            .where(cycle.c.time_ns < to_ns(before))
            .group_by(machine.c.name, month)
            .order_by(month, machine.c.name)
        )
        for name, of, n in connection.execute(query):
            words = "it is in the record itself: only what 'sprue compact' has moved goes"
            yield Item(
                kind="cycles", month=of, machine=name, rows=n, size=0, path=None, stays=words
            )

    def _stays(
        self, connection: Connection, topic: str, machine: str | None, since: datetime,
        until: datetime,
    ) -> str:  # fmt: skip
        for hold in self.held:
            wanted = hold.within(machine, since, until)
            if wanted is not None and self.history.count(wanted):
                return str(hold)
        told = self.told[topic]
        if told is not None and _untold(connection, told, machine, since, until):
            return "a sink was not told of all of it yet"
        return ""


def _told(connection: Connection, topic: str, sinks: Collection[str]) -> int | None:
    lane = schema.lane
    query = select(lane.c.sink, func.min(lane.c.after)).where(lane.c.topic == topic)
    reached = {name: int(at) for name, at in connection.execute(query.group_by(lane.c.sink))}
    return min((reached.get(name, 0) for name in sinks), default=None)


def _untold(
    connection: Connection, told: int, machine: str | None, since: datetime, until: datetime
) -> bool:
    span = to_ns(since), to_ns(until)
    if any(
        each.last_id > told
        for each in archived(connection, machine_name=machine, since_ns=span[0], until_ns=span[1])
    ):
        return True
    cycle = schema.cycle
    query = select(cycle.c.id).where(
        cycle.c.id > told, cycle.c.time_ns >= span[0], cycle.c.time_ns < span[1]
    )
    if machine is not None:
        key = select(schema.machine.c.id).where(schema.machine.c.name == machine)
        query = query.where(cycle.c.machine_id == key.scalar_subquery())
    return connection.execute(query.limit(1)).first() is not None


def _audit(connection: Connection, before: datetime) -> Iterator[Item]:
    query = select(func.count()).where(schema.audit.c.at_ns < to_ns(before))
    if n := int(connection.execute(query).scalar_one()):
        words = "the audit log is never cut: what the molds' lives are rests on it"
        yield Item(
            kind="audit", month=f"before {before:%Y-%m}", machine=None, rows=n, size=0, path=None,
            stays=words,
        )  # fmt: skip


def _archive(main: Path, item: Item, archive: Path | None) -> tuple[Path | None, str]:
    """Copy a file to where it is archived, on the disk on return; where, and its SHA-256."""
    assert item.path is not None
    sha256 = item.file.sha256 if item.file else ""
    if archive is None:
        return None, sha256
    name = item.path.relative_to(main.parent)
    target = archive / name
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.unfinished")
    if item.file is None:
        copy_database(item.path, unfinished)
        sha256 = sha256_of(unfinished)
    else:
        with item.path.open("rb") as reading, unfinished.open("wb") as writing:
            shutil.copyfileobj(reading, writing)
            writing.flush()
            os.fsync(writing.fileno())
        if sha256_of(unfinished) != sha256:
            unfinished.unlink()
            raise RetentionError(
                f"{item.path} is not what was written to it, and stays: 'sprue verify' says more"
            )
    unfinished.replace(target)
    sync_folder(target.parent)
    return target, sha256


def _write_down(url: str, item: Item, archived_as: tuple[Path | None, str], author: Author) -> bool:
    """Make it gone for the record; False where somebody has set a hold on it meanwhile."""
    target, sha256 = archived_as
    since, until = _month(item.month)
    with change(url) as connection:
        for hold in active(connection):
            if author.at <= (hold.at or author.at) and hold.within(item.machine, since, until):
                return False
        new = {
            "kind": item.kind,
            "month": item.month,
            "cycles": item.rows,
            "archived": str(target) if target else None,
            "sha256": sha256 or None,
        }
        audit = note(connection, author, "retire", "record", item.machine or "curves", new=new)
        if item.file is not None:
            gone = insert(schema.archive_retired).values(file_id=item.file.number, audit_id=audit)
        else:
            gone = insert(schema.curves_retired).values(month=item.month, audit_id=audit)
        connection.execute(gone)
    return True


def _end(now: datetime, days: int) -> datetime:
    return (now - timedelta(days=days)).astimezone(UTC)


def _month(month: str) -> tuple[datetime, datetime]:
    """The first instant of a month and of the next one, UTC.

    >>> [f"{each:%Y-%m-%d}" for each in _month("2026-12")]
    ['2026-12-01', '2027-01-01']
    """
    year, number = map(int, month.split("-"))
    carry, last = divmod(number, 12)
    return datetime(year, number, 1, tzinfo=UTC), datetime(year + carry, last + 1, 1, tzinfo=UTC)
