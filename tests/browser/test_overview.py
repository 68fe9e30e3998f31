"""The overview in a real browser, while all is well."""

import json
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from agent.live import Plant, Tile, Today
from tests.browser.conftest import Open
from tests.dashboards.client import get, serving, until
from tests.dashboards.story import AT, SITE, crowd, story
from tests.dashboards.vectors import DIFFERENCES, DURATIONS, MOMENTS, NUMBERS, PLANNED

pytestmark = pytest.mark.asyncio(loop_scope="package")

LIVE = "html[data-link=live]"

TILE = "press-tile[data-place='{}']"

SHIFT = """
    new Promise((resolve) => {
      let sum = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) sum += entry.value;
      }).observe({ type: "layout-shift", buffered: true });
      setTimeout(() => resolve(sum), 300);
    })
"""

DRAWN = """
    () => [...document.querySelectorAll("press-tile, .side, .counts")].map((part) => [
      part.getAttribute("aria-label"),
      part.dataset.state,
      ...[...part.querySelectorAll("[data-s], b, dd")].map((each) => each.textContent),
      ...[...part.querySelectorAll("use")].map((each) => each.getAttribute("href")),
      ...[...part.querySelectorAll("path")].map((each) => each.getAttribute("d")),
      ...[...part.querySelectorAll(".pointer, .fill")].map(
        (each) => each.getAttribute("x") ?? each.getAttribute("width")
      ),
      ...[...part.querySelectorAll("[title]")].map((each) => each.title),
    ])
"""


@pytest.fixture
def plant() -> Plant:
    """24 presses."""
    return story(24)


@pytest_asyncio.fixture(loop_scope="package")
async def address(plant: Plant) -> AsyncGenerator[str]:
    """Where they are served."""
    async with serving(plant) as address:
        yield address


def text(page: Page, place: int, slot: str) -> Any:
    """An expectation about one text of one tile."""
    return expect(page.locator(TILE.format(place)).locator(f"[data-s={slot}]"))


