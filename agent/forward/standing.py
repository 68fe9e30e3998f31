"""How sinks do, by the record: what waits for each, since when, and what each refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, and_, func, or_, select

from agent import schema
from agent.files import is_plant, main_path, reader
from agent.forward.kinds import EVERY_TOPIC
from agent.forward.topics import CURVES
from agent.rows import from_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One configured sink."""

    name: str
    kind: str
    place: str
    waiting: Mapping[str, int]
    """Rows it was not told of yet, by topic; `curves` are cycles whose curves wait."""
    oldest_at: datetime | None
    """What waits longest is of then; None where nothing waits."""
    acknowledged_at: datetime | None
    trouble: str | None
    """Why nothing is delivered; None where all is well."""
    trouble_since: datetime | None
    note: str | None
    letters: int
    """Rows that it refused and that wait for a person."""

    @property
    def rows(self) -> int:
        """Rows that wait, each once."""
        return sum(n for topic, n in self.waiting.items() if topic != CURVES)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A row that a sink refused, as a person looks at it."""

    id: int
    sink: str
    topic: str
    row_id: int
    at: datetime
    words: str
    body: str
    tries: int
    again: bool
    """A person asked for another try, and the agent has not made it yet."""


def standings(url: str) -> list[Standing]:
    """The sinks that the agent was last started with.

    Raises:
        RecordError: there is no such record.
    """
    if is_plant(url):
        return []  # it is one itself
    engine = reader(main_path(url))
    try:
        with engine.connect() as connection:
            query = select(schema.sink).where(schema.sink.c.configured == 1)
            rows = connection.execute(query.order_by(schema.sink.c.name)).all()
            return [_standing(connection, row) for row in rows]
    finally:
        engine.dispose()


def dead_letters(url: str, sink: str | None = None) -> list[DeadLetter]:
    """Refused rows, oldest first; of one sink or of all.

    Raises:
        RecordError: there is no such record.
    """
    table = schema.dead_letter
    query = select(table).order_by(table.c.id)
    if sink is not None:
        query = query.where(table.c.sink == sink)
    engine = reader(main_path(url))
    try:
        with engine.connect() as connection:
            return [
                DeadLetter(
                    id=row.id,
                    sink=row.sink,
                    topic=row.topic,
                    row_id=row.row_id,
                    at=from_ns(row.at_ns),
                    words=row.words,
                    body=row.body,
                    tries=row.tries,
                    again=bool(row.again),
                )
                for row in connection.execute(query)
            ]
    finally:
        engine.dispose()


def _standing(connection: Connection, row: Row[tuple[object, ...]]) -> Standing:
    waiting: dict[str, int] = {}
    oldest: list[int] = []
    lanes = connection.execute(select(schema.lane).where(schema.lane.c.sink == row.name)).all()
    for name in {lane.topic for lane in lanes}:
        topic = EVERY_TOPIC[name]
        of_lanes = or_(
            *(
                and_(topic.order > lane.after, topic.order <= lane.until)
                if lane.until is not None
                else topic.order > lane.after
                for lane in lanes
                if lane.topic == name
            )
        )
        n = connection.execute(select(func.count(topic.order)).where(of_lanes)).scalar_one()
        if n:
            waiting[name] = int(n)
            first = select(topic.at).where(of_lanes).order_by(topic.order).limit(1)
            oldest.append(connection.execute(first).scalar_one())
    letters = (
        select(func.count())
        .select_from(schema.dead_letter)
        .where(schema.dead_letter.c.sink == row.name)
    )
    return Standing(
        name=row.name,
        kind=row.kind,
        place=row.place,
        waiting=waiting,
        oldest_at=from_ns(min(oldest)) if oldest else None,
        acknowledged_at=_at(row.acknowledged_ns),
        trouble=row.trouble,
        trouble_since=_at(row.trouble_ns),
        note=row.note,
        letters=int(connection.execute(letters).scalar_one()),
    )


def _at(ns: int | None) -> datetime | None:
    return from_ns(ns) if ns is not None else None
