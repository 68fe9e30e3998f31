"""A wire that a test can cut: a TCP relay between a driver and a simulated press."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Wire:
    """Passes bytes on until it is told not to."""

    def __init__(self, port: int) -> None:
        self.port = port
        """Where the driver connects."""
        self._passes = asyncio.Event()
        self._passes.set()
        self._writers: set[asyncio.StreamWriter] = set()

    def hold(self) -> None:
        """Keep every byte, with all connections up: what a black hole looks like."""
        self._passes.clear()

    def let_go(self) -> None:
        """Pass on what was kept, and all that comes."""
        self._passes.set()

    def cut(self) -> None:
        """Drop every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def carry(
        self, from_reader: asyncio.StreamReader, to_writer: asyncio.StreamWriter
    ) -> None:
        """Pass bytes one way until one end closes."""
        try:
            while data := await from_reader.read(65536):
                await self._passes.wait()
                to_writer.write(data)
                await to_writer.drain()
        except ConnectionError:
            pass
        finally:
            to_writer.close()

    async def join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: int
    ) -> None:
        """Join one client with the server."""
        there, back = await asyncio.open_connection("127.0.0.1", to)
        ends = {writer, back}
        self._writers |= ends
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.carry(reader, back))
                tasks.create_task(self.carry(there, writer))
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()


@asynccontextmanager
async def wire(to: int) -> AsyncGenerator[Wire]:
    """A wire to a port on loopback."""
    joined: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        joined.add(task)
        try:
            await line.join(reader, writer, to)
        except asyncio.CancelledError:
            pass  # asyncio logs a connection's task that was cancelled
        finally:
            joined.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    line = Wire(server.sockets[0].getsockname()[1])
    try:
        yield line
    finally:
        server.close()
        for task in tuple(joined):
            task.cancel()
        await asyncio.gather(*joined, return_exceptions=True)
        await server.wait_closed()
