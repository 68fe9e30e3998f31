"""Anomalies and molds in a real browser: by keyboard, at every size, and when the agent is gone."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from agent.anomalies import Wanted, act, anomalies
from agent.audit import Author, change
from agent.files import main_path
from agent.history import open_history
from tests.browser.conftest import Open
from tests.browser.test_overview import LIVE, SHIFT, width_is_enough
from tests.dashboards.client import serving
from tests.dashboards.recorded import recorded
from tests.dashboards.story import AT, story

pytestmark = pytest.mark.asyncio(loop_scope="package")

PATHS = ("/anomalies", "/molds", "/molds/A-2217", "/press/IMM-07", "/health")


@pytest_asyncio.fixture(loop_scope="package")
async def url(tmp_path: Path) -> str:
    """The story's record."""
    return await recorded(tmp_path)


@pytest_asyncio.fixture(loop_scope="package")
async def address(url: str) -> AsyncGenerator[str]:
    """Where its pages are served."""
    async with serving(story(24), record=url) as address:
        yield address


def deeds(url: str, key: str) -> list[tuple[str, str]]:
    """What people did to an anomaly."""
    with open_history(url) as history, history.connect() as connection:
        found = anomalies(connection, Wanted(), now=AT)
    return [(a.action, a.text) for each in found if each.anomaly.id == key for a in each.actions]


async def opened(open_page: Open, address: str, **options: Any) -> Page:
    page = await open_page(address, **options)
    await page.wait_for_selector(LIVE)
    return page


async def test_a_person_walks_through_the_inbox_by_keyboard(
    url: str, address: str, open_page: Open, complaints: list[str]
) -> None:
    page = await opened(open_page, f"{address}/")
    await page.keyboard.press("2")
    await page.wait_for_url("**/anomalies")
    await page.wait_for_selector(LIVE)
    await expect(page.locator("main h2").first).to_have_text("Press can't be reached")

    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator("main h2").first).to_have_text("Cooling timer changed")
    await page.wait_for_selector(LIVE)
    await page.keyboard.press("a")
    await expect(page.locator("main .what")).to_contain_text("acknowledged")
    await page.wait_for_selector(LIVE)

    await page.keyboard.press("c")
    await expect(page.locator(".deeds input[name=text]")).to_be_focused()
    await page.keyboard.type("ask about a, r and m")
    await page.keyboard.press("Escape")
    await page.keyboard.press("c")
    await expect(page.locator(".history")).to_contain_text("ask about a, r and m")
    await page.wait_for_selector(LIVE)

    await page.keyboard.press("r")
    await page.keyboard.type("timer set back")
    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    await expect(page.locator("main .what")).to_contain_text("closed")

    assert deeds(url, "a") == [
        ("ack", ""), ("comment", "ask about a, r and m"), ("close", "timer set back"),
    ]  # fmt: skip
    assert complaints == []


async def test_the_list_follows_what_others_do(
    url: str, address: str, open_page: Open, complaints: list[str]
) -> None:
    page = await opened(open_page, f"{address}/anomalies")
    other = await opened(open_page, f"{address}/anomalies")
    await other.keyboard.press("a")
    await expect(other.locator(".rows h3", has_text="Acknowledged")).to_contain_text("2")

    await expect(page.locator(".rows h3", has_text="Acknowledged")).to_contain_text(
        "2", timeout=15_000
    )
    assert deeds(url, "b") == [("ack", "")]
    assert complaints == []


async def test_an_anomaly_is_on_its_press_s_tile_and_taken_there_when_somebody_has_it(
    url: str, address: str, open_page: Open, complaints: list[str]
) -> None:
    page = await opened(open_page, f"{address}/")
    tile = page.locator("press-tile[data-place='6']")
    await expect(tile.locator(".foot strong")).to_have_text("cooling +0.41 s")
    await expect(tile).to_have_attribute("data-priority", "2")
    await expect(tile).to_have_attribute("aria-label", "Press 07, running, mold A-2217, warning")
    await expect(page.locator(".needs li").first).to_contain_text("IMM-15 can't be reached.")
    await expect(page.locator(".top .new")).to_have_text("2")

    with change(url) as connection:
        act(connection, Author(who="J. Ortiz", at=AT), "a", "ack")
    await expect(tile).to_have_attribute("data-taken", "", timeout=15_000)
    await expect(page.locator(".needs li", has_text="Press 07")).to_contain_text("J. Ortiz has it")
    await expect(page.locator(".top .new")).to_have_text("1")
    assert complaints == []


async def test_the_detail_follows_too_and_its_row_stays_marked(
    url: str, address: str, open_page: Open, complaints: list[str]
) -> None:
    page = await opened(open_page, f"{address}/anomalies")
    with change(url) as connection:
        act(connection, Author(who="D. Braun", at=AT), "b", "ack")

    await expect(page.locator("main .what")).to_contain_text("acknowledged", timeout=15_000)
    await expect(page.locator(".history")).to_contain_text("D. Braun acknowledged it")
    await expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    await expect(page.locator(".row[aria-current]")).to_contain_text("can't be reached")
    await expect(page.locator(".top .new")).to_have_text("1")
    assert complaints == []


