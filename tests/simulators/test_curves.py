"""What the sensors show during a shot fits the numbers that the shot is reported with."""

from random import Random

import numpy as np
import pytest

from simulators.faults import Faults
from simulators.modes import Mode, Phase
from simulators.mold import Mold
from simulators.physics.curves import SAMPLE_S, Curves, Live
from simulators.physics.process import Process
from simulators.physics.program import program
from simulators.shot import Plan
from tests.simulators.makers import MOLD


def a_process(mold: Mold = MOLD) -> Process:
    process = Process(Random("a seed"), Faults(machine="IMM-01"))
    process.mount(mold, program(mold, 80))
    process.warm()
    return process


@pytest.fixture
def plan() -> Plan:
    return a_process().shot(program(MOLD, 80), MOLD, Mode.AUTOMATIC, 2)


@pytest.fixture
def curves(plan: Plan) -> Curves:
    return Curves(plan, gate_freeze_s=4.0)


def at(plan: Plan, *seconds: float) -> list[Live]:
    """The sensors at times since the start of injection."""
    begin = plan.begins_ms(Phase.FILL)
    assert begin is not None
    curves = Curves(plan, gate_freeze_s=4.0)
    return [curves.at(begin / 1000 + each) for each in seconds]


def test_the_curves_peak_at_the_reported_peaks(plan: Plan, curves: Curves) -> None:
    peak, cavity = curves.injection_pressure_bar.max(), curves.cavity_pressure_bar.max()

    assert peak == pytest.approx(plan.values["injection_pressure_peak_bar"], rel=0.01)
    assert cavity == pytest.approx(plan.values["cavity_pressure_peak_bar"], rel=0.005)


def test_pressure_at_switch_over_is_the_transfer_pressure(plan: Plan) -> None:
    (live,) = at(plan, plan.values["fill_time_s"])

    assert live.injection_pressure_bar == pytest.approx(
        plan.values["transfer_pressure_bar"], rel=0.015
    )
    assert live.screw_position_mm == pytest.approx(plan.values["transfer_position_mm"], abs=0.02)


def test_pressure_holds_with_half_a_percent_of_noise(plan: Plan) -> None:
    fill, hold = plan.values["fill_time_s"], plan.values["hold_time_s"]
    late = [
        live.injection_pressure_bar for live in at(plan, *np.arange(fill + 1, fill + hold, 0.01))
    ]

    level = plan.values["hold_pressure_bar"]
    assert np.mean(late) == pytest.approx(level, rel=0.002)
    assert 0.003 < np.std(late) / level < 0.007


def test_the_screw_creeps_to_the_cushion(plan: Plan, curves: Curves) -> None:
    end = plan.values["fill_time_s"] + plan.values["hold_time_s"]

    assert at(plan, end - 0.01)[0].screw_position_mm == pytest.approx(
        plan.values["cushion_mm"], abs=0.02
    )
    assert curves.screw_position_mm.min() == pytest.approx(plan.values["cushion_mm"], abs=0.011)


def test_the_screw_recovers_against_back_pressure_and_ends_where_it_began(plan: Plan) -> None:
    begin = plan.values["fill_time_s"] + plan.values["hold_time_s"] + 0.3
    half, after = at(
        plan, begin + plan.values["recovery_time_s"] / 2, begin + plan.values["recovery_time_s"] + 1
    )

    assert half.injection_pressure_bar == pytest.approx(plan.values["back_pressure_bar"], rel=0.05)
    assert plan.values["cushion_mm"] < half.screw_position_mm < plan.start_mm
    assert after.screw_position_mm == plan.start_mm
    assert after.injection_pressure_bar == 0


def test_no_sensor_jumps(curves: Curves) -> None:
    assert np.abs(np.diff(curves.screw_position_mm)).max() < 1.0
    assert np.diff(curves.cavity_pressure_bar).max() < 30


def test_the_cavity_fills_late_and_is_without_pressure_when_the_mold_opens(plan: Plan) -> None:
    fill = plan.values["fill_time_s"]
    end = fill + plan.values["hold_time_s"] + plan.values["cooling_time_s"]
    early, gate, before, after = at(plan, 0.3 * fill, 4.0, end - 0.02, end)

    assert early.cavity_pressure_bar == after.cavity_pressure_bar == 0
    peak = plan.values["cavity_pressure_peak_bar"]
    assert 0.85 * peak < gate.cavity_pressure_bar < 0.9 * peak
    assert 0 < before.cavity_pressure_bar < 30


