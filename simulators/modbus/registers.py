"""Numbers and texts as the registers of a device, and the blocks that it keeps them in."""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from simulators.faults import Faults

NO_SENSOR = -0x8000
"""What a signed register says where there is no sensor; an unsigned one says 0xFFFF."""
NO_SENSOR_FLOAT = -999.0


@dataclass(frozen=True, slots=True)
class Block:
    """Registers that stand side by side; one request must not reach beyond them."""

    at: int
    words: int
    read: Callable[[int, int], bytes]
    """The bytes of some registers: the first, counted from the block's start, and how many."""

    @classmethod
    def of(cls, at: int, words: int, image: Callable[[], bytes]) -> Self:
        """A block that is always made as a whole."""
        return cls(at, words, lambda first, count: image()[2 * first : 2 * (first + count)])

    def has(self, first: int, count: int) -> bool:
        """Whether all those registers are in it."""
        return self.at <= first and first + count <= self.at + self.words


def integer(value: float | None, step: float, *, signed: bool = True) -> int:
    """The register's number, held at the ends of its range as a PLC does.

    >>> integer(21.46, 0.1), integer(-5000, 0.1), integer(None, 0.1, signed=False)
    (215, -32767, 65535)
    """
    if value is None:
        return NO_SENSOR if signed else 0xFFFF
    low, high = (-0x7FFF, 0x7FFF) if signed else (0, 0xFFFF)
    return min(high, max(low, round(value / step)))


def swapped_float(value: float) -> bytes:
    """Low word first (CDAB).

    >>> swapped_float(21.5).hex()
    '000041ac'
    """
    high_first = struct.pack(">f", value)
    return high_first[2:] + high_first[:2]


def text(words: int, content: str) -> bytes:
    """Two characters a register, the rest filled with zeros."""
    return content.encode("ascii", "replace")[: 2 * words].ljust(2 * words, b"\0")


def sensed(faults: Faults, value: float | None) -> float | None:
    """A measured value on its way into an integer register; None where the sensor is not there."""
    return None if faults.active("sentinel") else value


def sensed_float(faults: Faults, value: float | None) -> float:
    """A measured value on its way into a float register."""
    if value is None or faults.active("sentinel"):
        return NO_SENSOR_FLOAT
    if faults.active("not_a_number"):
        return math.nan
    return math.inf if faults.active("infinity") else value
