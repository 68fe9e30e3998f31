"""What a press is, and what it starts with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulators.counters import Kept
from simulators.modes import Mode
from simulators.mold import Job, Mold
from simulators.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a press is, and what it starts with."""

    name: str
    mold: Mold
    job: Job
    tonnage: int = 80
    mode: Mode = Mode.AUTOMATIC
    set_points: Mapping[str, float] = field(default_factory=dict)
    """Entered otherwise than usual for the resin."""
    counter: int = 0
    job_counter: int = 0
    counter_limit: int = 2**32
    counter_kept: Kept = "always"
    save_every: int = 50
    open_cavities: int = 0
    """0 for all of the mold's."""
    runs: tuple[Run, ...] = ()
    """What follows when the job has its parts; without, the press molds on."""
    repeat: bool = False
    """Whether the runs start over after the last; else the press then stops."""
