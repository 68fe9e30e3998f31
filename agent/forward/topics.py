"""What is forwarded, by topic: which rows, in which order, with the names that belong to them.

Rows that are only ever added follow their id; rows that grow or close follow `changed`, so that a
row that changed many times while a sink was away goes there once, as it is now.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, FromClause, Select, func, select
from sqlalchemy.exc import DatabaseError

from agent import curves as codec
from agent.archive.catalogue import ArchiveFile, archived
from agent.archive.cold import Cold
from agent.files import curves_path, reader
from agent.rows import from_ns
from agent.schema import adjustment, anomaly, blind, curve, cycle, machine, mold, notice, run

log = logging.getLogger(__name__)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One kind of row that sinks are told of."""

    name: str
    order: Column[int]
    """Rises with every arrival, or every change."""
    key: Column[int]
    """The row's own id, for good."""
    at: Column[int]
    """When what it says was so, ns."""
    query: Select[Any]
    """Its columns, and the names of machine and mold."""


def _named(table: FromClause, *, machines: bool = True, molds: bool = True) -> Select[Any]:
    columns: list[Any] = [table]
    joined = table
    if machines:
        columns.append(machine.c.name.label("machine"))
        joined = joined.outerjoin(machine, machine.c.id == table.c.machine_id)
    if molds:
        columns.append(mold.c.name.label("mold"))
        joined = joined.outerjoin(mold, mold.c.id == table.c.mold_id)
    return select(*columns).select_from(joined)


CURVES = "curves"

TOPICS = (
    Topic(
        name="cycles", order=cycle.c.id, key=cycle.c.id, at=cycle.c.received_ns,
        query=_named(cycle),
    ),
    Topic(
        name="notices", order=notice.c.id, key=notice.c.id, at=notice.c.received_ns,
        query=_named(notice, molds=False),
    ),
    Topic(
        name="blinds", order=blind.c.changed, key=blind.c.id, at=blind.c.since_ns,
        query=_named(blind, molds=False),
    ),
    Topic(
        name="ledger", order=run.c.changed, key=run.c.id, at=run.c.until_ns, query=_named(run)
    ),
    Topic(
        name="adjustments", order=adjustment.c.id, key=adjustment.c.id, at=adjustment.c.at_ns,
        query=_named(adjustment, machines=False),
    ),
    Topic(
        name="anomalies", order=anomaly.c.changed, key=anomaly.c.id, at=anomaly.c.time_ns,
        query=_named(anomaly),
    ),
    Topic(
        name=CURVES, order=cycle.c.id, key=cycle.c.id, at=cycle.c.received_ns,
        query=select(
            cycle.c.id, cycle.c.segment, cycle.c.counter, cycle.c.time_ns, cycle.c.revision,
            machine.c.name.label("machine"), mold.c.name.label("mold"),
        ).select_from(cycle.join(machine).outerjoin(mold)),
    ),
)  # fmt: skip
"""All there is; curves last, because they are much."""


