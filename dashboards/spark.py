"""The small line of the last cooling times; assets/spark.js draws the same."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agent.live import SPARK_CYCLES

WIDTH, HEIGHT = 100.0, 24.0
STEP = (WIDTH - 4) / (SPARK_CYCLES - 1)
LEAST_SPAN = 0.03
"""Share of the value that fills the height at least: scatter must not look like a fault."""


@dataclass(frozen=True, slots=True)
class Spark:
    """Path data for a view box of `WIDTH` by `HEIGHT`."""

    line: str
    """Broken where a cycle has no value."""
    dot: str
    """The newest cycle; empty where it has no value."""


def spark(values: Sequence[float | None]) -> Spark:
    """The line of up to 50 values, the newest at the right edge.

    >>> spark([12.0, None, 12.0])
    Spark(line='M94.1 12h0M98 12h0', dot='M98 12h0')
    """
    known = [value for value in values if value is not None]
    if not known:
        return Spark("", "")
    low, high = min(known), max(known)
    middle = (low + high) / 2
    span = max(high - low, LEAST_SPAN * abs(middle), 0.01)
    first = WIDTH - 2 - STEP * (len(values) - 1)
    line, last = "", ""
    for index, value in enumerate(values):
        if value is None:
            last = ""
            continue
        x = _rounded(first + STEP * index)
        y = _rounded(HEIGHT / 2 - (value - middle) / span * (HEIGHT - 4))
        alone = not last and (index + 1 == len(values) or values[index + 1] is None)
        line += f"{'L' if last else 'M'}{x} {y}{'h0' if alone else ''}"
        last = f"M{x} {y}h0"
    return Spark(line, last)


def _rounded(value: float) -> str:
    return f"{math.floor(value * 10 + 0.5) / 10:g}"
