"""`sprue check`: is the configuration right, and does every machine answer?"""

import argparse
import asyncio
from pathlib import Path

from agent.arguments import add_format
from agent.config import Loaded, load
from agent.ending import DONE, FAILED


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue check`."""
    one.add_argument("config", type=Path, metavar="CONFIG")
    one.add_argument(
        "--connect",
        action="store_true",
        help="read every machine once, and ask every sink; nothing is stored",
    )
    add_format(one)
    one.set_defaults(command=_check)


def _check(args: argparse.Namespace) -> int:
    loaded = load(args.config)
    if args.connect:
        return _connect(loaded, json=args.format == "json")
    machines, molds = len(loaded.config.machine), len(loaded.config.mold)
    print(f"{args.config}: right. Machines: {machines}, molds: {molds}.")
    return DONE


def _connect(loaded: Loaded, *, json: bool) -> int:
    from agent import checking  # the protocols' libraries: a second that the file alone need not
    from agent.forward import reach

    readings = asyncio.run(checking.connect_all(loaded))
    checking.show(readings, json=json)
    sinks = asyncio.run(reach.reach_all(loaded.config.forward))
    reach.show(sinks, json=json)
    wrong = [each.error for each in readings] + [each.error for each in sinks]
    return FAILED if any(wrong) else DONE
