"""One register of a map, and how what stands in it becomes ours."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from drivers.decoding import NumberType, Order, Raw, text
from drivers.observations import Column, Quality, Value
from drivers.scaling import IDENTITY, Scaling
from drivers.signals import CLEARED

Function = Literal[1, 2, 3, 4]
RegisterType = Literal[NumberType, "bit", "text"]

AREAS: Mapping[int, str] = {1: "coil", 2: "discrete input", 3: "holding", 4: "input"}
"""What the four reading functions read, as manuals call it."""

BITS = (1, 2)
"""Functions that read bits; the other two read registers."""

LARGEST = sys.float_info.max

_BAD: tuple[None, Quality] = (None, Quality.BAD)
_NONE: tuple[str, Quality] = ("", Quality.GOOD)
"""Of a job or lot whose number says that there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One entry of a register map, ready to be read."""

    signal: str
    function: Function
    address: int
    """On the wire, counted from 0."""
    source: str
    """As the map writes it: `holding 102`."""
    type: RegisterType
    order: Order = "ABCD"
    words: int = 1
    """How many registers it takes; 1 where it is a coil or discrete input."""
    bit: int = 0
    """Of a `bit` in a register: 0 is the lowest."""
    unit: str | None = None
    """The unit that the machine uses; None where the map has none."""
    scaling: Scaling = IDENTITY
    whole: bool = False
    """The number stays a whole number: it counts something."""
    named: bool = False
    """The number is a name (of a mold, a job), not a quantity."""
    low: float = -LARGEST
    high: float = LARGEST
    """Plausible range, in our unit."""
    invalid: frozenset[float] = frozenset()
    """Numbers, before scaling, that mean no value."""
    states: Mapping[str, str] = field(default_factory=dict)
    """Words by number, bit (0 or 1) or text; empty where it is no state."""
    latched: bool = False
    """Holds the last cycle's value; read when the counter has changed."""
    modulus: int | None = None
    """What it counts modulo, where the map says so."""

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.words

    @property
    def is_quantity(self) -> bool:
        """Whether it is a number that is scaled and judged, and nothing else.

        Numbers that mean no value are found out by their range, or each has to be looked at.
        """
        if self.states or self.whole or self.named or self.type in ("bit", "text"):
            return False
        return not any(self.low <= self.scaling(raw) <= self.high for raw in self.invalid)

    @property
    def resolution(self) -> float | None:
        """The step of its number in our unit; None where it has none."""
        is_whole = "int" in self.type and not self.states and not self.named
        return self.scaling.step if is_whole else None

    @property
    def column(self) -> Column:
        """How it appears in the table of a frame."""
        return Column(
            signal=self.signal, source=self.source, unit=self.unit, resolution=self.resolution
        )

    def value(self, raw: Raw) -> tuple[Value | None, Quality]:
        """What it shows, in our unit or our words, and how far that may be trusted.

        Args:
            raw: As `decoding.Layout` gives it; of a bit, 0 or 1.
        """
        if isinstance(raw, bytes):
            return self._word(text(raw))
        if raw in self.invalid or not math.isfinite(raw):
            return _NONE if self.named and self.signal in CLEARED else _BAD
        if self.states:
            return self._word(str(raw))
        if self.type == "bit":
            return bool(raw), Quality.GOOD
        if self.named:
            return f"{raw:g}" if isinstance(raw, float) else str(raw), Quality.GOOD
        number = raw if self.whole else self.scaling(raw)
        return number, Quality.GOOD if self.low <= number <= self.high else Quality.UNCERTAIN

    def _word(self, word: str) -> tuple[Value | None, Quality]:
        if not self.states:
            return word, Quality.GOOD
        known = self.states.get(word)
        return _BAD if known is None else (known, Quality.GOOD)
