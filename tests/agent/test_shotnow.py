"""The shot that runs, made from frames."""

import math
from array import array

import pytest

from agent.shotnow import SAMPLES_MOST, ShotNow
from drivers import Column, Frame, Quality, Value
from tests.agent.makers import at

COLUMNS = tuple(
    Column(signal=name, source=name)
    for name in ("counter", "cavity_pressure_bar", "melt_temp_c", "injection_pressure_bar")
)


def frame(t: float, *values: Value | None) -> Frame:
    """One poll."""
    good = (Quality.GOOD,) * len(COLUMNS)
    return Frame(
        machine="IMM-07", columns=COLUMNS, values=values, qualities=good, received_at=at(t)
    )


def test_a_shot_begins_with_filling_and_keeps_what_is_drawn() -> None:
    shot = ShotNow()
    assert not shot.take(frame(0.0, 7, 0.0, 240.0, 0.0), {"phase": "close"})
    assert shot.take(frame(1.0, 7, 0.0, 240.0, 100.0), {"phase": "fill"})
    assert shot.take(frame(1.5, 7, None, 240.0, 850.0), {"phase": "fill"})
    assert shot.take(frame(2.0, 7, 300.0, 240.0, 500.0), {"phase": "hold"})

    assert (shot.number, shot.count) == (1, 3)
    assert shot.names == ("injection_pressure_bar", "cavity_pressure_bar")
    assert shot.phases == [("fill", 0.0), ("hold", 1.0)]
    assert shot.rows[:3] == array("f", [0.0, 100.0, 0.0])
    assert math.isnan(shot.rows[5])


def test_another_filling_is_another_shot() -> None:
    shot = ShotNow()
    for t, phase in enumerate(("fill", "hold", "cool", "fill")):
        shot.take(frame(t, 7, 0.0, 240.0, 0.0), {"phase": phase})

    assert (shot.number, shot.count, shot.phases) == (2, 1, [("fill", 0.0)])


def test_without_phases_a_shot_begins_with_the_counter() -> None:
    shot = ShotNow()
    drawn = [shot.take(frame(t, n, 0.0, 240.0, 5.0), {}) for t, n in enumerate((7, 7, 8, 8))]

    assert drawn == [False, False, True, True]
    assert (shot.number, shot.count, shot.phases) == (1, 2, [])


def test_what_comes_after_an_outage_is_no_part_of_the_shot_before_it() -> None:
    shot = ShotNow()
    shot.take(frame(0, 7, 0.0, 240.0, 0.0), {"phase": "fill"})
    shot.lost()

    assert not shot.take(frame(30, 9, 0.0, 240.0, 0.0), {"phase": "cool"})


@pytest.mark.parametrize("samples", [SAMPLES_MOST + 5])
def test_a_press_that_stands_in_the_middle_of_a_shot_does_not_fill_the_memory(
    samples: int,
) -> None:
    shot = ShotNow()
    for n in range(samples):
        shot.take(frame(n / 10, 7, 0.0, 240.0, 0.0), {"phase": "fill"})

    assert shot.count == SAMPLES_MOST
