"""What the ledger writes: segments, runs and mounts, and what it found while it counted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from agent.cycle import Booked
from drivers.unchanging import unchanging

if TYPE_CHECKING:
    from agent.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch in which a machine's counter rose without reset or wrap."""

    machine: str
    number: int
    first: int
    """The counter before the segment's first closing, or where we first saw it. Below the counter's
    own values where closings from before a wrap or reset are numbered with the segment."""
    opened_at: datetime
    reason: str
    """`first_seen`, or a `Step` of `agent.counter`."""


@unchanging
class Run:
    """A row of the ledger: closings of one segment on one mold revision, in one resin."""

    machine: str
    segment: int
    kind: str
    """`seen`; `unobserved`: proved, and no cycle came; `seen_late`: corrects an unobserved one by
    minus one; `hidden`: closings that the counter has no number for, or doubt about them alone;
    `double_pulse`: steps of the counter that were no closing; `settled`: ends an earlier doubt."""
    first: int
    last: int
    """Raw values of the counter, first and last; no range where `last` is below `first`."""
    mold: str | None
    revision: str | None
    resin: str | None = None
    cavities: int | None = None
    """Open ones; None where nobody knows."""
    closings: int
    shots: int
    """Closings with plastic; unobserved ones count as shots unless the parts say otherwise."""
    unobserved: int
    """How many of the shots were not seen; negative in a correction."""
    shots_min: int
    shots_max: int
    """Fewest and most shots that the evidence leaves room for; both equal to `shots` where it
    suffices. Signed like `shots`, so that sums of rows are bounds of sums."""
    since: datetime
    until: datetime
    reason: str = ""
    """Why the row is what it is: a `Step` of `agent.counter`; empty where the counter rose by one
    a closing."""
    evidence: str = ""
    """What proves it, for a person, where it is not plainly the counter."""

    @property
    def parts(self) -> int | None:
        """Shots times open cavities; None where nobody knows how many are open."""
        return None if self.cavities is None else self.shots * self.cavities

    @property
    def is_exact(self) -> bool:
        """Whether the evidence suffices."""
        return self.shots_min == self.shots == self.shots_max

    def grown(self, last: int, shots: int, until: datetime) -> "Run":
        """The same with one closing more; `replace` would take twice as long, once a shot.

        Args:
            last: Its counter.
            shots: 1, or 0 where it was without plastic.
            until: When it ended.
        """
        return Run(
            machine=self.machine,
            segment=self.segment,
            kind=self.kind,
            first=self.first,
            last=last,
            mold=self.mold,
            revision=self.revision,
            resin=self.resin,
            cavities=self.cavities,
            closings=self.closings + 1,
            shots=self.shots + shots,
            unobserved=self.unobserved,
            shots_min=self.shots_min + shots,
            shots_max=self.shots_max + shots,
            since=self.since,
            until=until,
            reason=self.reason,
            evidence=self.evidence,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """The interval in which a mold revision sat on a machine."""

    machine: str
    mold: str
    revision: str
    since: datetime
    source: str
    """`machine` where its own mold id said so, `configured` where the file did, `person` where
    somebody entered it."""
    resin: str | None = None
    """That somebody said it is run in."""
    cavities: int | None = None
    """Open ones, where somebody said how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about the counting that a person should be able to read about."""

    what: str
    """A `Step` of `agent.counter`, or `unobserved`."""
    before: int
    after: int
    """The counter's last value, and its new one."""
    closings: int
    least: int
    most: int
    """How many were booked, and the bounds."""
    evidence: str
    numbers: Mapping[str, int] = field(default_factory=dict)
    """What each counter says, by name."""
    new_job: str | None = None
    """The job that began meanwhile."""
    since: datetime
    until: datetime


@unchanging
class Entry:
    """What one cycle or sighting changed; empty lists where it changed nothing."""

    booked: Booked | None = None
    segments: Sequence[Segment] = ()
    runs: Sequence[Run] = ()
    mounts: Sequence[Mount] = ()
    refused: str | None = None
    """Why a cycle was not kept: `duplicate`, `before_first_seen`, `not_new`, `double_pulse`."""
    findings: Sequence[Finding] = ()
    standing: "Standing | None" = None
    """Where the ledger stands after it; what the record keeps for a restart."""

    @property
    def recorded(self) -> int:
        """Shots that it records with values: a closing without plastic is none."""
        return int(self.booked is not None and self.booked.cycle.closing == "shot")

    def added(self) -> Iterator[tuple[str | None, str | None, int]]:
        """Mold, revision and shots that this entry adds to the sum of the ledger."""
        for run in self.runs:
            if run.kind != "seen":
                yield run.mold, run.revision, run.shots
            elif self.recorded:
                yield run.mold, run.revision, 1  # the run itself says how many it has by now
