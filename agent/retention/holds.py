"""Holds: what must not be removed while somebody needs it, whatever its age."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from agent import schema
from agent.audit import Author, note
from agent.ending import CommandError
from agent.history import Filter
from agent.rows import from_ns, to_ns


class HoldError(CommandError):
    """A hold that can't be set or released; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What is held; what is None does not matter."""

    number: int = 0
    machine: str | None = None
    mold: str | None = None
    """That cycles count on now."""
    job: str | None = None
    since: datetime | None = None
    """End of cycle at or after."""
    until: datetime | None = None
    """End of cycle before."""
    who: str = ""
    why: str = ""
    at: datetime | None = None
    released_at: datetime | None = None
    released_by: str | None = None
    released_why: str | None = None

    def within(self, machine: str | None, since: datetime, until: datetime) -> Filter | None:
        """What it holds of a machine's (None: any's) cycles of a time; None where that is none."""
        if None not in (machine, self.machine) and machine != self.machine:
            return None
        first = max(since, self.since) if self.since else since
        end = min(until, self.until) if self.until else until
        if first >= end:
            return None
        return Filter(
            machine=machine or self.machine, mold=self.mold, job=self.job, since=first, until=end
        )

    def __str__(self) -> str:
        return f"hold {self.number} ({self.who}: {self.why})"


def add_hold(connection: Connection, author: Author, hold: Hold) -> int:
    """Set a hold; its number.

    Raises:
        HoldError: it says not what or not why, or names what the record does not know.
    """
    if not hold.why.strip():
        raise HoldError("say why it is held: --why TEXT")
    what = (hold.machine, hold.mold, hold.job, hold.since, hold.until)
    if not any(what):
        raise HoldError("say what is held: --mold, --job, --machine, --since or --until")
    for table, name in ((schema.machine, hold.machine), (schema.mold, hold.mold)):
        if name is not None:
            query = select(table.c.id).where(table.c.name == name)
            if connection.execute(query).first() is None:
                raise HoldError(f"the record knows no {table.name} {name!r}")
    if hold.since and hold.until and hold.since >= hold.until:
        raise HoldError("a hold's end should be after its beginning")
    said = {
        "machine": hold.machine,
        "mold": hold.mold,
        "job": hold.job,
        "since_ns": to_ns(hold.since) if hold.since else None,
        "until_ns": to_ns(hold.until) if hold.until else None,
        "why": hold.why,
    }
    audit = note(connection, author, "hold", "record", hold.why[:80], new=said)
    values = {**said, "who": author.who, "at_ns": to_ns(author.at), "audit_id": audit}
    key = connection.execute(insert(schema.hold).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def release(connection: Connection, author: Author, number: int, why: str) -> None:
    """End a hold.

    Raises:
        HoldError: there is none of that number, it was released already, or nobody says why.
    """
    if not why.strip():
        raise HoldError("say why it is released: --why TEXT")
    found = next((each for each in holds(connection) if each.number == number), None)
    if found is None:
        raise HoldError(f"there is no hold {number}; 'sprue hold list' lists them")
    if found.released_at is not None:
        raise HoldError(f"hold {number} was released by {found.released_by} already")
    audit = note(connection, author, "release", "record", found.why[:80], new={"hold": number})
    values = {"who": author.who, "why": why, "at_ns": to_ns(author.at), "audit_id": audit}
    connection.execute(insert(schema.hold_release).values(hold_id=number, **values))


def holds(connection: Connection) -> Iterator[Hold]:
    """All that ever were, in order."""
    hold, ended = schema.hold, schema.hold_release
    query = (
        select(
            hold, ended.c.at_ns.label("ended_ns"), ended.c.who.label("ended_by"),
            ended.c.why.label("ended_why"),
        )
        .select_from(hold.outerjoin(ended, ended.c.hold_id == hold.c.id))
        .order_by(hold.c.id)
    )  # fmt: skip
    for row in connection.execute(query):
        yield Hold(
            number=row.id,
            machine=row.machine,
            mold=row.mold,
            job=row.job,
            since=_time(row.since_ns),
            until=_time(row.until_ns),
            who=row.who,
            why=row.why,
            at=_time(row.at_ns),
            released_at=_time(row.ended_ns),
            released_by=row.ended_by,
            released_why=row.ended_why,
        )


def active(connection: Connection) -> list[Hold]:
    """Those that were not released."""
    return [each for each in holds(connection) if each.released_at is None]


def _time(ns: Any) -> datetime | None:
    return None if ns is None else from_ns(ns)
