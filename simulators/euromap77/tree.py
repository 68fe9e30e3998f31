"""Adds the nodes of one OPC 40077 machine, by path, and keeps those up to date that may change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from simulators.euromap77.types import DATA_TYPES, GT, MAKER
from simulators.faults import Faults
from simulators.opcua.nodes import (
    ANALOG_ITEM,
    PROPERTY,
    boolean,
    double,
    localized,
    number,
    text,
    texts,
    uint32,
    uint64,
)
from simulators.opcua.server import UaServer
from simulators.opcua.units import Measures, add_analog_properties, analog_property, ms

Value = Callable[[], Any]
"""What a variable shows now: a plain value; a length of time in seconds."""

AUTOMATIC = 2
"""OPC 40083 ControlModeEnumeration."""

_VARIANTS: Mapping[str, Callable[[Any], Any]] = {
    "Boolean": boolean,
    "Double": double,
    "Duration": ms,
    "LocalizedText": localized,
    "String": text,
    "UInt16": lambda value: ua.Variant(value, ua.VariantType.UInt16),
    "UInt32": uint32,
    "UInt64": uint64,
}
"""By the names of data types; the others are enumerations."""


@dataclass(slots=True)
class _Shown:
    node: ua.NodeId
    value: Value
    last: Any
    variant: Callable[[Any], ua.Variant]


class Tree:
    """The nodes of one machine below its root; a path is browse names joined with `/`.

    Args:
        server: Where they are.
        root: Browse name of the root.
        faults: Of the machine.
        measures: The units that the control is set to.
        generation: Other ids for the same nodes, after a software update.
    """

    def __init__(
        self,
        server: UaServer,
        root: str,
        faults: Faults,
        measures: Measures,
        *,
        generation: int = 0,
    ) -> None:
        self._server = server
        self._faults = faults
        self._nodes = server.nodes
        self._name = f"{root}#{generation}" if generation else root
        self.measures = measures
        self.root = self.id("")
        self._shown: dict[str, _Shown] = {}
        self._analog: dict[str, str] = {}

    async def publish(self) -> None:
        """Write what has changed since it was last written."""
        for shown in tuple(self._shown.values()):
            new = shown.value()
            if shown.last != new:
                shown.last = new
                await self._server.write(shown.node, shown.variant(new))

    async def set_measures(self, measures: Measures) -> None:
        """Show everything in other units from now on; nothing happens where they are the same."""
        if measures == self.measures:
            return
        self.measures = measures
        for path, counted_in in self._analog.items():
            for name, value in measures.unit(counted_in).properties.items():
                await self._server.write(analog_property(self.id(path), name), value)
        await self.publish()

    async def write(self, path: str, value: ua.Variant) -> None:
        """Give a fixed variable another value."""
        await self._server.write(self.id(path), value)

    async def remove(self, path: str) -> None:
        """Take an object away, with all below it."""
        for kept in (self._shown, self._analog):
            for below in [each for each in kept if each.startswith(f"{path}/")]:
                del kept[below]
        await self._server.delete(self.id(path))

    def object(self, path: str, index: int, kind: ua.NodeId, *, events: bool = False) -> str:
        """An object; its path, to add below it."""
        parent, name = self._place(path)
        self._nodes.object(self.id(path), name(index), parent, kind, events=events)
        return path

    def container(
        self, path: str, index: int, kind: ua.NodeId, *, events: bool = False, version: int = 1
    ) -> str:
        """An object that holds numbered children, with the NodeVersion that tells of changes."""
        self.object(path, index, kind, events=events)
        self.fixed(f"{path}/NodeVersion", 0, "String", str(version))
        return path

    def fixed(
        self,
        path: str,
        index: int,
        data_type: str,
        value: Any,
        kind: ua.NodeId = PROPERTY,
        *,
        writable: bool = False,
    ) -> None:
        """A variable that does not follow the press."""
        parent, name = self._place(path)
        self._nodes.variable(
            self.id(path),
            name(index),
            parent,
            _variant(data_type, value),
            DATA_TYPES[data_type],
            kind,
            writable=writable,
        )

    def shows(
        self, path: str, index: int, data_type: str, value: Value, kind: ua.NodeId = PROPERTY
    ) -> None:
        """A variable that follows the press."""
        parent, name = self._place(path)
        node, now = self.id(path), value()

        def variant(value: Any) -> ua.Variant:
            return _variant(data_type, value)

        self._shown[path] = _Shown(node, value, now, variant)
        self._nodes.variable(node, name(index), parent, variant(now), DATA_TYPES[data_type], kind)

    def analog(self, path: str, index: int, counted_in: str, value: Value) -> None:
        """A number with its unit that follows the press.

        Args:
            path: Its own.
            index: Of its browse name's namespace.
            counted_in: The unit of `value`, which the control may be set to show in another.
            value: What it shows.
        """
        self.shows(
            path,
            index,
            "Double",
            lambda: self.measures.unit(counted_in).shown(value()),
            ANALOG_ITEM,
        )
        self.in_units(path, counted_in)

    def in_units(self, path: str, counted_in: str) -> None:
        """Make a variable an AnalogItem, by the properties that it has then."""
        self._analog[path] = counted_in
        add_analog_properties(self._nodes, self.id(path), self.measures.unit(counted_in))

    def measured(self, path: str) -> None:
        """Say that a variable comes from a sensor."""
        self._server.measured(self.id(path), self._faults)

    def zone(self, path: str, kind: int, name: str, actual: Value, nominal: Value) -> str:
        """A temperature zone, numbered by the end of its path."""
        self.object(path, GT, ua.NodeId(kind, GT))
        self.fixed(f"{path}/Index", GT, "UInt32", int(path.rpartition("_")[2]))
        self.fixed(f"{path}/Name", GT, "String", name)
        self.fixed(f"{path}/IsPresent", GT, "Boolean", True)
        self.fixed(f"{path}/ControlMode", GT, "ControlModeEnumeration", AUTOMATIC)
        self.analog(f"{path}/ActualTemperature", GT, "°C", actual)
        self.measured(f"{path}/ActualTemperature")
        self.analog(f"{path}/NominalTemperature", GT, "°C", nominal)
        return path

    def id(self, path: str) -> ua.NodeId:
        """The id of the node at a path; of the root at an empty one."""
        return ua.NodeId(f"{self._name}.{path.replace('/', '.')}" if path else self._name, MAKER)

    def _place(self, path: str) -> tuple[ua.NodeId, Callable[[int], ua.QualifiedName]]:
        above, _, name = path.rpartition("/")
        return self.id(above), lambda index: ua.QualifiedName(name, index)


def _variant(data_type: str, value: Any) -> ua.Variant:
    if isinstance(value, ua.Variant):
        return value
    if isinstance(value, list):
        return texts(value)
    variant: Callable[[Any], Any] = _VARIANTS.get(data_type, number)
    return variant(value)
