"""Registers merged into few requests, and the answers taken apart in one go."""

from collections.abc import Sequence
from itertools import pairwise
from operator import add, ge, le, mul, truediv
from typing import NamedTuple

from drivers.decoding import FORMATS, Layout, places, text_places
from drivers.observations import Quality, Value
from drivers.register import BITS, Function, Register

MOST_BITS = 2000
"""What one request may read of coils or discrete inputs, by the standard."""
BITS_PER_REGISTER = 16
"""A limit or a gap given in registers, for functions that read bits."""


class Block(NamedTuple):
    """What one request reads."""

    function: Function
    first: int
    length: int
    """Registers, or bits."""

    @property
    def size(self) -> int:
        """Bytes of data that the answer must have.

        >>> Block(3, 100, 25).size, Block(2, 0, 9).size
        (50, 2)
        """
        return (self.length + 7) // 8 if self.function in BITS else 2 * self.length


class Group:
    """Registers that are read by one request.

    Args:
        registers: All of one function, in the order of their addresses.
    """

    __slots__ = (
        "_highs",
        "_layout",
        "_lows",
        "_over",
        "_plus",
        "_rest",
        "_times",
        "block",
        "good",
        "registers",
    )

    def __init__(self, registers: Sequence[Register]) -> None:
        first = registers[0].address
        last = max(register.end for register in registers)
        self.block = Block(registers[0].function, first, last - first)
        quantities = [register for register in registers if register.is_quantity]
        rest = [register for register in registers if not register.is_quantity]
        self.registers = (*quantities, *rest)
        """In the order in which `decode` gives their values."""
        self._layout = Layout([_field(register, first) for register in self.registers])
        scalings = [register.scaling for register in quantities]
        self._over = [each.over for each in scalings]
        self._times = _unless_all([each.times for each in scalings], 1)
        self._plus = _unless_all([each.plus for each in scalings], 0)
        self._lows = [register.low for register in quantities]
        self._highs = [register.high for register in quantities]
        self._rest = [
            (at, register, _shift(register, first))
            for at, register in enumerate(rest, len(quantities))
        ]
        self.good = (Quality.GOOD,) * len(self.registers)
        """What `decode` gives, this very object, where all values are good."""

    def decode(self, data: bytes) -> tuple[list[Value | None], Sequence[Quality]]:
        """What the registers show: values and qualities, both aligned with `registers`.

        Args:
            data: Of the answer, as long as the block's size.
        """
        raws = self._layout.raws(data)
        # Quantities come first and are scaled and judged together: nearly always all are good.
        products = map(mul, raws, self._times) if self._times else raws
        sums = map(add, products, self._plus) if self._plus else products
        numbers = list(map(truediv, sums, self._over))
        values: list[Value | None] = [*numbers]
        qualities: Sequence[Quality] = self.good
        if not (all(map(le, self._lows, numbers)) and all(map(ge, self._highs, numbers))):
            qualities = list(qualities)
            for at in range(len(numbers)):
                values[at], qualities[at] = self.registers[at].value(raws[at])
        for at, register, shift in self._rest:
            raw = raws[at]
            value, quality = register.value(raw if shift is None else raw >> shift & 1)
            values.append(value)
            if quality is not Quality.GOOD:
                qualities = list(qualities)
                qualities[at] = quality
        return values, qualities

    def split(self) -> tuple["Group", "Group"]:
        """Two groups for one, cut at the widest gap, else in the middle.

        A gap is the likeliest reason why a device refuses a block of registers that it has.

        Raises:
            ValueError: there is only one register.
        """
        ordered = sorted(self.registers, key=_by_place)
        if len(ordered) < 2:
            raise ValueError("one register can't be split")
        gaps = [after.address - before.end for before, after in pairwise(ordered)]
        widest = max(gaps)
        cut = gaps.index(widest) + 1 if widest > 0 else len(ordered) // 2
        return Group(ordered[:cut]), Group(ordered[cut:])


def merged(registers: Sequence[Register], *, max_block: int, gap: int) -> list[Group]:
    """As few groups as the limits allow, each read by one request.

    Args:
        registers: In any order.
        max_block: Registers that one request may read.
        gap: Registers that are rather read in vain than by one more request.
    """
    groups: list[list[Register]] = []
    first = end = function = -1
    for register in sorted(registers, key=_by_place):
        many = BITS_PER_REGISTER if register.function in BITS else 1
        most = min(max_block * many, MOST_BITS)
        joins = register.function == function and register.address - end <= gap * many
        if joins and max(end, register.end) - first <= most:
            groups[-1].append(register)
            end = max(end, register.end)
        else:
            groups.append([register])
            function, first, end = register.function, register.address, register.end
    return [Group(group) for group in groups]


def _unless_all(numbers: list[int], same: int) -> list[int] | None:
    return None if all(number == same for number in numbers) else numbers


def _by_place(register: Register) -> tuple[int, int, int]:
    return register.function, register.address, register.bit


def _field(register: Register, first: int) -> tuple[str, tuple[int, ...]]:
    """Format of a register's value, and where its bytes stand in its block's data."""
    offset = register.address - first
    if register.function in BITS:
        return "B", (offset // 8,)
    if register.type == "text":
        where = text_places(register.order, register.words)
        form = f"{2 * register.words}s"
    else:
        where = places(register.order, register.words)
        form = FORMATS.get(register.type, "H")
    return form, tuple(2 * offset + place for place in where)


def _shift(register: Register, first: int) -> int | None:
    """How far down the bit stands; None where the value is no bit."""
    if register.function in BITS:
        return (register.address - first) % 8
    return register.bit if register.type == "bit" else None
