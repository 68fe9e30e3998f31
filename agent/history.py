"""Reading the record: by any process, without ever holding up the one that writes.

Every function is one short statement on a connection that can only read; long lists are paged by
key.
"""

import heapq
import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Engine,
    FromClause,
    Row,
    ScalarSelect,
    Select,
    and_,
    case,
    false,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.exc import DatabaseError

from agent.archive import catalogue as archive
from agent.archive.catalogue import ArchiveFile
from agent.batch import Blind, Saved
from agent.copying import told
from agent.cycle import Booked, Curve
from agent.entry import Mount, Run, Segment
from agent.files import RecordError, curves_path, is_plant, main_path, reader, schema_of
from agent.live import Today
from agent.molds.shelf import mounted, read_words
from agent.molds.timeline import Word
from agent.rows import booked_of, from_ns, to_ns
from agent.schema import (
    VERSION,
    attribution,
    blind,
    curve,
    cycle,
    machine,
    mold,
    mount,
    provenance,
    refused,
    run,
    saved,
    segment,
)
from agent.standing import REMEMBERED, STAGE, Standing, from_body
from drivers.condition import Condition
from drivers.skew import Skew

if TYPE_CHECKING:  # with numpy, which a list needs not
    from numpy.typing import NDArray

    from agent.archive.cold import Cold

PAGE = 2000

COLDS_MOST = 3
"""Sets of files of moved cycles that are open at a time."""

SERIES_ROWS = 20_000
"""Of a chart, at a time."""
WHOLE = 2
"""The first columns of a series are whole numbers."""

