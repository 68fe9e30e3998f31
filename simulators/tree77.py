"""Adds the nodes of one OPC 40077 machine, by path, and keeps those up to date that may change."""

from collections.abc import Callable

from asyncua import ua

from simulators.nodes import ANALOG_ITEM, PROPERTY, boolean, number, text, uint32
from simulators.opcua import UaServer
from simulators.types77 import DATA_TYPES, GT, MAKER
from simulators.units import add_analog_properties

Shown = Callable[[], ua.Variant]
"""What a variable shows now."""

AUTOMATIC = 2
"""OPC 40083 ControlModeEnumeration."""


class Tree:
    """The nodes of one machine below its root; a path is browse names joined with `/`."""

    def __init__(self, server: UaServer, root: str) -> None:
        self._server = server
        self._nodes = server.nodes
        self._name = root
        self.root = ua.NodeId(root, MAKER)
        self._shown: dict[ua.NodeId, Shown] = {}
        self._last: dict[ua.NodeId, ua.Variant] = {}

    async def publish(self) -> None:
        """Write what has changed since it was last written."""
        for node, value in self._shown.items():
            new = value()
            if self._last[node] != new:
                self._last[node] = new
                await self._server.write(node, new)

    def object(self, path: str, index: int, kind: ua.NodeId) -> str:
        """An object; its path, to add below it."""
        parent, name = self._place(path)
        self._nodes.object(self._id(path), name(index), parent, kind)
        return path

    def container(self, path: str, index: int, kind: ua.NodeId) -> str:
        """An object that holds numbered children, with the NodeVersion that tells of changes."""
        self.object(path, index, kind)
        self.fixed(f"{path}/NodeVersion", 0, "String", text("1"))
        return path

    def fixed(
        self, path: str, index: int, data_type: str, value: ua.Variant, *, writable: bool = False
    ) -> None:
        """A property that the machine itself never changes."""
        parent, name = self._place(path)
        self._nodes.variable(
            self._id(path),
            name(index),
            parent,
            value,
            DATA_TYPES[data_type],
            PROPERTY,
            writable=writable,
        )

    def shows(
        self, path: str, index: int, data_type: str, value: Shown, kind: ua.NodeId = PROPERTY
    ) -> None:
        """A variable that follows the press."""
        parent, name = self._place(path)
        node = self._id(path)
        self._last[node], self._shown[node] = value(), value
        self._nodes.variable(
            node, name(index), parent, self._last[node], DATA_TYPES[data_type], kind
        )

    def analog(self, path: str, index: int, unit: str, value: Shown) -> None:
        """A number with its unit that follows the press."""
        self.shows(path, index, "Double", value, ANALOG_ITEM)
        add_analog_properties(self._nodes, self._id(path), unit)

    def zone(self, path: str, kind: int, name: str, actual: Shown, nominal: Shown) -> str:
        """A temperature zone, numbered by the end of its path."""
        self.object(path, GT, ua.NodeId(kind, GT))
        self.fixed(f"{path}/Index", GT, "UInt32", uint32(int(path.rpartition("_")[2])))
        self.fixed(f"{path}/Name", GT, "String", text(name))
        self.fixed(f"{path}/IsPresent", GT, "Boolean", boolean(True))
        self.fixed(f"{path}/ControlMode", GT, "ControlModeEnumeration", number(AUTOMATIC))
        self.analog(f"{path}/ActualTemperature", GT, "°C", actual)
        self.analog(f"{path}/NominalTemperature", GT, "°C", nominal)
        return path

    def _id(self, path: str) -> ua.NodeId:
        return ua.NodeId(f"{self._name}.{path.replace('/', '.')}", MAKER)

    def _place(self, path: str) -> tuple[ua.NodeId, Callable[[int], ua.QualifiedName]]:
        above, _, name = path.rpartition("/")
        parent = self._id(above) if above else self.root
        return parent, lambda index: ua.QualifiedName(name, index)
