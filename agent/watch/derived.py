"""What follows from what a machine shows: cooling where it gives none, and the water's warming.

A cooling time is what the other phases leave of the cycle. They add up to it to about ten
milliseconds, so that the rest moves as cooling does. Where a machine lets phases overlap the rest
is off by a constant, which nothing here minds.

How far the water warms on its way through the mold tells of its flow, where no flow is measured.
"""

from collections.abc import Mapping
from math import sqrt

from agent.watch.baseline import Baseline
from agent.watch.treatment import RISE
from drivers import Value

COOLING = "cooling_time_s"
REST = (
    "mold_close_time_s", "fill_time_s", "hold_time_s", "mold_open_time_s", "ejection_time_s",
    "pause_time_s",
)  # fmt: skip
"""The phases beside cooling."""


def with_cooling(values: Mapping[str, Value], baseline: Baseline) -> Mapping[str, Value]:
    """The values of a cycle, with what is left for cooling if the machine never gives it.

    Where it gives one, and misses it in this cycle, it is missing: the two differ by a constant.
    """
    if COOLING in values:
        if not baseline.gives_cooling:
            baseline.gives_cooling = True
            if (learned := baseline.channels.get(COOLING)) is not None:
                learned.relearn()
        return values
    if baseline.gives_cooling:
        return values
    cycle = values.get("cycle_time_s")
    if not isinstance(cycle, int | float):
        return values
    left = float(cycle)
    for name in REST:
        phase = values.get(name)
        if not isinstance(phase, int | float):
            return values
        left -= phase
    return {**values, COOLING: round(left, 3)}


def with_rise(values: Mapping[str, Value], baseline: Baseline) -> Mapping[str, Value]:
    """The values of a cycle, with the rise from supply to return if no flow is ever measured."""
    supply, back = values.get("coolant_in_c"), values.get("coolant_out_c")
    if supply.__class__ is not float or back.__class__ is not float:
        return values
    if "coolant_flow_l_min" in values or "coolant_flow_l_min" in baseline.channels:
        return values
    return {**values, RISE: round(back - supply, 3)}


def doubt_s(baseline: Baseline) -> float:
    """Standard deviation of such a cooling time: what the scatters of all phases come to."""
    channels = (baseline.channels.get(name) for name in ("cycle_time_s", *REST))
    return sqrt(sum(channel.sigma**2 for channel in channels if channel is not None))
