"""A machine of bare numbers that is set to other units: no pressure and no water is wrong."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from agent.anomaly import Anomaly
from agent.cycle import Booked
from agent.watch import Facts, Limit, Watch
from drivers import Value
from tests.agent.watch.streams import SIGNALS, START, Press

KNOWN = 300
OTHER: Mapping[str, tuple[str, Callable[[float], float]]] = {
    "psi": ("_bar", lambda bar: 14.5038 * bar),
    "MPa": ("_bar", lambda bar: 0.1 * bar),
    "°F": ("_c", lambda celsius: 1.8 * celsius + 32),
    "°C": ("_c", lambda fahrenheit: (fahrenheit - 32) / 1.8),
    "K": ("_c", lambda celsius: celsius + 273.15),
}


def shot(press: Press, unit: str | None = None, **changed: float) -> Booked:
    """The next shot of a press with two pressures, as its control shows it."""
    booked = press.shot(changed)
    peak = float(booked.cycle.values["injection_pressure_peak_bar"])
    values: dict[str, Value] = {**booked.cycle.values, "hold_pressure_bar": round(0.6 * peak)}
    if unit is not None:
        ending, into = OTHER[unit]
        for name, value in values.items():
            if name.endswith(ending):
                values[name] = round(into(float(value)), 1)
    return replace(booked, cycle=replace(booked.cycle, values=values))


def molded(
    watch: Watch, press: Press, cycles: int, unit: str | None = None, **changed: float
) -> list[Anomaly]:
    return [a for _ in range(cycles) for a in watch.take(shot(press, unit, **changed))]


@pytest.mark.parametrize("unit", OTHER)
def test_other_units_are_told_as_what_they_are_and_nothing_else_is(unit: str) -> None:
    press = Press(4)
    high = Limit(signal="hold_pressure_bar", high=600.0, since=START, author="Meyer")
    watch = Watch("IMM-01", facts=lambda mold, revision: Facts(limits=[high]))
    assert molded(watch, press, KNOWN) == []

    (told,) = molded(watch, press, 60, unit)

    assert (told.kind, told.cause, told.evidence["shown"]) == ("process", "unexplained", unit)
    assert (told.since_counter, told.counter) == (KNOWN + 1, KNOWN + 3)
    (over,) = molded(watch, press, 60)
    assert (over.id, over.until_counter) == (told.id, KNOWN + 61)
    assert list(watch.opened) == []


def test_a_stop_in_other_units_raises_nothing_more() -> None:
    press, watch = Press(5), Watch("IMM-01")
    molded(watch, press, KNOWN)
    (told,) = molded(watch, press, 40, "psi")
    press.stand(1800)

    assert molded(watch, press, 60, "psi") == []
    assert [a.id for a in watch.opened] == [told.id]


def test_one_or_two_shots_in_other_units_are_neither_told_nor_learned() -> None:
    press, watch = Press(6), Watch("IMM-01")
    found = molded(watch, press, KNOWN)
    for _ in range(20):
        found += molded(watch, press, 2, "psi") + molded(watch, press, 5)

    assert found == []


def test_what_is_wrong_in_other_units_is_told_beside_them() -> None:
    press, watch = Press(7), Watch("IMM-01")
    molded(watch, press, KNOWN)
    molded(watch, press, 20, "psi")

    found = molded(watch, press, 20, "psi", cooling_time_s=0.5, cycle_time_s=0.5)

    assert [a.cause for a in found] == ["timer_changed"]


def test_a_hot_mold_and_a_high_pressure_are_no_units() -> None:
    press, watch = Press(8), Watch("IMM-01")
    molded(watch, press, KNOWN)

    hot = dict.fromkeys(("mold_temp_c", "coolant_in_c", "coolant_out_c"), 30.0)
    found = molded(watch, press, 40, None, injection_pressure_peak_bar=400.0, **hot)

    assert {a.cause for a in found} == {"coolant_supply_warm", "pressure_shift"}


def test_water_that_nobody_heats_is_cold_and_no_unit() -> None:
    shows = [name for name in SIGNALS if name != "melt_temp_c"]
    press, watch = Press(10, shows), Watch("IMM-01")
    molded(watch, press, KNOWN)
    for name in ("mold_temp_c", "coolant_in_c", "coolant_out_c"):
        press.levels[name] = (press.levels[name] - 32) / 1.8

    assert "shown" not in {name for a in molded(watch, press, 40) for name in a.evidence}


def test_it_survives_a_restart() -> None:
    presses = [Press(9), Press(9)]
    found: list[list[Anomaly]] = [[], []]
    straight, kept = Watch("IMM-01"), Watch("IMM-01")
    for n in range(KNOWN + 40):
        unit = "°F" if KNOWN <= n < KNOWN + 20 else None
        if n >= KNOWN - 5:
            again = Watch("IMM-01")
            again.load(json.loads(json.dumps(kept.save(), allow_nan=False)))
            kept = again
        found[0] += straight.take(shot(presses[0], unit))
        found[1] += kept.take(shot(presses[1], unit))

    assert [a.is_open for a in found[0]] == [True, False]
    assert found[0] == found[1]
