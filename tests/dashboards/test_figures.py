"""Numbers, durations and times as the pages print them."""

from datetime import datetime

import pytest

from dashboards.catalogue import catalogue
from dashboards.face import Artist
from dashboards.figures import brief, number, percent, signed
from dashboards.plantzone import PlantZone
from tests.dashboards.vectors import DIFFERENCES, DURATIONS, MOMENTS, NUMBERS, PLANNED

BERLIN = PlantZone("Europe/Berlin", catalogue("en"))


@pytest.mark.parametrize(("value", "decimals", "text"), NUMBERS)
def test_a_number_has_thin_spaces_and_a_true_minus(value: float, decimals: int, text: str) -> None:
    assert number(value, decimals) == text


@pytest.mark.parametrize(("value", "decimals", "text"), DIFFERENCES)
def test_a_difference_shows_its_sign(value: float, decimals: int, text: str) -> None:
    assert signed(value, decimals) == text


@pytest.mark.parametrize(("value", "text"), PLANNED)
def test_a_planned_number_has_no_more_decimals_than_it_needs(value: float, text: str) -> None:
    assert brief(value) == text


@pytest.mark.parametrize(("seconds", "text"), DURATIONS)
def test_a_duration_is_told_in_at_most_two_units(seconds: float, text: str) -> None:
    assert Artist(catalogue("en"), BERLIN).duration(seconds) == text


@pytest.mark.parametrize(("at", "now", "text"), MOMENTS)
def test_a_moment_is_told_in_the_plants_zone(at: str, now: str, text: str) -> None:
    assert BERLIN.moment(datetime.fromisoformat(at), datetime.fromisoformat(now)) == text


def test_a_job_is_full_only_when_it_is() -> None:
    assert [percent(n, 1000) for n in (0, 9, 10, 999, 1000, 1001)] == [0, 0, 1, 99, 100, 100]


def test_a_zone_has_the_name_of_the_season() -> None:
    summer, winter = (datetime.fromisoformat(f"2026-{month}-01T12:00Z") for month in ("07", "12"))

    assert (BERLIN.abbreviation(summer), BERLIN.abbreviation(winter)) == ("CEST", "CET")


def test_a_zone_without_letters_is_named_by_its_offset() -> None:
    zone = PlantZone("America/Sao_Paulo", catalogue("en"))

    assert zone.abbreviation(datetime.fromisoformat("2026-07-01T12:00Z")) == "UTC-03"
