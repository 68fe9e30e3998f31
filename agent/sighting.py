"""A counter seen between cycles: proof of shots whose record never came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.cycle import Closing


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The machine's shot counter at one instant, with no cycle behind it."""

    machine: str
    counter: int
    at: datetime
    """UTC."""
    closing: Closing = "shot"
    """What the machine says of its last closing."""
    mold: str | None = None
    """The id that the machine gave at that instant, if it gives one."""
    job: str | None = None
    resin: str | None = None
    cavities: int | None = None
    counters: Mapping[str, int] = field(default_factory=dict)
    """The machine's other counters, by signal; that of the job says which shots of a gap came after
    a mold change."""
    looked_at: datetime | None = None
    """When we last saw the counter as it was before; None where nobody looked."""
