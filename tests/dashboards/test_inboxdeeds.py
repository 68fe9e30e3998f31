"""What people do on the anomalies page: give, undo, several at once, and mutes that end."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from agent.audit import Author, change
from agent.muting import mute_all
from tests.dashboards.client import get, post, serving
from tests.dashboards.recorded import recorded
from tests.dashboards.story import AT, story
from tests.dashboards.test_recordpages import Place, words_of


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    """The story's record, served."""
    url = await recorded(tmp_path)
    async with serving(story(12), record=url) as address:
        yield Place(address=address, url=url)


async def test_one_is_given_to_somebody_and_taken_back(place: Place) -> None:
    path = f"{place.address}/anomalies/{await place.number('a')}"
    without = await post(path, {"deed": "give", "key": "k0"})
    assert (without.status, "takes their name" in words_of(without)) == (409, True)

    given = {"deed": "give", "text": "J. Ortiz", "who": "S. Vogel", "key": "k1"}
    assert (await post(path, given)).status == 303
    known = place.known()["a"]
    assert (known.state, known.taken) == ("acknowledged", "J. Ortiz")
    text = words_of(await get(path))
    assert "S. Vogel gave it to: J. Ortiz" in text
    assert "6 min J. Ortiz" in text, "who has it stands in the list"

    assert (await post(path, {"deed": "undo", "key": "k2"})).status == 303
    assert (place.known()["a"].state, place.known()["a"].taken) == ("open", "")
    twice = await post(path, {"deed": "undo", "key": "k3"})
    assert (twice.status, "nothing to undo" in words_of(twice)) == (409, True)
    assert [each["action"] for each in place.audit()[-2:]] == ["give", "undo"]


async def test_several_are_acknowledged_at_once_or_none(place: Place) -> None:
    a, b, c = [await place.number(key) for key in "abc"]
    path = f"{place.address}/anomalies"
    refused = await post(path, {"deed": "acknowledge", f"pick-{a}": "1", f"pick-{c}": "1"})
    assert (refused.status, "acknowledged already" in words_of(refused)) == (409, True)
    assert place.known()["a"].state == "open", "all of them, or none"

    form = {"deed": "acknowledge", f"pick-{a}": "1", f"pick-{b}": "1", "who": "S. Vogel"}
    assert (await post(path, form)).status == 303
    assert {place.known()[key].taken for key in "ab"} == {"S. Vogel"}
    nothing = await post(path, {"deed": "acknowledge", "key": "k"})
    assert (nothing.status, "some of the list first" in words_of(nothing)) == (409, True)
    closing = await post(path, {"deed": "resolve", f"pick-{a}": "1", "text": "x"})
    assert closing.status == 409
    assert place.known()["a"].state == "acknowledged"


async def test_mutes_are_listed_and_ended(place: Place) -> None:
    by = Author(who="S. Vogel", at=AT)
    with change(place.url) as connection:
        mute = mute_all(
            connection, by, machine_name="IMM-15", until=AT + timedelta(hours=1), reason="moved"
        )
    text = await place.words("/anomalies?show=muted")
    assert "Mutes in force 1 Press IMM-15 until 15:32:07, S. Vogel: moved End" in text

    path = f"{place.address}/anomalies/mutes/{mute.number}"
    assert (await post(path, {"deed": "unmute", "key": "k"})).status == 303
    assert "Mutes in force" not in await place.words("/anomalies?show=muted")
    again = await post(path, {"deed": "unmute", "key": "k2"})
    assert (again.status, "ended at" in words_of(again)) == (409, True)
