"""Streams that are drawn from distributions, by nobody's physics: five molds, each unkind in a way.

Every signal is `level x (1 + warm-up + drift) + AR(1) + white`, rounded to the step of its display.
The phases of a cycle add up to its time. What is unkind: long memory, coarse displays, heavy tails,
missing values and gaps, and a person who opens the door (semi-automatic).

Source:
    Sizes of scatter, memory and transients from molding reference 1.3 to 1.6.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from bench.watch.stream import START, Cause, Stream, Trouble
from drivers import Change, Notice, Observation, Origin, Report

Floats = NDArray[np.float64]

PHASES = (
    "mold_close_time_s", "fill_time_s", "hold_time_s", "cooling_time_s", "mold_open_time_s",
    "ejection_time_s", "pause_time_s",
)  # fmt: skip
BLOCK = 500
"""Cycles that are drawn at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How one signal scatters; sizes in its own unit."""

    level: float
    white: float
    slow: float = 0.0
    """Standard deviation of the AR(1) part."""
    memory: float = 0.8
    step: float = 0.01
    """Of the display."""
    warm: float = 0.0
    """How far below its level it starts after a long stop; a share."""
    warm_shots: float = 6.0

    @property
    def sigma(self) -> float:
        """Standard deviation of all of it: what one `sigma` of a trouble is."""
        return math.hypot(self.white, self.slow, self.step / math.sqrt(12))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One mold and its press."""

    mold: str
    unkind: str
    """In words, for the page."""
    signals: Mapping[str, Noise]
    tails: float = math.inf
    """Degrees of freedom of the white part."""
    missing: float = 0.0
    """Share of values that are not there."""
    gaps: float = 0.0
    """Share of cycles that nobody saw."""
    waits_s: float = 0.0
    """Mean of what a person adds to the pause."""


def _signals(scale: float = 1.0) -> dict[str, Noise]:
    return {
        "mold_close_time_s": Noise(level=1.6, white=0.001),
        "fill_time_s": Noise(level=0.8, white=0.0005, step=0.001),
        "hold_time_s": Noise(level=5.0, white=0.0005),
        "cooling_time_s": Noise(level=12.0, white=0.003),
        "mold_open_time_s": Noise(level=1.4, white=0.003, slow=0.002),
        "ejection_time_s": Noise(level=1.0, white=0.004),
        "pause_time_s": Noise(level=1.8, white=0.005),
        "recovery_time_s": Noise(level=5.5, white=0.012, slow=0.02 * scale, memory=0.9, warm=-0.2,
                                 warm_shots=1.5),
        "injection_pressure_peak_bar": Noise(level=850, white=2.5, slow=4.0 * scale, memory=0.85,
                                             step=1, warm=0.13, warm_shots=7),
        "transfer_pressure_bar": Noise(level=820, white=2.5, slow=4.0 * scale, memory=0.85, step=1,
                                       warm=0.13, warm_shots=7),
        "hold_pressure_bar": Noise(level=450, white=2.0, step=1),
        "cushion_mm": Noise(level=4.0, white=0.03, slow=0.02, memory=0.4),
        "screw_torque_nm": Noise(level=240, white=6.0, slow=2.0, step=1),
        "clamp_force_kn": Noise(level=600, white=0.4, slow=2.5 * scale, memory=0.995, step=1,
                                warm=0.02, warm_shots=20),
        "melt_temp_c": Noise(level=240, white=0.1, slow=0.3, memory=0.95, step=0.1),
        "mold_temp_c": Noise(level=55, white=0.08, slow=0.1, memory=0.9, step=0.1, warm=0.25,
                             warm_shots=5),
        "coolant_in_c": Noise(level=50, white=0.06, slow=0.1, memory=0.95, step=0.1),
        "coolant_out_c": Noise(level=51.5, white=0.06, slow=0.1, memory=0.95, step=0.1),
        "coolant_flow_l_min": Noise(level=8.0, white=0.03, slow=0.04, memory=0.9, step=0.1),
    }  # fmt: skip


def _coarse() -> dict[str, Noise]:
    steps = {"_s": 0.1, "_bar": 5.0, "_c": 1.0, "_mm": 0.1, "_kn": 5.0, "_min": 0.5, "_nm": 5.0}
    return {
        name: replace(noise, step=next(step for end, step in steps.items() if name.endswith(end)))
        for name, noise in _signals().items()
    }


