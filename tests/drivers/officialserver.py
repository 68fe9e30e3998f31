"""Another maker's machine: official NodeSet files in a server of the plain library, other order.

Nothing here is shared with the simulator, so that the two can't be wrong in the same way.
"""

import struct
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from asyncua import Server, ua

from simulators.opcua.internalserver import InternalServerOn
from simulators.opcua.security import Security, secure
from simulators.opcua.sharednodes import standard_nodes

FILES = ("Di", "Machinery", "PlasticsRubber.GeneralTypes", "PlasticsRubber.IMM2MES")
MAKER = "http://maker.example/imm"
UNIT = "InjectionUnitCycleParameters_01"


class OfficialServer:
    """One machine instantiated from the official type, and cycle events of a type of its own."""

    def __init__(
        self, server: Server, machine: Any, generator: Any, neighbor: "OfficialServer | None" = None
    ) -> None:
        self.neighbor = neighbor
        self.water: Any = None
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
        node = await _below(self._machine, path)
        await node.write_value(ua.DataValue(ua.Variant(value, kind)))

    async def set_water(
        self, path: str, value: float, kind: ua.VariantType = ua.VariantType.Double
    ) -> None:
        """Set a variable of the temperature control device."""
        node = await _below(self.water, path)
        await node.write_value(ua.DataValue(ua.Variant(value, kind)))

    async def raise_water(self, *errors: tuple[str, int, str]) -> None:
        """Have the device show just these errors: id, severity and message of each.

        Put together byte by byte, as a maker's own stack would.
        """
        general = await self.index("http://opcfoundation.org/UA/PlasticsRubber/GeneralTypes/")
        shown = []
        for name, severity, message in errors:
            text = message.encode()
            body = struct.pack("<i", len(name)) + name.encode() + struct.pack("<H", severity)
            body += b"\x02" + struct.pack("<i", len(text)) + text  # no locale
            shown.append(ua.ExtensionObject(TypeId=ua.NodeId(5048, general), Body=body))
        node = await _below(self.water, "Operation/ActiveErrors")
        value = ua.Variant(shown, ua.VariantType.ExtensionObject, is_array=True)
        await node.write_value(ua.DataValue(value))

    async def switch_water_to_celsius(self, **values: float) -> None:
        """Set the device to the other unit; client and server meet at no instant in between."""
        space = self._server.iserver.aspace
        for name, value in values.items():
            node = await _below(self.water, f"DeviceZone/{name}")
            unit = await node.get_child(ua.QualifiedName("EngineeringUnits", 0))
            variants = {
                unit.nodeid: ua.Variant(_CELSIUS, ua.VariantType.ExtensionObject),
                node.nodeid: ua.Variant(value, ua.VariantType.Double),
            }
            for node_id, variant in variants.items():
                held = space._nodes[node_id].attributes[ua.AttributeIds.Value]
                held.value = ua.DataValue(variant)

    async def log(self, kind: int, **fields: tuple[Any, ua.VariantType]) -> None:
        """Fire a logbook event of one of OPC 40083's types, by its number."""
        general = await self.index("http://opcfoundation.org/UA/PlasticsRubber/GeneralTypes/")
        generator = await self._server.get_event_generator(ua.NodeId(kind, general), self._machine)
        for name, (value, variant) in fields.items():
            generator.event.add_property(name.replace("__", "/"), value, variant)
        await generator.trigger()

    async def fire(self, **fields: tuple[Any, ua.VariantType]) -> None:
        """Fire a cycle event; two underscores in a name stand for a slash."""
        event = self._generator.event
        for name, (value, kind) in fields.items():
            event.add_property(name.replace("__", "/"), value, kind)
        await self._generator.trigger()


