"""Whether a time went to where it is in one step, in many small ones, or scatters about.

A timer is exact: after somebody has changed it, every shot is as long as the other, to within what
it was before. Waiting for a screw, a part or a person is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from agent.watch.channel import Channel

ONE_STEP = 0.72
"""Share of the whole way that the largest step takes, where it was one."""
WINDOW = 3
EXACT_S = 0.025
"""Scatter that a timer may show whatever it showed before: two steps of a coarse display."""


@dataclass(frozen=True, slots=True)
class Step:
    """How a time came to be off."""

    size: float
    """Its largest change from some shots to the next ones; signed."""
    after: int
    """Shots since then."""
    shape: Literal["step", "stairs", "noise"]


def step_of(channel: Channel, off: float) -> Step:
    """How the newest values of a time came to be that far off its home."""
    values = list(channel.recent)
    size, after = 0.0, len(values)
    for split in range(1, len(values)):
        before = values[max(0, split - WINDOW) : split]
        then = values[split : split + WINDOW]
        change = fmean(then) - fmean(before)
        if change * off > 0 and abs(change) >= abs(size) - 1e-9:
            size, after = change, len(values) - split
    if len(values) < 2:
        return Step(off, len(values), "step")
    since = values[-after:]
    scatter = max(since) - min(since) if len(since) > 1 else 0.0
    if scatter > max(2 * EXACT_S, 6 * channel.sigma):
        return Step(size, after, "noise")
    return Step(size, after, "step" if abs(size) >= ONE_STEP * abs(off) else "stairs")


def is_round(step: float) -> bool:
    """Whether people enter such a step: a multiple of a tenth, to the display's last digits."""
    tenths = step * 10
    return abs(tenths - round(tenths)) <= 0.16 and round(tenths) != 0


def spread(values: Sequence[float]) -> float:
    """Largest less smallest."""
    return max(values) - min(values)
