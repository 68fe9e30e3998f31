"""What machines write is what clients read: status, time, and nodes that come and go."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from asyncua import Client, Node, ua

from simulators.faults import Faults
from simulators.opcua.nodes import DATA_VARIABLE, OBJECTS, ORGANIZES, double
from simulators.opcua.server import UaServer
from simulators.opcua.sharednodes import standard_nodes

DOUBLE = ua.NodeId(ua.ObjectIds.Double)
MOLD = ua.NodeId("Mold", 2)
TEMPERATURE = ua.NodeId("Mold.Temperature", 2)
UNIT = ua.NodeId("Mold.Temperature.Unit", 2)
OIL = ua.NodeId("Oil", 2)


@pytest.fixture
async def server() -> AsyncGenerator[UaServer]:
    """A mold with a temperature that has a unit, and the oil beside it."""
    server = UaServer(standard_nodes(), ["urn:test"], name="test", uri="urn:test:server")
    await server.init()
    nodes = server.nodes
    nodes.object(MOLD, ua.QualifiedName("Mold", 2), OBJECTS, reference=ORGANIZES)
    name = ua.QualifiedName("Temperature", 2)
    nodes.variable(TEMPERATURE, name, MOLD, double(40), DOUBLE, DATA_VARIABLE)
    nodes.variable(UNIT, ua.QualifiedName("Unit", 2), TEMPERATURE, double(1), DOUBLE)
    name = ua.QualifiedName("Oil", 2)
    nodes.variable(OIL, name, OBJECTS, double(45), DOUBLE, DATA_VARIABLE)
    await server.listen("127.0.0.1", 0)
    yield server
    await server.close()


@pytest.fixture
async def client(server: UaServer) -> AsyncGenerator[Client]:
    async with Client(f"opc.tcp://127.0.0.1:{server.port}") as client:
        yield client


class Heard:
    """A subscription's handler that puts node, value and status on a queue."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[tuple[str, Any, str]] = asyncio.Queue()

    def datachange_notification(self, node: Node, value: Any, data: Any) -> None:
        status = data.monitored_item.Value.StatusCode.name
        self._told.put_nowait((node.nodeid.Identifier, value, status))

    async def next(self) -> tuple[str, Any, str]:
        async with asyncio.timeout(20):
            return await self._told.get()


async def heard(client: Client, *nodes: ua.NodeId) -> Heard:
    """A subscription whose first values have come."""
    heard = Heard()
    subscription = await client.create_subscription(10, heard)
    await subscription.subscribe_data_change([client.get_node(node) for node in nodes])
    for _ in nodes:
        await heard.next()
    return heard


async def test_a_value_is_written_with_its_status_and_the_time(
    server: UaServer, client: Client
) -> None:
    before = server.now()
    await server.write(OIL, double(46), status=ua.StatusCodes.UncertainInitialValue)

    data = await client.get_node(OIL).read_data_value(raise_on_bad_status=False)

    assert data.Value.Value == 46
    assert data.StatusCode.name == "UncertainInitialValue"
    assert before <= data.SourceTimestamp <= data.ServerTimestamp <= server.now()


async def test_what_is_deleted_goes_with_all_below_it_and_its_subscribers_are_told(
    server: UaServer, client: Client
) -> None:
    told = await heard(client, TEMPERATURE, UNIT, OIL)

    await server.delete(MOLD)
    await server.write(OIL, double(46))

    unknown = {await told.next() for _ in range(2)}
    assert unknown == {
        ("Mold.Temperature", None, "BadNodeIdUnknown"),
        ("Mold.Temperature.Unit", None, "BadNodeIdUnknown"),
    }
    assert await told.next() == ("Oil", 46, "Good")
    read = await client.read_attributes([client.get_node(node) for node in (MOLD, TEMPERATURE)])
    assert [data.StatusCode.name for data in read] == ["BadNodeIdUnknown"] * 2
    names = [each.BrowseName.Name for each in await client.nodes.objects.get_references()]
    assert "Mold" not in names
    assert "Oil" in names
    with pytest.raises(ua.UaStatusCodeError, match="BadNodeIdUnknown"):
        await server.delete(MOLD)
    with pytest.raises(ua.UaStatusCodeError, match="BadNodeIdUnknown"):
        await server.write(TEMPERATURE, double(41))


async def test_what_is_hidden_comes_back_as_it_is_by_then(server: UaServer, client: Client) -> None:
    temperature = client.get_node(TEMPERATURE)
    children = await client.get_node(MOLD).get_children()

    hidden = await server.hide([TEMPERATURE])
    assert await client.get_node(MOLD).get_children() == []
    await server.write(TEMPERATURE, double(41))
    server.reveal(hidden)

    assert await temperature.read_value() == 41
    assert await client.get_node(MOLD).get_children() == children
    assert await (await temperature.get_child("2:Unit")).read_value() == 1


async def test_a_computed_value_is_only_computed_for_who_asks(
    server: UaServer, client: Client
) -> None:
    computed: list[float] = []

    def compute() -> ua.Variant:
        computed.append(len(computed))
        return double(computed[-1])

    server.on_read(OIL, compute)
    await server.publish(OIL)
    assert computed == []

    assert await client.get_node(OIL).read_value() == 0
    told = await heard(client, OIL)
    await server.publish(OIL)
    assert await told.next() == ("Oil", 2, "Good")


async def test_a_fault_of_one_machine_leaves_anothers_values_alone(
    server: UaServer, client: Client
) -> None:
    first, second = Faults(machine="IMM-01"), Faults(machine="IMM-02")
    server.measured(TEMPERATURE, first)
    server.measured(OIL, second)
    await first.on("sentinel")
    await server.refresh()

    values = await client.read_values([client.get_node(node) for node in (TEMPERATURE, OIL)])

    assert values == [-999, 45]


async def test_what_was_written_to_a_frozen_server_shows_when_it_thaws(
    server: UaServer, client: Client
) -> None:
    server.frozen = True
    await server.write(OIL, double(46))
    await server.write(OIL, double(47))
    assert await client.get_node(OIL).read_value() == 45

    await server.thaw()

    assert await client.get_node(OIL).read_value() == 47
