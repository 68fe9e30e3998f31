"""The pages over HTTP, as a browser without script gets them."""

import json
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

import pytest

from agent.files import only_writer
from agent.live import Plant, Tile
from tests.dashboards.client import get, serving
from tests.dashboards.story import AT, SITE


@pytest.fixture
async def address(demo_plant: Plant) -> AsyncGenerator[str]:
    """Where the 24 presses are served."""
    async with serving(demo_plant) as address:
        yield address


class Attributes(HTMLParser):
    """Every element and attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


async def test_the_page_can_be_read_as_served(address: str) -> None:
    page = await get(f"{address}/")
    text = re.sub(r"\s+", " ", re.sub(r"<(script|style)[^>]*>.*?</\1>|<[^>]+>", " ", page.text))

    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for words in (
        "Plant 2 Hall A",
        "19 running",
        "As of 14:32:",
        "07 180 t Running",
        "A-2217 Hub cover, 2-cav",
        "24.48 s +0.48 target 24.0",
        "320 shots left",
        "No data since 14:28:51",
        "Times in plant zone, Europe/Berlin",
        "does not update itself",
    ):
        assert words in text, words


async def test_the_page_carries_no_inline_script_or_style(address: str) -> None:
    elements = Attributes((await get(f"{address}/?wall=1")).text).found

    assert not [attributes for _tag, attributes in elements if "style" in attributes]
    assert not [
        name for _tag, attributes in elements for name in attributes if name.startswith("on")
    ]
    for tag, attributes in elements:
        assert tag != "style"
        if tag == "script" and "src" not in attributes:
            assert attributes.get("type") == "application/json"


async def test_every_answer_forbids_what_pages_do_not_need(address: str) -> None:
    for path in ("/", "/?hall=none", "/api/snapshot", "/healthz", "/assets/x/base.css", "/nowhere"):
        headers = (await get(f"{address}{path}")).headers

        policy = headers["content-security-policy"]
        assert "default-src 'self'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


async def test_assets_are_kept_by_browsers_until_they_change(address: str) -> None:
    page = (await get(f"{address}/")).text
    urls = re.findall(r'(?:href|src)="(/assets/[^"]+)"', page)
    assert len(urls) > 5

    for url in urls:
        first = await get(f"{address}{url}")
        again = await get(f"{address}{url}", if_none_match=first.headers["etag"])

        assert first.status == 200
        assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert (again.status, again.body) == (304, b"")


async def test_an_asset_of_another_build_is_not_there(address: str) -> None:
    assert (await get(f"{address}/assets/0123456789ab/base.css")).status == 404
    assert (await get(f"{address}/assets/../app.py")).status == 404


@pytest.mark.parametrize("path", ["/", "/api/snapshot"])
async def test_text_travels_packed(address: str, path: str) -> None:
    plain = await get(f"{address}{path}")
    packed = await get(f"{address}{path}", accept_encoding="gzip")

    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(plain.body) / 3


async def first_visit(address: str, path: str) -> dict[str, int]:
    """Bytes of a page, its style sheets and scripts with what they import, and of others' files."""
    page = await get(f"{address}{path}", accept_encoding="gzip")
    cost = {"html": len(page.body), ".css": 0, ".js": 0, "vendored": 0}
    urls = re.findall(r'(?:href|src)="(/assets/[^"]+\.(?:css|js))"', page.text)
    waiting, seen = list(urls), set(urls)
    while waiting:
        url = waiting.pop()
        asset = await get(f"{address}{url}", accept_encoding="gzip")
        kind = "vendored" if "/vendor/" in url else PurePosixPath(url).suffix
        cost[kind] += len(asset.body)
        for name in re.findall(r'(?:from|import) "\./([^"]+)"', asset.text):
            other = str(PurePosixPath(url).parent / name)
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return cost


