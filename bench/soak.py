"""A day's polls in compressed form: what is left behind of them, in memory and of connections.

    python -m bench.soak --driver modbus

50 presses, each polled once a second for 24 hours, are 4,320,000 polls. Here plant and polls go
faster by the same factor, and each press's connection is made anew as often as in a day in which
that happens once an hour: by turns we leave, and the machine resets it. Where two processors can't
keep that up, ticks are missed and counted, and the run takes longer; the polls are all made.

The plant is in a process of its own. Its servers take two sessions each, so that one left behind
would soon be one too many, and two are opened at the end. A server keeps the session of a
connection that was reset, where that has subscriptions, until the session's time is over.
"""

import argparse
import asyncio
import gc
import json
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal

import psutil

from agent.config import Loaded, load
from agent.machine import direct_opener
from bench.polling import ROOT, new_loop
from drivers import Frame, MachineError, RefusedError, Report
from drivers.session import SESSION_TIMEOUT_S
from drivers.settings import MachineSettings
from simulators.control import send

Protocol = Literal["modbus", "flat", "euromap77"]

MACHINES = 50
DAY_S = 86_400
DAY_CONNECTIONS = 24
"""Of one machine: one an hour."""
FACTOR = 60.0
"""How much faster than real; a day is 24 minutes where that can be kept up."""
SAMPLES = 100
"""How often the memory is looked at."""
SETTLE_S = 3.0
"""For the other side to see that a connection has ended."""
RETRY_S = 2.0
SESSIONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a process holds."""

    tasks: int
    files: int
    """Open descriptors, sockets among them."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What one run came to."""

    driver: Protocol
    machines: int
    factor: float
    polls: int = 0
    reports: int = 0
    missed: int = 0
    """Ticks that no poll was made for."""
    connections: int = 0
    resets: int = 0
    """Of those, ended by the machine."""
    retries: int = 0
    """Connections that a busy computer ended before their time, or did not let begin."""
    seconds: float = 0.0
    ours_mb: list[float] = field(default_factory=list)
    plant_mb: list[float] = field(default_factory=list)
    """Memory of the process with the drivers, and of the plant's, over the run."""
    before: Left = field(default_factory=lambda: Left(tasks=0, files=0))
    after: Left = field(default_factory=lambda: Left(tasks=0, files=0))
    plant_files: tuple[int, int] = (0, 0)
    """Open descriptors of the plant before and after."""

    @property
    def growth(self) -> float:
        """How much our memory grew, from the second tenth of the run to its last; 0.05 is 5 %."""
        return grown(self.ours_mb)

    @property
    def left(self) -> Left:
        """What was not there before."""
        return Left(
            tasks=self.after.tasks - self.before.tasks, files=self.after.files - self.before.files
        )


