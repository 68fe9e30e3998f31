"""The mold on a press is as warm as its water, its metal and its cycle make it."""

from random import Random
from statistics import fmean

import pytest

from simulators.faults import Faults
from simulators.modes import Mode
from simulators.mold import Mold
from simulators.physics.alloy import ALLOYS
from simulators.physics.process import Process
from simulators.physics.program import Program, program
from simulators.physics.resin import RESINS
from simulators.shot import Plan
from tests.simulators.makers import MOLD


def process_on(mold: Mold, settings: Program, *, warm: bool = True) -> Process:
    process = Process(Random("a seed"), Faults(machine="IMM-01"))
    process.mount(mold, settings)
    if warm:
        process.warm()
    return process


def run(
    mold: Mold = MOLD,
    settings: Program | None = None,
    count: int = 60,
    mounted: Program | None = None,
    cavities: int | None = None,
    *,
    warm: bool = True,
) -> list[Plan]:
    """Shots of a mold; `mounted` is the program that it came with, where that has changed."""
    given = settings or program(mold, 80)
    process = process_on(mold, mounted or given, warm=warm)
    open_ = cavities or mold.cavities
    return [process.shot(given, mold, Mode.AUTOMATIC, open_) for _ in range(count)]


def level(plans: list[Plan], signal: str, last: int = 30) -> float:
    return fmean(plan.levels[signal] for plan in plans[-last:])


def rise_k(plans: list[Plan]) -> float:
    return level(plans, "coolant_out_c") - level(plans, "coolant_in_c")


@pytest.mark.parametrize("resin", RESINS)
@pytest.mark.parametrize("alloy", ALLOYS)
def test_every_mold_settles_at_its_set_temperature(resin: str, alloy: str) -> None:
    mold = Mold(id="A-1", resin=resin, alloy=alloy)
    plans = run(mold)

    assert level(plans, "mold_temp_c") == pytest.approx(RESINS[resin].mold_c, abs=0.6)
    assert 1.3 < rise_k(plans) < 2.2
    assert level(plans, "coolant_flow_l_min") == pytest.approx(8.0, rel=0.02)
    part_c = plans[-1].part_c
    assert part_c is not None
    assert RESINS[resin].mold_c < part_c < RESINS[resin].ejection_c


def test_steel_needs_colder_water_and_leaves_the_part_hotter() -> None:
    aluminum, steel = (Mold(id="A-1", alloy=alloy) for alloy in ("QC-10", "P20"))

    assert program(aluminum, 80).coolant_in_c - program(steel, 80).coolant_in_c >= 3
    assert (run(steel)[-1].part_c or 0) > (run(aluminum)[-1].part_c or 0) + 1


def test_a_shorter_cycle_needs_colder_water() -> None:
    slow, fast = (Mold(id="A-1", expected_cycle_s=seconds) for seconds in (30.0, 18.0))

    assert program(fast, 80).coolant_in_c < program(slow, 80).coolant_in_c


def test_water_that_is_given_stays_and_the_mold_follows_it() -> None:
    settings = program(MOLD, 80, {"coolant_in_c": 40.0, "mold_temp_set_c": 50.0})

    assert settings.coolant_in_c == 40.0
    assert level(run(MOLD, settings), "mold_temp_c") == pytest.approx(45, abs=0.5)


def test_a_changed_set_temperature_moves_water_and_mold() -> None:
    mounted = program(MOLD, 80)
    plans = run(MOLD, mounted.changed("mold_temp_set_c", 60.0), mounted=mounted)

    assert level(plans, "coolant_in_c") == pytest.approx(mounted.coolant_in_c + 5, abs=0.2)
    assert level(plans, "mold_temp_c") == pytest.approx(60, abs=0.6)


def test_a_mold_comes_on_as_warm_as_the_water_and_warms_in_a_few_shots() -> None:
    settings = program(MOLD, 80)
    cold = process_on(MOLD, settings, warm=False)

    assert cold.levels(settings)["mold_temp_c"] == pytest.approx(settings.coolant_in_c, abs=0.3)
    temperatures = [plan.levels["mold_temp_c"] for plan in run(warm=False)]
    assert temperatures[0] < 54 < temperatures[3] < 55.5


def test_a_running_press_is_warm_when_the_simulator_starts() -> None:
    plans = run()

    assert level(plans[:10], "mold_temp_c") == pytest.approx(level(plans, "mold_temp_c"), abs=0.2)
    assert rise_k(plans[:10]) == pytest.approx(rise_k(plans), abs=0.1)


def test_a_mold_that_waits_cools() -> None:
    mounted = program(MOLD, 80)
    waiting = run(MOLD, mounted.changed("pause_time_s", 11.8), mounted=mounted)

    fall = level(waiting, "mold_temp_c") - level(run(), "mold_temp_c")
    assert fall == pytest.approx(-0.9, abs=0.3)  # reference page 2.4, mold open +10 s
    assert rise_k(waiting) < rise_k(run()) - 0.3  # as much heat in a longer time