MOLDS: tuple[Drawn, ...] = (
    Drawn(mold="D-1", unkind="as on a good electric press", signals=_signals()),
    Drawn(mold="D-2", unkind="long memory: slow parts twice as large", signals=_signals(2.0)),
    Drawn(mold="D-3", unkind="coarse displays: 0.1 s, 5 bar, 1 K", signals=_coarse()),
    Drawn(mold="D-4", unkind="heavy tails: t with 3 degrees of freedom", signals=_signals(),
          tails=3.0),
    Drawn(mold="D-5", unkind="3 % of values missing, 1 % of cycles unseen, semi-automatic",
          signals=_signals(), missing=0.03, gaps=0.01, waits_s=1.5),
)  # fmt: skip

STOPS_S = (300.0, 1800.0, 18000.0)
CYCLES_PER_STOP = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A lasting change of one signal."""

    signal: str
    by: float
    unit: str
    """`sigma`, or the signal's own."""
    right: frozenset[Cause]
    over: int = 1
    """Cycles of its ramp."""

    def in_unit(self, drawn: Drawn) -> float:
        """How far, in the signal's unit."""
        return self.by * drawn.signals[self.signal].sigma if self.unit == "sigma" else self.by


def _causes(*found: str) -> frozenset[Cause]:
    kinds = [tuple(each.split("/")) for each in found]
    return frozenset((kind, cause) for kind, cause in kinds)


SHIFTS: tuple[Shift, ...] = (
    *(
        Shift(signal="cooling_time_s", by=by, unit="s",
              right=_causes("cooling_time/timer_changed", "cooling_time/unexplained"))
        for by in (0.1, 0.2, 0.5, 1.0, 2.0)
    ),
    *(
        Shift(signal="mold_temp_c", by=by, unit="K", over=over,
              right=_causes("cooling_heat/mold_temperature", "cooling_heat/fouling"))
        for by, over in ((2.0, 1), (5.0, 1), (5.0, 15), (10.0, 1))
    ),
    *(
        Shift(signal=signal, by=by, unit="sigma", right=right)
        for signal, right in (
            ("injection_pressure_peak_bar", _causes("process/pressure_shift")),
            ("cushion_mm", _causes("process/cushion_shift")),
            ("recovery_time_s", _causes("process/recovery_shift")),
            ("mold_open_time_s", _causes("cycle_time/open_close_changed")),
        )
        for by in (0.5, 1.0, 2.0, 3.0, 5.0)
    ),
)  # fmt: skip
"""The table of delays."""


def clean(drawn: Drawn, seed: int, cycles: int) -> Stream:
    """A mold as it should be: runs with stops and job changes between."""
    return Stream(
        name=f"clean {drawn.mold}",
        seed=seed,
        observations=lambda: _Telling(drawn, seed, stops=True).cycles(cycles),
        revisions={drawn.mold: "A"},
    )


def shifted(drawn: Drawn, seed: int, shift: Shift, cycles: int = 60) -> Stream:
    """A mold that ran well for some hundred shots, and then one signal is elsewhere."""
    random = np.random.default_rng([seed, len(shift.signal), round(shift.by * 100)])
    first = int(random.integers(200, 400))
    return Stream(
        name=f"{shift.signal} {shift.by:+g} {shift.unit}, {drawn.mold}",
        seed=seed,
        observations=lambda: _Telling(drawn, seed, shift=shift, first=first).cycles(
            first - 1 + cycles
        ),
        trouble=Trouble(
            name=shift.signal, size=shift.by, unit=shift.unit, first=first, right=shift.right
        ),
        revisions={drawn.mold: "A"},
    )


