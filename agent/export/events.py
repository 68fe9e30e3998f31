"""What happened while the cycles of an export were made: who changed what, alarms, mold changes."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from agent.export.coverage import Coverage
from agent.rows import from_ns, to_ns
from agent.schema import (
    anomaly,
    anomaly_action,
    audit,
    machine,
    mold,
    mount,
    mount_entry,
    notice,
    segment,
)

COLUMNS = ("time", "machine", "kind", "name", "old", "new", "who", "words")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened."""

    at: datetime
    machine: str
    kind: str
    """`parameter`, `mode`, ... as the machine tells it; `anomaly`, `acknowledgement`, `mold`,
    `counter`, `stop`."""
    name: str = ""
    old: str = ""
    new: str = ""
    who: str = ""
    words: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON values; what is empty is left out."""
        values = asdict(self) | {"at": self.at.isoformat()}
        return {name: value for name, value in values.items() if value}


def events(connection: Connection, covered: Iterable[Coverage]) -> list[Event]:
    """What the record knows of the time of a selection, in order of time."""
    found: dict[Event, None] = {}
    for each in covered:
        since, until = to_ns(each.since), to_ns(each.until)
        for part in (_notices, _anomalies, _segments, _mounts, _entries):
            found.update(dict.fromkeys(part(connection, each.machine, since, until)))
    return in_order(found)


def in_order(found: Iterable[Event]) -> list[Event]:
    """Events in order of time."""
    return sorted(found, key=lambda event: (event.at, event.machine, event.kind, event.name))


def _notices(connection: Connection, name: str, since: int, until: int) -> Iterator[Event]:
    query = _of(notice, notice.c.time_ns, name, since, until).order_by(notice.c.id)
    for row in connection.execute(query).mappings():
        unit = f" {row['unit']}" if row["unit"] else ""
        yield Event(
            at=from_ns(row["time_ns"]), machine=name, kind=row["change"], name=row["name"],
            old=_value(row["old"], unit), new=_value(row["new"], unit),
            who=row["who"] or row["originator"] or "", words=row["text"] or "",
        )  # fmt: skip


def _anomalies(connection: Connection, name: str, since: int, until: int) -> Iterator[Event]:
    query = _of(anomaly, anomaly.c.time_ns, name, since, until).order_by(anomaly.c.id)
    for row in connection.execute(query).mappings().all():
        signal = f" of {row['signal']}" if row["signal"] else ""
        yield Event(
            at=from_ns(row["time_ns"]), machine=name, kind="anomaly",
            name=f"{row['kind']}{signal}: {row['cause']}", words=row["message"],
        )  # fmt: skip
        actions = (
            select(anomaly_action)
            .where(anomaly_action.c.anomaly_id == row["id"])
            .order_by(anomaly_action.c.id)
        )
        for action in connection.execute(actions).mappings():
            yield Event(
                at=from_ns(action["at_ns"]), machine=name, kind=action["action"],
                name=f"{row['kind']}{signal}: {row['cause']}", who=action["who"],
                words=action["text"],
            )  # fmt: skip


def _segments(connection: Connection, name: str, since: int, until: int) -> Iterator[Event]:
    query = _of(segment, segment.c.opened_ns, name, since, until).order_by(segment.c.id)
    for row in connection.execute(query).mappings():
        yield Event(
            at=from_ns(row["opened_ns"]), machine=name, kind="counter",
            name=f"segment {row['number']}", new=str(row["first"]),
            words=row["reason"].replace("_", " "),
        )  # fmt: skip


def _mounts(connection: Connection, name: str, since: int, until: int) -> Iterator[Event]:
    query = _of(mount, mount.c.since_ns, name, since, until)
    query = query.add_columns(mold.c.name.label("mold")).join(mold, mold.c.id == mount.c.mold_id)
    for row in connection.execute(query.order_by(mount.c.id)).mappings():
        yield Event(
            at=from_ns(row["since_ns"]), machine=name, kind="mold", name="mounted",
            new=f"{row['mold']} {row['revision']}", words=f"said by the {row['source']}",
        )  # fmt: skip


def _entries(connection: Connection, name: str, since: int, until: int) -> Iterator[Event]:
    query = _of(mount_entry, mount_entry.c.since_ns, name, since, until)
    query = (
        query.add_columns(mold.c.name.label("mold"), audit.c.who)
        .outerjoin(mold, mold.c.id == mount_entry.c.mold_id)
        .join(audit, audit.c.id == mount_entry.c.audit_id)
        .order_by(mount_entry.c.id)
    )
    for row in connection.execute(query).mappings():
        said = f"{row['mold']} {row['revision'] or ''}".strip() if row["mold"] else "taken off"
        word = "entry withdrawn" if row["withdraws"] else "entered"
        yield Event(
            at=from_ns(row["since_ns"]), machine=name, kind="mold", name=word, new=said,
            who=row["who"], words=row["note"],
        )  # fmt: skip


def _of(table: Any, time: Any, name: str, since: int, until: int) -> Any:
    return (
        select(table)
        .join(machine, machine.c.id == table.c.machine_id)
        .where(machine.c.name == name, time.between(since, until))
    )


def _value(body: str | None, unit: str) -> str:
    if body is None:
        return ""
    value = json.loads(body)
    if value is None:
        return ""
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) + unit


def cells(found: Sequence[Event]) -> Iterator[tuple[Any, ...]]:
    """Rows of a table of events, by `COLUMNS`."""
    for each in found:
        yield (
            each.at, each.machine, each.kind, each.name, each.old, each.new, each.who, each.words
        )  # fmt: skip
