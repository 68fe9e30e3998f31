"""What a mold is like is learned from good cycles, and kept with the mold."""

import json

from agent.watch import Baseline, Watch
from tests.agent.watch.streams import START, TIMES, Press, after, causes, watched

FEW = (*TIMES, "mold_temp_c", "injection_pressure_peak_bar")


def of(watch: Watch) -> Baseline:
    assert watch.baseline is not None
    return watch.baseline


def test_a_mold_warms_up_learns_and_is_armed() -> None:
    press, watch = Press(1, FEW), Watch("IMM-01")
    states: list[str] = []
    for _ in range(120):
        watch.take(press.shot())
        if not states or states[-1] != of(watch).state:
            states.append(of(watch).state)

    assert states[0] == "warm-up"
    assert states[-2:] == ["provisional", "armed"]


def test_times_are_armed_within_50_good_cycles() -> None:
    press, watch = Press(2, TIMES), Watch("IMM-01")
    watched(press, watch, 54)

    assert of(watch).channels["cooling_time_s"].armed


def test_what_is_learned_is_reused_across_runs_of_a_hundred() -> None:
    press, watch = Press(3, FEW), Watch("IMM-01")
    for run in range(4):
        press.mold = ("M-1", "M-2")[run % 2]
        press.stand(2400)
        watched(press, watch, 100)
    press.mold = "M-1"
    press.stand(2400)
    watched(press, watch, 8)

    found = after(press, {"cycle_time_s": 0.5, "cooling_time_s": 0.5}, before=0, watch=watch)

    assert causes(found) == ["cooling_time/timer_changed"]
    assert "provisional" not in found[0][1].evidence


def test_signals_that_never_vary_have_floors() -> None:
    press, watch = Press(4, ("hold_time_s", "cooling_time_s")), Watch("IMM-01")
    watched(press, watch, 200)
    hold = of(watch).channels["hold_time_s"]

    assert hold.sigma < 0.005
    assert hold.limit >= 0.06


def test_the_first_shots_after_a_stop_are_not_learned() -> None:
    press, watch = Press(5, FEW), Watch("IMM-01")
    watched(press, watch, 200)
    before = of(watch).channels["mold_temp_c"].reference
    for _ in range(10):
        press.stand(3600)
        watched(press, watch, 30)

    mold = of(watch).channels["mold_temp_c"]
    assert mold.reference == before
    assert abs(mold.centre - 55) < 1.0


def test_shots_that_are_told_are_not_learned() -> None:
    press, watch = Press(6, FEW), Watch("IMM-01")
    after(press, {"mold_temp_c": 5.0}, 300, watch=watch)
    mold = of(watch).channels["mold_temp_c"]

    assert abs(mold.centre - 55) < 0.8
    assert len(watch.opened) == 1


def test_a_person_says_what_is_golden_and_that_closes_what_was_open() -> None:
    press, watch = Press(7, FEW), Watch("IMM-01")
    (_, opened), *_ = after(press, {"cycle_time_s": 0.5, "cooling_time_s": 0.5}, watch=watch)

    closed = watch.approve("Meyer", START)
    changed = after(press, {"cycle_time_s": 0.5, "cooling_time_s": 0.5}, before=0, watch=watch)

    assert [a.id for a in closed] == [opened.id]
    assert changed == []
    assert of(watch).state == "golden"
    assert of(watch).approved_by == "Meyer"
    assert abs(of(watch).golden["cooling_time_s"] - 12.5) < 0.02


def test_golden_levels_may_be_those_of_chosen_cycles() -> None:
    press, watch = Press(8, FEW), Watch("IMM-01")
    watched(press, watch, 200)

    watch.approve("Meyer", START, {"cooling_time_s": 11.0})
    found = after(press, {}, before=0, watch=watch)

    assert causes(found) == ["cooling_time/timer_changed"]
    assert found[0][1].expected == 11.0


def test_a_resin_that_is_not_always_said_is_the_same() -> None:
    press, watch = Press(10, FEW), Watch("IMM-01")
    watched(press, watch, 100)
    for n in range(100):
        press.resin = None if n % 3 else "ABS"
        assert watch.take(press.shot()) == []

    assert of(watch).key == ("M-1", "A", "ABS")
    assert of(watch).good == 200


def test_a_new_revision_learns_anew_unless_a_person_carries_the_old_one() -> None:
    press, watch = Press(9, FEW), Watch("IMM-01")
    watched(press, watch, 200)
    press.revision = "B"
    press.stand(86400)
    watched(press, watch, 5)
    assert not of(watch).channels["cooling_time_s"].ready

    assert watch.carry("M-1", "A", "B")
    watched(press, watch, 8)
    assert of(watch).channels["cooling_time_s"].armed
    assert not watch.carry("M-9", "A", "B")


def test_what_is_approved_while_another_mold_comes_on_is_golden_when_it_is_back() -> None:
    press, watch = Press(), Watch("IMM-01")
    watched(press, watch, 120)
    press.mold = "M-2"
    watched(press, watch, 5)

    watch.approve("Kim", START, {"cooling_time_s": 11.8}, of=("M-1", "A"))
    again = Watch("IMM-01")
    again.load(json.loads(json.dumps(watch.save(), allow_nan=False)))
    assert again.baseline is not None
    assert again.baseline.approved_by is None
    press.mold = "M-1"
    watched(press, again, 3)

    assert again.baseline.key[0] == "M-1"
    assert again.baseline.approved_by == "Kim"
    assert again.baseline.golden["cooling_time_s"] == 11.8


def test_of_two_resins_the_one_that_ran_last_is_approved() -> None:
    press, watch = Press(), Watch("IMM-01")
    for resin, mold in (("PP", "M-1"), ("ABS", "M-1"), ("PP", "M-1"), ("PC", "M-2")):
        press.resin, press.mold = resin, mold
        watched(press, watch, 80)

    watch.approve("Kim", START, of=("M-1", "A"))

    said = {tuple(each["key"]): each["approved_by"] for each in watch.save()["baselines"]}
    assert said == {("M-1", "A", "PP"): "Kim", ("M-1", "A", "ABS"): None, ("M-2", "A", "PC"): None}