Asked = Select[*tuple[Any, ...]]
"""A question to the rows behind cycles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a machine's cycles; what is None does not matter."""

    machine: str
    segment: int | None = None
    first: int | None = None
    last: int | None = None
    since_ns: int | None = None
    """End of cycle at or after."""
    until_ns: int | None = None
    """End of cycle before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which cycles; what is None does not matter."""

    machine: str | None = None
    mold: str | None = None
    """That it counts on now, whichever it was booked on."""
    revision: str | None = None
    """Of the mold, as it counts now."""
    job: str | None = None
    state: str | None = None
    segment: int | None = None
    counters: tuple[int, int] | None = None
    """First and last of the machine's own counter, both included."""
    since: datetime | None = None
    """End of cycle at or after."""
    until: datetime | None = None
    """End of cycle before."""
    lot: str | None = None
    box: str | None = None
    part_id: str | None = None
    """Words of people, which `agent.context.choosing.resolved` turns into `spans`."""
    spans: Sequence[Span] | None = None
    """In any of them; none where people's words fit no cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSums:
    """The loss identity of one machine: seen = kept + refused."""

    machine: str
    driver: str | None
    seen_at: datetime | None
    kept: int
    refused: Mapping[str, int]
    """How many cycles were not kept, by reason."""
    unobserved: int
    """Closings that the counter proves and no cycle came for."""
    blind_s: float
    blind_now: Blind | None
    mold: str | None
    """By the word in force: the machine's own, or a person's."""
    condition: Condition
    """How its connection does, or did when it last stood."""

    @property
    def link(self) -> str:
        """`up`, `down`, or `never` for a machine that was not reached yet."""
        if self.blind_now:
            return "down"
        return "up" if self.seen_at else "never"

    @property
    def seen(self) -> int:
        """Cycles that reached us, by whatever way."""
        return self.kept + sum(self.refused.values())


@contextmanager
def open_history(url: str) -> Iterator["History"]:
    """The record behind a URL, for reading.

    Raises:
        RecordError: there is no such record, it is not ready, or it can't be read.
    """
    if is_plant(url):
        from agent.plantrecord.reading import open_reader

        with open_reader(url) as plant:
            yield History(plant, url)
        return
    path = main_path(url)
    engine = reader(path)
    try:
        with engine.connect() as connection:
            refuse_other_version(connection, path)
        with closing(History(engine, url)) as history:
            yield history
    except DatabaseError as error:
        raise RecordError(f"record: {told(path, error.orig or error)}") from error
    finally:
        engine.dispose()


def refuse_other_version(connection: Connection, path: Path) -> None:
    """Leave alone what another version of Sprue wrote.

    Raises:
        RecordError: it is another version's, or none of ours.
    """
    found = schema_of(connection)
    if found is None:
        raise RecordError(f"record: {path} is no record of Sprue's, or is only being made now")
    if found != VERSION:
        raise RecordError(
            f"record: {path} has schema {found}, this Sprue reads {VERSION}; "
            "'sprue run' brings an older one up to date"
        )


class History:
    """Questions to a record; `open_history` makes one."""

    def __init__(self, engine: Engine, url: str, held: Connection | None = None) -> None:
        self._engine = engine
        self._url = url
        self._path = None if is_plant(url) else main_path(url)
        self._held = held
        self._same: dict[Filter, bool] = {}
        self._colds: dict[tuple[int, ...], Cold] = {}

    def close(self) -> None:
        """Let go of the files that moved cycles were read from."""
        while self._colds:
            self._colds.popitem()[1].close()

    def connect(self) -> AbstractContextManager[Connection]:
        """A connection for questions that are asked elsewhere."""
        return self._engine.connect() if self._held is None else nullcontext(self._held)

    @contextmanager
    def held(self) -> Iterator["History"]:
        """The record as it is at the first question, whatever is written meanwhile.

        While it is held, the file's log grows by what is written; a minute's is a few megabytes.
        """
        with self._engine.connect() as connection:
            if self._path is None:  # a transaction there is of one instant
                yield History(self._engine, self._url, connection)
                return
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.isolation_level = None  # its own idea of transactions leaves reading out
            raw.execute("BEGIN")
            try:
                with closing(History(self._engine, self._url, connection)) as held:
                    yield held
            finally:
                raw.execute("ROLLBACK")

    @property
    def is_held(self) -> bool:
        """Whether every answer is of one instant."""
        return self._held is not None

    def asked(
        self,
        wanted: Filter,
        question: Callable[[Select[Any]], Asked],
        *,
        as_booked: bool = False,
    ) -> list[Row[Any]]:
        """What a question to the wanted cycles brings.

        Args:
            wanted: Which.
            question: Makes it of the rows behind them (`filtered`).
            as_booked: As for `cycles`.

        Returns:
            First the rows of what lies in the record itself, then of what was moved to files:
            sums have to be added up.

        Raises:
            RecordError: a file can't be read.
        """
        with self.moment() as connection:
            as_booked = as_booked or self._same_as_booked(connection, wanted)
            rows = list(connection.execute(question(filtered(wanted, as_booked=as_booked))))
            cold = self.moved(connection, wanted)
        if cold is not None:
            rows += cold.rows(question(filtered(wanted, as_booked=as_booked, flat=True)))
        return rows

    def _same_as_booked(self, connection: Connection, wanted: Filter) -> bool:
        """Whether nothing of it was ever attributed anew, in a record that is held: then it is far
        faster to ask for."""
        if self._held is None:
            return False
        if wanted not in self._same:
            whole = Span(machine=wanted.machine or "", segment=wanted.segment)
            if wanted.counters is not None:
                whole = replace(whole, first=wanted.counters[0], last=wanted.counters[1])
            spans = [whole] if wanted.spans is None else wanted.spans
            moved = select(attribution.c.id).join(machine)
            moved = moved.where(or_(false(), *map(_attributed_within, spans)))
            self._same[wanted] = connection.execute(moved.limit(1)).first() is None
        return self._same[wanted]

    @contextmanager
    def moment(self) -> Iterator[Connection]:
        """A connection that sees the record as it is at one moment; for short questions."""
        if self._held is not None:
            yield self._held
            return
        with self._engine.connect() as connection:
            if self._path is not None:
                connection.exec_driver_sql("BEGIN")
            yield connection

    def moved(self, connection: Connection, wanted: Filter) -> "Cold | None":
        """The files that may hold wanted cycles which were moved; None where none does.

        Raises:
            RecordError: a file is missing, or the library to read it with.
        """
        return self.cold(connection, _archived(connection, wanted))

    def cold(self, connection: Connection, files: Sequence[ArchiveFile]) -> "Cold | None":
        """The moved cycles of some files; None of no file.

        Raises:
            RecordError: a file is missing, or the library to read it with.
        """
        if not files:
            return None
        key = (archive.newest(connection), *(each.number for each in files))
        if key not in self._colds:
            while len(self._colds) >= COLDS_MOST:
                self._colds.pop(next(iter(self._colds))).close()
            self._colds[key] = self._opened(connection, files)
        return self._colds[key]

    def cycles(
        self, wanted: Filter, *, newest: int | None = None, as_booked: bool = False
    ) -> Iterator[Booked]:
        """Cycles in order of arrival.

        Args:
            wanted: Which.
            newest: Only that many, the newest ones; None for all.
            as_booked: On the mold that they were booked on, as the agent saw it then; otherwise on
                the one that they count on now, after what people entered late.
        """
        if newest is not None:
            rows = self.some(wanted, newest, newest=True, as_booked=as_booked)
            yield from (booked_of(row._asdict()) for row in reversed(rows))
            return
        for page in self._merged(wanted, as_booked=as_booked, up_to=None, size=PAGE):
            yield from (booked_of(row._asdict()) for row in page)

    def pages(
        self,
        wanted: Filter,
        *,
        up_to: int,
        size: int = PAGE,
        after: int = 0,
        without: Collection[str] = (),
    ) -> Iterator[Sequence[Row[Any]]]:
        """The rows behind `cycles`, a page at a time: four times as fast where there are many.

        Args:
            wanted: Which.
            up_to: The last id, so that what comes meanwhile is not in it.
            size: Rows of a page; every one but the last has as many.
            after: The id behind which it goes on: pages that are read on from the last row of one
                skip nothing and repeat nothing.
            without: Columns that are not wanted.
        """
        return self._merged(
            wanted, as_booked=False, up_to=up_to, size=size, after=after, without=without
        )

    def rows_of(
        self, query: Select[*tuple[Any, ...]], files: Callable[[Connection], Sequence[ArchiveFile]]
    ) -> list[Row[*tuple[Any, ...]]]:
        """What a question to the table `cycle` itself brings, of moved cycles too.

        Args:
            query: The question.
            files: Which files may hold what it asks for.
        """
        with self.moment() as connection:
            rows: list[Row[*tuple[Any, ...]]] = [*connection.execute(query).all()]
            cold = self.cold(connection, files(connection))
        return rows if cold is None else [*rows, *cold.rows(query)]

    def _opened(self, connection: Connection, files: Sequence[ArchiveFile]) -> "Cold":
        from agent.archive.cold import Cold

        assert self._path is not None
        return Cold(connection, self._path, files)

    def some(
        self,
        wanted: Filter,
        most: int,
        *,
        newest: bool = False,
        after: int | None = None,
        as_booked: bool = False,
    ) -> list[Row[Any]]:
        """The first rows behind `cycles` that come after one, or the newest that came before it.

        Args:
            wanted: Which.
            most: How many.
            newest: The newest first; otherwise the oldest.
            after: Id of the one behind which it goes on, in that order.
            as_booked: As for `cycles`.
        """
        key = cycle.c.id

        def question(query: Select[Any]) -> Select[Any]:
            if after is not None:
                query = query.where(key < after if newest else key > after)
            return query.order_by(key.desc() if newest else key).limit(most)

        with self.moment() as connection:
            rows = list(connection.execute(question(filtered(wanted, as_booked=as_booked))))
            files = _archived(connection, wanted)
            if len(rows) == most:  # what is moved counts only where it comes before the last one
                last = rows[-1].id
                files = [f for f in files if (f.last_id > last if newest else f.first_id < last)]
            if after is not None:
                files = [f for f in files if (f.first_id < after if newest else f.last_id > after)]
            cold = self.cold(connection, files)
        if cold is not None:
            rows += cold.rows(question(filtered(wanted, as_booked=as_booked, flat=True)))
            rows.sort(key=_id, reverse=newest)
        return rows[:most]

    def _merged(
        self,
        wanted: Filter,
        *,
        as_booked: bool,
        up_to: int | None,
        size: int,
        after: int = 0,
        without: Collection[str] = (),
    ) -> Iterator[Sequence[Row[Any]]]:
        """Pages of the record's own rows and of moved ones, in one order.

        Cycles may be moved meanwhile. A page of the record's own is read before the list of files,
        at one moment: what is no longer in the one is in the other by then.
        """
        with self.moment() as connection:
            as_booked = as_booked or self._same_as_booked(connection, wanted)
        query = filtered(wanted, as_booked=as_booked)
        moved = filtered(wanted, as_booked=as_booked, flat=True)
        if up_to is not None:
            query, moved = query.where(cycle.c.id <= up_to), moved.where(cycle.c.id <= up_to)
        if without:
            query, moved = (
                each.with_only_columns(*(c for c in each.selected_columns if c.name not in without))
                for each in (query, moved)
            )
        query, moved = query.order_by(cycle.c.id), moved.order_by(cycle.c.id)
        held = self._held if self._path is not None else None
        if held is not None and not _archived(held, wanted):
            with held.execute(query.where(cycle.c.id > after)) as result:
                yield from result.partitions(size)  # else all are put in order at every page
            return
        query = query.limit(size)
        files: set[int] = set()
        streams: list[Iterator[Row[Any]]] = []
        heads: list[Row[Any] | None] = []
        opened: list[Cold] = []
        ready: list[Row[Any]] = []
        try:
            while True:
                with self.moment() as connection:
                    own = connection.execute(query.where(cycle.c.id > after)).all()
                    new = [
                        each
                        for each in _archived(connection, wanted)
                        if each.number not in files and each.last_id > after
                    ]
                    if new:
                        cold = self._opened(connection, new)
                        opened.append(cold)
                        files.update(each.number for each in new)
                        streams.append(cold.stream(moved.where(cycle.c.id > after), size))
                        heads.append(next(streams[-1], None))
                last = own[-1].id if len(own) == size else None
                if not streams:  # nothing was moved: a page is as it was read
                    if own:
                        yield own
                    if last is None:
                        return
                    after = last
                    continue
                for row in _in_order(own, streams, heads, last):
                    if row.id > after:
                        ready.append(row)
                        after = row.id
                    if len(ready) == size:
                        yield ready
                        ready = []
                if last is None:
                    if ready:
                        yield ready
                    return
        finally:
            for cold in opened:
                cold.close()

    def cycles_up_to(self, name: str, segment: int, counter: int, most: int) -> list[Booked]:
        """A machine's cycles of one segment up to a counter, the newest of them, oldest first."""

        def question(query: Select[Any]) -> Select[Any]:
            return query.order_by(cycle.c.counter.desc()).limit(most)

        wanted = Filter(machine=name, segment=segment, counters=(0, counter))
        with self.moment() as connection:
            rows = list(connection.execute(question(filtered(wanted))))
            if len(rows) == most:
                wanted = replace(wanted, counters=(rows[-1].counter + 1, counter))
            cold = self.moved(connection, wanted)
        if cold is not None:
            rows += cold.rows(question(filtered(wanted, flat=True)))
        rows.sort(key=lambda row: int(row.counter))
        return [booked_of(row._asdict()) for row in rows[-most:]]

    def count(self, wanted: Filter) -> int:
        """How many cycles `cycles` would give."""
        counted = self.asked(wanted, lambda all_: select(func.count()).select_from(all_.subquery()))
        return sum(int(row[0]) for row in counted)

    def series(self, wanted: Filter, signals: Sequence[str]) -> "dict[str, NDArray[Any]]":
        """Signals of the wanted cycles for a chart, in order of arrival.

        Args:
            wanted: Which.
            signals: Canonical ones.

        Returns:
            `id`, `time_ns` (int64) and by signal its values (float64, NaN where a cycle lacks it),
            each of shape (cycles,).

        Raises:
            RecordError: a file of moved cycles can't be read.
        """
        import numpy as np

        names = ("id", "time_ns", *signals)

        def question(all_: Select[Any]) -> Asked:
            return all_.with_only_columns(*(cycle.c[name] for name in names))

        with self.moment() as connection:
            # Where nothing was ever attributed anew, what counts is what was booked: far faster.
            same = connection.execute(select(attribution.c.id).limit(1)).first() is None
            result = connection.execute(question(filtered(wanted, as_booked=same)))
            here: list[list[NDArray[Any]]] = [[] for _ in names]
            for rows in result.partitions(SERIES_ROWS):
                for n, column in enumerate(zip(*rows, strict=True)):
                    here[n].append(np.array(column, np.int64 if n < WHOLE else np.float64))
            cold = self.moved(connection, wanted)
        found = {
            name: np.concatenate(here[n]) if here[n] else np.empty(0, np.int64)
            for n, name in enumerate(names)
        }
        if cold is not None:
            moved = cold.arrays(question(filtered(wanted, as_booked=same, flat=True)))
            found = {name: np.concatenate([moved[name], found[name]]) for name in names}
        order = np.argsort(found["id"], kind="stable")
        return {name: found[name][order] for name in names}

    def curves(self, booked: Booked) -> dict[str, Curve]:
        """The curves of one cycle; none where its month was removed."""
        if self._path is None:
            from agent.plantrecord.reading import curves_from

            with self.connect() as connection:
                return curves_from(connection, booked)
        return curves_of(self._path, booked)

    def runs(self, machine_name: str | None = None) -> list[Run]:
        """The ledger, in order of writing."""
        with self.connect() as connection:
            return [run_of(row) for row in connection.execute(runs_of(machine_name)).mappings()]

    def segments(self, machine_name: str) -> list[Segment]:
        """A machine's segments, first to last."""
        with self.connect() as connection:
            rows = connection.execute(_segments(machine_name)).mappings()
            return [_segment(row) for row in rows]

    def blinds(
        self, machine_name: str | None = None, *, since: datetime | None = None
    ) -> list[Blind]:
        """Blind intervals that had not ended before `since`, oldest first."""
        query = select(blind, machine.c.name.label("machine")).join(machine).order_by(blind.c.id)
        if machine_name is not None:
            query = query.where(machine.c.name == machine_name)
        if since is not None:
            open_or_later = (blind.c.until_ns.is_(None)) | (blind.c.until_ns > to_ns(since))
            query = query.where(open_or_later)
        with self.connect() as connection:
            return [_blind(row) for row in connection.execute(query).mappings()]

    def sums(self, now: datetime) -> list[MachineSums]:
        """Every machine's loss identity; open blind intervals count up to `now`."""
        with self.connect() as connection:
            machines = connection.execute(select(machine).order_by(machine.c.id)).mappings().all()
            on = mounted(read_words(connection, newest=True))
            moved = archive.rows_of(connection)
            return [
                self._sums(connection, row, on.get(row["name"]), moved.get(row["name"], 0), now)
                for row in machines
            ]

    def today(self, since: datetime) -> Today:
        """Sums over all machines since a start of day; blind time only of ended intervals."""
        ns = to_ns(since)
        shots = func.coalesce(func.sum(case((cycle.c.closing == "shot", 1), else_=0)), 0)
        seen = select(shots).where(cycle.c.time_ns >= ns)
        missing = select(func.coalesce(func.sum(run.c.unobserved), 0)).where(run.c.until_ns >= ns)
        ended = select(blind.c.since_ns, blind.c.until_ns).where(blind.c.until_ns >= ns)
        with self.connect() as connection:
            recorded = int(connection.execute(seen).scalar_one())
            unobserved = int(connection.execute(missing).scalar_one())
            blind_ns = sum(
                row.until_ns - max(row.since_ns, ns) for row in connection.execute(ended)
            )
        return Today(
            since=since,
            shots=recorded + unobserved,
            cycles=recorded,
            unobserved=unobserved,
            blind_s=blind_ns / 1e9,
        )

    def _sums(
        self,
        connection: Connection,
        row: Mapping[Any, Any],
        on: Word | None,
        moved: int,
        now: datetime,
    ) -> MachineSums:
        key = row["id"]
        kept = select(func.count()).where(cycle.c.machine_id == key)
        missing = select(func.coalesce(func.sum(run.c.unobserved), 0)).where(
            run.c.machine_id == key
        )
        reasons = select(refused.c.reason, refused.c.n).where(refused.c.machine_id == key)
        intervals = (
            select(blind, machine.c.name.label("machine"))
            .join(machine)
            .where(blind.c.machine_id == key)
            .order_by(blind.c.id)
        )
        blinds = [_blind(each) for each in connection.execute(intervals).mappings()]
        return MachineSums(
            machine=row["name"],
            driver=row["driver"],
            seen_at=from_ns(row["seen_ns"]) if row["seen_ns"] is not None else None,
            kept=int(connection.execute(kept).scalar_one()) + moved,
            refused={r.reason: int(r.n) for r in connection.execute(reasons)},
            unobserved=int(connection.execute(missing).scalar_one()),
            blind_s=sum(((b.until or now) - b.since).total_seconds() for b in blinds),
            blind_now=blinds[-1] if blinds and blinds[-1].until is None else None,
            mold=on.mold if on else None,
            condition=condition_of(row["condition"]),
        )


