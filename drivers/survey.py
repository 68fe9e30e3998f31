"""What an OPC UA server offers, found by looking around in it: machines, maker's fields, variables.

Nothing is written and nothing subscribed to. What is below a machine of OPC 40077 is known from the
standard and not listed one by one.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from asyncua import ua

from drivers.browsing import DOWN, OBJECTS, browse, plain, resolve
from drivers.endpoint import offered, way
from drivers.eventtype import browse_event_type
from drivers.imm import find_machines, identity
from drivers.nodes import NodeMap
from drivers.plastics import DEVICE_SET, TCD_TYPE, type_id
from drivers.session import Session
from drivers.units import unit_of_id

SERVER = ua.NodeId(ua.ObjectIds.Server)
PROPERTY = ua.NodeId(ua.ObjectIds.PropertyType)
MOST = 20_000
"""Nodes that are looked at; a server with more is cut short, and it is said."""
NUMBERS = frozenset(
    {
        ua.VariantType.SByte,
        ua.VariantType.Byte,
        ua.VariantType.Int16,
        ua.VariantType.UInt16,
        ua.VariantType.Int32,
        ua.VariantType.UInt32,
        ua.VariantType.Int64,
        ua.VariantType.UInt64,
        ua.VariantType.Float,
        ua.VariantType.Double,
        ua.VariantType.Boolean,
    }
)
TEXTS = frozenset({ua.VariantType.String, ua.VariantType.LocalizedText})
UNIT = "EngineeringUnits"
"""The property of a variable that says its unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMachine:
    """A machine of OPC 40077."""

    browse_name: str
    identity: dict[str, str]
    """`manufacturer`, `model`, `serial`, as far as it says them."""
    fields: tuple[str, ...]
    """The maker's own fields of its cycle events, by whole names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundVariable:
    """A number or text that can be read."""

    namespace: str
    id: str
    """As a node map writes it, without its namespace: `s=ActTimCyc`."""
    name: str
    """Browse names from the Objects folder on, with slashes."""
    unit: str | None
    value: object
    """What it showed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a server offers."""

    ways: tuple[str, ...]
    """How a connection may be secured, in words."""
    machines: tuple[FoundMachine, ...] = ()
    controllers: tuple[str, ...] = ()
    """Browse names of temperature control devices of OPC 40082-1."""
    variables: tuple[FoundVariable, ...] = ()
    is_cut: bool = False
    """Whether there was more than we looked at."""


async def ways(machine: str, url: str, timeout_s: float) -> tuple[str, ...]:
    """How a connection to a server may be secured, in words; `no security` may be among them.

    Raises:
        MachineError: nobody answers; or it is no OPC UA server.
    """
    found = await offered(machine, url, timeout_s)
    return tuple(sorted({way(endpoint) for endpoint in found}))


async def survey(session: Session, ways: Sequence[str], progress: Callable[[int], None]) -> Survey:
    """Look around.

    Args:
        session: The connection.
        ways: How a connection may be secured.
        progress: Told how many nodes were looked at.

    Raises:
        MachineError: the server did not answer, or said no.
    """
    machines = []
    for root in await find_machines(session):
        kind = await browse_event_type(session, root)
        said = await identity(session, root)
        name = str(root.name.Name)
        machines.append(FoundMachine(browse_name=name, identity=said, fields=tuple(kind.vendors)))
    devices = type_id(session, DEVICE_SET)
    avoided = {SERVER, devices} if machines and devices is not None else {SERVER}
    walk = _Walk(session, avoided, type_id(session, TCD_TYPE))
    await walk.go(progress)
    return Survey(
        ways=tuple(ways),
        machines=tuple(machines),
        controllers=tuple(walk.controllers) or tuple(await _controllers(session, devices)),
        variables=tuple(await walk.variables()),
        is_cut=walk.is_cut,
    )


async def _controllers(session: Session, devices: ua.NodeId | None) -> list[str]:
    wanted = type_id(session, TCD_TYPE)
    if wanted is None or devices is None:
        return []
    below = (await browse(session, [devices]))[0]
    return [str(ref.BrowseName.Name) for ref in below if plain(ref.TypeDefinition) == wanted]


async def matches(session: Session, nodes: NodeMap) -> tuple[str, ...]:
    """Signals of a map that the server has where the map says."""
    ids = await resolve(session, [node.address for node in nodes.nodes])
    there = [(node, at) for node, at in zip(nodes.nodes, ids, strict=True) if at is not None]
    answers = await session.read([at for _, at in there], ua.AttributeIds.NodeClass)
    return tuple(
        node.signal
        for (node, _), answer in zip(there, answers, strict=True)
        if answer.StatusCode.is_good()
    )


class _Walk:
    """A walk over everything below the Objects folder, level by level, each node once."""

    def __init__(
        self, session: Session, avoided: set[ua.NodeId], controller: ua.NodeId | None
    ) -> None:
        self.controllers: list[str] = []
        self.is_cut = False
        self._session = session
        self._seen = {OBJECTS, *avoided}
        self._controller = controller
        self._variables: dict[ua.NodeId, str] = {}
        self._units: dict[ua.NodeId, ua.NodeId] = {}
        """The node of a variable's engineering unit, by the variable."""

    async def go(self, progress: Callable[[int], None]) -> None:
        """Walk."""
        level = [(OBJECTS, "")]
        while level and not self.is_cut:
            found = await browse(self._session, [node_id for node_id, _ in level], DOWN)
            below = []
            for (parent, path), references in zip(level, found, strict=True):
                for reference in references:
                    if (step := self._step(parent, path, reference)) is not None:
                        below.append(step)
            progress(len(self._seen))
            self.is_cut = len(self._seen) > MOST
            level = below

    def _step(
        self, parent: ua.NodeId, path: str, reference: ua.ReferenceDescription
    ) -> tuple[ua.NodeId, str] | None:
        """Where to walk on from a reference; None where there is nothing new."""
        node_id = plain(reference.NodeId)
        kind, name = plain(reference.TypeDefinition), str(reference.BrowseName.Name)
        if kind == PROPERTY:
            if name == UNIT:
                self._units[parent] = node_id
            return None
        if node_id in self._seen:
            return None
        self._seen.add(node_id)
        whole = f"{path}/{name}" if path else name
        if self._controller is not None and kind == self._controller:
            self.controllers.append(name)
            return None
        if reference.NodeClass == ua.NodeClass.Variable and node_id.NamespaceIndex != 0:
            self._variables[node_id] = whole
        return node_id, whole

    async def variables(self) -> list[FoundVariable]:
        """Those that are single numbers or texts, and can be read."""
        session, ids = self._session, list(self._variables)
        answers = await session.read(ids)
        units = {}
        held = [(node_id, self._units[node_id]) for node_id in ids if node_id in self._units]
        said = await session.read([at for _, at in held])
        for (node_id, _), answer in zip(held, said, strict=True):
            unit_id = getattr(answer.Value.Value if answer.Value else None, "UnitId", None)
            unit = unit_of_id(unit_id) if isinstance(unit_id, int) else None
            units[node_id] = unit.name if unit else None
        return [
            FoundVariable(
                namespace=session.namespaces[node_id.NamespaceIndex],
                id=id_text(node_id),
                name=self._variables[node_id],
                unit=units.get(node_id),
                value=answer.Value.Value,
            )
            for node_id, answer in zip(ids, answers, strict=True)
            if _is_readable(answer) and node_id.NamespaceIndex < len(session.namespaces)
        ]


def _is_readable(answer: ua.DataValue) -> bool:
    if answer.Value is None or answer.Value.is_array:
        return False
    return answer.Value.VariantType in NUMBERS | TEXTS


def id_text(node_id: ua.NodeId) -> str:
    """A node's id as a map writes it, without its namespace.

    >>> id_text(ua.NodeId("ActTimCyc", 2)), id_text(ua.NodeId(42, 2)), id_text(ua.NodeId(b"ab", 2))
    ('s=ActTimCyc', 'i=42', 'b=YWI=')
    """
    found = node_id.Identifier
    if isinstance(found, bytes):
        return f"b={base64.b64encode(found).decode()}"
    if isinstance(found, str):
        return f"s={found}"
    return f"i={found}" if isinstance(found, int) else f"g={found}"
