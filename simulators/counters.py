"""What a press counts, and how controls lose count.

Source:
    The ways in which counters fail are those of the reference page on molding, 3.4.
"""

from dataclasses import dataclass
from typing import Literal

Kept = Literal["always", "saved", "lost"]
"""What a control still knows after a power-off: all, what it last saved, or nothing."""


@dataclass(slots=True, kw_only=True)
class Counters:
    """The counters of one press."""

    machine: int = 0
    """Closings in the machine's life."""
    job: int = 0
    """Closings in the job."""
    good: int = 0
    """Parts in the job."""
    bad: int = 0
    """Parts in the job."""
    limit: int = 2**32
    """The first number that the machine's counter can't show; it goes on at 0."""
    kept: Kept = "always"
    save_every: int = 50
    """Closings from save to save, where only what is saved is kept."""
    saved: tuple[int, ...] = ()
    """Machine, job, good and bad as they were last saved; as they are where nobody says."""

    def __post_init__(self) -> None:
        self.saved = tuple(self.saved)  # a list where it comes from JSON
        if not self.saved:
            self.save()

    @property
    def parts(self) -> int:
        """Made in the job, good and bad."""
        return self.good + self.bad

    def closed(self, good: int, bad: int, *, pulses: int = 1) -> None:
        """Count one closing and its parts.

        Args:
            good: Parts.
            bad: Parts.
            pulses: How often the counters take it: 0 where they are stuck, 2 where a switch
                bounces.
        """
        before = self.machine // self.save_every
        self.machine = (self.machine + pulses) % self.limit
        self.job += pulses
        self.good += good
        self.bad += bad
        if self.machine // self.save_every != before:
            self.save()

    def save(self) -> None:
        """Keep the counters as they are, for a control that saves them now and then."""
        self.saved = (self.machine, self.job, self.good, self.bad)

    def new_job(self) -> None:
        """Start the job's counters at 0."""
        self.job = self.good = self.bad = 0
        self.save()

    def power_lost(self) -> None:
        """What the control shows when it has power again."""
        if self.kept == "saved":
            self.machine, self.job, self.good, self.bad = self.saved
        elif self.kept == "lost":
            self.machine = self.job = self.good = self.bad = 0
            self.save()
