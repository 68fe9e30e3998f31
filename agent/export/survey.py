"""What an export will hold, counted before a word of it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    case,
    cast,
    func,
    select,
)

from agent.context.choosing import resolved
from agent.export.coverage import Coverage, Moved, Recorded, by_machine, coverage, pieces_of
from agent.history import Asked, Filter, History, Span, filtered
from agent.rows import from_ns
from agent.schema import VALUE_COLUMNS, attribution, cycle, machine, mold, run
from drivers.signals import SIGNALS


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A selection as it stands: the same rows, however long it takes to write them."""

    wanted: Filter
    up_to: int
    """Id of the last cycle in the record; what comes later is not in it."""
    coverage: Sequence[Coverage]
    """By machine, in order of their names; of a lot, box or part, by stretch."""
    signals: Sequence[str]
    """Canonical ones that occur, in the vocabulary's order."""
    extras: Mapping[str, frozenset[str]]
    """Vendors' own by name, with the kinds of JSON value that they have."""

    rows: int
    """How many cycles there are."""


def survey(history: History, wanted: Filter, now: datetime) -> Survey:
    """Count what a selection holds, and what is missing in it.

    Args:
        history: The record, held if it is to be exported.
        wanted: Which cycles.
        now: Where a blind interval ends that lasts.
    """
    with history.connect() as connection:
        wanted = resolved(connection, wanted)
        up_to = _newest(connection, cycle)
        whole = _held(history, wanted, up_to)
        parts = [
            (each, [rows.recorded for rows in _held(history, each, up_to)])
            for each in _stretches(wanted)
        ] or [(wanted, [rows.recorded for rows in whole])]
        names = sorted(
            {each.machine for _, recorded in parts for each in recorded}
            | _others(connection, wanted)
        )
        extras = _extras(history, wanted, up_to)
        ids, moves = _ledger_ids(connection, names), _moves(connection)
    blinds = by_machine(history.blinds(wanted.machine, since=wanted.since))
    covered = []
    for name in names:
        rows = list(zip(ids[name], history.runs(name), strict=False))  # newer ones don't matter
        pieces = [
            piece
            for key, row in rows
            if row.kind in ("seen", "unobserved", "hidden")
            for piece in pieces_of(row, moves.get(key, ()))
        ]
        pieces.sort(key=lambda piece: (piece.run.segment, piece.run.since, piece.first))
        late = [row for _, row in rows if row.kind == "seen_late"]
        for part, recorded in parts:
            found = next((each for each in recorded if each.machine == name), None)
            if found is not None or wanted.spans is None:
                covered.append(coverage(part, name, found, pieces, late, blinds.get(name, ()), now))
    return Survey(
        wanted=wanted,
        up_to=up_to,
        coverage=covered,
        rows=sum(each.recorded.cycles for each in whole),
        signals=[name for name in SIGNALS if any(name in each.signals for each in whole)],
        extras=extras,
    )


def _stretches(wanted: Filter) -> list[Filter]:
    """A filter for every stretch that people's words choose, so that each is told of."""
    return [
        replace(
            wanted,
            lot=None,
            box=None,
            part_id=None,
            spans=None,
            machine=span.machine,
            segment=span.segment if wanted.segment is None else wanted.segment,
            counters=_both(wanted.counters, span),
            since=_later(wanted.since, span.since_ns),
            until=_earlier(wanted.until, span.until_ns),
        )
        for span in wanted.spans or ()
        if wanted.machine in (None, span.machine)
        and (wanted.segment is None or span.segment in (None, wanted.segment))
    ]


def _both(counters: tuple[int, int] | None, span: Span) -> tuple[int, int] | None:
    if span.first is None or span.last is None:
        return counters
    low, high = counters or (span.first, span.last)
    return max(low, span.first), min(high, span.last)


def _later(since: datetime | None, ns: int | None) -> datetime | None:
    if ns is None:
        return since
    return from_ns(ns) if since is None else max(since, from_ns(ns))


def _earlier(until: datetime | None, ns: int | None) -> datetime | None:
    if ns is None:
        return until
    return from_ns(ns) if until is None else min(until, from_ns(ns))


