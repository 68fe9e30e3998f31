"""Lives of molds over several agents' records: what each counted, added once.

A closing is an agent's, a machine's and a segment's; every record has the id of its agent. Records
of different agents have no closing in common and are added. Records of one agent are copies of each
other: the one that went furthest counts.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations
from typing import Any

from sqlalchemy import Connection, func, select

from agent import schema
from agent.archive.catalogue import closings_of
from agent.files import RecordError
from agent.molds.life import ByResin, Took
from agent.molds.mold import Mold, Revision
from agent.molds.servicelog import Service, standing
from agent.molds.shelf import TOOK, Shelf, agent_id, read_shelf
from agent.molds.timeline import Word
from agent.rows import from_ns

COMPARED = (
    "revision", "part", "alloy", "resin", "cavities", "planned_shots", "life_plan", "base_shots",
    "service_plan",
)  # fmt: skip
"""What a life rests on: where records differ in it, that is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A count from before Sprue, as it was entered in one record."""

    revision: str
    resin: str | None
    at: datetime
    took: Took


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One record, as far as it is added."""

    name: str
    """By which people know it."""
    agent: str
    shelf: Shelf
    shots_at: Callable[[str, datetime], int]
    """Shots of a mold of the shelf up to a time."""
    starts: Mapping[str, Sequence[Start]] = field(default_factory=dict)
    """By mold."""
    reach: Mapping[str, tuple[datetime, datetime]] = field(default_factory=dict)
    """By machine: when its first and its last closing in the ledger were made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plantwide:
    """Several records as one."""

    shelf: Shelf
    shots: Mapping[str, Mapping[str, int]]
    """By mold and record: what the sum is made of."""
    remarks: Sequence[str]
    """What people should know of how it was added."""


def read_source(
    connection: Connection, name: str, shots_at: Callable[[str, datetime], int]
) -> Source:
    """A record as it is added; consistent within the connection's transaction."""
    table, run = schema.adjustment, schema.run
    entered = (
        select(table, schema.mold.c.name.label("mold"))
        .join(schema.mold, schema.mold.c.id == table.c.mold_id)
        .where(table.c.kind == "start")
        .order_by(table.c.id)
    )
    starts: dict[str, list[Start]] = defaultdict(list)
    for row in connection.execute(entered).mappings():
        took = Took(**{column: int(row[column]) for column in TOOK})
        starts[row["mold"]].append(
            Start(revision=row["revision"], resin=row["resin"], at=from_ns(row["at_ns"]), took=took)
        )
    counted = (
        select(
            schema.machine.c.name,
            func.min(run.c.since_ns).label("since_ns"),
            func.max(run.c.until_ns).label("until_ns"),
        )
        .join(run, run.c.machine_id == schema.machine.c.id)
        .group_by(schema.machine.c.name)
    )
    return Source(
        name=name,
        agent=agent_id(connection),
        shelf=read_shelf(connection),
        shots_at=shots_at,
        starts=starts,
        reach={
            row.name: (from_ns(row.since_ns), from_ns(row.until_ns))
            for row in connection.execute(counted)
        },
    )


def furthest(records: Sequence[tuple[str, Connection]]) -> tuple[list[str], list[str]]:
    """Of every agent, the record that holds all that its copies hold.

    Returns:
        Names of the records that count, in the order given, and a remark for each that does not.

    Raises:
        RecordError: two of one agent went on by themselves, each with something the other lacks.
    """
    chosen: dict[str, tuple[str, Connection]] = {}
    remarks = []
    for name, connection in records:
        agent = agent_id(connection)
        if agent not in chosen:
            chosen[agent] = name, connection
            continue
        other, held = chosen[agent]
        if _holds(held, connection):
            less, more = name, other
        elif _holds(connection, held):
            less, more = other, name
            chosen[agent] = name, connection
        else:
            raise RecordError(
                f"record: {other} and {name} are of one agent, and each has something that the "
                "other lacks: a copy was written to by itself; leave out one of the two"
            )
        remarks.append(
            f"{less} is left out: it is of the same agent as {more}, which has all that it has"
        )
    names = {name for name, _connection in chosen.values()}
    return [name for name, _connection in records if name in names], remarks


