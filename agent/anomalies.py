"""Anomalies in the record: finding them, and what people do to them.

What a stage says of an anomaly and what people do to it are kept apart: a person's word is only
ever added, and a newer state of the anomaly never writes over it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    insert,
    or_,
    select,
)

from agent.anomaly import Anomaly, AnomalyError
from agent.anomalyrows import anomaly_of
from agent.archive.catalogue import rows_of
from agent.audit import Author, note
from agent.muting import Mute, mutes
from agent.rows import from_ns, to_ns
from agent.schema import anomaly, anomaly_action, cycle, machine, mold

Deed = Literal["ack", "give", "undo", "comment", "close", "not_a_fault"]

State = Literal["open", "acknowledged", "closed"]

STATES: tuple[State, ...] = ("open", "acknowledged", "closed")

CLOSING: tuple[Deed, ...] = ("close", "not_a_fault")

TAKING: tuple[Deed, ...] = ("ack", "give")
"""After these somebody has it, until that is undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a person did to an anomaly."""

    at: datetime
    who: str
    action: str
    """`ack`, `give` (to whom its text names), `undo` (of either), `comment`, `close`, or
    `not_a_fault`, which closes too and says that it was none."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An anomaly as the record knows it."""

    number: int
    """In this record; shorter to type than the id."""
    anomaly: Anomaly
    actions: Sequence[Action]
    muted: Mute | None
    """The mute that covers it now."""

    @property
    def state(self) -> State:
        """`closed` where it is over or a person closed it; else whether someone has seen to it."""
        deeds = {action.action for action in self.actions}
        if not self.anomaly.is_open or not deeds.isdisjoint(CLOSING):
            return "closed"
        return "acknowledged" if self.taken else "open"

    @property
    def taken(self) -> str:
        """Who has it: who acknowledged it, or was given it; empty where nobody has."""
        holder = ""
        for action in self.actions:
            if action.action == "undo":
                holder = ""
            elif action.action in TAKING:
                holder = action.text if action.action == "give" else action.who
        return holder


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which anomalies; what is None does not matter."""

    machine: str | None = None
    mold: str | None = None
    kind: str | None = None
    cause: str | None = None
    states: Sequence[State] = STATES
    since: datetime | None = None
    """Raised at or after."""
    until: datetime | None = None
    """Raised before."""
    muted: bool | None = None
    """Whether a mute covers it now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How one kind and cause has done by the word of people."""

    kind: str
    cause: str
    raised: int
    open: int
    acknowledged: int
    """Ones that somebody acknowledged, closed ones included."""
    not_a_fault: int
    per_10000: float | None
    """Raised ones for 10,000 cycles of the record; None without a cycle."""


def anomalies(
    connection: Connection, wanted: Wanted, *, now: datetime, newest: int | None = None
) -> list[Known]:
    """Anomalies of a record, oldest first.

    Args:
        connection: To the main file.
        wanted: Which.
        now: What is muted is muted now.
        newest: Only that many, the newest ones; None for all.
    """
    active = active_mutes(connection, now)
    query = narrowed(_joined(), wanted, active).order_by(anomaly.c.id.desc())
    if newest is not None:
        query = query.limit(newest)
    rows = list(reversed(connection.execute(query).mappings().all()))
    return _all_known(connection, rows, active)


def anomalies_after(
    connection: Connection, wanted: Wanted, *, now: datetime, after: int, most: int
) -> list[Known]:
    """The next of a record's anomalies after one, by number.

    Args:
        connection: To the main file.
        wanted: Which.
        now: What is muted is muted now.
        after: Number of the one before; 0 for the first.
        most: Only that many.
    """
    active = active_mutes(connection, now)
    query = narrowed(_joined(), wanted, active).where(anomaly.c.id > after)
    rows = connection.execute(query.order_by(anomaly.c.id).limit(most)).mappings().all()
    return _all_known(connection, rows, active)


def most_urgent(connection: Connection, wanted: Wanted, *, now: datetime, most: int) -> list[Known]:
    """The first of a record's anomalies: new ones, then by severity, then the newest.

    Args:
        connection: To the main file.
        wanted: Which.
        now: What is muted is muted now.
        most: Only that many.
    """
    active = active_mutes(connection, now)
    rank = {"alarm": 0, "warning": 1}
    query = (
        narrowed(_joined(), wanted, active)
        .order_by(
            taken(),
            case(rank, value=anomaly.c.severity, else_=2),
            anomaly.c.time_ns.desc(),
            anomaly.c.id.desc(),
        )
        .limit(most)
    )
    return _all_known(connection, connection.execute(query).mappings().all(), active)


def count(connection: Connection, wanted: Wanted, *, now: datetime) -> int:
    """How many anomalies of a record there are.

    Args:
        connection: To the main file.
        wanted: Which.
        now: What is muted is muted now.
    """
    active = active_mutes(connection, now) if wanted.muted is not None else ()
    query = narrowed(_joined(), wanted, active).with_only_columns(func.count())
    return int(connection.execute(query).scalar_one())


def find(connection: Connection, name: str, *, now: datetime) -> Known:
    """The anomaly of an id, or of a number in this record.

    Raises:
        AnomalyError: there is none.
    """
    query = _joined().where(or_(anomaly.c.key == name, anomaly.c.id == _number(name)))
    row = connection.execute(query).mappings().first()
    if row is None:
        raise AnomalyError(f"no anomaly in the record has the id or number {name!r}")
    return _all_known(connection, [row], active_mutes(connection, now))[0]


def act(connection: Connection, author: Author, name: str, deed: Deed, text: str = "") -> Known:
    """Add what a person does to an anomaly.

    Args:
        connection: Of `agent.audit.change`.
        author: Who.
        name: Id or number.
        deed: What.
        text: The person's words; a comment needs some.

    Raises:
        AnomalyError: there is no such anomaly, it is closed already, or a comment says nothing.
    """
    found = find(connection, name, now=author.at)
    if deed == "comment" and not text.strip():
        raise AnomalyError("a comment needs words")
    if deed == "give" and not text.strip():
        raise AnomalyError("to give it to somebody takes their name")
    if deed == "undo" and found.state != "acknowledged":
        raise AnomalyError(f"anomaly {found.number} is {found.state}, so there is nothing to undo")
    if deed in ("ack", "give", "close") and found.state == "closed":
        raise AnomalyError(f"anomaly {found.number} is closed already")
    if deed == "ack" and found.state == "acknowledged":
        raise AnomalyError(f"anomaly {found.number} is acknowledged already")
    said = {"action": deed, "text": text}
    audit_id = note(connection, author, deed, "anomaly", found.anomaly.id, new=said)
    connection.execute(
        insert(anomaly_action).values(
            anomaly_id=found.number,
            at_ns=to_ns(author.at),
            who=author.who,
            action=deed,
            text=text,
            audit_id=audit_id,
        )
    )
    return find(connection, name, now=author.at)


def figures(connection: Connection) -> list[Figures]:
    """How every kind and cause has done so far."""
    cycles = int(connection.execute(select(func.count()).select_from(cycle)).scalar_one())
    cycles += sum(rows_of(connection).values())
    query = (
        select(
            anomaly.c.kind,
            anomaly.c.cause,
            func.count().label("raised"),
            func.sum(case((_closed(), 0), else_=1)).label("open"),
            func.sum(case((done_by_people("ack"), 1), else_=0)).label("acknowledged"),
            func.sum(case((done_by_people("not_a_fault"), 1), else_=0)).label("not_a_fault"),
        )
        .group_by(anomaly.c.kind, anomaly.c.cause)
        .order_by(anomaly.c.kind, anomaly.c.cause)
    )
    return [
        Figures(
            kind=row.kind,
            cause=row.cause,
            raised=row.raised,
            open=row.open,
            acknowledged=row.acknowledged,
            not_a_fault=row.not_a_fault,
            per_10000=row.raised * 10_000 / cycles if cycles else None,
        )
        for row in connection.execute(query)
    ]


def _joined() -> Select[Any]:
    return (
        select(anomaly, machine.c.name.label("machine"), mold.c.name.label("mold"))
        .select_from(anomaly)
        .outerjoin(machine, machine.c.id == anomaly.c.machine_id)
        .outerjoin(mold, mold.c.id == anomaly.c.mold_id)
    )


def narrowed(query: Select[Any], wanted: Wanted, active: Sequence[Mute]) -> Select[Any]:
    """The rows of a query over anomaly, machine and mold that are wanted.

    Args:
        query: Joined with both.
        wanted: Which.
        active: Mutes in force; looked at only where `wanted.muted` says so.
    """
    for column, value in (
        (machine.c.name, wanted.machine),
        (mold.c.name, wanted.mold),
        (anomaly.c.kind, wanted.kind),
        (anomaly.c.cause, wanted.cause),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(anomaly.c.time_ns >= to_ns(wanted.since))
    if wanted.until is not None:
        query = query.where(anomaly.c.time_ns < to_ns(wanted.until))
    if set(wanted.states) != set(STATES):
        of_state = {
            "closed": _closed(),
            "acknowledged": ~_closed() & taken(),
            "open": ~_closed() & ~taken(),
        }
        query = query.where(or_(*(of_state[state] for state in wanted.states)))
    if wanted.muted is not None:
        query = query.where(_muted(active) if wanted.muted else ~_muted(active))
    return query


def _muted(active: Sequence[Mute]) -> ColumnElement[bool]:
    """Whether one of these covers a row, as `Mute.covers` says it."""
    covers: list[ColumnElement[bool]] = []
    for each in active:
        scope = (
            (machine.c.name, each.machine),
            (mold.c.name, each.mold),
            (anomaly.c.kind, each.kind),
            (anomaly.c.cause, each.cause),
            (anomaly.c.signal, each.signal),
        )
        wanted = [column.is_not_distinct_from(name) for column, name in scope if name is not None]
        covers.append(and_(*wanted))
    return or_(false(), *covers)


def active_mutes(connection: Connection, now: datetime) -> list[Mute]:
    """Mutes that are in force now."""
    return [each for each in mutes(connection) if each.since <= now < each.until]


def done_by_people(*deeds: str) -> Any:
    """Whether somebody did one of these to the anomaly of a row."""
    return exists().where(
        anomaly_action.c.anomaly_id == anomaly.c.id, anomaly_action.c.action.in_(deeds)
    )


def taken() -> Any:
    """Whether somebody has the anomaly of a row: acknowledged or given, and not undone since."""
    undone = anomaly_action.alias("undone")
    since = exists().where(
        undone.c.anomaly_id == anomaly_action.c.anomaly_id,
        undone.c.action == "undo",
        undone.c.id > anomaly_action.c.id,
    )
    return exists().where(
        anomaly_action.c.anomaly_id == anomaly.c.id,
        anomaly_action.c.action.in_(TAKING),
        ~since.correlate(anomaly_action),
    )


def _closed() -> Any:
    return anomaly.c.closed_ns.is_not(None) | done_by_people(*CLOSING)


def _actions(connection: Connection, ids: Sequence[int]) -> dict[int, list[Action]]:
    found: dict[int, list[Action]] = {}
    for first in range(0, len(ids), 500):  # a statement takes only so many parameters
        query = (
            select(anomaly_action)
            .where(anomaly_action.c.anomaly_id.in_(ids[first : first + 500]))
            .order_by(anomaly_action.c.id)
        )
        for row in connection.execute(query).mappings():
            action = Action(
                at=from_ns(row["at_ns"]), who=row["who"], action=row["action"], text=row["text"]
            )
            found.setdefault(row["anomaly_id"], []).append(action)
    return found


def _all_known(
    connection: Connection, rows: Sequence[Mapping[Any, Any]], active: Sequence[Mute]
) -> list[Known]:
    actions = _actions(connection, [row["id"] for row in rows])
    return [_known(row, actions.get(row["id"], ()), active) for row in rows]


def _known(row: Mapping[Any, Any], actions: Sequence[Action], active: Sequence[Mute]) -> Known:
    found = anomaly_of(row)
    muted = next((each for each in active if each.covers(found)), None)
    return Known(number=row["id"], anomaly=found, actions=actions, muted=muted)


def _number(name: str) -> int:
    return int(name) if name.isascii() and name.isdigit() and len(name) < 18 else -1
