"""`sprue discover` on a Modbus line: units, what can be read, and where a number stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationError

from agent.printed import Found, plain, table_of, toml
from agent.progress import progress_bar
from drivers.expectation import Expected, Place, find, sureness
from drivers.modbus import OF_SERIAL, ModbusSettings
from drivers.modbusplace import Port, Serial
from drivers.modbusprobe import USUAL, FoundUnit, look, open_probe
from drivers.register import AREAS
from drivers.signals import Kind, kind_of

UNITS = (*range(1, 11), 255)
"""Unit ids that are tried where none is given; 255 is no unit of a serial line."""
TIMEOUT_S = 1.0
WAIT_S = 1.5
"""Between the two readings: longer than a PLC takes to show something new, shorter than a cycle."""
ALTERNATIVES = 5
"""Other places for a number that are listed."""
REGISTERS = 60
"""Registers that a map of what stands there lists; more help nobody."""
LIKE = (
    "should be like modbus://192.168.1.20:502, modbus+rtu://192.168.1.20:4001 or "
    "modbus+serial:/dev/ttyUSB0?baud=19200&parity=E&stop_bits=1"
)
SCHEMES = ("modbus", "modbus+rtu", "modbus+serial")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a person wants to know of a Modbus device."""

    place: Port | Serial
    units: tuple[int, ...] = UNITS
    registers: tuple[int, int] | None = None
    """First and last address; None for the places where makers usually begin."""
    expect: tuple[Expected, ...] = ()


def is_modbus(url: str) -> bool:
    """Whether an address is meant to be one of a Modbus line."""
    return url.partition(":")[0] in SCHEMES


def place_at(url: str) -> Port | Serial:
    """The line at an address.

    Raises:
        ValueError: it is none.

    >>> place_at("modbus+rtu://192.0.2.1:4001")
    Port(host='192.0.2.1', port=4001, framing='rtu', is_secured=False)
    >>> place_at("modbus+serial:/dev/ttyUSB0?baud=9600")
    Serial(device='/dev/ttyUSB0', baud=9600, parity='E', stop_bits=1)
    """
    parts = urlsplit(url)
    keys = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    found: dict[str, Any] = {"name": "it", "driver": "modbus", "map": "none"}
    if parts.scheme == "modbus+serial" and not parts.netloc and keys.keys() <= {*OF_SERIAL}:
        found |= {"serial": parts.path} | {
            key: word if key == "parity" else int(word) for key, word in keys.items()
        }
    elif parts.scheme in SCHEMES[:2] and not parts.path.strip("/") and not keys:
        framing = "rtu" if parts.scheme == "modbus+rtu" else "tcp"
        found |= {"host": parts.hostname, "framing": framing}
        if parts.port:
            found["port"] = parts.port
    else:
        raise ValueError(f"{url!r} {LIKE}")
    try:
        return ModbusSettings.model_validate(found).place
    except ValidationError as error:
        raise ValueError(f"{url!r} {LIKE}") from error


async def probe(ask: Ask) -> Found:
    """Look, and print what was found as a configuration.

    Raises:
        MachineError: nobody answers.
    """
    ranges = USUAL
    if ask.registers is not None:
        first, end = ask.registers[0], ask.registers[1] + 1
        ranges = tuple(range(start, end) for start in range(first, end, 100))
    steps = 0
    with progress_bar("Asking", None) as progress:

        def step() -> None:
            nonlocal steps
            steps += 1
            progress(steps)

        name = str(ask.place)
        of_line = range(1, 248) if ask.place.framing == "rtu" else range(256)
        asked = tuple(unit for unit in ask.units if unit in of_line)
        async with open_probe(name, ask.place, TIMEOUT_S) as one:
            units = await look(one, asked, ranges, WAIT_S, step)
    numbers = ", ".join(str(each.unit) for each in units)
    found = Found(f"# {name}: answers as unit {numbers}.\n")
    if len(units) == len(asked) > 1:
        found.config += "# All that were asked do: it may be one device that looks at no unit id.\n"
    for each in units:
        _print(found, ask, each)
    return found


