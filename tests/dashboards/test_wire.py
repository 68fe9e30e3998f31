"""What travels to the pages."""

import json
from dataclasses import replace

import pytest

from agent.live import SPARK_CYCLES, Plant, Tile
from dashboards.wire import COLUMNS, Rows, Topic, encoded, epoch, message, snapshot_object
from tests.dashboards.story import AT, SITE, story


def row(plant: Plant, topic: Topic, machine: str, lacking: int = 0) -> dict[str, object]:
    """One row by column."""
    place, *values = json.loads(Rows(plant).row(topic, machine, lacking))
    return {"place": place, **dict(zip(COLUMNS[topic], values, strict=True))}


def test_a_row_starts_with_the_place_in_the_configuration(demo_plant: Plant) -> None:
    assert row(demo_plant, "tiles", "IMM-07")["place"] == 6


def test_a_cycle_travels_in_canonical_units(demo_plant: Plant) -> None:
    values = row(demo_plant, "cycle", "IMM-07")

    assert values["cycle_time_s"] == 24.48
    assert values["last_counter"] == 8007
    assert values["life_shots"] == 59680
    assert (values["shots"], values["cycles"]) == (1132, 1095)
    assert values["last_cycle_at"] == AT.timestamp()


def test_a_new_cycle_brings_one_point_of_the_spark_line(demo_plant: Plant) -> None:
    values = row(demo_plant, "cycle", "IMM-07", lacking=1)

    assert (values["spark_kept"], values["spark_tail"]) == (1, [12.21])


def test_a_viewer_that_lacks_all_gets_the_whole_line_with_its_gaps(demo_plant: Plant) -> None:
    values = row(demo_plant, "cycle", "IMM-10", lacking=SPARK_CYCLES)
    tail = values["spark_tail"]

    assert values["spark_kept"] == 0
    assert isinstance(tail, list)
    assert len(tail) == SPARK_CYCLES
    assert tail[20:25] == [None] * 5


def test_a_row_is_encoded_once_until_its_press_changes(demo_plant: Plant) -> None:
    rows = Rows(demo_plant)
    first = rows.row("tiles", "IMM-07", 0)

    demo_plant.seen("IMM-07", AT)
    assert rows.row("tiles", "IMM-07", 0) is first

    demo_plant.set("IMM-07", reason="Door open")
    assert "Door open" in rows.row("tiles", "IMM-07", 0)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_travels_as_nothing(number: float) -> None:
    tile = Tile(machine="IMM-01", label="01", cycle_time_s=number, cooling_spark=(number,))
    values = row(Plant(SITE, [tile], lambda: AT), "cycle", "IMM-01", lacking=1)

    assert values["cycle_time_s"] is None
    assert values["spark_tail"] == [None]


def test_hostile_names_travel_as_text_that_every_page_can_read() -> None:
    name = "</script>\x00\u202e\ud800" + "x" * 10_000
    tile = Tile(machine=name, label=name, mold=name, part=name, job=name, reason=name)
    plant = Plant(replace(SITE, name=name), [tile], lambda: AT)

    text = Rows(plant).row("tiles", name, 0) + encoded(snapshot_object(plant))

    text.encode()
    assert len(text) < 3000
    assert not {"\x00", "\u202e", "\ud800"} & set(text)


def test_rows_travel_together(demo_plant: Plant) -> None:
    rows = Rows(demo_plant)
    text = message("phase", [rows.row("phase", name, 0) for name in ("IMM-01", "IMM-02")])

    said = json.loads(text)

    assert said["t"] == "phase"
    assert said["rows"] == [
        [place, phase, epoch(demo_plant.tile(machine).phase_since)]
        for place, machine, phase in ((0, "IMM-01", "cool"), (1, "IMM-02", "open"))
    ]


def test_the_snapshot_names_what_it_holds() -> None:
    snapshot = json.loads(encoded(snapshot_object(story(24))))
    tile = snapshot["tiles"][6]

    assert (snapshot["site"], snapshot["zone"], snapshot["schema"]) == (
        "Plant 2",
        "Europe/Berlin",
        2,
    )
    assert (tile["machine"], tile["state"], tile["cycle_time_s"]) == ("IMM-07", "running", 24.48)
    assert len(tile["cooling_spark"]) == SPARK_CYCLES
    assert tile["age_s"] == pytest.approx(0, abs=1)
    assert snapshot["today"]["unobserved"] == 37
