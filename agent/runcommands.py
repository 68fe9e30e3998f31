"""`sprue run` and `sprue demo`: the agent with its pages, at real presses or at simulated ones."""

import argparse
import asyncio
import contextlib
import gc
import logging
import signal
import sys
import tempfile
import threading
from importlib import import_module
from pathlib import Path

from agent import demo
from agent.arguments import factor, positive
from agent.config import Loaded, load
from agent.live import Plant
from agent.run import run
from agent.stopping import log_to_stderr, until_stopped

LOOK_S = 0.02
"""How often it is asked whether the pages are loaded."""
GIVE_WAY_S = 0.0005
"""How long a poll waits for its turn meanwhile: ten times less than Python would have it wait."""


def add_run(one: argparse.ArgumentParser) -> None:
    """What follows `sprue run`."""
    one.add_argument("config", type=Path, metavar="CONFIG")
    one.set_defaults(command=_run)


def add_demo(one: argparse.ArgumentParser) -> None:
    """What follows `sprue demo`."""
    one.add_argument("--machines", type=positive, default=12, metavar="N")
    one.add_argument("--speed", type=factor, default=1.0, metavar="X")
    one.add_argument("--seed", type=int, default=0, metavar="N")
    one.add_argument("--for", dest="seconds", type=factor, metavar="SECONDS")
    one.add_argument("--record", metavar="URL", help="default: in a temporary folder")
    one.add_argument("--listen", default="127.0.0.1:8420", metavar="HOST:PORT")
    one.set_defaults(command=_demo)


def _run(args: argparse.Namespace) -> int:
    log_to_stderr()
    return until_stopped(_reloading(load(args.config)))


async def _reloading(loaded: Loaded) -> None:
    asked = asyncio.Event()
    if hasattr(signal, "SIGHUP"):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)
    await _agent(loaded, asked)


def _demo(args: argparse.Namespace) -> int:
    log_to_stderr(logging.ERROR)
    return until_stopped(_demo_plant(args))


async def _demo_plant(args: argparse.Namespace) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="sprue-demo-", ignore_cleanup_errors=True) as name,
        demo.record_folder(args.record) as record,
    ):
        folder = Path(name)
        async with demo.simulated_plant(args.machines, args.speed, args.seed, folder) as machines:
            loaded = load(demo.write_config(machines, record, args.listen, folder))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(args.seconds):
                    await _agent(loaded)


async def _agent(loaded: Loaded, asked: asyncio.Event | None = None) -> None:
    host, port = loaded.config.web.address

    async def pages(plant: Plant) -> None:
        loading = threading.Thread(target=_load_pages, daemon=True)  # a stop waits for none of it
        loading.start()
        while loading.is_alive():  # noqa: ASYNC110 - an import has no event
            await asyncio.sleep(LOOK_S)
        from dashboards.server import serve

        await serve(plant, host, port, _say_where, record=loaded.record_url, web=loaded.config.web)

    await run(loaded, pages, asked)


def _load_pages() -> None:
    """Half of all that there is to load, while machines are watched already."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(GIVE_WAY_S)
    gc.disable()  # nothing of it is garbage
    try:
        import_module("dashboards.server")
    finally:
        gc.freeze()
        gc.enable()
        sys.setswitchinterval(usual_s)


def _say_where(address: str) -> None:
    print(f"Sprue: {address}", flush=True)
