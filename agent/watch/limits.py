"""From where on a signal is out: the larger of a floor and of what it has shown itself.

That is the scatter of the very mean that is judged, not one computed as if shots were independent
of each other, and widened by how few shots it was learned from. Heavy tails widen the limit of one
shot by how far and how often they reach. Floors: `agent.watch.treatment`.

Source:
    Limits from few cycles and autocorrelated ones: molding reference 4.2. The tail beyond three
    sigma is extrapolated by its mean excess (Pickands 1975), as an exponential one.
"""

import math

from agent.watch.tail import Tail
from agent.watch.treatment import Treatment
from drivers.unchanging import unchanging

PROVISIONAL = 8
"""Good cycles until limits are provisional: judged, at twice the floors."""
SIGMAS = 5.0
SIGMAS_LASTING = 4.0
"""For a mean that is told only when it lasts."""
INDEPENDENT = 15
"""Cycles that count as one independent one when a scatter is learned: what wanders with a lag-1
correlation of 0.9 forgets in about as many."""
RARE, RARE_TIMES = 2e-4, 1e-3
"""Share of good shots that a single limit may leave out; of times, that don't remember the shot
before, two in a row are then one in a million."""
RARE_MEAN = 2e-5
"""The same for the mean, which no second one confirms."""
PACED_S, PACED_SIGMAS = 0.25, 8.0
"""A time that scatters so much is paced by people: skewed, and nobody's hurry."""


@unchanging
class Scatter:
    """What good shots of one signal have shown."""

    n: int
    sigma: float
    """Of one shot."""
    mean_sigma: float
    """Of the weighted mean."""
    far: Tail
    far_mean: Tail


@unchanging
class Limits:
    """Distances from the centre, in the signal's unit."""

    clip: float
    """Where a value is cut before it counts in the mean."""
    odd: float
    """From which a shot is not as ever."""
    single: float
    shift: float
    ease: float
    """From which the mean is not as ever."""
    grain: float
    """The square of what is no scatter yet."""
    drift: float
    """From the reference."""

    @classmethod
    def of(cls, treatment: Treatment, home: float, seen: Scatter, *, armed: bool) -> "Limits":
        """The limits of a signal that belongs at `home`; not armed, at twice the floors."""
        few = 1.0 + 1.5 / math.sqrt(max(seen.n, PROVISIONAL) / INDEPENDENT)
        wide = 1.0 if armed else 2.0
        single_floor, shift_floor, drift_floor = treatment.floors(home)
        paced = PACED_SIGMAS if not treatment.slow and seen.sigma > PACED_S else SIGMAS
        clip = max(wide * single_floor, paced * seen.sigma * math.sqrt(few))
        lasting = SIGMAS_LASTING if treatment.group == "process" else paced
        shift = max(wide * shift_floor, lasting * seen.mean_sigma * few)
        odd = max(3 * seen.sigma, 0.4 * single_floor)
        rare = RARE if treatment.slow else RARE_TIMES
        return cls(
            clip=clip,
            odd=odd,
            single=max(clip, odd + seen.far.reach(seen.n, rare)),
            shift=max(shift, 0.5 * shift + seen.far_mean.reach(seen.n, RARE_MEAN)),
            ease=0.5 * shift,
            grain=(0.1 * shift_floor) ** 2,
            drift=max(drift_floor, SIGMAS * seen.sigma * few) if drift_floor else math.inf,
        )
