"""What a simulated plant costs at real speed, alone and while an agent watches it.

    python -m bench.plant --fleet wall --seconds 30

Plant and agent are processes of their own, as a user starts them; what is measured is their
processor time, user and system, and their memory.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from simulators.fleet import load

ROOT = Path(__file__).parents[1]
WARM_UP_S = 20.0
"""For an agent to have every link up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a process used."""

    cores: float
    """Processor seconds a second."""
    memory_mb: float
    """Resident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantOutcome:
    """One plant, measured twice."""

    fleet: str
    presses: int
    seconds: float
    shots: int
    """Closings while it was watched."""
    alone: Usage
    watched: Usage
    agent: Usage
    """The agent that watches it, everything included."""


async def run(fleet: str, seconds: float, warm_up_s: float = WARM_UP_S) -> PlantOutcome:
    """Measure a fleet that is shipped."""
    with tempfile.TemporaryDirectory(prefix="sprue-bench-") as name:
        folder = Path(name)
        truth, machines = folder / "truth.jsonl", folder / "plant.toml"
        words = ["simulate", fleet, "--free-ports", "--until-stdin-closes"]
        words += ["--config-out", str(machines), "--truth", str(truth)]
        async with process(words) as (plant, said):
            while not (await said.readline()).startswith(b"orders at"):
                pass
            (alone,) = await _used([plant], seconds)
            config = folder / "sprue.toml"
            head = '[record]\nurl = "sqlite:///plant.db"\n[web]\nlisten = "127.0.0.1:0"\n'
            config.write_text(head + machines.read_text(encoding="utf-8"), encoding="utf-8")
            async with process(["run", str(config)]) as (agent, _):
                await asyncio.sleep(warm_up_s)
                before = len(truth.read_bytes().splitlines())
                watched, watching = await _used([plant, agent], seconds)
                shots = len(truth.read_bytes().splitlines()) - before
    return PlantOutcome(
        fleet=fleet,
        presses=len(load(fleet).press),
        seconds=seconds,
        shots=shots,
        alone=alone,
        watched=watched,
        agent=watching,
    )


@asynccontextmanager
async def process(
    words: Sequence[str],
) -> AsyncGenerator[tuple[psutil.Process, asyncio.StreamReader]]:
    """`sprue` with some words in a process of its own, and what it says."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", *words,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, cwd=ROOT,
    )  # fmt: skip
    assert started.stdout is not None
    try:
        yield psutil.Process(started.pid), started.stdout
    finally:
        started.terminate()
        await started.communicate()


async def _used(processes: Sequence[psutil.Process], seconds: float) -> list[Usage]:
    loop = asyncio.get_running_loop()
    began, before = loop.time(), [_cpu_s(process) for process in processes]
    await asyncio.sleep(seconds)
    passed = loop.time() - began
    return [
        Usage(
            cores=(_cpu_s(process) - used) / passed,
            memory_mb=process.memory_info().rss / 1e6,
        )
        for process, used in zip(processes, before, strict=True)
    ]


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def told(outcome: PlantOutcome) -> str:
    """The outcome for a person."""
    rows = (
        ("plant alone", outcome.alone),
        ("plant, watched", outcome.watched),
        ("the agent", outcome.agent),
    )
    lines = [
        f"  {name:<15} {used.cores:6.3f} cores  {used.memory_mb:6.0f} MB" for name, used in rows
    ]
    head = f"{outcome.fleet}: {outcome.presses} presses at real speed, {outcome.shots} shots"
    return "\n".join([f"{head} in {outcome.seconds:.0f} s", *lines])


def main(argv: Sequence[str] | None = None) -> int:
    """Measure one fleet and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench.plant", description=__doc__)
    parser.add_argument("--fleet", default="wall")
    parser.add_argument("--seconds", type=float, default=30.0)
    args = parser.parse_args(argv)
    print(told(asyncio.run(run(args.fleet, args.seconds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
