"""How far a mold's times are off where they belong, by day: in seconds, percent and parts lost.

Not an alarm. A second on a cycle is decided by somebody once, and paid every day after.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, func, or_, select

from agent.rows import to_ns
from agent.schema import cycle, machine, mold, run, saved
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
    connection: Connection, until: datetime, days: int, zone: ZoneInfo, mold_name: str | None = None
) -> Iterator[Drift]:
    """Every mold's drift on the last days, the newest first.

    Args:
        connection: To the record.
        until: Now; its day is the first.
        days: How many.
        zone: Whose days.
        mold_name: Only this one.
    """
    known = list(read_baselines(connection, mold_name))
    today = until.astimezone(zone).date()
    for back in range(days):
        day = today - timedelta(days=back)
        since_ns, until_ns = (
            to_ns(datetime.combine(day + timedelta(days=n), time.min, tzinfo=zone)) for n in (0, 1)
        )
        for name, baseline in known:
            yield from _drifts(connection, name, baseline, day, (since_ns, until_ns))


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


def _drifts(
    connection: Connection, name: str, baseline: Baseline, day: date, ns: tuple[int, int]
) -> Iterator[Drift]:
    mold_id, revision, resin = baseline.key
    golden = {
        signal: baseline.golden.get(signal, channel.home)
        for signal in TIMES
        if (channel := baseline.channels.get(signal)) is not None and channel.armed
    }
    if "cycle_time_s" not in golden:
        return
    least, most = (share * golden["cycle_time_s"] for share in RUNNING)
    query = (
        select(
            func.count(),
            *(func.avg(cycle.c[signal]) for signal in TIMES),
            select(func.max(run.c.cavities))
            .where(run.c.mold_id == mold.c.id, run.c.revision == revision)
            .correlate(mold)
            .scalar_subquery(),
        )
        .select_from(cycle.join(mold).join(machine))
        .where(
            and_(
                machine.c.name == name,
                mold.c.name == mold_id,
                cycle.c.revision == revision,
                func.coalesce(cycle.c.resin, "") == resin,
                cycle.c.closing == "shot",
                cycle.c.state == "production",
                cycle.c.time_ns >= ns[0],
                cycle.c.time_ns < ns[1],
                cycle.c.cycle_time_s.between(least, most),
            )
        )
    )
    n, *means, cavities = connection.execute(query).one()
    for signal, mean in zip(TIMES, means, strict=True):
        if n and mean is not None and signal in golden:
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
