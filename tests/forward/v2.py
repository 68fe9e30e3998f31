"""Stand-ins for what Debian has not: the v2 write call before InfluxDB 1.6, and a strict endpoint.

The first only turns the call into the older one; parsing and storage are the real server's. The
second answers as InfluxDB 2 and 3 do where a real server can't be made to.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web


@asynccontextmanager
async def serving(
    handler: Callable[[web.Request], object], *, port: int = 0
) -> AsyncGenerator[str]:
    """An HTTP server on loopback that gives every request to one handler; its URL."""
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{tail:.*}", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def v2_before(url: str) -> AsyncGenerator[str]:
    """`/api/v2/write` before a server that has `/write` only."""
    async with aiohttp.ClientSession() as session:

        async def handle(request: web.Request) -> web.Response:
            if request.path != "/api/v2/write":
                return web.Response(status=404)
            query = {"db": request.query["bucket"], "precision": request.query["precision"]}
            body = await request.read()  # unpacked by aiohttp
            try:
                async with session.post(f"{url}/write", params=query, data=body) as answer:
                    text = await answer.read()
                    return web.Response(status=answer.status, body=text)
            except aiohttp.ClientError:
                assert request.transport is not None
                request.transport.abort()  # as if the server itself had gone
                raise

        async with serving(handle) as found:
            yield found


@dataclass
class Answer:
    status: int = 204
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    """After the lines were stored."""
    torn: bool = False
    """The connection is cut after the lines were stored."""


class Endpoint:
    """Answers `/api/v2/write` as told, and keeps what it has acknowledged or silently stored.

    Args:
        judge: Says what a request is answered, by its lines.
    """

    def __init__(self, judge: Callable[[list[str]], Answer] = lambda _lines: Answer()) -> None:
        self.judge = judge
        self.stored: dict[str, str] = {}
        """Fields by series and time, as a store that overwrites has them."""
        self.requests: list[list[str]] = []
        self.headers: list[dict[str, str]] = []
        self.queries: list[dict[str, str]] = []
        self.written = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        lines = (await request.read()).decode().splitlines()  # unpacked by aiohttp
        self.requests.append(lines)
        self.headers.append(dict(request.headers))
        self.queries.append(dict(request.query))
        answer = self.judge(lines)
        if answer.status == 204 or answer.torn:
            for line in lines:
                series, fields, time_ns = split(line)
                self.stored[f"{series} {time_ns}"] = fields
                self.written += 1
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        if answer.torn:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=answer.status, text=answer.body, headers=answer.headers)


def split(line: str) -> tuple[str, str, str]:
    """Series, fields and time of a line whose texts may hold blanks.

    >>> split(r'a,b=c\\ d x="e f",y=1i 5')
    ('a,b=c\\\\ d', 'x="e f",y=1i', '5')
    """
    rest, time_ns = line.rsplit(" ", 1)
    at = next(i for i, c in enumerate(rest) if c == " " and rest[i - 1] != "\\")
    return rest[:at], rest[at + 1 :], time_ns
