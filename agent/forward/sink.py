"""What a sink is to the forwarder, and all that it can say, grouped by what happens next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What one row of the record is to a sink."""

    row_id: int
    position: int
    """In the order of its topic."""
    topic: str
    body: bytes
    """Empty where the sink has no use for the row."""


class SinkError(Exception):
    """A sink did not take what it was sent.

    SinkError
    ├── LaterError     it is away, busy, or closed to us   -> the same again, when it may be better
    ├── TooBigError    it was too much at once             -> half of it at a time
    └── RefusedError   it read it, and will never take it  -> find the row, set it aside
    """


class LaterError(SinkError):
    """Nothing was lost and nothing is wrong with what was sent.

    Args:
        words: What happened.
        after_s: When the sink asks to be tried again; None where it did not say.
        cut: The connection ended, or there was none: the sink may have died.
    """

    def __init__(self, words: str, *, after_s: float | None = None, cut: bool = False) -> None:
        super().__init__(words)
        self.after_s = after_s
        self.cut = cut


class TooBigError(SinkError):
    """More at once than it takes."""


class RefusedError(SinkError):
    """The sink's own words about what it was sent."""


class Sink(Protocol):
    """Where rows go."""

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """Deliver; on return the sink has said that it has them.

        Raises:
            SinkError: it has not, or not all.
        """

    async def started(self) -> float | None:
        """When the sink's process started, as it says itself; None where that does not matter.

        Raises:
            LaterError: it can't be asked now.
        """

    def ignored(self) -> str | None:
        """What it has taken and thrown away, in words; None for nothing known."""

    async def reach(self) -> None:
        """Find out whether it would take rows; nothing is stored.

        Raises:
            SinkError: it would not.
        """
