"""The set-up sheet's limits, and the least that physics asks: told at the first shot beyond them.

These are no statistics: a person wrote the limit, or heat conduction did, and one shot is enough.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from agent.anomaly import Anomaly
from agent.cycle import Booked
from agent.watch.baseline import WATER, Baseline
from agent.watch.consequences import CUSHION, MELT, SCREW
from agent.watch.facts import Facts, Limit
from agent.watch.opened import Opened
from agent.watch.plate import least_cooling_s, material
from agent.watch.words import amount

BACK = 5
"""Shots in a row within the limits that end it."""
SURE = 0.9
"""Share of the least time below which it is told: walls and resins are known no better."""
EVERY = 10
"""Good cycles from one look at the physical minimum to the next."""
PHYSICS = "physics"


class Sheet:
    """What limits the mold that is on.

    Args:
        facts: Of its revision.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._open: dict[str, tuple[Anomaly, int]] = {}
        """By signal, or `PHYSICS`: what is open, and shots in a row within the limit."""
        self._force: Mapping[str, Limit] = {}
        self._force_until: datetime | None = None
        self._read = False
        self._look = 0

    def renewed(self, facts: Facts) -> "Sheet":
        """The same with other facts; what is open stays so until a shot closes it."""
        sheet = Sheet(facts)
        sheet._open = self._open
        return sheet

    def least_cooling_s(self, baseline: Baseline) -> float | None:
        """The shortest physical cooling time of this part; None where wall or resin is unknown.

        Filling and holding are part of it. Melt and mold count as they are measured, else as usual
        for the resin.
        """
        of = material(baseline.key[2] or self._facts.resin)
        if of is None or self._facts.wall_mm is None:
            return None
        melt, mold = (baseline.channels.get(n) for n in ("melt_temp_c", "mold_temp_c"))
        return least_cooling_s(
            self._facts.wall_mm,
            of,
            melt_c=melt.level if melt is not None and melt.ready else None,
            wall_c=mold.level if mold is not None and mold.ready else None,
        )

    @property
    def opened(self) -> Sequence[Anomaly]:
        """What is open."""
        return [anomaly for anomaly, _ in self._open.values()]

    def close(self, at: datetime, counter: int) -> Sequence[Anomaly]:
        """The mold has left: what was open is over."""
        closed = [Opened(anomaly).closed(at, counter) for anomaly in self.opened]
        self._open = {}
        return closed

    def take(
        self, booked: Booked, baseline: Baseline, opened: Sequence[Opened]
    ) -> Sequence[Anomaly]:
        """Hold one shot against the limits."""
        if not (self._facts.limits or self._facts.wall_mm is not None or self._open):
            return ()
        found: list[Anomaly] = []
        for signal, limit in self._in_force(booked.cycle.time).items():
            value = booked.cycle.values.get(signal)
            if isinstance(value, int | float) and not isinstance(value, bool):
                found += self._hold(booked, limit, float(value), opened)
        self._look -= 1
        if self._look <= 0:
            self._look = EVERY
            found += self._physics(booked, baseline)
        return found

    def _in_force(self, at: datetime) -> Mapping[str, Limit]:
        """Looked up anew only when another limit comes into force."""
        if not self._read or (self._force_until is not None and at >= self._force_until):
            self._read = True
            self._force = self._facts.in_force(at)
            later = [limit.since for limit in self._facts.limits if limit.since > at]
            self._force_until = min(later, default=None)
        return self._force

    def _hold(
        self, booked: Booked, limit: Limit, value: float, opened: Sequence[Opened]
    ) -> list[Anomaly]:
        low, high = limit.low, limit.high
        crossed = low if low is not None and value < low else None
        if high is not None and value > high:
            crossed = high
        if crossed is None:
            return self._within(booked, limit.signal)
        if limit.signal in self._open:
            self._open[limit.signal] = (self._open[limit.signal][0], 0)
            return []
        way = "above" if value > crossed else "below"
        root = next((o for o in opened if _explains(o, limit.signal)), None)
        kind, cause = _name(limit.signal)
        anomaly = Anomaly(
            id=_id(booked, "limit", limit.signal),
            time=booked.cycle.time,
            machine=booked.cycle.machine,
            mold=booked.mold,
            revision=booked.revision,
            segment=booked.segment,
            counter=booked.cycle.counter,
            since_counter=booked.cycle.counter,
            kind=kind,
            cause=cause,
            signal=limit.signal,
            value=round(value, 3),
            expected=_range(limit),
            limit=crossed,
            severity="alarm",
            message=f"{limit.signal} is {amount(limit.signal, value)}, {way} the set-up sheet's "
            f"{amount(limit.signal, crossed)} ({limit.author}, {limit.since:%Y-%m-%d}).",
            short=f"{way} limit {crossed:g}"[:26],
            advice="Set the parts aside until it is decided.",
            evidence={"author": limit.author, "since": limit.since.isoformat()},
            follows=root.anomaly.id if root else None,
        )
        self._open[limit.signal] = (anomaly, 0)
        return [anomaly]

    def _within(self, booked: Booked, what: str) -> list[Anomaly]:
        if what not in self._open:
            return []
        anomaly, shots = self._open[what]
        if shots + 1 < BACK:
            self._open[what] = (anomaly, shots + 1)
            return []
        del self._open[what]
        return [Opened(anomaly).closed(booked.cycle.time, booked.cycle.counter)]

    def _physics(self, booked: Booked, baseline: Baseline) -> list[Anomaly]:
        """Whether the part stays in the mold as long as it needs."""
        least_s = self.least_cooling_s(baseline)
        phases = [
            channel.centre
            for name in ("fill_time_s", "hold_time_s", "cooling_time_s")
            if (channel := baseline.channels.get(name)) is not None and channel.ready
        ]
        if least_s is None or len(phases) < 3:
            return []
        cools_s = sum(phases)
        if cools_s >= SURE * least_s:
            if PHYSICS not in self._open:
                return []
            anomaly, _ = self._open.pop(PHYSICS)
            return [Opened(anomaly).closed(booked.cycle.time, booked.cycle.counter)]
        if PHYSICS in self._open:
            return []
        resin = baseline.key[2] or self._facts.resin
        anomaly = Anomaly(
            id=_id(booked, "limit", PHYSICS),
            time=booked.cycle.time,
            machine=booked.cycle.machine,
            mold=booked.mold,
            revision=booked.revision,
            segment=booked.segment,
            counter=booked.cycle.counter,
            since_counter=booked.cycle.counter,
            kind="cooling_time",
            cause="out_of_limits",
            signal="cooling_time_s",
            value=round(phases[2], 3),
            expected=round(least_s - phases[0] - phases[1], 3),
            limit=round(least_s - phases[0] - phases[1], 3),
            severity="warning",
            message=f"The part has {cools_s:.1f} s in the mold from filling to opening; {resin} of "
            f"{self._facts.wall_mm:g} mm needs at least {least_s:.1f} s until it is stiff.",
            short="below physical minimum",
            likely="cooling is set shorter than the part's thickest wall allows",
            advice="Check wall thickness and resin of the mold's data, then the timer.",
            evidence={
                "least_s": round(least_s, 2),
                "in_the_mold_s": round(cools_s, 2),
                "wall_mm": self._facts.wall_mm or 0.0,
            },
        )
        self._open[PHYSICS] = (anomaly, 0)
        return [anomaly]

    def save(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "open": {what: [Opened(a).to_json(), n] for what, (a, n) in self._open.items()},
            "look": self._look,
        }

    def load(self, kept: Mapping[str, Any]) -> None:
        """Know again what `save` kept."""
        self._open = {
            what: (Opened.from_json(a).anomaly, n) for what, (a, n) in kept["open"].items()
        }
        self._look = kept["look"]


def _explains(opened: Opened, signal: str) -> bool:
    consequences = opened.consequences
    return signal in consequences.steps | consequences.holds | consequences.moves


def _name(signal: str) -> tuple[str, str]:
    """Kind and cause of a crossed limit, by what it limits."""
    if signal == "cooling_time_s":
        return "cooling_time", "out_of_limits"
    if signal in WATER:
        return "cooling_heat", "unexplained"
    if signal.endswith("_time_s"):
        return ("process", "recovery_shift") if signal in SCREW else ("cycle_time", "unexplained")
    if signal.endswith("_bar"):
        return "process", "pressure_shift"
    if signal in CUSHION:
        return "process", "cushion_shift"
    if signal in MELT:
        return "process", "melt_temperature"
    return "process", "unexplained"


def _range(limit: Limit) -> str:
    low = "" if limit.low is None else f"{limit.low:g}"
    high = "" if limit.high is None else f"{limit.high:g}"
    return f"{low}..{high}"


def _id(booked: Booked, kind: str, what: str) -> str:
    cycle = booked.cycle
    return (
        f"{kind}:{what}:{cycle.machine}:{booked.mold}:{booked.revision}:"
        f"{booked.segment}:{cycle.counter}"
    )
