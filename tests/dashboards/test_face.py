"""What a tile says in each state of its press."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.live import Life, State, Tile
from dashboards.catalogue import catalogue
from dashboards.face import Artist, Face, pointer, shown
from dashboards.plantzone import PlantZone
from dashboards.spark import spark
from tests.dashboards.story import AT, story

BARE = Tile(machine="IMM-99", label="99", seen_at=AT)


def face(tile: Tile) -> Face:
    """The face of one tile at the moment of the story."""
    strings = catalogue("en")
    return Artist(strings, PlantZone("Europe/Berlin", strings)).face(tile, AT)


def told(machine: str) -> Face:
    """The face of one press of the story."""
    return face(story(24).tile(machine))


def test_a_running_press_shows_its_last_cycle_against_its_target() -> None:
    press = told("IMM-07")

    assert (press.cycle, press.deviation, press.target) == ("24.48", "+0.48", "target 24.0")
    assert press.pointer == 75.0
    assert (press.cooling, press.uncertainty) == ("12.21 s", "")
    assert (press.life_number, press.life_word) == ("320", "shots left")
    assert (press.foot_left, press.foot_right, press.foot_of) == (
        "Job 48211",
        "62\u202f%",
        "of 3\u202f600",
    )
    assert (press.flat, press.line_1) == ("", "")


def test_a_cooling_time_from_edges_shows_its_uncertainty() -> None:
    press = told("IMM-04")

    assert press.uncertainty == "±0.10"
    assert "sampling interval" in press.cooling_note


def test_a_derived_cooling_time_says_so() -> None:
    press = face(replace(BARE, state="running", cooling_time_s=9.0, cooling_origin="derived"))

    assert press.uncertainty == "derived"


def test_a_press_without_cooling_time_says_so() -> None:
    assert told("IMM-21").cooling == "not given"


def test_a_press_that_sends_nothing_shows_since_when_and_why() -> None:
    press = told("IMM-19")

    assert press.state == "no_data"
    assert press.line_1 == "since 14:28:51"
    assert press.line_2 == "Last cycle 14:28:47, 29.84 s"
    assert press.line_3 == "Connection refused"
    assert press.foot_right == "last known 44\u202f%"


def test_a_running_press_that_falls_silent_is_without_data() -> None:
    last = AT - timedelta(seconds=61)
    press = face(replace(BARE, state="running", reason="", seen_at=last))

    assert press.state == "no_data"
    assert press.line_1 == "since 14:31:06"
    assert press.foot_right == ""


def test_a_press_heard_within_its_time_is_not_silent() -> None:
    assert face(replace(BARE, state="running", seen_at=AT - timedelta(seconds=59))).state == (
        "running"
    )


def test_a_press_never_heard_is_without_data_whatever_its_state() -> None:
    press = face(replace(BARE, state="running", seen_at=None))

    assert (press.state, press.line_1) == ("no_data", "")


@pytest.mark.parametrize(
    ("machine", "word", "line"),
    [
        ("IMM-13", "Setup", "Changeover, 34 min"),
        ("IMM-15", "Stopped", "Ejector did not report back position, 12 min"),
        ("IMM-20", "Waiting", "Door open, 2 min"),
        ("IMM-21", "Idle", "No job planned, 1 h 35 min"),
    ],
)
def test_a_press_that_does_not_run_says_why_and_for_how_long(
    machine: str, word: str, line: str
) -> None:
    press = told(machine)

    assert (press.flat, press.line_1) == (word, line)


def test_a_press_without_a_mold_says_so() -> None:
    assert (told("IMM-21").mold, told("IMM-21").part) == ("", "No mold mounted")


@pytest.mark.parametrize(
    ("life", "said"),
    [
        (Life(shots=59999, planned=60000), ("1", "shot left", 100.0)),
        (Life(shots=60640, planned=60000), ("640", "shots over", 100.0)),
        (Life(shots=0, planned=60000), ("60\u202f000", "shots left", 0.0)),
        (Life(shots=1132, planned=None), ("1\u202f132", "shots taken", None)),
        (None, ("", "", None)),
    ],
)
def test_life_is_counted_down_where_somebody_planned_it(
    life: Life | None, said: tuple[str, str, float | None]
) -> None:
    press = face(replace(BARE, life=life))

    assert (press.life_number, press.life_word, press.life_used) == said


def test_parts_without_an_order_are_counted() -> None:
    assert face(replace(BARE, parts_done=1132)).foot_right == "1\u202f132 parts"


def test_the_label_for_screen_readers_does_not_change_with_values() -> None:
    tile = story(24).tile("IMM-07")

    assert face(replace(tile, cycle_time_s=25.0, shots=9)).name == face(tile).name
    assert face(tile).name == "Press 07, running, mold A-2217"


@pytest.mark.parametrize("state", ["running", "waiting", "setup", "stopped", "idle", "no_data"])
def test_every_state_has_a_face_even_of_a_press_that_told_nothing(state: State) -> None:
    assert face(replace(BARE, state=state)).state == state


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("A-2217\x00", "A-2217�"),
        ("\u202eabc", "�abc"),
        ("\ud800", "�"),
        ("<b>", "<b>"),
        ("y" * 121, "y" * 119 + "…"),
        (None, ""),
    ],
)
def test_a_name_from_outside_can_be_shown(name: str | None, text: str) -> None:
    assert shown(name) == text


def test_the_pointer_stays_on_its_bar() -> None:
    assert [pointer(cycle, 10.0) for cycle in (1.0, 9.6, 10.0, 10.4, 99.0)] == [
        0.0,
        0.0,
        50.0,
        100.0,
        100.0,
    ]
    assert pointer(float("nan"), 10.0) is None


def test_a_gap_in_the_spark_line_stays_a_gap() -> None:
    line = spark([12.0, 12.1, None, 12.2, 12.3]).line

    assert line.count("M") == 2
    assert line.count("L") == 2


def test_a_spark_line_without_a_newest_value_has_no_dot() -> None:
    assert spark([12.0, None]).dot == ""
    assert spark([None, None]).line == ""
