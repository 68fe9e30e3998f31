"""The curves of shots as plots above each other with one time axis: as drawings, and for a script.

Time is counted from the start of injection, so that shots lie over each other and over the golden
curve. What a page draws without a script is in `Plot`; `data` is the same for the page's script.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.cycle import Curve
from agent.watch.envelope import Envelope, began_at
from dashboards.catalogue import Catalogue
from dashboards.curvechart import HOLE, Tick, thinned
from dashboards.figures import number
from dashboards.wording import in_words
from drivers.signals import SIGNALS

Numbers = NDArray[np.float64]

WIDTH = 1000.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 12.0, 10.0, 24.0

GROUPS: Mapping[str, tuple[str, ...]] = {
    "pressure": ("injection_pressure_bar", "cavity_pressure_bar"),
    "temperature": ("mold_temp_c", "coolant_out_c"),
    "position": ("screw_position_mm",),
}
"""Plots from top to bottom, and their signals: the first is drawn dark, the second blue."""

HEIGHTS: Mapping[str, float] = {"pressure": 236.0, "temperature": 150.0, "position": 150.0}

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
TICKS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """The curves of one shot on the common time axis."""

    label: str
    samples: Mapping[str, tuple[Numbers, Numbers]]
    """By signal: seconds since injection began, and values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One line of a plot."""

    kind: str
    """`line-1` and `line-2` by signal, or `ghost`."""
    path: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One plot as a drawing, in a view box of `size`."""

    name: str
    title: str
    unit: str
    size: str
    height: float
    levels: Sequence[Tick]
    times: Sequence[Tick]
    bands: Sequence[str]
    lines: Sequence[Drawn]
    left: float = LEFT
    right: float = WIDTH - RIGHT
    bottom: float = 0.0

    def across(self, x: float) -> str:
        """Where something stands in per cent of the width: lines are stretched, letters are not."""
        return f"{100 * x / WIDTH:g}"

    def down(self, y: float) -> str:
        """The same of the height."""
        return f"{100 * y / self.height:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleChart:
    """All plots of a page."""

    plots: Sequence[Plot] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


def shot_of(curves: Mapping[str, Curve], label: str = "") -> Shot:
    """Lay a shot's curves on the common axis: by the pressure's rise, else by the first sample."""
    began = began_at(curves)
    samples = {}
    for name, curve in curves.items():
        if len(curve.values) < 2:
            continue
        kept = thinned(curve.values)
        lead = (curve.started_at - began).total_seconds() if began else 0.0
        samples[name] = (curve.t_s[kept] + lead, curve.values[kept])
    return Shot(label=label, samples=samples)


def cycle_chart(
    shots: Sequence[Shot],
    golden: Mapping[str, Envelope],
    span_s: float,
    strings: Catalogue,
    *,
    live: Iterable[str] = (),
    levels: Mapping[str, float] | None = None,
) -> CycleChart:
    """Draw shots over each other.

    Args:
        shots: The first one is the one that is looked at, those behind it are grey.
        golden: Golden curves by signal; empty before somebody approved them.
        span_s: Length of the time axis.
        strings: Of the page.
        live: Signals that come live, and have a plot even before there is anything to draw.
        levels: Where a live signal stands, for the scale of one that nothing is known of.
    """
    present = {name for shot in shots for name in shot.samples} | set(live)
    plots: list[Plot] = []
    data: list[Mapping[str, Any]] = []
    end_s = _nice_end(span_s)
    for name, signals in GROUPS.items():
        shown = [each for each in signals if each in present]
        if not shown or (name == "position" and plots[1:]):
            continue
        low, high = _scale(shots, golden, shown, levels or {})
        plots.append(_plot(name, shown, shots, golden, (low, high), end_s, strings))
        data.append(
            {
                "name": name,
                "low": low,
                "high": high,
                "signals": [
                    {
                        "name": each,
                        "label": in_words(each),
                        "unit": SIGNALS[each].unit,
                        "decimals": SIGNALS[each].decimals,
                        "golden": _golden(golden.get(each)),
                        "last": _pairs(shots[:1], each),
                    }
                    for each in shown
                ],
            }
        )
    return CycleChart(plots=plots, data={"span_s": end_s, "plots": data})


def _golden(envelope: Envelope | None) -> dict[str, Any] | None:
    if envelope is None:
        return None
    return {
        "phases": envelope.phases,
        "t": np.round(envelope.times_s, 3).tolist(),
        "mean": np.round(envelope.mean, 2).tolist(),
        "band": np.round(envelope.band, 2).tolist(),
    }


