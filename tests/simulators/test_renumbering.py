"""A server whose namespaces stand in another order is the same server to who looks by URI."""

import asyncio
import doctest
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.common.event_objects import BaseEvent
from asyncua.server.address_space import NodeManagementService

from simulators.opcua import renumbering
from simulators.opcua.nodes import OBJECTS, ORGANIZES, Nodes, double, text
from simulators.opcua.server import UaServer
from simulators.opcua.sharednodes import empty_space, standard_nodes

TYPES, MAKER = 2, 3
"""As built."""
NAMESPACES = ("urn:test:types", "urn:test:maker")
EVENT_TYPE = ua.NodeId("CycleEventType", TYPES)
MACHINE = ua.NodeId("Machine", MAKER)
COUNTER = ua.NodeId("Machine.Counter", MAKER)
KIND = ua.NodeId("Machine.Kind", MAKER)
BASE_EVENT = ua.NodeId(ua.ObjectIds.BaseEventType)


def base() -> Any:
    """Types that servers share, with a namespace of their own."""
    space = empty_space(standard_nodes())
    nodes = Nodes(NodeManagementService(space))
    nodes.object_type(EVENT_TYPE, ua.QualifiedName("CycleEventType", TYPES), BASE_EVENT)
    field = ua.NodeId("CycleEventType.Counter", TYPES)
    name = ua.QualifiedName("Counter", TYPES)
    nodes.variable(field, name, EVENT_TYPE, double(0), ua.NodeId(ua.ObjectIds.Double))
    nodes.data_type(ua.NodeId(7, TYPES), ua.QualifiedName("Unit", TYPES), ua.NodeId(24))
    return space._nodes


@asynccontextmanager
async def served(order: tuple[int, ...] | None) -> AsyncGenerator[tuple[UaServer, Client]]:
    server = UaServer(base(), NAMESPACES, name="test", uri="urn:test", order=order)
    await server.init()
    nodes = server.nodes
    name = ua.QualifiedName("Machine", MAKER)
    nodes.object(MACHINE, name, OBJECTS, reference=ORGANIZES, events=True)
    name = ua.QualifiedName("Counter", MAKER)
    nodes.variable(COUNTER, name, MACHINE, double(1), ua.NodeId(7, TYPES))
    kind = ua.Variant(EVENT_TYPE, ua.VariantType.NodeId)
    name = ua.QualifiedName("Kind", MAKER)
    nodes.variable(KIND, name, MACHINE, kind, ua.NodeId(ua.ObjectIds.NodeId))
    await server.listen("127.0.0.1", 0)
    try:
        async with Client(f"opc.tcp://127.0.0.1:{server.port}") as client:
            yield server, client
    finally:
        await server.close()


async def indexes(client: Client) -> tuple[int, int]:
    """Where the types and the maker's namespace stand."""
    types, maker = [await client.get_namespace_index(uri) for uri in NAMESPACES]
    return types, maker


ORDERS = pytest.mark.parametrize("order", [None, (2, 3), (3, 2)])


def test_its_examples_are_true() -> None:
    assert doctest.testmod(renumbering).failed == 0


@ORDERS
async def test_namespaces_stand_as_ordered(order: tuple[int, ...] | None) -> None:
    async with served(order) as (_, client):
        assert (await indexes(client)) == ((3, 2) if order == (3, 2) else (2, 3))
        assert (await client.get_namespace_array())[:2] == [
            "http://opcfoundation.org/UA/",
            "urn:test",
        ]


@ORDERS
async def test_everything_is_found_by_browsing(order: tuple[int, ...] | None) -> None:
    async with served(order) as (_, client):
        types, maker = await indexes(client)

        machine = await client.nodes.objects.get_child(f"{maker}:Machine")
        counter = await machine.get_child(f"{maker}:Counter")
        kind = await machine.get_child(f"{maker}:Kind")
        event_type = await client.get_node(BASE_EVENT).get_child(f"{types}:CycleEventType")

        assert counter.nodeid == ua.NodeId("Machine.Counter", maker)
        assert await counter.read_data_type() == ua.NodeId(7, types)
        assert await counter.read_attribute(ua.AttributeIds.NodeId) is not None
        assert await kind.read_value() == event_type.nodeid
        assert await (await event_type.get_child(f"{types}:Counter")).read_value() == 0


@ORDERS
async def test_what_is_written_by_built_ids_is_read_by_seen_ones(
    order: tuple[int, ...] | None,
) -> None:
    async with served(order) as (server, client):
        _, maker = await indexes(client)
        counter = client.get_node(ua.NodeId("Machine.Counter", maker))

        await server.write(COUNTER, double(2))
        assert await counter.read_value() == 2
        server.on_read(COUNTER, lambda: double(3))
        assert await counter.read_value() == 3
        added = ua.NodeId("Machine.Added", MAKER)
        name = ua.QualifiedName("Added", MAKER)
        server.nodes.variable(added, name, MACHINE, text("new"), ua.NodeId(ua.ObjectIds.String))
        machine = client.get_node(ua.NodeId("Machine", maker))
        assert await (await machine.get_child(f"{maker}:Added")).read_value() == "new"
        await server.delete(COUNTER)
        with pytest.raises(ua.UaStatusCodeError, match="BadNodeIdUnknown"):
            await counter.read_value()


@ORDERS
async def test_an_event_has_the_ids_that_clients_know(order: tuple[int, ...] | None) -> None:
    class Heard:
        def __init__(self) -> None:
            self.events: asyncio.Queue[Any] = asyncio.Queue()

        def event_notification(self, event: Any) -> None:
            self.events.put_nowait(event)

    event = BaseEvent()
    event.EventId = uuid.uuid4().bytes
    event.EventType, event.SourceNode = EVENT_TYPE, MACHINE
    event.emitting_node = MACHINE
    event.Time = event.ReceiveTime = datetime.now(UTC)
    event.add_property("Counter", 5.0, ua.VariantType.Double)

    async with served(order) as (server, client):
        types, maker = await indexes(client)
        heard = Heard()
        subscription = await client.create_subscription(10, heard)
        kind = ua.NodeId("CycleEventType", types)
        await subscription.subscribe_events(ua.NodeId("Machine", maker), kind)
        await server.fire(event)
        async with asyncio.timeout(20):
            told = await heard.events.get()

    assert told.EventType == kind
    assert told.SourceNode == ua.NodeId("Machine", maker)
    assert told.Counter == 5.0
    assert event.emitting_node == MACHINE


@pytest.mark.parametrize("order", [(2,), (2, 2), (3, 4), (2, 3, 4)])
def test_an_order_that_is_no_order_is_refused(order: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="the index of each namespace once"):
        UaServer(standard_nodes(), NAMESPACES, name="test", uri="urn:test", order=order)
