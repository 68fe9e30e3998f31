"""The agent: every machine's task, the record and the pages in one group, from start to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import NoReturn
from zoneinfo import ZoneInfo

from agent.certificates import watch_certificates
from agent.config import Loaded
from agent.cycle import Booked
from agent.display import Display, first_tile
from agent.files import main_path
from agent.forward.forwarding import forward
from agent.history import Filter, open_history
from agent.housekeeping import keep_house
from agent.ledger import Standing
from agent.line import Line
from agent.live import SPARK_CYCLES, Plant, Site, Today
from agent.machine import follow_from
from agent.molds.moldlife import MoldLife
from agent.molds.shelf import Shelf
from agent.record import Before, Record, open_record
from agent.supervisor import keep_told
from agent.today import Tally, day_start
from agent.watch import Supply
from drivers.settings import MachineSettings

Pages = Callable[[Plant], Awaitable[None]]
"""Serves the pages of a plant until cancelled."""

TICK_S = 1.0
MOLDS_EVERY_S = 60.0


def now() -> datetime:
    """Our clock, UTC."""
    return datetime.now(UTC)


async def run(loaded: Loaded, pages: Pages) -> None:
    """Run until cancelled, or until one of our own parts fails.

    A machine that goes away is an ordinary day: its task waits for it. A record that breaks, or an
    address that is taken, is not: the error ends the group.

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
        past, today = await asyncio.to_thread(_past, loaded)
        tally = Tally(today, ZoneInfo(site.timezone))
        changes: asyncio.Queue[Shelf] = asyncio.Queue()
        record.on_change = changes.put_nowait
        molds, supply = MoldLife(record.shelf, record.alerts), Supply()
        displays = {
            machine.name: Display(machine.name, plant, molds) for machine in loaded.config.machine
        }
        for name, cycles in past.items():
            for booked in cycles:
                displays[name].replay(booked)

        def line_of(machine: MachineSettings, before: Before) -> Line:
            return Line(
                machine,
                record,
                displays[machine.name],
                tally,
                before,
                molds,
                supply,
                now,
                together=loaded.config.watch.together,
                slow_s=loaded.config.record.slow_s,
            )

        lines = {
            machine.name: line_of(machine, _before(record, machine.name))
            for machine in loaded.config.machine
        }
        for machine in loaded.config.machine:
            if not machine.shared:
                await lines[machine.name].begin()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(record.watch(), name="record")
            tasks.create_task(keep_told(lambda: doing(plant)), name="supervisor")
            tasks.create_task(watch_certificates(loaded, now), name="certificates")
            tasks.create_task(keep_house(loaded.config, loaded.path), name="house")
            tasks.create_task(pages_until_cancelled(pages, plant), name="pages")
            tasks.create_task(
                forward(loaded.config.forward, record, path, now, loaded.shared, site=site.name),
                name="forward",
            )
            tasks.create_task(tick(plant, displays, lines, tally), name="tick")
            tasks.create_task(follow_molds(molds, lines, record, changes), name="molds")
            turns = None
            if loaded.takes_turns:
                from agent.turns import Turns  # with libraries that most agents need not

                turns = Turns(loaded, path, lines, displays, line_of, now)
                tasks.create_task(turns.run(), name="leases")
            for machine in loaded.config.machine:
                before = _before(record, machine.name)
                work = (
                    turns.follow(machine, before)
                    if turns is not None and machine.shared
                    else follow_from(machine, loaded, before.standing, lines[machine.name], now)
                )
                tasks.create_task(work, name=f"follow {machine.name}")


async def pages_until_cancelled(pages: Pages, plant: Plant) -> None:
    """Serve the pages; a coroutine, whatever kind of awaitable they are."""
    await pages(plant)


async def tick(
    plant: Plant, displays: dict[str, Display], lines: dict[str, Line], tally: Tally
) -> NoReturn:
    """Once a second: what follows from time alone."""
    while True:
        at = now()
        for display in displays.values():
            display.tick(at)
        plant.today = tally.now(at, (line.blind for line in lines.values() if line.blind))
        await asyncio.sleep(TICK_S)


async def follow_molds(
    molds: MoldLife, lines: dict[str, Line], record: Record, changes: "asyncio.Queue[Shelf]"
) -> NoReturn:
    """Take in what people change about molds, and once a minute what the calendar brings."""
    teller = next(iter(lines.values()))
    while True:
        try:
            shelf = await asyncio.wait_for(changes.get(), MOLDS_EVERY_S)
        except TimeoutError:
            await teller.tell(molds.tick(now()))
            continue
        alerts = molds.reload(shelf, now())
        for line in lines.values():
            line.seat(shelf)
            await line.hear(record.words)
        await teller.tell(alerts)


def doing(plant: Plant) -> str:
    """How all machines do, in one line."""
    tiles = plant.tiles
    seen = sum(tile.state != "no_data" for tile in tiles)
    return f"{seen} of {len(tiles)} machines are seen"


def _before(record: Record, machine: str) -> Before:
    return record.before.get(machine) or Before(standing=Standing(), seen_at=None, blind=None)


def _past(loaded: Loaded) -> tuple[dict[str, Sequence[Booked]], Today]:
    """The newest cycles of every machine and today's sums, for pages that were there before."""
    since = day_start(now(), ZoneInfo(loaded.config.site.timezone))
    with open_history(loaded.record_url) as history:
        past: dict[str, Sequence[Booked]] = {
            machine.name: list(history.cycles(Filter(machine=machine.name), newest=SPARK_CYCLES))
            for machine in loaded.config.machine
        }
        return past, history.today(since)
