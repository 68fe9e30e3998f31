"""Which family of resins a name belongs to: what wears a mold alike.

Names are written as people, labels and machines write them: `PA66-GF30`, `PA 6.6 GF 30`, `ABS/PC`,
`Schulablend (PC+ABS)`. What is not understood has no family, and its shots are told apart.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache


class Family(StrEnum):
    """Resins that wear a mold alike, from the gentlest to the hardest."""

    GENERAL = "general"
    ABS = "abs"
    ENGINEERING = "engineering"
    FILLED_20 = "filled_20"
    FILLED_30 = "filled_30"
    CORROSIVE = "corrosive"


ANY = "any"
"""In a plan: whatever the resin."""

IN_WORDS: Mapping[Family, str] = {
    Family.GENERAL: "PE, PP, PS, TPE",
    Family.ABS: "ABS, SAN, PMMA, PC/ABS",
    Family.ENGINEERING: "PC, POM, PA, PBT, PET unfilled",
    Family.FILLED_20: "up to 20 % glass or mineral",
    Family.FILLED_30: "more than 20 % glass or mineral",
    Family.CORROSIVE: "PVC, flame-retarded",
}

POLYMERS: Mapping[Family, frozenset[str]] = {
    Family.CORROSIVE: frozenset({"PVC"}),
    Family.ABS: frozenset({"ABS", "SAN", "ASA", "PMMA", "MABS", "SMMA"}),
    Family.ENGINEERING: frozenset(
        {"PC", "POM", "PA", "PBT", "PET", "PPO", "PPE", "PSU", "PPS", "PEEK", "PEI", "LCP", "PPA"}
    ),
    Family.GENERAL: frozenset(
        {"PE", "HDPE", "LDPE", "LLDPE", "PP", "PS", "HIPS", "GPPS", "TPE", "TPU", "TPS", "TPV"}
        | {"SEBS", "EVA", "PLA", "SB"}
    ),
}

ALIASES: Mapping[str, str] = {
    "NYLON": "PA",
    "ACETAL": "POM",
    "DELRIN": "POM",
    "ACRYLIC": "PMMA",
    "POLYCARBONATE": "PC",
    "POLYPROPYLENE": "PP",
    "POLYETHYLENE": "PE",
    "POLYSTYRENE": "PS",
    "POLYAMID": "PA",
    "POLYAMIDE": "PA",
}

FILLED = re.compile(r"(?<![A-Z])(?:GF|GB|GK|GV|GFR|CF|MF|MD|MR|MX|TD|TV|T|M|K)[ -]?(\d{1,2})(?!\d)")
"""Glass fibre, beads, carbon, mineral, talc, chalk, with their share; ISO 1043-2 and habit."""

FLAME_RETARDED = re.compile(r"(?<![A-Z])(?:FR|V-?0|V-?2|5VA)(?![A-Z])")

LOW_FILL = 20


@lru_cache(maxsize=1024)
def family(resin: str | None) -> Family | None:
    """The family of a resin by its name; None where the name is not understood.

    >>> family("PC/ABS"), family("PA66-GF30"), family("pp td20"), family("PA 6")
    (<Family.ABS: 'abs'>, <Family.FILLED_30: 'filled_30'>, <Family.FILLED_20: 'filled_20'>, \
<Family.ENGINEERING: 'engineering'>)
    >>> family("Type 7") is None
    True

    Source:
        The six rows of molding practice's table of lives (molding.md §3.2); the names are
        ISO 1043-1 abbreviations.
    """
    if not resin:
        return None
    name = resin.upper()
    if FLAME_RETARDED.search(name):
        return Family.CORROSIVE
    words = [ALIASES.get(word, word) for word in re.findall(r"[A-Z]+", name)]
    found = {kind for kind, known in POLYMERS.items() if known.intersection(words)}
    if not found:
        return None
    if Family.CORROSIVE in found:
        return Family.CORROSIVE
    filled = FILLED.search(name)
    if filled and int(filled[1]) > 0:
        return Family.FILLED_20 if int(filled[1]) <= LOW_FILL else Family.FILLED_30
    return next(kind for kind in POLYMERS if kind in found)