def curves_of(main: Path, booked: Booked) -> dict[str, Curve]:
    """The curves of one cycle, from the file of its month beside the main one."""
    from agent.curves import decode  # with numpy, which a list needs not

    path = curves_path(main, booked.cycle.time)
    if not path.is_file():
        return {}
    query = select(curve).where(
        curve.c.machine == booked.cycle.machine,
        curve.c.segment == booked.segment,
        curve.c.counter == booked.cycle.counter,
    )
    engine = reader(path)
    try:
        with engine.connect() as connection:
            return {
                row.signal: decode(row.data, from_ns(row.started_ns))
                for row in connection.execute(query)
            }
    finally:
        engine.dispose()


def cycles_since(
    connection: Connection,
    name: str,
    memory: Saved,
    curves: Callable[[Booked], Mapping[str, Curve]],
) -> list[Booked]:
    """Cycles of a machine that came after those that a stage's memory has taken.

    Args:
        connection: To the record.
        name: Of the machine.
        memory: What the stage remembers.
        curves: Reads those of a cycle.
    """
    last = (
        select(cycle.c.id)
        .join(machine)
        .where(
            machine.c.name == name,
            cycle.c.segment == memory.segment,
            cycle.c.counter == memory.counter,
        )
        .scalar_subquery()
    )
    query = filtered(Filter(machine=name), as_booked=True)
    query = query.where(cycle.c.id > last).order_by(cycle.c.id)
    found = [booked_of(dict(row)) for row in connection.execute(query).mappings()]
    return [replace(booked, cycle=replace(booked.cycle, curves=curves(booked))) for booked in found]


