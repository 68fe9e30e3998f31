"""What the pages cost, in a real browser on software rendering: viewer, server, and shot to pixel.

    python -m bench.pages --seconds 15

The plant is the tests' story, in a server process of its own; the browser's main thread is read
from Chromium's own counter of tasks. Needs Chromium and the development packages.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil
from playwright.async_api import Browser, Page, async_playwright
from websockets.asyncio.client import connect

from agent.history import Filter, open_history
from bench.plant import process

ROOT = Path(__file__).parents[1]
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
VIEWERS = 50

AIMS = ((60, 10, 5), (60, 10, 60), (250, 4, 0))
"""Of the three pages: main thread in ms/s, kB/s, server in ms/s."""

WHOLE = "the end of a shot on a simulated press, to its tile painted"
HAD = "of that: to when the agent has all of it"
DRAWN = "from then, over watch, ledger and disk, to the page"
PAINTED = "from then to the pixel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One page while it is looked at."""

    what: str
    main_thread_ms_per_s: float
    kb_per_s: float
    long_tasks: int
    """Over 50 ms, in all of the measured time."""
    heap_mb: float
    server_ms_per_s: float
    """Processor time, making the plant's changes included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All that was measured."""

    making_ms_per_s: float
    """Processor time of the server while nobody looks: what the plant's changes cost."""
    costs: Sequence[Cost]
    pixels: Sequence["Pixel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixel:
    """From something that happened to its number on the page, painted; all on one computer."""

    what: str
    samples: int
    p50_ms: float
    p95_ms: float


@contextlib.asynccontextmanager
async def _server(*words: str) -> AsyncGenerator[tuple[str, psutil.Process]]:
    """A plant of the bench in a process of its own; its address, and the process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.pageplant", *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            address = (await process.stdout.readline()).decode().strip().rstrip("/")
        yield address, psutil.Process(process.pid)
    finally:
        process.kill()
        await process.wait()


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _watched(page: Page, server: psutil.Process, what: str, seconds: float) -> Cost:
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")
    await session.send("Network.enable")
    received = [0.0]

    def count(event: dict[str, Any]) -> None:
        data = event["response"]
        # Bytes come in base64.
        received[0] += len(data["payloadData"]) * (3 / 4 if data["opcode"] == 2 else 1)

    session.on("Network.webSocketFrameReceived", count)
    await page.evaluate(
        "() => { window.longs = 0; new PerformanceObserver((list) => "
        "{ window.longs += list.getEntries().length; }).observe({ type: 'longtask' }); }"
    )

    async def tasks_s() -> float:
        metrics = (await session.send("Performance.getMetrics"))["metrics"]
        return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))

    await asyncio.sleep(3)
    received[0], began = 0.0, time.monotonic()
    tasks, cpu = await tasks_s(), _cpu_s(server)
    await asyncio.sleep(seconds)
    took = time.monotonic() - began
    tasks, cpu = await tasks_s() - tasks, _cpu_s(server) - cpu
    await session.send("HeapProfiler.collectGarbage")
    heap = (await session.send("Runtime.getHeapUsage"))["usedSize"]
    return Cost(
        what=what,
        main_thread_ms_per_s=round(1000 * tasks / took, 1),
        kb_per_s=round(received[0] / 1000 / took, 2),
        long_tasks=int(await page.evaluate("window.longs")),
        heap_mb=round(heap / 1e6, 2),
        server_ms_per_s=round(1000 * cpu / took, 1),
    )


async def _open(browser: Browser, url: str, width: int = 1920, height: int = 1080) -> Page:
    page = await browser.new_page(viewport={"width": width, "height": height})
    await page.goto(url)
    await page.wait_for_selector("html[data-link=live]", timeout=30_000)
    return page


async def _view(address: str) -> None:
    """A viewer that reads and answers beats, as a page does."""
    async with connect(f"{address.replace('http', 'ws')}/live", max_size=None) as socket:
        await socket.send('{"sub":["plant"],"seq":0}')
        async for message in socket:
            if isinstance(message, str) and message.startswith('{"t":"beat"'):
                await socket.send(json.dumps({"seq": json.loads(message)["seq"]}))


async def _shot_to_pixel(browser: Browser, samples: int) -> Pixel:
    """Each sample is the time at which it was taken, so that its number says how old it is."""
    with tempfile.TemporaryDirectory(prefix="sprue-bench-") as folder:
        return await _stamped(browser, folder, samples)


async def _stamped(browser: Browser, folder: str, samples: int) -> Pixel:
    async with _server("stamp", folder) as (address, _server_process):
        page = await _open(browser, f"{address}/press/IMM-001", 1440, 900)
        await page.wait_for_selector(".readouts b")
        ages: list[float] = await page.evaluate(
            """
            (wanted) => new Promise((resolve) => {
              const node = document.querySelector(".readouts b").firstChild;
              const found = [];
              new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
                const stamp = Number(node.data.replace(/[^0-9.]/g, ""));
                found.push(((Date.now() % 3000000) - stamp + 3000000) % 3000000);
                if (found.length === wanted) resolve(found);
              }))).observe(node, { characterData: true });
            })
            """,
            samples,
        )
        await page.close()
    return _pixel("a sample of a running shot in the agent, to its number painted", ages)


def _pixel(what: str, ages_ms: Sequence[float]) -> Pixel:
    cuts = quantiles(ages_ms, n=20)
    return Pixel(what=what, samples=len(ages_ms), p50_ms=round(cuts[9]), p95_ms=round(cuts[18]))


NOTE = """
() => {
  const Tile = customElements.get("press-tile");
  const draw = Tile.prototype.draw;
  const known = new Map();
  window.shots = [];
  Tile.prototype.draw = function (tile, now) {
    draw.call(this, tile, now);
    const { place } = this;
    const counter = tile.last_counter;
    if (known.get(place) === counter) return;
    const first = !known.has(place);
    known.set(place, counter);
    if (first) return;
    const drawn = Date.now();
    const note = () => window.shots.push([place, counter, drawn, Date.now()]);
    requestAnimationFrame(() => setTimeout(note));
  };
}
"""
"""Notes when a tile with another shot on it has been painted."""


async def _shots_to_pixel(browser: Browser, seconds: float) -> list[Pixel]:
    """From the end of a shot on a simulated press, over its protocol and the disk, to its tile."""
    with tempfile.TemporaryDirectory(prefix="sprue-bench-") as name:
        folder = Path(name)
        truth, machines, config = (folder / each for each in ("truth", "plant.toml", "sprue.toml"))
        words = ["simulate", "demo", "--free-ports", "--until-stdin-closes"]
        words += ["--config-out", str(machines), "--truth", str(truth)]
        async with process(words) as (_plant, said):
            while not (await said.readline()).startswith(b"orders at"):
                pass
            head = '[record]\nurl = "sqlite:///plant.db"\n[web]\nlisten = "127.0.0.1:0"\n'
            config.write_text(head + machines.read_text(encoding="utf-8"), encoding="utf-8")
            async with process(["run", str(config)]) as (_agent, said):
                address = (await said.readline()).decode().split()[-1]
                page = await _open(browser, address)
                await page.evaluate(NOTE)
                await asyncio.sleep(seconds)
                shown = await page.evaluate("window.shots")
                names = await page.evaluate(
                    "fetch('/api/snapshot').then((a) => a.json())"
                    ".then((s) => s.tiles.map((t) => t.machine))"
                )
                await page.close()
        had = _had(f"sqlite:///{folder / 'plant.db'}")
        ended = {}
        for line in truth.read_text(encoding="utf-8").splitlines():
            shot = json.loads(line)
            ended[shot["machine"], shot["counter"]] = _ms(datetime.fromisoformat(shot["time"]))
    shots = [
        (ended[key], had[key], drawn, painted)
        for place, counter, drawn, painted in shown
        if (key := (names[place], counter)) in ended and key in had
    ]
    return [
        _pixel(WHOLE, [painted - end for end, _had, _drawn, painted in shots]),
        _pixel(HAD, [at - end for end, at, _drawn, _painted in shots]),
        _pixel(DRAWN, [drawn - at for _end, at, drawn, _painted in shots]),
        _pixel(PAINTED, [painted - drawn for _end, _had, drawn, painted in shots]),
    ]


def _had(record: str) -> dict[tuple[str, int], float]:
    """When the agent had all of a shot, by machine and counter."""
    with open_history(record) as history:
        return {
            (each.cycle.machine, each.cycle.counter): _ms(each.cycle.received_at)
            for each in history.cycles(Filter())
        }


def _ms(at: datetime) -> float:
    return 1000 * at.timestamp()


async def run(seconds: float, samples: int = 150) -> Found:
    """Measure everything, one after the other."""
    chromium = os.environ.get("SPRUE_CHROMIUM") or shutil.which("chromium")
    costs = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        async with _server("tiles") as (address, server):
            making = await _alone(server, seconds)
            page = await _open(browser, f"{address}/?wall=1")
            costs.append(await _watched(page, server, "200 tiles, all changing at 1 Hz", seconds))
            viewers = [asyncio.create_task(_view(address)) for _ in range(VIEWERS - 1)]
            what = f"the same with {VIEWERS} viewers"
            costs.append(await _watched(page, server, what, seconds))
            for viewer in viewers:
                viewer.cancel()
            await asyncio.gather(*viewers, return_exceptions=True)
            await page.close()
        with tempfile.TemporaryDirectory(prefix="sprue-bench-") as folder:
            async with _server("press", folder) as (address, server):
                page = await _open(browser, f"{address}/press/IMM-07", 1440, 900)
                what = "a press, 2 curves at 10 frames a second"
                costs.append(await _watched(page, server, what, seconds))
                await page.close()
        pixels = [
            await _shot_to_pixel(browser, samples),
            *await _shots_to_pixel(browser, 6 * seconds),
        ]
        await browser.close()
    return Found(making_ms_per_s=making, costs=costs, pixels=pixels)


async def _alone(server: psutil.Process, seconds: float) -> float:
    await asyncio.sleep(1)
    began, cpu = time.monotonic(), _cpu_s(server)
    await asyncio.sleep(seconds)
    return round(1000 * (_cpu_s(server) - cpu) / (time.monotonic() - began), 1)


def section(found: Found) -> str:
    """Its part of the reference page."""
    costs = "\n".join(
        f"| {each.what} | {each.main_thread_ms_per_s} ms/s (aim {aims[0]}) | "
        f"{each.kb_per_s} kB/s (aim {aims[1]}) | {each.long_tasks} | {each.heap_mb} MB | "
        f"{each.server_ms_per_s} ms/s{f' (aim {aims[2]})' if aims[2] else ''} |"
        for each, aims in zip(found.costs, AIMS, strict=True)
    )
    pixels = "\n".join(
        f"| {each.what} | {each.samples} | {each.p50_ms:.0f} ms | {each.p95_ms:.0f} ms |"
        for each in found.pixels
    )
    return f"""
## Pages

In Chromium on software rendering. "Main thread" is Chromium's own counter of tasks; the server's
time includes the {found.making_ms_per_s} ms/s that it takes to make the changes while nobody looks.

| what | main thread | bytes | tasks over 50 ms | heap | server |
| --- | --- | --- | --- | --- | --- |
{costs}

| from, to | how many | median | 95th percentile |
| --- | --- | --- | --- |
{pixels}

Presses of the last four lines are polled every 100 to 200 ms, or tell by event; the aim from the
end of a shot to its tile is 300 ms and the poll period. `python -m bench.pages` measures them.
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Measure; print a line of JSON each, and what goes into the reference page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    args = parser.parse_args(argv)
    found = asyncio.run(run(args.seconds))
    print(json.dumps({"making_ms_per_s": found.making_ms_per_s}))
    for cost in found.costs:
        print(json.dumps(asdict(cost)))
    for pixel in found.pixels:
        print(json.dumps(asdict(pixel)))
    print(section(found))


if __name__ == "__main__":
    main()