def _pairs(shots: Sequence[Shot], name: str) -> list[list[float | None]]:
    for shot in shots:
        if name in shot.samples:
            t_s, values = shot.samples[name]
            known = [round(v, 2) if math.isfinite(v) else None for v in values.tolist()]
            return [np.round(t_s, 3).tolist(), known]
    return [[], []]


def _scale(
    shots: Sequence[Shot],
    golden: Mapping[str, Envelope],
    names: Sequence[str],
    levels: Mapping[str, float],
) -> tuple[float, float]:
    """From where to where the value axis reaches: by the golden curves where there are any."""
    known: list[float] = []
    for name in names:
        if name in golden:
            mean = golden[name].mean
            known += [*mean.tolist(), float(mean.max() + 0.06 * np.ptp(mean))]
        for shot in shots if name not in golden else ():
            if name in shot.samples:
                known += shot.samples[name][1].tolist()
        if name in levels:
            known += [levels[name] - 6.0, levels[name] + 6.0]
    known = [value for value in known if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    if low == high:  # a line that lies flat, as zero does where nothing is molded
        high = low + max(1.0, 0.1 * abs(low))
    if low > -0.1 * high and low < 0.35 * high:
        low = 0.0
    step = _step(max(high - low, 1e-6) / TICKS)
    return math.floor(low / step) * step, math.ceil(high * 1.0001 / step) * step


def _plot(
    name: str,
    signals: Sequence[str],
    shots: Sequence[Shot],
    golden: Mapping[str, Envelope],
    scale: tuple[float, float],
    end_s: float,
    strings: Catalogue,
) -> Plot:
    height, (low, high) = HEIGHTS[name], scale
    bottom = height - BOTTOM

    def x(t_s: float) -> float:
        return LEFT + t_s / end_s * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * (bottom - TOP)

    def path(t_s: Numbers, values: Numbers) -> str:
        usual = float(np.median(np.diff(t_s))) if len(t_s) > 1 else 0.0
        text, last = "", None
        for at, value in zip(t_s.tolist(), values.tolist(), strict=True):
            if not math.isfinite(value) or at < 0 or at > end_s:
                last = None
                continue
            joined = last is not None and at - last <= HOLE * usual
            text += f"{'L' if joined else 'M'}{x(at):.1f} {y(value):.1f}"
            last = at
        return text

    bands = []
    for each in signals:
        if (envelope := golden.get(each)) is not None:
            t_s, mean, band = envelope.times_s, envelope.mean, envelope.band
            up = [f"{x(t):.1f} {y(v):.1f}" for t, v in zip(t_s, mean + band, strict=True)]
            down = [f"{x(t):.1f} {y(v):.1f}" for t, v in zip(t_s, mean - band, strict=True)]
            bands.append("M" + "L".join([*up, *reversed(down)]) + "z")
    lines = [
        Drawn(kind="ghost", path=path(*shot.samples[each]), label=shot.label)
        for shot in reversed(shots[1:])
        for each in signals
        if each in shot.samples
    ]
    lines += [
        Drawn(kind=f"line-{n}", path=path(*shot.samples[each]), label=in_words(each))
        for shot in shots[:1]
        for n, each in enumerate(signals, 1)
        if each in shot.samples
    ]
    step = _step((high - low) / TICKS)
    ticks = [low + n * step for n in range(round((high - low) / step) + 1)]
    decimals, every = _decimals(step), _step(end_s / 12)
    unit = SIGNALS[signals[0]].unit
    title = strings[f"press.plot_{name}"]
    return Plot(
        name=name,
        title=f"{title}, {unit}",
        unit=unit,
        size=f"0 0 {WIDTH:g} {height:g}",
        height=height,
        levels=[Tick(round(y(each), 1), number(each, decimals)) for each in ticks],
        times=[
            Tick(round(x(n * every), 1), number(n * every, _decimals(every)))
            for n in range(int(end_s / every + 1e-6) + 1)
        ],
        bands=bands,
        lines=lines,
        bottom=bottom,
    )


def _step(rough: float) -> float:
    """The next round step: 1, 2, 2.5 or 5 of a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(each * power for each in STEPS if each * power >= rough * 0.9999)


def _decimals(step: float) -> int:
    """How many a scale needs to say its steps.

    >>> [_decimals(step) for step in (100.0, 2.5, 0.25)]
    [0, 1, 2]
    """
    return next((n for n in range(3) if math.isclose(step * 10**n % 1, 0, abs_tol=1e-6)), 3)


def _nice_end(span_s: float) -> float:
    """A little more than a cycle, to a half second.

    >>> _nice_end(24.0), _nice_end(0.0)
    (25.5, 10.0)
    """
    return math.ceil(2 * span_s * 1.06) / 2 if span_s > 0 else 10.0
