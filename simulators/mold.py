"""What is on a press: the mold, and the job that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mold:
    """A tool. Frozen: a re-cut is another mold object with the next revision."""

    id: str
    revision: str = "A"
    part: str = ""
    """What it makes."""
    alloy: str = "7075-T6"
    cavities: int = 1
    planned_shots: int = 10_000
    resin: str = "ABS"
    expected_cycle_s: float = 24.0
    wall_mm: float = 2.0
    """Of the part; thicker walls cool longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An order that runs on a press."""

    name: str
    parts: int = 0
    """How many are asked for; 0 where nobody said."""
    customer: str = ""
    lot: str = ""
