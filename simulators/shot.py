"""One closing of a mold: as it is planned when it starts, and as it is when it has ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from simulators.modes import Mode, Phase, Quality
from simulators.mold import Job, Mold

Closing = Literal["shot", "dry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A closing that is about to run: the physics are drawn once, when it starts."""

    closing: Closing
    phases: tuple[tuple[Phase, int], ...]
    """In order, each with its length in ms; a dry closing has fewer."""
    values: Mapping[str, float]
    """Per canonical signal, quantised to the display step; `cycle_time_s` is the phases' sum."""
    levels: Mapping[str, float]
    """Temperatures and flows that hold from the start of cooling until the next one's."""
    start_mm: float
    """Screw position before injection."""
    quality: Quality = Quality.GOOD
    parts_good: int = 0
    parts_bad: int = 0

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
