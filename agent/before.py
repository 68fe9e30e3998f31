"""What a record knows of a machine: where its line goes on, after whatever ended it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from agent.batch import Blind, Saved
from agent.cycle import Booked, Curve
from agent.history import cycles_since, standing_of
from agent.rows import from_ns
from agent.schema import blind, machine, saved
from agent.stages import WATCH
from agent.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What the record knew of a machine when it was asked."""

    standing: Standing
    seen_at: datetime | None
    blind: Blind | None
    """The interval that was open when its line ended."""
    memory: Sequence[Saved] = ()
    """What the watch remembers."""
    since: Sequence[Booked] = ()
    """Cycles that came after those that the memory has taken."""
    told: bool = False
    """By the plant record, of what another agent did: our own lacks its segment and its mount."""


def unknown() -> Before:
    """Of a machine that the record has never heard of."""
    return Before(standing=Standing(), seen_at=None, blind=None)


def read_before(
    connection: Connection,
    name: str,
    curves: Callable[[Booked], Mapping[str, Curve]],
    *,
    told: bool = False,
) -> Before | None:
    """How a machine stands by a record; None where the record does not know it.

    Args:
        connection: To the record.
        name: Of the machine.
        curves: Reads those of a cycle.
        told: Whether it is the plant record that says so.
    """
    row = connection.execute(select(machine).where(machine.c.name == name)).first()
    if row is None:
        return None
    open_ = connection.execute(
        select(blind).where(blind.c.machine_id == row.id, blind.c.until_ns.is_(None))
    ).first()
    remembered = select(saved).where(saved.c.machine_id == row.id, saved.c.stage.startswith(WATCH))
    memory = [
        Saved(stage=each.stage, body=each.body, segment=each.segment, counter=each.counter)
        for each in connection.execute(remembered)
    ]
    return Before(
        standing=standing_of(connection, name),
        seen_at=from_ns(row.seen_ns) if row.seen_ns is not None else None,
        blind=Blind(
            machine=name,
            since=from_ns(open_.since_ns),
            until=None,
            cause=open_.cause,
            why=open_.why,
        )
        if open_
        else None,
        memory=memory,
        since=[
            booked
            for each in memory
            if each.stage == WATCH
            for booked in cycles_since(connection, name, each, curves)
        ],
        told=told,
    )
