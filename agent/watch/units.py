"""Values in other units than before, of a machine that does not say so.

Where a machine names its units the driver converts, and nothing of it is seen here. One that shows
bare numbers is set from bar to psi, and all pressures are 14.5 times as large from one shot to the
next: no pressure has shifted. Such values are kept from whatever judges and learns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import permutations
from typing import Any

from agent.anomaly import Anomaly
from agent.cycle import Booked
from agent.watch.channel import Channel
from agent.watch.limits import PROVISIONAL
from agent.watch.opened import Opened
from agent.watch.treatment import TREATMENTS
from agent.watch.words import amount
from drivers import Value
from drivers.units import Unit, unit_named

LASTS = 3
"""Shots in a row until it is told."""
SIGNALS_LEAST = 2
"""A single signal may have a sensor that broke, unless it shows what no press does."""
ABSURD = 8.0
"""Times a pressure."""
HOT_C = 150.0
"""From here on it is no water and no mold."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A machine that shows one unit while another is read."""

    read: Unit
    shown: Unit

    def of(self, value: float) -> float:
        """What becomes of a value of ours."""
        shown = (value - self.shown.offset) / self.shown.factor
        return shown * self.read.factor + self.read.offset


@dataclass(frozen=True, slots=True)
class Family:
    """Signals that a machine shows in one unit."""

    ending: str
    """Of their names."""
    what: str
    far: float
    """From the usual value, what no unit is nearer than: a share, or for temperatures K."""
    near: float
    """Share of a converted value within which one is taken for it. Pressures start 15 % low after
    a stop; what is a temperature in another unit may as well be a real one."""
    least: float
    """The same in the signal's unit, at the least."""
    switches: Sequence[Switch]

    def is_far(self, value: float, usual: float) -> bool:
        """Whether a value is as far off as another unit would put it."""
        return abs(value - usual) > self.far * (1.0 if self.ending == "_c" else abs(usual))

    def is_absurd(self, value: float, usual: float) -> bool:
        """Whether even one such value can't be real."""
        return self.ending == "_bar" and value > ABSURD * usual > 0

    def may_be_cold(self, pairs: Sequence[tuple[float, float]]) -> bool:
        """Whether these values, each with the usual one, may be those of a press that stood.

        Water of 50 °C, read as if it were in °F, is 10 °C; so is water that nobody heats.
        """
        return self.ending == "_c" and all(v < usual < HOT_C for v, usual in pairs)

    def fits(self, switch: Switch, value: float, usual: float) -> bool:
        """Whether a value is the usual one in another unit."""
        there = switch.of(usual)
        return abs(value - there) <= max(self.near * abs(there), self.least)


def _switches(*names: str) -> Sequence[Switch]:
    units = [unit for name in names if (unit := unit_named(name)) is not None]
    return [Switch(read, shown) for read, shown in permutations(units, 2)]


FAMILIES = (
    Family("_bar", "pressures", 0.5, 0.2, 0.0, _switches("bar", "psi", "MPa", "kPa")),
    Family("_c", "temperatures", 10.0, 0.03, 2.0, _switches("°C", "°F", "K")),
)
_SIGNALS = {each.ending: [n for n in TREATMENTS if n.endswith(each.ending)] for each in FAMILIES}


@dataclass(slots=True)
class _Seen:
    """Of one family: shots in a row in another unit, since when, and what was told of it."""

    run: int = 0
    since: int = 0
    told: Anomaly | None = None


