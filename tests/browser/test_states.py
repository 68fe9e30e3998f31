"""Every page in both themes: as it was drawn, without a violation that axe finds, standing still.

The pictures are in `golden/`; `SPRUE_RENEW_PICTURES=1` makes them anew. They are compared coarsely:
what moved, came or went shows, how one computer smooths an edge does not.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import axe_playwright_python  # type: ignore[import-untyped]
import pytest
import pytest_asyncio
from PIL import Image, ImageChops, ImageStat
from playwright.async_api import Browser, Page, expect

from agent.anomalies import act
from agent.audit import Author, change
from agent.live import Plant
from agent.users.people import add_person
from agent.users.tokens import add_token
from tests.browser.conftest import DemoServer
from tests.browser.test_overview import LIVE, SHIFT
from tests.dashboards.browsing import GOOD
from tests.dashboards.client import serving, until
from tests.dashboards.recorded import recorded
from tests.dashboards.story import AT, SITE, story

pytestmark = pytest.mark.asyncio(loop_scope="package")

GOLDEN = Path(__file__).with_name("golden")
RENEW = os.environ.get("SPRUE_RENEW_PICTURES") == "1"
COARSE = (160, 100)
"""Pictures are compared at this size."""
APART, APART_MOST = 4.0, 90
"""Mean difference, and the largest at one place, of 255."""

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

PAGES = {
    "overview": "/",
    "press": "/press/IMM-07",
    "cycle": "/press/IMM-07/cycle/1/139",
    "compare": "/press/IMM-07/compare?ids=1/139,1/140",
    "silent": "/press/IMM-19",
    "anomalies": "/anomalies",
    "muted": "/anomalies?show=muted",
    "molds": "/molds",
    "mold": "/molds/A-2217",
    "golden": "/golden/A-2217",
    "records": "/records?mold=A-2217",
    "no-match": "/records?mold=A-2217&job=4711",
    "health": "/health",
    "settings": "/settings",
}
PICTURED = ("overview", "press", "anomalies", "molds", "mold", "golden", "records")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def address(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[str]:
    """The story, at one instant that stays."""
    plant = Plant(SITE, story(24).tiles, lambda: AT)
    plant.today = story(24).today
    url = await recorded(tmp_path_factory.mktemp("states"))
    async with serving(plant, record=url) as address:
        await until(lambda: plant.news.version > 0, 10)
        yield address


async def violations(page: Page) -> list[str]:
    """What axe finds, a line each."""
    await page.evaluate(AXE)
    found: dict[str, Any] = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


async def open_still(browser: Browser, url: str, scheme: Any, scale: float = 0.5) -> Page:
    """A page whose clock and animations stand still."""
    context = await browser.new_context(
        viewport={"width": 1440, "height": 900},
        color_scheme=scheme,
        reduced_motion="reduce",
        device_scale_factor=scale,
    )
    page = await context.new_page()
    await page.goto(url)
    await page.wait_for_selector(LIVE)
    return page


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_is_as_it_was_drawn_and_accessible_in_both_themes(
    browser: Browser, address: str, artefacts: Path, name: str
) -> None:
    page = await open_still(browser, f"{address}{PAGES[name]}", "light")
    try:
        assert round(await page.evaluate(SHIFT), 2) == 0.0
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            await page.wait_for_timeout(150)
            assert await violations(page) == [], scheme
            if name in PICTURED:
                await same(page, f"{name}-{scheme}", artefacts)
    finally:
        await page.context.close()


async def same(page: Page, name: str, artefacts: Path) -> None:
    """Compare with the picture that is kept."""
    mask = [page.locator(".clock"), page.locator(".pill"), page.locator("input[name=who]")]
    taken = await page.screenshot(mask=mask, mask_color="#888888")
    kept = GOLDEN / f"{name}.png"
    if RENEW:
        GOLDEN.mkdir(exist_ok=True)
        Image.open(BytesIO(taken)).convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(
            kept, optimize=True
        )
        return
    (artefacts / f"{name}.png").write_bytes(taken)
    pictures = [Image.open(each).convert("RGB") for each in (BytesIO(taken), kept)]
    assert pictures[0].size == pictures[1].size
    small = [each.resize(COARSE, Image.Resampling.BOX) for each in pictures]
    apart = ImageChops.difference(*small).convert("L")
    mean, most = ImageStat.Stat(apart).mean[0], max(apart.tobytes())
    assert mean <= APART, f"{name}: {mean:.1f} of {APART} apart in the mean"
    assert most <= APART_MOST, f"{name}: {most} of {APART_MOST} apart at one place"


async def test_logging_in_and_settings_are_as_they_were_drawn_and_accessible(
    browser: Browser, artefacts: Path, tmp_path: Path
) -> None:
    url = await recorded(tmp_path)
    with change(url) as connection:
        add_person(connection, Author(who="installer", at=AT), "Ada", "admin", GOOD)
        add_person(connection, Author(who="installer", at=AT), "Mary", "maintenance", GOOD)
        until_ = AT + timedelta(days=90)
        add_token(connection, Author(who="Ada", at=AT), "historian", "viewer", until_)
    async with serving(Plant(SITE, story(24).tiles, lambda: AT), record=url) as address:
        context = await browser.new_context(
            viewport={"width": 1440, "height": 900},
            reduced_motion="reduce",
            device_scale_factor=0.5,
        )
        page = await context.new_page()
        await page.goto(f"{address}/settings")
        for name in ("login", "settings"):
            assert round(await page.evaluate(SHIFT), 2) == 0.0
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=cast(Any, scheme), reduced_motion="reduce")
                await page.wait_for_timeout(150)
                assert await violations(page) == [], (name, scheme)
                await same(page, f"{name}-{scheme}", artefacts)
            if name == "login":
                await page.locator("input[name=name]").fill("Ada")
                await page.locator("input[name=password]").fill(GOOD)
                await page.keyboard.press("Enter")
                await page.wait_for_selector(LIVE)
        assert page.url.endswith("/settings"), "where one wanted to go"
        await context.close()


async def test_an_inbox_where_nothing_needs_anybody_says_so(
    browser: Browser, tmp_path: Path
) -> None:
    url = await recorded(tmp_path)
    with change(url) as connection:
        for key in "abc":
            act(connection, Author(who="S. Vogel", at=AT), key, "close", "done")
    async with serving(story(24), record=url) as address:
        page = await open_still(browser, f"{address}/anomalies", "light")
        await expect(page.locator("main .nothing b")).to_have_text("Nothing needs you")
        await expect(page.locator(".top .new")).to_be_hidden()
        assert await violations(page) == []
        await page.context.close()


async def test_every_page_says_that_its_server_is_gone_and_stays_accessible(
    browser: Browser, tmp_path: Path
) -> None:
    opened = []
    async with serving(story(24), record=await recorded(tmp_path)) as address:
        for path in ("/", "/press/IMM-07", "/anomalies", "/records?mold=A-2217", "/golden/A-2217"):
            opened.append(await open_still(browser, f"{address}{path}", "light"))
    for page in opened:
        await page.wait_for_selector("html[data-link=lost]", timeout=20_000)
        await expect(page.locator(".band")).to_contain_text("The presses are not affected")
        writing = page.locator("form[method=post] button:not([disabled])")
        assert await writing.count() == 0
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found = await violations(page)
            assert found == [], page.url
        await page.context.close()


TABS = (
    "/press/IMM-07",
    "/anomalies",
    "/",
    "/molds",
    "/molds/A-2217",
    "/golden/A-2217",
    "/records?mold=A-2217",
    "/health",
)


async def links(tabs: Sequence[Page], state: str, within_s: float) -> list[float]:
    """Wait until every tab is in a state of its link; how long each took."""
    began = time.monotonic()

    async def wait(page: Page) -> float:
        await page.wait_for_selector(f"html[data-link={state}]", timeout=1000 * within_s)
        return time.monotonic() - began

    return await asyncio.gather(*(wait(page) for page in tabs))


@pytest.mark.slow
async def test_eight_tabs_are_late_lost_and_back_as_their_server_freezes_dies_and_starts(
    browser: Browser, free_port: int, tmp_path: Path
) -> None:
    server = DemoServer(free_port)
    record = await recorded(tmp_path)
    await server.start(record=record)
    context = await browser.new_context()
    tabs = [await context.new_page() for _ in TABS]
    press, inbox = tabs[:2]
    pointer = press.locator(".phasebar .pointer")
    writing = "form[method=post] button:not([disabled])"
    try:
        for page, path in zip(tabs, TABS, strict=True):
            await page.goto(f"{server.address}{path}")
        await links(tabs, "live", 15)
        loads = [await page.evaluate("performance.timeOrigin") for page in tabs]
        await expect(pointer).to_be_visible(timeout=10_000)
        assert await inbox.locator(writing).count() > 0

        server.freeze()
        assert min(await links(tabs, "late", 15)) >= 1.9
        await expect(pointer).to_be_hidden()
        now = await press.locator("[data-s=now]").text_content()
        assert min(await links(tabs, "lost", 30)) >= 5.0
        assert await press.locator("[data-s=now]").text_content() == now
        for page in tabs:
            await expect(page.locator(".band")).to_contain_text("The presses are not affected")
            assert await page.locator(writing).count() == 0, page.url
        server.thaw()
        await links(tabs, "live", 30)
        await expect(pointer).to_be_visible(timeout=10_000)

        await server.kill()
        assert min(await links(tabs, "lost", 15)) >= 2.4
        for page in tabs:
            await expect(page.locator(".band")).to_be_visible()
            assert await page.locator(writing).count() == 0, page.url
        await server.start(record=record)
        await links(tabs, "live", 30)
        for page in tabs:
            await expect(page.locator(".band")).to_be_hidden()
        await expect(pointer).to_be_visible(timeout=10_000)
        assert [await page.evaluate("performance.timeOrigin") for page in tabs] == loads
    finally:
        await context.close()
        await server.kill()
