"""What panels ask of the measurements, in no language.

A question names fields and labels of a measurement: one that is no longer forwarded, or a label
that is none, ends the script and not a person's evening.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.forward.measurements import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is common to all.

    Raises:
        ValueError: the measurement has no such field, or no such label.
    """

    measurement: Measurement
    fields: Sequence[str]
    by: Sequence[str]
    """Labels: tags, or fields that are words."""
    chosen: Sequence[str]
    """Labels that a person chooses values of at the top of the dashboard."""

    def __post_init__(self) -> None:
        known = {each.name: each.type for each in self.measurement.fields}
        for name in self.fields:
            if known.get(name, "text") in ("text", "word"):
                raise ValueError(f"{self.measurement.name} has no number {name}")
        labels = {*self.by, *self.chosen, *getattr(self, "fixed", ())}
        if strange := labels - {*self.measurement.tags, *self.words}:
            raise ValueError(f"{self.measurement.name} has no label {', '.join(sorted(strange))}")

    @property
    def words(self) -> Sequence[str]:
        """Labels that are fields where words are stored, and tags where not."""
        return [each.name for each in self.measurement.fields if each.type == "word"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course(Question):
    """Values over time; the last one of every step, so that none is made up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest(Question):
    """The newest value in the chosen time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Age(Question):
    """Seconds since the newest point in the chosen time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally(Question):
    """How many, or how much."""

    how: Literal["count", "sum", "true"]
    """Points that have the field; the sum of its values; points at which it is true."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Labels that have one value."""
    per: Literal["range", "step", "hour"] = "range"
    """The whole of the chosen time, each step of it, or at each step the hour before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """Shots of every revision in all time: ledger and adjustments.

    Only where a row that grows is written over in place.
    """

    measurements: Sequence[Measurement]
    chosen: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Newest points as a table of texts; only where texts are stored."""

    measurement: Measurement
    columns: Sequence[str]
    chosen: Sequence[str]
    true: str | None = None
    """A field that is to be true."""


ROWS_MOST = 200
"""Of a listing."""

Asked = Course | Latest | Age | Tally | Life | Listing


def is_over_time(asked: Asked) -> bool:
    """Whether the answer is a course, and no table."""
    return isinstance(asked, Course) or (isinstance(asked, Tally) and asked.per != "range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One query of a panel."""

    text: str
    legend: str = ""
    """What an answer is called, where the query has to say it."""
    over_time: bool
