"""What the sensors show during a shot fits the numbers that the shot is reported with."""

from itertools import pairwise
from random import Random

import pytest

from simulators.curves import Curves, Live
from simulators.modes import Mode, Phase
from simulators.process import Process
from simulators.program import program
from simulators.shot import Plan
from tests.simulators.makers import MOLD


@pytest.fixture
def plan() -> Plan:
    return Process(Random("a seed")).shot(program(MOLD, 80), MOLD, Mode.AUTOMATIC)


def at(plan: Plan, *seconds: float) -> list[Live]:
    """The sensors at times since the start of injection."""
    begin = plan.begins_ms(Phase.FILL)
    assert begin is not None
    curves = Curves(plan, gate_freeze_s=4.0)
    return [curves.at(begin / 1000 + each) for each in seconds]


def every_ms(plan: Plan) -> list[Live]:
    return at(plan, *(step / 1000 for step in range(-500, 20_000)))


def test_the_curves_peak_at_the_reported_peaks(plan: Plan) -> None:
    run = every_ms(plan)

    peak = max(live.injection_pressure_bar for live in run)
    assert peak == pytest.approx(plan.values["injection_pressure_peak_bar"], rel=0.005)
    cavity = max(live.cavity_pressure_bar for live in run)
    assert cavity == pytest.approx(plan.values["cavity_pressure_peak_bar"], rel=0.005)


def test_pressure_at_switch_over_is_the_transfer_pressure(plan: Plan) -> None:
    (live,) = at(plan, plan.values["fill_time_s"])

    assert live.injection_pressure_bar == pytest.approx(
        plan.values["transfer_pressure_bar"], rel=0.01
    )
    assert live.screw_position_mm == pytest.approx(plan.values["transfer_position_mm"], abs=0.02)


def test_pressure_holds_and_the_screw_creeps_to_the_cushion(plan: Plan) -> None:
    fill, hold = plan.values["fill_time_s"], plan.values["hold_time_s"]
    late = at(plan, fill + hold / 2, fill + hold - 0.01)

    for live in late:
        assert live.injection_pressure_bar == pytest.approx(
            plan.values["hold_pressure_bar"], rel=0.01
        )
    assert late[-1].screw_position_mm == pytest.approx(plan.values["cushion_mm"], abs=0.02)


def test_the_screw_recovers_against_back_pressure_and_ends_where_it_began(plan: Plan) -> None:
    begin = plan.values["fill_time_s"] + plan.values["hold_time_s"] + 0.3
    half, after = at(
        plan, begin + plan.values["recovery_time_s"] / 2, begin + plan.values["recovery_time_s"] + 1
    )

    assert half.injection_pressure_bar == pytest.approx(plan.values["back_pressure_bar"], rel=0.05)
    assert plan.values["cushion_mm"] < half.screw_position_mm < plan.start_mm
    assert after.screw_position_mm == plan.start_mm


def test_no_sensor_jumps_but_at_the_gate_of_a_phase(plan: Plan) -> None:
    run = every_ms(plan)

    steps = [abs(b.screw_position_mm - a.screw_position_mm) for a, b in pairwise(run)]
    assert max(steps) < 0.3


def test_the_cavity_is_without_pressure_when_the_mold_opens(plan: Plan) -> None:
    end = sum(plan.values[name] for name in ("fill_time_s", "hold_time_s", "cooling_time_s"))
    before, after = at(plan, end - 0.01, end)

    assert before.cavity_pressure_bar < 40
    assert after.cavity_pressure_bar == 0


def test_a_dry_closing_shows_no_pressure() -> None:
    plan = Process(Random("a seed")).dry(program(MOLD, 80))
    curves = Curves(plan, gate_freeze_s=4.0)

    assert curves.at(3.0) == Live(0.0, 0.0, plan.start_mm)
