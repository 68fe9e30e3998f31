"""A mold and its water on one press: what heat does to both, and what can go wrong with them.

Source:
    Reference page on molding: usual supply and rise in 1.3, signatures of faults in 2.4 and 2.5.
"""

import math

from simulators.faults import Faults
from simulators.mold import Mold
from simulators.physics.alloy import alloy
from simulators.physics.heat import Heat, Wall, Warmth, wall
from simulators.physics.program import Program
from simulators.physics.resin import RESINS
from simulators.physics.scatter import Scattering
from simulators.physics.water import resistance_m2k_w, rise_k

LARGEST_LOSS = 0.98
"""Of the flow: a trickle always finds its way."""

SETTLING = 1.8
"""Below 2, from where on the water's swings would not die away."""

RISE_TAU_S = 30.0
"""In which the water forgets the last part's heat."""


class Tempering:
    """One mold from when it comes onto the press, all of it as warm as the water.

    The water in the mold is half its rise warmer than its supply.
    """

    def __init__(
        self, mold: Mold, program: Program, scattering: Scattering, faults: Faults
    ) -> None:
        self._scattering = scattering
        self._faults = faults
        self._mold = mold
        self._resin, self._alloy = RESINS[mold.resin], alloy(mold.alloy)
        self._program = program
        self._supply_c = program.coolant_in_c
        self._supply_noise_k = 0.0
        self._flow_l_min = program.coolant_flow_l_min
        self._rise_k = program.coolant_rise_c
        usual = self._wall()
        self._steady = usual.steady(program.contact_s, program.open_s)
        over_water_k = program.melt_temp_c - self._water_c
        shot_j_m2 = float(usual.part_j_m2k.sum()) * (1 - self._steady.part) * over_water_k
        per_m2_k = rise_k(shot_j_m2 / program.cycle_s, program.coolant_flow_l_min)
        self.cavity_m2 = program.coolant_rise_c / per_m2_k
        """Cavity wall, both sides: as large as the program expects the water to warm."""
        self._rise_k = 0.0
        self._heat = Heat(usual, self._supply_c)
        self.sensor_c = self._supply_c
        """Middle of the range that the mold's sensor passed through in the last closing."""

    @property
    def plates_below_k(self) -> float:
        """How much colder the whole mold is than in a long run of the program it came with."""
        program = self._program
        water_c = program.coolant_in_c + program.coolant_rise_c / 2
        warm_c = water_c + float(self._steady.metal[-1]) * (program.melt_temp_c - water_c)
        return warm_c - self._heat.plates_c

    def warm(self) -> None:
        """Be as after many shots of the program that it came with."""
        program = self._program
        self._rise_k = program.coolant_rise_c
        before_s = program.mold_close_time_s
        after_s = program.open_s - before_s
        self._heat.settle(
            self._steady, self._water_c, program.melt_temp_c, program.contact_s, after_s
        )
        excess_k = program.melt_temp_c - self._water_c
        self.sensor_c = self._water_c + self._steady.sensor * excess_k

    def draw(self, program: Program) -> None:
        """Let water come as it comes for the next closing: its drift, and what ails it."""
        active = self._faults.active
        drift_k, self._supply_noise_k = self._scattering.off("coolant_in_c")
        self._supply_c = program.coolant_in_c + drift_k
        if (warm := active("coolant_supply_warm")) is not None:
            self._supply_c += warm.ramp("by_k")
        if (hunting := active("temperature_control_fault")) is not None:
            turns = (hunting.shots + 1) / max(1.0, hunting["period"])
            self._supply_c += hunting["swing_k"] * math.sin(math.tau * turns)
        self._flow_l_min = program.coolant_flow_l_min
        if (low := active("coolant_flow_low")) is not None:
            self._flow_l_min *= 1 - min(LARGEST_LOSS, max(0.0, low.ramp("share")))
        self._heat.wall = self._wall()

    def contact_s(self, to_c: float, melt_c: float, before_s: float, longest_s: float) -> float:
        """How long the part has to stay until the sensor has come down to a temperature."""
        return self._heat.contact_s(to_c, self._water_c, melt_c, before_s, longest_s)

    def shot(
        self, melt_c: float, before_s: float, contact_s: float, after_s: float, cavities: int
    ) -> Warmth:
        """Go through a shot with that many cavities open."""
        warmth = self._heat.shot(self._water_c, melt_c, before_s, contact_s, after_s)
        self.sensor_c = warmth.sensor_c
        share = cavities / self._mold.cavities
        self._warmed(warmth.water_j_m2 * share, before_s + contact_s + after_s)
        return warmth

    def stand(self, seconds: float) -> None:
        """Stay without plastic so long."""
        self._rise_k *= math.exp(-seconds / RISE_TAU_S)
        self._warmed(self._heat.stand(seconds, self._water_c), seconds)
        self.sensor_c = self._heat.sensor_c

    def levels(self) -> dict[str, float]:
        """What the sensors of mold and water show now."""
        supply_c = round(self._supply_c + self._supply_noise_k, 1)
        rise = self._scattering.around("coolant_rise_c", self._rise_k)
        return {
            "mold_temp_c": self._scattering.around("mold_temp_c", self.sensor_c),
            "coolant_in_c": supply_c,
            "coolant_out_c": round(supply_c + rise, 1),
            "coolant_flow_l_min": self._scattering.around("coolant_flow_l_min", self._flow_l_min),
        }

    @property
    def _water_c(self) -> float:
        """What the mold's water lines feel; a mold that drifts has a warmth that no sensor sees."""
        water_c = self._supply_c + self._rise_k / 2
        drift = self._faults.active("mold_temperature_drift")
        return (
            water_c if drift is None else water_c + drift.ramp("by_k") / (1 - self._steady.sensor)
        )

    def _wall(self) -> Wall:
        fouling = self._faults.active("fouling")
        scale_mm = 0.0 if fouling is None else max(0.0, fouling.ramp("scale_mm"))
        between = resistance_m2k_w(self._flow_l_min, self._supply_c, scale_mm)
        return wall(self._resin, self._alloy, self._mold.wall_mm, between)

    def _warmed(self, j_m2: float, seconds: float) -> None:
        """Let the water take up what came out of the metal.

        It feels that rise one closing late, and would swing up where little water meets much metal:
        there it follows by a share only, which settles at the same rise.
        """
        k_per_j_m2 = rise_k(self.cavity_m2 / max(0.1, seconds), self._flow_l_min)
        gain = float(self._heat.wall.metal_j_m2k.sum()) * k_per_j_m2 / 2
        share = min(1.0, SETTLING / (1 + 2 * gain))
        self._rise_k += share * (j_m2 * k_per_j_m2 - self._rise_k)