def _print(found: Found, ask: Ask, unit: FoundUnit) -> None:
    found.config += f"\n# Unit {unit.unit}"
    found.config += f": {'; '.join(map(plain, unit.says))}.\n" if unit.says else ".\n"
    for stretch in unit.stretches:
        last = stretch.first + len(stretch.before) - 1
        moving = [at for at in range(stretch.first, last + 1) if stretch.moves(at)]
        more = f"; moving: {', '.join(map(str, moving[:20]))}" if moving else ""
        found.config += (
            f"# {AREAS[stretch.function]} {stretch.first} to {last} can be read{more}.\n"
        )
    if not unit.stretches:
        found.config += "# It refuses every register that was asked for; see --registers.\n"
        return
    where = _keys_of(ask.place)
    name = f"{_name_of(ask.place)}-{unit.unit}"
    entries = _expected(ask.expect, unit) if ask.expect else _shown(unit)
    if not any("[[register]]" in entry for entry in entries):
        found.config += "".join(entries)
        return
    file = f"{name}.toml"
    machine = {"name": name, "driver": "modbus", **where, "unit": unit.unit, "map": file}
    found.config += table_of("machine", machine)
    found.files[file] = f"name = {toml(name)}\n\n" + "\n".join(entries)


def _keys_of(place: Port | Serial) -> dict[str, Any]:
    """What the configuration says of a line."""
    if isinstance(place, Serial):
        return {
            "serial": place.device,
            "baud": place.baud,
            "parity": place.parity,
            "stop_bits": place.stop_bits,
        }
    keys: dict[str, Any] = {"host": place.host, "port": place.port}
    return keys | {"framing": "rtu"} if place.framing == "rtu" else keys


def _name_of(place: Port | Serial) -> str:
    if isinstance(place, Serial):
        return place.device.rpartition("/")[2]
    return f"{place.host.replace(':', '-')}-{place.port}"


def _expected(wanted: Sequence[Expected], unit: FoundUnit) -> list[str]:
    """Where each number stands, as entries of a map; comments where it stands nowhere."""
    places = {each.signal: find(each, unit.stretches) for each in wanted}
    counted = bool(places.get("counter"))
    entries = []
    for each in wanted:
        found = places[each.signal]
        if not found:
            entries.append(f"# {plain(each.signal)}: {each.number:g} stands nowhere.\n")
            continue
        lines = [f"# {sureness(each, found)}{'; it moves' if found[0].moves else ''}."]
        lines += [f"# or: {_words(place)}" for place in found[1 : 1 + ALTERNATIVES]]
        if len(found) > 1 + ALTERNATIVES:
            lines.append("# and others; look again when the screen shows another number.")
        entries.append("\n".join(lines) + "\n" + _entry(each.signal, found[0], counted=counted))
    return entries


def _entry(signal: str, place: Place, *, counted: bool) -> str:
    entries: dict[str, Any] = {"signal": signal, "function": place.function}
    entries |= {"address": place.address, "type": place.type, "order": place.order}
    if place.scale != 1.0:
        entries["scale"] = place.scale
    if not counted and kind_of(signal) is not Kind.COUNTER:
        entries["latched"] = False  # without a counter nobody knows whose cycle it is
    return table_of("register", entries)


def _words(place: Place) -> str:
    moves = ", moving" if place.moves else ""
    return (
        f"{AREAS[place.function]} {place.address}, {place.type} {place.order}, "
        f"scale {place.scale:g}{moves}"
    )


def _shown(unit: FoundUnit) -> list[str]:
    """A map of what stands there as bare numbers, for a person to look through."""
    entries: list[str] = []
    places = [
        (stretch, at)
        for stretch in unit.stretches
        if stretch.function == unit.stretches[0].function
        for at in range(len(stretch.before))
    ]
    for stretch, offset in places:
        before, after = stretch.before[offset], stretch.after[offset]
        if not (before or after) and entries:
            continue
        address = stretch.first + offset
        signal = f"{AREAS[stretch.function]}_{address}".replace(" ", "_")
        now = f"{before}, then {after}" if before != after else str(before)
        entry = {"signal": signal, "function": stretch.function, "address": address}
        entry |= {"type": "uint16", "latched": False}
        entries.append(f"# It showed {now}.\n" + table_of("register", entry))
    if (more := len(entries) - REGISTERS) > 0:
        entries[REGISTERS:] = [f"# {more} more registers show something; see --registers.\n"]
    return entries
