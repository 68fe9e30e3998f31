"""What a mold may last and when it wants care, where nobody has said so: estimates, marked so.

Published lives of aluminum molds differ by a hundredfold, so a default is the low end of a wide
range, offered and never taken without being asked for: only what a person has accepted is a plan.

Source:
    molding.md §3.2 (suggested starting points by resin and alloy; vendors' statements [S28] to
    [S32]), §3.1 (classes 101 to 105 of PLASTICS [S27]), §3.3 (levels of maintenance [S33] to
    [S35]).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.molds.mold import ServiceRule
from agent.molds.resin import Family

Range = tuple[int, int]

LIVES: Mapping[str, Mapping[Family, Range]] = {
    "7075-T6": {
        Family.GENERAL: (50_000, 100_000),
        Family.ABS: (30_000, 80_000),
        Family.ENGINEERING: (20_000, 50_000),
        Family.FILLED_20: (5_000, 20_000),
        Family.FILLED_30: (2_000, 10_000),
        Family.CORROSIVE: (1_000, 5_000),
    },
    "QC-10": {
        Family.GENERAL: (100_000, 250_000),
        Family.ABS: (50_000, 150_000),
        Family.ENGINEERING: (30_000, 100_000),
        Family.FILLED_20: (10_000, 30_000),
        Family.FILLED_30: (5_000, 15_000),
    },
    "P20": dict.fromkeys(Family, (250_000, 500_000)),
    "H13": dict.fromkeys(Family, (500_000, 1_000_000)),
}
"""Shots by alloy and family. P20 is that of class 103, H13 that of classes 102 and 101. No entry
for corrosive resins in QC-10: molding practice avoids it."""

GENERAL_CARE: Mapping[Family, int] = {
    Family.GENERAL: 5_000,
    Family.ABS: 5_000,
    Family.ENGINEERING: 2_500,
    Family.FILLED_20: 2_000,
    Family.FILLED_30: 1_000,
}
"""Shots between general maintenance of an aluminum mold."""

INSPECTION_SHOTS = 20_000
"""Level 3 of steel molds."""

STEEL_CARE = 50_000
"""Level 4 of steel molds."""

ALUMINUM = ("7075-T6", "QC-10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is suggested for a mold."""

    life: Mapping[str, int]
    """Shots by family: the low end of each range."""
    ranges: Mapping[str, Range]
    service: Sequence[ServiceRule]


def offer(alloy: str | None, resin_family: Family | None) -> Offer | None:
    """What is suggested for an alloy; None for one that nobody has published lives of.

    Args:
        alloy: As registered.
        resin_family: Of the resin that the mold usually takes; decides how often it wants care.
    """
    lives = LIVES.get(alloy or "")
    if lives is None:
        return None
    ranges = {family.value: shots for family, shots in lives.items()}
    rules: list[ServiceRule]
    if alloy in ALUMINUM:
        care = GENERAL_CARE.get(resin_family or Family.ENGINEERING, min(GENERAL_CARE.values()))
        rules = [ServiceRule(level=4, shots=care, what="general")]
    else:
        rules = [
            ServiceRule(level=3, shots=INSPECTION_SHOTS, what="inspection"),
            ServiceRule(level=4, shots=STEEL_CARE, what="general"),
        ]
    return Offer(
        life={name: low for name, (low, _high) in ranges.items()}, ranges=ranges, service=rules
    )