class Units:
    """The units in which the machine shows the mold's values, if not in the usual ones."""

    def __init__(self) -> None:
        self._seen = {family.ending: _Seen() for family in FAMILIES}

    @property
    def opened(self) -> Sequence[Anomaly]:
        """What is open."""
        return [seen.told for seen in self._seen.values() if seen.told is not None]

    def take(
        self, booked: Booked, channels: Mapping[str, Channel]
    ) -> tuple[Booked, Sequence[Anomaly]]:
        """A good shot without what it shows in other units, and what that leads to."""
        found: list[Anomaly] = []
        for family in FAMILIES:
            seen = self._seen[family.ending]
            switch = _switch(family, booked.cycle.values, channels)
            if switch is None:
                if seen.run and any(n in booked.cycle.values for n in _SIGNALS[family.ending]):
                    if seen.told is not None:
                        found.append(_closed(seen.told, booked.cycle.time, booked.cycle.counter))
                    self._seen[family.ending] = _Seen()
                continue
            if not seen.run:
                seen.since = booked.cycle.counter
            seen.run += 1
            if seen.run == LASTS:
                seen.told = _told(booked, family, switch, seen.since, channels)
                found.append(seen.told)
            booked = _without(booked, family.ending)
        return booked, found

    def close(self, at: datetime, counter: int) -> Sequence[Anomaly]:
        """The mold left."""
        closed = [_closed(anomaly, at, counter) for anomaly in self.opened]
        self._seen = {family.ending: _Seen() for family in FAMILIES}
        return closed

    def save(self) -> dict[str, Any]:
        """As JSON values; `load` takes it."""
        return {
            ending: [seen.run, seen.since, Opened(seen.told).to_json() if seen.told else None]
            for ending, seen in self._seen.items()
            if seen.run
        }

    def load(self, kept: Mapping[str, Any]) -> None:
        """Know again what `save` kept."""
        for ending, (run, since, told) in kept.items():
            anomaly = Opened.from_json(told).anomaly if told else None
            self._seen[ending] = _Seen(run, since, anomaly)


def _switch(
    family: Family, values: Mapping[str, Value], channels: Mapping[str, Channel]
) -> Switch | None:
    """What would make all signals of a family the usual ones; None where they are as they are."""
    pairs: list[tuple[float, float]] = []
    for name in _SIGNALS[family.ending]:
        value, channel = values.get(name), channels.get(name)
        if channel is None or channel.n < PROVISIONAL or value is None or value.__class__ is str:
            continue
        number = float(value)
        if not family.is_far(number, channel.centre):
            return None  # nearly always the first
        pairs.append((number, channel.centre))
    if not pairs or (len(pairs) < SIGNALS_LEAST and not family.is_absurd(*pairs[0])):
        return None
    fitting = (s for s in family.switches if all(family.fits(s, *pair) for pair in pairs))
    switch = next(fitting, None)
    if switch is not None and family.may_be_cold(pairs):
        return None
    return switch


def _without(booked: Booked, ending: str) -> Booked:
    """The same shot without a family's values and curves."""
    cycle = booked.cycle
    values = {name: value for name, value in cycle.values.items() if not name.endswith(ending)}
    curves = {name: curve for name, curve in cycle.curves.items() if not name.endswith(ending)}
    return replace(booked, cycle=replace(cycle, values=values, curves=curves))


def _told(
    booked: Booked, family: Family, switch: Switch, since: int, channels: Mapping[str, Channel]
) -> Anomaly:
    cycle = booked.cycle
    name = next(n for n in _SIGNALS[family.ending] if n in cycle.values and n in channels)
    value, usual = cycle.values[name], channels[name].centre
    shown, read = switch.shown.name, switch.read.name
    return Anomaly(
        id=f"process:unexplained:{cycle.machine}:{booked.mold}:{booked.revision}:"
        f"{booked.segment}:{cycle.counter}:unit:{shown}",
        time=cycle.time,
        machine=cycle.machine,
        mold=booked.mold,
        revision=booked.revision,
        segment=booked.segment,
        counter=cycle.counter,
        since_counter=since,
        kind="process",
        cause="unexplained",
        signal=name,
        value=round(float(value), 3),
        expected=round(usual, 3),
        message=f"All {family.what} are what {shown} would be, read as {read}: "
        f"{amount(name, float(value))} instead of {amount(name, usual)}. "
        "They are not judged while that lasts.",
        short=f"shows {shown}, read as {read}",
        likely=f"the control was set to {shown}",
        advice=f"Set the control back to {read}, or the unit in the machine's map to {shown}.",
        evidence={"shown": shown, "read": read},
    )


def _closed(anomaly: Anomaly, at: datetime, counter: int) -> Anomaly:
    return Opened(anomaly).closed(at, counter)
