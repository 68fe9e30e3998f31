"""Engineering units as OPC UA carries them.

Source:
    UNECE Recommendation 20; the UnitId of OPC 10000-8 is the code's ASCII bytes as one number.
"""

from collections.abc import Mapping

from asyncua import ua

from simulators.nodes import Nodes

EU_INFORMATION = ua.NodeId(ua.ObjectIds.EUInformation)
RANGE = ua.NodeId(ua.ObjectIds.Range)

UNITS_URI = "http://www.opcfoundation.org/UA/units/un/cefact"


def _unit(code: str, name: str) -> ua.EUInformation:
    unit = ua.EUInformation()
    unit.NamespaceUri = UNITS_URI
    unit.UnitId = int.from_bytes(code.encode("ascii"), "big")
    unit.DisplayName = unit.Description = ua.LocalizedText(name)
    return unit


UNITS: Mapping[str, ua.EUInformation] = {
    "bar": _unit("BAR", "bar"),
    "mm": _unit("MMT", "mm"),
    "cm³": _unit("CMQ", "cm³"),
    "kN": _unit("B47", "kN"),
    "°C": _unit("CEL", "°C"),
    "s": _unit("SEC", "s"),
}
"""The units used here, by their written form."""


def engineering_units(unit: str) -> ua.Variant:
    """The value of an EngineeringUnits property."""
    return ua.Variant(UNITS[unit], ua.VariantType.ExtensionObject)


def add_analog_properties(nodes: Nodes, node: ua.NodeId, unit: str) -> None:
    """EngineeringUnits and EURange of an AnalogItem."""
    wide = ua.Range()
    wide.Low, wide.High = -1e5, 1e5
    nodes.variable(
        ua.NodeId(f"{node.Identifier}.EngineeringUnits", node.NamespaceIndex),
        ua.QualifiedName("EngineeringUnits", 0),
        node,
        engineering_units(unit),
        EU_INFORMATION,
    )
    nodes.variable(
        ua.NodeId(f"{node.Identifier}.EURange", node.NamespaceIndex),
        ua.QualifiedName("EURange", 0),
        node,
        ua.Variant(wide, ua.VariantType.ExtensionObject),
        RANGE,
    )
