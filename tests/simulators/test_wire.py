"""The wire under a server of any protocol: here one that says everything back."""

import asyncio
from collections.abc import AsyncGenerator
from typing import cast

import pytest

from simulators.faults import Faults
from simulators.wire import Wire

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo(asyncio.Protocol):
    """Says everything back, and closes the link after a full stop."""

    ended: asyncio.Event

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)
        if data.endswith(b"."):
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.ended.set()


class Server:
    """An echo server for two machines on one wire."""

    def __init__(self) -> None:
        self.first, self.second = Faults(machine="IMM-01"), Faults(machine="IMM-02")
        self.wire = Wire([self.first, self.second])
        self.links: list[Echo] = []
        self.address = ("", 0)

    def echo(self) -> Echo:
        self.links.append(Echo())
        return self.links[-1]


@pytest.fixture
async def server() -> AsyncGenerator[Server]:
    made = Server()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(made.wire.wrap(made.echo), "127.0.0.1", 0)
    made.wire.listens(listening.sockets)
    made.address = listening.sockets[0].getsockname()
    yield made
    listening.close()
    made.wire.drop_all()
    await listening.wait_closed()


@pytest.fixture
async def client(server: Server) -> AsyncGenerator[Client]:
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    yield reader, writer
    writer.close()


async def test_a_fault_of_any_machine_acts_on_every_link(server: Server, client: Client) -> None:
    reader, writer = client
    await server.second.on("truncated_frame")

    writer.write(b"123456")

    assert await reader.readexactly(3) == b"123"
    assert server.wire.sound


async def test_a_link_that_is_closed_says_first_what_waits(server: Server, client: Client) -> None:
    reader, writer = client
    await server.first.on("late_reply", {"delay_s": 0.05})

    writer.write(b"late and last.")

    assert await reader.read(100) == b"late and last."
    assert await reader.read(100) == b""


async def test_answers_behind_a_late_one_come_one_by_one(server: Server, client: Client) -> None:
    reader, writer = client
    await server.first.on("late_reply", {"delay_s": 0.05})

    writer.write(b"first")
    await asyncio.sleep(0.02)
    writer.write(b"second")

    assert await reader.read(100) == b"first"
    assert await reader.read(100) == b"second"


async def test_a_goodbye_does_not_come_out_of_a_black_hole(server: Server, client: Client) -> None:
    reader, _ = client
    await server.first.on("black_hole")

    server.links[0].transport.close()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await reader.read(1)
    await server.first.off("black_hole")

    assert await reader.read(1) == b""
    await server.links[0].ended.wait()


async def test_a_black_hole_ends_when_no_machine_has_one(server: Server, client: Client) -> None:
    reader, writer = client
    await server.first.on("black_hole")
    await server.second.on("black_hole")
    writer.write(b"anybody")

    await server.first.off("black_hole")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await reader.read(1)
    await server.second.off("black_hole")

    assert await reader.readexactly(7) == b"anybody"


async def test_a_forgotten_link_ends_when_its_client_closes_it(
    server: Server, client: Client
) -> None:
    await server.first.on("half_open")

    client[1].close()
    await server.links[0].ended.wait()

    assert not server.wire.links


async def test_nothing_is_said_on_a_link_that_has_ended(server: Server, client: Client) -> None:
    await server.first.on("slow_answers", {"delay_s": 0.05})
    client[1].write(b"hello")
    client[1].close()
    await server.links[0].ended.wait()

    server.links[0].transport.write(b"too late")

    assert server.links[0].transport.is_closing()
    assert not server.wire.links


async def test_every_link_is_reset_when_the_server_drops_all(
    server: Server, client: Client
) -> None:
    server.wire.drop_all()

    with pytest.raises(ConnectionResetError):
        await client[0].read(1)


async def test_who_comes_while_the_server_stops_is_reset_too(server: Server) -> None:
    server.wire.drop_all()
    reader, late = await asyncio.open_connection(*server.address)
    with pytest.raises(ConnectionResetError):
        async with asyncio.timeout(10):
            await reader.read(1)

    server.wire.listens([])
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    late.close()
    writer.close()
