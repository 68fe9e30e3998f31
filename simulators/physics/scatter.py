"""How one shot differs from the next: slow drift, noise and the step of the display.

Every quantity is its level plus a slow drift (AR(1)) plus white noise, rounded to the step that the
machine displays. What the machine publishes and what the truth log holds are the same rounded
numbers.

Source:
    Sizes of scatter are those measured on a public data set of 212 cycles and 7 set-ups, and shop
    values where that has none (reference page on molding, 1.3 and 1.6).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Scatter:
    """How one quantity scatters around its level."""

    drift: float
    """Standard deviation of the slow part; a share of the level, or `absolute`."""
    noise: float
    """Standard deviation of the white part."""
    decimals: int
    """Of the display."""
    memory: float = 0.8
    """Lag-1 correlation of the slow part."""
    absolute: bool = False


SCATTER: Mapping[str, Scatter] = {
    "injection_pressure_peak_bar": Scatter(0.0035, 0.0025, 1),
    "transfer_pressure_bar": Scatter(0.0, 0.001, 1),  # beside the peak's
    "hold_pressure_bar": Scatter(0.001, 0.004, 1),
    "back_pressure_bar": Scatter(0.002, 0.003, 1),
    "cavity_pressure_peak_bar": Scatter(0.004, 0.004, 1),
    "recovery_time_s": Scatter(0.002, 0.0019, 2, 0.85),
    "screw_torque_nm": Scatter(0.01, 0.025, 0),
    "cushion_mm": Scatter(0.01, 0.03, 2, 0.5, absolute=True),
    "start_mm": Scatter(0.0, 0.03, 2, absolute=True),
    "transfer_position_mm": Scatter(0.0, 0.012, 2, absolute=True),
    "clamp_force_kn": Scatter(0.004, 0.0005, 0, 0.99),
    "melt_temp_c": Scatter(0.2, 0.1, 1, 0.95, absolute=True),
    "barrel_c": Scatter(0.1, 0.05, 1, 0.95, absolute=True),
    "mold_temp_c": Scatter(0.04, 0.05, 1, 0.9, absolute=True),
    "coolant_in_c": Scatter(0.08, 0.05, 1, 0.95, absolute=True),
    "coolant_rise_c": Scatter(0.04, 0.03, 2, 0.8, absolute=True),
    "coolant_flow_l_min": Scatter(0.005, 0.003, 1, 0.9),
    "oil_temp_c": Scatter(0.3, 0.05, 1, 0.98, absolute=True),
    # Movements scatter by milliseconds; timers (hold, cooling) not at all at 10 ms.
    "mold_close_time_s": Scatter(0.0, 0.0007, 2, absolute=True),
    "mold_open_time_s": Scatter(0.002, 0.0015, 2, 0.85, absolute=True),
    "ejection_time_s": Scatter(0.001, 0.002, 2, absolute=True),
    "pause_time_s": Scatter(0.0, 0.004, 2, absolute=True),
    "fill_time_s": Scatter(0.0, 0.0002, 3, absolute=True),
}
"""Keyed by the signal, or by the set point where several signals share it."""


class Scattering:
    """The draws of one press, one for each quantity and shot, with what they remember."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._drift: dict[str, float] = {}

    def off(self, name: str, like: str | None = None) -> tuple[float, float]:
        """Drift and noise of the next shot, in the quantity's unit or as shares of its level."""
        scatter = SCATTER[like or name]
        drift = 0.0
        if scatter.drift:
            fresh = scatter.drift * math.sqrt(1 - scatter.memory**2)
            drift = scatter.memory * self._drift.get(name, 0.0) + self.random.gauss(0, fresh)
            self._drift[name] = drift
        return drift, self.random.gauss(0, scatter.noise)

    def around(self, name: str, level: float, like: str | None = None) -> float:
        """What the display shows of a quantity that stands at a level."""
        scatter = SCATTER[like or name]
        off = sum(self.off(name, like))
        return round(level + off if scatter.absolute else level * (1 + off), scatter.decimals)
