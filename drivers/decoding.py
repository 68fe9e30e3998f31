"""Registers taken apart: bytes of a Modbus answer into numbers, bits and text, in any byte order.

A register is two bytes, high byte first; Modbus says no more. Makers send a value of several
registers in one of four orders, named by where its bytes A (highest) to D stand: `ABCD` as it is,
`CDAB` with the words turned round, `BADC` with the bytes in each word swapped, `DCBA` both.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
NumberType = Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
Raw = int | float | bytes
"""What stands in the registers, before scale, states and sentinels."""

FORMATS: dict[str, str] = {
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
"""The letter of the `struct` module for each type."""

TABLE = 256
"""A byte can point at this many places; an answer has at most 250 bytes of data."""


def words_of(number: str) -> int:
    """How many registers a number takes.

    >>> words_of("int16"), words_of("float32"), words_of("uint64")
    (1, 2, 4)
    """
    return struct.calcsize(">" + FORMATS[number]) // 2


def places(order: Order, words: int) -> tuple[int, ...]:
    """Where the bytes of a value stand in its registers, from the highest to the lowest.

    >>> places("CDAB", 2), places("BADC", 2), places("DCBA", 2)
    ((2, 3, 0, 1), (1, 0, 3, 2), (3, 2, 1, 0))
    >>> places("CDAB", 4), places("CDAB", 1), places("DCBA", 1)
    ((6, 7, 4, 5, 2, 3, 0, 1), (0, 1), (1, 0))
    """
    words_turned, bytes_swapped = order in ("CDAB", "DCBA"), order in ("BADC", "DCBA")
    numbers = reversed(range(words)) if words_turned else range(words)
    low_first = (1, 0) if bytes_swapped else (0, 1)
    return tuple(2 * word + byte for word in numbers for byte in low_first)


def text_places(order: Order, words: int) -> tuple[int, ...]:
    """The same for text, which makers write from left to right, some with swapped bytes.

    >>> text_places("CDAB", 2), text_places("DCBA", 2)
    ((0, 1, 2, 3), (1, 0, 3, 2))
    """
    return places("BADC" if order in ("BADC", "DCBA") else "ABCD", words)


class Layout:
    """Where the values of one answer stand; takes all of them out at once.

    Args:
        fields: For each value its `struct` format and where its bytes stand in the answer's data,
            highest first. Values may share bytes.
    """

    __slots__ = ("_places", "_struct")

    def __init__(self, fields: Sequence[tuple[str, Sequence[int]]]) -> None:
        self._struct = struct.Struct(">" + "".join(form for form, _ in fields))
        self._places = bytes(place for _, at in fields for place in at)

    def raws(self, data: bytes) -> tuple[Any, ...]:
        """The values as they stand in the registers, each a `Raw`.

        >>> layout = Layout([("f", (2, 3, 0, 1)), ("h", (4, 5)), ("2s", (6, 7))])
        >>> layout.raws(bytes.fromhex("000041acff9c4f4b"))
        (21.5, -100, b'OK')
        """
        # `translate` with the data as its table is the quickest way to put bytes in order.
        return self._struct.unpack(self._places.translate(data.ljust(TABLE)))


@lru_cache(maxsize=4096)
def text(raw: bytes) -> str:
    """Words of a text that is padded with NUL, blanks or erased memory (0xFF).

    UTF-8, of which ASCII is a part, else Latin-1, which old controls use for umlauts.

    >>> text(b"M-0231\\0\\0"), text(b"Deckel gr\\xfcn  "), text(b"\\xff\\xff")
    ('M-0231', 'Deckel grün', '')
    """
    kept = raw.split(b"\0", 1)[0].rstrip(b"\xff").strip()
    try:
        return kept.decode("utf-8")
    except UnicodeDecodeError:
        return kept.decode("latin-1")
