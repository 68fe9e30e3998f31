"""Bytes become numbers, bits and text in every order that makers have thought of."""

import doctest
import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drivers.blocks
import drivers.breaker
import drivers.decoding
import drivers.modbusframe
import drivers.modbusplace
import drivers.polling
import drivers.registersheet
import drivers.scaling
from drivers import Quality
from drivers.blocks import Group
from drivers.scaling import scaling
from drivers.units import unit_named
from tests.drivers.registermakers import a_register

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
LETTERS = {
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
WHOLE = [name for name in LETTERS if "int" in name]


def on_the_wire(value: float, kind: str, order: str) -> bytes:
    """What a maker sends, worked out from the letters of the order, four bytes at a time."""
    high_first = struct.pack(">" + LETTERS[kind], value)
    if len(high_first) == 2:
        return high_first if order in ("ABCD", "CDAB") else high_first[::-1]
    if len(high_first) == 4:
        return bytes(high_first["ABCD".index(letter)] for letter in order)
    # Of eight bytes, A to H: the words the other way round, their bytes swapped, or both.
    letters = {"ABCD": "ABCDEFGH", "CDAB": "GHEFCDAB", "BADC": "BADCFEHG", "DCBA": "HGFEDCBA"}
    return bytes(high_first["ABCDEFGH".index(letter)] for letter in letters[order])


def shown(data: bytes, **keys: Any) -> tuple[object, Quality]:
    """What one register shows of an answer with its data alone."""
    values, qualities = Group([a_register(**keys)]).decode(data)
    return values[0], qualities[0]


@pytest.mark.parametrize(
    "module",
    [
        drivers.blocks,
        drivers.breaker,
        drivers.decoding,
        drivers.modbusframe,
        drivers.modbusplace,
        drivers.polling,
        drivers.registersheet,
        drivers.scaling,
    ],
)
def test_the_examples_in_docstrings_are_true(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", WHOLE)
@settings(max_examples=20)
@given(data=st.data())
def test_whole_numbers_come_back_in_every_order(kind: str, order: str, data: st.DataObject) -> None:
    bits = 8 * struct.calcsize(LETTERS[kind])
    low, high = (0, 2**bits) if kind.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    number = data.draw(st.integers(low, high - 1))

    value = shown(on_the_wire(number, kind, order), type=kind, order=order)

    assert value == (number, Quality.GOOD)
    assert isinstance(value[0], int)


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=30)
@given(number=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_come_back_in_every_order(order: str, number: float) -> None:
    assert shown(on_the_wire(number, "float32", order), type="float32", order=order) == (
        number,
        Quality.GOOD,
    )


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=30)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_come_back_in_every_order(order: str, number: float) -> None:
    assert shown(on_the_wire(number, "float64", order), type="float64", order=order) == (
        number,
        Quality.GOOD,
    )


@given(word=st.integers(0, 65535), bit=st.integers(0, 15))
def test_a_bit_of_a_word_is_that_bit(word: int, bit: int) -> None:
    high_first = struct.pack(">H", word)

    assert shown(high_first, type="bit", bit=bit)[0] is bool(word & 1 << bit)
    assert shown(high_first[::-1], type="bit", bit=bit, order="BADC")[0] is bool(word & 1 << bit)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_is_no_value(number: float) -> None:
    data = struct.pack(">f", number)

    assert shown(data, signal="oil_temp_c", type="float32") == (None, Quality.BAD)
    assert shown(data, signal="vendor", type="float32") == (None, Quality.BAD)


@pytest.mark.parametrize(
    ("kind", "sentinel", "data"),
    [
        ("int16", 0x8000, b"\x80\x00"),
        ("int16", -32768, b"\x80\x00"),
        ("int16", 0x7FFF, b"\x7f\xff"),
        ("uint16", 0xFFFF, b"\xff\xff"),
        ("int32", 0x80000000, b"\x80\x00\x00\x00"),
        ("float32", -9999, struct.pack(">f", -9999)),
    ],
)
def test_a_sentinel_is_no_value(kind: str, sentinel: float, data: bytes) -> None:
    keys = {"signal": "mold_temp_c", "type": kind, "scale": 0.1, "invalid": [sentinel]}

    assert shown(data, **keys) == (None, Quality.BAD)


def test_a_value_that_no_press_has_is_kept_and_doubted() -> None:
    value = shown(struct.pack(">h", 9000), signal="mold_temp_c", type="int16", scale=0.1)

    assert value == (900.0, Quality.UNCERTAIN)


@pytest.mark.parametrize(
    ("order", "data", "text"),
    [
        ("ABCD", b"M-0231\0\0", "M-0231"),
        ("BADC", b"-M2013\0\0", "M-0231"),
        ("ABCD", b"        ", ""),
        ("ABCD", "Größe".encode("latin-1").ljust(8, b"\0"), "Größe"),
        ("ABCD", "Größe".encode().ljust(8, b"\0"), "Größe"),
    ],
)
def test_text_is_what_stands_before_the_padding(order: str, data: bytes, text: str) -> None:
    value = shown(data, signal="mold", type="text", length=4, order=order)

    assert value == (text, Quality.GOOD)


def test_a_number_of_a_state_is_its_word_and_an_unknown_one_is_no_value() -> None:
    states = {"0": "idle", "4": "cool"}

    assert shown(b"\0\4", signal="phase", states=states) == ("cool", Quality.GOOD)
    assert shown(b"\0\7", signal="phase", states=states) == (None, Quality.BAD)


def test_modes_are_numbered_as_in_opc_40083_unless_the_map_says_otherwise() -> None:
    assert shown(b"\0\1", signal="mode")[0] == "AUTOMATIC"
    assert shown(b"\0\1", signal="mode", states={"1": "MANUAL"})[0] == "MANUAL"


def test_a_bit_may_stand_for_words() -> None:
    keys = {"signal": "closing", "type": "bit", "bit": 3, "states": {"0": "shot", "1": "dry"}}

    assert shown(b"\0\x08", **keys) == ("dry", Quality.GOOD)
    assert shown(b"\0\0", **keys) == ("shot", Quality.GOOD)


def test_a_mold_may_be_a_number_and_then_is_a_name() -> None:
    assert shown(b"\x09\x07", signal="mold") == ("2311", Quality.GOOD)


@given(
    counts=st.integers(-32768, 32767),
    decimals=st.integers(0, 3),
)
def test_scaling_adds_no_digits(counts: int, decimals: int) -> None:
    value = scaling(float(f"1e-{decimals}"))(counts)

    assert value == float(f"{counts}e-{decimals}")


@pytest.mark.parametrize(
    ("counts", "scale", "offset", "unit", "ours", "expected"),
    [
        (145038, 0.1, 0, "psi", "bar", 1000.0),
        (1220, 0.1, 0, "degF", "°C", 50.0),
        (3231, 0.1, 0, "K", "°C", 49.95),
        (12300, 1, 0, "ms", "s", 12.3),
        (85, 1, 0, "MPa", "bar", 850.0),
        (215, 0.1, -10, "degC", "°C", 11.5),
    ],
)
def test_units_are_converted(
    counts: int, scale: float, offset: float, unit: str, ours: str, expected: float
) -> None:
    assert scaling(scale, offset, unit_named(unit), ours)(counts) == pytest.approx(
        expected, rel=1e-5
    )


def test_what_counts_stays_whole_and_what_measures_does_not() -> None:
    assert isinstance(shown(b"\0\4", signal="parts_good")[0], int)
    assert isinstance(shown(b"\0\4", signal="clamp_force_kn", unit="kN")[0], float)
