"""How long a part has to cool at the least: a plate that loses its heat to both walls.

Source:
    First term of the series for a plate of constant wall temperature, for the mean temperature over
    the thickness. Effective diffusivities after Mitani (1997) where measured against the wall's
    temperature, else estimates in their manner; they contain the heat of melting, and are half of
    what handbooks give at room temperature. Ejection temperatures: about 10 to 15 K below Vicat.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

MEAN = 8 / math.pi**2
"""For the mean temperature over the thickness; the centre line's would be 4/pi, and longer."""
SLOWEST = 0.6
"""Share of the way from wall to melt up to which the first term is right to 3 %."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a resin needs to cool; temperatures in Celsius."""

    diffusivity_mm2_s: float
    melt_c: float
    wall_c: float
    ejection_c: float


MATERIALS: Mapping[str, Material] = {
    "ABS": Material(0.083, 240, 60, 90),
    "PS": Material(0.083, 220, 40, 80),
    "SAN": Material(0.087, 230, 60, 90),
    "PMMA": Material(0.072, 240, 60, 90),
    "PC": Material(0.110, 300, 90, 125),
    "PC/ABS": Material(0.095, 260, 70, 105),
    "PP": Material(0.065, 230, 40, 90),
    "HDPE": Material(0.090, 220, 40, 80),
    "LDPE": Material(0.085, 200, 30, 70),
    "POM": Material(0.057, 205, 90, 115),
    "PA6": Material(0.085, 250, 80, 120),
    "PA66": Material(0.086, 280, 80, 130),
    "PA66-GF30": Material(0.105, 290, 90, 150),
    "PBT": Material(0.088, 255, 75, 125),
    "PBT-GF30": Material(0.100, 260, 80, 140),
}
"""By name; `material` reads a machine's spelling."""


def material(resin: str | None) -> Material | None:
    """What is known of a resin, however it is spelt: `pa66 gf30` is PA66-GF30."""
    if resin is None:
        return None
    plain = _plain(resin)
    return next((found for name, found in MATERIALS.items() if _plain(name) == plain), None)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.upper() if letter.isalnum())


def least_cooling_s(
    wall_mm: float,
    of: Material,
    *,
    melt_c: float | None = None,
    wall_c: float | None = None,
) -> float | None:
    """Time in the mold, from the first contact, until the part is stiff enough on average.

    Filling and holding are part of it. None where the wall is too warm to say.

    Args:
        wall_mm: Thickness.
        of: The material.
        melt_c: Of the melt; the material's usual one where unknown.
        wall_c: Mean of the cavity's wall; the material's usual one where unknown.

    >>> round(least_cooling_s(2.0, MATERIALS["ABS"]), 1)
    7.7
    """
    melt = of.melt_c if melt_c is None else melt_c
    wall = of.wall_c if wall_c is None else wall_c
    if not wall < of.ejection_c < melt:
        return None
    left = (of.ejection_c - wall) / (melt - wall)
    if left > SLOWEST:
        return None
    return wall_mm**2 / (math.pi**2 * of.diffusivity_mm2_s) * math.log(MEAN / left)