def standing_of(connection: Connection, name: str) -> Standing:
    """Where a machine's ledger stands by the record; an empty one for a new machine."""
    mounted = (
        select(mount, mold.c.name.label("mold"), machine.c.name.label("machine"))
        .select_from(mount.join(mold).join(machine))
        .where(machine.c.name == name, mount.c.until_ns.is_(None))
    )
    on = None
    if row := connection.execute(mounted).mappings().first():
        on = Mount(
            machine=name,
            mold=row["mold"],
            revision=row["revision"],
            since=from_ns(row["since_ns"]),
            source=row["source"],
        )
    newest = _segments(name).order_by(None).order_by(segment.c.number.desc()).limit(1)
    found = connection.execute(newest).mappings().first()
    if found is None:
        return Standing(mount=on)
    kept = select(saved.c.body).join(machine).where(machine.c.name == name, saved.c.stage == STAGE)
    body = connection.execute(kept).scalar()
    if body is not None:
        standing = from_body(body, _segment(found), on)
    else:
        standing = _standing_of_rows(connection, _segment(found), on)
    last = (
        select(cycle.c.counter, cycle.c.time_ns, cycle.c.flags)
        .join(machine)
        .where(machine.c.name == name)
        .order_by(cycle.c.id.desc())
        .limit(REMEMBERED)
    )
    standing.times.extend(
        (row.counter, from_ns(row.time_ns))
        for row in reversed(connection.execute(last).all())
        if "time_uncertain" not in row.flags
    )
    return standing


