"""Two words from a checkout: the demo comes up with shots moving, and goes away whole."""

import asyncio
import json
import signal
import sys
import urllib.request
from typing import Any

import psutil

from tests.line.harness import until


def tiles(address: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{address}api/snapshot", timeout=5) as answer:
        found: list[dict[str, Any]] = json.load(answer)["tiles"]
        return found


async def test_the_demo_shows_twelve_presses_molding_and_ends_whole_on_ctrl_c() -> None:
    demo = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "demo", "--speed", "10", "--listen", "127.0.0.1:0",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert demo.stdout is not None
        line = (await asyncio.wait_for(demo.stdout.readline(), 60)).decode()
        address = line.removeprefix("Sprue: ").strip()
        assert address.startswith("http://127.0.0.1:")

        def counted() -> int:
            return sum(1 for tile in tiles(address) if tile["cycles"])

        await until("most presses have made a shot", lambda: counted() >= 10)
        names = [tile["machine"] for tile in tiles(address)]
        family = psutil.Process(demo.pid).children(recursive=True)

        loop = asyncio.get_running_loop()
        before = loop.time()
        demo.send_signal(signal.SIGINT)
        status = await asyncio.wait_for(demo.wait(), 10)
        took = loop.time() - before
        _gone, alive = psutil.wait_procs(family, timeout=0.2)
    finally:
        if demo.returncode is None:
            demo.kill()
            await demo.wait()
    assert names == [f"IMM-{n:02d}" for n in range(1, 13)]
    assert status == 0
    assert took < 2
    assert family
    assert alive == []


async def test_the_demos_plant_ends_when_the_demo_is_killed() -> None:
    demo = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "demo", "--machines", "2", "--listen", "127.0.0.1:0",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert demo.stdout is not None
    await asyncio.wait_for(demo.stdout.readline(), 60)
    family = psutil.Process(demo.pid).children(recursive=True)
    assert family

    demo.kill()
    await demo.wait()

    _gone, alive = psutil.wait_procs(family, timeout=3)
    assert alive == []
