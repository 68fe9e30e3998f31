"""Water faults move no time: they are told by mold, coolant and flow, and never without."""

import math
from collections.abc import Callable

import pytest

from agent.watch import Supply, Watch
from tests.agent.watch.streams import PHASES, SIGNALS, Press, after, causes, ramp, watched

SEEDS = range(4)
NO_FLOW = [name for name in SIGNALS if name != "coolant_flow_l_min"]
MOLD_ONLY = [name for name in SIGNALS if not name.startswith("coolant")]


def less_flow(n: int) -> dict[str, float]:
    return {
        "coolant_flow_l_min": -4.0, "mold_temp_c": 5 * (1 - 0.6**n), "coolant_out_c": 1.5,
    }  # fmt: skip


def warm_supply(n: int) -> dict[str, float]:
    return {
        "coolant_in_c": ramp(n, 5, 10), "coolant_out_c": ramp(n, 5, 10),
        "mold_temp_c": ramp(n - 1, 5, 10),
    }  # fmt: skip


def hunting(n: int) -> dict[str, float]:
    swing = math.sin(math.tau * n / 12)
    return {"coolant_in_c": 4 * swing, "coolant_out_c": 4 * swing, "mold_temp_c": 2.5 * swing}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shows", [tuple(SIGNALS), tuple(MOLD_ONLY)])
@pytest.mark.parametrize("over", [1, 30])
def test_a_mold_that_turns_warm_is_told_within_20_cycles(
    seed: int, shows: tuple[str, ...], over: int
) -> None:
    found = after(Press(seed, shows), lambda n: {"mold_temp_c": ramp(n, 5, over)})

    assert causes(found) == ["cooling_heat/mold_temperature"]
    assert found[0][0] <= 20


@pytest.mark.parametrize("seed", SEEDS)
def test_lost_flow_is_told_by_how_far_the_water_warms_where_nothing_else_shows_it(
    seed: int,
) -> None:
    shows = [name for name in NO_FLOW if name != "mold_temp_c"]

    found = after(Press(seed, shows), {"coolant_out_c": 1.7})

    assert causes(found) == ["cooling_heat/coolant_flow_low"]
    cycle, anomaly = found[0]
    assert cycle <= 25
    assert anomaly.signal == "coolant_rise_k"
    assert "instead of 1." in anomaly.message


@pytest.mark.parametrize("seed", SEEDS)
def test_water_that_warms_by_less_is_no_fault_that_has_a_name(seed: int) -> None:
    shows = [name for name in NO_FLOW if name != "mold_temp_c"]

    assert after(Press(seed, shows), {"coolant_out_c": -1.0}) == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("shows", "cause"),
    [
        (tuple(SIGNALS), "coolant_flow_low"),
        (tuple(NO_FLOW), "coolant_flow_low"),
        (tuple(MOLD_ONLY), "mold_temperature"),
    ],
)
def test_lost_flow_is_told_within_10_cycles_by_what_shows_it(
    seed: int, shows: tuple[str, ...], cause: str
) -> None:
    found = after(Press(seed, shows), less_flow)

    assert causes(found) == [f"cooling_heat/{cause}"]
    assert found[0][0] <= 10


@pytest.mark.parametrize("fault", [less_flow, warm_supply, hunting])
def test_without_mold_coolant_or_flow_nothing_of_water_is_said(
    fault: Callable[[int], dict[str, float]],
) -> None:
    watch = Watch("IMM-01")

    assert after(Press(1, PHASES), fault, watch=watch) == []
    assert watch.baseline is not None
    assert watch.baseline.blind_to_coolant


def test_a_mold_with_a_sensor_is_not_blind_to_coolant() -> None:
    press, watch = Press(1, MOLD_ONLY), Watch("IMM-01")
    watched(press, watch, 60)

    assert watch.baseline is not None
    assert not watch.baseline.blind_to_coolant


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("fault", "cause"),
    [(warm_supply, "coolant_supply_warm"), (hunting, "temperature_control_fault")],
)
def test_supply_that_is_warm_is_told_from_supply_that_swings(
    seed: int, fault: Callable[[int], dict[str, float]], cause: str
) -> None:
    assert causes(after(Press(seed), fault)) == [f"cooling_heat/{cause}"]


def test_a_slow_rise_with_flow_and_supply_as_ever_is_fouling() -> None:
    found = after(Press(3), lambda n: {"mold_temp_c": ramp(n, 7, 500)}, 400)

    assert causes(found) == ["cooling_heat/fouling"]


def test_a_slow_rise_without_a_flow_signal_is_only_a_warm_mold() -> None:
    found = after(Press(3, MOLD_ONLY), lambda n: {"mold_temp_c": ramp(n, 7, 500)}, 400)

    assert causes(found) == ["cooling_heat/mold_temperature"]


def test_presses_that_turn_warm_together_have_one_supply() -> None:
    supply = Supply()
    presses = [Press(seed, name=f"IMM-0{seed}") for seed in (1, 2, 3)]
    watches = [Watch(press.name, supply) for press in presses]
    for press, watch in zip(presses, watches, strict=True):
        assert watched(press, watch, 220) == []
    found = [
        anomaly
        for n in range(1, 31)
        for press, watch in zip(presses, watches, strict=True)
        for anomaly in watch.take(press.shot(warm_supply(n)))
    ]

    assert {a.cause for a in found} == {"coolant_supply_warm"}
    first, *others = found
    assert len(others) == 2
    assert first.follows is None
    assert {other.follows for other in others} == {first.id}
    assert "IMM-01" in others[-1].message


def test_three_molds_without_coolant_signals_that_turn_warm_together_have_one_supply() -> None:
    supply = Supply()
    presses = [Press(seed, MOLD_ONLY, name=f"IMM-0{seed}") for seed in (1, 2, 3)]
    watches = [Watch(press.name, supply) for press in presses]
    for press, watch in zip(presses, watches, strict=True):
        watched(press, watch, 220)
    last = [
        anomaly
        for n in range(1, 31)
        for press, watch in zip(presses, watches, strict=True)
        for anomaly in watch.take(press.shot({"mold_temp_c": ramp(n, 5, 10)}))
    ][-1]

    assert last.cause == "coolant_supply_warm"


def test_what_is_as_ever_again_is_closed() -> None:
    press, watch = Press(2), Watch("IMM-01")
    (_, opened), *more = after(press, less_flow, watch=watch)
    closed = watched(press, watch, 60)

    assert not more
    assert [(a.id, a.is_open) for a in closed] == [(opened.id, False)]
