"""A picture of a press is told from a press that stands."""

import pytest

from agent.standstill import Standstill
from drivers import Frame, Link, Observation, Value
from tests.agent.makers import at, frame

USUAL_S = 20.0


def shown(seconds: float, **changes: Value | None) -> Frame:
    """A press in the middle of its cooling, whose mold temperature flickers every second poll."""
    fields: dict[str, Value | None] = {
        "mode": "AUTOMATIC", "phase": "cool", "machine_counter": 7,
        "mold_temp_c": 55.0 + 0.1 * (int(seconds) % 2),
    }  # fmt: skip
    return frame(seconds, **(fields | changes))


def walked(*later: Frame) -> list[Observation]:
    """What comes out of a hundred seconds of a press that lives, and of what follows."""
    stage = Standstill()
    for n in range(100):
        assert isinstance(stage.take(shown(n), USUAL_S), Frame)
    return [stage.take(each, USUAL_S) for each in later]


def frozen(**changes: Value | None) -> list[Frame]:
    return [shown(100 + n, mold_temp_c=55.1, **changes) for n in range(120)]


def test_a_picture_is_no_press_after_three_cycles() -> None:
    found = walked(*frozen())

    lost = [each for each in found if isinstance(each, Link)]
    assert not any(isinstance(each, Link) for each in found[:59])
    assert len(lost) >= 55
    assert (lost[0].cause, lost[0].at) == ("stale", at(99))
    assert "same values" in lost[0].why


def test_what_moves_again_is_seen_again() -> None:
    found = walked(*frozen(), shown(300, phase="open"))

    assert isinstance(found[-2], Link)
    assert isinstance(found[-1], Frame)


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "MANUAL"},
        {"mode": None},
        {"phase": "open"},
        {"phase": "pause"},
        {"phase": None},
    ],
)
def test_a_press_that_may_stand_is_only_standing(changes: dict[str, Value | None]) -> None:
    assert not any(isinstance(each, Link) for each in walked(*frozen(**changes)))


def test_a_press_whose_values_still_flicker_is_there() -> None:
    later = [shown(100 + n) for n in range(200)]

    assert not any(isinstance(each, Link) for each in walked(*later))


def test_values_that_hardly_ever_flicker_prove_nothing() -> None:
    stage = Standstill()
    for n in range(1000):
        taken = stage.take(shown(n, mold_temp_c=55.0 if n < 500 else 55.1), USUAL_S)
        assert isinstance(taken, Frame)


def test_without_a_pace_nothing_is_said() -> None:
    stage = Standstill()
    frames = [*(shown(n) for n in range(100)), *frozen()]

    assert not any(isinstance(stage.take(each, None), Link) for each in frames)
