"""What travels to the pages."""

import json
from dataclasses import replace

import pytest

from agent.live import SPARK_CYCLES, Life, Plant, Tile
from dashboards.wire import COLUMNS, Rows, Topic, encoded, snapshot_object
from tests.dashboards.story import AT, SITE, story


def read(topic: Topic, text: str) -> dict[str, object]:
    """A row by column, as a page reads it."""
    place, mask, *values = json.loads(text)
    names = [name for bit, name in enumerate(COLUMNS[topic]) if mask >> bit & 1]
    return {"place": place, **dict(zip(names, values, strict=True))}


def row(plant: Plant, topic: Topic, machine: str) -> dict[str, object]:
    """All columns of a row."""
    return read(topic, Rows(plant).whole(topic, machine))


def test_a_row_starts_with_the_place_in_the_configuration(demo_plant: Plant) -> None:
    assert row(demo_plant, "tiles", "IMM-07")["place"] == 6


def test_a_cycle_travels_in_canonical_units(demo_plant: Plant) -> None:
    values = row(demo_plant, "cycle", "IMM-07")

    assert values["cycle_time_s"] == 24.48
    assert values["last_counter"] == 8007
    assert values["life_shots"] == 59680
    assert (values["shots"], values["cycles"]) == (1132, 1095)
    assert values["last_cycle_at"] == AT.timestamp()


def test_a_change_brings_what_changed_and_one_point_of_the_spark_line(demo_plant: Plant) -> None:
    rows = Rows(demo_plant)
    rows.whole("cycle", "IMM-07")

    life = Life(shots=59681, planned=60000)
    demo_plant.set(
        "IMM-07", cooling_spark=demo_plant.cooled("IMM-07", 12.5), life=life, cycles=1096
    )

    assert read("cycle", rows.change("cycle", "IMM-07")) == {
        "place": 6,
        "cycles": 1096,
        "life_shots": 59681,
        "cooling_more": [12.5],
    }
    assert rows.change("cycle", "IMM-07") == "", "it was told"


def test_what_changed_and_came_back_is_not_told(demo_plant: Plant) -> None:
    rows = Rows(demo_plant)
    rows.whole("tiles", "IMM-07")
    demo_plant.set("IMM-07", state="stopped")
    demo_plant.set("IMM-07", state="running")

    assert rows.change("tiles", "IMM-07") == ""


def test_a_whole_row_is_what_was_told_until_a_change_is(demo_plant: Plant) -> None:
    rows = Rows(demo_plant)
    before = rows.whole("tiles", "IMM-07")
    demo_plant.set("IMM-07", reason="Door open")

    assert rows.whole("tiles", "IMM-07") is before
    assert read("tiles", rows.change("tiles", "IMM-07")) == {"place": 6, "reason": "Door open"}
    assert read("tiles", rows.whole("tiles", "IMM-07"))["reason"] == "Door open"


def test_a_line_that_does_not_go_on_travels_as_a_whole(demo_plant: Plant) -> None:
    rows = Rows(demo_plant)
    rows.whole("cycle", "IMM-07")
    demo_plant.set("IMM-07", cooling_spark=(1.0, None, 2.0))

    assert read("cycle", rows.change("cycle", "IMM-07")) == {
        "place": 6,
        "cooling_spark": [1.0, None, 2.0],
    }


def test_a_whole_line_has_its_gaps(demo_plant: Plant) -> None:
    line = row(demo_plant, "cycle", "IMM-10")["cooling_spark"]

    assert isinstance(line, list)
    assert len(line) == SPARK_CYCLES
    assert line[20:25] == [None] * 5


def test_a_sign_of_life_is_no_change(demo_plant: Plant) -> None:
    rows = Rows(demo_plant)
    first = rows.whole("tiles", "IMM-07")

    demo_plant.seen("IMM-07", AT)

    assert rows.change("tiles", "IMM-07") == ""
    assert rows.whole("tiles", "IMM-07") == first


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_travels_as_nothing(number: float) -> None:
    tile = Tile(machine="IMM-01", label="01", cycle_time_s=number, cooling_spark=(number,))
    values = row(Plant(SITE, [tile], lambda: AT), "cycle", "IMM-01")

    assert values["cycle_time_s"] is None
    assert values["cooling_spark"] == [None]


def test_hostile_names_travel_as_text_that_every_page_can_read() -> None:
    name = "</script>\x00\u202e\ud800" + "x" * 10_000
    tile = Tile(machine=name, label=name, mold=name, part=name, job=name, reason=name)
    plant = Plant(replace(SITE, name=name), [tile], lambda: AT)

    text = Rows(plant).whole("tiles", name) + encoded(snapshot_object(plant))

    text.encode()
    assert len(text) < 3000
    assert not {"\x00", "\u202e", "\ud800"} & set(text)


def test_the_snapshot_names_what_it_holds() -> None:
    snapshot = json.loads(encoded(snapshot_object(story(24))))
    tile = snapshot["tiles"][6]

    assert (snapshot["site"], snapshot["zone"], snapshot["schema"]) == (
        "Plant 2",
        "Europe/Berlin",
        3,
    )
    assert (tile["machine"], tile["state"], tile["cycle_time_s"]) == ("IMM-07", "running", 24.48)
    assert len(tile["cooling_spark"]) == SPARK_CYCLES
    assert tile["age_s"] == pytest.approx(0, abs=1)
    assert snapshot["today"]["unobserved"] == 37
