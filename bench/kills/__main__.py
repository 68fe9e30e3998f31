"""Kills at random moments: `python -m bench.kills --kills 500`.

A whole agent watches simulated presses at sixty times their speed over real sockets and sends all
to a sink. It is killed with SIGKILL at random moments, at its start too; after each kill its record
is looked through before it starts anew. In the end record and sink are held against the presses'
own log of what happened.
"""

import argparse
import asyncio
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.kills.autopsy import Witnessed, faults
from simulators.fleet import load
from simulators.plant import Plant, open_plant
from tests.forward.v2 import Endpoint, serving
from tests.line.harness import (
    Agent,
    Comparison,
    an_agent,
    read_truth,
    same_values,
    shots_by_mold,
    stand_still,
    true_shots_by_mold,
    unobserved,
    until,
    until_all_seen,
    until_caught_up,
)

KILLS = 500
SPEED = 60.0
POLL_S = 0.05
YOUNG = 0.25
"""Share of the agents that die while they start."""
YOUNG_S = 2.0
"""They live so long at most."""
GROWN_S = 3.0
"""All others live so long at most once their pages are up."""
SERVED = re.compile(r"^Sprue: ", re.M)


@dataclass
class Campaign:
    """What came of it."""

    kills: int = 0
    kills_at_start: int = 0
    """Of those, before the pages were up."""
    cycles: int = 0
    unobserved: int = 0
    at_sink: int = 0
    sent: int = 0
    faults: list[str] = field(default_factory=list)
    starts_s: list[float] = field(default_factory=list)
    """From the process's making to the pages, where it lived so long."""


async def campaign(
    folder: Path, kills: int, seed: int, *, minutes: float = 1e9, say: Callable[[str], None] = print
) -> Campaign:
    """Kill an agent so often, and look at what is left each time.

    Args:
        folder: Empty.
        kills: How often.
        seed: Of the moments, and of what the presses do.
        minutes: No more kills after so many.
        say: Told how far it is, now and then.
    """
    ends = time.monotonic() + 60 * minutes
    rng, found, sink = random.Random(seed), Campaign(), Endpoint()
    truth = folder / "truth.jsonl"
    async with (
        open_plant(load("six"), speed=SPEED, seed=seed, truth=truth, free_ports=True) as plant,
        serving(sink.handle) as url,
        an_agent(plant, folder, POLL_S) as agent,
    ):
        with agent.config.open("a", encoding="utf-8") as config:
            config.write(f'\n[[forward]]\nkind = "influxdb"\nurl = "{url}"\nbucket = "plant"\n')
        await stand_still(plant)
        before = len(read_truth(truth))
        await agent.start()
        await until_all_seen(agent, plant)
        for press in plant.presses.values():
            press.resume()
        witnessed = Witnessed(folder / "plant.db")
        for n in range(kills):
            if time.monotonic() > ends:
                break
            if n and n % 10 == 0:
                say(f"{n} kills, {len(witnessed.cycles)} cycles, {len(found.faults)} faults")
            await _live_and_die(agent, rng, found, witnessed)
            found.faults += await asyncio.to_thread(
                lambda: list(faults(folder / "plant.db", witnessed, dict(sink.stored)))
            )
            await asyncio.sleep(rng.uniform(0.0, 0.5))
            agent.log.write_text("")
            await agent.start()
        await _settle(agent, plant)
        rows = read_truth(truth)[before:]
        await _all_at_sink(agent, sink)
        await agent.kill()
    _against_truth(agent, rows, found)
    found.at_sink = sum(each.startswith("sprue_cycle,") for each in sink.stored)
    found.sent = sink.written
    return found


