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
    range: ua.Variant
    """What an EURange property holds."""
    factor: float = 1.0
    """Of this unit in one of the unit that the press counts in: bar, °C, mm, ..."""
    offset: float = 0.0
    decimals: int | None = None
    """Of the display; None where the press has rounded already.

    Enough of them that rounding back to the press's own display gives its number again.
    """

    @property
    def properties(self) -> Mapping[str, ua.Variant]:
        """What an AnalogItem in this unit has besides its value, by browse names."""
        return {"EngineeringUnits": self.variant, "EURange": self.range}

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
    name: str,
    code: str,
    span: tuple[float, float],
    factor: float = 1.0,
    offset: float = 0.0,
    decimals: int | None = None,
) -> Unit:
    said = ua.EUInformation()
    said.NamespaceUri = UNITS_URI
    said.UnitId = int.from_bytes(code.encode("ascii"), "big")
    said.DisplayName = said.Description = ua.LocalizedText(name)
    variant = ua.Variant(said, ua.VariantType.ExtensionObject)
    low, high = (round(end * factor + offset, 6) for end in span)
    span_said = ua.Variant(ua.Range(Low=low, High=high), ua.VariantType.ExtensionObject)
    return Unit(name, variant, span_said, factor, offset, decimals)


PRESSURE_BAR, TEMPERATURE_C = (0.0, 3000.0), (0.0, 500.0)
LENGTH_MM, VOLUME_CM3, FORCE_KN = (0.0, 2000.0), (0.0, 250_000.0), (0.0, 100_000.0)
"""What any press's sensors can show, from the smallest to one of 10,000 tons."""


UNITS: Mapping[str, Unit] = {
    unit.name: unit
    for unit in (
        _unit("bar", "BAR", PRESSURE_BAR),
        _unit("MPa", "MPA", PRESSURE_BAR, 0.1, decimals=2),
        _unit("psi", "PS", PRESSURE_BAR, 14.5037738, decimals=1),
        _unit("°C", "CEL", TEMPERATURE_C),
        _unit("°F", "FAH", TEMPERATURE_C, 1.8, 32.0, decimals=1),
        _unit("mm", "MMT", LENGTH_MM),
        _unit("cm³", "CMQ", VOLUME_CM3),
        _unit("kN", "B47", FORCE_KN),
        _unit("s", "SEC", (0.0, 3600.0)),
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
    for name, value in unit.properties.items():
        kind = EU_INFORMATION if name == "EngineeringUnits" else RANGE
        nodes.variable(analog_property(node, name), ua.QualifiedName(name, 0), node, value, kind)


def analog_property(node: ua.NodeId, name: str) -> ua.NodeId:
    """Where a property of an AnalogItem stands."""
    return ua.NodeId(f"{node.Identifier}.{name}", node.NamespaceIndex)