async def test_the_first_visit_costs_no_more_than_its_budget(address: str) -> None:
    cost = await first_visit(address, "/")

    assert cost["html"] < 35_000
    assert 5_000 < cost[".css"] < 12_000
    assert 5_000 < cost[".js"] < 15_000


async def test_the_snapshot_is_the_plant_as_objects(address: str) -> None:
    snapshot = json.loads((await get(f"{address}/api/snapshot")).text)

    assert [tile["machine"] for tile in snapshot["tiles"]][:2] == ["IMM-01", "IMM-02"]
    assert snapshot["build"]


async def test_health_says_that_the_pages_are_served(address: str) -> None:
    assert json.loads((await get(f"{address}/healthz")).text)["status"] == "ok"


async def test_health_says_why_the_record_takes_nothing_until_it_does(
    demo_plant: Plant, tmp_path: Path
) -> None:
    path = tmp_path / "sprue.db"
    async with serving(demo_plant, record=f"sqlite:///{path}") as address:
        with only_writer(path) as say:
            say("nothing can be written (disk full)")
            stuck = await get(f"{address}/healthz")
            say("")
            mended = json.loads((await get(f"{address}/healthz")).text)

    assert stuck.status == 200
    told = json.loads(stuck.text)
    assert (told["status"], told["record"]) == ("trouble", "nothing can be written (disk full)")
    assert mended["status"] == "ok"
    assert "record" not in mended


@pytest.mark.parametrize(
    ("query", "attributes"),
    [
        ("", {"data-mode": "desk", "data-theme": None, "data-zoom": None}),
        ("?wall=1", {"data-mode": "wall", "data-theme": "dark", "data-zoom": None}),
        (
            "?wall=1&theme=light&zoom=125",
            {"data-mode": "wall", "data-theme": "light", "data-zoom": "125"},
        ),
        ("?theme=dark&hall=A", {"data-mode": "desk", "data-theme": "dark", "data-zoom": None}),
    ],
)
async def test_an_address_opens_the_view_it_names(
    address: str, query: str, attributes: dict[str, str | None]
) -> None:
    tag, found = Attributes((await get(f"{address}/{query}")).text).found[0]

    assert tag == "html"
    assert {name: found.get(name) for name in attributes} == attributes


async def test_a_view_that_there_is_not_is_a_page_that_says_so(address: str) -> None:
    answer = await get(f"{address}/?hall=%3Cb%3E")

    assert answer.status == 404
    assert "There is no hall &#39;&lt;b&gt;&#39;. There is: A." in answer.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8420", ""])
async def test_a_name_that_is_not_ours_gets_nothing(address: str, host: str) -> None:
    answer = await get(f"{address}/api/snapshot", host=host)

    assert answer.status == 421
    assert b"IMM-01" not in answer.body


@pytest.mark.parametrize("host", ["localhost:8420", "127.0.0.1", "[::1]:8420", "sprue.localhost"])
async def test_our_own_names_are_known(address: str, host: str) -> None:
    assert (await get(f"{address}/healthz", host=host)).status == 200


async def test_a_given_name_is_known_too(demo_plant: Plant) -> None:
    async with serving(demo_plant, hosts=["Sprue.Plant2.example"]) as address:
        assert (await get(f"{address}/healthz", host="sprue.plant2.example")).status == 200


async def test_hostile_names_change_nothing_on_the_page() -> None:
    name = "</script><script>alert(1)</script>{{ 7*7 }}\x00\u202e\ud800" + "x" * 10_000
    tile = Tile(machine=name, label=name, mold=name, part=name, job=name, reason=name, hall=name)
    plant = Plant(replace(SITE, name=name), [tile], lambda: AT)

    async with serving(plant) as address:
        page = (await get(f"{address}/")).text

    scripts = [attributes for tag, attributes in Attributes(page).found if tag == "script"]
    assert all("src" in script or "id" in script for script in scripts)
    assert not {"\x00", "\u202e"} & set(page)
    assert "49" not in re.findall(r'data-s="mold">([^<]*)<', page)[0]
    assert len(page) < 40_000
