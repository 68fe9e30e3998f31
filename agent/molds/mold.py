"""A mold as people know it: what it is, what it should last, when it wants care."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agent.molds.resin import ANY, family

ALLOYS = ("7075-T6", "QC-10", "P20", "H13", "steel", "other")

INSERTS, BASE = "inserts", "base"
COMPONENTS = (INSERTS, BASE)
"""What has a life of its own: the cavity inserts, which a re-cut renews, and the base."""

LEVELS: Mapping[int, str] = {
    1: "cleaning at a pull",
    2: "check at a start from storage",
    3: "inspection",
    4: "general",
    5: "major",
}
"""Levels of maintenance [S33]; a higher one does what the lower ones do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRule:
    """When a level of service is due: after so many shots, so many days, or whichever is first."""

    level: int
    shots: int | None = None
    days: float | None = None
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A mold from one cut to the next."""

    name: str
    since: datetime
    restarts: tuple[str, ...] = (INSERTS,)
    """Components whose life began anew with it."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mold:
    """A mold; what is None is not known."""

    name: str
    revision: str = "A"
    """The present one."""
    registered: bool = True
    """False where only a machine has named it."""
    part: str | None = None
    description: str | None = None
    alloy: str | None = None
    resin: str | None = None
    """That it usually takes; shots for which nobody said another are taken to be of it."""
    cavities: int | None = None
    planned_shots: int | None = None
    """Of the inserts, in any resin that `life_plan` does not name."""
    life_plan: Mapping[str, int] = field(default_factory=dict)
    """Planned shots of the inserts by resin (`PA66-GF30`) or family (`filled_30`)."""
    base_shots: int | None = None
    """Planned shots of the base, in any resin."""
    service_plan: Sequence[ServiceRule] = ()
    expected_cycle_s: float | None = None
    wall_mm: float | None = None
    owner: str | None = None
    location: str | None = None
    links: Sequence[str] = ()
    retired: bool = False
    revisions: Sequence[Revision] = ()
    """Oldest first."""

    def planned(self, resin: str | None, component: str = INSERTS) -> int | None:
        """How many shots a component should last in a resin; None where nobody has said."""
        if component == BASE:
            return self.base_shots
        for key in (resin, family(resin), ANY):
            if key is not None and key in self.life_plan:
                return self.life_plan[key]
        return self.planned_shots

    @property
    def has_plan(self) -> bool:
        """Whether anybody has said what its inserts should last."""
        return self.planned_shots is not None or bool(self.life_plan)

    def revision_at(self, at: datetime) -> str:
        """The revision that it had at a time."""
        name = self.revisions[0].name if self.revisions else self.revision
        for each in self.revisions:
            if each.since <= at:
                name = each.name
        return name

    def living(self, component: str) -> frozenset[str]:
        """The revisions whose shots the present life of a component is made of."""
        names: list[str] = []
        for each in self.revisions:
            if component in each.restarts:
                names.clear()
            names.append(each.name)
        return frozenset(names or [self.revision])
