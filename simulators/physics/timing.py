"""How long the movements of a closing take, and whoever keeps the press waiting.

Source:
    Reference page on molding: operators in 1.3, openings that flip between two lengths in 1.6,
    parts that stick and people who wait in 2.5.
"""

from random import Random

from simulators.faults import Faults
from simulators.modes import Mode, Phase
from simulators.physics.program import Program
from simulators.physics.restart import Restart
from simulators.physics.scatter import Scattering
from simulators.shot import Phases

SLOW_CLOSE_S = 0.1
"""Longer closing of the first shots after a stop."""
TWO_LEVEL_S = (0.003, 0.0045)
"""How far an opening ends from the middle of a display step: near an edge it flips between two."""
OPERATOR_S = (2.0, 15.0)
"""Shortest and longest that an operator takes beyond the automatic pause."""
STICK_MEMORY = 0.4
"""Parts stick in clusters: this much of the last shot's sticking stays."""


class Timing:
    """The clamp and the ejector of one press.

    Args:
        random: For what is always so.
        mishap: For what faults draw, so that they change nothing else.
        scattering: Of the press.
        faults: Of the press.
    """

    def __init__(
        self, random: Random, mishap: Random, scattering: Scattering, faults: Faults
    ) -> None:
        self._random = random
        self._mishap = mishap
        self._around = scattering.around
        self._faults = faults
        self._edge_s = random.choice((-1, 1)) * random.uniform(*TWO_LEVEL_S)
        self._stuck = False

    def close_ms(self, program: Program, restart: Restart) -> int:
        """Closing and building up clamp force."""
        slow_s = SLOW_CLOSE_S if restart.slow else 0.0
        return self._ms("mold_close_time_s", program.mold_close_time_s + slow_s)

    def fill_ms(self, program: Program) -> int:
        """Injection until switch-over."""
        off_s = 0.0
        if (uneven := self._faults.active("fill_uneven")) is not None:
            off_s = self._mishap.gauss(0, abs(uneven["sigma_s"]))
        return self._ms("fill_time_s", program.fill_time_s + off_s)

    def open_ms(self, program: Program) -> int:
        """Opening."""
        return self._ms("mold_open_time_s", program.mold_open_time_s + self._edge_s)

    def eject_ms(self, program: Program) -> int:
        """Ejector out and back, again and again where a part sticks."""
        longer_s = 0.0
        if (sticks := self._faults.active("part_sticks")) is not None:
            share = (1 - STICK_MEMORY) * sticks["share"] + STICK_MEMORY * self._stuck
            self._stuck = self._mishap.random() < share
            if self._stuck:
                longer_s = self._mishap.gammavariate(4, sticks["by_s"] / 4)
        return self._ms("ejection_time_s", program.ejection_time_s + longer_s)

    def pause_ms(self, program: Program, mode: Mode) -> int:
        """With the mold open, until the next closing."""
        longer_s = 0.0
        if mode is Mode.SEMI_AUTOMATIC:  # the operator's share is skewed to the right
            shortest_s, longest_s = OPERATOR_S
            longer_s = min(longest_s, shortest_s + self._random.gammavariate(2, 1.2))
        if (waits := self._faults.active("operator_wait")) is not None:
            longer_s += self._mishap.gammavariate(2, waits["by_s"] / 2)
        return self._ms("pause_time_s", program.pause_time_s + longer_s)

    def _ms(self, name: str, seconds: float) -> int:
        return max(1, round(1000 * self._around(name, seconds)))


def cut_short(phases: Phases, share: float) -> Phases:
    """The same closing with its cooling aborted."""
    left = 1 - min(1.0, max(0.0, share))
    return tuple(
        (phase, round(length * left / 10) * 10 if phase is Phase.COOL else length)
        for phase, length in phases
    )
