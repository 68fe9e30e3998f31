"""The agent: every machine's task, the record and the pages in one group, from start to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import NoReturn
from zoneinfo import ZoneInfo

from agent.audit import Author
from agent.config import Loaded
from agent.crew import Crew
from agent.cycle import Booked
from agent.difference import Difference
from agent.display import first_tile
from agent.files import main_path
from agent.history import Filter, open_history
from agent.line import Line
from agent.live import SPARK_CYCLES, Plant, Site, Today
from agent.molds.moldlife import MoldLife
from agent.molds.seed import ORIGIN
from agent.molds.shelf import Shelf
from agent.record import Record, open_record
from agent.reloading import reload_when_asked
from agent.services import Running, services
from agent.supervisor import keep_told
from agent.today import Tally, day_start

Pages = Callable[[Plant], Awaitable[None]]
"""Serves the pages of a plant until cancelled."""

TICK_S = 1.0
MOLDS_EVERY_S = 60.0


def now() -> datetime:
    """Our clock, UTC."""
    return datetime.now(UTC)


async def run(loaded: Loaded, pages: Pages, asked: asyncio.Event | None = None) -> None:
    """Run until cancelled, or until one of our own parts fails.

    A machine that goes away is an ordinary day: its task waits for it. A record that breaks, or an
    address that is taken, is not: the error ends the group.

    Args:
        loaded: The configuration.
        pages: Serves the pages.
        asked: Set by who wants the configuration read anew.

    Raises:
        ExceptionGroup: with what failed, such as a `RecordError`.
    """
    async with open_record(
        loaded.record_url, loaded.machine_rows, loaded.mold_rows,
        reserve_bytes=int(loaded.config.record.reserve_mb * 1e6),
    ) as record:  # fmt: skip
        path = main_path(loaded.record_url)
        said = loaded.config.site
        site = Site(name=said.name, timezone=said.timezone, taste=said.taste)
        plant = Plant(site, [first_tile(machine) for machine in loaded.config.machine], now)
        past, today = await asyncio.to_thread(_past, loaded, loaded.machines)
        tally = Tally(today, ZoneInfo(plant.site.timezone))
        changes: asyncio.Queue[Shelf] = asyncio.Queue()
        record.on_change = changes.put_nowait
        molds = MoldLife(record.shelf, record.alerts)
        crew = Crew(loaded, record, plant, tally, molds, now)
        for name, cycles in past.items():
            for booked in cycles:
                crew.displays[name].replay(booked)
        await crew.begin()
        async with asyncio.TaskGroup() as tasks:
            running = Running(tasks)

            async def take(new: Loaded, found: Difference) -> None:
                added, _ = await asyncio.to_thread(_past, new, found.added)
                if found.seeds:
                    author = Author(who=new.path.name, origin=ORIGIN, at=now())
                    await record.seed(new.mold_rows, author)
                await crew.change(new, found, tasks, added)
                await running.run(services(new, record, path, now))

            tasks.create_task(record.watch(), name="record")
            tasks.create_task(keep_told(lambda: doing(plant)), name="supervisor")
            tasks.create_task(pages_until_cancelled(pages, plant), name="pages")
            await running.run(services(loaded, record, path, now))
            tasks.create_task(tick(plant, crew, tally), name="tick")
            tasks.create_task(follow_molds(molds, crew.lines, record, changes), name="molds")
            crew.follow(tasks, path)
            if asked is not None:
                reloading = reload_when_asked(asked, loaded, take, record, now)
                tasks.create_task(reloading, name="reload")


async def pages_until_cancelled(pages: Pages, plant: Plant) -> None:
    """Serve the pages; a coroutine, whatever kind of awaitable they are."""
    await pages(plant)


async def tick(plant: Plant, crew: Crew, tally: Tally) -> NoReturn:
    """Once a second: what follows from time alone."""
    while True:
        at = now()
        for display in crew.displays.values():
            display.tick(at)
        plant.today = tally.now(at, (line.blind for line in crew.lines.values() if line.blind))
        await asyncio.sleep(TICK_S)


async def follow_molds(
    molds: MoldLife, lines: dict[str, Line], record: Record, changes: "asyncio.Queue[Shelf]"
) -> NoReturn:
    """Take in what people change about molds, and once a minute what the calendar brings."""
    while True:
        try:
            shelf = await asyncio.wait_for(changes.get(), MOLDS_EVERY_S)
        except TimeoutError:
            alerts = molds.tick(now())
        else:
            alerts = molds.reload(shelf, now())
            for name, line in list(lines.items()):
                if lines.get(name) is line:  # machines may come and go meanwhile
                    line.seat(shelf)
                    await line.hear(record.words)
        for teller in list(lines.values())[:1]:
            await teller.tell(alerts)


def doing(plant: Plant) -> str:
    """How all machines do, in one line."""
    tiles = plant.tiles
    seen = sum(tile.state != "no_data" for tile in tiles)
    return f"{seen} of {len(tiles)} machines are seen"


def _past(loaded: Loaded, machines: Sequence[str]) -> tuple[dict[str, Sequence[Booked]], Today]:
    """The newest cycles of machines and today's sums, for pages that were there before."""
    since = day_start(now(), ZoneInfo(loaded.config.site.timezone))
    with open_history(loaded.record_url) as history:
        past: dict[str, Sequence[Booked]] = {
            name: list(history.cycles(Filter(machine=name), newest=SPARK_CYCLES))
            for name in machines
        }
        return past, history.today(since)
