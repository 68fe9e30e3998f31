"""A real browser, and a server that can be frozen and killed under it."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.dashboards.client import Answer, get

ROOT = Path(__file__).parents[2]
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

Open = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser(chromium: str) -> AsyncGenerator[Browser]:
    """The system's Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        yield browser
        await browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What pages complained of: script errors, console errors, violations of the policy."""
    return []


@pytest_asyncio.fixture(loop_scope="package")
async def open_page(browser: Browser, complaints: list[str]) -> AsyncGenerator[Open]:
    """Opens an address in a context of its own, and notes what goes wrong there."""
    contexts = []

    async def open_page(url: str, width: int = 1440, height: int = 900, **options: Any) -> Page:
        context = await browser.new_context(
            viewport={"width": width, "height": height}, **{"color_scheme": "light", **options}
        )
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        await page.goto(url)
        return page

    yield open_page
    for context in contexts:
        await context.close()


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where pictures are kept: outside of the checkout."""
    folder = Path(
        os.environ.get("SPRUE_ARTEFACTS", Path(tempfile.gettempdir()) / "sprue-artefacts")
    )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class DemoServer:
    """The story's plant in a process of its own."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._port = port
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, presses: int = 24, record: str | None = None) -> None:
        """Start it, and wait until it serves; with a record, press 07 makes shots."""
        more = [record] if record else []
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.dashboards.demo_server", str(presses), str(self._port)),
            *more,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(20):
            assert (await self._process.stdout.readline()).startswith(b"http")

    def freeze(self) -> None:
        """Stop it from doing anything; its sockets stay open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    async def kill(self) -> None:
        """End it at once."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()

    async def health(self) -> Answer:
        """Whether it answers."""
        return await get(f"{self.address}/healthz")

    def _signal(self, what: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(what)


@pytest_asyncio.fixture(loop_scope="package")
async def demo_server(free_port: int) -> AsyncGenerator[DemoServer]:
    """A started server with 24 presses."""
    server = DemoServer(free_port)
    await server.start()
    yield server
    await server.kill()
