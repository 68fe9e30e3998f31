"""Molds from the configuration: the file seeds, people change, and a start never undoes a person.

What the file says of a mold is taken at every start, field by field, as long as no person has
changed that field; a new revision in the file is a re-cut.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from agent import schema
from agent.audit import Author
from agent.batch import MoldRow
from agent.molds.desk import Desk
from agent.molds.shelf import read_molds

ORIGIN = "configuration"


def seed(connection: Connection, rows: Sequence[MoldRow], author: Author) -> None:
    """Make the configured molds known.

    Args:
        connection: Within a transaction that may write.
        rows: What the file says.
        author: Its origin is `ORIGIN`.
    """
    if not rows:
        return
    desk, known = Desk(connection, author), read_molds(connection)
    by_people = _changed_by_people(connection)
    for row in rows:
        said = {key: value for key, value in row.fields.items() if value is not None}
        mold = known.get(row.name)
        if mold is None or not mold.registered:
            desk.add(row.name, said, revision=row.revision)
            continue
        theirs = by_people.get(row.name, set())
        desk.edit(row.name, {key: value for key, value in said.items() if key not in theirs})
        had = {each.name for each in mold.revisions}
        if "revision" not in theirs and row.revision not in had:
            desk.revise(row.name, revision=row.revision, reason="the configuration says so")


def _changed_by_people(connection: Connection) -> dict[str, set[str]]:
    """Which fields of which mold a person has said anything of."""
    audit = schema.audit
    query = select(audit.c.subject, audit.c.new).where(
        audit.c.kind == "mold",
        audit.c.action.in_(("add", "edit", "revise")),
        audit.c.origin != ORIGIN,
    )
    found: dict[str, set[str]] = {}
    for row in connection.execute(query):
        new: Mapping[str, Any] = json.loads(row.new or "{}")
        found.setdefault(row.subject, set()).update(new)
    return found
