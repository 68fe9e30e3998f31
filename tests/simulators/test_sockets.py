"""What becomes of an OPC UA server's clients when it stops."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from asyncua import Client, Node

from simulators.opcua.limits import LimitedSession
from simulators.opcua.server import UaServer
from simulators.opcua.sharednodes import standard_nodes


@pytest.fixture
async def server() -> AsyncGenerator[UaServer]:
    server = UaServer(standard_nodes(), [], name="test", uri="urn:test:server")
    await server.init()
    await server.listen("127.0.0.1", 0)
    yield server
    await server.close()


class Deaf:
    def datachange_notification(self, _node: Node, _value: Any, _data: Any) -> None:
        pass


async def test_a_server_that_stops_waits_for_nobody_who_has_just_come(server: UaServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)):
        async with asyncio.timeout(10):
            await server.close()


async def test_subscriptions_end_with_their_session_though_its_link_breaks_meanwhile(
    server: UaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions: list[LimitedSession] = []
    create = LimitedSession.create_session

    async def noted(self: LimitedSession, *given: Any, **more: Any) -> Any:
        sessions.append(self)
        return await create(self, *given, **more)

    monkeypatch.setattr(LimitedSession, "create_session", noted)
    async with Client(f"opc.tcp://127.0.0.1:{server.port}") as client:
        before = asyncio.all_tasks()
        await client.create_subscription(60_000, Deaf())
        (loop,) = [
            task for task in asyncio.all_tasks() - before if "subscription_loop" in str(task)
        ]

        closing = asyncio.create_task(sessions[0].close_session())
        await asyncio.sleep(0)
        closing.cancel()

        async with asyncio.timeout(10):
            await asyncio.wait([loop])
        assert loop.cancelled()