def _standing_of_rows(connection: Connection, of: Segment, on: Mount | None) -> Standing:
    """Where a ledger stands of which only the rows were kept, by an earlier Sprue."""
    rows = connection.execute(runs_of(of.machine).where(run.c.segment == of.number)).mappings()
    standing = Standing(segment=of, mount=on, counter=of.first, at=of.opened_at)
    standing.ended = of.opened_at
    named = (
        select(mold.c.name)
        .select_from(mount.join(mold).join(machine))
        .where(machine.c.name == of.machine, mount.c.source == "machine")
        .order_by(mount.c.since_ns.desc(), mount.c.id.desc())
        .limit(1)
    )
    standing.said = connection.execute(named).scalar()
    for row in (run_of(each) for each in rows):
        if row.kind != "seen_late":
            standing.counter = max(standing.counter, row.last)
            standing.at = standing.ended = max(standing.ended, row.until)
    return standing


def condition_of(body: str | None) -> Condition:
    """How a machine's connection does, as the record keeps it."""
    if body is None:
        return Condition()
    found = json.loads(body)
    found["unavailable"] = tuple(found["unavailable"])
    for name in ("clock", "server_clock"):
        if (skew := found.get(name)) is not None:
            found[name] = Skew(**skew)
    return Condition(**found)


