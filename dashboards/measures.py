"""Units that people choose: what is kept is in ours, and converted where it is written down."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboards.manner import manner


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A unit of ours as somebody wants to see it."""

    unit: str
    factor: float = 1.0
    zero: float = 0.0
    """What our 0 is."""
    decimals: int = 0
    """How many more than ours are shown."""

    def of(self, value: float) -> float:
        """A value of ours in it.

        >>> round(CHOSEN["°C", "°F"].of(100.0), 1), round(CHOSEN["bar", "MPa"].of(950.0), 1)
        (212.0, 95.0)
        """
        return value * self.factor + self.zero

    def apart(self, difference: float) -> float:
        """A difference between two values of ours in it.

        >>> round(CHOSEN["°C", "°F"].apart(10.0), 1)
        18.0
        """
        return difference * self.factor


CHOSEN: Mapping[tuple[str, str], Measure] = {
    ("bar", "MPa"): Measure(unit="MPa", factor=0.1, decimals=1),
    ("bar", "psi"): Measure(unit="psi", factor=100_000 / 6894.757293168361),
    ("°C", "°F"): Measure(unit="°F", factor=1.8, zero=32.0),
    ("mm", "in"): Measure(unit="in", factor=1 / 25.4, decimals=2),
}
"""By our unit and the chosen one. The pound per square inch: NIST SP 811, appendix B.8."""


def measure(unit: str) -> Measure:
    """How values of one of our units are shown to whoever asks."""
    chosen = manner()
    wanted = {"bar": chosen.pressure, "°C": chosen.temperature, "mm": chosen.length}.get(unit, unit)
    return CHOSEN.get((unit, wanted), Measure(unit=unit))
