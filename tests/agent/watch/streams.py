"""Booked cycles of a mold that is as real ones are: slow parts, white noise, display steps."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from agent.anomaly import Anomaly
from agent.cycle import Booked, Cycle
from agent.watch import Watch

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)

SIGNALS: Mapping[str, tuple[float, float, float, float]] = {
    "cycle_time_s": (24.0, 0.01, 0.2, 0.01),
    "cooling_time_s": (12.0, 0.005, 0.0, 0.01),
    "hold_time_s": (5.0, 0.001, 0.0, 0.01),
    "fill_time_s": (0.8, 0.004, 0.1, 0.001),
    "mold_open_time_s": (1.4, 0.004, 0.5, 0.01),
    "mold_close_time_s": (2.0, 0.001, 0.0, 0.01),
    "ejection_time_s": (1.0, 0.003, 0.0, 0.01),
    "pause_time_s": (1.8, 0.005, 0.0, 0.01),
    "recovery_time_s": (5.5, 0.03, 0.8, 0.01),
    "injection_pressure_peak_bar": (850.0, 5.0, 0.8, 1.0),
    "cushion_mm": (4.0, 0.05, 0.4, 0.01),
    "clamp_force_kn": (600.0, 3.0, 0.99, 1.0),
    "melt_temp_c": (240.0, 0.3, 0.9, 0.1),
    "mold_temp_c": (55.0, 0.2, 0.8, 0.1),
    "coolant_in_c": (50.0, 0.15, 0.9, 0.1),
    "coolant_out_c": (51.5, 0.15, 0.9, 0.1),
    "coolant_flow_l_min": (8.0, 0.06, 0.5, 0.1),
}
"""Level, standard deviation, lag-1 correlation and display step."""

TIMES = ("cycle_time_s", "cooling_time_s")
PHASES = tuple(name for name in SIGNALS if name.endswith("_time_s"))
WARMING = {
    "recovery_time_s": 0.3, "injection_pressure_peak_bar": -0.1, "mold_temp_c": -0.15,
    "coolant_out_c": -0.02, "clamp_force_kn": -0.02,
}  # fmt: skip
"""By which share of the level a signal is off right after a long stop."""
WARM_SHOTS = 6.0

Change = Mapping[str, float]


class Press:
    """Molds booked cycles.

    Args:
        seed: Of all that is drawn.
        shows: The signals that it shows.
        tails: Degrees of freedom of a t distribution; 0 for a normal one.
        name: Of the machine.
    """

    def __init__(
        self,
        seed: int = 0,
        shows: Iterable[str] = SIGNALS,
        *,
        tails: int = 0,
        name: str = "IMM-01",
        mode: str | None = "AUTOMATIC",
    ) -> None:
        self.random = Random(seed)
        self.shows = tuple(shows)
        self.tails = tails
        self.name = name
        self.mode = mode
        self.mold, self.revision = "M-1", "A"
        self.resin: str | None = None
        self.levels = {name: SIGNALS[name][0] for name in self.shows}
        self.at = START
        self.counter = 0
        self._slow = dict.fromkeys(self.shows, 0.0)
        self._since_stop, self._cold = 1000, 0.0
        self.stand(3600)

    def stand(self, seconds: float) -> None:
        """Nothing is molded for so long."""
        self.at += timedelta(seconds=seconds)
        self._since_stop, self._cold = 0, min(1.0, seconds / 900)

    def shot(self, changed: Change | None = None, *, state: str = "production") -> Booked:
        """The next shot, with signals off by so much."""
        self.counter += 1
        self._since_stop += 1
        values = {name: self._value(name, (changed or {}).get(name, 0.0)) for name in self.shows}
        self.at += timedelta(seconds=values.get("cycle_time_s", 24.0))
        cycle = Cycle(
            machine=self.name, counter=self.counter, time=self.at, received_at=self.at,
            announced=True, mode=self.mode, state=state, mold=self.mold, resin=self.resin,
            values=values,
        )  # fmt: skip
        return Booked(cycle=cycle, segment=1, mold=self.mold, revision=self.revision)

    def _value(self, name: str, changed: float) -> float:
        _, sigma, memory, step = SIGNALS[name]
        fresh = self._noise() * sigma * math.sqrt(1 - memory**2)
        self._slow[name] = memory * self._slow[name] + fresh
        cold = WARMING.get(name, 0.0) * self._cold * math.exp(-self._since_stop / WARM_SHOTS)
        value = self.levels[name] * (1 + cold) + self._slow[name] + changed
        return round(round(value / step) * step, 4)

    def _noise(self) -> float:
        drawn = self.random.gauss(0, 1)
        if not self.tails:
            return drawn
        scale = math.sqrt(self.random.gammavariate(self.tails / 2, 2) / self.tails)
        return drawn / scale / math.sqrt(self.tails / (self.tails - 2))


def watched(press: Press, watch: Watch, cycles: int) -> list[Anomaly]:
    """What a watch says of so many good cycles."""
    return [anomaly for _ in range(cycles) for anomaly in watch.take(press.shot())]


def after(
    press: Press,
    changed: Change | Callable[[int], Change],
    cycles: int = 60,
    *,
    before: int = 220,
    watch: Watch | None = None,
) -> list[tuple[int, Anomaly]]:
    """What is opened of cycles with something wrong, each with the cycle in which it is.

    Args:
        press: Molds them.
        changed: What is off, by signal; or a function of the cycle, counted from 1.
        cycles: How many.
        before: Good ones before, of which nothing may be said.
        watch: The watch; a new one where None.
    """
    watch = watch or Watch(press.name)
    assert watched(press, watch, before) == []
    opened: dict[str, tuple[int, Anomaly]] = {}
    for n in range(1, cycles + 1):
        for anomaly in watch.take(press.shot(changed(n) if callable(changed) else changed)):
            opened.setdefault(anomaly.id, (n, anomaly))
    return list(opened.values())


def causes(found: Sequence[tuple[int, Anomaly]]) -> list[str]:
    """Kinds and causes, in order."""
    return [f"{anomaly.kind}/{anomaly.cause}" for _, anomaly in found]


def ramp(n: int, by: float, over: int) -> float:
    """What has grown to its size after so many cycles."""
    return by * min(1.0, n / over)
