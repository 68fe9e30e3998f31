"""Whose closings are, over all agents: found out where the rows of all of them are."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from agent import schema
from agent.audit import Author
from agent.molds.attributing import attribute_on
from agent.molds.desk import Desk
from agent.plantrecord.tables import origin
from agent.plantrecord.taking import Touched
from agent.plantrecord.topics import ELSEWHERE
from agent.rows import from_ns


def settle(connection: Connection, touched: Touched) -> None:
    """Attribute closings anew where something was said of them, and count services anew.

    Args:
        connection: Within the transaction that took the rows.
        touched: What they touched.
    """
    author = Author(who="sprue", origin=ELSEWHERE, at=datetime.now(UTC))
    moved = attribute_on(connection, author, touched.machines)
    if moved:
        _shots_at_services(connection, author, None, min(touched.machines.values()))
    elif touched.molds:
        _shots_at_services(connection, author, touched.molds, min(touched.molds.values()))


def _shots_at_services(
    connection: Connection, author: Author, molds: Iterable[int] | None, since_ns: int
) -> None:
    """An agent's entry says how many shots it had counted itself by then; here, all agents' are."""
    service, mold = schema.service, schema.mold
    theirs = select(origin.c.plant_id).where(origin.c.kind == service.name)
    query = (
        select(service.c.id, service.c.at_ns, service.c.shots, mold.c.name)
        .join(mold, mold.c.id == service.c.mold_id)
        .where(service.c.at_ns >= since_ns, service.c.id.in_(theirs))
    )
    if molds is not None:
        query = query.where(service.c.mold_id.in_(list(molds)))
    desk = Desk(connection, author)
    for row in connection.execute(query).all():
        shots = desk.shots_at(row.name, from_ns(row.at_ns))
        if shots != row.shots:
            connection.execute(service.update().where(service.c.id == row.id).values(shots=shots))
