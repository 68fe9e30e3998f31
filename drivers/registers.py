"""Register maps: where a machine model keeps its signals, read from a file and checked as a whole.

A map is written once for a model, as TOML or as a spreadsheet (CSV), and named by every machine
of that model. `docs/reference/modbus.md` is the page for people.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from drivers.checked import complaints, read_toml
from drivers.errors import MapError
from drivers.register import BITS, Register
from drivers.registerentry import (
    MOST_REGISTERS,
    KeyMistakeError,
    MapFile,
    RegisterEntry,
    register_of,
)
from drivers.registersheet import read_sheet
from drivers.scaling import scaling
from drivers.signals import SIGNALS, Kind
from drivers.units import unit_named

SHIPPED = Path(__file__).parent / "maps"
ENTRY = re.compile(r"\bregister\[(\d+)\](\.?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveRegisters:
    """Where a device keeps the curves of its last shot."""

    counter: Register
    samples: Register
    interval: Register | None
    interval_ms: float | None
    """Where no register says it."""
    curves: tuple[Register, ...]
    """The first sample of each; the others follow, one register each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterMap:
    """Where one machine model keeps its signals, and how it wants to be read."""

    name: str
    registers: tuple[Register, ...]
    max_block: int = MOST_REGISTERS
    """Registers that one request may read."""
    gap: int = 8
    """Registers that are rather read in vain than by one more request."""
    pause_s: float = 0.0
    """Between an answer and the next request."""
    settle_s: float = 0.0
    """Between the counter's step and the reading of the last cycle's values."""
    curves: CurveRegisters | None = None
    """Where the last shot's curves stand; None where nowhere."""
    identity: Register | None = None
    """What tells a device of that model from all others; read at connecting, and with no poll."""

    def register(self, signal: str) -> Register | None:
        """The register of one signal."""
        return next((each for each in self.registers if each.signal == signal), None)


def load_map(name_or_path: str, relative_to: Path) -> RegisterMap:
    """Read a register map.

    Args:
        name_or_path: A bare name is one of the shipped maps; anything with a suffix or a slash is
            a file.
        relative_to: Folder that a relative path starts from.

    Raises:
        MapError: there is no such map, or it is wrong; the message has one line a mistake.
    """
    path = relative_to / name_or_path
    if "/" not in name_or_path and not Path(name_or_path).suffix:
        path = SHIPPED / f"{name_or_path}.toml"
        if not path.is_file():
            raise MapError(
                f"no map {name_or_path!r} is shipped; shipped register maps: "
                f"{', '.join(shipped())}; a file of your own has a suffix: '{name_or_path}.toml'"
            )
    rows: Sequence[int] = ()
    try:
        if path.suffix.lower() == ".csv":
            content, rows = read_sheet(path)
        else:
            content = read_toml(path)
    except ValueError as error:
        raise MapError(str(error)) from error
    if "node" in content and "register" not in content:
        raise MapError(f"{path}: a node map, for driver 'opcua'; a register map has [[register]]")
    try:
        file = MapFile.model_validate(content)
    except ValidationError as error:
        raise MapError(_told(complaints(error, path, MapFile), rows)) from error
    registers, mistakes = _registers(file)
    curves, wrong = _curves(file)
    mistakes += wrong
    if curves is not None and all(each.signal != "counter" for each in registers):
        mistakes.append("curve: found no 'counter', which says whose curves they are")
    if mistakes:
        raise MapError(_told([f"{path}: {mistake}" for mistake in mistakes], rows))
    found = RegisterMap(
        name=file.name or path.stem,
        registers=tuple(registers),
        max_block=file.max_block,
        gap=file.gap,
        pause_s=file.pause_s,
        settle_s=file.settle_s,
        curves=curves,
    )
    if file.identity is None:
        return found
    try:
        held, found = without_identity(found, file.identity, "identity")
    except MapError as error:
        raise MapError(f"{path}: {error}") from error
    return replace(found, identity=held)


def shipped() -> list[str]:
    """Names of the register maps that come with Sprue."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml") if "register" in read_toml(path))


def with_cooling(registers: RegisterMap, signal: str) -> RegisterMap:
    """The map, with one of its own signals read as the cooling time.

    Args:
        registers: The map of the machine's model.
        signal: What the model's map calls the register that holds it.

    Raises:
        MapError: there is no such signal, or it can't be a time.
    """
    held = registers.register(signal)
    if held is None:
        own = ", ".join(sorted(each.signal for each in registers.registers))
        raise MapError(f"cooling.register: found {signal!r}; map {registers.name!r} has {own}")
    if signal != "cooling_time_s":
        try:
            held = _as_cooling_time(held)
        except ValueError as error:
            raise MapError(
                f"cooling.register: {signal!r} in map {registers.name!r}: {error}"
            ) from error
    if registers.register("counter") is None:
        raise MapError(f"cooling.register: map {registers.name!r} has no counter to read it by")
    others = [each for each in registers.registers if each.signal not in (signal, "cooling_time_s")]
    return replace(registers, registers=(*others, replace(held, latched=True)))


def without_identity(
    registers: RegisterMap, signal: str, key: str = "identity.register"
) -> tuple[Register, RegisterMap]:
    """The register that a machine is known by, and the map without it: it is read at connecting.

    Args:
        registers: The map of the machine's model.
        signal: What the map calls it.
        key: Where somebody says so.

    Raises:
        MapError: there is no such signal, or it is the counter, which is of no machine for long.
    """
    mine = registers.identity
    if mine is not None and mine.signal == signal:
        return mine, registers
    held = registers.register(signal)
    if held is None or signal == "counter":
        own = ", ".join(sorted(each.signal for each in registers.registers))
        raise MapError(f"{key}: found {signal!r}; map {registers.name!r} has {own}")
    others = tuple(each for each in registers.registers if each is not held)
    if not others:
        raise MapError(f"{key}: map {registers.name!r} has nothing but {signal!r}")
    return held, replace(registers, registers=others)


def _as_cooling_time(held: Register) -> Register:
    """A vendor's register under our name, in seconds, within our limits."""
    if held.type in ("bit", "text") or held.states:
        raise ValueError(f"a {'state' if held.states else held.type} can't be a time")
    unit = unit_named(held.unit or "s")
    if unit is None or unit.dimension != "time":
        raise ValueError(
            f"found the unit {held.unit!r}; it should be one of time, like 's' or 'ms'"
        )
    known = SIGNALS["cooling_time_s"]
    own, ours = held.scaling, scaling(theirs=unit, ours="s")
    return replace(
        held,
        signal="cooling_time_s",
        unit=unit.name,
        scaling=own.then(ours),
        whole=False,
        low=known.low,
        high=known.high,
    )


