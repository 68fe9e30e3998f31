"""What the heater controllers of a barrel do around their set points.

Source:
    Ripple and overshoot of the reference page on molding, 1.4.
"""

import math
from random import Random

LONG_S = 300.0
"""Stops from here on make the front zones overshoot."""
RIPPLE_K, PERIOD_S = (0.3, 1.0, 0.3), (120.0, 300.0)
"""Least, most and, of the ripple, likeliest."""
OVERSHOOT_K, OVERSHOOT_S = (2.0, 5.0), (300.0, 600.0)


class Barrel:
    """The zones of one press.

    Each swings with its controller; after a stop the front ones overshoot for some minutes, as the
    melt that takes their heat has stood still.
    """

    def __init__(self, random: Random, zones: int = 12) -> None:
        self._random = random
        self._swings = [
            (random.triangular(*RIPPLE_K), random.uniform(*PERIOD_S), random.uniform(0, math.tau))
            for _ in range(zones)
        ]
        self._overshoot_k = 0.0
        self._overshoot_at_s = 0.0
        self._overshoot_s = 1.0

    def stood(self, seconds: float, at_s: float) -> None:
        """The screw stood still for so long, until now."""
        if seconds < LONG_S:
            return
        self._overshoot_k = self._random.uniform(*OVERSHOOT_K)
        self._overshoot_s = self._random.uniform(*OVERSHOOT_S)
        self._overshoot_at_s = at_s

    def off_k(self, zone: int, zones: int, at_s: float) -> float:
        """How far zone 1 .. zones is off its set point."""
        swing_k, period_s, phase = self._swings[zone - 1]
        off = swing_k * math.sin(math.tau * at_s / period_s + phase)
        since = (at_s - self._overshoot_at_s) / self._overshoot_s
        if zone > zones / 2 and since < 1:
            off += self._overshoot_k * math.sin(math.pi * since)
        return off
