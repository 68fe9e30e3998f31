"""What a poll costs: our drivers beside the bare libraries, doing the same reads in the same run.

    python -m bench.polling --driver modbus --machines 100 --poll-ms 1000 --seconds 20

`--driver subscription` measures what OPC UA notifications cost instead: each poll is then a publish
response with all values, every one of which has changed.

The devices are in a process of their own; what is measured is the processor time, user and system,
of this one. The two sides take turns, so that a machine that slows down slows both.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import median
from typing import Literal

from asyncua import Client, ua
from pymodbus.client import AsyncModbusTcpClient

from bench.devices import NAMESPACE, NODE, VALUES
from drivers import Frame, Observation, modbus, opcua
from drivers.nodes import NodeMap
from drivers.nodes import load_map as load_nodes
from drivers.polling import Ticks
from drivers.registers import RegisterMap
from drivers.registers import load_map as load_registers

Driver = Literal["modbus", "opcua", "subscription"]
LIBRARIES: Mapping[Driver, str] = {
    "modbus": "pymodbus",
    "opcua": "asyncua",
    "subscription": "asyncua",
}
ROOT = Path(__file__).parents[1]
TURNS = 4
"""Of each side."""

REGISTER_MAP = """
[[register]]
signal = "counter"
address = 0
type = "uint32"
[[register]]
signal = "injection_pressure_bar"
address = 2
type = "float32"
order = "CDAB"
unit = "bar"
[[register]]
signal = "cavity_pressure_bar"
address = 4
type = "float32"
order = "CDAB"
unit = "bar"
""" + "".join(
    f"""
[[register]]
signal = "value_{number:02}"
address = {number}
type = "int16"
scale = 0.1
latched = false
"""
    for number in range(6, VALUES)
)

NODE_MAP = f'namespace = "{NAMESPACE}"\n' + "".join(
    f"""
[[node]]
signal = "value_{number:02}"
id = "s={NODE.format(number)}"
latched = false
"""
    for number in range(VALUES)
)


Poll = Callable[[], Awaitable[object]]
"""Waits for one machine's next tick and reads everything once."""

Opener = Callable[[int, int, float], AbstractAsyncContextManager[Poll]]
"""Connects to one machine, given its number, its port and its period in s."""


@dataclass(slots=True)
class Side:
    """What one side's turns came to."""

    polls: int = 0
    missed: int = 0
    """Ticks that no read was made for."""
    cpu_s: list[float] = field(default_factory=list)
    """Processor time per 1,000 polls, one a turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one run came to."""

    driver: Driver
    machines: int
    poll_ms: int
    ours: Side
    bare: Side

    @property
    def ratio(self) -> float:
        """Our median over the bare library's."""
        return median(self.ours.cpu_s) / median(self.bare.cpu_s)


def name_of(number: int) -> str:
    """A machine's name; both sides use the same, and so the same slots."""
    return f"IMM-{number + 1:03}"


async def frame_of(observations: AsyncIterator[Observation]) -> None:
    """One whole frame of a driver, as the agent takes it."""
    frame = await anext(observations)
    if not isinstance(frame, Frame) or None in frame.values:
        raise RuntimeError(f"not a whole frame: {frame}")


@asynccontextmanager
async def our_modbus(number: int, port: int, period_s: float) -> AsyncGenerator[Poll]:
    """Our driver."""
    settings = modbus.ModbusSettings(
        name=name_of(number),
        driver="modbus",
        host="127.0.0.1",
        port=port,
        map="bench.toml",
        poll_s=period_s,
    )
    async with modbus.open_press(settings, _register_map()) as press:
        observations = press.observations()
        yield lambda: frame_of(observations)