@pytest.mark.parametrize(("alloy", "jump_k"), [("QC-10", (4, 8)), ("P20", (7, 15))])
def test_the_cavity_wall_jumps_when_the_melt_comes_in_and_then_cools(
    alloy: str, jump_k: tuple[float, float]
) -> None:
    mold = Mold(id="A-1", alloy=alloy)
    plan = a_process(mold).shot(program(mold, 80), mold, Mode.AUTOMATIC, 1)
    before, crest, late = at(plan, -0.05, 3.0, 17.0)

    assert jump_k[0] < crest.cavity_wall_c - before.cavity_wall_c < jump_k[1]
    assert before.cavity_wall_c < late.cavity_wall_c < crest.cavity_wall_c
    low, high = min(before.cavity_wall_c, late.cavity_wall_c), crest.cavity_wall_c
    assert low < plan.levels["mold_temp_c"] < high


def test_the_first_sample_is_the_start_of_the_closing_and_the_last_is_just_before_its_end(
    plan: Plan, curves: Curves
) -> None:
    assert curves.count == len(curves.injection_pressure_bar) == plan.cycle_ms // 10
    assert curves.at(0.0).screw_position_mm == plan.start_mm
    assert curves.at(1e6) == curves.at((curves.count - 1) * SAMPLE_S)
    assert curves.at(-1.0) == curves.at(0.0)


def test_a_look_shows_the_newest_sample_and_a_block_ends_with_it(curves: Curves) -> None:
    block = curves.newest(3.204, 50)
    live = curves.at(3.204)

    assert block.first == 320 - 49
    assert len(block.injection_pressure_bar) == len(block.cavity_wall_c) == 50
    assert round(float(block.injection_pressure_bar[-1]), 1) == live.injection_pressure_bar
    assert round(float(block.screw_position_mm[-1]), 2) == live.screw_position_mm
    assert curves.at(3.2) == live


def test_blocks_in_a_row_hold_every_sample_once(curves: Curves) -> None:
    seen: list[float] = []
    for tick in range(1, 60):
        block = curves.newest(tick * 0.5 - SAMPLE_S, 50)
        if block.first == len(seen):
            seen += block.injection_pressure_bar.tolist()

    assert seen == curves.injection_pressure_bar[: len(seen)].tolist()
    assert len(seen) >= 2350


def test_a_block_of_a_closing_that_has_just_begun_is_short(curves: Curves) -> None:
    block = curves.newest(0.03, 50)

    assert block.first == 0
    assert len(block.screw_position_mm) == 4


def test_samples_have_the_display_step_and_the_same_plan_the_same_noise(plan: Plan) -> None:
    first, second = Curves(plan, 4.0), Curves(plan, 4.0)

    assert first.injection_pressure_bar.dtype == np.float32
    tenths = first.injection_pressure_bar.astype(float) * 10
    assert np.abs(tenths - np.round(tenths)).max() < 1e-3
    assert (first.injection_pressure_bar == second.injection_pressure_bar).all()


def test_a_dry_closing_shows_no_pressure() -> None:
    plan = a_process().dry(program(MOLD, 80))
    curves = Curves(plan, gate_freeze_s=4.0)

    assert curves.at(3.0) == Live(0.0, 0.0, plan.start_mm, plan.levels["mold_temp_c"])


def test_an_almost_empty_shot_has_almost_no_pressure_anywhere() -> None:
    for seed in range(20):
        process = Process(Random(seed), Faults(machine="IMM-01"))
        process.mount(MOLD, program(MOLD, 80))
        process.stand(1500)
        plan = process.shot(program(MOLD, 80), MOLD, Mode.AUTOMATIC, 2)
        curves = Curves(plan, gate_freeze_s=4.0)

        peak = plan.values["injection_pressure_peak_bar"]
        assert curves.injection_pressure_bar.max() <= 1.02 * peak


def test_a_cycle_that_is_cut_short_ends_while_the_screw_still_turns(plan: Plan) -> None:
    cut = plan.showing({"cooling_time_s": 2.0})

    curves = Curves(cut, gate_freeze_s=4.0)

    assert curves.count == cut.cycle_ms // 10
    assert curves.cavity_pressure_bar[-1] == 0
