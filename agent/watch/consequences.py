"""What follows from each cause, so that one cause is told once.

Source:
    Signatures of the molding reference, 2.4 and 2.5.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.watch.treatment import RISE, TREATMENTS
from drivers.signals import BARREL_ZONES

PRESSURES = frozenset(
    {
        "injection_pressure_peak_bar",
        "transfer_pressure_bar",
        "hold_pressure_bar",
        "cavity_pressure_peak_bar",
    }
)
CUSHION = frozenset({"cushion_mm", "cushion_cm3", "shot_volume_cm3"})
SCREW = frozenset({"recovery_time_s", "screw_torque_nm", "back_pressure_bar"})
MELT = frozenset({"melt_temp_c", *(f"barrel_zone_{n}_c" for n in range(1, BARREL_ZONES + 1))})
MOLD = frozenset({"mold_temp_c", "coolant_out_c", RISE})
WATER = MOLD | {"coolant_in_c", "coolant_flow_l_min"}
CLAMP = frozenset({"clamp_force_kn"})
SLOW = frozenset(name for name, t in TREATMENTS.items() if t.slow)
TIMES = frozenset(name for name, t in TREATMENTS.items() if not t.slow)
COOLING = frozenset({"cycle_time_s", "cooling_time_s"})
_AFTER_TIMES = MOLD | PRESSURES | CUSHION | SCREW | CLAMP | MELT


@dataclass(frozen=True, slots=True)
class Consequences:
    """What one cause does to the other signals."""

    steps: frozenset[str] = frozenset()
    """Times that stand at a new length: watched on from there, against the old one."""
    holds: frozenset[str] = frozenset()
    """Explained as long as it is open: neither judged nor learned from."""
    moves: frozenset[str] = frozenset()
    """Find a new level, and are then watched on."""


CONSEQUENCES: Mapping[tuple[str, str], Consequences] = {
    ("cooling_time", "timer_changed"): Consequences(steps=COOLING, moves=_AFTER_TIMES),
    ("cooling_time", "staircase_drift"): Consequences(steps=COOLING),
    ("cooling_time", "recovery_exceeds_timer"): Consequences(
        holds=COOLING | {"recovery_time_s"}, moves=_AFTER_TIMES - {"recovery_time_s"}
    ),
    ("cooling_time", "unexplained"): Consequences(holds=COOLING, moves=MOLD | PRESSURES),
    ("cooling_heat", "mold_temperature"): Consequences(
        holds=MOLD, moves=PRESSURES | CUSHION | CLAMP
    ),
    ("cooling_heat", "coolant_flow_low"): Consequences(
        holds=MOLD | {"coolant_flow_l_min"}, moves=PRESSURES | CUSHION | CLAMP
    ),
    ("cooling_heat", "coolant_supply_warm"): Consequences(
        holds=MOLD | {"coolant_in_c"}, moves=PRESSURES | CUSHION | CLAMP
    ),
    ("cooling_heat", "fouling"): Consequences(holds=MOLD, moves=PRESSURES | CUSHION | CLAMP),
    ("cooling_heat", "temperature_control_fault"): Consequences(
        holds=MOLD | {"coolant_in_c"}, moves=PRESSURES | CUSHION | CLAMP
    ),
    ("cooling_heat", "unexplained"): Consequences(holds=WATER),
    ("cycle_time", "hold_time_changed"): Consequences(
        steps=frozenset({"cycle_time_s", "hold_time_s"}), moves=_AFTER_TIMES
    ),
    ("cycle_time", "fill_changed"): Consequences(
        steps=frozenset({"cycle_time_s", "fill_time_s"}), moves=_AFTER_TIMES
    ),
    ("cycle_time", "open_close_changed"): Consequences(
        steps=frozenset({"cycle_time_s", "mold_open_time_s", "mold_close_time_s"}),
        moves=_AFTER_TIMES,
    ),
    ("cycle_time", "ejection_delay"): Consequences(
        holds=frozenset({"cycle_time_s", "ejection_time_s", "mold_open_time_s", "pause_time_s"}),
        moves=_AFTER_TIMES,
    ),
    ("cycle_time", "operator_wait"): Consequences(
        holds=frozenset({"cycle_time_s", "pause_time_s"}), moves=_AFTER_TIMES
    ),
    ("cycle_time", "unexplained"): Consequences(
        holds=frozenset({"cycle_time_s"}), moves=_AFTER_TIMES
    ),
    ("process", "program_changed"): Consequences(steps=TIMES, moves=SLOW),
    ("process", "pressure_shift"): Consequences(
        holds=PRESSURES | {"back_pressure_bar"}, moves=CUSHION | SCREW
    ),
    ("process", "cushion_shift"): Consequences(holds=CUSHION, moves=PRESSURES),
    ("process", "recovery_shift"): Consequences(holds=SCREW, moves=MELT),
    ("process", "melt_temperature"): Consequences(
        holds=MELT, moves=PRESSURES | CUSHION | SCREW | MOLD
    ),
    ("process", "unexplained"): Consequences(holds=SLOW - WATER - MELT),
}
"""By kind and cause. What is not here explains nothing but itself."""
NOTHING = Consequences()
