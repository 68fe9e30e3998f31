"""The golden reference of a mold: chosen, approved by name, and the limits of its sheet."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio

from agent.history import open_history
from agent.watchwords import read_golden, read_limits
from tests.dashboards.client import get, post, serving
from tests.dashboards.recorded import recorded
from tests.dashboards.story import story
from tests.dashboards.test_recordpages import Place, words_of


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    """The story's record, served."""
    url = await recorded(tmp_path)
    async with serving(story(12), record=url) as address:
        yield Place(address=address, url=url)


async def test_chosen_cycles_are_laid_over_each_other_before_anybody_approves(
    place: Place,
) -> None:
    answer = await get(f"{place.address}/golden/A-2217?first=121&last=140")
    text = words_of(answer)

    assert "Golden reference of A-2217" in text
    assert "20 good cycles, 2 with curves" in text
    assert answer.text.count('class="ghost" d="M') == 1
    assert "Cycle time 24.40 s" in text, "the middle of these"
    assert "Nothing was approved yet." in text
    few = await get(f"{place.address}/golden/A-2217?first=138")
    assert 'value="approve" disabled' in few.text
    assert "It takes at least 5 good cycles." in words_of(few)
    assert (await get(f"{place.address}/golden/A-9")).status == 404


async def test_a_person_approves_cycles_by_name(place: Place) -> None:
    form = {
        "deed": "approve", "machine": "IMM-07", "first": "100", "last": "120",
        "note": "after PM", "who": "K. Adeyemi",
    }  # fmt: skip
    answer = await post(f"{place.address}/golden/A-2217", form)
    assert (answer.status, answer.headers["location"]) == (303, "/golden/A-2217")

    with open_history(place.url) as history, history.connect() as connection:
        (found,) = read_golden(connection, "A-2217")
    assert (found.who, found.cycles, found.note) == ("K. Adeyemi", (1, 100, 120), "after PM")
    assert 11.7 < found.levels["cooling_time_s"] < 11.9
    text = await place.words("/golden/A-2217/v1")
    assert "Reference v1" in text
    assert "v1 K. Adeyemi IMM-07 C, shots 100 to 120. after PM" in text
    assert (await get(f"{place.address}/golden/A-2217/v2")).status == 404
    again = await post(f"{place.address}/golden/A-2217", form | {"last": "102", "key": "k2"})
    assert (again.status, "it takes at least" in again.text) == (409, True)


async def test_a_limit_is_set_from_a_time_on_and_lifted_again(place: Place) -> None:
    form = {
        "deed": "limit", "signal": "cooling_time_s", "low": "11,5", "high": "12.1",
        "since": "2026-11-23T06:00", "who": "K. Adeyemi",
    }  # fmt: skip
    assert (await post(f"{place.address}/golden/A-2217", form)).status == 303
    lift = {"deed": "lift", "signal": "cooling_time_s", "key": "k2"}
    assert (await post(f"{place.address}/golden/A-2217", lift)).status == 303

    with open_history(place.url) as history, history.connect() as connection:
        first, second = read_limits(connection, "A-2217")
    assert (first.low, first.high, first.revision, first.who) == (11.5, 12.1, "C", "K. Adeyemi")
    assert first.since.isoformat() == "2026-11-23T05:00:00+00:00"
    assert (second.low, second.high) == (None, None)
    text = await place.words("/golden/A-2217")
    assert "C Cooling time 11.50 s 12.10 s 06:00:00 K. Adeyemi" in text
    for wrong, words in (
        ({"low": "x"}, "right would be a number"),
        ({"low": "13"}, "is above the high one"),
        ({"low": "", "high": ""}, "to end one, lift it"),
        ({"since": "soon"}, "right would be 2026-11-23T06:45"),
    ):
        answer = await post(f"{place.address}/golden/A-2217", form | wrong | {"key": str(wrong)})
        assert (answer.status, words in words_of(answer)) == (409, True), wrong
