"""Set points that people change, and stops, as a client sees them that watches cycle times only."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import pytest

from simulators.fleet import Fleet
from simulators.fleetentries import FleetEvent
from simulators.listener import Change
from simulators.modes import Mode
from simulators.plant import Plant, open_plant
from simulators.press import Press
from simulators.shot import Shot

FLEET = Fleet.model_validate(
    {
        "press": [{"name": "IMM-01", "protocol": "modbus", "mold": "A-1", "counter": 5000}],
        "mold": [{"id": "A-1", "cavities": 2}],
    }
)


class Logbook:
    """What the control announces."""

    def __init__(self, press: Press) -> None:
        self.changes: list[Change] = []
        press.listeners.append(self)

    async def phase_changed(self, press: Press) -> None:
        pass

    async def shot_ended(self, press: Press, shot: Shot) -> None:
        pass

    async def changed(self, press: Press, change: Change) -> None:
        self.changes.append(change)


async def mean(press: Press, shots: int = 12) -> Mapping[str, float]:
    """Mean of every value over some shots."""
    made = [await press.mold() for _ in range(shots)]
    return {name: sum(shot.values[name] for shot in made) / shots for name in made[0].values}


@pytest.mark.parametrize(
    ("fault", "given", "signals", "step", "points"),
    [
        pytest.param(
            "timer_changed", {"by_s": 0.5}, ["cooling_time_s"], 0.5, ["cooling_time_set_s"],
            marks=pytest.mark.fault("timer_changed"),
        ),
        pytest.param(
            "hold_time_changed", {"by_s": -0.4}, ["hold_time_s"], -0.4, ["hold_time_set_s"],
            marks=pytest.mark.fault("hold_time_changed"),
        ),
        pytest.param(
            "open_close_changed", {"factor": 1.2}, ["mold_open_time_s", "mold_close_time_s"],
            0.68, ["mold_open_time_s", "mold_close_time_s"],
            marks=pytest.mark.fault("open_close_changed"),
        ),
    ],
)  # fmt: skip
async def test_a_changed_set_point_is_a_longer_cycle_and_only_its_phase_says_which(
    fault: str, given: dict[str, float], signals: list[str], step: float, points: list[str]
) -> None:
    async with open_plant(FLEET, speed=None, free_ports=True) as plant:
        press = plant.presses["IMM-01"]
        log = Logbook(press)
        before = await mean(press)
        await plant.inject("IMM-01", fault, **given)
        during = await mean(press)
        await plant.clear("IMM-01", fault)
        after = await mean(press)

    moved = sum(during[name] - before[name] for name in signals)
    assert during["cycle_time_s"] - before["cycle_time_s"] == pytest.approx(step, abs=0.02)
    assert moved == pytest.approx(step, abs=0.02)
    assert after["cycle_time_s"] == pytest.approx(before["cycle_time_s"], abs=0.02)
    assert {change.name for change in log.changes} == set(points)
    assert all(change.who for change in log.changes)


@pytest.mark.fault("timer_changed")
async def test_a_control_without_a_logbook_says_nothing_of_it() -> None:
    async with open_plant(FLEET, speed=None, free_ports=True) as plant:
        log = Logbook(plant.presses["IMM-01"])
        await plant.inject("IMM-01", "timer_changed", logged=0)
        await plant.clear("IMM-01", "timer_changed")

    assert log.changes == []


@pytest.mark.fault("timer_creep")
async def test_no_step_of_a_creeping_timer_is_large_and_all_together_are() -> None:
    async with open_plant(FLEET, speed=None, free_ports=True) as plant:
        press = plant.presses["IMM-01"]
        first = await press.mold()
        await plant.inject("IMM-01", "timer_creep", by_s=0.05, every=5, steps=10)
        timers = [(await press.mold()).values["cooling_time_s"] for _ in range(70)]
        await plant.clear("IMM-01", "timer_creep")

    steps = [round(new - old, 3) for old, new in pairwise(timers)]
    assert {step for step in steps if step} == {0.05}
    assert timers[-1] - first.values["cooling_time_s"] == pytest.approx(0.5)
    assert press.program.cooling_time_set_s == first.values["cooling_time_set_s"]


@pytest.mark.fault("wrong_program")
async def test_a_wrong_program_moves_everything_at_once() -> None:
    async with open_plant(FLEET, speed=None, free_ports=True) as plant:
        press = plant.presses["IMM-01"]
        log = Logbook(press)
        before = await mean(press)
        await plant.inject("IMM-01", "wrong_program")
        during = await mean(press)
        await plant.clear("IMM-01", "wrong_program")

    for signal in ("injection_pressure_peak_bar", "melt_temp_c", "mold_temp_set_c", "fill_time_s"):
        assert abs(during[signal] / before[signal] - 1) > 0.1, signal
    assert during["cycle_time_s"] - before["cycle_time_s"] == pytest.approx(3, abs=0.05)
    assert [(c.kind, c.new) for c in log.changes][-1] == ("dataset", "A-1 A")
    assert press.mold_shown.id == "A-1"


async def test_what_was_edited_is_taken_back_in_the_program_in_which_it_was() -> None:
    async with open_plant(FLEET, speed=None, free_ports=True) as plant:
        press = plant.presses["IMM-01"]
        right = press.program
        await plant.inject("IMM-01", "timer_changed", by_s=0.5)
        await plant.inject("IMM-01", "wrong_program")
        wrong = press.program
        await plant.inject("IMM-01", "hold_time_changed", by_s=0.3)
        await plant.clear("IMM-01", "timer_changed")
        assert press.program.cooling_time_set_s == wrong.cooling_time_set_s
        await plant.clear("IMM-01", "wrong_program")
        back = press.program
        await plant.clear("IMM-01", "hold_time_changed")

    assert back == right
    assert press.program == right


async def molded(plant: Plant, shots: int) -> list[Shot]:
    """Wait for some more shots of a press that molds by itself."""
    press = plant.presses["IMM-01"]
    async with asyncio.timeout(20):
        await press.until(press.counter + shots)
    return list(press.shots)[-shots:]


@pytest.mark.fault("start_up")
async def test_a_start_up_looks_like_trouble_on_every_signal() -> None:
    async with open_plant(FLEET, speed=2000, free_ports=True) as plant:
        press = plant.presses["IMM-01"]
        log = Logbook(press)
        warm = (await molded(plant, 30))[-1]
        await plant.inject("IMM-01", "start_up", standing_s=7200)
        shots = await molded(plant, 6)

    gaps = [b.at_s - a.at_s for a, b in zip([warm, *shots], shots, strict=False)]
    assert max(gaps) > 7200
    stood = gaps.index(max(gaps))
    assert ["start_up" in shot.injected for shot in shots] == [False] * stood + [True] * (6 - stood)
    again = [shot.values for shot in shots[gaps.index(max(gaps)) :]]
    assert again[1]["recovery_time_s"] > 1.1 * warm.values["recovery_time_s"]
    for values in again[:3]:
        assert values["injection_pressure_peak_bar"] < (
            0.95 * warm.values["injection_pressure_peak_bar"]
        )
    assert again[0]["mold_temp_c"] < warm.values["mold_temp_c"] - 2
    modes = [change.new for change in log.changes if change.kind == "mode"]
    assert modes == [Mode.MANUAL, Mode.AUTOMATIC]


@pytest.mark.fault("cycle_interrupted")
async def test_an_open_door_is_one_long_gap_and_no_shot() -> None:
    async with open_plant(FLEET, speed=2000, free_ports=True) as plant:
        press = plant.presses["IMM-01"]
        await molded(plant, 2)
        await plant.inject("IMM-01", "cycle_interrupted", standing_s=90)
        shots = await molded(plant, 4)

    counters = [shot.counter for shot in press.shots]
    assert counters == list(range(counters[0], counters[0] + len(counters)))
    every = list(press.shots)
    gaps = [b.at_s - a.at_s - b.values["cycle_time_s"] for a, b in pairwise(every)]
    assert sorted(gaps)[-1] > 90
    assert sorted(gaps)[-2] == pytest.approx(0, abs=0.01)
    assert shots


@pytest.mark.fault("late_publication")
async def test_late_publication_makes_long_and_short_gaps_in_pairs() -> None:
    async with open_plant(FLEET, speed=20, free_ports=True) as plant:
        await molded(plant, 1)
        await plant.inject("IMM-01", "late_publication", by_s=6)
        shots = await molded(plant, 6)

    said = [shot.values["cycle_time_s"] for shot in shots[1:]]
    walls = [(b.ended_at - a.ended_at).total_seconds() * 20 for a, b in pairwise(shots)]
    wrong = [wall - cycle for wall, cycle in zip(walls, said, strict=True)]
    assert [abs(each) > 3 for each in wrong] == [True] * 5
    assert [each > 0 for each in wrong] in ([True, False] * 2 + [True], [False, True] * 2 + [False])
    assert abs(sum(wrong[:4])) < 3


@pytest.mark.fault("timer_changed", "hold_time_changed", "wrong_program")
@pytest.mark.parametrize("fault", ["timer_changed", "hold_time_changed", "wrong_program"])
async def test_what_was_entered_for_a_mold_is_not_taken_back_from_the_next_program(
    fault: str,
) -> None:
    async with open_plant(FLEET, speed=None, free_ports=True) as plant:
        press = plant.presses["IMM-01"]
        await plant.inject("IMM-01", fault)
        other = replace(press.mold_on, resin="PC")
        await press.change_mold(other)
        fresh, dataset = press.program, press.dataset
        await plant.clear("IMM-01", fault)
        assert (press.program, press.dataset) == (fresh, dataset)

        await plant.inject("IMM-01", fault)
        await plant.clear("IMM-01", fault)
        assert press.program == fresh


async def test_a_fault_that_is_on_anew_is_not_ended_by_the_time_it_had_before() -> None:
    fleet = FLEET.model_copy(
        update={
            "event": (
                FleetEvent(at_s=100, press="*", fault="operator_wait", for_s=400),
                FleetEvent(at_s=300, press="*", fault="operator_wait", for_s=1000),
            )
        }
    )
    async with open_plant(fleet, speed=5000, free_ports=True) as plant:
        press = plant.presses["IMM-01"]
        async with asyncio.timeout(20):
            while press.at_s < 1600:
                await press.until(press.counter + 1)

    touched = [shot.at_s for shot in press.shots if "operator_wait" in shot.injected]
    assert 1200 < max(touched) < 1400
    assert len(touched) > 35


@pytest.mark.fault("timer_changed")
async def test_a_timer_is_changed_as_far_as_a_control_takes_it() -> None:
    async with open_plant(FLEET, speed=None, free_ports=True) as plant:
        press = plant.presses["IMM-01"]
        before = press.program
        await plant.inject("IMM-01", "timer_changed", by_s=-60)
        shot = await press.mold()
        await plant.clear("IMM-01", "timer_changed")

    assert shot.values["cooling_time_s"] > 0
    assert press.program == before
