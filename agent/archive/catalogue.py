"""Which Parquet files hold the cycles that were moved, by the record's own word."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import ColumnElement, Connection, Select, func, select

from agent.schema import archive_file, archive_retired, machine

if TYPE_CHECKING:  # with numpy, which a list needs not
    from agent.archive.closings import Closings

NO_END = 2**62
"""Greater than any counter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFile:
    """One file of moved cycles: of one machine and month, and never written again."""

    number: int
    machine: str
    month: str
    """As `2026-03`, UTC."""
    name: str
    """Below the archive's folder."""
    size: int
    sha256: str
    rows: int
    first_id: int
    last_id: int
    first_ns: int
    last_ns: int
    """Times of the earliest and the latest cycle in it."""


def archive_folder(main: Path) -> Path:
    """Where the moved cycles of a main file lie."""
    return main.with_name(f"{main.stem}-cycles")


def file_name(month: str, machine_name: str, first_id: int, last_id: int) -> str:
    """A file's name below the folder: partitions as DuckDB, Spark and others read them.

    >>> file_name("2026-03", "IMM 01", 7, 1200)
    'month=2026-03/machine=IMM%2001/000000000007-000000001200.parquet'
    """
    place = f"month={month}/machine={quote(machine_name, safe='')}"
    return f"{place}/{first_id:012d}-{last_id:012d}.parquet"


def archived(
    connection: Connection,
    *,
    machine_name: str | None = None,
    machines: set[str] | None = None,
    since_ns: int | None = None,
    until_ns: int | None = None,
    segment: int | None = None,
    counters: tuple[int, int] | None = None,
    ids: tuple[int, int] | None = None,
    retired: bool = False,
) -> list[ArchiveFile]:
    """The files that may hold cycles asked for, in order of their first ids.

    Args:
        connection: To the main file.
        machine_name: Only a machine's.
        machines: Only these machines'.
        since_ns: Only with cycles at or after.
        until_ns: Only with cycles before.
        segment: Only with cycles of that segment, of whichever machine.
        counters: Only with cycles between the two, both included.
        ids: Only with cycles whose ids are between the two, both included.
        retired: Also those that retention has removed.
    """
    table = archive_file
    if connection.dialect.name != "sqlite":  # nothing is moved from a plant record
        return []
    query = _files()
    if machine_name is not None:
        query = query.where(machine.c.name == machine_name)
    if machines is not None:
        query = query.where(machine.c.name.in_(machines))
    if since_ns is not None:
        query = query.where(table.c.last_ns >= since_ns)
    if until_ns is not None:
        query = query.where(table.c.first_ns < until_ns)
    if segment is not None:
        query = query.where(table.c.first_segment <= segment, table.c.last_segment >= segment)
    if counters is not None:
        first, last = counters
        query = query.where(table.c.first_counter <= last, table.c.last_counter >= first)
    if ids is not None:
        query = query.where(table.c.first_id <= ids[1], table.c.last_id >= ids[0])
    if not retired:
        query = query.where(_there())
    return [_file(row) for row in connection.execute(query)]


def newest(connection: Connection) -> int:
    """Number of the newest file; another one whenever cycles were moved."""
    return int(
        connection.execute(select(func.coalesce(func.max(archive_file.c.id), 0))).scalar_one()
    )


def rows_of(connection: Connection) -> dict[str, int]:
    """How many cycles were moved, by machine; also those that retention has removed."""
    query = (
        select(machine.c.name, func.sum(archive_file.c.rows))
        .join(machine, machine.c.id == archive_file.c.machine_id)
        .group_by(machine.c.name)
    )
    return {name: int(rows) for name, rows in connection.execute(query)}


def closings_of(
    connection: Connection, machine_id: int, segment: int, first: int, last: int
) -> "Closings":
    """Moved cycles of a machine's segment between two counters, by their numbers."""
    from agent.archive.closings import decode, joined

    table = archive_file
    query = select(table.c.closings).where(
        table.c.machine_id == machine_id,
        table.c.first_segment <= segment,
        table.c.last_segment >= segment,
        table.c.first_counter <= last,
        table.c.last_counter >= first,
    )
    found = [decode(body) for body in connection.execute(query).scalars()]
    return joined([each.within(segment, first, last) for each in found])


def segment_with(connection: Connection, machine_id: int, first: int, last: int) -> int | None:
    """The newest segment of moved cycles with a counter between two, both included."""
    from agent.archive.closings import decode

    table = archive_file
    query = (
        select(table.c.closings)
        .where(
            table.c.machine_id == machine_id,
            table.c.first_counter <= last,
            table.c.last_counter >= first,
        )
        .order_by(table.c.last_segment.desc())
    )
    for body in connection.execute(query).scalars():
        found = decode(body)
        segments = found.segments[(found.counters >= first) & (found.counters <= last)]
        if len(segments):
            return int(segments.max())
    return None


def first_ns(connection: Connection, machine_name: str, segment: int, counter: int) -> int | None:
    """When the first moved cycle of a segment from a counter on ended."""
    from agent.archive.closings import decode

    table = archive_file
    query = (
        select(table.c.closings)
        .join(machine, machine.c.id == table.c.machine_id)
        .where(
            machine.c.name == machine_name,
            table.c.first_segment <= segment,
            table.c.last_segment >= segment,
            table.c.last_counter >= counter,
        )
        .order_by(table.c.first_counter)
    )
    for body in connection.execute(query).scalars():
        found = decode(body).within(segment, counter, NO_END)
        if len(found.ids):
            return int(found.times_ns[found.counters.argmin()])
    return None


def closings_in(connection: Connection, number: int) -> "Closings":
    """The cycles that one file holds, by their numbers."""
    from agent.archive.closings import decode

    query = select(archive_file.c.closings).where(archive_file.c.id == number)
    return decode(connection.execute(query).scalar_one())


def _there() -> ColumnElement[bool]:
    return archive_file.c.id.not_in(select(archive_retired.c.file_id))


def _files() -> Select[Any]:
    columns = [column for column in archive_file.c if column is not archive_file.c.closings]
    return (
        select(*columns, machine.c.name.label("machine"))
        .join(machine, machine.c.id == archive_file.c.machine_id)
        .order_by(archive_file.c.first_id)
    )


def _file(row: Any) -> ArchiveFile:
    return ArchiveFile(
        number=row.id,
        machine=row.machine,
        month=row.month,
        name=row.name,
        size=row.size,
        sha256=row.sha256,
        rows=row.rows,
        first_id=row.first_id,
        last_id=row.last_id,
        first_ns=row.first_ns,
        last_ns=row.last_ns,
    )
