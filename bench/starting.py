"""How long a start takes: `python -m bench.starting`.

From the moment the process is made to the first row of a machine that is on disk, and to the first
page; with what the process has computed until then. Each start follows a kill of the one before.
"""

import argparse
import asyncio
import re
import sqlite3
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from simulators.fleet import load
from simulators.plant import open_plant
from tests.line.harness import Agent, an_agent

STARTS = 9
FLEET = "demo"
PATIENCE_S = 60.0
LOOK_S = 0.01
ADDRESS = re.compile(r"^Sprue: (http\S+)$", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start of the agent; seconds since its process was made."""

    row_s: float
    """Until a machine's row was on disk, by another process's reading."""
    page_s: float
    """Until the whole overview was answered."""
    row_cpu_s: float
    """Of processor time, user and system, until the row."""
    page_cpu_s: float


async def starts(folder: Path, times: int) -> list[Start]:
    """Start an agent on a simulated plant again and again; the first one makes the record."""
    found = []
    async with (
        open_plant(load(FLEET), speed=10, free_ports=True) as plant,
        an_agent(plant, folder) as agent,
    ):
        for _ in range(times + 1):
            found.append(await _start(agent))
            await agent.kill()
            agent.log.unlink()
    return found[1:]


async def _start(agent: Agent) -> Start:
    began, wall = time.perf_counter(), time.time_ns()
    await agent.start()
    assert agent.process is not None
    process = psutil.Process(agent.process.pid)

    async def since(done: Callable[[], bool]) -> tuple[float, float]:
        async with asyncio.timeout(PATIENCE_S):
            while not await asyncio.to_thread(done):  # noqa: ASYNC110 - another process has no event
                await asyncio.sleep(LOOK_S)
        used = process.cpu_times()
        return time.perf_counter() - began, used.user + used.system

    (row_s, row_cpu_s), (page_s, page_cpu_s) = await asyncio.gather(
        since(lambda: _seen_since(agent.config.parent / "plant.db", wall)),
        since(lambda: _answers(agent.log)),
    )
    return Start(row_s=row_s, page_s=page_s, row_cpu_s=row_cpu_s, page_cpu_s=page_cpu_s)


def _seen_since(record: Path, at_ns: int) -> bool:
    """Whether the record says of a machine that it was seen after an instant."""
    if not record.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"file:{record}?mode=ro", uri=True)) as connection:
            (seen_ns,) = connection.execute("SELECT max(seen_ns) FROM machine").fetchone()
    except sqlite3.OperationalError:  # it is only being made
        return False
    return seen_ns is not None and seen_ns > at_ns


def _answers(log: Path) -> bool:
    told = ADDRESS.search(log.read_text())
    if told is None:
        return False
    try:
        with urllib.request.urlopen(told[1], timeout=5) as answer:
            return bool(answer.read())
    except urllib.error.URLError:
        return False


def table(found: list[Start]) -> list[str]:
    """Median and worst, a line each."""
    lines = [
        "| from the process's making to | median | slowest | processor time |",
        "|---|---|---|---|",
    ]
    for what, seconds, cpu in (
        ("a machine's first row on disk", [s.row_s for s in found], [s.row_cpu_s for s in found]),
        ("the first page", [s.page_s for s in found], [s.page_cpu_s for s in found]),
    ):
        lines.append(
            f"| {what} | **{median(seconds):.2f} s** | {max(seconds):.2f} s | {median(cpu):.2f} s |"
        )
    return lines


def section(found: list[Start]) -> str:
    """Its part of the reference page."""
    rows = "\n".join(table(found))
    return f"""
## A start

From the making of the agent's process, which watches the twelve presses of `{FLEET}`, to what
others see of it: each start after a kill of the one before. Machines are watched before the pages
are loaded. {len(found)} starts.

{rows}

The processor time is what a start takes on a computer with nothing else to do; the rest is waiting
for others' work. `python -m bench.starting` measures it.
"""


async def measured(times: int) -> list[Start]:
    """So many starts in a folder that goes with them."""
    with tempfile.TemporaryDirectory(prefix="sprue-bench-") as name:
        return await starts(Path(name), times)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.starting")
    parser.add_argument("--starts", type=int, default=STARTS, metavar="N")
    args = parser.parse_args()
    print("\n".join(table(await measured(args.starts))))


if __name__ == "__main__":
    asyncio.run(main())
