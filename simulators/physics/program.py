"""The molding program of a press: the set points that a setter enters, for one mold."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from simulators.mold import Mold
from simulators.physics.alloy import alloy
from simulators.physics.heat import wall
from simulators.physics.resin import RESINS, Resin
from simulators.physics.water import USUAL_FLOW_L_MIN, resistance_m2k_w

REFERENCE_TONNAGE = 80
REFERENCE_SCREW_MM = 30.0
REFERENCE_CYCLE_S = 24.0
REFERENCE_WALL_MM = 2.0
LARGEST_MOLD = 2.5
"""Cavity wall against the reference mold's: thin parts in slow cycles warm the water less, as no
mold is large enough to warm it as usual."""
CLAMP_KN_PER_TON = 7.5
"""Clamp force that is set, against the press's tonnage: about three quarters of it."""

LARGEST_TORQUE_NM = 400.0
"""Of the reference press's screw drive; others by the cube of the screw's diameter."""
RECOVERY_DELAY_S = 0.3
"""Between the end of holding and the screw's first turn, and again for decompression."""
COLDEST_SUPPLY_C = 5.0
"""Of a usual chiller."""

CLOSE_S, OPEN_S, EJECT_S, PAUSE_S = 2.0, 1.4, 1.0, 1.8
"""Movements of the reference press; closing includes building up the clamp force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Set points. Field names that are canonical signals are the parameters a face can announce."""

    cooling_time_set_s: float
    hold_time_set_s: float
    fill_time_s: float
    mold_close_time_s: float
    mold_open_time_s: float
    ejection_time_s: float
    pause_time_s: float
    recovery_time_s: float
    injection_pressure_peak_bar: float
    transfer_pressure_bar: float
    hold_pressure_bar: float
    back_pressure_bar: float
    screw_torque_nm: float
    cavity_pressure_peak_bar: float
    transfer_position_mm: float
    cushion_mm: float
    start_mm: float
    screw_mm: float
    """Diameter."""
    clamp_force_kn: float
    melt_temp_c: float
    barrel_c: tuple[float, ...]
    mold_temp_set_c: float
    coolant_in_c: float
    coolant_rise_c: float
    """Return less supply when a mold has settled that is mounted with this program."""
    coolant_flow_l_min: float = USUAL_FLOW_L_MIN
    gate_freeze_s: float = 4.0
    cool_to_c: float | None = None
    """The mold opens when its sensor has come down to this, within half to twice the timer; None
    where the timer alone decides."""

    @property
    def cycle_s(self) -> float:
        """Length of a cycle that keeps to it exactly, without an operator's share."""
        return (
            self.mold_close_time_s
            + self.fill_time_s
            + self.hold_time_set_s
            + self.cooling_time_set_s
            + self.mold_open_time_s
            + self.ejection_time_s
            + self.pause_time_s
        )

    @property
    def open_s(self) -> float:
        """How long no plastic touches the wall: the movements, without an operator's share."""
        moving_s = self.mold_close_time_s + self.mold_open_time_s
        return moving_s + self.ejection_time_s + self.pause_time_s

    @property
    def contact_s(self) -> float:
        """How long the plastic touches the wall; the mold stays shut until the screw is ready."""
        screw_s = self.recovery_time_s + 2 * RECOVERY_DELAY_S
        cooling_s = max(self.cooling_time_set_s, screw_s)
        return self.fill_time_s + self.hold_time_set_s + cooling_s

    @property
    def cm3_per_mm(self) -> float:
        """Volume that a millimetre of the screw moves."""
        return math.pi / 4 * self.screw_mm**2 / 1000

    def changed(self, name: str, value: float) -> "Program":
        """The same program with one set point changed; the water follows the mold's temperature.

        Raises:
            ValueError: there is no such set point, or no press takes the number.
        """
        enterable(name, value)
        new = replace(self, **{name: value})  # type: ignore[arg-type]  # names were checked
        if name == "mold_temp_set_c":
            coldest, hottest = RANGES["coolant_in_c"]
            supply_c = self.coolant_in_c + value - self.mold_temp_set_c
            new = replace(new, coolant_in_c=min(hottest, max(coldest, supply_c)))
        return new


NUMBERS = frozenset(field.name for field in fields(Program) if field.type in (float, float | None))
"""Set points that are one number."""

_USUAL_RANGES: Mapping[str, tuple[float, float]] = {
    "s": (0.01, 1800),
    "bar": (1, 3500),
    "mm": (0.1, 1000),
    "kn": (1, 100_000),
    "nm": (1, 500_000),
    "c": (-20, 160),
    "min": (0.1, 500),
}
"""By the unit in which a name ends; temperatures are those of mold and water."""

