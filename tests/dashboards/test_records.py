"""The records page: what is said before, what is made, and what a file is proved by."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest_asyncio

from agent.audit import Author, change
from agent.context.book import Book
from agent.context.entry import Said
from agent.files import main_path
from agent.live import Plant
from agent.watchwords import set_limit
from tests.dashboards.client import Answer, get, post, serving
from tests.dashboards.recorded import recorded
from tests.dashboards.story import story
from tests.dashboards.test_recordpages import Place, words_of

OLD = datetime(2026, 1, 1, tzinfo=UTC)
ADA = Author(who="Ada", at=datetime(2026, 11, 23, tzinfo=UTC))
KEY = "0123456789abcdef" * 2


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    """The story's record, served."""
    url = await recorded(tmp_path)
    async with serving(story(12), record=url) as address:
        yield Place(address=address, url=url)


async def finished(place: Place, key: str) -> Answer:
    """The page of an export that has ended."""
    async with asyncio.timeout(30):
        while True:
            answer = await get(f"{place.address}/records/exports/{key}")
            if 'data-job="ended"' in answer.text:
                return answer
            await asyncio.sleep(0.05)


async def test_what_a_selection_holds_stands_there_before_anything_is_written(
    place: Place,
) -> None:
    text = await place.words("/records?machine=IMM-07&since=2026-11-23T06:00")

    assert "140 cycle records 140 shots counted 0 records missing, 1 gap 2 anomalies" in text
    assert "newest first, 10 of 140 rows" in text
    assert "IMM-07 140 records, not seen for 15 min" in text
    assert re.search(r"14:32:07 140 A-2217 C 140 12\.\d\d 24\.40 none set", text)
    assert "sprue-IMM-07-20261123T050000Z.csv" in text
    assert "Export 140 records" in text
    assert not (main_path(place.url).parent / "exports").exists()


async def test_shots_states_and_parts_are_chosen_as_by_the_command(place: Place) -> None:
    with change(place.url) as connection:
        book = Book(connection, ADA)
        book.enter(Said(kind="id", label="SN-7", machine="IMM-07", first=120, last=120))
        set_limit(connection, ADA, "A-2217", "cooling_time_s", high=12.0, since=OLD)
    for query, rows, name in (
        ("machine=IMM-07&segment=1&shots=101-103", 3, "sprue-IMM-07-segment-1-shots-101-103.csv"),
        ("part_id=SN-7", 1, "sprue-part-SN-7.csv"),
        ("machine=IMM-07&state=production", 140, "sprue-IMM-07-production.csv"),
    ):
        text = await place.words(f"/records?{query}")
        assert f"Export {rows} record" in text
        assert name in text

    answer = await get(f"{place.address}/records?machine=IMM-07&shots=130-140")
    assert re.search(r"140 A-2217 C 140 .* outside Cooling time", words_of(answer))
    address = unescape(re.findall(r'<a href="([^"]+)"[^>]*>Any time', answer.text)[0])
    assert "shots=130-140" in address
    assert "since" not in address


async def test_a_selection_without_a_match_says_which_filter_excludes_all(place: Place) -> None:
    answer = await get(f"{place.address}/records?mold=A-2217&job=4711")
    text = words_of(answer)

    assert "No records match Without Job there are 140 records." in text
    (fix,) = re.findall(r'class="button first" href="(/records\?[^"]+)"', answer.text)
    assert "140 cycle records" in await place.words(unescape(fix))


async def test_an_export_is_made_once_downloaded_and_proved(place: Place) -> None:
    where = f"{place.address}/records/exports/{KEY}?mold=A-2217&format=csv"
    for _ in range(2):
        answer = await post(where, {"deed": "make", "who": "L. Hartmann", "key": "k1"})
        assert (answer.status, answer.headers["location"]) == (303, f"/records/exports/{KEY}")
    page = await finished(place, KEY)
    assert "The file is ready" in words_of(page)

    file = await get(f"{place.address}/records/exports/{KEY}/file")
    manifest = json.loads((await get(f"{place.address}/records/exports/{KEY}/manifest")).text)
    body = file.text.encode()
    digest = hashlib.sha256(body).hexdigest()
    assert body.count(b"\n") == 141
    assert 'filename="sprue-A-2217.csv"' in file.headers["content-disposition"]
    assert (manifest["files"][0]["sha256"], manifest["by"]) == (digest, "L. Hartmann")
    made = [each for each in place.audit() if each["kind"] == "export"]
    assert len(made) == 1, "twice sent is once made"

    same = await place.words(f"/records/verify?sha256={digest.upper()}")
    assert "Unchanged. sprue-A-2217.csv, 140 records, made by L. Hartmann" in same
    assert "The copy beside the record is unchanged, too." in same
    flipped = hashlib.sha256(body[:-1] + b"x").hexdigest()
    assert "Not as it was exported." in await place.words(f"/records/verify?sha256={flipped}")
    (copy,) = (main_path(place.url).parent / "exports").glob("*/sprue-A-2217.csv")
    copy.write_bytes(body + b"x")
    assert "The copy beside" not in await place.words(f"/records/verify?sha256={digest}")
    assert "sprue-A-2217.csv 140" in await place.words("/records")


async def test_an_export_that_is_cancelled_leaves_nothing(place: Place) -> None:
    where = f"{place.address}/records/exports/{KEY}"
    await post(f"{where}?mold=A-2217&format=xlsx", {"deed": "make", "key": "k1"})
    await post(where, {"deed": "cancel", "key": "k2"})
    page = await finished(place, KEY)

    state = "done" if "The file is ready" in words_of(page) else "cancelled"
    files = list((main_path(place.url).parent / "exports").glob("*/*"))
    assert (state == "cancelled") == (files == [])
    assert (await get(f"{where}/file")).status == (200 if state == "done" else 404)


async def test_what_there_can_not_be_is_refused_in_words(place: Place) -> None:
    for query, words in (
        ("since=yesterday", "right would be 2026-11-23T06:45"),
        ("format=doc", "right would be csv"),
        ("since=2026-11-23T06:00&until=2026-11-23T05:00", "ends before it begins"),
        ("revision=C", "say which mold"),
        ("state=good", "right would be production"),
        ("shots=12-15", "say which press"),
        ("machine=IMM-07&shots=15-12", "the lesser one"),
        ("machine=IMM-07&segment=x", "right would be a number"),
        ("lot=L-1&box=B-1", "one at a time"),
        ("box=B-1", "No box 'B-1' was entered"),
    ):
        answer = await get(f"{place.address}/records?{query}")
        assert (answer.status, words in unescape(answer.text)) == (400, True), query
    for path in (f"/records/exports/{KEY}", f"/records/exports/{KEY}/file"):
        assert (await get(f"{place.address}{path}")).status == 404
    assert (await get(f"{place.address}/records/verify?sha256=12")).status == 400
    answer = await post(f"{place.address}/records/exports/..%2F..", {"deed": "make"})
    assert answer.status in (404, 405)


async def test_a_night_that_has_an_hour_twice_is_chosen_by_offset(
    tmp_path: Path, demo_plant: Plant
) -> None:
    url = await recorded(tmp_path)
    async with serving(demo_plant, record=url) as address:
        query = "since=2026-10-25T02:30%2B02:00&until=2026-10-25T02:30%2B01:00&machine=IMM-07"
        answer = await get(f"{address}/records?{query}")

    assert answer.status == 200
    assert urlsplit(address).scheme == "http"
    assert "2026-10-25T02:30:00+02:00" in unescape(answer.text)
