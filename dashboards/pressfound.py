"""What the record says of one press: its cycles, its mold, what is open, what was not seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from agent.anomalies import STATES, Known, Wanted, count, most_urgent
from agent.anomaly import AnomalyError
from agent.batch import Blind
from agent.cycle import Booked, Curve
from agent.drift import read_baselines
from agent.history import Filter, History
from agent.molds.forecast import WEEKS
from agent.molds.shelf import read_days, read_shelf
from agent.rows import from_ns
from agent.schema import cycle, machine, notice
from agent.watch.baseline import Baseline
from agent.watch.facts import Facts
from agent.watchwords import Golden, read_golden, read_words
from dashboards.shelfpage import Standing, standing_of

CYCLES_SHOWN = 120
NOTICES_SHOWN = 8
OPEN_SHOWN = 20
BLIND_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class PressFound:
    """What the record says of one press."""

    cycles: Sequence[Booked]
    """The newest, oldest first."""
    shown: Booked | None
    """The one that is looked at."""
    curves: Mapping[str, Curve]
    before: Mapping[str, Curve]
    """Of the cycle before that one."""
    facts: Facts | None
    """What people know of the mold of the cycle that is shown."""
    baseline: Baseline | None
    """What the watch has learned of it on this press."""
    golden: Sequence[Golden]
    """Approvals of its revision on this press, oldest first."""
    raised: int
    """Anomalies in the last day, muted ones left out."""
    open: Sequence[Known]
    blinds: Sequence[Blind]
    notices: Sequence[Mapping[str, Any]]
    mold: Standing | None
    """The mold that sits on it."""


def look_at_press(
    history: History, now: datetime, name: str, wanted: tuple[int, int] | None, mounted: str | None
) -> PressFound:
    """Read what the page shows.

    Args:
        history: The record.
        now: UTC.
        name: Of the machine.
        wanted: Segment and counter of the cycle to show; None: the newest.
        mounted: The mold that sits on it; None for none.

    Raises:
        AnomalyError: there is no such cycle.
    """
    if wanted is None:
        newest = Filter(machine=name, since=_reach(history, name))
        cycles = list(history.cycles(newest, newest=CYCLES_SHOWN))
    else:
        cycles = history.cycles_up_to(name, *wanted, CYCLES_SHOWN)
    shown_ = cycles[-1] if cycles else None
    if wanted is not None and (shown_ is None or (shown_.segment, shown_.cycle.counter) != wanted):
        raise AnomalyError(f"{name} has no cycle {wanted[1]} in segment {wanted[0]}")
    with history.connect() as connection:
        undone = Wanted(machine=name, states=STATES[:2], muted=False)
        open_ = most_urgent(connection, undone, now=now, most=OPEN_SHOWN)
        query = (
            select(notice)
            .join(machine)
            .where(machine.c.name == name)
            .order_by(notice.c.id.desc())
            .limit(NOTICES_SHOWN)
        )
        notices = [dict(row) for row in connection.execute(query).mappings()]
        facts, baseline, golden = None, None, list[Golden]()
        if shown_ and shown_.mold:
            revision = shown_.revision or ""
            facts = read_words(connection).of(shown_.mold, revision)
            golden = [
                each
                for each in read_golden(connection, shown_.mold)
                if (each.machine, each.revision) == (name, revision)
            ]
            for of, each in read_baselines(connection, shown_.mold):
                if of == name and each.key[1] == revision:
                    baseline = each
        day = Wanted(machine=name, since=now - timedelta(days=1), muted=False)
        raised = count(connection, day, now=now)
        mold = _standing(connection, now, mounted) if mounted else None
    return PressFound(
        cycles=cycles,
        shown=shown_,
        curves=history.curves(shown_) if shown_ else {},
        before=history.curves(cycles[-2]) if len(cycles) > 1 else {},
        facts=facts,
        baseline=baseline,
        golden=golden,
        raised=raised,
        open=open_,
        blinds=history.blinds(name, since=now - timedelta(hours=BLIND_HOURS)),
        notices=notices,
        mold=mold,
    )


def _reach(history: History, name: str) -> datetime | None:
    """Since when a machine's newest cycles are, by an index: to order all of them takes long."""
    key = select(machine.c.id).where(machine.c.name == name).scalar_subquery()
    query = (
        select(cycle.c.time_ns)
        .where(cycle.c.machine_id == key)
        .order_by(cycle.c.time_ns.desc())
        .offset(CYCLES_SHOWN - 1)
        .limit(1)
    )
    with history.connect() as connection:
        ns = connection.execute(query).scalar()
    return from_ns(ns) if ns is not None else None


def _standing(connection: Connection, now: datetime, name: str) -> Standing | None:
    shelf = read_shelf(connection)
    if name not in shelf.molds:
        return None
    days = read_days(connection, now.date(), WEEKS, name).get(name, {})
    return standing_of(shelf, shelf.molds[name], shelf.where().get(name), days, now)
