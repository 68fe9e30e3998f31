"""What the first shots after a stop are like.

Source:
    Measured on a public data set of 212 cycles, 7 set-ups and stops of 76 to 6800 s (reference page
    on molding, 1.5).
"""

import math
from dataclasses import dataclass, replace
from random import Random

import numpy as np

MARKED_S = 60.0
"""Shorter stops leave no trace in pressure and recovery."""
FULL_S = 900.0
"""Stops from here on have the pressure climb all the way."""
STARVING_S = 600.0
"""After longer stops the first shot may be almost none."""
STARVED_SHARE = 4 / 7
SECOND_RECOVERY = ((60, 240, 660, 840, 1400, 6800), (0.0, 0.02, 0.03, 0.21, 0.32, 0.74))
"""Stops in s, and by what share the second shot's recovery is then longer."""


@dataclass(frozen=True, slots=True)
class Restart:
    """How far a run is from its last stop."""

    shots: int = 1_000_000
    """Number of the shot that is to run, from 1 after the stop."""
    severity: float = 0.0
    """0 after no stop or a short one, 1 after a quarter of an hour or more."""
    first_pressure: float = 1.0
    """Of the first shot, as a share; well below 1 where it is almost empty."""
    first_cushion: float = 1.0
    second_recovery: float = 1.0

    @classmethod
    def after(cls, stopped_s: float, random: Random) -> "Restart":
        """The state right after a stop of that length."""
        if stopped_s < MARKED_S:
            return cls()
        starved = stopped_s > STARVING_S and random.random() < STARVED_SHARE
        longer = float(
            np.interp(math.log(stopped_s), np.log(SECOND_RECOVERY[0]), SECOND_RECOVERY[1])
        )
        return cls(
            shots=1,
            severity=min(1.0, stopped_s / FULL_S),
            first_pressure=random.uniform(0.1, 0.7) if starved else 1.0,
            first_cushion=random.uniform(-0.08, 0.47) if starved else 1.0,
            second_recovery=1 + longer * random.uniform(0.9, 1.1),
        )

    def next(self) -> "Restart":
        """The state one shot later."""
        return replace(self, shots=self.shots + 1)

    @property
    def starved(self) -> bool:
        """The first shot after a long stop is often not a whole one."""
        return self.shots == 1 and self.first_cushion < 1

    @property
    def slow(self) -> bool:
        """The clamp takes its time over the first closings."""
        return self.shots <= 2

    @property
    def pressure(self) -> float:
        """Peak pressure climbs by 13 % from the third shot to the eighteenth, then sinks slowly."""
        climb = -0.125 * math.exp(-max(0, self.shots - 3) / 4) + 0.015 * math.exp(-self.shots / 80)
        return (self.first_pressure if self.shots == 1 else 1.0) * (1 + climb * self.severity)

    @property
    def cushion(self) -> float:
        """Share of the usual cushion."""
        return self.first_cushion if self.shots == 1 else 1.0

    @property
    def recovery(self) -> float:
        """The second shot's recovery is long: the screw turns in what stood in the barrel."""
        return self.second_recovery if self.shots == 2 else 1.0
