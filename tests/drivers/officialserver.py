"""Another maker's machine: official NodeSet files in a server of the plain library, other order.

Nothing here is shared with the simulator, so that the two can't be wrong in the same way.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from asyncua import Server, ua

from simulators.opcua.internalserver import InternalServerOn
from simulators.opcua.sharednodes import standard_nodes

FILES = ("Di", "Machinery", "PlasticsRubber.GeneralTypes", "PlasticsRubber.IMM2MES")
MAKER = "http://maker.example/imm"
UNIT = "InjectionUnitCycleParameters_01"


class OfficialServer:
    """One machine instantiated from the official type, and cycle events of a type of its own."""

    def __init__(self, server: Server, machine: Any, generator: Any) -> None:
        self._server = server
        self._machine = machine
        self._generator = generator

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self._server.bserver.port}"

    async def index(self, uri: str) -> int:
        index: int = await self._server.get_namespace_index(uri)
        return index

    async def set(self, path: str, value: Any, kind: ua.VariantType) -> None:
        """Set a variable by its path of names, whatever their namespaces."""
        node = self._machine
        for name in path.split("/"):
            for child in await node.get_children():
                if (await child.read_browse_name()).Name == name:
                    node = child
                    break
            else:
                raise KeyError(path)
        await node.write_value(ua.DataValue(ua.Variant(value, kind)))

    async def fire(self, **fields: tuple[Any, ua.VariantType]) -> None:
        """Fire a cycle event; two underscores in a name stand for a slash."""
        event = self._generator.event
        for name, (value, kind) in fields.items():
            event.add_property(name.replace("__", "/"), value, kind)
        await self._generator.trigger()


@asynccontextmanager
async def official_server(nodesets: Path, *, jobs: bool) -> AsyncGenerator[OfficialServer]:
    """The machine on a server whose namespaces stand where nobody expects them."""
    server = Server(iserver=InternalServerOn(standard_nodes()))
    await server.init()
    maker = await server.register_namespace(MAKER)
    for uri in ("urn:one", "urn:two", "urn:three"):
        await server.register_namespace(uri)
    for name in FILES:
        await server.import_xml(str(nodesets / f"Opc.Ua.{name}.NodeSet2.xml"))
    di, general, imm = [
        await server.get_namespace_index(f"http://opcfoundation.org/UA/{name}/")
        for name in ("DI", "PlasticsRubber/GeneralTypes", "PlasticsRubber/IMM2MES")
    ]
    devices = server.get_node(ua.NodeId(5001, di))
    machine = await devices.add_object(
        ua.NodeId(4000, maker),
        ua.QualifiedName("IMM_MAKER_0815", maker),
        ua.NodeId(1007, imm),
        instantiate_optional=jobs,
    )
    kind = await _event_type(server, maker, general, imm)
    generator = await server.get_event_generator(kind, machine)
    server.set_endpoint("opc.tcp://127.0.0.1:0")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    await server.start()
    try:
        yield OfficialServer(server, machine, generator)
    finally:
        await server.stop()
        for session in [*server.iserver._external_sessions.values()]:
            await session.close_session()


async def _event_type(server: Server, maker: int, general: int, imm: int) -> Any:
    """A subtype of a subtype, with a second injection unit and a vendor's object."""
    base = ua.NodeId(1038, general)
    middle = await server.create_custom_event_type(maker, "MakerCycleBase", base, [])
    kind = await server.create_custom_event_type(maker, "MakerCycle", middle.nodeid, [])
    for number in ("01", "02"):
        name = ua.QualifiedName(f"InjectionUnitCycleParameters_{number}", imm)
        unit = await kind.add_object(ua.NodeId(f"unit{number}", maker), name)
        for field in ("InjectionTime", "DosingTime", "CushionStroke"):
            node = ua.NodeId(f"unit{number}.{field}", maker)
            data_type = ua.ObjectIds.Double if field == "CushionStroke" else ua.ObjectIds.Duration
            name = ua.QualifiedName(field, imm)
            await unit.add_variable(node, name, 0.0, datatype=ua.NodeId(data_type))
    own = await kind.add_object(ua.NodeId("own", maker), ua.QualifiedName("Ablauf", maker))
    name = ua.QualifiedName("Kuehlzeit", maker)
    duration = ua.NodeId(ua.ObjectIds.Duration)
    await own.add_variable(ua.NodeId("own.cool", maker), name, 0.0, datatype=duration)
    return kind
