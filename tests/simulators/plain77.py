"""A plain asyncua client at an OPC 40077 machine, used as its README would."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from asyncua import Client, Node, ua

from simulators.euromap77.face import Euromap77Face

DI = "http://opcfoundation.org/UA/DI/"
GT = "http://opcfoundation.org/UA/PlasticsRubber/GeneralTypes/"
IMM = "http://opcfoundation.org/UA/PlasticsRubber/IMM2MES/"
MAKER = "urn:sprue:simulated:imm"
CYCLE_TYPE = "SprueSimCycleParametersEventType"
UNIT = "InjectionUnitCycleParameters_1"
SERVER = ua.NodeId(ua.ObjectIds.Server)
PATIENCE_S = 20
"""Enough on a busy machine: a test that fails takes as long, one that passes does not."""


class Heard:
    """A subscription's handler that keeps what it is told: events by field, values by status."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.values: asyncio.Queue[tuple[Any, str]] = asyncio.Queue()

    def event_notification(self, event: Any) -> None:
        fields = event.get_event_props_as_fields_dict()
        self.events.put_nowait({name: value.Value for name, value in fields.items()})

    def datachange_notification(self, node: Node, value: Any, data: Any) -> None:
        status = data.monitored_item.Value.StatusCode
        self.values.put_nowait((value, status.name))

    async def next(self) -> dict[str, Any]:
        """The oldest event that was not asked for yet."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.events.get()

    async def value(self) -> tuple[Any, str]:
        """The oldest value that was not asked for yet, and the name of its status."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.values.get()


@asynccontextmanager
async def serving(face: Euromap77Face) -> AsyncGenerator[Euromap77Face]:
    """The face, answering."""
    await face.start()
    try:
        yield face
    finally:
        await face.stop()


async def machines(client: Client) -> list[Node]:
    """Instances of IMM_MES_InterfaceType below DeviceSet."""
    wanted = ua.NodeId(1007, await client.get_namespace_index(IMM))
    device_set = client.get_node(ua.NodeId(5001, await client.get_namespace_index(DI)))
    return [
        child
        for child in await device_set.get_children()
        if await child.read_type_definition() == wanted
    ]


async def names(node: Node) -> list[str]:
    """Browse names of what is below a node."""
    return [(await child.read_browse_name()).Name for child in await node.get_children()]


async def appears(node: Node, name: str) -> None:
    """Wait until there is something of that name below a node; a server need not say so."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if name in await names(node):
                return
            await asyncio.sleep(0.02)


async def at(client: Client, path: str, root: Node | None = None) -> Node:
    """A node by browse names; whatever their namespaces."""
    node = root or (await machines(client))[0]
    for name in path.split("/"):
        (node,) = [
            child
            for child in await node.get_children()
            if (await child.read_browse_name()).Name == name
        ]
    return node


async def read(client: Client, path: str) -> Any:
    """A value by browse names."""
    return await (await at(client, path)).read_value()


async def unit_of(client: Client, path: str) -> str:
    """The unit that a variable says it is in, as written."""
    said = await read(client, f"{path}/EngineeringUnits")
    return str(said.DisplayName.Text)


async def subscribed(client: Client, source: Node | ua.NodeId, *kinds: Node) -> Heard:
    """A subscription to some events at a node."""
    heard = Heard()
    subscription = await client.create_subscription(5, heard)
    await subscription.subscribe_events(source, list(kinds))
    return heard


async def watching(client: Client, path: str) -> Heard:
    """A subscription to one variable, its first value taken."""
    heard = Heard()
    subscription = await client.create_subscription(5, heard)
    await subscription.subscribe_data_change(await at(client, path))
    await heard.value()
    return heard


async def maker_type(client: Client, name: str) -> Node:
    """One of the maker's types, by its name."""
    return client.get_node(ua.NodeId(name, await client.get_namespace_index(MAKER)))


async def hearing_cycles(client: Client, source: Node | ua.NodeId | None = None) -> Heard:
    """A subscription to cycle events, at the first machine unless said otherwise."""
    if source is None:
        source = (await machines(client))[0]
    return await subscribed(client, source, await maker_type(client, CYCLE_TYPE))
