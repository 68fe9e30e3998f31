"""A press's live page in a real browser: phases, samples and numbers as they come and end."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from agent.live import Plant
from agent.shotnow import ShotNow
from drivers import Column, Frame, Quality
from tests.browser.conftest import Open
from tests.dashboards.client import serving, until, viewing
from tests.dashboards.recorded import recorded
from tests.dashboards.story import story

pytestmark = pytest.mark.asyncio(loop_scope="package")

COLUMNS = tuple(
    Column(signal=name, source=name) for name in ("injection_pressure_bar", "cavity_pressure_bar")
)

WALK = """
    (steps) => {
      const chart = document.querySelector("cycle-chart");
      const spoken = document.querySelector("[data-spoken]");
      return [...Array(steps)].map(() => {
        chart.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }));
        return spoken.textContent.split(",").slice(0, 2).join(",");
      });
    }
"""

INK = """
    (name) => {
      const canvas = document.querySelector(`[data-plot=${name}] canvas`);
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let inked = 0;
      for (let n = 3; n < data.length; n += 4) inked += data[n] > 0;
      return inked;
    }
"""


class Molding:
    """Feeds the running shot of press 07, as its task does."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.shot = ShotNow()

    def poll(self, t_s: float, phase: str, pressure: float, cavity: float) -> None:
        """One frame, `t_s` after the shot began."""
        began = self.shot.began_at or self.plant.clock()
        frame = Frame(
            machine="IMM-07", columns=COLUMNS, values=(pressure, cavity),
            qualities=(Quality.GOOD,) * 2, received_at=began + timedelta(seconds=t_s),
        )  # fmt: skip
        if self.shot.take(frame, {"phase": phase}):
            self.plant.draw("IMM-07", self.shot)


@pytest.fixture
def plant() -> Plant:
    """24 presses."""
    return story(24)


@pytest_asyncio.fixture(loop_scope="package")
async def address(plant: Plant, tmp_path: Path) -> AsyncGenerator[str]:
    """Where they are served, with their record."""
    async with serving(plant, record=await recorded(tmp_path)) as address:
        yield address


async def live(page: Page) -> None:
    await page.wait_for_selector("html[data-link=live]")
    await page.wait_for_selector(".canvas[data-drawn]")


async def test_a_press_draws_its_shot_as_it_comes(
    plant: Plant, address: str, open_page: Open, complaints: list[str]
) -> None:
    press = Molding(plant)
    press.poll(0.0, "fill", 300.0, 0.0)
    page = await open_page(f"{address}/press/IMM-07")
    await live(page)
    bare = await page.evaluate(INK, "pressure")

    for n in range(1, 40):
        press.poll(n / 10, "fill" if n < 14 else "hold", 300.0 + 10 * n, 4.0 * n)
    await expect(page.locator(".readouts b").first).to_have_text("690")
    assert await page.evaluate(INK, "pressure") > bare + 200
    bar = page.locator(".phasebar .cycle g")
    await expect(bar).to_have_count(2)
    await expect(bar.first).to_have_attribute("data-phase", "fill")
    await expect(page.locator("[data-s=number]")).to_have_text("Cycle 8\u202f008")
    first = float(await page.locator("[data-s=now]").text_content() or "nan")
    await page.wait_for_timeout(600)
    assert float(await page.locator("[data-s=now]").text_content() or "nan") > first

    press.poll(4.0, "cool", 0.0, 0.0)
    press.poll(5.0, "fill", 55.0, 0.0)
    await expect(page.locator(".readouts b").first).to_have_text("55")
    await expect(bar).to_have_count(1)
    assert [each for each in complaints if "getImageData" not in each] == []  # that is our look


async def test_a_page_opened_in_the_middle_of_a_shot_has_all_of_it(
    plant: Plant, address: str, open_page: Open, complaints: list[str]
) -> None:
    press = Molding(plant)
    for n in range(60):
        press.poll(n / 10, "fill" if n < 14 else "hold", 100.0 + n, 0.0)
    page = await open_page(f"{address}/press/IMM-07")
    await live(page)
    await expect(page.locator(".phasebar .cycle g")).to_have_count(2)
    readouts = page.locator(".readouts b")
    await expect(readouts).to_have_text(["159", "0"])  # samples come after phases

    await page.locator("cycle-chart").focus()
    await page.keyboard.press("ArrowLeft")
    await expect(readouts).to_have_text(["158", "0"])  # with the next frame of the screen
    await page.keyboard.press("Shift+ArrowLeft")
    await page.keyboard.press("Home")
    await expect(page.locator("[data-spoken]")).to_contain_text(
        "1.40 s, Injection pressure 114 bar"
    )
    await page.keyboard.press("End")
    assert await page.evaluate(WALK, 59) == [
        f"{n / 10:.2f} s, Injection pressure {100 + n} bar" for n in range(58, -1, -1)
    ]
    assert complaints == []


