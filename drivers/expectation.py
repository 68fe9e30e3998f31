"""Where in some registers a number stands that a person sees on the machine's own screen."""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from drivers.decoding import FORMATS, NumberType, Order, places, words_of
from drivers.modbusprobe import Stretch
from drivers.signals import Kind, kind_of

TYPES: Sequence[NumberType] = ("uint16", "int16", "float32", "uint32", "int32", "float64", "uint64")
"""In the order in which they are believed, where one number is read by several."""
ORDERS: Sequence[Order] = ("ABCD", "CDAB", "BADC", "DCBA")
SCALES = (1.0, 0.1, 0.01, 0.001, 10.0)
FLOAT_SCALES = (1.0, 0.001)
"""A number with a fraction is scaled only where it is in another unit, such as milliseconds."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A signal, and what the screen shows of it."""

    signal: str
    number: float
    step: float
    """Of the last digit that the screen shows."""
    digits: int
    """How many it shows that tell something: 12.3 has three, 100 has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place that would give the number."""

    function: int
    address: int
    type: NumberType
    order: Order
    scale: float
    moves: bool
    """Whether it changed between two readings."""


def expected(text: str) -> Expected:
    """Read what a person typed: `cooling_time_s=12.3`.

    Raises:
        ValueError: it is not that; the message says what would be right.

    >>> expected("cooling_time_s=12.30")
    Expected(signal='cooling_time_s', number=12.3, step=0.01, digits=4)
    """
    signal, equals, shown = text.partition("=")
    try:
        number = Decimal(shown)
    except InvalidOperation:
        number = Decimal("NaN")
    if not equals or not signal or not number.is_finite():
        raise ValueError(f"{text!r} should be like cooling_time_s=12.3, as the screen shows it")
    exponent = min(int(number.as_tuple().exponent), 0)
    told = shown.strip("+-").replace(".", "").lstrip("0")
    digits = len(told if "." in shown else told.rstrip("0"))
    return Expected(signal, float(number), float(Decimal(1).scaleb(exponent)), digits)


def find(wanted: Expected, stretches: Sequence[Stretch]) -> list[Place]:
    """The places that would give a number, the most believable first; one for each set of bytes.

    Args:
        wanted: What is looked for.
        stretches: What was read; a place counts if either reading gives the number.
    """
    found: dict[tuple[int, int], Place] = {}
    for place, last in _all(wanted, stretches):
        key = (place.function, last)
        found.setdefault(key, place)
    return sorted(found.values(), key=_doubt)


def sureness(wanted: Expected, found: Sequence[Place]) -> str:
    """How sure the first of some places is, in words."""
    if len(found) > 1:
        return f"one of {len(found)} places that would give it"
    if wanted.digits >= 3:
        return "likely: the only place that gives it"
    return "a guess: a number so short stands in many places by chance"


def _doubt(place: Place) -> tuple[bool, int, int, int]:
    return place.moves, TYPES.index(place.type), ORDERS.index(place.order), place.address


def _all(wanted: Expected, stretches: Sequence[Stretch]) -> Iterator[tuple[Place, int]]:
    """Every place, with the address of its last byte's register; plain readings first."""
    counts = kind_of(wanted.signal) is Kind.COUNTER
    seen: set[tuple[int, tuple[int, ...]]] = set()
    for stretch in stretches:
        if (stretch.first, stretch.before) in seen:
            continue  # input registers that show the holding ones again
        seen.add((stretch.first, stretch.before))
        readings = [_data(stretch.before), _data(stretch.after)]
        for kind in TYPES:
            if counts and kind.startswith("float"):
                continue
            words = words_of(kind)
            for order in ORDERS if words > 1 else ("ABCD", "BADC"):
                where = places(order, words)
                for at in range(len(stretch.before) - words + 1):
                    raws = [_raw(data, 2 * at, kind, where) for data in readings]
                    if (scale := _scale(wanted, raws, kind, counts=counts)) is None:
                        continue
                    address = stretch.first + at
                    moves = any(stretch.moves(address + word) for word in range(words))
                    place = Place(
                        function=stretch.function,
                        address=address,
                        type=kind,
                        order=order,
                        scale=scale,
                        moves=moves,
                    )
                    # A small number of 32 bits is also one of 16, in its low word.
                    yield place, address + where[-1] // 2


def _data(words: Sequence[int]) -> bytes:
    return struct.pack(f">{len(words)}H", *words)


def _raw(data: bytes, at: int, kind: NumberType, where: Sequence[int]) -> float:
    raw: float
    (raw,) = struct.unpack(">" + FORMATS[kind], bytes(data[at + place] for place in where))
    return raw


def _scale(
    wanted: Expected, raws: Sequence[float], kind: NumberType, *, counts: bool
) -> float | None:
    """The scale with which a reading shows the wanted number; None where there is none."""
    is_float = kind.startswith("float")
    for scale in (1.0,) if counts else FLOAT_SCALES if is_float else SCALES:
        for raw in raws:
            near = math.isfinite(raw) and abs(raw * scale - wanted.number) <= 0.5001 * wanted.step
            if near and not (raw == 0 and wanted.number != 0):
                return scale
    return None
