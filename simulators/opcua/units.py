"""Engineering units: those that a control is set to, and how OPC UA carries them.

Source:
    UNECE Recommendation 20; the UnitId of OPC 10000-8 is the code's ASCII bytes as one number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from asyncua import ua
from numpy.typing import NDArray

from simulators.opcua.nodes import Nodes, double

EU_INFORMATION = ua.NodeId(ua.ObjectIds.EUInformation)
RANGE = ua.NodeId(ua.ObjectIds.Range)

UNITS_URI = "http://www.opcfoundation.org/UA/units/un/cefact"

Pressure = Literal["bar", "MPa", "psi"]
Temperature = Literal["C", "F"]


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of measurement."""

    name: str
    variant: ua.Variant
    """What an EngineeringUnits property holds."""
    factor: float = 1.0
    """Of this unit in one of the unit that the press counts in: bar, °C, mm, ..."""
    offset: float = 0.0
    decimals: int | None = None
    """Of the display; None where the press has rounded already.

    Enough of them that rounding back to the press's own display gives its number again.
    """

    def shown(self, value: float) -> float:
        """A value that the press counts in its own unit, as a display in this one has it.

        >>> UNITS["psi"].shown(850.4), UNITS["°F"].shown(60.0), UNITS["mm"].shown(3.12)
        (12334.0, 140.0, 3.12)
        """
        if self.decimals is None:
            return value
        return round(value * self.factor + self.offset, self.decimals)

    def all_shown(self, values: NDArray[np.floating[Any]]) -> list[float]:
        """Many such values."""
        if self.decimals is None:
            return list(values.tolist())
        return list(np.round(values * self.factor + self.offset, self.decimals).tolist())


def _unit(
    name: str, code: str, factor: float = 1.0, offset: float = 0.0, decimals: int | None = None
) -> Unit:
    said = ua.EUInformation()
    said.NamespaceUri = UNITS_URI
    said.UnitId = int.from_bytes(code.encode("ascii"), "big")
    said.DisplayName = said.Description = ua.LocalizedText(name)
    variant = ua.Variant(said, ua.VariantType.ExtensionObject)
    return Unit(name, variant, factor, offset, decimals)


UNITS: Mapping[str, Unit] = {
    unit.name: unit
    for unit in (
        _unit("bar", "BAR"),
        _unit("MPa", "MPA", 0.1, decimals=2),
        _unit("psi", "PS", 14.5037738, decimals=1),
        _unit("°C", "CEL"),
        _unit("°F", "FAH", 1.8, 32.0, decimals=1),
        _unit("mm", "MMT"),
        _unit("cm³", "CMQ"),
        _unit("kN", "B47"),
        _unit("s", "SEC"),
    )
}
"""The units used here, by their written form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The units that a control is set to."""

    pressure: Pressure = "bar"
    temperature: Temperature = "C"

    def unit(self, counted_in: str) -> Unit:
        """The unit that stands for the one that the press counts in.

        >>> Measures(temperature="F").unit("°C").name
        '°F'
        """
        if counted_in == "bar":
            return UNITS[self.pressure]
        if counted_in == "°C":
            return UNITS[f"°{self.temperature}"]
        return UNITS[counted_in]


def ms(seconds: float) -> ua.Variant:
    """A Duration: milliseconds as Double."""
    return double(round(seconds * 1000, 3))


def add_analog_properties(nodes: Nodes, node: ua.NodeId, unit: Unit) -> None:
    """EngineeringUnits and EURange of an AnalogItem."""
    wide = ua.Range()
    wide.Low, wide.High = -1e5, 1e5
    nodes.variable(
        engineering_units(node),
        ua.QualifiedName("EngineeringUnits", 0),
        node,
        unit.variant,
        EU_INFORMATION,
    )
    nodes.variable(
        ua.NodeId(f"{node.Identifier}.EURange", node.NamespaceIndex),
        ua.QualifiedName("EURange", 0),
        node,
        ua.Variant(wide, ua.VariantType.ExtensionObject),
        RANGE,
    )


def engineering_units(node: ua.NodeId) -> ua.NodeId:
    """Where the unit of an AnalogItem stands."""
    return ua.NodeId(f"{node.Identifier}.EngineeringUnits", node.NamespaceIndex)
