"""What the sensors show during a closing, sampled; evaluated once, when someone first looks.

Source:
    Shapes and time constants of the reference page on molding, 1.4.
"""

from dataclasses import dataclass
from functools import cached_property
from random import Random

import numpy as np
from numpy.typing import NDArray

from simulators.modes import Phase
from simulators.physics.program import RECOVERY_DELAY_S
from simulators.shot import Plan

SAMPLE_S = 0.01
TRANSFER_TAU_S = 0.07
RELEASE_TAU_S = 0.08
CUSHION_TAU_S = 0.25
CAVITY_TAU_S = 2.7
DECOMPRESSION_MM = 3.0
PEAK_AT = 0.95
"""Share of the fill time at which injection pressure is highest."""
HOLD_NOISE = 0.005

Samples = NDArray[np.float32]
Numbers = NDArray[np.float64]

_random = Random("hold")
_NOISE = np.array([_random.gauss(0, HOLD_NOISE) for _ in range(4096)])


@dataclass(frozen=True, slots=True)
class Live:
    """The sampled signals at one instant."""

    injection_pressure_bar: float = 0.0
    cavity_pressure_bar: float = 0.0
    screw_position_mm: float = 0.0
    cavity_wall_c: float = 0.0


@dataclass(frozen=True, slots=True)
class Block:
    """Some samples in a row, `SAMPLE_S` apart."""

    first: int
    """Number of the first one; 0 is the start of the closing."""
    injection_pressure_bar: Samples
    cavity_pressure_bar: Samples
    screw_position_mm: Samples
    cavity_wall_c: Samples