def test_dry_closings_cool_the_mold() -> None:
    settings = program(MOLD, 80)
    process = process_on(MOLD, settings)

    for _ in range(100):
        plan = process.dry(settings)

    assert plan.levels["mold_temp_c"] == pytest.approx(settings.coolant_in_c, abs=0.5)
    assert plan.levels["coolant_out_c"] == pytest.approx(plan.levels["coolant_in_c"], abs=0.2)


def test_a_mold_that_stands_becomes_as_cold_as_the_water() -> None:
    settings = program(MOLD, 80)
    process = process_on(MOLD, settings)

    process.stand(900)

    assert process.levels(settings)["mold_temp_c"] == pytest.approx(settings.coolant_in_c, abs=0.3)


def test_a_blocked_cavity_warms_no_water() -> None:
    assert rise_k(run(cavities=1)) == pytest.approx(rise_k(run()) / 2, abs=0.08)


def test_a_longer_timer_cools_the_part_more_than_the_mold() -> None:
    mounted = program(MOLD, 80)
    longer = run(MOLD, mounted.changed("cooling_time_set_s", 14.0), mounted=mounted)

    part_k = (longer[-1].part_c or 0) - (run()[-1].part_c or 0)
    assert -4 < part_k < -1.5
    assert -0.6 < level(longer, "mold_temp_c") - level(run(), "mold_temp_c") <= -0.1


def test_a_mold_may_be_opened_by_its_temperature() -> None:
    mounted = program(MOLD, 80)
    to_c = mounted.changed("cool_to_c", 54.0)
    usual = run(MOLD, to_c, mounted=mounted)
    warm_water = run(MOLD, to_c.changed("coolant_in_c", 51.0), mounted=mounted)
    hopeless = run(MOLD, to_c.changed("cool_to_c", 20.0), mounted=mounted)
    easy = run(MOLD, to_c.changed("cool_to_c", 90.0), mounted=mounted)
    timer_s = mounted.cooling_time_set_s

    assert timer_s / 2 < usual[-1].values["cooling_time_s"] < 2 * timer_s
    assert warm_water[-1].values["cooling_time_s"] > usual[-1].values["cooling_time_s"] + 1
    assert hopeless[-1].values["cooling_time_s"] == 2 * timer_s
    assert easy[-1].values["cooling_time_s"] == pytest.approx(
        max(timer_s / 2, easy[-1].values["recovery_time_s"] + 0.6)
    )
    assert usual[-1].values["cooling_time_set_s"] == timer_s


def test_an_unknown_alloy_is_refused_with_a_list() -> None:
    with pytest.raises(ValueError, match="no alloy 'unobtainium'; there are QC-10"):
        program(Mold(id="A-1", alloy="unobtainium"), 80)


@pytest.mark.parametrize("resin", ["PS", "PC"])
@pytest.mark.parametrize("alloy", ["steel", "QC-10"])
@pytest.mark.parametrize(
    ("wall_mm", "cycle_s"), [(0.5, 5), (0.5, 600), (0.7, 60), (8, 5), (8, 600)]
)
def test_water_and_mold_settle_whatever_mold_a_fleet_may_have(
    resin: str, alloy: str, wall_mm: float, cycle_s: float
) -> None:
    mold = Mold(
        id="A-1", resin=resin, alloy=alloy, wall_mm=wall_mm, expected_cycle_s=cycle_s, cavities=256
    )
    settings = program(mold, 80)
    process = process_on(mold, settings)
    process.stand(300)
    plans = [process.shot(settings, mold, Mode.AUTOMATIC, 256) for _ in range(80)]

    assert settings.cycle_s == pytest.approx(cycle_s)
    assert level(plans[-10:], "mold_temp_c") == pytest.approx(RESINS[resin].mold_c, abs=20)
    for plan in (*plans, process.dry(settings)):
        rise_k = plan.levels["coolant_out_c"] - plan.levels["coolant_in_c"]
        assert -0.3 < rise_k < 5
        assert 0 < plan.levels["mold_temp_c"] < 130


@pytest.mark.parametrize("alloy", ["steel", "QC-10"])
@pytest.mark.parametrize("share", [0.9, 1.0])
async def test_a_trickle_of_water_comes_back_hot_and_settles(alloy: str, share: float) -> None:
    mold = Mold(id="A-1", resin="POM", alloy=alloy)
    settings = program(mold, 80)
    faults = Faults(machine="IMM-01")
    process = Process(Random("a seed"), faults)
    process.mount(mold, settings)
    process.warm()
    await faults.on("coolant_flow_low", {"share": share, "over": 1})
    plans = [process.shot(settings, mold, Mode.AUTOMATIC, 1) for _ in range(200)]

    out = [plan.levels["coolant_out_c"] for plan in plans[-20:]]
    assert max(out) - min(out) < 2
    assert 95 < min(out) < 205  # no hotter than the melt
    assert min(plan.levels["mold_temp_c"] for plan in plans) > 85


def test_a_screw_that_outlasts_the_timer_keeps_the_mold_shut() -> None:
    settings = program(MOLD, 80, {"recovery_time_s": 600})

    assert settings.coolant_in_c == pytest.approx(settings.mold_temp_set_c, abs=5)
