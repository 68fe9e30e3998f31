"""Whether a time went to where it is in one step, in many small ones, or scatters about.

A timer is exact: after somebody has changed it, every shot is as long as the other, to within what
it was before. Waiting for a screw, a part or a person is not.
"""

from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Literal

from agent.watch.channel import Channel

OTHER_STEPS = 0.24
"""Share of the whole way that the largest step leaves for others, where it was not the only one."""
WINDOW = 3
EXACT_S = 0.03
"""From shot to shot that a timer may differ, whatever it did before: the step of most displays."""
SCATTER_OF = 6


@dataclass(frozen=True, slots=True)
class Step:
    """How a time came to be off."""

    size: float
    """Its largest change from some shots to the next ones; signed."""
    after: int
    """Shots since then."""
    shape: Literal["step", "stairs", "noise"]


def step_of(channel: Channel, off: float) -> Step:
    """How the newest values of a time came to be off where they were, on that side."""
    values = [channel.centre] * WINDOW + list(channel.recent)
    size, after = 0.0, len(values)
    for split in range(1, len(values)):
        before = fmean(values[max(0, split - WINDOW) : split])
        change = fmean(values[split : split + WINDOW]) - before
        if change * off > 0 and abs(change) >= abs(size) - 1e-9:
            size, after = change, len(values) - split
    newest = values[-after:][-SCATTER_OF:]
    scatter = fmean(abs(b - a) for a, b in pairwise(newest)) if len(newest) > 1 else 0.0
    if scatter > max(EXACT_S, 4 * channel.sigma):
        return Step(size, after, "noise")
    way = abs(fmean(values[-2:]) - channel.centre)
    stairs = way - abs(size) > max(OTHER_STEPS * way, EXACT_S, 2.5 * channel.sigma)
    return Step(size, after, "stairs" if stairs else "step")


def is_round(step: float) -> bool:
    """Whether people enter such a step: a multiple of a tenth, to the display's last digits."""
    tenths = step * 10
    return abs(tenths - round(tenths)) <= 0.16 and round(tenths) != 0
