"""What the watch is shown: observations of one machine, and what is wrong in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from drivers import Observation

Cause = tuple[str, str]
"""Kind and cause of an anomaly."""

START = datetime(2026, 1, 5, 5, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is wrong in a stream."""

    name: str
    size: float
    unit: str
    """Of the size: `s`, `K`, `sigma`, `share`, ..."""
    first: int
    """The first closing that it touches, counted from 1."""
    right: frozenset[Cause]
    """Causes that are true of it; empty where nothing should be said."""
    also: frozenset[Cause] = frozenset()
    """Causes that are no lie, and not enough."""
    within: int = 50
    """Cycles after which what was not found is missed; those of a slow trouble are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One machine's story."""

    name: str
    seed: int
    observations: Callable[[], Iterator[Observation]]
    """The same at every call."""
    trouble: Trouble | None = None
    """None for a clean one, in which every anomaly is false."""
    revisions: dict[str, str] = field(default_factory=dict)
    """Filled while it is read: the present revision of each mold."""
