"""A press runs its cycles in time, counts them, and does what people tell it."""

import asyncio
from datetime import UTC, datetime

import pytest

from simulators.listener import Change
from simulators.modes import Mode, Phase, ProductionStatus
from simulators.mold import Job, Mold
from simulators.molding import Molding
from simulators.press import Press
from simulators.shot import Shot
from tests.simulators.makers import MOLD, a_press


class Notes:
    """A listener that writes down what it is told."""

    def __init__(self) -> None:
        self.phases: list[Phase] = []
        self.entered: list[float] = []
        self.shots: list[Shot] = []
        self.changes: list[Change] = []

    async def phase_changed(self, press: Press) -> None:
        self.phases.append(press.phase)
        self.entered.append(press.clock.now())

    async def shot_ended(self, press: Press, shot: Shot) -> None:
        assert press.last is shot
        self.shots.append(shot)

    async def changed(self, press: Press, change: Change) -> None:
        self.changes.append(change)


def followed(press: Press) -> Notes:
    notes = Notes()
    press.listeners.append(notes)
    return notes


CYCLE = [
    Phase.CLOSE,
    Phase.FILL,
    Phase.HOLD,
    Phase.COOL,
    Phase.OPEN,
    Phase.EJECT,
    Phase.PAUSE,
]


async def test_a_shot_goes_through_its_phases_and_counts_one() -> None:
    press = a_press()
    notes = followed(press)

    shot = await press.mold()

    assert notes.phases == [*CYCLE, Phase.IDLE]
    assert notes.shots == [shot]
    assert (press.counter, press.counters.job, press.counters.good) == (1, 1, 2)
    assert shot.counter == 1
    assert shot.mold == MOLD


async def test_a_shot_by_hand_shows_what_the_test_wants() -> None:
    press = a_press()

    shot = await press.mold(cushion_mm=3.1, cooling_time_s=13.5, mold_temp_c=61.0)

    assert shot.values["cushion_mm"] == 3.1
    assert shot.values["cooling_time_s"] == 13.5
    assert shot.values["mold_temp_c"] == 61.0
    assert shot.values["cycle_time_s"] == pytest.approx(25.5, abs=0.1)


async def test_a_press_by_hand_goes_phase_by_phase() -> None:
    press = a_press()

    assert [await press.step() for _ in range(8)] == [*CYCLE, Phase.IDLE]
    assert press.counter == 1


async def test_cycles_keep_their_schedule_while_time_runs() -> None:
    press = a_press(speed=60)

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Molding(press).run())
        async with asyncio.timeout(15):
            await press.until(6)
        running.cancel()

    shots = list(press.shots)[:6]
    took = (shots[-1].ended_at - shots[0].ended_at).total_seconds() * 60
    molded = sum(shot.values["cycle_time_s"] for shot in shots[1:])
    lag_s = 0.2 * 60  # wall time that the event loop may be late, in process time
    assert took == pytest.approx(molded, abs=lag_s)


async def test_presses_start_at_different_points_of_their_cycle() -> None:
    started = set()
    for seed in range(12):
        press = a_press(speed=0.001, seed=seed)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(Molding(press).run())
            await asyncio.sleep(0)
            running.cancel()
        started.add(press.phase)

    assert len(started) > 1


async def test_a_paused_press_finishes_its_cycle_and_waits() -> None:
    press = a_press(speed=1000)
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(5):
        running = tasks.create_task(Molding(press).run())
        await press.until(2)
        press.pause()
        await press.paused()
        stopped_at = press.counter
        assert press.phase is Phase.IDLE
        assert press.status is ProductionStatus.NO_PRODUCTION

        await press.mold()
        assert press.counter == stopped_at + 1

        press.resume()
        await press.until(stopped_at + 3)
        running.cancel()


async def test_a_press_that_molds_by_itself_takes_no_shot_by_hand() -> None:
    press = a_press(speed=1)

    with pytest.raises(RuntimeError, match="pause it"):
        await press.mold()


async def test_a_press_in_set_up_does_not_mold() -> None:
    press = a_press(speed=1000, mode=Mode.SETUP)
    notes = followed(press)
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(5):
        running = tasks.create_task(Molding(press).run())
        for _ in range(10):
            await asyncio.sleep(0)
        assert (press.counter, press.phase) == (0, Phase.IDLE)

        await press.set_mode(Mode.AUTOMATIC, who="M. Ortiz")
        first = await press.until(1)
        running.cancel()

    assert first.values["injection_pressure_peak_bar"] < 800  # after a long stop
    assert [(change.kind, change.new, change.who) for change in notes.changes] == [
        ("mode", Mode.AUTOMATIC, "M. Ortiz"),
        ("production", ProductionStatus.PRODUCTION, ""),
    ]