RANGES: Mapping[str, tuple[float, float]] = {
    **{name: _USUAL_RANGES[name.rpartition("_")[2]] for name in NUMBERS},
    "melt_temp_c": (170, 450),  # always above the water's
    "coolant_rise_c": (0.1, 10),
    "hold_time_set_s": (0.01, 600),
    "recovery_time_s": (0.01, 600),
    "cushion_mm": (0.1, 30),
    "start_mm": (35, 500),  # always behind the cushion
}
"""Least and most that can be entered: beyond them no press molds, and the physics say nothing."""


def enterable(name: str, value: float) -> None:
    """Refuse what no control takes.

    Raises:
        ValueError: there is no such set point, or the number is out of its range.
    """
    if name not in NUMBERS:
        raise ValueError(f"no set point {name!r}; there are {', '.join(sorted(NUMBERS))}")
    least, most = RANGES[name]
    if not least <= value <= most:
        raise ValueError(f"set point '{name}' = {value:g}; it should be from {least:g} to {most:g}")


def program(mold: Mold, tonnage: int, given: Mapping[str, float] | None = None) -> Program:
    """What a setter would enter for a mold: the resin's usual settings, fitted to its cycle time.

    The cooling timer takes what movements, filling and holding leave of the expected cycle.

    Args:
        mold: Its resin and expected cycle decide.
        tonnage: Decides screw and clamp force.
        given: Set points that are entered otherwise; unless they are given, the timer still fills
            the cycle, and the water is as warm as the mold's set temperature asks.

    Raises:
        ValueError: there is no such set point, or no such alloy.
    """
    resin = RESINS[mold.resin]
    base = _usual(resin, mold, tonnage)
    for name, value in (given or {}).items():
        base = base.changed(name, value)
    if not given or "cooling_time_set_s" not in given:
        rest = round(mold.expected_cycle_s - base.cycle_s, 2)
        base = replace(base, cooling_time_set_s=max(1.0, rest))
    longest = round(base.cooling_time_set_s * 0.8 - 0.6, 2)
    if "recovery_time_s" not in (given or {}):
        base = replace(base, recovery_time_s=max(0.8, min(base.recovery_time_s, longest)))
    supply_c = (given or {}).get("coolant_in_c")
    return replace(base, coolant_in_c=_supply_c(mold, base) if supply_c is None else supply_c)


def _supply_c(mold: Mold, base: Program) -> float:
    """The water with which the mold's sensor settles at the set temperature, to half a degree."""
    flow, melt_c = base.coolant_flow_l_min, base.melt_temp_c
    between = resistance_m2k_w(flow, base.mold_temp_set_c)
    steady = wall(RESINS[mold.resin], alloy(mold.alloy), mold.wall_mm, between).steady(
        base.contact_s, base.open_s
    )
    water_c = (base.mold_temp_set_c - steady.sensor * melt_c) / (1 - steady.sensor)
    return max(COLDEST_SUPPLY_C, round(2 * (water_c - base.coolant_rise_c / 2)) / 2)


def _usual(resin: Resin, mold: Mold, tonnage: int) -> Program:
    slower = mold.expected_cycle_s / REFERENCE_CYCLE_S
    pace = min(1.4, max(0.2, slower))
    heat = mold.wall_mm / REFERENCE_WALL_MM / slower
    screw_mm = round(REFERENCE_SCREW_MM * math.sqrt(tonnage / REFERENCE_TONNAGE))
    torque_nm = LARGEST_TORQUE_NM * (screw_mm / REFERENCE_SCREW_MM) ** 3
    return Program(
        cooling_time_set_s=0.0,
        hold_time_set_s=round(resin.hold_s * pace, 2),
        fill_time_s=resin.fill_s,
        mold_close_time_s=round(CLOSE_S * pace, 2),
        mold_open_time_s=round(OPEN_S * pace, 2),
        ejection_time_s=round(EJECT_S * pace, 2),
        pause_time_s=round(PAUSE_S * pace, 2),
        recovery_time_s=resin.recovery_s,
        injection_pressure_peak_bar=resin.peak_bar,
        transfer_pressure_bar=resin.transfer_bar,
        hold_pressure_bar=resin.hold_bar,
        back_pressure_bar=resin.back_bar,
        cavity_pressure_peak_bar=resin.cavity_bar,
        transfer_position_mm=resin.transfer_mm,
        cushion_mm=resin.cushion_mm,
        start_mm=resin.stroke_mm,
        screw_mm=screw_mm,
        screw_torque_nm=round(resin.torque_share * torque_nm),
        clamp_force_kn=round(CLAMP_KN_PER_TON * tonnage),
        melt_temp_c=resin.melt_c,
        barrel_c=resin.barrel_c,
        mold_temp_set_c=resin.mold_c,
        coolant_in_c=0.0,
        coolant_rise_c=round(resin.coolant_rise_c * min(1.0, LARGEST_MOLD * heat), 3),
        gate_freeze_s=resin.gate_freeze_s,
    )
