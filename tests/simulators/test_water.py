"""Water flows and takes up heat as water does."""

from itertools import pairwise

import pytest

from simulators.physics.water import (
    film_w_m2k,
    resistance_m2k_w,
    reynolds,
    rise_k,
    viscosity_mm2_s,
)


@pytest.mark.parametrize(("celsius", "mm2_s"), [(20, 1.004), (40, 0.658), (60, 0.475), (90, 0.326)])
def test_viscosity_is_that_of_the_handbooks(celsius: float, mm2_s: float) -> None:
    assert viscosity_mm2_s(celsius) == pytest.approx(mm2_s, rel=0.06)


def test_the_usual_flow_is_turbulent_and_a_trickle_laminar() -> None:
    assert reynolds(8.0, 50.0) > 10_000
    assert film_w_m2k(8.0, 50.0) == 5000
    assert reynolds(0.5, 50.0) < 2300
    assert film_w_m2k(0.5, 50.0) == 1500


@pytest.mark.parametrize("celsius", [10.0, 50.0, 90.0])
def test_less_flow_is_never_a_better_film_and_nothing_jumps(celsius: float) -> None:
    films = [film_w_m2k(0.01 * hundredths, celsius) for hundredths in range(1, 1000)]

    for less, more in pairwise(films):
        assert 0 <= more - less < 25


def test_colder_water_becomes_laminar_sooner() -> None:
    assert film_w_m2k(2.0, 10.0) < film_w_m2k(2.0, 60.0)


def test_scale_insulates_more_than_the_film() -> None:
    clean, scaled = (resistance_m2k_w(8.0, 50.0, scale_mm) for scale_mm in (0.0, 1.0))

    assert clean == pytest.approx(1 / 5000)
    assert scaled == pytest.approx(1 / 5000 + 0.001)


def test_a_kilowatt_warms_eight_litres_a_minute_by_less_than_two_kelvin() -> None:
    assert rise_k(1000, 8.0) == pytest.approx(1.81, abs=0.02)
    assert rise_k(1000, 4.0) == pytest.approx(2 * rise_k(1000, 8.0))
