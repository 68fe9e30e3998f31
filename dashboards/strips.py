"""The strips of a press's page: one signal each over its last cycles, within its limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from agent.cycle import Booked
from agent.watch.baseline import Baseline
from agent.watch.facts import Facts
from agent.watch.plate import least_cooling_s, material
from dashboards.catalogue import Catalogue
from dashboards.controlchart import ControlChart, control_chart
from dashboards.wording import figured, in_words, told
from drivers import Value
from drivers.signals import SIGNALS

STRIPS = (
    "cooling_time_s", "cycle_time_s", "fill_time_s", "cavity_pressure_peak_bar",
    "injection_pressure_peak_bar", "cushion_mm", "transfer_position_mm", "transfer_pressure_bar",
    "mold_temp_c", "coolant_flow_l_min", "coolant_out_c", "recovery_time_s", "melt_temp_c",
)  # fmt: skip
"""What is drawn over the cycles, in this order, where the press gives it."""

STRIPS_MOST = 9

NEAR = 0.8
"""Share of the last cooling time from which on the physical minimum is drawn beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One signal over the cycles."""

    name: str
    last: str
    odd: bool
    """Whether the newest one is beyond its limits."""
    least: str
    """The least that physics asks, in words; empty where that is not known."""
    chart: ControlChart


def strips_of(
    cycles: Sequence[Booked], facts: Facts | None, baseline: Baseline | None, strings: Catalogue
) -> list[Strip]:
    """Those that the press gives, the most telling first.

    Args:
        cycles: Of one mold, oldest first.
        facts: What people know of it.
        baseline: What the watch has learned of it.
        strings: Say which rule a point breaks.
    """
    strips = []
    least_s = _least_cooling_s(cycles, facts)
    channels = baseline.channels if baseline else {}
    for name in STRIPS:
        values = [as_number(each.cycle.values.get(name)) for each in cycles]
        least = least_s if name == "cooling_time_s" and values else None
        near = least if least is not None and least >= NEAR * (values[-1] or 0.0) else None
        decimals = SIGNALS[name].decimals
        figure = partial(figured, name=name)
        chart = control_chart(values, channels.get(name), decimals, strings, figure, near)
        if chart is not None:
            last = values[-1]
            strips.append(
                Strip(
                    name=in_words(name),
                    last=told(last, name) if last is not None else "",
                    odd=bool(chart.flagged and last is not None and chart.ends_odd),
                    least=told(least, name),
                    chart=chart,
                )
            )
    return strips[:STRIPS_MOST]


def as_number(value: Value | None) -> float | None:
    """A value where it is a number."""
    return float(value) if isinstance(value, int | float) else None


def _least_cooling_s(cycles: Sequence[Booked], facts: Facts | None) -> float | None:
    """The shortest physical cooling time of the part, with melt and mold as measured."""
    if not cycles or facts is None or facts.wall_mm is None:
        return None
    resin = material(cycles[-1].cycle.resin or facts.resin)
    if resin is None:
        return None
    melt_c, wall_c = _middle(cycles, "melt_temp_c"), _middle(cycles, "mold_temp_c")
    return least_cooling_s(facts.wall_mm, resin, melt_c=melt_c, wall_c=wall_c)


def _middle(cycles: Sequence[Booked], name: str) -> float | None:
    values = [as_number(each.cycle.values.get(name)) for each in cycles]
    known = [value for value in values if value is not None]
    return median(known) if known else None
