"""What the overview shows of a plant."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.live import Plant
from dashboards.catalogue import catalogue
from dashboards.overview import Overview, View, ViewError, density, view_of
from dashboards.plantzone import PlantZone
from tests.dashboards.story import AT, crowd


def overview(plant: Plant, view: View | None = None) -> Overview:
    """The page of a plant."""
    strings = catalogue("en")
    return Overview(plant, view or View(), strings, PlantZone("Europe/Berlin", strings))


@pytest.mark.parametrize(
    ("count", "drawn"),
    [
        (1, "large"),
        (12, "large"),
        (13, "normal"),
        (30, "normal"),
        (31, "compact"),
        (60, "compact"),
        (61, "dots"),
        (200, "dots"),
    ],
)
def test_presses_are_drawn_as_densely_as_they_are_many(count: int, drawn: str) -> None:
    assert density(count) == drawn


def test_an_address_says_what_to_show() -> None:
    view = view_of({"wall": "1", "theme": "light", "hall": "A", "zoom": "125"}, ["A", "B"])

    assert view == View(wall=True, theme="light", hall="A", zoom=125)


def test_a_wall_is_dark_unless_it_says_otherwise() -> None:
    assert view_of({"wall": "1"}, []).theme == "dark"
    assert view_of({}, []).theme is None


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ({"wall": "yes"}, 400, "wall is 'yes'; right would be 1 or 0."),
        ({"theme": "blue"}, 400, "theme is 'blue'; right would be light, dark."),
        ({"zoom": "9"}, 400, "zoom is '9'; right would be per cent: 50, 67,"),
        ({"hall": "Z"}, 404, "There is no hall 'Z'. There is: A, B."),
    ],
)
def test_an_address_that_asks_for_nonsense_is_told_what_is_right(
    query: dict[str, str], status: int, sentence: str
) -> None:
    with pytest.raises(ViewError) as raised:
        view_of(query, ["A", "B"])

    assert raised.value.status == status
    assert str(raised.value).startswith(sentence)


def test_presses_keep_the_order_of_the_configuration(demo_plant: Plant) -> None:
    labels = [placed.face.label for placed in overview(demo_plant).presses]

    assert labels == [f"{n:02d}" for n in range(1, 25)]


def test_a_hall_shows_its_presses_only_and_in_their_place() -> None:
    page = overview(crowd(24, ("A", "B")), View(hall="B"))

    assert [placed.place for placed in page.presses] == list(range(12, 24))
    assert page.density == "large"
    assert page.hall == "B"
    assert page.sums_since() == "whole plant, since 06:00"


def test_every_state_is_counted_even_if_no_press_is_in_it(small_plant: Plant) -> None:
    assert overview(small_plant).counts() == [
        ("running", 8),
        ("waiting", 1),
        ("setup", 1),
        ("stopped", 1),
        ("idle", 0),
        ("no_data", 1),
    ]


def test_a_silent_press_is_counted_as_without_data_and_not_as_running(small_plant: Plant) -> None:
    small_plant.set("IMM-01", seen_at=AT - timedelta(days=2))

    counts = dict(overview(small_plant).counts())

    assert (counts["running"], counts["no_data"]) == (7, 2)


def test_presses_that_stopped_or_send_nothing_need_somebody(demo_plant: Plant) -> None:
    silent, stopped = overview(demo_plant).needs()

    assert (silent.title, silent.when) == ("Press 19", "3 min")
    assert silent.text == "No data since 14:28:51. Connection refused."
    assert silent.more == "Mold A-2244, last cycle 14:28:47"
    assert stopped.text == "Stopped. Ejector did not report back position."


def test_a_press_that_fell_silent_is_not_blamed_on_its_last_reason(demo_plant: Plant) -> None:
    demo_plant.set("IMM-20", seen_at=AT - timedelta(days=2))

    need = next(need for need in overview(demo_plant).needs() if need.title == "Press 20")

    assert need.text == "No data since 21 Nov 14:32:07."


def test_the_mold_with_the_fewest_shots_left_comes_first(demo_plant: Plant) -> None:
    lives = overview(demo_plant).lives()

    assert [row.left for row in lives[:3]] == ["−640", "320", "940"]
    assert lives[0].taken == "88\u202f710 of 88\u202f070 shots taken"


def test_shots_and_records_are_both_told_where_they_differ(demo_plant: Plant) -> None:
    row = next(row for row in overview(demo_plant).lives() if row.mold == "A-2217")

    assert row.taken == "1\u202f132 shots here, 1\u202f095 records, 37 not observed"


def test_the_day_is_told_in_shots_records_gaps_and_blind_time(demo_plant: Plant) -> None:
    page = overview(demo_plant)

    assert page.sums_since() == "since 06:00"
    assert dict(page.sums()) == {
        "shots": "23\u202f651",
        "records": "23\u202f614",
        "unobserved": "37",
        "blind": "1 h 52 min",
    }


def test_halls_come_in_the_order_of_the_configuration_and_homeless_presses_last() -> None:
    plant = crowd(70, ("B", "A"))
    plant.set("IMM-001", hall=None)

    halls = overview(plant).by_hall()

    assert [name for name, _presses in halls] == ["B", "A", ""]
    assert [placed.face.label for placed in halls[-1][1]] == ["001"]


def test_a_plant_without_machines_has_a_page(demo_plant: Plant) -> None:
    page = overview(Plant(replace(demo_plant.site), [], lambda: AT))

    assert (page.presses, page.needs(), page.lives(), page.hall) == ([], [], [], "")
