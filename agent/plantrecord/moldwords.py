"""What agents' audit rows say of molds, taken into the plant record: the newest word counts."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from agent import schema

ACTIONS = ("add", "edit", "retire")


def take_mold(connection: Connection, row: Mapping[str, Any]) -> None:
    """Take what one change said of a mold, field by field, unless somebody said it later.

    Args:
        connection: Within a transaction, alone.
        row: An audit row, with the mold's columns as `mold_...`.
    """
    if row["action"] not in ACTIONS:
        return
    table, name = schema.mold, row["mold_name"]
    said: Mapping[str, Any] = json.loads(row["new"] or "{}")
    made = {
        "name": name,
        "revision": said.get("revision", row["mold_revision"]),
        "registered": 0,
    }
    connection.execute(insert(table).values(**made).on_conflict_do_nothing())
    fields = {
        key: row[f"mold_{key}"]
        for key in said
        if key in table.c and key not in _said_later(connection, row) | {"revision", "name"}
    }
    if row["action"] == "add":
        fields["registered"] = row["mold_registered"]
    if fields:
        connection.execute(table.update().where(table.c.name == name).values(**fields))


def _said_later(connection: Connection, row: Mapping[str, Any]) -> set[str]:
    audit = schema.audit
    query = select(audit.c.new).where(
        audit.c.kind == "mold",
        audit.c.subject == row["mold_name"],
        audit.c.action.in_(ACTIONS),
        audit.c.at_ns > row["at_ns"],
    )
    return {key for new in connection.execute(query).scalars() for key in json.loads(new or "{}")}
