"""A cooling time where the machine gives none: what the other phases leave of the cycle.

Phases add up to the cycle to about ten milliseconds, so that the rest moves as cooling does. Where
a machine lets phases overlap the rest is off by a constant, which nothing here minds.
"""

from collections.abc import Mapping
from math import sqrt

from agent.watch.baseline import Baseline
from drivers import Value

COOLING = "cooling_time_s"
REST = (
    "mold_close_time_s", "fill_time_s", "hold_time_s", "mold_open_time_s", "ejection_time_s",
    "pause_time_s",
)  # fmt: skip
"""The phases beside cooling."""


def with_cooling(values: Mapping[str, Value]) -> Mapping[str, Value]:
    """The values of a cycle, with what is left for cooling where it can be worked out."""
    cycle = values.get("cycle_time_s")
    if COOLING in values or not isinstance(cycle, int | float):
        return values
    left = float(cycle)
    for name in REST:
        phase = values.get(name)
        if not isinstance(phase, int | float):
            return values
        left -= phase
    return {**values, COOLING: round(left, 3)}


def doubt_s(baseline: Baseline) -> float:
    """Standard deviation of such a cooling time: what the scatters of all phases come to."""
    channels = (baseline.channels.get(name) for name in ("cycle_time_s", *REST))
    return sqrt(sum(channel.sigma**2 for channel in channels if channel is not None))
