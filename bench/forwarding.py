"""A day without the sink: `python -m bench.forwarding`.

100,000 cycles wait; the sink comes back, and while they go there the agent is killed twice and the
sink twice. One machine goes on making shots all the while. Needs InfluxDB 1.6 as Debian 12 has it,
with the v2 write call put before it as in the tests.
"""

import argparse
import asyncio
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp
from aiohttp import web

from agent.batch import Batch, MachineRow
from agent.cycle import Cycle
from agent.forward.forwarding import forward
from agent.forward.settings import InfluxSettings
from agent.ledger import Ledger, Standing
from agent.record import Record, open_record
from agent.schema import VALUE_COLUMNS
from drivers import Origin
from tests.forward.servers import Server, influx_server
from tests.forward.v2 import serving

MACHINES = 20
CYCLES = 100_000
LIVE = "IMM-LIVE"
LIVE_EVERY_S = 0.5
BUCKET = "molding"
VALUES = 30
KILLS = ((0.2, "sink"), (0.4, "agent"), (0.6, "sink"), (0.8, "agent"))
"""At which share of the backlog who is killed."""

LINE = re.compile(rb"^sprue_cycle,machine=([^,]+),.*? counter=(\d+)i", re.M)


def shot(machine: str, counter: int, at: datetime) -> Cycle:
    """A cycle with as many values as a well equipped press gives."""
    values = {name: round(10 + counter % 97 / 7, 3) for name in VALUE_COLUMNS[:VALUES]}
    return Cycle(
        machine=machine, counter=counter, time=at, received_at=at, announced=True, mold="A-1",
        values=values, provenance=dict.fromkeys(values, Origin.REPORTED),
    )  # fmt: skip