class Reading:
    """Reads topics from a record; for one thread at a time, and only ever for reading.

    Args:
        path: The record's main file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = reader(path)
        self._months: dict[Path, Engine] = {}
        self._opened: tuple[tuple[int, ...], Cold] | None = None

    def after(self, topic: Topic, after: int, until: int | None, most: int) -> list[Row]:
        """The next rows behind a position, in order.

        Args:
            topic: Which kind.
            after: Of this and before, none.
            until: The last one; None for all there are.
            most: How many rows.
        """
        query = topic.query.add_columns(topic.order.label("position"), topic.key.label("row_id"))
        query = query.where(topic.order > after).order_by(topic.order).limit(most)
        if until is not None:
            query = query.where(topic.order <= until)
        rows = self._rows(topic, query)
        if topic.order is cycle.c.id:
            end = rows[-1]["position"] if len(rows) == most else until
            moved = self._moved(topic, after, end, most)
            # One that was moved between the two looks is in both.
            by_position = {int(row["position"]): row for row in (*moved, *rows)}
            rows = [by_position[position] for position in sorted(by_position)]
        return rows[:most]

    def of(self, topic: Topic, keys: Sequence[int]) -> list[Row]:
        """Rows by their own ids."""
        query = topic.query.add_columns(topic.order.label("position"), topic.key.label("row_id"))
        query = query.where(topic.key.in_(keys))
        rows = self._rows(topic, query)
        if topic.order is cycle.c.id and len(rows) < len(keys):
            with self._engine.connect() as connection:
                files = archived(connection, ids=(min(keys), max(keys)))
                if files:
                    cold = self._cold(connection, files)
                    rows += self._with_curves(topic, map(_as_dict, cold.rows(query)))
        return sorted(rows, key=lambda row: int(row["position"]))

    def head(self, topic: Topic) -> int:
        """Position of the newest row."""
        with self._engine.connect() as connection:
            return head(connection, topic)

    def before(self, topic: Topic, time_ns: int, most: int) -> int:
        """Position of the newest row from before a time; of the newest `most` rows at the least."""
        query = select(topic.order, topic.at).order_by(topic.order.desc()).limit(most)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        old = (position for position, at_ns in rows if at_ns < time_ns)
        return next(old, rows[-1][0] if rows else 0)

    def connect(self) -> Connection:
        """A connection for a question of another kind."""
        return self._engine.connect()

    def close(self) -> None:
        """Let go of the files."""
        for engine in (self._engine, *self._months.values()):
            engine.dispose()
        self._let_go()

    def _rows(self, topic: Topic, query: Select[Any]) -> list[Row]:
        with self._engine.connect() as connection:
            rows: list[Row] = [dict(row) for row in connection.execute(query).mappings()]
        return self._with_curves(topic, rows)

    def _with_curves(self, topic: Topic, rows: Iterable[Row]) -> list[Row]:
        if topic.name != CURVES:
            return list(rows)
        return [{**row, CURVES: self._curves(row)} for row in rows]

    def _moved(self, topic: Topic, after: int, until: int | None, most: int) -> list[Row]:
        """The next rows of cycles that were moved to files, for a sink that is told of the past."""
        with self._engine.connect() as connection:
            end = head(connection, topic) if until is None else until
            files = archived(connection, ids=(after + 1, end))
            if not files:
                self._let_go()
                return []
            cold = self._cold(connection, files)
        query = topic.query.add_columns(topic.order.label("position"), topic.key.label("row_id"))
        return self._with_curves(topic, map(_as_dict, cold.next(query, after, end, most)))

    def _let_go(self) -> None:
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None

    def _cold(self, connection: Connection, files: Sequence[ArchiveFile]) -> Cold:
        key = tuple(each.number for each in files)
        if self._opened is None or self._opened[0] != key:
            self._let_go()
            self._opened = (key, Cold(connection, self._path, files))
        return self._opened[1]

    def _curves(self, row: Row) -> dict[str, Any]:
        """Curves of a cycle by signal; none where its month was removed, or is damaged."""
        path = curves_path(self._path, from_ns(row["time_ns"]))
        if path not in self._months:
            if not path.is_file():
                return {}
            self._months[path] = reader(path)
        query = select(curve).where(
            curve.c.machine == row["machine"],
            curve.c.segment == row["segment"],
            curve.c.counter == row["counter"],
        )
        found: dict[str, Any] = {}
        try:
            with self._months[path].connect() as connection:
                for each in connection.execute(query):
                    found[each.signal] = codec.decode(each.data, from_ns(each.started_ns))
        except (DatabaseError, ValueError) as error:  # one damaged curve must not hold up the rest
            what = getattr(error, "orig", error)
            log.warning("%s: curves of %s %s: %s", path, row["machine"], row["counter"], what)
        return found


def _as_dict(row: Any) -> Row:
    found: Row = row._asdict()
    return found


def head(connection: Connection, topic: Topic) -> int:
    """Position of a topic's newest row; 0 where there is none."""
    return connection.execute(select(func.max(topic.order))).scalar() or 0
