"""News of the record on the live channel: what is open is on the tiles, whoever changed it."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.anomalies import act
from agent.audit import Author, change
from agent.calls import count_changes, read_calls
from agent.files import main_path
from agent.history import open_history
from agent.live import Plant
from agent.muting import mute_all
from tests.dashboards.client import serving, until, viewing
from tests.dashboards.recorded import recorded
from tests.dashboards.story import AT

BY = Author(who="J. Ortiz", at=AT)


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """The story's record."""
    return await recorded(tmp_path)


@pytest.fixture
async def address(demo_plant: Plant, url: str) -> AsyncGenerator[str]:
    """Where its pages are served, once the plant has heard what is open."""
    async with serving(demo_plant, record=url) as address:
        await until(lambda: demo_plant.news.version > 0, 5)
        yield address


async def test_a_tile_names_the_most_urgent_open_anomaly_of_its_press(
    demo_plant: Plant, address: str
) -> None:
    seven, twelve = demo_plant.tile("IMM-07"), demo_plant.tile("IMM-12")

    assert (seven.short, seven.priority, seven.taken) == ("cooling +0.41 s", 2, False)
    assert (twelve.short, twelve.priority, twelve.taken) == ("cushion -0.3 mm", 3, True)
    assert demo_plant.tile("IMM-08").priority is None
    assert demo_plant.news.counts == (1, 1, 1)
    assert [call.machine for call in demo_plant.news.calls] == ["IMM-15", "IMM-07", "IMM-12"]
    assert demo_plant.news.calls[2].taken == "D. Braun"


async def test_open_pages_hear_what_anybody_does(demo_plant: Plant, url: str, address: str) -> None:
    async with viewing(address) as viewer:
        before = (await viewer.hear("snapshot"))["news"]
        with change(url) as connection:
            act(connection, BY, "a", "ack")
        news = (await viewer.hear("change"))["news"]
    await until(lambda: demo_plant.tile("IMM-07").taken, 5)

    assert news["version"] > before["version"]
    assert (before["waiting"], news["waiting"]) == (2, 1)
    call = next(each for each in news["calls"] if each["place"] == 6)
    assert (call["taken"], call["priority"]) == ("J. Ortiz", 2)


async def test_what_is_muted_calls_nobody_until_its_mute_ends(url: str) -> None:
    with change(url) as connection:
        mute_all(
            connection, BY, machine_name="IMM-15", until=AT + timedelta(hours=1), reason="moved"
        )
    with open_history(url) as history, history.connect() as connection:
        during, after = AT + timedelta(minutes=5), AT + timedelta(hours=2)
        muted, counter = read_calls(connection, during)[0], count_changes(connection, during)
        again = read_calls(connection, after)[0]

        assert (muted.waiting, again.waiting) == (1, 2)
        assert counter != count_changes(connection, after)
        assert counter == count_changes(connection, during + timedelta(minutes=1))


async def test_a_record_that_does_not_answer_is_news_once(
    demo_plant: Plant, url: str, address: str
) -> None:
    path = main_path(url)
    before = demo_plant.news
    path.rename(path.with_name("away.db"))
    try:
        await until(lambda: demo_plant.news.version > before.version, 5)
    finally:
        path.with_name("away.db").rename(path)

    assert demo_plant.news.calls == before.calls
    assert demo_plant.tile("IMM-07").priority == 2
