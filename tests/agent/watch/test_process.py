"""Melt, screw and pressure: told when it lasts, and once."""

from collections.abc import Callable

import pytest

from tests.agent.watch.streams import Press, after, causes, ramp

FAULTS: dict[str, tuple[Callable[[int], dict[str, float]], int]] = {
    "pressure_shift": (lambda n: {"injection_pressure_peak_bar": ramp(n, 51, 60)}, 60),
    "cushion_shift": (lambda n: {"cushion_mm": ramp(n, -0.6, 100)}, 80),
    "recovery_shift": (lambda n: {"recovery_time_s": 0.6}, 20),
    "melt_temperature": (
        lambda n: {"melt_temp_c": ramp(n, 8, 20), "injection_pressure_peak_bar": ramp(n, -24, 20)},
        25,
    ),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("cause", FAULTS)
def test_a_shift_that_lasts_is_told_once(cause: str, seed: int) -> None:
    changed, within = FAULTS[cause]

    found = after(Press(seed), changed, 140)

    assert causes(found) == [f"process/{cause}"]
    assert found[0][0] <= within


def test_a_shift_that_ends_by_itself_is_not_told() -> None:
    def changed(n: int) -> dict[str, float]:
        return {"injection_pressure_peak_bar": 40.0 if n <= 5 else 0.0}

    assert after(Press(1), changed, 60) == []