@asynccontextmanager
async def bare_modbus(number: int, port: int, period_s: float) -> AsyncGenerator[Poll]:
    """The library's own read of as many registers, at the same ticks."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    ticks = Ticks(name_of(number), period_s)

    async def poll() -> None:
        await ticks.next()
        answer = await client.read_holding_registers(0, count=VALUES)
        if len(answer.registers) != VALUES:
            raise RuntimeError(f"not a whole answer: {answer}")

    try:
        if not await client.connect():
            raise RuntimeError(f"no connection with port {port}")
        yield poll
    finally:
        client.close()


@asynccontextmanager
async def our_opcua(number: int, port: int, period_s: float) -> AsyncGenerator[Poll]:
    """Our driver."""
    settings = opcua.OpcUaSettings(
        name=name_of(number),
        driver="opcua",
        url=f"opc.tcp://127.0.0.1:{port}",
        map="bench.toml",
        poll_s=period_s,
    )
    async with opcua.open_press(settings, bench_nodes()) as press:
        observations = press.observations()
        yield lambda: frame_of(observations)


@asynccontextmanager
async def bare_opcua(number: int, port: int, period_s: float) -> AsyncGenerator[Poll]:
    """The library's own read of as many values with their status, at the same ticks."""
    client = Client(f"opc.tcp://127.0.0.1:{port}", watchdog_intervall=60)
    ticks = Ticks(name_of(number), period_s)
    async with client:
        index = await client.get_namespace_index(NAMESPACE)
        nodes = [client.get_node(ua.NodeId(NODE.format(n), index)) for n in range(VALUES)]

        async def poll() -> None:
            await ticks.next()
            answers = await client.read_attributes(nodes)
            if any(answer.Value is None for answer in answers):
                raise RuntimeError(f"not a whole answer: {answers}")

        yield poll


@asynccontextmanager
async def our_subscription(number: int, port: int, period_s: float) -> AsyncGenerator[Poll]:
    """Our driver, to which the server publishes."""
    settings = opcua.OpcUaSettings(
        name=name_of(number),
        driver="opcua",
        url=f"opc.tcp://127.0.0.1:{port}",
        map="bench.toml",
        poll_s=period_s,
        read="subscribe",
    )
    async with opcua.open_press(settings, bench_nodes()) as press:
        observations = press.observations()
        before: tuple[object, ...] = ()

        async def poll() -> None:
            nonlocal before
            while True:
                frame = await anext(observations)
                if not isinstance(frame, Frame) or None in frame.values:
                    raise RuntimeError(f"not a whole frame: {frame}")
                if frame.values != before:
                    before = frame.values
                    return

        yield poll


class Notified:
    """The library's handler of notifications, which takes a whole response at a time."""

    def __init__(self) -> None:
        self._waiting = 0
        self._some = asyncio.Event()

    def datachange_notification(self, _node: object, value: object, _data: object) -> None:
        """One value has come."""
        if value is None:
            raise RuntimeError("a value is missing")
        self._waiting += 1
        if self._waiting >= VALUES:
            self._some.set()

    async def whole(self) -> None:
        """Wait for all values once."""
        await self._some.wait()
        self._waiting -= VALUES
        if self._waiting < VALUES:
            self._some.clear()


@asynccontextmanager
async def bare_subscription(number: int, port: int, period_s: float) -> AsyncGenerator[Poll]:
    """The library's own subscription to as many values."""
    client = Client(f"opc.tcp://127.0.0.1:{port}", watchdog_intervall=60)
    async with client:
        index = await client.get_namespace_index(NAMESPACE)
        nodes = [client.get_node(ua.NodeId(NODE.format(n), index)) for n in range(VALUES)]
        notified = Notified()
        subscription = await client.create_subscription(period_s * 1000, notified)
        await subscription.subscribe_data_change(nodes, queuesize=1)  # ours too
        yield notified.whole


SIDES: Mapping[Driver, tuple[Opener, Opener]] = {
    "modbus": (our_modbus, bare_modbus),
    "opcua": (our_opcua, bare_opcua),
    "subscription": (our_subscription, bare_subscription),
}


