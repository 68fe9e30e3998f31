"""`sprue doctor`: what is wrong around an agent, and what to do about it."""

import argparse
import asyncio
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from agent.arguments import add_format
from agent.checking import Reading, connect_all
from agent.config import Loaded, load
from agent.console import print_json, print_table
from agent.doctor import examine
from agent.forward.reach import Reached, reach_all

DONE, FAILED = 0, 1

WORDS = {"good": "good", "look": "LOOK", "bad": "BAD"}


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue doctor`."""
    one.add_argument("config", type=Path, nargs="?", default=Path("sprue.toml"), metavar="CONFIG")
    one.add_argument(
        "--connect",
        action="store_true",
        help="ask every machine and sink once, rather than take the record's word",
    )
    add_format(one)
    one.set_defaults(command=_doctor)


def _doctor(args: argparse.Namespace) -> int:
    loaded = load(args.config)
    readings, sinks = asyncio.run(_asked(loaded)) if args.connect else (None, None)
    found = examine(loaded, datetime.now(UTC), readings=readings, sinks=sinks)
    n = Counter(each.state for each in found)
    if args.format == "json":
        print_json(asdict(each) for each in found)
    else:
        rows = ([each.area, WORDS[each.state], each.found, each.do] for each in found)
        print_table(["area", "", "found", "what to do"], rows)
        print(f"{n['bad']} bad, {n['look']} to look at, {n['good']} good")
    return FAILED if n["bad"] else DONE


async def _asked(loaded: Loaded) -> tuple[list[Reading], list[Reached]]:
    """What every machine and every sink answers, all at the same time."""
    return await asyncio.gather(connect_all(loaded), reach_all(loaded.config.forward))
