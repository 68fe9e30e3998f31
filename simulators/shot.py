"""One closing of a mold: as it is planned when it starts, and as it is when it has ended."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from simulators.modes import Mode, Phase, Quality
from simulators.mold import Job, Mold

Closing = Literal["shot", "dry"]
Phases = tuple[tuple[Phase, int], ...]
"""In order, each with its length in ms; a dry closing has fewer."""

PHASE_TIMES: Mapping[Phase, str] = {
    Phase.CLOSE: "mold_close_time_s",
    Phase.FILL: "fill_time_s",
    Phase.HOLD: "hold_time_s",
    Phase.COOL: "cooling_time_s",
    Phase.OPEN: "mold_open_time_s",
    Phase.EJECT: "ejection_time_s",
    Phase.PAUSE: "pause_time_s",
}
"""The signal that tells the length of a phase."""

LAST_CYCLE = (
    "cycle_time_s",
    "cooling_time_s",
    "fill_time_s",
    "hold_time_s",
    "recovery_time_s",
    "mold_open_time_s",
    "mold_close_time_s",
    "ejection_time_s",
    "pause_time_s",
    "injection_pressure_peak_bar",
    "transfer_pressure_bar",
    "hold_pressure_bar",
    "back_pressure_bar",
    "screw_torque_nm",
    "cushion_mm",
    "cushion_cm3",
    "clamp_force_kn",
    "cavity_pressure_peak_bar",
    "transfer_position_mm",
    "shot_volume_cm3",
    "cooling_time_set_s",
    "mold_temp_set_c",
    "parts_good",
    "parts_bad",
)
"""Signals that every closing has a number for; 0 where a dry one has nothing to measure."""


def times(phases: Phases) -> dict[str, float]:
    """The signals that tell how long the closing and each of its phases take."""
    return {
        "cycle_time_s": sum(length for _, length in phases) / 1000,
        **{PHASE_TIMES[phase]: length / 1000 for phase, length in phases},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A closing that is about to run: the physics are drawn once, when it starts."""

    closing: Closing
    phases: Phases
    values: Mapping[str, float]
    """Per canonical signal, quantised to the display step; `cycle_time_s` is the phases' sum."""
    levels: Mapping[str, float]
    """Temperatures and flows that hold from the start of cooling until the next one's."""
    start_mm: float
    """Screw position before injection."""
    quality: Quality = Quality.GOOD
    parts_good: int = 0
    parts_bad: int = 0
    part_c: float | None = None
    """Mean temperature of the parts when the mold opens; None without plastic."""
    cavity_wall: tuple[NDArray[np.float64], NDArray[np.float64]] | None = field(
        default=None, compare=False, repr=False
    )
    """Times in s from the start of the closing, and the cavity wall's temperature at each."""
    noise: int = 0
    """Tells the noise of its sensors from other closings'."""

    @property
    def cycle_ms(self) -> int:
        """Length of the whole closing."""
        return sum(length for _, length in self.phases)

    def begins_ms(self, phase: Phase) -> int | None:
        """When a phase starts, from the start of the closing; None where it has no such phase."""
        at = 0
        for each, length in self.phases:
            if each is phase:
                return at
            at += length
        return None

    def showing(self, values: Mapping[str, float]) -> "Plan":
        """The plan with some values as a test wants them; a phase's length decides the cycle's."""
        if not values:
            return self
        phases = tuple(
            (phase, round(values.get(PHASE_TIMES[phase], length / 1000) * 1000))
            for phase, length in self.phases
        )
        cycle_s = sum(length for _, length in phases) / 1000
        return replace(
            self,
            phases=phases,
            values={**self.values, "cycle_time_s": cycle_s, **values},
            levels={name: values.get(name, level) for name, level in self.levels.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A closing that has ended, as the machine's displays show it."""

    machine: str
    counter: int
    """The machine's own shot counter after this closing."""
    job_counter: int
    ended_at: datetime
    """UTC wall clock at which the counter rose."""
    closing: Closing
    mold: Mold
    job: Job
    mode: Mode
    quality: Quality
    values: Mapping[str, float]
    """Per canonical signal: the last-cycle values and the levels as they stood at the end."""
    parts_good: int
    parts_bad: int
    injected: tuple[str, ...] = ()
    """Faults that touched it."""
    at_s: float = 0.0
    """Process time of the press at its end."""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, for `from_json`."""
        return asdict(self) | {"ended_at": self.ended_at.isoformat()}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        changed = {
            "ended_at": datetime.fromisoformat(kept["ended_at"]),
            "mold": Mold(**kept["mold"]),
            "job": Job(**kept["job"]),
            "mode": Mode(kept["mode"]),
            "quality": Quality(kept["quality"]),
            "injected": tuple(kept["injected"]),
        }
        return cls(**{**kept, **changed})
