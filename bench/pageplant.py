"""The plants that `bench.pages` looks at, each in a process of its own.

python -m bench.pageplant tiles|press|stamp [FOLDER]
"""

import asyncio
import random
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

from agent.live import Plant, Site, Tile
from agent.shotnow import ShotNow
from dashboards.server import serve
from drivers import Column, Frame, Quality
from tests.dashboards.demo_server import mold
from tests.dashboards.recorded import recorded
from tests.dashboards.story import crowd, story

STAMP_MS = 3_000_000
"""Stamps go round here: a float32 holds them to a quarter of a millisecond."""

COLUMN = (Column(signal="injection_pressure_bar", source="bench"),)


def say(address: str) -> None:
    """Tell the bench where the pages are."""
    print(address, flush=True)


async def change(plant: Plant) -> NoReturn:
    """Every press has a cycle a second, spread over it: what no plant does."""
    chance = random.Random(7)
    machines = plant.machines
    while True:
        for n, machine in enumerate(machines):
            value = round(10 + chance.random(), 2)
            plant.set(
                machine,
                state="running",
                reason="",
                cycle_time_s=round(2 * value, 2),
                cooling_time_s=value,
                cooling_spark=plant.cooled(machine, value),
                shots=plant.tile(machine).shots + 1,
                cycles=plant.tile(machine).cycles + 1,
            )
            plant.seen(machine, plant.clock())
            if n % 20 == 19:
                await asyncio.sleep(20 / len(machines))


async def stamp(plant: Plant) -> NoReturn:
    """Ten samples a second, each worth the time at which it was taken."""
    shot = ShotNow()
    while True:
        value = time.time() * 1000 % STAMP_MS
        frame = Frame(
            machine="IMM-001", columns=COLUMN, values=(value,), qualities=(Quality.GOOD,),
            received_at=datetime.now(UTC),
        )  # fmt: skip
        phase = "fill" if shot.count else "close"
        if shot.began_at is None:
            shot.take(frame, {"phase": "close"})
            phase = "fill"
        if shot.take(frame, {"phase": phase}):
            plant.draw("IMM-001", shot)
        await asyncio.sleep(0.1 + random.random() / 100)


async def main(what: str, folder: str) -> None:
    """Serve until killed."""
    record = None
    if what == "tiles":
        crowded = crowd(200)
        tiles = [replace(tile, stale_after_s=60.0) for tile in crowded.tiles]
        plant = Plant(Site(name="Bench", timezone="UTC"), tiles, lambda: datetime.now(UTC))
        work = change(plant)
    elif what == "press":
        plant, record = story(24), await recorded(Path(folder))
        work = mold(plant)
    else:
        tile = Tile(machine="IMM-001", label="001", seen_at=datetime.now(UTC) + timedelta(hours=1))
        plant = Plant(Site(name="Bench", timezone="UTC"), [tile], lambda: datetime.now(UTC))
        record = await recorded(Path(folder))
        work = stamp(plant)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work)
        tasks.create_task(serve(plant, "127.0.0.1", 0, say, record=record))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "."))