@asynccontextmanager
async def official_server(
    nodesets: Path,
    *,
    jobs: bool,
    units: Mapping[str, ua.EUInformation] = MappingProxyType({}),
    neighbor: bool = False,
    water: bool = False,
    security: Security | None = None,
    before: Sequence[str] = ("urn:one", "urn:two", "urn:three"),
) -> AsyncGenerator[OfficialServer]:
    """The machine on a server whose namespaces stand where nobody expects them.

    Args:
        nodesets: The official files.
        jobs: Whether it has the Jobs branch, and all else that is optional.
        units: What it measures pressures and temperatures in, as `pressure` and `temperature`;
            nothing where it does not say.
        neighbor: Whether another machine is on the same server, `IMM_MAKER_0816`.
        water: Whether a temperature control device is there, which shows degrees Fahrenheit.
        security: None for a server that anybody reads in clear.
        before: Namespaces that have their numbers before the files are read.
    """
    server = Server(iserver=InternalServerOn(standard_nodes()))
    await server.init()
    await server.set_application_uri("urn:maker.example:imm")
    maker = await server.register_namespace(MAKER)
    for uri in before:
        await server.register_namespace(uri)
    for name in (*FILES, *(("PlasticsRubber.TCD",) if water else ())):
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
    await _barrel(machine, maker, general, imm, units.get("temperature"))
    kind = await _event_type(server, maker, general, imm, units)
    generator = await server.get_event_generator(kind, machine)
    other = None
    if neighbor:
        name = ua.QualifiedName("IMM_MAKER_0816", maker)
        other = await devices.add_object(ua.NodeId("second", maker), name, ua.NodeId(1007, imm))
        other = OfficialServer(server, other, await server.get_event_generator(kind, other))
    server.set_endpoint("opc.tcp://127.0.0.1:0")
    await secure(server, security, "urn:maker.example:imm")
    await server.start()
    try:
        official = OfficialServer(server, machine, generator, other)
        if water:
            official.water = await _water(server, devices, maker)
        yield official
    finally:
        await server.stop()
        for session in [*server.iserver._external_sessions.values()]:
            await session.close_session()


_FAHRENHEIT = ua.EUInformation(UnitId=4604232, DisplayName=ua.LocalizedText("°F"))
_CELSIUS = ua.EUInformation(UnitId=4408652, DisplayName=ua.LocalizedText("°C"))


async def _below(node: Any, path: str) -> Any:
    """A node by its path of names, whatever their namespaces."""
    for name in path.split("/"):
        for child in await node.get_children():
            if (await child.read_browse_name()).Name == name:
                node = child
                break
        else:
            raise KeyError(path)
    return node


async def _water(server: Server, devices: Any, maker: int) -> Any:
    tcd = await server.get_namespace_index("http://opcfoundation.org/UA/PlasticsRubber/TCD/")
    name = ua.QualifiedName("TCD_MAKER_17", maker)
    made = await devices.add_object(ua.NodeId("tcd", maker), name, ua.NodeId(1012, tcd))
    for path in ("TemperatureMainLine", "TemperatureReturnLine", "Temperature/SetValue"):
        node = await _below(made, f"DeviceZone/{path}")
        unit = await node.get_child(ua.QualifiedName("EngineeringUnits", 0))
        await unit.write_value(ua.Variant(_FAHRENHEIT, ua.VariantType.ExtensionObject))
    return made


async def _barrel(
    machine: Any, maker: int, general: int, imm: int, unit: ua.EUInformation | None
) -> None:
    """An injection unit with one barrel zone, in the unit that the machine shows."""
    units = await machine.get_child(ua.QualifiedName("InjectionUnits", imm))
    name = ua.QualifiedName("InjectionUnit_1", imm)
    made = await units.add_object(ua.NodeId("iu1", maker), name, ua.NodeId(1028, imm))
    zones = await made.get_child(ua.QualifiedName("TemperatureZones", imm))
    name = ua.QualifiedName("TemperatureZone_1", general)
    zone = await zones.add_object(ua.NodeId("iu1.zone1", maker), name)
    name = ua.QualifiedName("ActualTemperature", general)
    shown = await zone.add_variable(ua.NodeId("iu1.zone1.actual", maker), name, 0.0)
    if unit is not None:
        await _add_unit(shown, maker, "iu1.zone1", unit)


async def _add_unit(node: Any, maker: int, of: str, unit: ua.EUInformation) -> None:
    name = ua.QualifiedName("EngineeringUnits", 0)
    value = ua.Variant(unit, ua.VariantType.ExtensionObject)
    kind = ua.NodeId(ua.ObjectIds.EUInformation)
    await node.add_property(ua.NodeId(f"{of}.unit", maker), name, value, datatype=kind)


async def _event_type(
    server: Server, maker: int, general: int, imm: int, units: Mapping[str, ua.EUInformation]
) -> Any:
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
        if "pressure" in units:
            node = ua.NodeId(f"unit{number}.peak", maker)
            name = ua.QualifiedName("SpecificPressureMaximum", imm)
            peak = await unit.add_variable(node, name, 0.0)
            await _add_unit(peak, maker, f"unit{number}.peak", units["pressure"])
    own = await kind.add_object(ua.NodeId("own", maker), ua.QualifiedName("Ablauf", maker))
    name = ua.QualifiedName("Kuehlzeit", maker)
    duration = ua.NodeId(ua.ObjectIds.Duration)
    await own.add_variable(ua.NodeId("own.cool", maker), name, 0.0, datatype=duration)
    return kind
