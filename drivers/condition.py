"""How a connection does, beside the values that come over it: what `sprue status` says of it."""

from dataclasses import dataclass

from drivers.skew import Skew


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a person should know of a connection that stands."""

    unavailable: tuple[str, ...] = ()
    """Signals that the machine does not give now: which, where, why; asked for again and again."""
    publishing_s: float | None = None
    """How often the server publishes, by its own word; None where we ask instead."""
    sampling_s: float | None = None
    """How often it looks at the slowest of what we subscribed to, by its own word."""
    lost: int = 0
    """Notifications and samples that were lost in this connection, as far as they were counted."""
    missed: int = 0
    """Polls that were left out in this connection, because one before took too long."""
    clock: Skew | None = None
    """How far the clock is off that stamps the machine's values; None where nobody knows."""
    server_clock: Skew | None = None
    """How far the clock of its server is off."""
