"""Orders to a simulator that runs: lines of text, over a socket on this computer or typed."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NoReturn

from simulators.faults import FaultError
from simulators.orders import parsed
from simulators.strict import FleetError

if TYPE_CHECKING:  # who only sends an order waits for no protocol
    from simulators.plant import Plant

PORT = 15999
"""Where a simulator listens for orders unless told otherwise."""
HELP = (
    "type 'IMM-03 late_reply delay_s=2 for=60', 'IMM-03 off late_reply' or 'list'; "
    "`sprue fault --list` prints what there is"
)
LONGEST_LINE = 4096
PATIENCE_S = 5.0


async def obey(plant: "Plant", line: str) -> str:
    """Carry out one line; what to answer, `ok: ...` or `error: ...`."""
    if line.strip() == "list":
        on = [f"{name}: {', '.join(each.names)}" for name, each in plant.faults.items()
              if each.names]  # fmt: skip
        return "ok: " + ("; ".join(on) or "no fault is on")
    if line.strip() in ("help", "?"):
        return f"ok: {HELP}"
    try:
        machines, order = parsed(line)
        done = await plant.order(machines, order)
    except (FaultError, ValueError) as error:
        return f"error: {error}"
    if not done:
        return f"error: no press can have '{order.what}'"
    return f"ok: {order.what}{' off' if order.off else ''} at {', '.join(done)}"


@asynccontextmanager
async def listening(plant: "Plant", port: int) -> AsyncGenerator[str]:
    """Take orders while the block runs.

    Args:
        plant: Who they are for.
        port: On the loopback address; 0 for any free one.

    Yields:
        Host and port.

    Raises:
        FleetError: the port is taken.
    """
    links: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        links.add(writer)
        with contextlib.suppress(OSError, ValueError):
            while line := await reader.readline():
                writer.write((await obey(plant, line.decode("utf-8", "replace")) + "\n").encode())
                await writer.drain()
        links.discard(writer)
        writer.close()

    try:
        server = await asyncio.start_server(serve, "127.0.0.1", port, limit=LONGEST_LINE)
    except OSError as error:
        raise FleetError(
            f"can't listen for orders at 127.0.0.1:{port}: {error.strerror}; "
            "is another simulator running? Free ports can be asked for"
        ) from error
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for link in tuple(links):
            link.transport.abort()
        await server.wait_closed()


async def typed(plant: "Plant") -> NoReturn:
    """Take orders from the terminal in which the simulator runs, and answer there."""
    lines = asyncio.Queue[str]()
    loop = asyncio.get_running_loop()

    def read() -> None:
        line = sys.stdin.readline()
        if line:
            lines.put_nowait(line)
        else:
            loop.remove_reader(sys.stdin)

    loop.add_reader(sys.stdin, read)
    try:
        while True:
            line = await lines.get()
            if line.strip():
                print(await obey(plant, line), flush=True)
    finally:
        loop.remove_reader(sys.stdin)


async def send(host: str, port: int, line: str) -> str:
    """Send one order to a simulator that runs, and return its answer.

    Raises:
        FaultError: nobody answers there, or the order was refused.
    """
    try:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(line.encode() + b"\n")
                answer = (await reader.readline()).decode("utf-8", "replace").strip()
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        raise FaultError(
            f"no simulator takes orders at {host}:{port}; `sprue simulate` prints where it does"
        ) from error
    verdict, _, text = answer.partition(": ")
    if verdict != "ok":
        raise FaultError(text or "the simulator did not answer")
    return text