def grown(samples: Sequence[float]) -> float:
    """Growth from the second tenth to the last; the first is warming up.

    >>> grown([50.0, *[100.0] * 17, 104.0, 104.0])
    0.04
    """
    tenth = max(1, len(samples) // 10)
    return round(median(samples[-tenth:]) / median(samples[tenth : 2 * tenth]) - 1, 4)


def fleet_text(protocol: Protocol, machines: int) -> str:
    """A fleet of presses of one protocol."""
    tables = []
    for number in range(1, machines + 1):
        limits = f"\nlimits = {{ sessions = {SESSIONS} }}" if protocol != "modbus" else ""
        tables.append(
            f'[[press]]\nname = "IMM-{number:02}"\nprotocol = "{protocol}"\n'
            f'mold = "A-{number:04}"{limits}\n[[mold]]\nid = "A-{number:04}"\n'
        )
    return "\n".join(tables)


async def run(
    driver: Protocol,
    *,
    machines: int = MACHINES,
    polls: int = MACHINES * DAY_S,
    connections: int = DAY_CONNECTIONS,
    factor: float = FACTOR,
    resets: bool = True,
    for_s: float | None = None,
    progress: bool = False,
) -> Outcome:
    """Poll a plant of one protocol.

    Args:
        driver: Which.
        machines: How many presses.
        polls: Of all of them together.
        connections: Of each press.
        factor: How much faster than real plant and polls are.
        resets: Whether every other connection is reset by the machine.
        for_s: When every press leaves, however many polls are left; None: when all are made.
        progress: Say on standard error how far it is.
    """
    outcome = Outcome(driver=driver, machines=machines, factor=factor)
    async with _plant(driver, machines, factor) as (plant, orders, loaded):
        await asyncio.sleep(SETTLE_S)
        outcome.before, plant_files = _held(), plant.num_fds()
        loop = asyncio.get_running_loop()
        began = loop.time()
        end = began + (for_s if for_s is not None else float("inf"))
        each = max(1, polls // machines // connections)
        due = max(1, polls // SAMPLES)

        def count() -> None:
            outcome.polls += 1
            if outcome.polls % due == 0:
                outcome.ours_mb.append(psutil.Process().memory_info().rss / 1e6)
                outcome.plant_mb.append(plant.memory_info().rss / 1e6)
                if progress and outcome.polls % (10 * due) == 0:
                    print(f"{outcome.polls:,} polls, {outcome.ours_mb[-1]:.1f} MB, "
                          f"{loop.time() - began:.0f} s", file=sys.stderr, flush=True)  # fmt: skip

        async def follow(settings: MachineSettings) -> None:
            connect = direct_opener(settings, loaded)
            turn, left = 0, each
            while turn < connections and loop.time() < end:
                outcome.connections += 1
                try:
                    async with connect() as press:
                        async for observation in press.observations():
                            outcome.reports += isinstance(observation, Report)
                            if not isinstance(observation, Frame):
                                continue
                            count()
                            left -= 1
                            if left == 0 and resets and turn % 2:
                                await send(*orders, f"{settings.name} link_dropped")
                            elif left == 0 or loop.time() > end:
                                break
                        outcome.missed += press.condition.missed
                except MachineError:
                    if left > 0:
                        outcome.retries += 1
                        await asyncio.sleep(RETRY_S)
                        continue
                    outcome.resets += 1
                turn, left = turn + 1, each

        async with asyncio.TaskGroup() as group:
            for settings in loaded.config.machine:
                polled = settings.model_copy(update={"poll_s": max(0.01, 1 / factor)})
                group.create_task(follow(polled), name=f"follow {settings.name}")
        outcome.seconds = loop.time() - began
        await _all_sessions(loaded)
        await asyncio.sleep(SETTLE_S)
        gc.collect()
        outcome.after, outcome.plant_files = _held(), (plant_files, plant.num_fds())
    return outcome


async def _all_sessions(loaded: Loaded) -> None:
    """Open as many sessions on every server as it takes; one left behind is one too many.

    Raises:
        RefusedError: there is one, longer than a session lasts.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + SESSION_TIMEOUT_S + SETTLE_S
    for settings in loaded.config.machine:
        connect = direct_opener(settings, loaded)
        while True:
            try:
                async with AsyncExitStack() as stack:
                    for _ in range(SESSIONS):
                        await stack.enter_async_context(connect())
                break
            except RefusedError:
                if loop.time() > until:
                    raise
                await asyncio.sleep(1.0)


def _held() -> Left:
    return Left(tasks=len(asyncio.all_tasks()), files=psutil.Process().num_fds())


@asynccontextmanager
async def _plant(
    driver: Protocol, machines: int, factor: float
) -> AsyncGenerator[tuple[psutil.Process, tuple[str, int], Loaded]]:
    """The plant's process, where it takes orders, and the configuration for it."""
    with tempfile.TemporaryDirectory(prefix="sprue-soak-") as name:
        fleet, config = Path(name) / "fleet.toml", Path(name) / "sprue.toml"
        fleet.write_text(fleet_text(driver, machines), encoding="utf-8")
        words = ("simulate", str(fleet), "--free-ports", "--until-stdin-closes", "--control", "0")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "agent", *words),
            *("--speed", str(factor), "--config-out", str(config)),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            while not (line := await process.stdout.readline()).startswith(b"orders at "):
                if not line:
                    raise RuntimeError("the plant did not start")
            host, _, port = line.decode().split()[-1].partition(":")
            yield psutil.Process(process.pid), (host, int(port)), load(config)
        finally:
            process.terminate()
            await process.communicate()


def told(outcome: Outcome) -> str:
    """The outcome for a person."""
    end = max(1, len(outcome.ours_mb) // 10)
    return "\n".join(
        [
            f"{outcome.driver}: {outcome.machines} presses, {outcome.polls:,} polls, "
            f"{outcome.reports:,} cycles, {outcome.connections:,} connections "
            f"({outcome.resets:,} reset by the machine, {outcome.retries:,} cut short by a busy "
            f"computer) in {outcome.seconds:.0f} s; "
            f"{outcome.missed:,} ticks missed",
            f"  memory {outcome.ours_mb[end]:.1f} to {outcome.ours_mb[-1]:.1f} MB "
            f"({outcome.growth:+.1%}); the plant {outcome.plant_mb[end]:.1f} to "
            f"{outcome.plant_mb[-1]:.1f} MB",
            f"  left behind: {outcome.left.tasks} tasks, {outcome.left.files} files and sockets; "
            f"at the plant {outcome.plant_files[1] - outcome.plant_files[0]}",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one soak and print it; 1 where something is left behind."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--driver", choices=("modbus", "flat", "euromap77"), default="modbus")
    parser.add_argument("--machines", type=int, default=MACHINES, metavar="N")
    parser.add_argument("--day", type=float, default=1.0, help="share of a day's polls")
    parser.add_argument(
        "--connections", type=int, metavar="N",
        help="of each press; without it, as many as that share of a day has",
    )  # fmt: skip
    parser.add_argument("--factor", type=float, default=FACTOR, help="how much faster than real")
    parser.add_argument("--no-resets", action="store_true", help="it is always us who leave")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--minutes", type=float, help="leave then, with as many polls as were made by then"
    )
    args = parser.parse_args(argv)
    polls = round(args.machines * DAY_S * args.day)
    connections = args.connections or max(4, round(DAY_CONNECTIONS * args.day))
    with asyncio.Runner(loop_factory=new_loop) as runner:
        outcome = runner.run(
            run(
                args.driver,
                machines=args.machines,
                polls=polls,
                connections=connections,
                factor=args.factor,
                resets=not args.no_resets,
                for_s=None if args.minutes is None else 60 * args.minutes,
                progress=not args.json,
            )
        )
    print(json.dumps({**asdict(outcome), "growth": outcome.growth}) if args.json else told(outcome))
    is_clean = outcome.growth <= 0.05 and outcome.left.tasks <= 0 and outcome.left.files <= 0
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
