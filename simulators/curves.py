"""What the sensors show during a shot, as functions of the time since it started.

Source:
    Shapes and time constants of the reference page on molding, 1.4.
"""

import math
from dataclasses import dataclass

from simulators.modes import Phase
from simulators.process import RECOVERY_DELAY_MS
from simulators.shot import Plan

TRANSFER_TAU_S = 0.07
RELEASE_TAU_S = 0.08
CUSHION_TAU_S = 0.25
CAVITY_TAU_S = 2.7
DECOMPRESSION_MM = 3.0
PEAK_AT = 0.95
"""Share of the fill time at which injection pressure is highest."""


@dataclass(frozen=True, slots=True)
class Live:
    """The sampled signals at one instant."""

    injection_pressure_bar: float = 0.0
    cavity_pressure_bar: float = 0.0
    screw_position_mm: float = 0.0


class Curves:
    """The sensors of one planned shot."""

    def __init__(self, plan: Plan, gate_freeze_s: float) -> None:
        self._values = plan.values
        self._start_mm = plan.start_mm
        begin = plan.begins_ms(Phase.FILL)
        self._dry = begin is None
        self._fill_at_s = (begin or 0) / 1000
        self._gate_s = gate_freeze_s
        self._fill_s = plan.values["fill_time_s"]
        self._hold_end_s = self._fill_s + plan.values["hold_time_s"]
        self._open_s = self._hold_end_s + plan.values["cooling_time_s"]
        self._screw_at_s = self._hold_end_s + RECOVERY_DELAY_MS / 1000
        self._screw_end_s = self._screw_at_s + plan.values["recovery_time_s"]

    def at(self, seconds: float) -> Live:
        """The signals, that many seconds after the closing started."""
        t = seconds - self._fill_at_s
        if self._dry or t < 0:
            return Live(0.0, 0.0, self._start_mm)
        return Live(
            round(self._injection_bar(t), 1), round(self._cavity_bar(t), 1), round(self._mm(t), 2)
        )

    def _injection_bar(self, t: float) -> float:
        peak, transfer = (
            self._values["injection_pressure_peak_bar"],
            self._values["transfer_pressure_bar"],
        )
        hold = self._values["hold_pressure_bar"]
        if t < self._fill_s:
            share = t / self._fill_s
            if share < PEAK_AT:
                return peak * (0.12 + 0.88 * math.pow(share / PEAK_AT, 0.7))
            return peak + (transfer - peak) * (share - PEAK_AT) / (1 - PEAK_AT)
        if t < self._hold_end_s:
            ripple = 1 + 0.004 * math.sin(2 * math.pi * 1.7 * t)
            return hold * ripple + (transfer - hold) * math.exp(
                -(t - self._fill_s) / TRANSFER_TAU_S
            )
        if self._screw_at_s <= t < self._screw_end_s:
            ripple = 1 + 0.03 * math.sin(2 * math.pi * 0.9 * t)
            return self._values["back_pressure_bar"] * ripple
        return hold * math.exp(-(t - self._hold_end_s) / RELEASE_TAU_S)

    def _cavity_bar(self, t: float) -> float:
        peak = self._values["cavity_pressure_peak_bar"]
        rise_s, packed_s = 0.95 * self._fill_s, self._fill_s + 0.2
        if t < 0.35 * self._fill_s or t >= self._open_s:
            return 0.0
        if t < rise_s:
            return 0.3 * peak * (t - 0.35 * self._fill_s) / (0.6 * self._fill_s)
        if t < packed_s:
            return peak * (0.3 + 0.7 * (t - rise_s) / (packed_s - rise_s))
        gate_s = max(self._gate_s, packed_s + 0.1)
        if t < gate_s:
            return peak * (1 - 0.12 * (t - packed_s) / (gate_s - packed_s))
        return 0.88 * peak * math.exp(-(t - gate_s) / CAVITY_TAU_S)

    def _mm(self, t: float) -> float:
        transfer, cushion = self._values["transfer_position_mm"], self._values["cushion_mm"]
        if t < self._fill_s:
            share = t / self._fill_s
            eased = share - math.sin(2 * math.pi * share) / (4 * math.pi)  # slow, fast, slow
            return self._start_mm + (transfer - self._start_mm) * eased
        if t < self._screw_at_s:
            return cushion + (transfer - cushion) * math.exp(-(t - self._fill_s) / CUSHION_TAU_S)
        metered = self._start_mm - DECOMPRESSION_MM
        if t < self._screw_end_s:
            share = (t - self._screw_at_s) / (self._screw_end_s - self._screw_at_s)
            return cushion + (metered - cushion) * share
        back = (t - self._screw_end_s) / (RECOVERY_DELAY_MS / 1000)
        return metered + DECOMPRESSION_MM * min(1.0, back)
