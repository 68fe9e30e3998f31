"""The outbox: how far a sink was told of what, in memory and in the record.

A lane is a stretch of a topic's order: the live one has no end; where a sink was away for long,
what has gathered becomes a backlog of its own, so that new rows need not wait behind it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from agent import schema
from agent.forward.kinds import EVERY_TOPIC
from agent.forward.topics import Topic
from agent.rows import to_ns

BODY_MOST = 2000
"""Letters of a refused body that are kept, for the eye; a retry makes it anew from its row."""

AGAIN_MOST = 50
"""Dead letters that are tried at once."""


@dataclass(slots=True, kw_only=True)
class Lane:
    """A stretch of a topic's order that a sink is told of, first to last."""

    topic: str
    after: int
    """Acknowledged, and safe at the sink, up to here; what the record knows."""
    until: int | None = None
    """The end of a backlog; None for whatever comes."""
    sent: int = -1
    """Acknowledged up to here; not behind `after`."""

    def __post_init__(self) -> None:
        self.sent = max(self.sent, self.after)

    @property
    def is_told(self) -> bool:
        """A backlog that was sent whole."""
        return self.until is not None and self.sent >= self.until

    @property
    def is_done(self) -> bool:
        """A backlog that is safe at the sink."""
        return self.until is not None and self.after >= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A row that a sink refused."""

    topic: str
    row_id: int
    words: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkRow:
    """A sink as the record shows it to people."""

    name: str
    kind: str
    place: str
    acknowledged_at: datetime | None = None
    trouble: str | None = None
    trouble_since: datetime | None = None
    note: str | None = None


def load_lanes(connection: Connection, sink: str, topics: Iterable[Topic]) -> list[Lane]:
    """A sink's lanes; one from the very beginning for a topic that it was never told of."""
    rows = connection.execute(
        select(schema.lane).where(schema.lane.c.sink == sink).order_by(schema.lane.c.id)
    ).all()
    wanted = {topic.name for topic in topics}
    lanes = [Lane(topic=r.topic, after=r.after, until=r.until) for r in rows if r.topic in wanted]
    live = {lane.topic for lane in lanes if lane.until is None}
    return lanes + [Lane(topic=name, after=0) for name in sorted(wanted - live)]


def save_lanes(connection: Connection, sink: str, lanes: Sequence[Lane]) -> None:
    """Write down how far a sink is; topics that it is not told of now keep their place."""
    table = schema.lane
    topics = {lane.topic for lane in lanes}
    connection.execute(delete(table).where(table.c.sink == sink, table.c.topic.in_(topics)))
    rows = [
        {"sink": sink, "topic": lane.topic, "after": lane.after, "until": lane.until}
        for lane in lanes
    ]
    if rows:
        connection.execute(insert(table), rows)


def save_sink(connection: Connection, row: SinkRow) -> None:
    """Write down how a sink does."""
    values = {
        "name": row.name,
        "kind": row.kind,
        "place": row.place,
        "configured": 1,
        "acknowledged_ns": to_ns(row.acknowledged_at) if row.acknowledged_at else None,
        "trouble": row.trouble,
        "trouble_ns": to_ns(row.trouble_since) if row.trouble_since else None,
        "note": row.note,
    }
    changing = {name: value for name, value in values.items() if name != "name"}
    if row.acknowledged_at is None:
        del changing["acknowledged_ns"]  # of before this start
    statement = insert(schema.sink).values(**values)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changing))


def configure(connection: Connection, sinks: Iterable[SinkRow]) -> None:
    """Make the configured sinks known; others keep their place, and are not shown."""
    connection.execute(schema.sink.update().values(configured=0))
    for row in sinks:
        save_sink(connection, row)


def save_letters(
    connection: Connection, sink: str, letters: Sequence[Letter], at: datetime
) -> None:
    """Set refused rows aside; one that was there already has newer words now."""
    for letter in letters:
        values = {
            "sink": sink,
            "topic": letter.topic,
            "row_id": letter.row_id,
            "at_ns": to_ns(at),
            "words": letter.words,
            "body": letter.body[:BODY_MOST].decode("utf-8", "replace"),
            "tries": 1,
            "again": 0,
        }
        statement = insert(schema.dead_letter).values(**values)
        newer: dict[str, Any] = {
            name: statement.excluded[name] for name in ("at_ns", "words", "body", "again")
        }
        newer["tries"] = schema.dead_letter.c.tries + 1
        connection.execute(
            statement.on_conflict_do_update(index_elements=["sink", "topic", "row_id"], set_=newer)
        )


def forget_letters(connection: Connection, sink: str, topic: str, keys: Sequence[int]) -> None:
    """Rows that the sink has taken after all."""
    table = schema.dead_letter
    connection.execute(
        delete(table).where(table.c.sink == sink, table.c.topic == topic, table.c.row_id.in_(keys))
    )


def count_letters(connection: Connection, sink: str) -> int:
    """How many rows a sink has refused."""
    table = schema.dead_letter
    query = select(func.count()).select_from(table).where(table.c.sink == sink)
    return int(connection.execute(query).scalar_one())


def asked_again(connection: Connection, sink: str) -> tuple[Topic, list[int]] | None:
    """Rows of one topic that a person asked to be tried again; None where there are none."""
    table = schema.dead_letter
    query = (
        select(table.c.topic, table.c.row_id)
        .where(table.c.sink == sink, table.c.again == 1)
        .order_by(table.c.topic, table.c.row_id)
        .limit(AGAIN_MOST)
    )
    rows = connection.execute(query).all()
    if not rows:
        return None
    topic = EVERY_TOPIC[rows[0].topic]
    return topic, [row.row_id for row in rows if row.topic == topic.name]