def _newest(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one())


@dataclass(slots=True)
class _Held:
    """What the record holds of a selection and a machine."""

    recorded: Recorded
    signals: set[str]


def _held(history: History, wanted: Filter, up_to: int) -> list[_Held]:
    """By machine; all that is counted is counted in one walk over the rows."""

    def question(all_: Select[Any]) -> Asked:
        found = all_.where(cycle.c.id <= up_to).subquery()
        shots = func.sum(case((found.c.closing == "shot", 1), else_=0))
        times = func.min(found.c.time_ns), func.max(found.c.time_ns)
        values = (func.count(found.c[name]) for name in VALUE_COLUMNS)
        sums = found.c.machine, func.count(), shots, *times, *values
        return select(*sums).group_by(found.c.machine)

    sums: dict[str, list[Any]] = {}
    for row in history.asked(wanted, question):
        sums.setdefault(row[0], []).append(row)
    return [
        _Held(
            Recorded(
                machine=name,
                cycles=sum(int(row[1]) for row in rows),
                shots=sum(int(row[2]) for row in rows),
                first=from_ns(min(int(row[3]) for row in rows)),
                last=from_ns(max(int(row[4]) for row in rows)),
            ),
            {each for row in rows for each, n in zip(VALUE_COLUMNS, row[5:], strict=True) if n},
        )
        for name, rows in sums.items()
    ]


def _others(connection: Connection, wanted: Filter) -> set[str]:
    """Machines that may have made something in the time asked for, and of which nothing is seen."""
    if wanted.since is None or wanted.until is None or wanted.mold or wanted.job:
        return set()
    query = select(machine.c.name)
    if wanted.machine is not None:
        query = query.where(machine.c.name == wanted.machine)
    return set(connection.execute(query).scalars())


def _extras(history: History, wanted: Filter, up_to: int) -> dict[str, frozenset[str]]:
    def bounded(*, flat: bool) -> Select[Any]:
        return filtered(wanted, flat=flat).where(cycle.c.id <= up_to)

    with history.moment() as connection:
        found = bounded(flat=False).where(cycle.c.extra.is_not(None)).subquery()
        kind: ColumnElement[Any]
        if connection.dialect.name == "postgresql":
            each = func.json_each(cast(found.c.extra, JSON)).table_valued("key", "value")
            kind = _like_sqlite(each.c.value)
        else:
            each = func.json_each(found.c.extra).table_valued("key", "type")
            kind = each.c.type
        pairs = select(each.c.key, kind).select_from(found).join(each, each.c.key.is_not(None))
        came = [(name, its) for name, its in connection.execute(pairs.distinct())]
        moved = history.moved(connection, wanted)
    if moved is not None:
        came += moved.extras(bounded(flat=True))
    kinds: dict[str, set[str]] = {}
    for name, its in came:
        kinds.setdefault(name, set()).add(its)
    return {name: frozenset(kinds[name]) for name in sorted(kinds)}


def _like_sqlite(value: ColumnElement[Any]) -> ColumnElement[str]:
    """The type of a JSON value in SQLite's words, which tell whole numbers from others."""
    name, written = func.json_typeof(value), cast(value, Text)
    whole = (name == "number") & written.regexp_match("^-?[0-9]+$")
    return case(
        (whole, "integer"),
        (name == "number", "real"),
        (name == "string", "text"),
        (name == "boolean", written),
        else_=name,
    )


def _ledger_ids(connection: Connection, names: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for name in names:
        query = select(run.c.id).join(machine).where(machine.c.name == name).order_by(run.c.id)
        found[name] = list(connection.execute(query).scalars())
    return found


def _moves(connection: Connection) -> dict[int, list[Moved]]:
    """What was moved to another mold, by row of the ledger, in order of writing."""
    query = (
        select(attribution, mold.c.name.label("mold"))
        .outerjoin(mold, mold.c.id == attribution.c.mold_id)
        .order_by(attribution.c.id)
    )
    found: dict[int, list[Moved]] = {}
    for row in connection.execute(query):
        found.setdefault(row.ledger_id, []).append((row.first, row.last, row.mold, row.revision))
    return found
