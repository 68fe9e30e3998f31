"""One entry of a register map: its keys, what goes together, the register it stands for."""

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from drivers.checked import Checked
from drivers.curvesentry import CurvesEntry
from drivers.decoding import FORMATS, Order, words_of
from drivers.register import AREAS, BITS, LARGEST, Function, Register, RegisterType
from drivers.scaling import scaling
from drivers.signals import (
    ENUMERATIONS,
    NUMBER_STATES,
    STATE_WORDS,
    Kind,
    Signal,
    kind_of,
    signal_named,
)
from drivers.units import converter, unit_named

ADDRESSES = 65536
MOST_REGISTERS = 125
"""What one request may read, by the standard."""

IEC_TYPES: Mapping[str, RegisterType] = {
    "int": "int16",
    "uint": "uint16",
    "word": "uint16",
    "dint": "int32",
    "udint": "uint32",
    "dword": "uint32",
    "lint": "int64",
    "ulint": "uint64",
    "lword": "uint64",
    "real": "float32",
    "float": "float32",
    "lreal": "float64",
    "double": "float64",
    "bool": "bit",
    "string": "text",
}
"""What PLC programmers call the types."""

_END: Mapping[RegisterType, tuple[int, ...]] = {
    "int16": (-(1 << 15),),
    "uint16": ((1 << 16) - 1,),
    "int32": (-(1 << 31),),
    "uint32": ((1 << 32) - 1,),
}
"""The number at the end of each type: what a device shows that has no sensor, or one off scale."""

Base = Literal[0, 1]


def _folded(found: object) -> object:
    """A type's name as people write it: any case, or by its IEC 61131-3 name."""
    return IEC_TYPES.get(found.lower(), found.lower()) if isinstance(found, str) else found


def _upper(found: object) -> object:
    return found.upper() if isinstance(found, str) else found


AnyOrder = Annotated[Order, BeforeValidator(_upper)]


class RegisterEntry(Checked):
    """One `[[register]]` of a map, or one row of a spreadsheet."""

    signal: Annotated[str, Field(min_length=1)]
    function: Function | None = None
    address: Annotated[int, Field(ge=0)]
    base: Base | None = None
    type_: Annotated[RegisterType | None, Field(alias="type"), BeforeValidator(_folded)] = None
    order: AnyOrder | None = None
    bit: Annotated[int | None, Field(ge=0, le=15)] = None
    length: Annotated[int | None, Field(ge=1, le=MOST_REGISTERS)] = None
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    invalid: tuple[float, ...] = ()
    states: Annotated[dict[str, str], Field(default_factory=dict)]
    latched: bool | None = None
    width: Literal[8, 16, 24, 32, 64] | None = None
    modulus: Annotated[int | None, Field(gt=1)] = None
    note: str | None = None

    @field_validator("invalid", mode="before")
    @classmethod
    def _one_or_more(cls, found: object) -> object:
        return found if isinstance(found, list | tuple) else (found,)

    @field_validator("scale")
    @classmethod
    def _not_zero(cls, scale: float) -> float:
        if scale == 0:
            raise ValueError("should not be 0: every reading would be the same")
        return scale

    @field_validator("unit")
    @classmethod
    def _convertible(cls, text: str | None, info: ValidationInfo) -> str | None:
        signal = signal_named(info.data.get("signal", ""))
        if text is None or signal is None:
            return text  # a vendor's own value keeps the vendor's unit
        unit = unit_named(text)
        if unit is None:
            raise ValueError("should be a unit that we know, like 's', 'bar', 'degC', 'mm'")
        converter(unit, _our_unit(signal))
        return text


class MapFile(Checked):
    """A register map as it stands in a file."""

    name: str = ""
    function: Function = 3
    base: Base = 0
    order: AnyOrder = "ABCD"
    max_block: Annotated[int, Field(ge=1, le=MOST_REGISTERS)] = MOST_REGISTERS
    gap: Annotated[int, Field(ge=0, le=MOST_REGISTERS)] = 8
    pause_s: Annotated[float, Field(ge=0, le=10)] = 0.0
    settle_s: Annotated[float, Field(ge=0, le=10)] = 0.0
    identity: str | None = None
    register_: Annotated[list[RegisterEntry], Field(alias="register", min_length=1)]
    curves: CurvesEntry | None = None
    curve: Annotated[list[RegisterEntry], Field(default_factory=list)]

    @model_validator(mode="after")
    def _announced(self) -> "MapFile":
        if bool(self.curve) != (self.curves is not None):
            raise ValueError("[curves] and [[curve]] should both be there, or neither")
        return self


