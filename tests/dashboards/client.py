"""What the tests of the pages speak with: a server of ours, plain HTTP, and a viewer."""

import asyncio
import contextlib
import gzip
import json
import math
import os
import socket
import struct
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from typing import Any
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from agent.live import Plant
from dashboards.server import serve
from dashboards.wire import COLUMNS, Topic


@contextlib.asynccontextmanager
async def serving(plant: Plant, port: int = 0, **options: Any) -> AsyncGenerator[str]:
    """The pages of a plant, served on loopback; yields their address, without its last slash."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as tasks:
        server = tasks.create_task(serve(plant, "127.0.0.1", port, address.set_result, **options))
        try:
            yield (await address).rstrip("/")
        finally:
            server.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said to one request."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    cookies: Sequence[str] = ()
    """Every Set-Cookie."""

    @property
    def text(self) -> str:
        """The body, unpacked."""
        body = self.body
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return body.decode()


async def post(url: str, fields: Mapping[str, str], /, **headers: str) -> Answer:
    """Send a form, as a browser does."""
    body = urlencode(fields).encode()
    given = {
        "origin": "http://" + urlsplit(url).netloc,
        "content_type": "application/x-www-form-urlencoded",
        "content_length": str(len(body)),
    }
    return await get(url, "POST", body, **(given | headers))


async def get(url: str, method: str = "GET", content: bytes = b"", /, **headers: str) -> Answer:
    """Ask once; underscores in header names are dashes."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    given = {"host": where.netloc, "connection": "close"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    path = (where.path or "/") + (f"?{where.query}" if where.query else "")
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    try:
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + content)
        async with asyncio.timeout(5):
            raw = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    head, _, body = raw.partition(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    parsed = BytesHeaderParser().parsebytes(rest)
    found = {name.lower(): value for name, value in parsed.items()}
    if found.get("transfer-encoding") == "chunked":
        body = _joined(body)
    cookies = parsed.get_all("set-cookie") or []
    return Answer(status=int(first.split()[1]), headers=found, body=body, cookies=cookies)


async def until(true: Callable[[], bool], within_s: float) -> None:
    """Wait for something that nobody tells.

    Raises:
        AssertionError: it did not become true in time.
    """
    for _ in range(math.ceil(within_s / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {within_s} s")


@contextlib.asynccontextmanager
async def frozen_page(address: str) -> AsyncGenerator[Callable[[], None]]:
    """A page that asks for everything, and then takes nothing; yields what says its farewell."""
    where = urlsplit(address)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=1024)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    writer.write(
        f"GET /live HTTP/1.1\r\nHost: {where.netloc}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.write(_frame(0x1, b'{"sub":["plant"],"seq":0}'))
    try:
        yield lambda: writer.write(_frame(0x8, struct.pack("!H", 1001)))
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def _frame(opcode: int, said: bytes) -> bytes:
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(said))
    return struct.pack("!BB", 0x80 | opcode, 0x80 | len(said)) + mask + masked


async def flood(plant: Plant, true: Callable[[], bool], within_s: float) -> None:
    """Change every press, over and over, until something is true."""

    def change() -> bool:
        for machine in plant.machines:
            plant.set(machine, reason=os.urandom(60).hex())
        return true()

    await until(change, within_s)


def _joined(body: bytes) -> bytes:
    joined = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        joined += body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]
    return joined


class Viewer:
    """An open page, as far as the server can tell."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, **message: object) -> None:
        """Send one message."""
        await self.connection.send(json.dumps(message))

    async def hear(self, topic: str) -> dict[str, Any]:
        """The next message of one kind; others are passed over."""
        async with asyncio.timeout(3):
            while True:
                message: dict[str, Any] = json.loads(await self.connection.recv())
                if message["t"] == topic:
                    return message

    async def changes(self, topic: Topic) -> list[dict[str, Any]]:
        """The rows of the next message that tells of this topic, by column."""
        async with asyncio.timeout(3):
            while not (rows := (await self.hear("change")).get(topic)):
                pass
        return [row_of(topic, row) for row in rows]

    async def closed(self) -> tuple[int, str]:
        """Read until the server closes; code and reason."""
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(8):
                async for _message in self.connection:
                    pass
        assert self.connection.close_code is not None
        return self.connection.close_code, self.connection.close_reason or ""


def row_of(topic: Topic, row: list[Any]) -> dict[str, Any]:
    """A row by column, with its `place`."""
    place, mask, *values = row
    names = [name for bit, name in enumerate(COLUMNS[topic]) if mask >> bit & 1]
    return {"place": place, **dict(zip(names, values, strict=True))}


@contextlib.asynccontextmanager
async def viewing(address: str, subscribe: bool = True) -> AsyncGenerator[Viewer]:
    """A viewer of the plant that has said what it wants."""
    async with connect(f"{address.replace('http', 'ws')}/live") as connection:
        viewer = Viewer(connection)
        if subscribe:
            await viewer.say(sub=["plant"], seq=0)
        yield viewer
