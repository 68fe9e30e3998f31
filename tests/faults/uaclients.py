"""asyncua as its README has it, for tests that show what a trusting OPC UA client sees."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from asyncua import Client, Node, ua
from asyncua.common.subscription import Subscription

from simulators.flat.face import INDEX
from simulators.opcua.face import UaFace

GIVE_UP_S = 0.3
"""How long these clients wait for an answer, so that tests are quick."""
PATIENCE_S = 20
"""Enough on a busy machine: a test that fails takes as long, one that passes does not."""


@asynccontextmanager
async def ua_client(face: UaFace, **options: Any) -> AsyncGenerator[Client]:
    """A client that has connected; its ids are those of the server that it knew first."""
    async with Client(face.address, **options) as client:
        yield client


def node(client: Client, token: str) -> Node:
    """A node of the flat server, by the id that a program was once configured with."""
    return client.get_node(ua.NodeId(token, INDEX))


async def value(client: Client, token: str) -> Any:
    """What a program reads that takes whatever comes for a value."""
    (read,) = await client.read_values([node(client, token)])
    return read


async def reconnected(client: Client) -> None:
    """Wait until a client that reconnects by itself has done so; it takes about a second."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(ConnectionError, TimeoutError, ua.UaError):
                await client.get_namespace_array()
                return
            await asyncio.sleep(0.02)


async def until_known(client: Client, token: str) -> None:
    """Ask for a node again and again until the server has it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await value(client, token) is not None:
                return
            await asyncio.sleep(0.02)


class Heard:
    """A subscription's handler, which puts what it is told on a queue."""

    def __init__(self) -> None:
        self.values: asyncio.Queue[Any] = asyncio.Queue()
        self.statuses: asyncio.Queue[str] = asyncio.Queue()

    def datachange_notification(self, _node: Node, value: Any, data: Any) -> None:
        self.values.put_nowait(value)
        self.statuses.put_nowait(data.monitored_item.Value.StatusCode.name)

    async def next(self) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            return await self.values.get()

    async def nothing(self, seconds: float) -> bool:
        """Whether nothing comes in that time."""
        try:
            async with asyncio.timeout(seconds):
                await self.values.get()
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def subscribed(client: Client, token: str) -> AsyncGenerator[Heard]:
    """A subscription to one node, whose first value has come."""
    heard = Heard()
    subscription: Subscription = await client.create_subscription(10, heard)
    await subscription.subscribe_data_change(node(client, token))
    await heard.next()
    heard.statuses.get_nowait()
    yield heard