async def fill(folder: Path, cycles: int) -> None:
    """A day of cycles in a record that was never forwarded."""
    begin = datetime.now(UTC) - timedelta(days=1)
    names = [f"IMM-{n:02}" for n in range(1, MACHINES + 1)]
    async with open_record(
        url(folder), [MachineRow(name=n, driver="modbus") for n in names]
    ) as record:
        books = {name: book(name, record) for name in names}
        for counter in range(1, cycles // MACHINES + 1):
            at = begin + timedelta(seconds=17 * counter)
            for name in names:
                entry = books[name].take(shot(name, counter, at))
                done = await record.keep(Batch(machine=name, entries=[entry]))
        await done


def book(machine: str, record: Record) -> Ledger:
    before = record.before.get(machine)
    return Ledger(machine, before.standing if before else Standing(), lambda _mold: "A")


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/plant.db"


async def be_agent(folder: Path, sink: str) -> None:
    """What the agent does here: forward, and keep what one machine makes."""
    settings = InfluxSettings.model_validate({"kind": "influxdb", "url": sink, "bucket": BUCKET})
    async with (
        open_record(url(folder), [MachineRow(name=LIVE, driver="modbus")]) as record,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(
            forward([settings], record, folder / "plant.db", lambda: datetime.now(UTC))
        )
        ledger = book(LIVE, record)
        counter = record.before[LIVE].standing.counter if LIVE in record.before else 0
        while True:
            counter += 1
            entry = ledger.take(shot(LIVE, counter, datetime.now(UTC)))
            await (await record.keep(Batch(machine=LIVE, entries=[entry])))
            print(counter, time.time(), flush=True)
            await asyncio.sleep(LIVE_EVERY_S)


@dataclass
class Arrivals:
    """What the sink has acknowledged, and when each shot came first."""

    first: dict[tuple[str, int], float] = field(default_factory=dict)
    order: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    lines: int = 0

    def has(self, n: int) -> bool:
        return len(self.first) >= n

    def note(self, body: bytes) -> None:
        now = time.time()
        for name, number in LINE.findall(body):
            self.lines += 1
            key = (name.decode(), int(number))
            if key not in self.first:
                self.first[key] = now
                self.order[key[0]].append(key[1])


@asynccontextmanager
async def v2_call(server: Server, arrivals: Arrivals) -> AsyncGenerator[str]:
    """The v2 write call before InfluxDB 1.6, which notes what was acknowledged."""
    async with aiohttp.ClientSession() as session:

        async def handle(request: web.Request) -> web.Response:
            body = await request.read()
            query = {"db": request.query["bucket"], "precision": "ns"}
            try:
                async with session.post(f"{server.url}/write", params=query, data=body) as answer:
                    text = await answer.text()
            except aiohttp.ClientError:
                return web.Response(status=503)
            if answer.status == 204:
                arrivals.note(body)
            return web.Response(status=answer.status, text=text)

        async with serving(handle) as found:
            yield found


class Agent:
    """The agent as a process of its own, that can be killed."""

    def __init__(self, folder: Path, sink: str) -> None:
        self._words = [sys.executable, "-m", "bench.forwarding", "--agent", str(folder), sink]
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.kept: dict[int, float] = {}
        """When the shots of the live machine were on disk."""

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        self._reading = asyncio.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            counter, at = line.split()
            self.kept[int(counter)] = float(at)

    async def kill(self) -> None:
        assert self._process is not None
        assert self._reading is not None
        self._process.kill()
        await self._process.wait()
        await self._reading


async def counted(server: Server) -> int:
    """Cycles that the sink has by its own word."""
    query = {"db": BUCKET, "q": "SELECT count(counter) FROM sprue_cycle"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/query", params=query) as answer,
    ):
        (result,) = (await answer.json())["results"]
    return sum(row[1] for series in result.get("series", []) for row in series["values"])


async def until(done: Callable[[], bool]) -> None:
    while not done():  # noqa: ASYNC110 - another process has no event
        await asyncio.sleep(0.05)


async def campaign(cycles: int, *, kills: bool) -> list[str]:
    """One day's backlog; the cells of a row."""
    with tempfile.TemporaryDirectory(prefix="sprue-bench-") as name:
        folder = Path(name)
        (folder / "influx").mkdir()
        await fill(folder, cycles)
        server, arrivals = influx_server(folder / "influx"), Arrivals()
        server.start()
        try:
            async with aiohttp.ClientSession() as session:
                query = {"q": f"CREATE DATABASE {BUCKET}"}
                async with session.post(f"{server.url}/query", params=query):
                    pass
            async with v2_call(server, arrivals) as sink:
                agent = Agent(folder, sink)
                await agent.start()
                await until(partial(arrivals.has, 1))
                began = time.time()
                for share, victim in KILLS if kills else ():
                    await until(partial(arrivals.has, int(share * cycles)))
                    if victim == "sink":
                        await asyncio.to_thread(server.kill)
                        await asyncio.to_thread(server.start)
                    else:
                        await agent.kill()
                        await agent.start()
                backlog = [f"IMM-{n:02}" for n in range(1, MACHINES + 1)]
                await until(lambda: sum(len(arrivals.order[each]) for each in backlog) >= cycles)
                seconds = time.time() - began
                last = max(agent.kept)
                await until(lambda: (LIVE, last) in arrivals.first)
                await agent.kill()
            stored = await counted(server)
        finally:
            server.stop()
    kept = {(LIVE, n): at for n, at in agent.kept.items()}
    missing = [key for key in kept if key not in arrivals.first and key[1] <= last]
    delays = [arrivals.first[key] - at for key, at in kept.items() if key in arrivals.first]
    disordered = sum(arrivals.order[each] != sorted(arrivals.order[each]) for each in backlog)
    doubled = stored - len(arrivals.first)
    return [
        "agent twice, sink twice" if kills else "none",
        f"{cycles:,}",
        f"**{cycles / seconds:,.0f}**",
        f"{max(delays):.1f} s",
        str(len(missing)),
        str(doubled),
        str(disordered),
        str(arrivals.lines - len(arrivals.first)),
    ]


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.forwarding")
    parser.add_argument("--cycles", type=int, default=CYCLES, metavar="N")
    parser.add_argument("--agent", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.agent:
        await be_agent(Path(args.agent[0]), args.agent[1])
        return
    heads = ["kills", "cycles waiting", "cycles a second", "new shots late by at most", "lost",
             "twice in the sink", "machines out of order", "sent again"]  # fmt: skip
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for kills in (False, True):
        print("| " + " | ".join(await campaign(args.cycles, kills=kills)) + " |", flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