async def test_a_press_without_data_and_one_without_a_server_do_not_look_live(
    plant: Plant, tmp_path: Path, open_page: Open
) -> None:
    press = Molding(plant)
    press.poll(0.0, "fill", 300.0, 0.0)
    pointer = ".phasebar .pointer"
    async with serving(plant, record=await recorded(tmp_path)) as address:
        page = await open_page(f"{address}/press/IMM-07")
        await live(page)
        await expect(page.locator(pointer)).to_be_visible()

        plant.set("IMM-07", state="no_data", reason="Connection refused", since=plant.clock())
        await expect(page.locator(".silent")).to_contain_text("sends no data since 14:3")
        await expect(page.locator(pointer)).to_be_hidden()
        plant.set("IMM-07", state="running", reason="")
        await expect(page.locator(".silent")).to_be_hidden()
        await expect(page.locator(pointer)).to_be_visible()
    await page.wait_for_selector("html[data-link=lost]", timeout=15_000)

    await expect(page.locator(pointer)).to_be_hidden()
    now = await page.locator("[data-s=now]").text_content()
    await page.wait_for_timeout(500)
    assert await page.locator("[data-s=now]").text_content() == now
    assert "grayscale" in await page.locator(".page").evaluate("(e) => getComputedStyle(e).filter")


async def test_a_press_can_be_read_without_a_script(address: str, open_page: Open) -> None:
    page = await open_page(f"{address}/press/IMM-07", java_script_enabled=False)

    await expect(page.locator(".canvas path.line-1").first).to_be_visible()
    await expect(page.locator("noscript, .note").first).to_be_attached()
    await expect(page.locator(".control").first).to_contain_text("Cooling time")
    await page.get_by_role("button", name="Acknowledge").click()
    await page.wait_for_url("**/press/IMM-07")


async def test_samples_come_once_as_bytes_and_only_to_those_who_follow(plant: Plant) -> None:
    press = Molding(plant)
    press.poll(0.0, "fill", 300.0, 7.0)
    async with serving(plant) as address, viewing(address, subscribe=False) as viewer:
        await viewer.say(sub=["plant", "press:6"], seq=0)
        shot = await viewer.hear("shot")
        assert (shot["place"], shot["phases"]) == (6, [["fill", 0.0]])
        first = await viewer.connection.recv()
        press.poll(0.1, "fill", 400.0, 8.0)
        second: str | bytes = ""
        async with asyncio.timeout(5):
            while not isinstance(second, bytes):
                second = await viewer.connection.recv()

        async with viewing(address) as other:
            await other.hear("snapshot")
            press.poll(0.2, "hold", 500.0, 9.0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.6):
                    while True:
                        message = await other.connection.recv()
                        assert isinstance(message, str)
                        assert '"t":"shot"' not in message
    await until(lambda: plant.viewers == 0, 5)

    assert isinstance(first, bytes)
    assert (len(first), len(second)) == (12 + 3 * 4, 12 + 3 * 4)
    assert (first[0], first[1], second[8]) == (1, 3, 1), "type, width, index of the first sample"


async def test_curves_are_enlarged_and_shown_as_a_table_and_c_leads_to_a_comment(
    address: str, open_page: Open
) -> None:
    page = await open_page(f"{address}/press/IMM-07")
    await live(page)
    canvas = page.locator(".canvas.pressure")
    before = await canvas.bounding_box()
    enlarge = page.locator("[data-do=enlarge]")

    await enlarge.click()
    await expect(enlarge).to_have_attribute("aria-pressed", "true")
    after = await canvas.bounding_box()
    assert before
    assert after
    assert after["width"] > before["width"]
    assert after["height"] > before["height"] * 1.3
    await expect(page.locator(".canvas.pressure .uplot canvas")).to_have_attribute(
        "height", str(round(after["height"]))
    )
    await enlarge.click()
    assert await canvas.bounding_box() == before

    await page.locator(".as-table summary").click()
    await expect(page.locator(".as-table thead th").nth(1)).to_have_text("Injection pressure, bar")
    assert await page.locator(".as-table tbody tr").count() >= 40
    gaps = await page.locator(".as-table td").evaluate_all("(c) => c.filter((x) => !x.textContent)")
    assert gaps, "half a second without samples"

    await page.keyboard.press("Escape")
    await page.keyboard.press("c")
    await page.wait_for_url("**/anomalies/*#comment")
    await expect(page.locator(".deeds input[name=text]")).to_be_focused()
