"""A counter seen between cycles: proof of shots whose record never came."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The machine's shot counter at one instant, with no cycle behind it."""

    machine: str
    counter: int
    at: datetime
    """UTC."""
    mold: str | None = None
    """The id that the machine gave at that instant, if it gives one."""
    job_counter: int | None = None
    """Cycles of the present job; says which shots of a gap came after a mold change."""
