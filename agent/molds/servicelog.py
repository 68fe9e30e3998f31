"""What was done to molds, and what is due: the log, the levels, the checklists.

Entries are never changed: a correction is a new entry that points at the one it replaces.

Source: molding.md §3.3, §3.5 (levels [S33]; what a log needs [S38]; last shot bagged).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agent.molds.mold import LEVELS, Mold, ServiceRule

KINDS = ("service", "inspection", "repair", "change", "pull", "start", "storage", "note")
"""`pull` takes a mold off with its last shot bagged, `start` brings it back from storage."""

CHECKLISTS: Mapping[str, Sequence[str]] = {
    "pull": (
        "last shot bagged and tagged",
        "water lines blown dry",
        "cavities and parting line cleaned",
        "rust preventive applied",
        "mold closed and strapped",
        "defects of the run written down",
    ),
    "start": (
        "rust preventive removed",
        "moving parts greased",
        "water lines flow-tested",
        "ejectors and slides moved by hand",
        "last shot compared with the first good part",
    ),
    "storage": (
        "tag with id, revision and owner readable",
        "dry and preserved",
        "location noted",
    ),
}
"""Points of the events that have a list; what a plant adds to an entry is kept as it says."""

LEVEL_OF = {"pull": 1, "start": 2, "inspection": 3}
"""Kinds of entry that are a level of maintenance by themselves."""

SOON, DUE, OVERDUE = 0.9, 1.0, 1.1
"""Shares of an interval at which service is due soon, due, overdue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One entry of the log."""

    id: int = 0
    """0: not written yet."""
    mold: str
    revision: str = ""
    at: datetime
    kind: str = "service"
    level: int | None = None
    what: str = ""
    done_by: str = ""
    shots: int | None = None
    """Of all revisions, at the event; None: to be read off the ledger."""
    defect: str | None = None
    """The plant's own code."""
    cavity: str | None = None
    action: str | None = None
    """Corrective action."""
    replaced: str | None = None
    hours: float | None = None
    cost: float | None = None
    """In the plant's own currency."""
    links: Sequence[str] = ()
    checklist: Mapping[str, bool] = field(default_factory=dict)
    corrects: int | None = None
    entered_by: str = ""
    entered_at: datetime | None = None


def standing(log: Iterable[Service]) -> list[Service]:
    """The entries that hold: without those that a later one corrects; oldest event first."""
    entries = list(log)
    corrected = {entry.corrects for entry in entries}
    return sorted((e for e in entries if e.id not in corrected), key=lambda e: (e.at, e.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """How far one rule of a service plan is used up."""

    rule: ServiceRule
    shots: int
    """Since the last service of that level or a higher one; since ever where there was none."""
    days: float | None
    """None where there was none, and nobody knows since when the mold is here."""
    share: float
    """The larger of the two shares; 1.0 is due."""
    last: Service | None

    @property
    def state(self) -> str:
        """`ok`, `soon`, `due`, `overdue`."""
        if self.share >= OVERDUE:
            return "overdue"
        if self.share >= DUE:
            return "due"
        return "soon" if self.share >= SOON else "ok"

    @property
    def shots_left(self) -> int | None:
        """Until it is due; below 0 where it was missed. None where only the calendar counts."""
        return self.rule.shots - self.shots if self.rule.shots is not None else None

    @property
    def name(self) -> str:
        """As people call it: `level 4 (general)`."""
        return f"level {self.rule.level} ({self.rule.what or LEVELS[self.rule.level]})"


def due(mold: Mold, log: Iterable[Service], shots: int, at: datetime) -> list[Due]:
    """Every rule of a mold's service plan, as it stands.

    Args:
        mold: Its plan.
        log: Its entries that hold, oldest first.
        shots: Of all its revisions, now.
        at: Now.
    """
    entries = list(log)
    found = []
    for rule in mold.service_plan:
        last = next(
            (e for e in reversed(entries) if e.level is not None and e.level >= rule.level), None
        )
        made = shots - (last.shots or 0) if last else shots
        since = last.at if last else _known_since(mold)
        days = (at - since).total_seconds() / 86400 if since else None
        shares = [made / rule.shots] if rule.shots else []
        if rule.days and days is not None:
            shares.append(days / rule.days)
        found.append(
            Due(rule=rule, shots=made, days=days, share=max(shares, default=0.0), last=last)
        )
    return found


def _known_since(mold: Mold) -> datetime | None:
    entered = [each.since for each in mold.revisions if each.since.year > 1970]
    return min(entered, default=None)
