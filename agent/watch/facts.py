"""What people know of a mold revision that the watch goes by: the part, and the set-up sheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """An engineering limit of one signal: a shot beyond it is told at once."""

    signal: str
    low: float | None = None
    high: float | None = None
    since: datetime
    """From when on it is in force, UTC; of several in force the newest counts."""
    author: str
    """The person who set it."""

    def __post_init__(self) -> None:
        """Refuse a limit that limits nothing, or everything.

        Raises:
            ValueError: with a sentence.
        """
        if self.low is None and self.high is None:
            raise ValueError(f"a limit of {self.signal} needs a low or a high value")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"{self.signal}: the low limit {self.low:g} is above the high one")

    def to_json(self) -> dict[str, Any]:
        """As JSON values; `from_json` takes it."""
        return {
            "signal": self.signal,
            "low": self.low,
            "high": self.high,
            "since": self.since.isoformat(),
            "author": self.author,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """The limit that `to_json` wrote."""
        return cls(**{**kept, "since": datetime.fromisoformat(kept["since"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What people know of one mold revision; what is None is not known."""

    wall_mm: float | None = None
    """Thickest wall of the part."""
    resin: str | None = None
    """What it is usually run in; a machine's own word goes before."""
    limits: Sequence[Limit] = field(default_factory=tuple)

    def in_force(self, at: datetime) -> dict[str, Limit]:
        """The newest limit of each signal at an instant."""
        found: dict[str, Limit] = {}
        for limit in sorted(self.limits, key=lambda limit: limit.since):
            if limit.since <= at:
                found[limit.signal] = limit
        return found
