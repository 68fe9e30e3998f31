"""What the agent tells the pages, and what it costs a slow page."""

import asyncio
from datetime import timedelta

from agent.live import Life, Plant, Update, appended
from tests.dashboards.story import AT, story


async def heard(plant: Plant, **changes: object) -> list[tuple[str, str]]:
    """Topics and keys that a viewer is told of one change."""
    async with plant.watch() as inbox:
        plant.set("IMM-07", **changes)
        return [(update.topic, update.key) for update in inbox.empty()]


async def test_a_change_of_state_is_told_as_a_tile(demo_plant: Plant) -> None:
    assert await heard(demo_plant, state="stopped", reason="Door open") == [("tiles", "IMM-07")]


async def test_the_values_of_a_shot_are_told_as_a_cycle(demo_plant: Plant) -> None:
    told = await heard(demo_plant, cycle_time_s=24.5, last_counter=8008)

    assert told == [("cycle", "IMM-07")]


async def test_a_life_that_is_planned_anew_is_told_as_a_tile_too(demo_plant: Plant) -> None:
    assert await heard(demo_plant, life=Life(shots=59681, planned=60000)) == [("cycle", "IMM-07")]
    assert await heard(demo_plant, life=Life(shots=59681, planned=70000)) == [
        ("cycle", "IMM-07"),
        ("tiles", "IMM-07"),
    ]


async def test_a_phase_is_told_as_a_phase(demo_plant: Plant) -> None:
    assert await heard(demo_plant, phase="eject", phase_since=AT) == [("phase", "IMM-07")]


async def test_what_stays_the_same_is_not_told(demo_plant: Plant) -> None:
    assert await heard(demo_plant, state="running", cycle_time_s=24.48) == []


async def test_a_sign_of_life_is_not_told_but_ages(demo_plant: Plant) -> None:
    async with demo_plant.watch() as inbox:
        demo_plant.seen("IMM-01", AT - timedelta(seconds=9))

        assert len(inbox) == 0
    assert 9 <= (demo_plant.ages_s()[0] or 0) < 10
    assert demo_plant.tile("IMM-01").seen_at == AT - timedelta(seconds=9)


async def test_a_slow_viewer_keeps_the_newest_of_each_kind_only(demo_plant: Plant) -> None:
    async with demo_plant.watch() as inbox:
        for counter in range(1000):
            demo_plant.set("IMM-07", last_counter=counter)
            demo_plant.set("IMM-08", last_counter=counter)

        assert inbox.empty() == [Update("cycle", "IMM-07"), Update("cycle", "IMM-08")]


async def test_a_viewer_waits_without_polling(demo_plant: Plant) -> None:
    async with demo_plant.watch() as inbox, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(inbox.take())
        await asyncio.sleep(0)
        assert not waiting.done()

        demo_plant.set("IMM-07", state="idle")

        assert await waiting == [Update("tiles", "IMM-07")]


async def test_a_viewer_that_left_is_forgotten(demo_plant: Plant) -> None:
    async with demo_plant.viewing():
        assert demo_plant.viewers == 1

    assert demo_plant.viewers == 0


def test_a_spark_line_counts_what_it_was_given() -> None:
    plant = story(24)

    plant.set("IMM-07", cooling_spark=plant.cooled("IMM-07", 12.3))
    plant.cooled("IMM-07", None)
    plant.set("IMM-07", cooling_spark=plant.cooled("IMM-07", 12.4))

    assert plant.spark_count("IMM-07") == 53
    assert plant.tile("IMM-07").cooling_spark[-3:] == (12.3, None, 12.4)


def test_a_spark_line_that_is_another_one_counts_as_all_new() -> None:
    assert appended((1.0, 2.0, 3.0), (7.0, 8.0)) == 50
    assert appended((), (7.0, 8.0)) == 2
