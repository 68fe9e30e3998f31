"""What the decision order comes to, and what it looks at."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agent.anomaly import Severity
from agent.watch.baseline import Baseline
from agent.watch.channel import Channel
from drivers import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A set point that somebody changed: by a notice, or because the machine shows it otherwise."""

    name: str
    """Of the set-point signal; the vendor's parameter id where a notice said so."""
    old: Value | None
    new: Value | None
    who: str | None
    cycle: int
    """Number of the good cycle in which we learned of it."""

    @property
    def by(self) -> float | None:
        """How much, where both are numbers."""
        if isinstance(self.old, int | float) and isinstance(self.new, int | float):
            return float(self.new) - float(self.old)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The same thing at another press, at about the same time."""

    machine: str
    anomaly: str
    """Its id."""
    signal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is known when something is out: the newest cycle, its mold, and what was changed."""

    baseline: Baseline
    counter: int
    time: datetime
    mode: str | None
    values: Mapping[str, Value]
    out: Sequence[Channel]
    """Channels that are out and that nothing open explains."""
    edits: Sequence[Edit]
    """Of the last few cycles."""
    age: int
    """Cycles since something of this group was first out; 1 in the first."""
    opened: Collection[tuple[str, str]]
    """Kind and cause of what is open."""
    swung: Collection[str]
    """Signals that were out on both sides within the last while."""
    derived: bool
    """Whether the cooling time is what other phases leave, not the machine's word."""
    elsewhere: Sequence[Elsewhere]
    """Presses whose water or mold turned warm in the last minutes."""

    def channel(self, name: str) -> Channel | None:
        """A channel that has limits and a value, else None."""
        channel = self.baseline.channels.get(name)
        return channel if channel is not None and channel.ready and name in self.values else None

    def is_out(self, name: str) -> bool:
        """Whether a signal is out, and unexplained."""
        return any(channel.name == name for channel in self.out)

    def leans(self, name: str, share: float = 0.5) -> float:
        """How far a signal is off, if by that share of its limit; else 0."""
        channel = self.channel(name)
        if channel is None or abs(channel.off) < share * channel.limit:
            return 0.0
        return channel.off

    def edit(self, *names: str) -> Edit | None:
        """The newest change of one of some set points."""
        return next((e for e in reversed(self.edits) if e.name in names), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A cause, and the words for it."""

    kind: str
    cause: str
    channel: Channel
    """What it is about."""
    message: str
    short: str
    likely: str = ""
    advice: str = ""
    severity: Severity = "warning"
    evidence: Mapping[str, Value] = field(default_factory=dict)
    value: float | None = None
    """Where the signal stands; its level where None."""
    expected: float | None = None
    """Where it belongs; its home where None."""
    follows: str | None = None


class Wait:
    """Not yet: what comes next will tell causes apart."""


WAIT = Wait()