async def test_dry_closings_count_for_the_machine_and_make_no_parts() -> None:
    press = a_press()
    notes = followed(press)

    dry = await press.mold(dry=True)
    shot = await press.mold()

    assert (dry.closing, shot.closing) == ("dry", "shot")
    assert (press.counter, press.counters.good) == (2, 2)
    assert [change.new for change in notes.changes if change.kind == "production"] == [
        ProductionStatus.DRY_RUN,
        ProductionStatus.PRODUCTION,
    ]


async def test_a_changed_timer_is_in_the_next_shot_and_in_the_logbook() -> None:
    press = a_press()
    notes = followed(press)

    await press.set_point("cooling_time_set_s", 12.5, who="M. Ortiz")
    shot = await press.mold()

    assert shot.values["cooling_time_s"] == shot.values["cooling_time_set_s"] == 12.5
    (change,) = notes.changes
    assert (change.kind, change.name) == ("parameter", "cooling_time_set_s")
    assert (change.old, change.new, change.who) == (12.0, 12.5, "M. Ortiz")


async def test_an_unknown_set_point_is_refused() -> None:
    with pytest.raises(ValueError, match="no set point 'coolingtime'"):
        await a_press().set_point("coolingtime", 1.0)


async def test_a_new_job_counts_from_0_and_the_machine_counts_on() -> None:
    press = a_press()
    await press.mold()

    await press.change_job(Job(name="J-4712"))
    shot = await press.mold()

    assert (shot.job.name, shot.job_counter, shot.counter) == ("J-4712", 1, 2)


async def test_another_mold_brings_its_own_program() -> None:
    press = a_press()
    other = Mold(id="A-2231", revision="B", resin="PC", expected_cycle_s=27.0)

    await press.change_mold(other, Job(name="J-4713"))
    for _ in range(4):
        shot = await press.mold()

    assert (shot.mold.id, shot.mold.revision, shot.job.name) == ("A-2231", "B", "J-4713")
    assert shot.values["cycle_time_s"] == pytest.approx(27.0, abs=0.1)
    assert shot.values["melt_temp_c"] == pytest.approx(300, abs=2)


async def test_a_mold_is_not_changed_while_it_is_shut() -> None:
    press = a_press()
    await press.step()

    with pytest.raises(RuntimeError, match="is molding"):
        await press.change_mold(Mold(id="A-2231"))


async def test_the_counter_can_be_reset() -> None:
    press = a_press(counter=4000)

    await press.reset_counter()
    shot = await press.mold()

    assert shot.counter == 1


async def test_a_counter_is_never_set_to_what_it_can_not_show() -> None:
    press = a_press(counter=65_000, counter_limit=65_536)

    await press.reset_counter(66_000)

    assert press.counter == 464


async def test_a_counter_that_was_saved_at_0_falls_back_to_0_after_a_restart_too() -> None:
    press = a_press(counter_kept="saved", save_every=50)
    for _ in range(3):
        await press.mold()
    again = a_press(counter_kept="saved", save_every=50)
    again.restore(press.snapshot())
    assert again.counter == 3

    await again.power_off()

    assert again.counter == 0


async def test_a_press_comes_back_from_a_power_off_with_its_counters() -> None:
    before = a_press()
    await before.change_mold(Mold(id="A-2231", revision="B", resin="PC"), Job(name="J-9"))
    last = await before.mold()

    after = a_press()
    after.restore(before.snapshot())
    shot = await after.mold()

    assert after.shots[0].counter == 2
    assert (shot.mold.id, shot.mold.revision, shot.job.name) == ("A-2231", "B", "J-9")
    assert shot.job_counter == 2
    assert shot.values != last.values


async def test_live_values_follow_the_shot() -> None:
    press = a_press()
    await press.step()
    assert press.live.injection_pressure_bar == 0

    await press.step()
    press.clock.advance(0.7)
    assert press.live.injection_pressure_bar > 600

    await press.step()
    press.clock.advance(1.0)
    assert press.live.injection_pressure_bar == pytest.approx(450, rel=0.05)


async def test_a_shot_carries_the_time_at_which_it_ended() -> None:
    press = a_press()
    before = datetime.now(UTC)

    shot = await press.mold()

    assert before <= shot.ended_at <= datetime.now(UTC)
