"""The golden curve of one signal: what a mold's shots look like, and where one leaves that.

A curve is laid over others phase by phase: filling by its share, so that a slower one is no other
shape; holding and cooling by the time since they began. How long a phase is is the scalars'
business.

Source:
    Alignment at the start of injection and by phase, bands of k sigma with a floor, share of points
    outside: molding reference 4.4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.cycle import Curve, Cycle

Numbers = NDArray[np.float64]

GRID: Mapping[str, int] = {"fill": 12, "hold": 24, "cooling": 12}
"""Points by phase, in the order of a cycle."""
LENGTHS = {"fill": "fill_time_s", "hold": "hold_time_s", "cooling": "cooling_time_s"}
POINTS = sum(GRID.values())
SAMPLES_LEAST = 20
"""Of filling and holding; fewer show no shape."""
RISE = 0.1
"""Share of the peak at which injection has begun."""
LEARNED = 30
"""Shots until a curve is known."""
SIGMAS, FLOOR = 5.0, 0.05
"""Half width of the band, and the least, as a share of the golden curve's height."""
ROW = 3
"""Points in a row outside that are a departure; one alone is a sample that came late."""


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a curve leaves its golden one."""

    phase: str
    at_s: float
    """Since the phase began."""
    lasts_s: float
    most: float
    """Farthest from the golden curve there, signed, in the signal's unit."""
    share: float
    """Of all points that are outside."""
    distance: float
    """Root mean square of the distances, in half widths of the band."""


def lengths_s(cycle: Cycle) -> dict[str, float] | None:
    """How long each phase of the grid took; None where the machine does not say."""
    found = {}
    for phase, name in LENGTHS.items():
        value = cycle.values.get(name)
        if not isinstance(value, int | float) or value <= 0:
            return None
        found[phase] = float(value)
    return found


def began_at(curves: Mapping[str, Curve]) -> datetime | None:
    """When injection began: the pressure's rise, between two samples; None where it shows none."""
    curve = curves.get("injection_pressure_bar")
    if curve is None or len(curve.values) < SAMPLES_LEAST:
        return None
    level = RISE * float(curve.values.max())
    above = curve.values > level
    first = int(np.argmax(above))
    if level <= 0 or first == 0 or not above[first]:
        return None
    low, high = float(curve.values[first - 1]), float(curve.values[first])
    part = (level - low) / (high - low)
    at_s = curve.t_s[first - 1] + part * (curve.t_s[first] - curve.t_s[first - 1])
    return curve.started_at + timedelta(seconds=float(at_s))


def on_grid(
    curve: Curve, began: datetime, phases: Mapping[str, float], golden: Mapping[str, float]
) -> Numbers | None:
    """The curve's values on the grid, shape (POINTS,); None where it has too few samples.

    Args:
        curve: Of one shot.
        began: When its injection began.
        phases: How long its phases took, in seconds.
        golden: How long those of the golden curve take: where its grid ends. Points that lie
            behind the end of this shot's phase are NaN.
    """
    t_s = curve.t_s + (curve.started_at - began).total_seconds()
    pressed_s = phases["fill"] + phases["hold"]
    if int(((t_s >= 0) & (t_s <= pressed_s)).sum()) < SAMPLES_LEAST:
        return None
    if t_s[-1] < pressed_s + 0.5 * phases["cooling"]:
        return None
    at, start = [], 0.0
    for phase, points in GRID.items():
        length_s = phases[phase] if phase == "fill" else golden[phase]
        since = length_s * (np.arange(points) + 0.5) / points
        at.append(np.where(since < phases[phase], start + since, np.nan))
        start += phases[phase]
    found: Numbers = np.interp(np.concatenate(at), t_s, curve.values)
    return found


class Envelope:
    """What one signal's curve is like for one mold."""

    def __init__(self, phases: Mapping[str, float]) -> None:
        self.phases = dict(phases)
        """How long each phase of the golden curve takes, in seconds."""
        self.n = 0
        self.chosen = False
        """By a person's choice of shots, which may be few."""
        self.mean: Numbers = np.zeros(POINTS)
        """The golden curve, on the grid."""
        self._squares: Numbers = np.zeros(POINTS)

    @property
    def known(self) -> bool:
        """Whether enough shots were learned, or a person chose them."""
        return self.n >= LEARNED or self.chosen

    @property
    def times_s(self) -> Numbers:
        """Where the points of the grid lie, in seconds since injection began; shape (POINTS,)."""
        at, start = [], 0.0
        for phase, points in GRID.items():
            at.append(start + self.phases[phase] * (np.arange(points) + 0.5) / points)
            start += self.phases[phase]
        return np.concatenate(at)

    @property
    def band(self) -> Numbers:
        """Half width around the golden curve, shape (POINTS,); few shots say less of scatter."""
        few = max(1.0, LEARNED / max(1, self.n))
        sigma = np.sqrt(few * self._squares / max(1, self.n - 1))
        return np.maximum(SIGMAS * sigma, FLOOR * float(np.ptp(self.mean)) + 1e-9)

    def learn(self, values: Numbers) -> None:
        """One more good shot; one that lacks points is left out."""
        if np.isnan(values).any():
            return
        self.n += 1
        off = values - self.mean
        self.mean = self.mean + off / self.n
        self._squares = self._squares + off * (values - self.mean)

    def judge(self, values: Numbers) -> Departure | None:
        """Where a shot leaves the band, at its farthest; None where it does not."""
        off = values - self.mean
        beyond = np.abs(off) / self.band
        outside = beyond > 1
        worst: tuple[float, str, int, int] | None = None
        start = 0
        for phase, points in GRID.items():
            for first, last in _rows(outside[start : start + points]):
                peak = float(beyond[start + first : start + last + 1].max())
                if last - first + 1 >= ROW and (worst is None or peak > worst[0]):
                    worst = peak, phase, start + first, start + last
            start += points
        if worst is None:
            return None
        _, phase, first, last = worst
        step_s = self.phases[phase] / GRID[phase]
        inside = first - sum(n for name, n in GRID.items() if _before(name, phase))
        there = off[first : last + 1]
        return Departure(
            phase=phase,
            at_s=inside * step_s,
            lasts_s=(last - first + 1) * step_s,
            most=float(there[np.argmax(np.abs(there))]),
            share=float(outside.mean()),
            distance=float(np.sqrt(np.nanmean(beyond**2))),
        )

    def save(self) -> dict[str, Any]:
        """As JSON values; `load` takes it."""
        return {
            "phases": self.phases,
            "n": self.n,
            "chosen": self.chosen,
            "mean": self.mean.tolist(),
            "squares": self._squares.tolist(),
        }

    @classmethod
    def load(cls, kept: Mapping[str, Any]) -> "Envelope":
        """What `save` kept."""
        envelope = cls(kept["phases"])
        envelope.n = kept["n"]
        envelope.chosen = kept.get("chosen", False)
        envelope.mean = np.array(kept["mean"])
        envelope._squares = np.array(kept["squares"])
        return envelope


def _before(name: str, phase: str) -> bool:
    order = list(GRID)
    return order.index(name) < order.index(phase)


def _rows(outside: NDArray[np.bool_]) -> Sequence[tuple[int, int]]:
    """First and last of every run of points outside."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], outside.astype(np.int8), [0]))))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]