def _holds(one: Connection, other: Connection) -> bool:
    """Whether a record has everything that a copy of it has."""
    return all(newest is None or newest in found for newest, found in _newest(one, other))


def _newest(one: Connection, other: Connection) -> Iterator[tuple[Any, set[Any]]]:
    """The other's newest row of each kind, and what the one has under its number."""
    cycle, run, audit, machine = schema.cycle, schema.run, schema.audit, schema.machine
    rows = (
        (cycle.c.id, (machine.c.name, cycle.c.segment, cycle.c.counter, cycle.c.time_ns)),
        (run.c.id, (machine.c.name, run.c.segment, run.c.kind, run.c.first, run.c.since_ns)),
        (audit.c.id, (audit.c.at_ns, audit.c.who, audit.c.action, audit.c.subject)),
    )
    for key, columns in rows:
        query = select(key, *columns)
        if key is not audit.c.id:
            query = query.join(machine, machine.c.id == key.table.c.machine_id)
        newest = other.execute(query.order_by(key.desc()).limit(1)).first()
        held: set[Any] = set()
        if newest is not None:
            held = {tuple(row) for row in one.execute(query.where(key == newest[0]))}
            if key is cycle.c.id:
                held |= set(_moved(one, newest))
        yield (tuple(newest) if newest is not None else None), held
    # The newest row of the ledger grows: the one that has all of it has as many closings at least.
    closings = select(func.coalesce(func.sum(run.c.closings), 0))
    mine, theirs = one.execute(closings).scalar_one(), other.execute(closings).scalar_one()
    yield True, {mine >= theirs}


def _moved(one: Connection, wanted: Any) -> Iterator[tuple[Any, ...]]:
    """The same cycle, where the record has moved it to a file since."""
    number, name, segment, counter, ns = wanted
    key = one.execute(select(schema.machine.c.id).where(schema.machine.c.name == name)).scalar()
    if key is not None:
        found = closings_of(one, key, segment, counter, counter)
        if ((found.ids == number) & (found.times_ns == ns)).any():
            yield tuple(wanted)


def add_up(sources: Sequence[Source]) -> Plantwide:
    """Records of different agents as one; what is said of a mold is the first's that knows it."""
    remarks = [*_twice(sources)]
    names = sorted({name for source in sources for name in source.shelf.molds})
    molds: dict[str, Mold] = {}
    took: dict[str, ByResin] = {}
    services: dict[str, list[Service]] = {}
    shots: dict[str, dict[str, int]] = {}
    for name in [*names, ""]:
        at = [source for source in sources if name in {**source.shelf.molds, **source.shelf.took}]
        at.sort(key=lambda source: not _knows(source, name))
        if name:
            molds[name] = _mold(name, at)
            remarks += _differing(name, at)
        left_out = _left_out(name, at)
        remarks += _starts(name, at, left_out)
        counted = {source.name: _counted(source, name, left_out) for source in at}
        took[name] = _sum(counted.values())
        shots[name] = {one: sum(t.shots for t in each.values()) for one, each in counted.items()}
        services[name] = [*_services(name, at, left_out)]
    if not took[""]:
        del took[""]
    shelf = Shelf(molds=molds, took=took, services=services, words=_words(sources))
    return Plantwide(shelf=shelf, shots=shots, remarks=remarks)


def _knows(source: Source, name: str) -> bool:
    mold = source.shelf.molds.get(name)
    return mold is not None and mold.registered


