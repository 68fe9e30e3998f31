"""One OPC UA node of a map, and how its number or word becomes ours."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from drivers.nodeid import Address
from drivers.observations import Value
from drivers.signals import MODES, PHASES, PRODUCTION_STATUSES, QUALITIES, SIGNALS, Kind, kind_of

ENUMERATIONS: Mapping[str, tuple[str, ...]] = {
    "mode": MODES,
    "production_status": PRODUCTION_STATUSES,
    "quality": QUALITIES,
}
"""States that OPC 40083 numbers; read so where a map gives no words of its own."""

WORDS: Mapping[str, tuple[str, ...]] = {
    **ENUMERATIONS,
    "phase": PHASES,
    "closing": ("shot", "dry"),
}
"""The only words that these states may have."""

NUMBERS = {"expected_cycle_s": "s", "parts_planned": "", "cavities_open": ""}
"""States that are numbers, with their unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedNode:
    """One node of a map, ready to be found and read."""

    signal: str
    address: Address
    unit: str | None = None
    """The unit that the machine uses, as `drivers.units` names it; None where the map has none."""
    scale: float = 1.0
    offset: float = 0.0
    invalid: frozenset[float] = frozenset()
    """Numbers, before scaling, that mean no value."""
    states: Mapping[str, str] = field(default_factory=dict)
    bits: bool = False
    latched: bool = False
    """Shows the last cycle's value; read when the counter has risen."""
    modulus: int | None = None
    resolution: float | None = None
    convert: Callable[[float], float] | None = None
    """From the machine's unit to ours; None where they are the same."""

    def value(self, raw: object) -> Value | None:
        """What the node shows, in our unit or our words; None where it shows no value."""
        raw = getattr(raw, "Text", raw)  # a LocalizedText is its text
        if isinstance(raw, str):
            raw = raw.strip()
        if raw is None or raw == "":
            return None
        if self.states:
            return self._word(raw)
        kind = kind_of(self.signal) if self.signal in SIGNALS else None
        if kind is Kind.STATE and self.signal not in NUMBERS:
            return self._state(raw)
        if kind is None and not isinstance(raw, int | float):
            return ", ".join(map(str, raw)) if isinstance(raw, list) else str(raw)
        number = self._number(raw)
        if number is None or kind is not Kind.COUNTER:
            return number
        return int(number) if number >= 0 and number.is_integer() else None

    def _number(self, raw: object) -> float | None:
        if not isinstance(raw, int | float | str):
            return None
        try:
            number = float(raw)
        except ValueError:
            return None
        if not math.isfinite(number) or number in self.invalid:
            return None
        number = number * self.scale + self.offset
        return self.convert(number) if self.convert else number

    def _state(self, raw: object) -> Value | None:
        words = ENUMERATIONS.get(self.signal)
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            if raw in self.invalid or not float(raw).is_integer():
                return None
            number = int(raw)
            if words:
                return words[number] if 0 <= number < len(words) else None
            return str(number)
        return str(raw)

    def _word(self, raw: object) -> str | None:
        """The word of a number, or of its highest bit that has one; None where it has none."""
        if isinstance(raw, bool | int | float):
            if not float(raw).is_integer():
                return None
            number = int(raw)
            if self.bits and str(number) not in self.states:
                while number > 0:
                    bit = 1 << (number.bit_length() - 1)
                    if str(bit) in self.states:
                        return self.states[str(bit)]
                    number -= bit
                return None
            return self.states.get(str(number))
        return self.states.get(str(raw))