async def width_is_enough(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways."""
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    return bool(await page.evaluate(fits))


async def test_the_page_moves_as_the_plant_does(
    plant: Plant, address: str, open_page: Open, complaints: list[str]
) -> None:
    page = await open_page(address)
    await page.wait_for_selector(LIVE)

    plant.set(
        "IMM-07",
        cycle_time_s=25.11,
        cooling_time_s=12.84,
        cooling_spark=plant.cooled("IMM-07", 12.84),
        shots=1133,
    )
    await text(page, 6, "cycle").to_have_text("25.11")
    await text(page, 6, "deviation").to_have_text("+1.11")
    await text(page, 6, "cooling").to_have_text("12.84 s")
    await expect(page.locator(f"{TILE.format(6)} .pointer")).to_have_attribute("x", "100%")

    plant.set("IMM-07", state="stopped", reason="Door open", since=plant.clock())
    await text(page, 6, "word").to_have_text("Stopped")
    await expect(page.locator(".needs li").first).to_contain_text("Press 07")
    await expect(page.locator("[data-count=stopped] b")).to_have_text("2")
    await expect(page.locator(TILE.format(6))).to_have_attribute(
        "aria-label", "Press 07, stopped, mold A-2217"
    )
    assert complaints == []


async def test_the_script_draws_what_the_server_drew(open_page: Open) -> None:
    plant = Plant(SITE, story(24).tiles, lambda: AT)
    plant.today = story(24).today
    async with serving(plant) as address:
        served = await open_page(address, java_script_enabled=False)
        live = await open_page(address)
        await live.wait_for_selector(LIVE)

        drawn = zip(await live.evaluate(DRAWN), await served.evaluate(DRAWN), strict=True)
        for by_script, by_server in drawn:
            assert by_script == by_server


async def test_nothing_is_written_that_has_not_changed(address: str, open_page: Open) -> None:
    page = await open_page(address)
    await page.wait_for_selector(LIVE)
    await page.wait_for_timeout(1200)

    written = await page.evaluate(
        """
        new Promise((resolve) => {
          const written = [];
          new MutationObserver((changes) => written.push(...changes.map((c) => c.target.nodeName)))
            .observe(document.querySelector("main"), {
              subtree: true, characterData: true, attributes: true, childList: true,
            });
          setTimeout(() => resolve(written), 1500);
        })
        """
    )

    assert written == []


async def test_figures_are_printed_as_the_server_prints_them(address: str, open_page: Open) -> None:
    page = await open_page(address)
    folder = (await page.locator("script[type=module]").get_attribute("src") or "").rpartition("/")
    vectors = {
        "number": [[value, decimals] for value, decimals, _ in NUMBERS],
        "signed": [[value, decimals] for value, decimals, _ in DIFFERENCES],
        "brief": [[value] for value, _ in PLANNED],
    }

    printed = await page.evaluate(
        """async ([folder, vectors]) => {
          const figures = await import(`${folder}/figures.js`);
          const { duration } = await import(`${folder}/face.js`);
          const { moment } = await import(`${folder}/plantzone.js`);
          const from = (at) => Date.parse(at) / 1000;
          return {
            number: vectors.number.map((args) => figures.number(...args)),
            signed: vectors.signed.map((args) => figures.signed(...args)),
            brief: vectors.brief.map((args) => figures.brief(...args)),
            duration: vectors.duration.map(duration),
            moment: vectors.moment.map(([at, now]) => moment(from(at), from(now))),
          };
        }""",
        [
            folder[0],
            vectors
            | {
                "duration": [seconds for seconds, _ in DURATIONS],
                "moment": [[at, now] for at, now, _ in MOMENTS],
            },
        ],
    )

    assert printed["number"] == [said for _, _, said in NUMBERS]
    assert printed["signed"] == [said for _, _, said in DIFFERENCES]
    assert printed["brief"] == [said for _, said in PLANNED]
    assert printed["duration"] == [said for _, said in DURATIONS]
    assert printed["moment"] == [said for _, _, said in MOMENTS]


async def test_a_press_that_falls_silent_looks_silent_on_a_live_page(
    plant: Plant, address: str, open_page: Open
) -> None:
    page = await open_page(address)
    await page.wait_for_selector(LIVE)

    plant.set("IMM-01", stale_after_s=2.0)
    # Half past a second: ages travel rounded, the second that is printed must not depend on it.
    plant.seen("IMM-01", (plant.clock() - timedelta(seconds=1)).replace(microsecond=500_000))
    await expect(page.locator(TILE.format(0))).to_have_attribute("data-state", "no_data")
    await text(page, 0, "line_1").to_have_text("since 14:32:" + _seconds(plant, "IMM-01"))

    plant.seen("IMM-01", plant.clock())
    await expect(page.locator(TILE.format(0))).to_have_attribute("data-state", "running")
    await text(page, 0, "cycle").to_have_text("16.45")


def _seconds(plant: Plant, machine: str) -> str:
    seen_at = plant.tile(machine).seen_at
    assert seen_at is not None
    return f"{seen_at:%S}"


async def test_a_gap_in_the_spark_line_stays_a_gap(
    plant: Plant, address: str, open_page: Open
) -> None:
    page = await open_page(address)
    await page.wait_for_selector(LIVE)
    line = page.locator(f"{TILE.format(6)} .spark .line")
    assert (await line.get_attribute("d") or "").count("M") == 1

    plant.cooled("IMM-07", None)
    plant.set("IMM-07", cooling_spark=plant.cooled("IMM-07", 12.0))

    await expect(line).to_have_attribute("d", re.compile(r"M.*M"))


async def test_the_phase_strip_runs_by_itself(plant: Plant, address: str, open_page: Open) -> None:
    page = await open_page(address)
    await page.wait_for_selector(LIVE)

    plant.set("IMM-07", phase="cool", phase_since=plant.clock())
    segments = page.locator(f"{TILE.format(6)} .phases i")
    await expect(segments.nth(2)).to_have_class("now")
    await expect(segments.nth(1)).to_have_class("past")
    first = (
        await segments.nth(2).locator("b").evaluate("(each) => getComputedStyle(each).transform")
    )
    await page.wait_for_timeout(400)
    second = (
        await segments.nth(2).locator("b").evaluate("(each) => getComputedStyle(each).transform")
    )
    assert first != second

    plant.set("IMM-07", phase=None, phase_since=None)
    await expect(page.locator(f"{TILE.format(6)} .phases")).to_be_hidden()


async def test_nothing_moves_when_states_change(
    plant: Plant, address: str, open_page: Open
) -> None:
    page = await open_page(f"{address}/?wall=1", 1920, 1080)
    await page.wait_for_selector(LIVE)
    tiles = "[...document.querySelectorAll('press-tile')]"
    places = f"{tiles}.map((tile) => tile.offsetLeft * 9999 + tile.offsetTop)"
    before, shifted = await page.evaluate(places), await page.evaluate(SHIFT)

    for machine in plant.machines:
        plant.set(machine, state="stopped", reason="Power cut " * 9, since=plant.clock())
        plant.seen(machine, plant.clock())
    await expect(page.locator("[data-count=stopped] b")).to_have_text("24")

    assert await page.evaluate(places) == before
    assert await page.evaluate(SHIFT) - shifted < 0.001


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1440, 900), (1180, 820), (390, 844)])
async def test_the_layout_does_not_shift_while_loading(
    address: str, open_page: Open, width: int, height: int
) -> None:
    page = await open_page(address, width, height)
    await page.wait_for_selector(LIVE)
    await page.wait_for_timeout(700)

    assert round(await page.evaluate(SHIFT), 2) == 0.0


async def test_no_request_leaves_the_origin(address: str, open_page: Open) -> None:
    page = await open_page("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda websocket: asked.append(websocket.url))
    await page.goto(f"{address}/?wall=1")
    await page.wait_for_selector(LIVE)
    await page.wait_for_timeout(500)

    host = address.removeprefix("http://")
    assert len(asked) > 10
    assert [url for url in asked if url.split("/")[2] != host] == []
    assert await page.evaluate("document.fonts.check('16px Inter')")


async def test_eight_tabs_are_live_at_once(plant: Plant, address: str, browser: Browser) -> None:
    context = await browser.new_context()
    pages = [await context.new_page() for _ in range(8)]
    for page in pages:
        await page.goto(address)
    for page in pages:
        await page.wait_for_selector(LIVE)

    plant.set("IMM-07", cycle_time_s=24.99)
    for page in pages:
        await text(page, 6, "cycle").to_have_text("24.99")

    assert plant.viewers == 8
    await context.close()
    await until(lambda: plant.viewers == 0, within_s=3)


async def test_where_websockets_are_blocked_the_page_polls_and_says_so(
    plant: Plant, address: str, open_page: Open
) -> None:
    page = await open_page("about:blank")
    await page.add_init_script(
        """
        globalThis.WebSocket = class extends EventTarget {
          static OPEN = 1;
          readyState = 3;
          constructor() {
            super();
            setTimeout(() => this.dispatchEvent(new CloseEvent("close", { code: 1006 })), 5);
          }
          close() {}
          send() {}
        };
        """
    )
    await page.goto(address)
    await page.wait_for_selector("html[data-link=polling]")
    await expect(page.locator("[data-s=link]")).to_have_text("Live, every 2 s")
    assert "WebSocket is blocked" in (await page.locator(".pill").get_attribute("title") or "")

    plant.set("IMM-07", cycle_time_s=25.0)
    await text(page, 6, "cycle").to_have_text("25.00")
    await expect(page.locator("html")).to_have_attribute("data-link", "polling")


async def test_keys_switch_theme_and_wall_and_list_themselves(
    address: str, open_page: Open, complaints: list[str]
) -> None:
    page = await open_page(address)
    await page.wait_for_selector(LIVE)
    html = page.locator("html")

    await page.keyboard.press("t")
    await expect(html).to_have_attribute("data-theme", "dark")
    await page.reload()
    await expect(html).to_have_attribute("data-theme", "dark")

    await page.keyboard.press("w")
    await expect(html).to_have_attribute("data-mode", "wall")
    assert page.url.endswith("?wall=1")
    await expect(page.locator("nav")).to_be_hidden()
    await page.keyboard.press("w")
    await expect(html).to_have_attribute("data-mode", "desk")

    await page.keyboard.press("?")
    await expect(page.locator("dialog.keys")).to_be_visible()
    await page.locator("[data-do=single]").uncheck()
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog.keys")).to_be_hidden()
    await page.keyboard.press("t")
    await expect(html).to_have_attribute("data-theme", "dark")
    assert complaints == []


async def test_the_page_can_be_used_by_keyboard_alone(address: str, open_page: Open) -> None:
    page = await open_page(address)
    await page.wait_for_selector(LIVE)
    focused = []
    for _ in range(5):
        await page.keyboard.press("Tab")
        focused.append(
            await page.evaluate(
                "document.activeElement.dataset.do ?? document.activeElement.className"
            )
        )

    assert focused == ["skip", "mark", "", "keys", "theme"]


async def test_motion_stops_where_somebody_asked_for_that(address: str, open_page: Open) -> None:
    page = await open_page(address, reduced_motion="reduce")
    await page.wait_for_selector(LIVE)

    assert await page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("query", ["", "?wall=1"])
@pytest.mark.parametrize(("width", "height"), [(320, 640), (720, 450), (1180, 820), (2560, 1440)])
async def test_every_width_is_enough(
    address: str, open_page: Open, query: str, width: int, height: int
) -> None:
    page = await open_page(f"{address}/{query}", width, height)
    await page.wait_for_selector(LIVE)

    assert await width_is_enough(page)


async def test_a_wall_shows_all_24_presses_without_scrolling(address: str, open_page: Open) -> None:
    for width, height in ((1920, 1080), (3840, 2160)):
        page = await open_page(f"{address}/?wall=1", width, height)
        await page.wait_for_selector(LIVE)

        assert await page.evaluate("document.documentElement.scrollHeight") == height
        last = await page.locator(TILE.format(23)).bounding_box()
        assert last is not None
        assert last["y"] + last["height"] < height
        assert last["width"] > 240 * width / 1920


async def test_two_hundred_presses_are_dots_and_the_abnormal_ones_tiles(
    open_page: Open, complaints: list[str]
) -> None:
    plant = crowd(200, ("A", "B"))
    async with serving(plant) as address:
        page = await open_page(f"{address}/?wall=1", 1920, 1080)
        await page.wait_for_selector(LIVE)
        tiles = page.locator("press-bay press-tile:visible")
        before = await tiles.count()
        assert await page.locator("press-dot").count() == 200
        assert await page.locator("press-dot b").evaluate_all(
            "(labels) => labels.every((label) => label.scrollWidth <= label.clientWidth)"
        )
        assert before == sum(tile.state in ("stopped", "no_data") for tile in plant.tiles)

        plant.set("IMM-007", state="running", reason="")
        await expect(tiles).to_have_count(before - 1)
        left = await page.locator(TILE.format(11)).bounding_box()
        plant.set("IMM-001", state="stopped", reason="Door open", since=AT)
        await expect(tiles).to_have_count(before)

        # The one that came takes the place of the one that went; nobody else moves.
        assert await page.locator(TILE.format(11)).bounding_box() == left
        for tile in plant.tiles:
            plant.set(tile.machine, state="stopped", since=AT)
        await expect(page.locator("press-bay .more").first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollHeight") == 1080
        assert complaints == []


async def test_hostile_names_are_shown_as_names(open_page: Open, complaints: list[str]) -> None:
    name = "<img src=x onerror=alert(1)>\u202e\x00{label}${1}" + "x" * 5000
    tile = Tile(machine=name, label=name, mold=name, part=name, job=name, state="running")
    tile = replace(tile, seen_at=AT, stale_after_s=9999.0)
    plant = Plant(replace(SITE, name=name), [tile, replace(tile, machine="2")], story(1).clock)
    async with serving(plant) as address:
        page = await open_page(address)
        await page.wait_for_selector(LIVE)
        plant.set(name, state="stopped", reason=name, since=AT)
        await text(page, 0, "word").to_have_text("Stopped")

        assert await page.locator("img").count() == 0
        assert (await page.locator(f"{TILE.format(0)} [data-s=mold]").inner_text()).startswith(
            "<img src=x"
        )
        assert await width_is_enough(page)
        assert complaints == []


async def test_the_days_sums_come_with_the_beat(
    plant: Plant, address: str, open_page: Open
) -> None:
    page = await open_page(address)
    await page.wait_for_selector(LIVE)

    plant.today = Today(since=AT, shots=10_000, cycles=9_990, unobserved=10, blind_s=3600.0)

    await expect(page.locator("[data-today=shots]")).to_have_text("10\u202f000")
    await expect(page.locator("[data-today=unobserved]")).to_have_text("10")
    await expect(page.locator("[data-today=blind]")).to_have_text("1 h 0 min")


PICTURES = [
    ("wall-light", 24, "?wall=1&theme=light", 1920, 1080, {}),
    ("wall-dark", 24, "?wall=1", 1920, 1080, {}),
    ("wall-12", 12, "?wall=1&theme=light", 1920, 1080, {}),
    ("laptop-light", 24, "", 1440, 900, {}),
    ("laptop-dark", 12, "", 1440, 900, {"color_scheme": "dark"}),
    ("tablet-light", 24, "", 1180, 820, {"has_touch": True, "is_mobile": True}),
    ("phone-dark", 12, "", 390, 844, {"color_scheme": "dark", "is_mobile": True}),
    ("no-script", 24, "", 1440, 900, {"java_script_enabled": False}),
    ("compact", 60, "?wall=1", 1920, 1080, {}),
    ("dots", 200, "?wall=1&theme=light", 1920, 1080, {}),
]


@pytest.mark.parametrize(
    ("name", "presses", "query", "width", "height", "options"),
    PICTURES,
    ids=[picture[0] for picture in PICTURES],
)
async def test_a_picture_is_kept_of_every_size_and_theme(
    open_page: Open,
    artefacts: Path,
    complaints: list[str],
    name: str,
    presses: int,
    query: str,
    width: int,
    height: int,
    options: dict[str, Any],
) -> None:
    plant = story(presses) if presses <= 24 else crowd(presses, ("A", "B"))
    async with serving(plant) as address:
        page = await open_page(f"{address}/{query}", width, height, **options)
        if options.get("java_script_enabled", True):
            await page.wait_for_selector(LIVE)
        picture = artefacts / f"overview-{name}.png"
        picture.write_bytes(await page.screenshot())

        assert picture.stat().st_size > 20_000
        assert complaints == []


async def test_the_snapshot_that_is_polled_matches_the_live_channel(
    address: str, open_page: Open
) -> None:
    page = await open_page(address)
    await page.wait_for_selector(LIVE)
    snapshot = json.loads((await get(f"{address}/api/snapshot")).text)

    given = json.loads(await page.locator("#given").text_content() or "")

    assert (given["build"], given["layout"]) == (snapshot["build"], snapshot["layout"])
