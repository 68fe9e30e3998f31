"""Whom an open anomaly calls: the most urgent ones of a plant, and of each of its machines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from agent.anomalies import STATES, TAKING, Wanted, active_mutes, narrowed, taken
from agent.live import Call, News
from agent.rows import from_ns
from agent.schema import anomaly, anomaly_action, audit, machine, mold

PRIORITIES: Mapping[str, int] = {"alarm": 1, "warning": 2, "info": 3}

LISTED = 12
"""Calls that travel to every page; the inbox lists all."""

MOST = 5000
"""Open ones that are looked at; whoever has more has another trouble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What has to be compared to know whether anything changed."""

    anomalies: int
    people: int
    mutes: int
    """In force now: one that ends changes no row."""


def count_changes(connection: Connection, now: datetime) -> Counter:
    """Where the record stands; two look-ups of an index and the few mutes."""
    changed = select(func.coalesce(func.max(anomaly.c.changed), 0)).scalar_subquery()
    people = select(func.coalesce(func.max(audit.c.id), 0)).scalar_subquery()
    row = connection.execute(select(changed, people)).one()
    return Counter(anomalies=row[0], people=row[1], mutes=len(active_mutes(connection, now)))


def read_calls(connection: Connection, now: datetime) -> tuple[News, Mapping[str, Call]]:
    """What is open and not muted: new ones first, then by severity, causes before consequences.

    Returns:
        The plant's news, of version 0, and the first call of each machine.
    """
    whom = case(
        (anomaly_action.c.action == "give", anomaly_action.c.text), else_=anomaly_action.c.who
    )
    taker = (
        select(case((anomaly_action.c.action == "undo", None), else_=whom))
        .where(
            anomaly_action.c.anomaly_id == anomaly.c.id,
            anomaly_action.c.action.in_((*TAKING, "undo")),
        )
        .order_by(anomaly_action.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    joined = (
        select(
            anomaly.c.id, machine.c.name.label("machine"), mold.c.name.label("mold"),
            anomaly.c.severity, taker.label("taken"), anomaly.c.short, anomaly.c.message,
            anomaly.c.likely, anomaly.c.time_ns,
        )
        .select_from(anomaly)
        .outerjoin(machine, machine.c.id == anomaly.c.machine_id)
        .outerjoin(mold, mold.c.id == anomaly.c.mold_id)
    )  # fmt: skip
    wanted = Wanted(states=STATES[:2], muted=False)
    query = (
        narrowed(joined, wanted, active_mutes(connection, now))
        .where(anomaly.c.closed_ns.is_(None))  # said twice: so the index is used
        .order_by(
            taken(),
            case({"alarm": 0, "warning": 1}, value=anomaly.c.severity, else_=2),
            anomaly.c.follows.is_not(None),
            anomaly.c.time_ns.desc(),
        )
        .limit(MOST)
    )
    calls = [
        Call(
            number=row["id"],
            machine=row["machine"],
            mold=row["mold"],
            priority=PRIORITIES[row["severity"]],
            taken=row["taken"] or "",
            short=row["short"] or row["message"],
            text=row["message"],
            likely=row["likely"],
            at=from_ns(row["time_ns"]),
        )
        for row in connection.execute(query).mappings()
    ]
    first: dict[str, Call] = {}
    for call in calls:
        if call.machine is not None:
            first.setdefault(call.machine, call)
    counts = [sum(1 for call in calls if call.priority == n) for n in (1, 2, 3)]
    news = News(
        waiting=sum(1 for call in calls if not call.taken),
        counts=(counts[0], counts[1], counts[2]),
        calls=tuple(calls[:LISTED]),
    )
    return news, first
