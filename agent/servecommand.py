"""`sprue serve`: the pages over a plant record, on a computer without an agent."""

import argparse
import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.cycle import Booked
from agent.files import RecordError, is_plant
from agent.history import Filter, open_history
from agent.live import SPARK_CYCLES, Plant, Site
from agent.molds.shelf import Shelf
from agent.place import ConfigError, SiteSettings, read
from agent.plantrecord.alerts import judge_lives
from agent.plantrecord.overview import Overview, Told, blank_tile, newest_cycle, read_told
from agent.stopping import log_to_stderr, until_stopped
from agent.web import WebSettings
from drivers.checked import Checked, complaints

log = logging.getLogger(__name__)

LOOK_S = 1.0
MOLDS_EVERY = 5
"""Looks, of which one reads the molds too."""
ALERTS_EVERY = 30
"""Looks, of which one judges the molds' lives."""


class Served(Checked):
    """The tables of `sprue.toml` that say how pages are served."""

    site: SiteSettings = SiteSettings()
    web: WebSettings = WebSettings()


class _NewMachineError(Exception):
    """The tiles are others from now on."""


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue serve`."""
    one.add_argument(
        "--record", required=True, metavar="URL", help="postgresql://USER@HOST:5432/DATABASE"
    )
    one.add_argument("--listen", metavar="HOST:PORT", help="default: 127.0.0.1:8420")
    one.add_argument("--config", type=Path, metavar="FILE", help="whose [site] and [web] to take")
    one.set_defaults(command=_serve)


def _serve(args: argparse.Namespace) -> int:
    if not is_plant(args.record):
        raise RecordError(
            f"record: {args.record} is an agent's own, whose pages 'sprue run' serves; this serves "
            "a plant record (postgresql://USER@HOST/DATABASE)"
        )
    log_to_stderr()
    served = _settings(args.config, args.listen)
    with open_history(args.record):
        pass  # what is wrong with it is said before anything listens
    return until_stopped(_pages(args.record, served))


def _settings(config: Path | None, listen: str | None) -> Served:
    raw: dict[str, Any] = read(config) if config else {}
    raw = {key: raw[key] for key in Served.model_fields if key in raw}
    if listen:
        raw["web"] = {**raw.get("web", {}), "listen": listen}
    try:
        return Served.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(complaints(error, config or Path("--listen"), Served)) from error


async def _pages(url: str, served: Served) -> None:
    """Serve until stopped; anew whenever a machine has come."""
    while True:
        try:
            async with asyncio.TaskGroup() as tasks:
                await _begin(url, served, tasks)
        except* _NewMachineError:
            log.info("an agent has told of another machine: the pages begin anew")


async def _begin(url: str, served: Served, tasks: asyncio.TaskGroup) -> None:
    from dashboards.server import serve

    site = Site(name=served.site.name, timezone=served.site.timezone)
    told, past, last = await asyncio.to_thread(_past, url, site)
    plant = Plant(site, [blank_tile(name) for name in told.machines], _now)
    overview = Overview(plant, told.shelf or Shelf(molds={}, took={}))
    for booked in past:
        overview.replay(booked)
    overview.take(replace(told, cycles=()), _now())
    host, port = served.web.address
    tasks.create_task(
        serve(plant, host, port, _say_where, record=url, web=served.web), name="pages"
    )
    tasks.create_task(_follow(url, site, overview, told.machines, last), name="follow")


def _past(url: str, site: Site) -> tuple[Told, list[Booked], int]:
    """The plant as it is, the newest cycles of every machine, and the id of the very newest."""
    with open_history(url) as history:
        last = newest_cycle(history)
        told = read_told(history, site, last, _now(), molds=True)
        past = [
            booked
            for name in told.machines
            for booked in history.cycles(Filter(machine=name), newest=SPARK_CYCLES)
        ]
    return told, past, last


async def _follow(
    url: str, site: Site, overview: Overview, machines: tuple[str, ...], last: int
) -> None:
    """Look once a second; a server that is away is waited for, and said once."""
    trouble, looks = "", 0
    while True:
        await asyncio.sleep(LOOK_S)
        looks += 1
        try:
            told = await asyncio.to_thread(_told, url, site, last, looks % MOLDS_EVERY == 0)
            if looks % ALERTS_EVERY == 1:
                await asyncio.to_thread(judge_lives, url, _now())
        except RecordError as error:
            if str(error) != trouble:
                trouble = str(error)
                log.warning("%s; tried again every second", error)
            continue
        if trouble:
            log.warning("the plant record is there again")
            trouble = ""
        if told.machines != machines:
            raise _NewMachineError
        if told.cycles:
            last = told.cycles[-1]["id"]
        overview.take(told, _now())


def _told(url: str, site: Site, after: int, molds: bool) -> Told:
    with open_history(url) as history:
        return read_told(history, site, after, _now(), molds=molds)


def _now() -> datetime:
    return datetime.now(UTC)


def _say_where(address: str) -> None:
    print(f"Sprue: {address}", flush=True)
