"""The live channel over a real socket."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from agent.live import Plant, Tile, Today
from dashboards.wire import COLUMNS
from tests.dashboards.client import (
    Viewer,
    flood,
    frozen_page,
    row_of,
    serving,
    until,
    viewing,
)
from tests.dashboards.story import AT, crowd


@pytest.fixture
async def address(demo_plant: Plant) -> AsyncGenerator[str]:
    """Where the 24 presses are served."""
    async with serving(demo_plant) as address:
        yield address


@pytest.fixture
async def viewer(address: str) -> AsyncGenerator[Viewer]:
    """A page that has got its snapshot."""
    async with viewing(address) as viewer:
        await viewer.hear("snapshot")
        yield viewer


async def test_a_page_is_greeted_and_gets_everything(address: str) -> None:
    async with viewing(address) as viewer:
        hello = json.loads(await viewer.connection.recv())
        snapshot = json.loads(await viewer.connection.recv())

    assert (hello["t"], snapshot["t"]) == ("hello", "snapshot")
    assert hello["zone"] == "Europe/Berlin"
    assert hello["now"] == pytest.approx(AT.timestamp(), abs=10)
    assert hello["columns"] == {topic: list(columns) for topic, columns in COLUMNS.items()}
    assert {len(snapshot[topic]) for topic in COLUMNS} == {24}
    assert len(snapshot["ages"]) == 24
    assert snapshot["today"]["shots"] == 23651


async def test_only_what_changed_is_sent(demo_plant: Plant, viewer: Viewer) -> None:
    demo_plant.set("IMM-07", state="stopped", reason="Door open", since=AT)

    assert await viewer.changes("tiles") == [
        {"place": 6, "state": "stopped", "reason": "Door open", "since": AT.timestamp()}
    ]


async def test_a_shot_brings_its_values_and_one_point_of_the_spark_line(
    demo_plant: Plant, viewer: Viewer
) -> None:
    demo_plant.set("IMM-07", cooling_spark=demo_plant.cooled("IMM-07", 12.5), cycle_time_s=24.9)

    assert await viewer.changes("cycle") == [
        {"place": 6, "cycle_time_s": 24.9, "cooling_more": [12.5]}
    ]


async def test_no_point_of_the_spark_line_is_lost_however_fast_the_shots(
    demo_plant: Plant, viewer: Viewer
) -> None:
    spark: list[float | None] = list(demo_plant.tile("IMM-07").cooling_spark)
    for n in range(30):
        demo_plant.set("IMM-07", cooling_spark=demo_plant.cooled("IMM-07", float(n)))
        if n % 7 == 0:
            await asyncio.sleep(0.03)

    while spark[-1] != 29.0:
        for row in await viewer.changes("cycle"):
            spark = row.get("cooling_spark", spark)
            spark = [*spark, *row.get("cooling_more", [])][-50:]

    assert spark == list(demo_plant.tile("IMM-07").cooling_spark)


async def test_changes_that_come_together_travel_together(
    demo_plant: Plant, viewer: Viewer
) -> None:
    for machine in demo_plant.machines:
        demo_plant.set(machine, phase="eject", phase_since=AT)

    assert len(await viewer.changes("phase")) == 24


async def test_a_beat_comes_every_second_with_the_age_of_every_source(
    demo_plant: Plant, viewer: Viewer
) -> None:
    demo_plant.seen("IMM-01", AT - timedelta(seconds=100))
    demo_plant.today = Today(since=AT, shots=1, unobserved=1)

    first, second = await viewer.hear("beat"), await viewer.hear("beat")

    assert second["seq"] == first["seq"] + 1
    assert second["now"] - first["now"] == pytest.approx(1, abs=0.3)
    assert 100 <= second["ages"][0] < 110
    assert second["ages"][6] < 10
    assert second["today"]["unobserved"] == 1


async def test_beats_come_however_busy_the_plant_is(demo_plant: Plant, viewer: Viewer) -> None:
    async with asyncio.TaskGroup() as tasks:

        async def flood() -> None:
            for n in range(1_000_000):
                demo_plant.set("IMM-07", last_counter=n)
                await asyncio.sleep(0.001)

        flooding = tasks.create_task(flood())
        first, second = await viewer.hear("beat"), await viewer.hear("beat")
        flooding.cancel()

    assert second["now"] - first["now"] == pytest.approx(1, abs=0.3)


async def test_a_page_that_asks_again_gets_everything_again(viewer: Viewer) -> None:
    await viewer.say(sub=["plant"], seq=17)

    assert len((await viewer.hear("snapshot"))["tiles"]) == 24


async def test_a_page_that_leaves_is_forgotten(demo_plant: Plant, address: str) -> None:
    async with viewing(address) as viewer:
        await viewer.hear("snapshot")
        assert demo_plant.viewers == 1

    await until(lambda: demo_plant.viewers == 0, within_s=2)


async def test_a_page_whose_connection_breaks_is_forgotten(demo_plant: Plant, address: str) -> None:
    async with viewing(address) as viewer:
        await viewer.hear("snapshot")
        viewer.connection.transport.abort()

        await until(lambda: demo_plant.viewers == 0, within_s=2)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1.evil.example"]
)
async def test_a_page_of_somebody_else_may_not_watch(
    demo_plant: Plant, address: str, origin: str
) -> None:
    with pytest.raises(InvalidStatus) as raised:
        async with connect(f"{address.replace('http', 'ws')}/live", origin=origin):  # type: ignore[arg-type]
            pass

    assert raised.value.response.status_code == 403
    assert b"not one of ours" in raised.value.response.body
    assert demo_plant.viewers == 0


async def test_our_own_page_may_watch(address: str) -> None:
    async with connect(f"{address.replace('http', 'ws')}/live", origin=address) as connection:  # type: ignore[arg-type]
        viewer = Viewer(connection)
        await viewer.say(sub=["plant"])

        assert (await viewer.hear("hello"))["schema"] == 3


async def test_a_name_that_is_not_ours_may_not_be_watched(address: str) -> None:
    where = urlsplit(address)
    with pytest.raises(InvalidStatus) as raised:
        async with connect(
            f"ws://evil.example:{where.port}/live", host=where.hostname, port=where.port
        ):
            pass

    assert raised.value.response.status_code == 421


@pytest.mark.parametrize(
    "said", ["{", '{"sub": ["moon"]}', '{"sub": []}', '{"subs": ["plant"]}', "[]", b"\x00\x01", ""]
)
async def test_what_can_not_be_understood_is_answered_with_what_could(
    address: str, said: str | bytes
) -> None:
    async with viewing(address, subscribe=False) as viewer:
        await viewer.connection.send(said)

        code, reason = await viewer.closed()

    assert code == 1008
    assert reason.startswith('Say {"sub": ["plant"]')


async def test_an_endless_message_is_refused(address: str) -> None:
    async with viewing(address, subscribe=False) as viewer:
        await viewer.connection.send("x" * 100_000)

        code, _reason = await viewer.closed()

    assert code == 1009


async def test_a_page_that_stops_answering_beats_is_closed(demo_plant: Plant) -> None:
    async with serving(demo_plant, lag_s=1.0) as address, viewing(address) as viewer:
        beat = await viewer.hear("beat")
        await viewer.say(seq=beat["seq"])

        code, reason = await viewer.closed()

    assert code == 1013
    assert "behind" in reason


async def test_a_page_that_answers_beats_stays(demo_plant: Plant) -> None:
    async with serving(demo_plant, lag_s=1.0) as address, viewing(address) as viewer:
        for _ in range(4):
            beat = await viewer.hear("beat")
            await viewer.say(seq=beat["seq"])

        assert demo_plant.viewers == 1


async def test_a_frozen_page_is_dropped_and_holds_up_nobody() -> None:
    plant = crowd(200)
    async with serving(plant, lag_s=0.5) as address, viewing(address) as viewer:
        await viewer.hear("snapshot")
        async with frozen_page(address):
            await until(lambda: plant.viewers == 2, within_s=2)
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(viewer.closed())
                await flood(plant, lambda: plant.viewers == 1, within_s=8)
                reading.cancel()

        plant.set("IMM-002", state="idle")
        while (1, "idle") not in [
            (row["place"], row.get("state")) for row in await viewer.changes("tiles")
        ]:
            pass


async def test_many_pages_see_the_same(demo_plant: Plant, address: str) -> None:
    async with (
        viewing(address) as one,
        viewing(address) as two,
        viewing(address) as three,
    ):
        for viewer in (one, two, three):
            await viewer.hear("snapshot")

        demo_plant.set("IMM-07", reason="Seen by all")

        rows = [await viewer.changes("tiles") for viewer in (one, two, three)]
    assert rows[0] == rows[1] == rows[2]


async def test_one_who_comes_between_two_changes_sees_what_all_see(
    demo_plant: Plant, address: str, viewer: Viewer
) -> None:
    demo_plant.set("IMM-07", state="stopped", reason="Door open")
    async with viewing(address) as late:
        rows = [row_of("tiles", row) for row in (await late.hear("snapshot"))["tiles"]]
        demo_plant.set("IMM-07", state="running")

        news = await late.changes("tiles")
        await viewer.changes("tiles")
        again = await viewer.changes("tiles")

    assert (rows[6]["state"], rows[6]["reason"]) == ("stopped", "Door open")
    assert news == again == [{"place": 6, "state": "running"}]


async def test_a_viewer_that_took_nothing_for_a_while_gets_whole_rows_of_what_it_lacks() -> None:
    plant = crowd(200)
    async with serving(plant, lag_s=30.0) as address, viewing(address) as viewer:
        await viewer.hear("snapshot")
        viewer.connection.transport.pause_reading()
        for _ in range(60):  # until nothing more fits between the two
            for machine in plant.machines:
                names = {name: os.urandom(50).hex() for name in ("mold", "part", "job", "reason")}
                plant.set(machine, **names)
            await asyncio.sleep(0.06)
        plant.set("IMM-001", reason="The last word")
        viewer.connection.transport.resume_reading()

        known: dict[int, dict[str, object]] = {}
        wanted = (plant.tile("IMM-001").job, "The last word")
        whole = False
        while (known.get(0, {}).get("job"), known.get(0, {}).get("reason")) != wanted:
            for row in await viewer.changes("tiles"):
                known.setdefault(row["place"], {}).update(row)
                whole |= len(row) > len(COLUMNS["tiles"])

    assert whole, "it was never behind"
    assert known[57]["job"] == plant.tile("IMM-058").job


async def test_other_machines_are_told_as_another_layout_and_nothing_ends(
    demo_plant: Plant, viewer: Viewer
) -> None:
    await viewer.say(sub=["plant", "press:6"], seq=0)
    before = await viewer.hear("hello")
    await viewer.hear("snapshot")
    demo_plant.set("IMM-03", reason="Told to nobody: it is gone then")
    more = Tile(machine="IMM-99", label="99", mold="A-9")
    gone = ("IMM-03", "IMM-07")

    demo_plant.arrange([more, *(each for each in demo_plant.tiles if each.machine not in gone)])
    demo_plant.set("IMM-99", state="running")

    after = await viewer.hear("hello")
    rows = [row_of("tiles", row) for row in (await viewer.hear("snapshot"))["tiles"]]
    assert after["layout"] != before["layout"]
    assert (len(rows), rows[0]["mold"], rows[0]["state"]) == (23, "A-9", "running")
    demo_plant.set("IMM-24", reason="Door open")
    assert await viewer.changes("tiles") == [{"place": 22, "reason": "Door open"}]