def _told(sentences: Sequence[str], rows: Sequence[int]) -> str:
    """One line a mistake; places in a spreadsheet are its rows."""
    return "\n".join(
        ENTRY.sub(lambda at: _row(at, rows), each) if rows else each for each in sentences
    )


def _row(at: re.Match[str], rows: Sequence[int]) -> str:
    return f"row {rows[int(at[1]) - 1]}{', ' if at[2] else ''}"


def _registers(file: MapFile) -> tuple[list[Register], list[str]]:
    """Every register ready to be read, and what is wrong, a sentence each."""
    registers: list[Register] = []
    numbers: list[int] = []
    mistakes: list[str] = []
    for number, entry in enumerate(file.register_, 1):
        try:
            registers.append(register_of(entry, file))
            numbers.append(number)
        except KeyMistakeError as mistake:
            mistakes.append(f"register[{number}].{mistake}")
    mistakes += _doubles(registers, numbers)
    mistakes += _overlaps(registers, numbers)
    signals = {entry.signal for entry in file.register_}
    latched = [each.signal for each in registers if each.latched]
    if latched and "counter" not in signals:
        shown = ", ".join(latched[:3]) + (", ..." if len(latched) > 3 else "")
        mistakes.append(
            f"register: no 'counter', but values of the last cycle ({shown}); they are read when "
            "the counter has changed, so the map needs the shot counter; "
            "values that are read at any time take 'latched = false'"
        )
    return registers, mistakes


def _curves(file: MapFile) -> tuple[CurveRegisters | None, list[str]]:
    """The curves of a map, and what is wrong with them."""
    said, mistakes, curves = file.curves, list[str](), list[Register]()
    if said is None:
        return None, []
    known = [name for name, signal in SIGNALS.items() if signal.kind is Kind.CURVE]
    for number, entry in enumerate(file.curve, 1):
        try:
            curves.append(register_of(entry, file))
        except KeyMistakeError as mistake:
            mistakes.append(f"curve[{number}].{mistake}")
            continue
        if entry.signal not in known:
            one_of = ", ".join(known)
            mistakes.append(
                f"curve[{number}].signal: found {entry.signal!r}; it should be {one_of}"
            )
        if curves[-1].type not in ("int16", "uint16") or curves[-1].function in BITS:
            mistakes.append(f"curve[{number}].type: a curve has one int16 or uint16 a sample")

    def place(what: str, address: int, type_: str) -> Register:
        keys = {"signal": f"curves.{what}", "address": address, "type": type_}
        return register_of(RegisterEntry.model_validate(keys), file)

    found = CurveRegisters(
        counter=place("counter", said.counter, said.counter_type),
        samples=place("samples", said.samples, "uint16"),
        interval=None if said.interval is None else place("interval", said.interval, "uint16"),
        interval_ms=said.interval_ms,
        curves=tuple(curves),
    )
    return (None if mistakes else found), mistakes


def _doubles(registers: Sequence[Register], numbers: Sequence[int]) -> Iterator[str]:
    first: dict[str, int] = {}
    for register, number in zip(registers, numbers, strict=True):
        before = first.setdefault(register.signal, number)
        if before != number:
            yield (
                f"register[{number}].signal: {register.signal!r} already is register[{before}]; "
                "a signal has one register"
            )


def _overlaps(registers: Sequence[Register], numbers: Sequence[int]) -> Iterator[str]:
    """Values that share a register; different bits of one register are no mistake."""
    taken: dict[tuple[int, int], list[tuple[Register, int]]] = {}
    told: set[tuple[int, int]] = set()
    for register, number in zip(registers, numbers, strict=True):
        for address in range(register.address, register.end):
            there = taken.setdefault((register.function, address), [])
            for other, before in there:
                if _clash(register, other) and (before, number) not in told:
                    told.add((before, number))
                    takes = f", which takes {other.words} registers" if other.words > 1 else ""
                    yield (
                        f"register[{number}].address: {register.source} ({register.signal}) "
                        f"overlaps register[{before}], {other.source} ({other.signal}){takes}"
                    )
            there.append((register, number))


def _clash(one: Register, other: Register) -> bool:
    if one.function in BITS or (one.type == other.type == "bit"):
        return one.bit == other.bit
    return "bit" not in (one.type, other.type)