def _mold(name: str, at: Sequence[Source]) -> Mold:
    """A mold as the first record has it, with all revisions that any has."""
    revisions: dict[str, Revision] = {}
    for source in at:
        for each in source.shelf.molds[name].revisions:
            revisions.setdefault(each.name, each)
    ordered = sorted(revisions.values(), key=lambda each: each.since)
    return replace(at[0].shelf.molds[name], revisions=tuple(ordered))


def _differing(name: str, at: Sequence[Source]) -> Iterator[str]:
    first = at[0]
    for other in at[1:]:
        if not _knows(other, name):
            continue  # only a machine named it there
        ours, theirs = first.shelf.molds[name], other.shelf.molds[name]
        said = [
            f"{key} {getattr(ours, key)!r} and {getattr(theirs, key)!r}"
            for key in COMPARED
            if getattr(ours, key) != getattr(theirs, key)
        ]
        if said:
            yield (
                f"mold {name} differs in {first.name} and {other.name}: {'; '.join(said)}; "
                "the former's are taken"
            )


def _left_out(name: str, at: Sequence[Source]) -> dict[str, Sequence[Start]]:
    """By record: the starting counts that are not added, as an earlier one is in them."""
    with_start = [source for source in at if source.starts.get(name)]
    with_start.sort(key=lambda source: min(start.at for start in source.starts[name]))
    return {source.name: source.starts[name] for source in with_start[1:]}


def _starts(
    name: str, at: Sequence[Source], left_out: Mapping[str, Sequence[Start]]
) -> Iterator[str]:
    for source in at:
        if starts := source.starts.get(name, ()):
            n = sum(start.took.shots for start in starts)
            if source.name in left_out:
                yield f"mold {name}: the starting count of {source.name}, {n}, is left out"
            elif left_out:
                yield f"mold {name}: the starting count of {source.name}, {n}, is the earliest"


def _counted(source: Source, name: str, left_out: Mapping[str, Sequence[Start]]) -> ByResin:
    took = dict(source.shelf.took.get(name, {}))
    for start in left_out.get(source.name, ()):
        key = start.revision, start.resin or None
        minus = Took(**{column: -getattr(start.took, column) for column in TOOK})
        took[key] = took.get(key, Took()) + minus
    return took


def _sum(each: Iterable[ByResin]) -> ByResin:
    found: dict[tuple[str, str | None], Took] = {}
    for took in each:
        for key, value in took.items():
            found[key] = found.get(key, Took()) + value
    return found


def _services(
    name: str, at: Sequence[Source], left_out: Mapping[str, Sequence[Start]]
) -> Iterator[Service]:
    """The entries that hold, with the shots that all records together had at the event."""

    def without(source: Source, when: datetime) -> int:
        return sum(s.took.shots for s in left_out.get(source.name, ()) if s.at <= when)

    for source in at:
        for entry in standing(source.shelf.services.get(name, ())):
            shots = (entry.shots or 0) - without(source, entry.at)
            for other in at:
                if other is not source:
                    shots += other.shots_at(name, entry.at) - without(other, entry.at)
            yield replace(entry, shots=shots, corrects=None)


def _words(sources: Sequence[Source]) -> dict[str, list[Word]]:
    """What was said by machine; one whose name several records have, by its record's name too."""
    names = [machine for source in sources for machine in source.shelf.words]
    words: dict[str, list[Word]] = {}
    for source in sources:
        for machine, said in source.shelf.words.items():
            full = machine if names.count(machine) == 1 else f"{machine} ({source.name})"
            words[full] = [replace(word, machine=full) for word in said]
    return words


def _twice(sources: Sequence[Source]) -> Iterator[str]:
    """Machines that two agents seem to have counted at the same time."""
    for one, other in combinations(sources, 2):
        for machine in sorted(set(one.reach) & set(other.reach)):
            (since, until), (begun, ended) = one.reach[machine], other.reach[machine]
            if since < ended and begun < until:
                yield (
                    f"machine {machine} is counted in {one.name} and in {other.name} at the same "
                    "time; if it is one press, its shots are added twice"
                )
