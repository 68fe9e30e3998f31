"""The overview when its server is late, frozen, gone, back, or another one."""

import re
import time
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import DemoServer, Open

pytestmark = pytest.mark.asyncio(loop_scope="package")

HATCHED = "(tile) => getComputedStyle(tile).backgroundImage.includes('gradient')"


async def link(page: Page, state: str, within_s: float) -> float:
    """Wait for a state of the link; returns how long that took."""
    began = time.monotonic()
    await page.wait_for_selector(f"html[data-link={state}]", timeout=within_s * 1000)
    return time.monotonic() - began


async def looks_lost(page: Page) -> None:
    """Everything that a lost page must show and must not."""
    await expect(page.locator(".band")).to_be_visible()
    await expect(page.locator(".band")).to_contain_text("No connection to the agent since 14:3")
    await expect(page.locator(".band")).to_contain_text("no longer change")
    await expect(page.locator(".band")).to_contain_text(re.compile(r"Trying again (in \d s|now)\."))
    await expect(page.locator(".band")).to_contain_text("The presses are not affected.")
    assert await page.locator("press-tile").evaluate_all(f"(tiles) => tiles.every({HATCHED})")
    assert await page.locator(".phases").evaluate_all(
        "(strips) => strips.every((strip) => getComputedStyle(strip).visibility === 'hidden')"
    )
    assert await page.locator("press-tile [data-s=word]").evaluate_all(
        "(words) => words.every((word) => / old$/.test(word.textContent))"
    )
    assert await page.locator("press-tile").count() == 24
    assert "grayscale" in await page.locator(".page").evaluate(
        "(each) => getComputedStyle(each).filter"
    )


@pytest.mark.slow
async def test_a_frozen_server_makes_the_page_late_then_lost_and_back_when_it_thaws(
    demo_server: DemoServer, open_page: Open, artefacts: Path
) -> None:
    wall = await open_page(f"{demo_server.address}/?wall=1", 1920, 1080)
    desk = await open_page(demo_server.address, 1440, 900)
    await link(wall, "live", 5)
    await link(desk, "live", 5)
    before = await wall.locator("[data-s=cycle]").all_text_contents()

    demo_server.freeze()
    frozen_at = time.monotonic()
    await link(wall, "late", 5)
    assert 2.0 <= time.monotonic() - frozen_at <= 4.6
    await expect(wall.locator("[data-s=link]")).to_have_text(re.compile(r"^[3-9] s late$"))
    assert not await wall.locator("press-tile").first.evaluate(HATCHED)

    await link(wall, "lost", 10)
    assert 9.0 <= time.monotonic() - frozen_at <= 11.6
    await link(desk, "lost", 2)
    await looks_lost(wall)
    await looks_lost(desk)
    assert await wall.locator("[data-s=cycle]").all_text_contents() == before
    assert "not affected" in (await wall.locator(".said").text_content() or "")
    (artefacts / "overview-lost-wall.png").write_bytes(await wall.screenshot())
    (artefacts / "overview-lost-laptop.png").write_bytes(await desk.screenshot())

    demo_server.thaw()
    assert await link(wall, "live", 8) < 7
    await link(desk, "live", 8)
    await expect(wall.locator(".band")).to_be_hidden()
    await expect(wall.locator("press-tile [data-s=word]").first).to_have_text("Running")
    assert not await wall.locator("press-tile").first.evaluate(HATCHED)


@pytest.mark.slow
async def test_a_killed_server_makes_the_page_lost_and_it_is_back_after_the_restart(
    demo_server: DemoServer, open_page: Open
) -> None:
    page = await open_page(demo_server.address)
    await link(page, "live", 5)
    loads = await page.evaluate("performance.timeOrigin")

    await demo_server.kill()
    assert 2.5 <= await link(page, "lost", 8) <= 4.6
    await looks_lost(page)
    await page.keyboard.press("w")  # reading goes on: nothing here needs the server
    await expect(page.locator("html")).to_have_attribute("data-mode", "wall")
    assert await page.evaluate("performance.timeOrigin") == loads

    await demo_server.start()
    assert await link(page, "live", 12) < 11  # 6 s and a busy computer
    await expect(page.locator(".band")).to_be_hidden()
    assert await page.evaluate("performance.timeOrigin") == loads


@pytest.mark.slow
async def test_a_server_with_other_machines_makes_the_page_load_itself_anew(
    demo_server: DemoServer, open_page: Open
) -> None:
    page = await open_page(demo_server.address)
    await link(page, "live", 5)

    await demo_server.kill()
    await demo_server.start(presses=12)

    await expect(page.locator("press-tile")).to_have_count(12, timeout=9000)
    await link(page, "live", 5)
    await page.wait_for_timeout(1500)
    await expect(page.locator("press-tile")).to_have_count(12)


async def test_a_page_never_greeted_says_that_it_is_lost(
    demo_server: DemoServer, open_page: Open
) -> None:
    page = await open_page(demo_server.address, java_script_enabled=False)

    await expect(page.locator("[data-s=link]")).to_have_text(re.compile(r"^As of 14:3\d:\d\d$"))
    await expect(page.locator(".note:visible")).to_contain_text("does not update itself")