@cache
def _register_map() -> RegisterMap:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bench.toml").write_text(REGISTER_MAP, encoding="utf-8")
        return load_registers("bench.toml", Path(folder))


@cache
def bench_nodes() -> NodeMap:
    """The map of a device's nodes."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bench.toml").write_text(NODE_MAP, encoding="utf-8")
        return load_nodes("bench.toml", Path(folder))


async def run(driver: Driver, machines: int, poll_ms: int, seconds: float) -> Outcome:
    """Poll simulated devices, each side for half of the time, by turns."""
    ours, bare = Side(), Side()
    period_s, turn_s = poll_ms / 1000, seconds / (2 * TURNS)
    change_s = period_s / 2 if driver == "subscription" else 0.0
    async with open_devices(driver, machines, change_s) as ports:
        for _ in range(TURNS):
            for side, opener in zip((bare, ours), reversed(SIDES[driver]), strict=True):
                await take_turn(side, opener, ports, period_s, max(turn_s, 2 * period_s))
    return Outcome(driver=driver, machines=machines, poll_ms=poll_ms, ours=ours, bare=bare)


async def take_turn(
    side: Side, opener: Opener, ports: Sequence[int], period_s: float, turn_s: float
) -> None:
    """Connect to every device, then poll for a while and note the processor time of that."""
    loop = asyncio.get_running_loop()
    polls = 0

    async def follow(poll: Poll, end: float) -> None:
        nonlocal polls
        before = loop.time()
        while before < end:
            await poll()
            now = loop.time()
            polls += 1
            side.missed += max(0, round((now - before) / period_s) - 1)
            before = now

    async with AsyncExitStack() as stack:
        followed = [
            await stack.enter_async_context(opener(number, port, period_s))
            for number, port in enumerate(ports)
        ]
        await asyncio.gather(*(poll() for poll in followed))
        cpu_s, end = time.process_time(), loop.time() + turn_s
        await asyncio.gather(*(follow(poll, end) for poll in followed))
        side.cpu_s.append((time.process_time() - cpu_s) / polls * 1000)
    side.polls += polls


@asynccontextmanager
async def open_devices(
    driver: Driver, count: int, change_s: float = 0.0
) -> AsyncGenerator[list[int]]:
    """Devices in a process of their own; their ports."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.devices", driver, str(count), str(change_s)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        if not line:
            raise RuntimeError("the devices did not start")
        yield json.loads(line)
    finally:
        process.stdin.close()
        await process.wait()


def told(outcome: Outcome) -> str:
    """One outcome, for a person."""
    library = f"bare {LIBRARIES[outcome.driver]}"
    lines = [
        f"{outcome.driver}: {outcome.machines} machines, {VALUES} values each, "
        f"every {outcome.poll_ms} ms",
        *(
            f"  {name:<14} {median(side.cpu_s):8.4f} CPU s per 1,000 polls "
            f"({min(side.cpu_s):.4f} to {max(side.cpu_s):.4f}; {side.polls} polls, "
            f"{side.missed} missed)"
            for name, side in (("our driver", outcome.ours), (library, outcome.bare))
        ),
        f"  ratio {outcome.ratio:.2f}",
    ]
    return "\n".join(lines)


def new_loop() -> asyncio.AbstractEventLoop:
    """The loop that the agent runs on: uvloop where it is to be had."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one benchmark and print what it came to."""
    parser = argparse.ArgumentParser(prog="python -m bench.polling", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--driver", choices=tuple(SIDES), default="modbus")
    parser.add_argument("--machines", type=int, default=100, metavar="N")
    parser.add_argument("--poll-ms", type=int, default=1000, metavar="P")
    parser.add_argument(
        "--seconds", type=float, default=20, metavar="D", help="both sides together"
    )
    args = parser.parse_args(argv)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        print(told(runner.run(run(args.driver, args.machines, args.poll_ms, args.seconds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
