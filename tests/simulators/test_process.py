"""One shot differs from the next as a press's shots do."""

from itertools import pairwise
from random import Random
from statistics import fmean, pstdev

import pytest

from simulators.modes import Mode, Phase, Quality
from simulators.mold import Mold
from simulators.process import Process, Restart
from simulators.program import Program, program
from simulators.resin import RESINS
from simulators.shot import PHASE_TIMES, Plan
from tests.simulators.makers import MOLD, a_press

SHOTS = 400


def shots(mold: Mold = MOLD, mode: Mode = Mode.AUTOMATIC, count: int = SHOTS) -> list[Plan]:
    process, settings = Process(Random("a seed")), program(mold, 80)
    return [process.shot(settings, mold, mode) for _ in range(count)]


def settings() -> Program:
    return program(MOLD, 80)


@pytest.mark.parametrize("resin", RESINS)
@pytest.mark.parametrize("expected_s", [12.0, 24.0, 45.0])
def test_a_cycle_is_the_exact_sum_of_its_phases(resin: str, expected_s: float) -> None:
    mold = Mold(id="A-1", resin=resin, expected_cycle_s=expected_s)

    for plan in shots(mold, count=20):
        parts = sum(round(plan.values[name] * 1000) for name in PHASE_TIMES.values())
        assert round(plan.values["cycle_time_s"] * 1000) == parts == plan.cycle_ms
        assert plan.values["cycle_time_s"] == pytest.approx(expected_s, abs=0.1)


@pytest.mark.parametrize(
    ("signal", "sigma", "drifting"),
    [
        ("injection_pressure_peak_bar", (0.0025, 0.0065), True),
        ("transfer_pressure_bar", (0.0025, 0.0065), True),
        ("hold_pressure_bar", (0.001, 0.005), False),
        ("recovery_time_s", (0.0015, 0.004), True),
        ("back_pressure_bar", (0.002, 0.006), False),
        ("cushion_mm", (0.004, 0.025), False),
        ("cavity_pressure_peak_bar", (0.004, 0.01), False),
        ("cycle_time_s", (0.004 / 24, 0.012 / 24), False),
    ],
)
def test_scatter_is_what_was_measured_on_presses(
    signal: str, sigma: tuple[float, float], drifting: bool
) -> None:
    values = [plan.values[signal] for plan in shots()]
    low, high = sigma

    assert low <= pstdev(values) / fmean(values) <= high
    assert lag_1(values) > 0.2 or not drifting


def test_clamp_force_wanders() -> None:
    assert lag_1([plan.values["clamp_force_kn"] for plan in shots()]) > 0.8


def test_timers_do_not_scatter() -> None:
    for signal in ("cooling_time_s", "hold_time_s"):
        assert len({plan.values[signal] for plan in shots(count=50)}) == 1


def test_what_is_displayed_has_the_display_step() -> None:
    for plan in shots(count=20):
        assert plan.values["cooling_time_s"] == round(plan.values["cooling_time_s"], 2)
        assert plan.values["injection_pressure_peak_bar"] == pytest.approx(
            round(plan.values["injection_pressure_peak_bar"], 1), abs=1e-9
        )
        assert plan.levels["mold_temp_c"] == round(plan.levels["mold_temp_c"], 1)


def test_an_operator_takes_some_seconds_more_and_never_the_same() -> None:
    automatic = fmean(plan.values["pause_time_s"] for plan in shots())
    extra = [plan.values["pause_time_s"] - automatic for plan in shots(mode=Mode.SEMI_AUTOMATIC)]

    assert min(extra) >= 2
    assert 0.5 <= pstdev(extra) <= 4
    assert fmean(extra) > sorted(extra)[len(extra) // 2]  # skewed to the right


def test_a_screw_that_is_late_keeps_the_mold_shut() -> None:
    slow = settings().changed("recovery_time_s", 20.0)
    plan = Process(Random("a seed")).shot(slow, MOLD, Mode.AUTOMATIC)

    assert plan.values["cooling_time_s"] > plan.values["recovery_time_s"]
    assert plan.values["cooling_time_set_s"] == settings().cooling_time_set_s


def test_the_first_shots_after_a_long_stop_are_off_and_then_come_back() -> None:
    process, restart = Process(Random("a seed")), Restart.after(1800)
    run = []
    for _ in range(30):
        run.append(process.shot(settings(), MOLD, Mode.AUTOMATIC, restart))
        restart = restart.next()
    peak = [plan.values["injection_pressure_peak_bar"] for plan in run]

    assert run[0].quality is Quality.BAD
    assert run[0].values["cushion_mm"] < 2
    assert peak[0] < 0.7 * settings().injection_pressure_peak_bar
    assert run[1].values["recovery_time_s"] > 1.15 * settings().recovery_time_s
    assert peak[2] < 0.95 * peak[25]
    assert run[2].values["cycle_time_s"] == pytest.approx(24.0, abs=0.06)


def test_a_short_stop_changes_nothing() -> None:
    after, warm = (
        Process(Random("a seed")).shot(settings(), MOLD, Mode.AUTOMATIC, restart)
        for restart in (Restart.after(30), Restart())
    )

    assert after.values == warm.values


def test_a_dry_closing_is_movements_only() -> None:
    plan = Process(Random("a seed")).dry(settings())

    assert [phase for phase, _ in plan.phases] == [
        Phase.CLOSE,
        Phase.OPEN,
        Phase.EJECT,
        Phase.PAUSE,
    ]
    assert plan.values["injection_pressure_peak_bar"] == plan.values["cooling_time_s"] == 0
    assert plan.values["cycle_time_s"] == plan.cycle_ms / 1000
    assert plan.parts_good == plan.parts_bad == 0


async def test_the_same_seed_gives_the_same_shots_and_another_one_others() -> None:
    async def run(seed: int) -> list[object]:
        press = a_press(seed=seed)
        return [(await press.mold()).values for _ in range(5)]

    assert await run(1) == await run(1)
    assert await run(1) != await run(2)


def lag_1(values: list[float]) -> float:
    """Correlation of a series with itself one later."""
    mean = fmean(values)
    pairs = pairwise(values)
    return sum((a - mean) * (b - mean) for a, b in pairs) / sum((a - mean) ** 2 for a in values)
