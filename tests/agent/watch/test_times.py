"""Which phase holds a step, and who or what made it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.anomaly import SHORT_MOST
from agent.watch import Watch
from drivers import Change, Notice
from tests.agent.watch.streams import PHASES, TIMES, Press, after, causes, watched

SEEDS = range(5)


def timer(by_s: float) -> dict[str, float]:
    return {"cycle_time_s": by_s, "cooling_time_s": by_s}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shows", [TIMES, PHASES])
@pytest.mark.parametrize(("by_s", "within"), [(0.5, 2), (-0.5, 2), (2.0, 2), (0.1, 5)])
def test_a_changed_timer_is_named_at_once(
    seed: int, shows: tuple[str, ...], by_s: float, within: int
) -> None:
    found = after(Press(seed, shows), timer(by_s))

    assert causes(found) == ["cooling_time/timer_changed"]
    cycle, anomaly = found[0]
    assert cycle <= within
    assert anomaly.value == pytest.approx(12 + by_s, abs=0.03)
    assert anomaly.expected == pytest.approx(12, abs=0.01)
    assert anomaly.since_counter == 221
    assert len(anomaly.short) <= SHORT_MOST
    assert "cooling" in anomaly.message.lower()


@pytest.mark.parametrize("seed", SEEDS)
def test_one_small_edit_is_no_news(seed: int) -> None:
    assert after(Press(seed, PHASES), timer(0.05), 200) == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("every", [5, 20, 100])
def test_many_small_edits_are_stairs(seed: int, every: int) -> None:
    def creep(n: int) -> dict[str, float]:
        return timer(0.05 * min(10, 1 + (n - 1) // every))

    found = after(Press(seed, PHASES), creep, 12 * every)

    assert causes(found) == ["cooling_time/staircase_drift"]


def test_an_open_staircase_grows_and_stays_one() -> None:
    press, watch = Press(3, TIMES), Watch("IMM-01")
    after(press, lambda n: timer(0.05 * min(10, 1 + n // 20)), 260, watch=watch)

    (open_one,) = watch.opened
    assert open_one.value == pytest.approx(12.5, abs=0.06)


def test_a_timer_that_goes_back_closes_what_it_opened() -> None:
    press, watch = Press(1, TIMES), Watch("IMM-01")
    (_, opened), *more = after(press, timer(0.5), watch=watch)
    closed = watched(press, watch, 20)

    assert not more
    assert [(a.id, a.is_open) for a in closed] == [(opened.id, False)]
    assert closed[0].until_counter is not None
    assert watch.opened == []


def test_a_second_step_is_told_against_where_the_mold_belongs() -> None:
    found = after(Press(2, TIMES), lambda n: timer(0.5 if n <= 40 else 1.2), 80)

    assert causes(found) == ["cooling_time/timer_changed"] * 2
    assert found[1][1].expected == pytest.approx(12.0, abs=0.01)
    assert found[1][1].value == pytest.approx(13.2, abs=0.02)


def test_a_timer_is_told_while_limits_are_provisional() -> None:
    found = after(Press(4, TIMES), timer(0.5), before=25)

    assert causes(found) == ["cooling_time/timer_changed"]
    assert found[0][0] <= 2
    assert found[0][1].evidence["provisional"] is True


def test_a_timer_changed_while_the_press_stood_is_told_after_the_first_shots() -> None:
    press, watch = Press(5), Watch("IMM-01")
    watched(press, watch, 220)
    press.stand(1200)

    found = after(press, timer(0.5), before=0, watch=watch)

    assert causes(found) == ["cooling_time/timer_changed"]
    assert found[0][0] <= 6


def test_a_notice_says_who_changed_the_timer() -> None:
    press, watch = Press(6, (*PHASES,)), Watch("IMM-01")
    watched(press, watch, 220)
    watch.take(
        Notice(
            machine="IMM-01", change=Change.PARAMETER, name="cooling_time_set_s", old=12.0,
            new=12.5, who="Meyer", at=press.at, received_at=press.at,
        )
    )  # fmt: skip

    found = after(press, timer(0.5), before=0, watch=watch)

    assert causes(found) == ["cooling_time/timer_changed"]
    assert "Meyer" in found[0][1].message
    assert found[0][1].severity == "info"


@pytest.mark.parametrize(("revision", "shots"), [("B", 60), ("A", 20)])
def test_a_program_loaded_for_a_mold_says_nothing_of_what_comes_much_later(
    revision: str, shots: int
) -> None:
    press, watch = Press(16, PHASES), Watch("IMM-01")
    watched(press, watch, 220)
    press.revision = "C"
    watched(press, watch, 60)
    watch.take(
        Notice(
            machine="IMM-01", change=Change.PARAMETER, name="production_dataset", old="P-1",
            new="P-2", who="Meyer", at=press.at, received_at=press.at,
        )
    )  # fmt: skip
    press.revision = revision
    press.stand(3600)
    watched(press, watch, shots)

    found = after(press, timer(0.5), before=0, watch=watch)

    assert causes(found) == ["cooling_time/timer_changed"]
    assert "Meyer" not in found[0][1].message


def test_where_the_machine_gives_no_cooling_time_the_phases_tell_it() -> None:
    shows = [name for name in PHASES if name != "cooling_time_s"]

    found = after(Press(7, shows), {"cycle_time_s": 0.5})

    assert causes(found) == ["cooling_time/timer_changed"]
    assert "gives no cooling time" in found[0][1].message


def test_a_missing_cooling_time_is_not_replaced_by_what_phases_leave() -> None:
    press, watch = Press(8, PHASES), Watch("IMM-01")
    for _ in range(400):
        booked = press.shot()
        if press.random.random() < 0.1:
            values = {n: v for n, v in booked.cycle.values.items() if n != "cooling_time_s"}
            booked = replace(booked, cycle=replace(booked.cycle, values=values))
        assert watch.take(booked) == []


def test_a_longer_cycle_alone_is_unexplained() -> None:
    found = after(Press(9, TIMES), {"cycle_time_s": 0.5})

    assert causes(found) == ["cycle_time/unexplained"]


def _sticks(press: Press) -> Callable[[int], dict[str, float]]:
    def changed(n: int) -> dict[str, float]:
        by_s = abs(press.random.gauss(2, 0.6)) if press.random.random() < 0.3 else 0.0
        return {"cycle_time_s": by_s, "ejection_time_s": by_s}

    return changed


def _waits(press: Press) -> Callable[[int], dict[str, float]]:
    def changed(n: int) -> dict[str, float]:
        by_s = press.random.lognormvariate(1.2, 0.5)
        return {"cycle_time_s": by_s, "pause_time_s": by_s}

    return changed


def _screw(press: Press) -> Callable[[int], dict[str, float]]:
    """Grows over ten shots until it outlasts the timer by 0.6 s."""

    def changed(n: int) -> dict[str, float]:
        recovery_s = 5.5 + min(1.0, n / 10) * (6.5 + press.random.gauss(0, 0.12))
        late_s = max(0.0, recovery_s + 0.6 - 12)
        return {
            "recovery_time_s": recovery_s - 5.5, "cooling_time_s": late_s, "cycle_time_s": late_s
        }  # fmt: skip

    return changed


PROBLEMS: dict[str, Callable[[Press], Callable[[int], dict[str, float]]]] = {
    "cycle_time/hold_time_changed": lambda press: (
        lambda n: {"cycle_time_s": 0.5, "hold_time_s": 0.5, "cushion_mm": -0.1}
    ),
    "cycle_time/fill_changed": lambda press: (
        lambda n: {"cycle_time_s": 0.1, "fill_time_s": 0.1, "injection_pressure_peak_bar": -40}
    ),
    "cycle_time/open_close_changed": lambda press: (
        lambda n: {"cycle_time_s": 0.5, "mold_open_time_s": 0.2, "mold_close_time_s": 0.3}
    ),
    "cycle_time/ejection_delay": _sticks,
    "cycle_time/operator_wait": _waits,
    "cooling_time/recovery_exceeds_timer": _screw,
    "process/program_changed": lambda press: (
        lambda n: {
            "cycle_time_s": 1.1, "cooling_time_s": 0.5, "hold_time_s": 0.6,
            "injection_pressure_peak_bar": -120, "cushion_mm": 1.0, "melt_temp_c": 20,
            "mold_temp_c": 10 * (1 - 0.8**n), "recovery_time_s": 0.8,
        }
    ),
}  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cause", PROBLEMS)
def test_each_phase_has_its_cause_and_nothing_is_told_twice(cause: str, seed: int) -> None:
    press = Press(seed)

    found = after(press, PROBLEMS[cause](press), 120)

    assert causes(found) == [cause]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_screw_that_outlasts_a_timer_that_stands_is_named(seed: int) -> None:
    """Some presses report the timer as it ran, whatever the screw needed after it."""
    press = Press(seed)

    def changed(n: int) -> dict[str, float]:
        late_s = 0.3 + abs(press.random.gauss(0, 0.4))
        return {"recovery_time_s": 6.2 + late_s, "cycle_time_s": late_s}

    found = after(press, changed, 120)

    assert causes(found) == ["cooling_time/recovery_exceeds_timer"]


@pytest.mark.parametrize("state", ["production", "failed"])
def test_a_cooling_time_that_was_cut_is_told_of_its_own_shot(state: str) -> None:
    press, watch = Press(1), Watch("IMM-01")
    watched(press, watch, 220)

    found = list(watch.take(press.shot(timer(-4.8), state=state)))
    found += watched(press, watch, 30)

    assert [(a.kind, a.cause) for a in found] == [("cooling_time", "cut_short")]
    assert found[0].since_counter == found[0].until_counter == 221
    assert not found[0].is_open


def test_a_cycle_lost_within_automatic_running_is_an_interruption() -> None:
    press, watch = Press(2), Watch("IMM-01")
    watched(press, watch, 220)
    press.stand(90)

    found = watched(press, watch, 40)

    assert [(a.kind, a.cause) for a in found] == [("cycle_time", "interrupted")]


def test_pauses_that_a_press_makes_by_habit_are_told_once() -> None:
    press, watch = Press(3), Watch("IMM-01")
    watched(press, watch, 220)
    found = []
    for _ in range(6):
        press.stand(120)
        found += watched(press, watch, 100)

    assert len(found) == 1


def test_a_stretched_cycle_is_an_interruption() -> None:
    found = after(Press(4), lambda n: {"cycle_time_s": 40.0} if n == 1 else {}, 40)

    assert causes(found) == ["cycle_time/interrupted"]


def test_a_mold_that_waits_open_for_long_is_no_interruption() -> None:
    found = after(Press(4), {"cycle_time_s": 30.0, "pause_time_s": 30.0}, 30)

    assert causes(found) == ["cycle_time/operator_wait"]


def test_by_hand_and_after_a_mode_that_is_not_automatic_nothing_is_interrupted() -> None:
    press, watch = Press(5), Watch("IMM-01")
    watched(press, watch, 220)
    watch.take(
        Notice(
            machine="IMM-01", change=Change.MODE, name="mode", old="AUTOMATIC", new="MANUAL",
            at=press.at, received_at=press.at,
        )
    )  # fmt: skip
    press.stand(120)

    assert watched(press, watch, 40) == []


def test_a_press_that_gives_no_cycle_time_is_known_to_have_stood_by_its_stamps() -> None:
    press, watch = Press(6, ("cooling_time_s", "mold_temp_c", "recovery_time_s")), Watch("IMM-01")
    watched(press, watch, 220)
    press.stand(3600)

    assert watched(press, watch, 100) == []


def test_cycles_long_and_short_in_turn_are_a_clock_s_and_not_the_press_s() -> None:
    found = after(Press(8), lambda n: {"cycle_time_s": 0.4 if n % 2 else -0.4}, 100)

    assert found == []


def test_the_shot_for_which_somebody_took_over_by_hand_may_have_been_cut() -> None:
    press, watch = Press(9), Watch("IMM-01")
    watched(press, watch, 220)

    found = list(watch.take(press.shot(timer(-4.8), state="setup")))
    found += watch.take(press.shot(timer(-4.8), state="setup"))

    assert [a.cause for a in found] == ["cut_short"]


def test_a_machine_that_is_late_to_publish_says_nothing_of_its_cycle() -> None:
    press, watch = Press(7), Watch("IMM-01")
    for n in range(400):
        late = timedelta(seconds=0.4 if n % 2 else 0.0)
        press.at += late
        booked = press.shot()
        press.at -= late
        assert watch.take(booked) == []