class KeyMistakeError(ValueError):
    """What is wrong with one key of an entry: `key: found ...; should ...`."""


def register_of(entry: RegisterEntry, file: MapFile) -> Register:
    """The register of an entry, ready to be read.

    Args:
        entry: By itself without mistake.
        file: The file that it stands in, with the defaults.

    Raises:
        KeyMistakeError: its keys do not go together, or not with its signal.
    """
    function: Function = entry.function or file.function
    kind = _type(entry, function)
    words = entry.length or 1 if kind == "text" else words_of(kind) if kind in FORMATS else 1
    if words > file.max_block:
        raise KeyMistakeError(
            f"type: takes {words} registers, and 'max_block' allows {file.max_block} in one request"
        )
    known = signal_named(entry.signal)
    states = _states(entry, kind)
    unit = unit_named(entry.unit) if entry.unit else None
    own = scaling(
        entry.scale, entry.offset, unit if known else None, _our_unit(known) if known else ""
    )
    is_number = kind not in ("bit", "text") and not states
    unitless = (known is None and entry.unit is None) or (known is not None and not known.unit)
    state = known is not None and known.kind is Kind.STATE and entry.signal not in NUMBER_STATES
    whole = is_number and "int" in kind and unitless and own.is_identity
    named = is_number and state
    low = max(-LARGEST, known.low) if known else -LARGEST
    high = min(LARGEST, known.high) if known else LARGEST
    invalid = {_sentinel(number, kind) for number in entry.invalid}
    if is_number and not whole and not named and "invalid" not in entry.model_fields_set:
        for end in _END.get(kind, ()):
            invalid.add(end)
            low, high = _without(own(end), own(0), low, high)
    return Register(
        signal=entry.signal,
        function=function,
        address=_address(entry, file, words),
        source=f"{AREAS[function]} {entry.address}{'' if entry.bit is None else f'.{entry.bit}'}",
        type=kind,
        order=entry.order or file.order,
        words=words,
        bit=entry.bit or 0,
        unit=unit.name if unit else entry.unit,
        scaling=own,
        whole=whole,
        named=named,
        low=low,
        high=high,
        invalid=frozenset(invalid),
        states=states,
        latched=kind_of(entry.signal) is Kind.CYCLE if entry.latched is None else entry.latched,
        modulus=_modulus(entry),
    )


def _type(entry: RegisterEntry, function: Function) -> RegisterType:
    """The type, after a look at whether the other keys go with it."""
    kind = entry.type_ or ("bit" if function in BITS else "uint16")
    if function in BITS and kind != "bit":
        raise KeyMistakeError(f"type: found {kind!r}; function {function} reads bits only")
    if function in BITS and entry.bit is not None:
        raise KeyMistakeError(f"bit: function {function} reads single bits; 'bit' is for registers")
    if kind == "bit" and function not in BITS and entry.bit is None:
        raise KeyMistakeError("bit: missing; say which bit of the register, 0 (lowest) to 15")
    if kind != "bit" and entry.bit is not None:
        raise KeyMistakeError(f"bit: found {entry.bit}; it goes with type 'bit', not {kind!r}")
    if (kind == "text") != (entry.length is not None):
        what = (
            "missing; say how many registers the text takes"
            if kind == "text"
            else (f"found {entry.length}; it goes with type 'text', not {kind!r}")
        )
        raise KeyMistakeError(f"length: {what}")
    scaled = entry.scale != 1 or entry.offset or entry.unit
    if kind in ("bit", "text") and (scaled or entry.invalid):
        raise KeyMistakeError(f"type: {kind!r} takes no 'scale', 'offset', 'unit' or 'invalid'")
    if entry.states and (kind.startswith("float") or scaled):
        raise KeyMistakeError("states: go with whole numbers, bits and text, without scale or unit")
    known = kind_of(entry.signal) if signal_named(entry.signal) else Kind.STATE
    is_quantity = known is not Kind.STATE or entry.signal in NUMBER_STATES
    if is_quantity and (kind in ("bit", "text") or entry.states):
        raise KeyMistakeError(
            f"type: {entry.signal} is a number; it can't be read as a {kind}"
            f"{' with states' if entry.states else ''}"
        )
    if known is Kind.COUNTER and kind.startswith("float"):
        raise KeyMistakeError(f"type: found {kind!r}; a counter is a whole number")
    if known is Kind.COUNTER and (entry.scale != 1 or entry.offset):
        raise KeyMistakeError(f"scale: {entry.signal} counts; it takes no 'scale' or 'offset'")
    return kind