def filtered(wanted: Filter, *, as_booked: bool = False, flat: bool = False) -> Select[Any]:
    """The rows behind the wanted cycles, under the names of their columns, in no order.

    Args:
        wanted: Which.
        as_booked: As for `History.cycles`.
        flat: Attributions don't overlap, and all are scanned anyway: so it is in `Cold`.
    """
    query, revision = _all(as_booked=as_booked, flat=flat)
    if wanted.machine is not None:
        query = query.where(machine.c.name == wanted.machine)
    if wanted.mold is not None:
        query = query.where(mold.c.name == wanted.mold)
        if not flat and not as_booked:
            # First those that may be its own, by an index: whose they are now is asked of them.
            query = query.where(cycle.c.id.in_(_ever_on(wanted.mold)))
    if wanted.job is not None:
        query = query.where(cycle.c.job == wanted.job)
    if wanted.revision is not None:
        query = query.where(revision == wanted.revision)
    if wanted.state is not None:
        query = query.where(cycle.c.state == wanted.state)
    if wanted.segment is not None:
        query = query.where(cycle.c.segment == wanted.segment)
    if wanted.counters is not None:
        query = query.where(cycle.c.counter.between(*wanted.counters))
    if wanted.since is not None:
        query = query.where(cycle.c.time_ns >= to_ns(wanted.since))
    if wanted.until is not None:
        query = query.where(cycle.c.time_ns < to_ns(wanted.until))
    if wanted.spans is not None:
        query = query.where(or_(false(), *map(_within, wanted.spans)))
    elif wanted.lot or wanted.box or wanted.part_id:
        raise ValueError("what lot, box or part id means is not resolved yet")
    return query