async def _live_and_die(
    agent: Agent, rng: random.Random, found: Campaign, witnessed: Witnessed
) -> None:
    loop = asyncio.get_running_loop()
    began, served_s = loop.time(), None
    dies_s = rng.uniform(0.0, YOUNG_S) if rng.random() < YOUNG else float("inf")
    while (age_s := loop.time() - began) < dies_s:
        if served_s is None and SERVED.search(agent.log.read_text()):
            served_s = age_s
            found.starts_s.append(age_s)
            dies_s = min(dies_s, age_s + rng.uniform(0.0, GROWN_S))
        await asyncio.sleep(0.01)
    witnessed.look()
    await agent.kill()
    found.kills += 1
    found.kills_at_start += served_s is None


async def _settle(agent: Agent, plant: Plant) -> None:
    await until_all_seen(agent, plant)
    await stand_still(plant)
    await until_caught_up(agent, plant)


async def _all_at_sink(agent: Agent, sink: Endpoint) -> None:
    cycles = len(agent.cycles())
    with suppress(AssertionError):  # what is missing is said as the campaign's own fault
        await until(
            "the sink has every cycle",
            lambda: sum(each.startswith("sprue_cycle,") for each in list(sink.stored)) >= cycles,
        )


def _against_truth(agent: Agent, rows: Sequence[dict[str, object]], found: Campaign) -> None:
    """Every shot of the truth is seen or counted as not observed, once, with its own values.

    When it ended is not compared: polls of a busy computer come late at this speed.
    """
    cycles, runs = agent.cycles(), agent.runs()
    true = {(str(row["machine"]), row["counter"]): row for row in rows}
    kept = {(booked.cycle.machine, booked.cycle.counter) for booked in cycles}
    missing = {(name, n) for name, numbers in unobserved(runs).items() for n in numbers}
    found.cycles, found.unobserved = len(cycles), len(missing)
    for key in sorted(set(true) - kept - missing, key=str):
        found.faults.append(f"{key} was made, and is nowhere")
    for key in sorted((kept | missing) - set(true), key=str):
        found.faults.append(f"{key} is in the record, and was never made")
    for key in sorted(kept & missing):
        found.faults.append(f"{key} is seen and not observed at once")
    comparison = Comparison()
    for booked in cycles:
        key = (booked.cycle.machine, booked.cycle.counter)
        if key in true:
            same_values(booked, true[key], comparison)
            if booked.mold != true[key]["mold"]:
                comparison.fail(f"{key}: on {booked.mold}, was {true[key]['mold']}")
    found.faults += comparison.wrong
    if shots_by_mold(runs) != true_shots_by_mold(list(rows)):
        found.faults.append(f"molds took {shots_by_mold(runs)}, not {true_shots_by_mold(rows)}")


def table(found: Campaign) -> list[str]:
    """The figures, for a page."""
    starts = sorted(found.starts_s) or [0.0]
    return [
        f"| SIGKILLs | {found.kills}, {found.kills_at_start} of them while it started |",
        "|---|---|",
        f"| shots made meanwhile | {found.cycles + found.unobserved} |",
        f"| of these in the record with their values | {found.cycles} |",
        f"| counted as not observed, while no agent lived | {found.unobserved} |",
        f"| cycles at the sink, each once | {found.at_sink} |",
        f"| points sent again after a kill | {found.sent - found.at_sink} more than cycles |",
        f"| **faults found** | **{len(found.faults)}** |",
        f"| start until the pages are up | median {median(starts):.1f} s, "
        f"95 % within {starts[int(0.95 * (len(starts) - 1))]:.1f} s, slowest {starts[-1]:.1f} s |",
    ]


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.kills")
    parser.add_argument("--kills", type=int, default=KILLS, metavar="N")
    parser.add_argument("--minutes", type=float, default=1e9, metavar="N", help="then no more")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sprue-bench-") as name:
        found = await campaign(
            Path(name), args.kills, args.seed, minutes=args.minutes,
            say=lambda words: print(words, file=sys.stderr, flush=True),
        )  # fmt: skip
    print("\n".join(table(found)))
    for sentence in found.faults[:50]:
        print(sentence)
    print(f"in {(time.monotonic() - began) / 60:.0f} min", file=sys.stderr)
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
