"""What one step of a machine's story writes: kept whole or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.anomaly import Anomaly
from agent.ledger import Entry
from drivers import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """An interval in which we could not see a machine: data, never silence."""

    machine: str
    since: datetime
    """The last instant at which we saw it."""
    until: datetime | None
    """The first at which we saw it again; None while it lasts."""
    cause: str
    """`unreachable`, `refused`, `mistaken` (another machine), `garbled`, `stale`; `overflow` where
    the link stood and things were lost on it; `unseen` where it stood, and shots went by that
    nothing on it showed; or `not_running`: the agent itself."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a stage remembers of a machine, to go on from after a restart."""

    stage: str
    body: bytes
    segment: int | None = None
    """Of the last cycle that it has taken; None for none."""
    counter: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Everything that one observation changed."""

    machine: str
    entries: Sequence[Entry] = ()
    notices: Sequence[Notice] = ()
    blinds: Sequence[Blind] = ()
    anomalies: Sequence[Anomaly] = ()
    saved: Sequence[Saved] = ()

    def __bool__(self) -> bool:
        return bool(self.entries or self.notices or self.blinds or self.anomalies or self.saved)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRow:
    """A machine as the record knows it."""

    name: str
    driver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoldRow:
    """A mold as the configuration describes it; what is not in `fields` is not known."""

    name: str
    revision: str = "A"
    fields: Mapping[str, Any] = field(default_factory=dict)
    """By the names of `agent.molds.fields.MoldFields`, as plain JSON values."""
