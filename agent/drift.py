"""How far a mold's times are off where they belong, by day: in seconds, percent and parts lost.

Not an alarm. A second on a cycle is decided by somebody once, and paid every day after.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, func, or_, select

from agent.history import Asked, Filter, History
from agent.schema import machine, mold, run, saved
from agent.stages import MOLD, WATCH
from agent.watch import Baseline

SHIFT_S = 8 * 3600.0
TIMES = ("cycle_time_s", "cooling_time_s")
RUNNING = (0.5, 1.7)
"""Shares of the golden cycle between which a cycle is one of ordinary running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One mold on one machine on one day."""

    day: date
    machine: str
    mold: str
    revision: str
    resin: str
    signal: str
    approved_by: str | None
    """None where nobody approved it, and the mold's own first cycles are the measure."""
    cycles: int
    golden: float
    mean: float
    parts_lost: float | None
    """In eight hours of running, against the golden cycle; negative for gained. Of the cycle
    time only."""

    @property
    def off(self) -> float:
        """How much longer than golden, in the signal's unit."""
        return self.mean - self.golden

    @property
    def percent(self) -> float:
        """The same as a share."""
        return 100 * self.off / self.golden


def parts_lost(golden_s: float, mean_s: float, cavities: int) -> float:
    """Parts that a shift of eight hours makes less at that cycle than at the golden one.

    >>> round(parts_lost(24.0, 25.0, 2))
    96
    """
    return SHIFT_S * (1 / golden_s - 1 / mean_s) * cavities


def read_drifts(
    history: History, until: datetime, days: int, zone: ZoneInfo, mold_name: str | None = None
) -> Iterator[Drift]:
    """Every mold's drift on the last days, the newest first.

    Args:
        history: The record.
        until: Now; its day is the first.
        days: How many.
        zone: Whose days.
        mold_name: Only this one.
    """
    with history.connect() as connection:
        known = list(read_baselines(connection, mold_name))
    today = until.astimezone(zone).date()
    for back in range(days):
        day = today - timedelta(days=back)
        since, end = (
            datetime.combine(day + timedelta(days=n), time.min, tzinfo=zone) for n in (0, 1)
        )
        for name, baseline in known:
            wanted = Filter(machine=name, since=since, until=end)
            yield from _drifts(history, wanted, baseline, day)


def read_baselines(connection: Connection, mold_name: str | None) -> Iterator[tuple[str, Baseline]]:
    """Every machine's baselines, as its watch last wrote them down."""
    query = (
        select(machine.c.name, saved.c.stage, saved.c.body)
        .join(machine)
        .where(or_(saved.c.stage == WATCH, saved.c.stage.startswith(MOLD, autoescape=True)))
        .order_by(machine.c.name, saved.c.stage)
    )
    for name, stage, body in connection.execute(query):
        kept = json.loads(body)
        for each in kept["watch"]["baselines"] if stage == WATCH else [kept]:
            if mold_name is None or each["key"][0] == mold_name:
                yield name, Baseline.load(each)


def _drifts(history: History, wanted: Filter, baseline: Baseline, day: date) -> Iterator[Drift]:
    mold_id, revision, resin = baseline.key
    golden = {
        signal: baseline.golden.get(signal, channel.home)
        for signal in TIMES
        if (channel := baseline.channels.get(signal)) is not None and channel.armed
    }
    if "cycle_time_s" not in golden:
        return
    least, most = (share * golden["cycle_time_s"] for share in RUNNING)

    def question(all_: Select[Any]) -> Asked:
        found = all_.subquery()
        sums = (
            each for name in TIMES for each in (func.sum(found.c[name]), func.count(found.c[name]))
        )
        return select(func.count(), *sums).where(
            found.c.mold == mold_id,
            found.c.revision == revision,
            func.coalesce(found.c.resin, "") == resin,
            found.c.closing == "shot",
            found.c.state == "production",
            found.c.cycle_time_s.between(least, most),
        )

    numbers = list(zip(*history.asked(wanted, question, as_booked=True), strict=True))
    n, *sums = (sum(each or 0 for each in column) for column in numbers)
    if not n:
        return
    means = [total / of if of else None for total, of in zip(sums[::2], sums[1::2], strict=True)]
    cavities = _cavities(history, mold_id, revision)
    name = str(wanted.machine)
    for signal, mean in zip(TIMES, means, strict=True):
        if mean is not None and signal in golden:
            whole = signal == "cycle_time_s"
            yield Drift(
                day=day,
                machine=name,
                mold=mold_id,
                revision=revision,
                resin=resin,
                signal=signal,
                approved_by=baseline.approved_by,
                cycles=n,
                golden=golden[signal],
                mean=mean,
                parts_lost=parts_lost(golden[signal], mean, cavities or 1) if whole else None,
            )


def _cavities(history: History, mold_name: str, revision: str) -> int | None:
    query = (
        select(func.max(run.c.cavities))
        .join(mold, mold.c.id == run.c.mold_id)
        .where(mold.c.name == mold_name, run.c.revision == revision)
    )
    with history.connect() as connection:
        cavities: int | None = connection.execute(query).scalar()
    return cavities