def _states(entry: RegisterEntry, kind: RegisterType) -> Mapping[str, str]:
    """The words of a state: the map's, or those that OPC 40083 numbers."""
    words = STATE_WORDS.get(entry.signal)
    if entry.states:
        strange = [word for word in entry.states.values() if words and word not in words]
        if strange and words:
            raise KeyMistakeError(
                f"states: found {', '.join(map(repr, strange))}; the words of {entry.signal} are "
                f"{', '.join(words)}"
            )
        return entry.states if kind == "text" else _numbered(entry.states)
    if words is None:
        return {}
    if kind == "text":
        return {word: word for word in words}
    if entry.signal in ENUMERATIONS and kind != "bit":
        return {str(number): word for number, word in enumerate(words)}
    raise KeyMistakeError(
        f"states: missing; say which number is which of {', '.join(words)}, "
        f'for example {{ 0 = "{words[0]}" }}'
    )


def _numbered(states: Mapping[str, str]) -> Mapping[str, str]:
    """States by their number as it is read: 0x10 is 16."""
    try:
        return {str(int(key, 0)): word for key, word in states.items()}
    except ValueError as error:
        keys = ", ".join(states)
        raise KeyMistakeError(f"states: found {keys}; they should be whole numbers") from error


def _modulus(entry: RegisterEntry) -> int | None:
    """What a counter counts modulo; None where the map does not say."""
    key = "modulus" if entry.width is None else "width"
    found = entry.modulus if entry.width is None else entry.width
    if found is None:
        return None
    if kind_of(entry.signal) is not Kind.COUNTER:
        raise KeyMistakeError(f"{key}: found {found}; it is for counters, not {entry.signal}")
    if entry.width and entry.modulus:
        raise KeyMistakeError("width: goes without 'modulus'; say one of them")
    return entry.modulus or 1 << found


def _address(entry: RegisterEntry, file: MapFile, words: int) -> int:
    base = file.base if entry.base is None else entry.base
    address = entry.address - base
    if address < 0:
        raise KeyMistakeError("address: found 0, and with base 1 the first is 1; is it base 0?")
    if address + words > ADDRESSES:
        raise KeyMistakeError(
            f"address: found {entry.address}; the last is {ADDRESSES - words + base}"
            f"{f' for {words} registers' if words > 1 else ''}"
        )
    return address


def _sentinel(number: float, kind: RegisterType) -> float:
    """A sentinel as the register's type reads it: 0x8000 of an int16 is -32768."""
    if "int" not in kind:
        return number
    bits = 16 * words_of(kind)
    low, high = (
        (0, (1 << bits) - 1) if kind.startswith("u") else (-(1 << bits - 1), (1 << bits) - 1)
    )
    if not (number.is_integer() and low <= number <= high):
        raise KeyMistakeError(f"invalid: found {number:g}, which {kind} can't show")
    whole = int(number)
    return whole - (1 << bits) if not kind.startswith("u") and whole >> (bits - 1) > 0 else whole


def _without(end: float, middle: float, low: float, high: float) -> tuple[float, float]:
    """A plausible range cut so that the scaled end of a type is not in it."""
    inside = math.nextafter(end, middle)
    return (max(low, inside), high) if end < middle else (low, min(high, inside))


def _our_unit(signal: Signal) -> str:
    return NUMBER_STATES.get(signal.name) or signal.unit