@cache
def _all(*, as_booked: bool, flat: bool) -> tuple[Select[Any], ColumnElement[Any]]:
    """The rows behind all cycles, and their revision; made once, which takes a millisecond."""
    mold_id: ColumnElement[Any] = cycle.c.mold_id
    revision: ColumnElement[Any] = cycle.c.revision
    tables = cycle.join(machine).join(provenance)
    if not as_booked:
        newest = _covers(attribution) if flat else attribution.c.id == _newest_attribution()
        tables = tables.outerjoin(attribution, newest)
        moved = attribution.c.id.is_not(None)
        mold_id = case((moved, attribution.c.mold_id), else_=mold_id)
        revision = case((moved, attribution.c.revision), else_=revision)
    query = select(
        *(column for column in cycle.c if column is not cycle.c.revision),
        revision.label("revision"),
        machine.c.name.label("machine"),
        mold.c.name.label("mold"),
        provenance.c.body.label("provenance"),
    ).select_from(tables.outerjoin(mold, mold.c.id == mold_id))
    return query, revision


def _within(span: Span) -> ColumnElement[bool]:
    conditions = [machine.c.name == span.machine]
    if span.segment is not None:
        conditions.append(cycle.c.segment == span.segment)
    if span.first is not None:
        conditions.append(cycle.c.counter >= span.first)
    if span.last is not None:
        conditions.append(cycle.c.counter <= span.last)
    if span.since_ns is not None:
        conditions.append(cycle.c.time_ns >= span.since_ns)
    if span.until_ns is not None:
        conditions.append(cycle.c.time_ns < span.until_ns)
    return and_(*conditions)


def _attributed_within(span: Span) -> ColumnElement[bool]:
    """Attributions of counters of a stretch; of any machine where it names none."""
    conditions: list[ColumnElement[bool]] = [attribution.c.id.is_not(None)]
    if span.machine:
        conditions.append(machine.c.name == span.machine)
    if span.segment is not None:
        conditions.append(attribution.c.segment == span.segment)
    if span.first is not None:
        conditions.append(attribution.c.last >= span.first)
    if span.last is not None:
        conditions.append(attribution.c.first <= span.last)
    return and_(*conditions)


