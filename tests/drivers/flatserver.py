"""A small OPC UA server of plain nodes, whose every value, status and time a test decides."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError

from simulators.opcua.nodes import DATA_VARIABLE, FOLDER, OBJECTS, ORGANIZES, PROPERTY
from simulators.opcua.server import UaServer
from simulators.opcua.sharednodes import standard_nodes

NAMESPACE = "urn:test:flat"
KINDS: Mapping[type, tuple[ua.VariantType, int]] = {
    bool: (ua.VariantType.Boolean, ua.ObjectIds.Boolean),
    int: (ua.VariantType.Int64, ua.ObjectIds.Int64),
    float: (ua.VariantType.Double, ua.ObjectIds.Double),
    str: (ua.VariantType.String, ua.ObjectIds.String),
    list: (ua.VariantType.Double, ua.ObjectIds.Double),
}


def _unit(unit_id: int, text: str) -> ua.EUInformation:
    return ua.EUInformation(UnitId=unit_id, DisplayName=ua.LocalizedText(text))


class FlatServer:
    """Nodes `nsu=urn:test:flat;s=NAME` below Objects/Machine."""

    def __init__(self, server: UaServer, index: int) -> None:
        self._server = server
        self._index = index
        self.reads: list[int] = []
        """How many nodes each Read request asked for."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"opc.tcp://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def _space(self) -> Any:
        return self._server._server.iserver.aspace

    def node_id(self, name: str) -> ua.NodeId:
        return ua.NodeId(name, self._index)

    def add(self, **values: Any) -> None:
        """Add one variable for each."""
        for name, value in values.items():
            kind, data_type = KINDS[type(value)]
            self._server.nodes.variable(
                self.node_id(name),
                ua.QualifiedName(name, self._index),
                self.node_id("Machine"),
                ua.Variant(value, kind),
                ua.NodeId(data_type),
                DATA_VARIABLE,
            )

    def add_as(self, node: str, name: str, value: Any) -> None:
        """Add a variable whose browse name is not its id."""
        kind, data_type = KINDS[type(value)]
        self._server.nodes.variable(
            self.node_id(node),
            ua.QualifiedName(name, self._index),
            self.node_id("Machine"),
            ua.Variant(value, kind),
            ua.NodeId(data_type),
            DATA_VARIABLE,
        )

    def hide_names(self) -> None:
        """Refuse to say what anything is called."""
        service = self._server._server.iserver.attribute_service
        read = service.read

        def nameless(params: ua.ReadParameters) -> Any:
            found = read(params)
            for wanted, answer in zip(params.NodesToRead, found, strict=True):
                if wanted.AttributeId == ua.AttributeIds.BrowseName:
                    answer.StatusCode = ua.StatusCode(ua.StatusCodes.BadUserAccessDenied)
                    answer.Value = None
            return found

        service.read = nameless

    def add_unit(self, name: str, unit_id: int, text: str) -> None:
        """Give a variable EngineeringUnits."""
        self._server.nodes.variable(
            self.node_id(f"{name}.unit"),
            ua.QualifiedName("EngineeringUnits", 0),
            self.node_id(name),
            ua.Variant(_unit(unit_id, text), ua.VariantType.ExtensionObject),
            ua.NodeId(ua.ObjectIds.EUInformation),
            PROPERTY,
        )

    async def switch(self, unit_id: int, text: str, **values: float) -> None:
        """Set the unit of some variables and what they show in it, at one instant for clients."""
        told = []
        for name, value in values.items():
            unit = ua.Variant(_unit(unit_id, text), ua.VariantType.ExtensionObject)
            variants = {f"{name}.unit": unit, name: ua.Variant(value, ua.VariantType.Double)}
            for node, variant in variants.items():
                held = self._space._nodes[self.node_id(node)].attributes[ua.AttributeIds.Value]
                held.value = ua.DataValue(variant, SourceTimestamp=datetime.now(UTC))
                told += [
                    (tell, number, held.value) for number, tell in held.datachange_callbacks.items()
                ]
        for tell, number, value in told:
            await tell(number, value)

    async def write(self, at: datetime | None = None, **values: Any) -> None:
        """Set values one after the other, by default at the time of now."""
        for name, value in values.items():
            await self._set(name, value, ua.StatusCodes.Good, at or datetime.now(UTC))

    async def doubt(self, name: str, value: Any, status: int) -> None:
        """Give a value a status."""
        await self._set(name, value, status, datetime.now(UTC))

    def insist(self, name: str, status: int) -> None:
        """Show a value with a bad status, and the value all the same, as some servers do."""
        service = self._server._server.iserver.attribute_service
        read = service.read

        def insisting(params: ua.ReadParameters) -> Any:
            found = read(params)
            for at, wanted in enumerate(params.NodesToRead):
                is_value = wanted.AttributeId == ua.AttributeIds.Value
                if wanted.NodeId == self.node_id(name) and is_value:
                    found[at] = replace(found[at], StatusCode=ua.StatusCode(status))
            return found

        service.read = insisting

    async def write_undated(self, **values: Any) -> None:
        """Set values without a time of the machine."""
        for name, value in values.items():
            await self._set(name, value, ua.StatusCodes.Good, None)

    async def _set(self, name: str, value: Any, status: int, at: datetime | None) -> None:
        data = ua.DataValue(
            ua.Variant(value, KINDS[type(value)][0]),
            StatusCode=ua.StatusCode(status),
            SourceTimestamp=at,
        )
        node, attribute = self.node_id(name), ua.AttributeIds.Value
        (await self._space.write_attribute_value(node, attribute, data)).check()

    def delete(self, *names: str) -> None:
        """Take nodes away."""
        service = self._server._server.iserver.node_mgt_service
        items = [ua.DeleteNodesItem(self.node_id(name), True) for name in names]
        for status in service.delete_nodes(ua.DeleteNodesParameters(items)):
            status.check()

    async def limit_reads(self, to: int, *, stated: bool) -> None:
        """Refuse a Read of more nodes, and say so beforehand or not."""
        number = ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead
        value = ua.Variant(to if stated else 0, ua.VariantType.UInt32)
        await self._server.write(ua.NodeId(number), value)
        service = self._server._server.iserver.attribute_service
        read = service.read

        def limited(params: ua.ReadParameters) -> Any:
            self.reads.append(len(params.NodesToRead))
            if len(params.NodesToRead) > to:
                raise ServiceError(ua.StatusCodes.BadTooManyOperations)
            return read(params)

        service.read = limited

    async def empty(self) -> bool:
        """Whether all connections are gone, at the latest in a second."""
        for _ in range(100):
            if not self._server._server.bserver.clients:
                return True
            await asyncio.sleep(0.01)
        return False

    async def close(self) -> None:
        """Stop answering, and end the sessions that lost their client: asyncua would keep them."""
        await self._server.close()
        for session in [*self._server._server.iserver._external_sessions.values()]:
            await session.close_session()


@asynccontextmanager
async def flat_server(
    *namespaces_before: str, port: int = 0, **values: Any
) -> AsyncGenerator[FlatServer]:
    """A server with some variables; namespaces before ours move its index."""
    server = UaServer(
        standard_nodes(), [*namespaces_before, NAMESPACE], name="flat", uri="urn:test:server"
    )
    await server.init()
    flat = FlatServer(server, 2 + len(namespaces_before))
    server.nodes.object(
        flat.node_id("Machine"),
        ua.QualifiedName("Machine", flat._index),
        OBJECTS,
        FOLDER,
        reference=ORGANIZES,
    )
    flat.add(**values)
    await server.listen("127.0.0.1", port)
    try:
        yield flat
    finally:
        await flat.close()