class Curves:
    """The sensors of one planned closing."""

    def __init__(self, plan: Plan, gate_freeze_s: float) -> None:
        self._plan = plan
        self._gate_s = gate_freeze_s
        self.count = max(1, plan.cycle_ms // round(1000 * SAMPLE_S))
        """Of samples."""

    @property
    def injection_pressure_bar(self) -> Samples:
        """Shape (count,), to 0.1 bar."""
        return self.samples.injection_pressure_bar

    @property
    def cavity_pressure_bar(self) -> Samples:
        """Near the gate; shape (count,), to 0.1 bar."""
        return self.samples.cavity_pressure_bar

    @property
    def screw_position_mm(self) -> Samples:
        """Shape (count,), to 0.01 mm."""
        return self.samples.screw_position_mm

    @property
    def cavity_wall_c(self) -> Samples:
        """Of the metal under the part; shape (count,), to 0.1 C."""
        return self.samples.cavity_wall_c

    def at(self, seconds: float) -> Live:
        """The newest sample that many seconds after the closing started."""
        index, all_ = self._index(seconds), self.samples
        return Live(
            round(all_.injection_pressure_bar.item(index), 1),
            round(all_.cavity_pressure_bar.item(index), 1),
            round(all_.screw_position_mm.item(index), 2),
            round(all_.cavity_wall_c.item(index), 1),
        )

    def newest(self, seconds: float, count: int) -> Block:
        """The last `count` samples up to then; fewer where the closing has just begun."""
        end, all_ = self._index(seconds) + 1, self.samples
        first = max(0, end - count)
        return Block(
            first,
            all_.injection_pressure_bar[first:end],
            all_.cavity_pressure_bar[first:end],
            all_.screw_position_mm[first:end],
            all_.cavity_wall_c[first:end],
        )

    def _index(self, seconds: float) -> int:
        return min(self.count - 1, max(0, int(seconds / SAMPLE_S + 1e-6)))

    @cached_property
    def samples(self) -> Block:
        """The whole closing."""
        plan = self._plan
        wall = self._cavity_wall()
        begin_ms = plan.begins_ms(Phase.FILL)
        if begin_ms is None:
            nothing = np.zeros(self.count, np.float32)
            return Block(0, nothing, nothing, nothing + np.float32(plan.start_mm), wall)
        course = _Course(plan, self._gate_s, self.count, begin_ms / 1000)
        return Block(
            0,
            np.round(course.injection_bar(), 1).astype(np.float32),
            np.round(course.cavity_bar(), 1).astype(np.float32),
            np.round(course.screw_mm(), 2).astype(np.float32),
            wall,
        )

    def _cavity_wall(self) -> Samples:
        if self._plan.cavity_wall is None:
            return np.full(self.count, self._plan.levels["mold_temp_c"], np.float32)
        at_s, celsius = self._plan.cavity_wall
        times = SAMPLE_S * np.arange(self.count)
        wall: Numbers = np.round(np.interp(times, at_s, celsius), 1)
        return wall.astype(np.float32)


class _Course:
    """The sensors of a shot over the time since the start of injection."""

    def __init__(self, plan: Plan, gate_s: float, count: int, begin_s: float) -> None:
        values = plan.values
        self._values, self._start_mm, self._noise = values, plan.start_mm, plan.noise
        self._t = SAMPLE_S * np.arange(count) - begin_s
        self._fill_s = values["fill_time_s"]
        hold_end_s = self._fill_s + values["hold_time_s"]
        screw_s = hold_end_s + RECOVERY_DELAY_S
        screw_end_s = screw_s + values["recovery_time_s"]
        self._gate_s = gate_s
        self._open_s = hold_end_s + values["cooling_time_s"]
        # Samples of each phase: it begins with the first that is not before its start.
        starts = np.searchsorted(
            self._t + 1e-9, (0.0, self._fill_s, hold_end_s, screw_s, screw_end_s)
        )
        begin, filled, held, turning, metered = (int(start) for start in starts)
        self._filling, self._holding = slice(begin, filled), slice(filled, held)
        self._released, self._turning = slice(held, turning), slice(turning, metered)
        self._creeping, self._metered = slice(filled, turning), slice(metered, None)

    def injection_bar(self) -> Numbers:
        """Pressure in the melt before the screw."""
        t, fill_s = self._t, self._fill_s
        peak, transfer, hold, back = (
            self._values[name]
            for name in (
                "injection_pressure_peak_bar",
                "transfer_pressure_bar",
                "hold_pressure_bar",
                "back_pressure_bar",
            )
        )
        bar = np.zeros(len(t))
        share = t[self._filling] / fill_s
        rising = peak * (0.12 + 0.88 * (np.clip(share, 0, PEAK_AT) / PEAK_AT) ** 0.7)
        falling = (peak - transfer) * np.maximum(0, share - PEAK_AT) / (1 - PEAK_AT)
        bar[self._filling] = rising - falling
        late = t[self._holding] - fill_s
        noise = _NOISE[(self._noise + np.arange(len(late))) % len(_NOISE)]
        bar[self._holding] = hold * (1 + noise) + (transfer - hold) * np.exp(-late / TRANSFER_TAU_S)
        late = t[self._released] - fill_s - self._values["hold_time_s"]
        bar[self._released] = hold * np.exp(-late / RELEASE_TAU_S)
        ripple = 1 + 0.03 * np.sin(2 * np.pi * 0.9 * t[self._turning])
        bar[self._turning] = back * ripple
        return bar

    def cavity_bar(self) -> Numbers:
        """Pressure in the cavity near the gate."""
        t, fill_s, peak = self._t, self._fill_s, self._values["cavity_pressure_peak_bar"]
        packed_s = fill_s + 0.2
        gate_s = max(self._gate_s, packed_s + 0.1)
        bar: Numbers = np.interp(
            t,
            (0.35 * fill_s, 0.95 * fill_s, packed_s, gate_s),
            (0.0, 0.3 * peak, peak, 0.88 * peak),
        )
        bar *= np.exp(-np.maximum(0, t - gate_s) / CAVITY_TAU_S)
        bar[t > self._open_s - 1e-9] = 0.0
        return bar

    def screw_mm(self) -> Numbers:
        """Position of the screw: forward, creeping to the cushion, and back again."""
        t, fill_s = self._t, self._fill_s
        transfer, cushion = self._values["transfer_position_mm"], self._values["cushion_mm"]
        mm = np.full(len(t), float(self._start_mm))
        share = t[self._filling] / fill_s
        eased = share - np.sin(2 * np.pi * share) / (4 * np.pi)  # slow, fast, slow
        mm[self._filling] += (transfer - self._start_mm) * eased
        late = t[self._creeping] - fill_s
        mm[self._creeping] = cushion + (transfer - cushion) * np.exp(-late / CUSHION_TAU_S)
        metered = self._start_mm - DECOMPRESSION_MM
        late = t[self._turning] - t[self._turning][:1]
        mm[self._turning] = cushion + (metered - cushion) * late / self._values["recovery_time_s"]
        late = t[self._metered] - t[self._metered][:1]
        mm[self._metered] = metered + DECOMPRESSION_MM * np.minimum(1, late / RECOVERY_DELAY_S)
        return mm
