"""Who follows a press: faces that publish it, and recorders that keep what it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from simulators.shot import Shot

if TYPE_CHECKING:
    from simulators.press import Press


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What a control is to show; None leaves one as it is."""

    pressure: Literal["bar", "MPa", "psi"] | None = None
    temperature: Literal["C", "F"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that a person or the control changed."""

    kind: Literal["mode", "production", "job", "mold", "dataset", "parameter", "counter", "units"]
    name: str
    """Of the parameter; else the kind."""
    old: Any
    new: Any
    who: str
    """Empty where the control did it by itself."""
    reason: str = ""
    """Why, where somebody said."""


class Listener(Protocol):
    """What follows a press: a face, which publishes what changed."""

    async def phase_changed(self, press: Press) -> None:
        """A phase began."""

    async def shot_ended(self, press: Press, shot: Shot) -> None:
        """A closing ended; the press already shows it as its last."""

    async def changed(self, press: Press, change: Change) -> None:
        """Mode, job, mold, a set point or a counter changed."""


class Recorder(Protocol):
    """What keeps a closing before any face shows it: the truth log, the state file."""

    def record(self, press: Press, shot: Shot) -> None:
        """Keep one closing."""
