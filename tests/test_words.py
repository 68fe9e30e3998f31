"""The vocabulary holds together: names, units, kinds."""

import doctest

import pytest

import drivers.checked
import drivers.units
from drivers.signals import SIGNALS, Kind
from drivers.units import UNITS, converter, unit_named

ENDINGS = {
    "s": "s", "°C": "c", "bar": "bar", "mm": "mm", "cm³": "cm3",
    "kN": "kn", "N·m": "nm", "L/min": "l_min",
}  # fmt: skip


@pytest.mark.parametrize("name", [n for n, s in SIGNALS.items() if s.unit])
def test_a_name_ends_in_its_unit(name: str) -> None:
    assert name.endswith("_" + ENDINGS[SIGNALS[name].unit])


@pytest.mark.parametrize("name", [n for n, s in SIGNALS.items() if s.unit])
def test_the_unit_of_a_signal_is_one_we_convert_to(name: str) -> None:
    unit = unit_named(SIGNALS[name].unit)

    assert unit is not None
    assert converter(unit, SIGNALS[name].unit)(12.5) == 12.5


def test_every_signal_has_a_range_that_is_one() -> None:
    assert all(signal.low < signal.high for signal in SIGNALS.values())
    assert all(s.unit == "" for s in SIGNALS.values() if s.kind in (Kind.COUNTER, Kind.STATE))


@pytest.mark.parametrize("word", sorted(UNITS))
def test_a_unit_converts_there_and_back(word: str) -> None:
    unit = UNITS[word]
    base = next(u for u in UNITS.values() if u.dimension == unit.dimension and u.factor == 1)

    there = converter(unit, base.name)(37.0)

    assert converter(base, unit.name)(there) == pytest.approx(37.0)


@pytest.mark.parametrize("module", [drivers.units, drivers.checked])
def test_the_examples_in_docstrings_are_true(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
