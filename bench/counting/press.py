"""A press that closes its mold and counts, with every way in which counters fail.

Nothing here knows the ledger: closings are counted where they happen, by mold and revision, and
what the machine's counters show of them is a matter of its own.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)

Key = tuple[str, str]
"""Mold and revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the machine says of one closing."""

    machine: str
    at: datetime
    stamp: datetime
    """The same instant by the machine's own clock."""
    counter: int
    closing: str
    mold: str | None
    revision: str
    job: str
    others: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """From here on nobody sees the machine, until it says something again."""

    machine: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What a person says of the mold on a machine, mostly later than it was so."""

    machine: str
    mold: str
    since: datetime
    at: datetime


@dataclass(slots=True)
class Tool:
    """A mold, which may sit on any press."""

    name: str
    cycle_s: float
    cavities: int
    revision: str = "A"


@dataclass(slots=True)
class Register:
    """One counter, as wide as it is."""

    value: int
    width: int = 2**62
    low: int = 0
    stuck: bool = False
    behind: int = 0
    """Steps that it has taken and does not show, while it stands."""

    def step(self, n: int = 1) -> None:
        if self.stuck:
            self.behind += n
            return
        self.value = (self.value + n - self.low) % self.width + self.low


@dataclass(slots=True)
class Press:
    """One press and its counters."""

    name: str
    random: Random
    register: Register
    tool: Tool
    jitter: float
    others: dict[str, Register]
    per_job: bool
    """Whether jobs set its counter to 0."""
    at: datetime = START
    off_s: float = 0.0
    """How far its clock is ahead."""
    polled: bool = False
    """It sends no reports: its counter is read, some times a cycle."""
    silent: bool = False
    """It never names its mold: people do."""
    before_s: float = float("inf")
    """The cycle of the mold before this one, where it may still be taken for it: people name them,
    and late."""
    rolled: bool = False
    """Its counter has fallen back before."""
    unnamed: int = 0
    """Closings until it names the mold that came on."""
    named: Tool | None = None
    """The mold that it names until then."""
    job: int = 1
    truth: Counter[Key] = field(default_factory=Counter)
    closings: Counter[Key] = field(default_factory=Counter)
    counting: bool = False
    """Whether its closings are ours to count: from the first report on."""

    def close(self, *, dry: bool = False, pulses: int = 1) -> Told:
        """Close the mold once more."""
        share = 0.35 if dry else 1.0
        length_s = self.tool.cycle_s * share * self.random.gauss(1.0, self.jitter)
        self.at += timedelta(seconds=max(0.5 * self.tool.cycle_s * share, length_s))
        self.register.step(pulses)
        for name, other in self.others.items():
            parts = 0 if dry else self.tool.cavities
            other.step(parts if name == "parts_counter" else 1)
        if self.counting:
            key = self.tool.name, self.tool.revision
            self.closings[key] += 1
            self.truth[key] += not dry
        self.unnamed = max(0, self.unnamed - 1)
        return self.told(dry=dry)

    def told(self, *, dry: bool = False) -> Told:
        """What it says of the closing that has just ended."""
        named = self.named if self.unnamed and self.named is not None else self.tool
        return Told(
            machine=self.name,
            at=self.at,
            stamp=self.at + timedelta(seconds=self.off_s),
            counter=self.register.value,
            closing="dry" if dry else "shot",
            mold=None if self.silent else named.name,
            revision=named.revision,
            job=f"J{self.job}",
            others={name: other.value for name, other in self.others.items()},
        )

    def stand(self, seconds: float) -> None:
        """Make nothing for a while."""
        self.at += timedelta(seconds=seconds)

    def new_job(self) -> None:
        """Begin another job; counters of the job start at 0."""
        self.job += 1
        if self.per_job:
            self.register.value = 0
        for name in ("job_counter", "parts_counter"):
            if name in self.others:
                self.others[name].value = 0

    def lose_power(self, steps: int) -> None:
        """Come back with what was last saved of the first counter."""
        self.rolled = True
        if self.register.value - steps >= self.register.low:
            self.register.value -= steps
