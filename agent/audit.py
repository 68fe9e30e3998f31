"""What people change in the record, by whatever way: one short transaction, and who it was.

A command or a page writes while the agent runs, from another process or beside it; the agent looks
whether the newest audit id has changed, and takes in what is new.
"""

import getpass
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, create_engine, event, insert, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from agent import schema
from agent.chain import cover
from agent.copying import told
from agent.files import RecordError, begin_immediate, is_plant, main_path
from agent.history import refuse_other_version
from agent.rows import to_ns

BUSY_MS = 10_000
"""How long the agent's own commit may hold us up; it takes milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who changes something, and from where."""

    who: str
    origin: str = "command line"
    at: datetime
    """UTC."""
    wish: str | None = None
    """What two tries of the same thing have in common, so that it is done once."""


def login_name() -> str:
    """Who sits at this computer, where nobody says otherwise."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


@contextmanager
def change(url: str) -> Iterator[Connection]:
    """One transaction on a record that exists; kept as a whole, or not at all where it fails.

    Raises:
        RecordError: there is no such record, it is of another version, or it is busy for too long.
    """
    if is_plant(url):
        from agent.plantrecord.reading import change_plant

        with change_plant(url) as connection:
            yield connection
        return
    path = main_path(url)
    if not path.is_file():
        raise RecordError(f"record: there is no {path}; 'sprue run' makes it")
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    event.listen(engine, "connect", _tune)
    event.listen(engine, "begin", begin_immediate)
    try:
        with engine.begin() as connection:
            refuse_other_version(connection, path)
            cover(connection, found=True)
            yield connection
            cover(connection)
    except DatabaseError as error:
        raise RecordError(f"record: {told(path, error.orig or error)}") from error
    finally:
        engine.dispose()


def note(
    connection: Connection,
    author: Author,
    action: str,
    kind: str,
    subject: str,
    *,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
) -> int:
    """Write down who changes what; the id of the audit row.

    Args:
        connection: Of `change`.
        author: Who, from where, when.
        action: A verb.
        kind: Of what is changed: `mold`, `anomaly`, ...
        subject: Its name.
        old: As it was, where that is not plain from what stays in the record.
        new: As it is now.
    """
    row = {
        "at_ns": to_ns(author.at),
        "who": author.who,
        "origin": author.origin,
        "action": action,
        "kind": kind,
        "subject": subject,
        "old": json.dumps(old, default=str) if old is not None else None,
        "new": json.dumps(new, default=str) if new is not None else None,
        "wish": author.wish,
    }
    key = connection.execute(insert(schema.audit).values(**row)).inserted_primary_key
    assert key is not None
    return int(key[0])


def was_done(connection: Connection, wish: str) -> bool:
    """Whether what came with this wish stands in the audit log already."""
    query = select(schema.audit.c.id).where(schema.audit.c.wish == wish).limit(1)
    return connection.execute(query).first() is not None


def _tune(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        "synchronous=FULL",
        "foreign_keys=ON",
        "wal_autocheckpoint=0",  # the agent's own connection does that
    ):
        connection.execute(f"PRAGMA {pragma}")
