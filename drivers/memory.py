"""What is known of a machine from the connection before: where a gap begins."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from drivers.observations import Report

REMEMBERED = 512
"""Cycles, to know those that the machine tells once more."""


@dataclass(slots=True)
class Memory:
    """The newest cycle of a machine, and what it was molded with; it outlives its connections."""

    until: datetime | None = None
    """End of that cycle by the machine's clock; None where none was ever seen."""
    behind: datetime | None = None
    """From where on a past has yet to be read that was too long; None where there is none."""
    states: Mapping[str, str] = field(default_factory=dict)
    """Mold, job, mode and so on, as they were then."""
    told: deque[tuple[int, datetime]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Counter and end of the last cycles."""

    @property
    def since(self) -> datetime | None:
        """Where the gap begins."""
        return self.behind or self.until

    def note(self, report: Report) -> None:
        """Take in a cycle that was told."""
        self.told.append((report.counter, report.ended_at))
        if self.until is None or report.ended_at >= self.until:
            self.until, self.states = report.ended_at, report.states

    def knows(self, report: Report) -> bool:
        """Whether a cycle was told before."""
        return (report.counter, report.ended_at) in self.told
