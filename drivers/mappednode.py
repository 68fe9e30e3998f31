"""One OPC UA node of a map, and how its number or word becomes ours."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers.nodeid import Address
from drivers.observations import Value
from drivers.scaling import IDENTITY, Scaling
from drivers.signals import CLEARED, ENUMERATIONS, NUMBER_STATES, STATE_WORDS, Kind, signal_named


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedNode:
    """One node of a map, ready to be found and read."""

    signal: str
    address: Address
    unit: str | None = None
    """The unit that the machine uses, as `drivers.units` names it; None where the map has none."""
    scaling: Scaling = IDENTITY
    """From the machine's number to ours, unit included."""
    invalid: frozenset[float] = frozenset()
    """Numbers, before scaling, that mean no value."""
    states: Mapping[str, str] = field(default_factory=dict)
    bits: bool = False
    latched: bool = False
    """Shows the last cycle's value; read when the counter has risen."""
    modulus: int | None = None
    counts: Scaling = IDENTITY
    """From the machine's number to its unit, as the map says."""
    unit_from: str = "machine"
    """Whether the server's word on the unit goes before the map's, or `map`: never."""
    resolution: float | None = None
    """The step of the machine's number in our unit; None where unknown."""

    def value(self, raw: object) -> Value | None:
        """What the node shows, in our unit or our words; None where it shows no value.

        A job or lot that the machine has cleared is an empty text.
        """
        raw = getattr(raw, "Text", raw)  # a LocalizedText is its text
        if isinstance(raw, list) and all(isinstance(each, str) for each in raw):
            raw = ", ".join(each.strip() for each in raw if each.strip())
        if isinstance(raw, str):
            raw = raw.strip()
        if raw is None or raw == "":
            return "" if self.signal in CLEARED else None
        if self.states:
            return self._word(raw)
        known = signal_named(self.signal)
        kind = known.kind if known else None
        if kind is Kind.STATE and self.signal not in NUMBER_STATES:
            return self._state(raw)
        if kind is None and isinstance(raw, bool):
            return raw
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
        return number if self.scaling is IDENTITY else self.scaling(number)

    def _state(self, raw: object) -> str | None:
        known = STATE_WORDS.get(self.signal)
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            if raw in self.invalid or not float(raw).is_integer():
                return None
            if (words := ENUMERATIONS.get(self.signal)) is not None:
                return words[int(raw)] if 0 <= raw < len(words) else None
            raw = int(raw)
        return str(raw) if known is None or str(raw) in known else None

    def _word(self, raw: object) -> str | None:
        """The word of a number, or of its highest bit that has one; None where it has none."""
        if not isinstance(raw, bool | int | float):
            return self.states.get(str(raw))
        if not float(raw).is_integer():
            return None
        number = int(raw)
        while self.bits and number > 0 and str(number) not in self.states:
            bit = 1 << (number.bit_length() - 1)
            if str(bit) in self.states:
                return self.states[str(bit)]
            number -= bit
        return self.states.get(str(number)) if number or int(raw) == 0 else None
