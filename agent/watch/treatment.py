"""How each signal is watched: what moves it in an ordinary hour, and from where it matters.

A floor is the smallest limit that a signal gets, however steady it is: below it nobody would act,
and real signals that repeat to the last digit for an hour step by a digit in the next. Above the
floor the limits are the mold's own (`agent.watch.channel`).

Source:
    Floors from the scatter of real presses (molding reference 1.3, 1.6, 4.3): timers repeat to
    10 ms, so that 0.1 s is news and 0.05 s is not; pressures, recovery and clamp force wander by 1
    to 3 % in a run, so that they are compared with where they have just been (`pull`), and only
    far out with where they were at first (`drift`); sensors of temperatures and their controllers
    wander by half a kelvin to one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from drivers.signals import BARREL_ZONES

Group = Literal["times", "coolant", "mold", "melt", "process"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """How one signal is watched. Floors: absolute in its unit, or a share of its centre."""

    group: Group
    """Whose verdict it takes part in."""
    single: float = 0.0
    """Floor for one shot, which a second one has to confirm."""
    single_share: float = 0.0
    shift: float = 0.0
    """Floor for a lasting shift."""
    shift_share: float = 0.0
    drift: float = 0.0
    """Floor for where it may wander to, against the reference; 0 and no share: anywhere."""
    drift_share: float = 0.0
    weight: float = 0.2
    """Of the newest shot in the mean that tells a shift."""
    pull: float = 0.0
    """Share of a deviation by which the centre follows; 0: the centre stands."""
    slow: bool = True
    """Whether it takes many shots to settle after a stop; times take three."""

    def floors(self, centre: float) -> tuple[float, float, float]:
        """For one shot, a shift and a drift, each the larger of both floors, at that centre."""
        size = abs(centre)
        return (
            max(self.single, self.single_share * size),
            max(self.shift, self.shift_share * size),
            max(self.drift, self.drift_share * size),
        )


def _time(single: float, shift: float, share: float = 0.0) -> Treatment:
    return Treatment(
        group="times",
        single=single,
        single_share=1.5 * share,
        shift=shift,
        shift_share=share,
        weight=0.35,
        slow=False,
    )


def _pressure(shift_share: float, drift_share: float) -> Treatment:
    return Treatment(
        group="process",
        single_share=2 * shift_share,
        shift_share=shift_share,
        drift_share=drift_share,
        pull=0.008,
    )


_MELT = Treatment(group="melt", single=6.0, shift=3.0, drift=6.0, pull=0.01)
_BARREL = Treatment(group="melt", single=8.0, shift=5.0, drift=8.0, pull=0.01)

RISE = "coolant_rise_k"
"""Return less supply: a signal of the watch's own, where no flow is measured."""

TREATMENTS: Mapping[str, Treatment] = {
    "cycle_time_s": _time(0.1, 0.08, 0.0025),
    "cooling_time_s": _time(0.1, 0.07),
    "hold_time_s": _time(0.08, 0.06),
    "fill_time_s": _time(0.03, 0.02, 0.03),
    "mold_close_time_s": _time(0.08, 0.06, 0.02),
    "mold_open_time_s": _time(0.08, 0.06, 0.02),
    "ejection_time_s": _time(0.15, 0.1, 0.02),
    "pause_time_s": _time(0.2, 0.15, 0.02),
    "recovery_time_s": _pressure(0.03, 0.15),
    "injection_pressure_peak_bar": _pressure(0.025, 0.12),
    "transfer_pressure_bar": _pressure(0.025, 0.12),
    "hold_pressure_bar": _pressure(0.02, 0.10),
    "back_pressure_bar": _pressure(0.05, 0.25),
    "cavity_pressure_peak_bar": _pressure(0.025, 0.12),
    "screw_torque_nm": _pressure(0.06, 0.30),
    "shot_volume_cm3": _pressure(0.03, 0.10),
    "cushion_mm": Treatment(
        group="process", single=0.4, single_share=0.12, shift=0.15, shift_share=0.045,
        drift=0.4, drift_share=0.12, pull=0.008,
    ),
    "cushion_cm3": Treatment(
        group="process", single_share=0.12, shift_share=0.045, drift_share=0.12, pull=0.008,
    ),
    "transfer_position_mm": Treatment(
        group="process", single=0.4, shift=0.25, drift=1.0, pull=0.008,
    ),
    "clamp_force_kn": Treatment(group="process", single_share=0.06, shift_share=0.04, pull=0.02),
    "melt_temp_c": _MELT,
    **{f"barrel_zone_{n}_c": _BARREL for n in range(1, BARREL_ZONES + 1)},
    "mold_temp_c": Treatment(group="mold", single=2.5, shift=1.3, drift=3.0, pull=0.006),
    "coolant_in_c": Treatment(group="coolant", single=2.5, shift=1.5, drift=4.0, pull=0.006),
    "coolant_out_c": Treatment(group="coolant", single=2.5, shift=1.8, drift=4.5, pull=0.006),
    RISE: Treatment(
        group="coolant", single=1.2, single_share=0.5, shift=0.5, shift_share=0.25, drift=1.0,
        drift_share=0.5, pull=0.006,
    ),
    "coolant_flow_l_min": Treatment(
        group="coolant", single_share=0.10, shift_share=0.05, drift_share=0.12, pull=0.01,
    ),
}  # fmt: skip
"""By signal. What is not here is kept and shown, and judged by nobody."""

SET_POINTS = ("cooling_time_set_s", "hold_time_set_s", "mold_temp_set_c")
"""Signals that move only when somebody moves them; no chart, but evidence."""