async def test_a_page_that_the_record_does_not_answer_says_how_old_it_is(
    url: str, address: str, open_page: Open
) -> None:
    page = await opened(open_page, f"{address}/molds")
    note = page.locator("[data-old]")
    await expect(note).to_be_hidden()
    path = main_path(url)
    path.rename(path.with_name("away.db"))
    await expect(note).to_contain_text("could not be renewed since 14:32", timeout=30_000)
    await expect(page.locator(".pill")).to_contain_text("Live")

    path.with_name("away.db").rename(path)
    await expect(note).to_be_hidden(timeout=15_000)


async def test_maintenance_is_logged_by_hand(
    address: str, open_page: Open, complaints: list[str]
) -> None:
    page = await opened(open_page, f"{address}/molds")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/molds/A-2217")
    await page.wait_for_selector(LIVE)
    await page.keyboard.press("l")
    await page.keyboard.type("Vents brushed, slides greased")
    await page.locator("input[name=who]").first.fill("S. Vogel")
    await page.get_by_role("button", name="Save entry").click()

    row = page.locator("tbody tr", has_text="Vents brushed, slides greased")
    await expect(row).to_contain_text("S. Vogel")
    await expect(row).to_contain_text("140")
    assert complaints == []


@pytest.mark.parametrize("path", PATHS)
async def test_pages_of_the_record_fit_and_stand_still(
    address: str, open_page: Open, complaints: list[str], artefacts: Path, path: str
) -> None:
    name = path.strip("/").replace("/", "-")
    for width in (1920, 1440, 1180, 820, 390, 320):
        for scheme in ("light", "dark"):
            page = await opened(
                open_page, f"{address}{path}", width=width, height=900, color_scheme=scheme
            )
            assert await width_is_enough(page), (width, scheme)
            assert round(await page.evaluate(SHIFT), 2) == 0.0, (width, scheme)
            if width in (1440, 390):
                await page.screenshot(path=artefacts / f"{name}-{width}-{scheme}.png")
    assert complaints == []


async def test_from_the_wall_to_a_press_and_along_the_presses(
    address: str, open_page: Open, complaints: list[str]
) -> None:
    page = await opened(open_page, f"{address}/")
    await page.locator("press-tile", has_text="Hub cover").click()
    await page.wait_for_url("**/press/IMM-07")
    await page.wait_for_selector(LIVE)
    await expect(page.locator(".who .number b")).to_have_text("07")
    await page.keyboard.press("]")
    await page.wait_for_url("**/press/IMM-08")
    await page.wait_for_selector(LIVE)
    await page.keyboard.press("[")
    await page.wait_for_url("**/press/IMM-07")
    await page.get_by_role("link", name="139", exact=True).click()
    await page.wait_for_url("**/press/IMM-07/cycle/1/139")
    await expect(page.locator(".curves h2")).to_contain_text("Cycle 139")
    assert complaints == []


async def test_nobody_writes_into_a_page_that_has_lost_its_agent(url: str, open_page: Open) -> None:
    async with serving(story(24), record=url) as address:
        page = await opened(open_page, f"{address}/anomalies")
        button = page.get_by_role("button", name="Acknowledge")
        await expect(button).to_be_enabled()
    await page.wait_for_selector("html[data-link=lost]", timeout=15_000)

    await expect(button).to_be_disabled()
    await expect(page.locator(".band")).to_contain_text("The presses are not affected")
    await page.keyboard.press("a")
    assert deeds(url, "b") == []


async def test_the_pages_work_without_a_script(url: str, address: str, open_page: Open) -> None:
    page = await open_page(f"{address}/anomalies", java_script_enabled=False)
    await page.get_by_label("Cause, comment or reason").fill("cable was loose")
    await page.get_by_role("button", name="Resolve").click()

    await expect(page.locator(".history")).to_contain_text("cable was loose")
    assert deeds(url, "b") == [("close", "cable was loose")]


async def test_figures_at_the_axes_of_curves_stand_at_their_lines(
    address: str, open_page: Open
) -> None:
    page = await open_page(f"{address}/press/IMM-07/compare", 1700, 900)
    off = await page.evaluate(
        """() => [...document.querySelectorAll(".canvas")].flatMap((canvas) => {
          const box = (each) => each.getBoundingClientRect();
          const middle = (each) => box(each).y + box(each).height / 2;
          const lines = [...canvas.querySelectorAll(".grid")].map(middle);
          return [...canvas.querySelectorAll(".level")].map((text, n) => middle(text) - lines[n]);
        })"""
    )
    assert len(off) >= 5
    assert max(abs(each) for each in off) < 4
    left = await page.evaluate(
        """() => {
          const at = (name) => document.querySelector(`.canvas ${name}`).getBoundingClientRect();
          const zero = at(".time");
          return zero.x + zero.width / 2 - at(".grid").x;
        }"""
    )
    assert abs(left) < 3, "where time 0 stands"
