"""Closings of a machine that several agents count in turn: whoever came first with one has it.

A row of the ledger covers counters of a segment. What another agent's row covers already is cut
out of it, whenever it comes: rows of an agent that was away, or did not know that another had taken
over, add what only they know, and nothing twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from agent import schema
from agent.plantrecord.tables import origin

COVERING = ("seen", "unobserved")
"""Rows of closings; a counter is in one of them. Others only correct these."""

SUMS = ("closings", "shots", "unobserved", "shots_min", "shots_max")

Stretch = tuple[int, int]


def uncovered(first: int, last: int, taken: Iterable[Stretch]) -> Iterator[Stretch]:
    """What is left of a stretch of counters.

    >>> list(uncovered(10, 20, [(12, 13), (18, 30)]))
    [(10, 11), (14, 17)]
    """
    for begin, end in sorted(taken):
        if begin > last:
            break
        if begin > first:
            yield first, begin - 1
        first = max(first, end + 1)
    if first <= last:
        yield first, last


def trimmed(
    connection: Connection, agent: str, values: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """A row of the ledger without the closings that other agents' rows hold; None: nothing is left.

    Args:
        connection: To the plant record, alone.
        agent: Whose row it is.
        values: Its columns.
    """
    first, last = values["first"], values["last"]
    if values["kind"] not in COVERING:
        others = list(_others(connection, agent, values, first, first))
        return None if others else values
    left = list(uncovered(first, last, _others(connection, agent, values, first, last)))
    if left == [(first, last)] or last < first:
        return values
    if not left:
        return None
    number = sum(end - begin + 1 for begin, end in left)
    share = number / (last - first + 1)
    shorter = {name: round(values[name] * share) for name in SUMS}
    if values["kind"] == "seen":
        shots = _shots(connection, values, left)
        shorter = dict.fromkeys(SUMS, shots) | {"closings": number, "unobserved": 0}
    else:
        shorter["closings"] = number
    cavities = values["cavities"]
    parts = None if cavities is None else shorter["shots"] * cavities
    return {**values, **shorter, "parts": parts, "first": left[0][0], "last": left[-1][1]}


def seen_after_all(connection: Connection, machine: int) -> None:
    """Correct rows of closings that nobody saw, where another agent's cycles have come since."""
    run, cycle, late = schema.run, schema.cycle, schema.run.alias("late")
    done = select(late.c.id).where(
        late.c.machine_id == machine,
        late.c.segment == run.c.segment,
        late.c.kind == "seen_late",
        late.c.first == cycle.c.counter,
    )
    query = (
        select(run, cycle.c.counter, cycle.c.closing, cycle.c.time_ns)
        .join(cycle, (cycle.c.machine_id == run.c.machine_id) & (cycle.c.segment == run.c.segment))
        .where(
            run.c.machine_id == machine,
            run.c.kind == "unobserved",
            cycle.c.counter.between(run.c.first, run.c.last),
            ~done.exists(),
        )
    )
    for row in connection.execute(query).mappings().all():
        shots = -1 if row["closing"] == "dry" else 0
        cavities = row["cavities"]
        values = {name: row[name] for name in ("mold_id", "revision", "resin", "cavities")} | {
            "machine_id": machine,
            "segment": row["segment"],
            "kind": "seen_late",
            "first": row["counter"],
            "last": row["counter"],
            "closings": 0,
            "shots": shots,
            "unobserved": -1,
            "shots_min": shots,
            "shots_max": shots,
            "parts": None if cavities is None else shots * cavities,
            "since_ns": row["time_ns"],
            "until_ns": row["time_ns"],
            "evidence": "another agent saw it",
        }
        connection.execute(insert(run).values(**values).on_conflict_do_nothing())


def _others(
    connection: Connection, agent: str, values: Mapping[str, Any], first: int, last: int
) -> Iterator[Stretch]:
    run = schema.run
    mine = select(origin.c.plant_id).where(origin.c.agent == agent, origin.c.kind == run.name)
    query = select(run.c.first, run.c.last).where(
        run.c.machine_id == values["machine_id"],
        run.c.segment == values["segment"],
        run.c.kind.in_(COVERING),
        run.c.first <= last,
        run.c.last >= first,
        run.c.id.not_in(mine),
    )
    for row in connection.execute(query):
        yield row.first, row.last


def _shots(connection: Connection, values: Mapping[str, Any], left: Iterable[Stretch]) -> int:
    cycle, shots = schema.cycle, 0
    for begin, end in left:
        query = select(func.count()).where(
            cycle.c.machine_id == values["machine_id"],
            cycle.c.segment == values["segment"],
            cycle.c.counter.between(begin, end),
            cycle.c.closing == "shot",
        )
        shots += int(connection.execute(query).scalar_one())
    return shots
