"""What molds are cut from, and how fast heat leaves through it.

Source:
    Conductivity, density and specific heat of the reference page on molding, 2.3 and 10; generic
    "steel" is a mild steel and "aluminum" is 6061-T6 (handbook values). How fast the plates warm:
    the same page, 1.5, for a mold of 12 kg in aluminum.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Alloy:
    """A mold metal."""

    name: str
    conductivity_w_mk: float
    density_kg_m3: float
    specific_heat_j_kgk: float
    plates_tau_s: float
    """Time constant with which the whole mold follows the water."""

    @property
    def heat_mj_m3k(self) -> float:
        """Heat that a cubic metre stores, in MJ per kelvin."""
        return self.density_kg_m3 * self.specific_heat_j_kgk / 1e6


def _alloy(name: str, k: float, rho: float, cp: float, tau_s: float) -> Alloy:
    return Alloy(
        name=name,
        conductivity_w_mk=k,
        density_kg_m3=rho,
        specific_heat_j_kgk=cp,
        plates_tau_s=tau_s,
    )


_ALL = (
    _alloy("QC-10", 159, 2850, 870, 110),
    _alloy("7075-T6", 130, 2810, 960, 110),
    _alloy("aluminum", 167, 2700, 896, 110),
    _alloy("P20", 34, 7860, 460, 200),
    _alloy("H13", 25, 7760, 460, 200),
    _alloy("steel", 50, 7850, 480, 200),
    _alloy("MoldMAX HH", 130, 8350, 380, 200),
)

ALLOYS: Mapping[str, Alloy] = {alloy.name: alloy for alloy in _ALL}
"""Every mold metal by name."""


def alloy(name: str) -> Alloy:
    """The metal of that name.

    Raises:
        ValueError: there is no such metal here.
    """
    if name not in ALLOYS:
        raise ValueError(f"no alloy {name!r}; there are {', '.join(ALLOYS)}")
    return ALLOYS[name]