class _Telling:
    """Draws one stream."""

    def __init__(
        self,
        drawn: Drawn,
        seed: int,
        *,
        stops: bool = False,
        shift: Shift | None = None,
        first: int = 0,
    ) -> None:
        self._drawn = drawn
        self._random = np.random.default_rng([seed, int(drawn.mold[2:]), 17])
        self._stops = stops
        self._shift = shift
        self._first = first
        self._slow = dict.fromkeys(drawn.signals, 0.0)
        self._since_stop = 0
        self._stop_s = math.inf
        """How long the last stop was."""
        self._job = 1

    def cycles(self, cycles: int) -> Iterator[Observation]:
        """That many, and what is told between them."""
        drawn, random = self._drawn, self._random
        at, counter, done = START, 0, 0
        mode = "SEMI_AUTOMATIC" if drawn.waits_s else "AUTOMATIC"
        while done < cycles:
            n = min(BLOCK, cycles - done)
            if self._stops and done:
                n = min(n, int(random.exponential(CYCLES_PER_STOP)) + 1)
            values = self._block(n, done)
            cycle_s = values["cycle_time_s"]
            for row in range(n):
                at += timedelta(seconds=round(float(cycle_s[row]), 3))
                counter += 1
                if drawn.gaps and random.random() < drawn.gaps:
                    continue
                yield self._report(at, counter, mode, {k: float(v[row]) for k, v in values.items()})
            done += n
            if self._stops and n < BLOCK:
                self._stop_s = float(random.choice(STOPS_S))
                self._since_stop = 0
                yield _told(at, Change.MODE, "mode", mode, "MANUAL")
                at += timedelta(seconds=self._stop_s)
                if random.random() < 0.3:
                    self._job += 1
                    yield _told(at, Change.JOB, "job", f"J-{self._job - 1}", f"J-{self._job}")
                yield _told(at, Change.MODE, "mode", "MANUAL", mode)

    def _block(self, n: int, done: int) -> dict[str, Floats]:
        drawn, random = self._drawn, self._random
        since = self._since_stop + np.arange(n)
        self._since_stop += n
        cold = min(1.0, self._stop_s / 1800.0)
        raw: dict[str, Floats] = {}
        for name, noise in drawn.signals.items():
            white = random.standard_normal(n)
            if math.isfinite(drawn.tails):  # as wide as the others, but for the tails
                white = random.standard_t(drawn.tails, n) / math.sqrt(
                    drawn.tails / (drawn.tails - 2)
                )
            raw[name] = (
                noise.level * (1 - cold * noise.warm * np.exp(-since / noise.warm_shots))
                + self._wander(name, noise, n)
                + noise.white * white
            )
        if drawn.waits_s:
            raw["pause_time_s"] += random.gamma(2.0, drawn.waits_s / 2, n)
        if self._since_stop == n and self._stop_s > 600:  # the first shot is hardly one
            for name in ("cushion_mm", "injection_pressure_peak_bar", "transfer_pressure_bar"):
                raw[name][0] *= random.uniform(0.1, 1.0)
        if self._shift is not None:
            ramp = np.clip((done + np.arange(n) - self._first + 2) / self._shift.over, 0.0, 1.0)
            raw[self._shift.signal] += self._shift.in_unit(drawn) * ramp
        shown = {
            name: np.round(np.round(raw[name] / noise.step) * noise.step, 4)
            for name, noise in drawn.signals.items()
        }
        whole = sum((raw[name] for name in PHASES), np.zeros(n))
        step = drawn.signals["cooling_time_s"].step
        shown["cycle_time_s"] = np.round(np.round(whole / step) * step, 4)
        if drawn.missing:
            for name in drawn.signals:
                shown[name][random.random(n) < drawn.missing] = np.nan
        return shown

    def _wander(self, name: str, noise: Noise, n: int) -> Floats:
        """The AR(1) part."""
        if not noise.slow:
            return np.zeros(n)
        fresh = self._random.standard_normal(n) * noise.slow * math.sqrt(1 - noise.memory**2)
        slow, last = np.empty(n), self._slow[name]
        for at in range(n):
            last = slow[at] = noise.memory * last + fresh[at]
        self._slow[name] = last
        return slow

    def _report(self, at: datetime, counter: int, mode: str, values: dict[str, float]) -> Report:
        return Report(
            machine="IMM-01",
            counter=counter,
            ended_at=at,
            received_at=at,
            origin=Origin.REPORTED,
            values={name: value for name, value in values.items() if not math.isnan(value)},
            states={"mold": self._drawn.mold, "mode": mode, "job": f"J-{self._job}"},
        )


def _told(at: datetime, change: Change, name: str, old: str, new: str) -> Notice:
    return Notice(
        machine="IMM-01", change=change, name=name, old=old, new=new, at=at, received_at=at
    )
