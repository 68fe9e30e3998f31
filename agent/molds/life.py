"""How much of a mold's life is used: shots weighted by the resin they were made of.

`life used = sum of (shots in a resin / planned life in that resin)`, over the revisions since the
component was last made new. So 1,000 shots of a glass-filled resin may weigh as much as 20,000 of
another, and what remains is said for the resin now loaded.

Source: molding.md §3.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.molds.mold import INSERTS, Mold


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What a mold took: sums over rows of the ledger and what corrects them."""

    shots: int = 0
    shots_min: int = 0
    shots_max: int = 0
    """Both equal to `shots` where the evidence suffices."""
    closings: int = 0
    unobserved: int = 0
    parts: int = 0

    def __add__(self, other: "Took") -> "Took":
        return Took(
            shots=self.shots + other.shots,
            shots_min=self.shots_min + other.shots_min,
            shots_max=self.shots_max + other.shots_max,
            closings=self.closings + other.closings,
            unobserved=self.unobserved + other.unobserved,
            parts=self.parts + other.parts,
        )


ByResin = Mapping[tuple[str, str | None], Took]
"""What one mold took, by revision and resin; None where nobody knew the resin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The life of one component of a mold, as it stands."""

    component: str
    took: Took
    """Since the component was last made new, whatever the resin."""
    used: float | None
    """1.0 is all of it; None where nobody has planned it for any of its resins."""
    used_min: float | None
    used_max: float | None
    """Where the ledger or the resin leaves doubt; both equal to `used` where they do not."""
    unweighed: int
    """Shots that are not in `used`: of a resin that nobody named, or that has no plan."""
    assumed: int
    """Shots in `used` whose resin nobody named, taken to be the mold's usual one."""
    resin: str | None
    """Now loaded, or the mold's usual one."""
    planned: int | None
    """In that resin."""
    remaining: int | None
    """Shots left in that resin; below 0 where more were made than planned."""


def sum_of(took: ByResin, revisions: frozenset[str] | None = None) -> Took:
    """What was taken in all resins; of all revisions, or of some."""
    total = Took()
    for (revision, _resin), each in took.items():
        if revisions is None or revision in revisions:
            total += each
    return total


def life_of(
    mold: Mold, took: ByResin, *, component: str = INSERTS, loaded: str | None = None
) -> Life:
    """The life of a component.

    Args:
        mold: Its plan and revisions.
        took: What it took, of any revision.
        component: `inserts` or `base`.
        loaded: The resin now on the machine, where known.
    """
    living = mold.living(component)
    resin = loaded or mold.resin
    hardest = _hardest(mold, component)
    used = least = most = 0.0
    total = Took()
    unweighed = assumed = 0
    for (revision, own_resin), each in took.items():
        if revision not in living:
            continue
        total += each
        planned = mold.planned(own_resin or mold.resin, component)
        if planned is None:
            unweighed += each.shots
            most += each.shots_max / hardest if hardest else 0.0
            continue
        if own_resin is None and mold.planned(None, component) is None:
            assumed += each.shots
        used += each.shots / planned
        least += each.shots_min / planned
        most += each.shots_max / planned
    planned = mold.planned(resin, component)
    has_plan = hardest is not None
    return Life(
        component=component,
        took=total,
        used=used if has_plan else None,
        used_min=least if has_plan else None,
        used_max=most if has_plan else None,
        unweighed=unweighed,
        assumed=assumed,
        resin=resin,
        planned=planned,
        remaining=round((1 - used) * planned) if planned is not None else None,
    )


def _hardest(mold: Mold, component: str) -> int | None:
    """The shortest life that a component is planned for in any resin."""
    if component != INSERTS:
        return mold.base_shots
    plans = [*mold.life_plan.values()]
    if mold.planned_shots is not None:
        plans.append(mold.planned_shots)
    return min(plans, default=None)