def _archived(connection: Connection, wanted: Filter) -> list[ArchiveFile]:
    """Files that may hold wanted cycles."""
    return archive.archived(
        connection,
        machine_name=wanted.machine,
        machines={span.machine for span in wanted.spans} if wanted.spans is not None else None,
        since_ns=to_ns(wanted.since) if wanted.since is not None else None,
        until_ns=to_ns(wanted.until) if wanted.until is not None else None,
        segment=wanted.segment,
        counters=wanted.counters,
    )


def _id(row: Row[Any]) -> int:
    key: int = row.id
    return key


def _in_order(
    own: Sequence[Row[Any]],
    streams: Sequence[Iterator[Row[Any]]],
    heads: list[Row[Any] | None],
    last: int | None,
) -> Iterator[Row[Any]]:
    """Rows by their ids up to the last one, all of them where that is None.

    Args:
        own: In their order.
        streams: Each in its order.
        heads: The next row of each stream; it is moved on.
        last: Where to stop in the streams.
    """

    def drawn(n: int) -> Iterator[Row[Any]]:
        while (head := heads[n]) is not None and (last is None or head.id <= last):
            heads[n] = next(streams[n], None)
            yield head

    return heapq.merge(own, *(drawn(n) for n in range(len(streams))), key=_id)


def _newest_attribution() -> ScalarSelect[int]:
    """Where the closing of a cycle was moved to last.

    A counter is in one row of closings, seen or not; rows of other kinds only correct those.
    """
    piece = attribution.alias("piece")
    return (
        select(piece.c.id)
        .join(run, run.c.id == piece.c.ledger_id)
        .where(_covers(piece), run.c.kind.in_(("seen", "unobserved")))
        .order_by(piece.c.id.desc())
        .limit(1)
        .correlate(cycle)
        .scalar_subquery()
    )


def _ever_on(name: str) -> CompoundSelect[tuple[int]]:
    """Ids of the cycles that were booked on a mold, or moved to it at any time."""
    key = select(mold.c.id).where(mold.c.name == name).scalar_subquery()
    each, piece = cycle.alias("each"), attribution.alias("moved_here")
    return union_all(
        select(each.c.id).where(each.c.mold_id == key),
        select(each.c.id).join(piece, _covers(piece, each)).where(piece.c.mold_id == key),
    )


def _covers(piece: FromClause, of: FromClause = cycle) -> ColumnElement[bool]:
    """Whether a cycle's counter is within an attribution."""
    return and_(
        piece.c.machine_id == of.c.machine_id,
        piece.c.segment == of.c.segment,
        of.c.counter.between(piece.c.first, piece.c.last),
    )


def runs_of(name: str | None) -> Select[Any]:
    """Rows of the ledger with the names of machine and mold: of one machine, or of all."""
    query = (
        select(run, machine.c.name.label("machine"), mold.c.name.label("mold"))
        .join(machine, machine.c.id == run.c.machine_id)
        .outerjoin(mold, mold.c.id == run.c.mold_id)
        .order_by(run.c.id)
    )
    return query if name is None else query.where(machine.c.name == name)


def _segments(name: str) -> Select[Any]:
    return (
        select(segment, machine.c.name.label("machine"))
        .join(machine)
        .where(machine.c.name == name)
        .order_by(segment.c.number)
    )


def run_of(row: Mapping[Any, Any]) -> Run:
    """The row behind one of `runs_of`."""
    return Run(
        machine=row["machine"],
        segment=row["segment"],
        kind=row["kind"],
        first=row["first"],
        last=row["last"],
        mold=row["mold"],
        revision=row["revision"],
        closings=row["closings"],
        shots=row["shots"],
        unobserved=row["unobserved"],
        resin=row["resin"],
        cavities=row["cavities"],
        shots_min=row["shots_min"],
        shots_max=row["shots_max"],
        since=from_ns(row["since_ns"]),
        until=from_ns(row["until_ns"]),
        reason=row["reason"],
        evidence=row["evidence"],
    )


def _segment(row: Mapping[Any, Any]) -> Segment:
    return Segment(
        machine=row["machine"],
        number=row["number"],
        first=row["first"],
        opened_at=from_ns(row["opened_ns"]),
        reason=row["reason"],
    )


def _blind(row: Mapping[Any, Any]) -> Blind:
    return Blind(
        machine=row["machine"],
        since=from_ns(row["since_ns"]),
        until=from_ns(row["until_ns"]) if row["until_ns"] is not None else None,
        cause=row["cause"],
        why=row["why"],
    )
