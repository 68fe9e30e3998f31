"""One curve of a shot as a drawing that needs no script, the shot before it behind."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.cycle import Curve
from dashboards.figures import number
from dashboards.wording import figured

WIDTH, HEIGHT = 1000.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 20.0, 12.0, 24.0

COLUMNS = 400
"""Where there are more samples than that, each column keeps its lowest and its highest."""

HOLE = 6.0
"""Samples further apart than so many usual steps leave a hole in the line."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveChart:
    """Path data and ticks, in a view box of `WIDTH` by `HEIGHT`."""

    signal: str
    line: str
    ghost: str
    levels: tuple[Tick, ...]
    times: tuple[Tick, ...]
    samples: int
    rate_hz: float
    left: float = LEFT
    right: float = WIDTH - RIGHT
    size: str = f"0 0 {WIDTH:g} {HEIGHT:g}"


def curve_chart(
    signal: str, curve: Curve, before: Curve | None, decimals: int
) -> CurveChart | None:
    """Draw a curve; None where it has fewer than two samples."""
    if len(curve.values) < 2:
        return None
    drawn = [each for each in (curve, before) if each is not None and len(each.values) > 1]
    low = min(float(np.nanmin(each.values)) for each in drawn)
    high = max(float(np.nanmax(each.values)) for each in drawn)
    if not np.isfinite([low, high]).all():
        return None
    room = max((high - low) * 0.06, 10.0**-decimals)
    low, high = low - room, high + room
    ends = max(float(each.t_s[-1]) for each in drawn) or 1.0

    def x(t_s: float) -> float:
        return LEFT + t_s / ends * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    steps = [low + room + (high - low - 2 * room) * n / 3 for n in range(4)]
    return CurveChart(
        signal=signal,
        line=_path(curve, x, y),
        ghost=_path(before, x, y) if before is not None and len(before.values) > 1 else "",
        levels=tuple(Tick(round(y(each), 1), figured(each, signal)) for each in steps),
        times=tuple(Tick(round(x(ends * n / 4), 1), number(ends * n / 4, 1)) for n in range(5)),
        samples=len(curve.values),
        rate_hz=(len(curve.values) - 1) / float(curve.t_s[-1] or 1.0),
    )


def _path(curve: Curve, x: Callable[[float], float], y: Callable[[float], float]) -> str:
    kept = thinned(curve.values)
    t_s, values = curve.t_s[kept], curve.values[kept]
    usual = float(np.median(np.diff(t_s))) if len(t_s) > 1 else 0.0
    path, last = "", None
    for at, value in zip(t_s.tolist(), values.tolist(), strict=True):
        if value != value:
            last = None
            continue
        joined = last is not None and at - last <= HOLE * usual
        path += f"{'L' if joined else 'M'}{x(at):.1f} {y(value):.1f}"
        last = at
    return path


def thinned(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Places of the samples to draw: all, or the lowest and highest of each column."""
    if len(values) <= 2 * COLUMNS:
        return np.arange(len(values))
    kept = {0, len(values) - 1}
    for part in np.array_split(np.arange(len(values)), COLUMNS):
        known = part[~np.isnan(values[part])]
        if len(known):
            kept |= {int(known[values[known].argmin()]), int(known[values[known].argmax()])}
    return np.array(sorted(kept))
