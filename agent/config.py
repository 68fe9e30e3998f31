"""The configuration: one file, checked as a whole, every error a sentence with file and key."""

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from agent.batch import MachineRow, MoldRow
from agent.devices import AnyMachine, places
from agent.forward.settings import AnySink, PlantSettings
from agent.molds.fields import MoldFields, Name, RevisionName
from agent.place import ConfigError, Place, read
from agent.web import WebSettings
from drivers import MapError
from drivers.beside import FOLDER, PKI
from drivers.checked import Checked, complaints, shown
from drivers.modbus import ModbusSettings
from drivers.nodes import NodeMap
from drivers.nodes import load_map as load_nodes
from drivers.opcua import OpcUaSettings
from drivers.registers import RegisterMap, with_cooling, without_identity
from drivers.registers import load_map as load_registers
from drivers.settings import MachineSettings


class PkiSettings(Checked):
    """Where our key, our certificate and what we trust lie; beside the configuration."""

    folder: Annotated[str, Field(min_length=1)] = "pki"


class WatchSettings(Checked):
    """How the watch looks."""

    together: bool = False


class MoldSettings(MoldFields):
    """A mold's data: taken at every start, except for what a person has changed since."""

    id: Name
    revision: RevisionName = "A"


def _some(machines: tuple[AnyMachine, ...]) -> tuple[AnyMachine, ...]:
    if not machines:
        raise ValueError("should have at least one [[machine]]")
    return machines


class Config(Place):
    """Everything in `sprue.toml`."""

    pki: PkiSettings = PkiSettings()
    web: WebSettings = WebSettings()
    watch: WatchSettings = WatchSettings()
    machine: Annotated[tuple[AnyMachine, ...], AfterValidator(_some)]
    mold: tuple[MoldSettings, ...] = ()
    forward: tuple[AnySink, ...] = ()


class Loaded:
    """A configuration that was found right, with the maps that it names.

    Args:
        config: The checked file.
        path: Where it lies; relative names in it start there.
        maps: Register map or node map by machine; none for drivers without.
    """

    def __init__(self, config: Config, path: Path, maps: dict[str, RegisterMap | NodeMap]) -> None:
        self.config = config
        self.path = path
        self.maps = maps

    @property
    def record_url(self) -> str:
        """The record's URL with its file made absolute."""
        return self.config.record_url(self.path)

    @property
    def pki(self) -> Path:
        """Folder of our key, our certificate and what we trust."""
        return self.path.parent.absolute() / self.config.pki.folder

    @property
    def connections(self) -> list[MachineSettings]:
        """Every machine, and every device at one."""
        return [each for _, each in places(self.config.machine)]

    @property
    def machines(self) -> list[str]:
        """The names of the machines."""
        return [machine.name for machine in self.config.machine]

    @property
    def machine_rows(self) -> list[MachineRow]:
        """The machines as the record takes them."""
        return [MachineRow(name=m.name, driver=m.driver) for m in self.config.machine]

    @property
    def shared(self) -> Mapping[str, bool]:
        """The machines, and whether each is shared with other agents."""
        return {machine.name: machine.shared for machine in self.config.machine}

    @property
    def takes_turns(self) -> bool:
        """Whether any machine is shared with other agents."""
        return any(self.shared.values())

    @property
    def plant_record(self) -> PlantSettings | None:
        """The plant record that shared machines are leased by."""
        found = (each for each in self.config.forward if isinstance(each, PlantSettings))
        return next(found, None)

    @property
    def mold_rows(self) -> list[MoldRow]:
        """The molds as the record takes them."""
        return [
            MoldRow(
                name=each.id,
                revision=each.revision,
                fields={k: v for k, v in each.said().items() if k not in ("id", "revision")},
            )
            for each in self.config.mold
        ]


def load(path: Path) -> Loaded:
    """Read and check a configuration, and the maps that its machines name.

    Raises:
        ConfigError: with a sentence per mistake.
    """
    raw = read(path)
    try:
        config = Config.model_validate(raw, context=_places(raw, path))
    except ValidationError as error:
        sentences = [s for s in complaints(error, path, Config) if s]
        raise ConfigError(_plainer(sentences, raw)) from error
    mistakes = [
        f"{path}: {each}" for each in (*_doubles(config), *_lines(config), *_shared(config))
    ]
    maps: dict[str, RegisterMap | NodeMap] = {}
    for where, machine in places(config.machine):
        try:
            if isinstance(machine, ModbusSettings):
                registers = load_registers(machine.map, path.parent)
                if machine.cooling and machine.cooling.register_:
                    with_cooling(registers, machine.cooling.register_)  # a wrong name is said here
                if machine.identity:
                    without_identity(registers, machine.identity.register_)
                maps[machine.name] = registers
            elif isinstance(machine, OpcUaSettings):
                maps[machine.name] = load_nodes(machine.map, path.parent)
        except MapError as error:
            mistakes.append(f"{path}: {where}.map ({machine.name}): {error}")
    if mistakes:
        raise ConfigError(mistakes)
    return Loaded(config, path, maps)


def _places(raw: dict[str, Any], path: Path) -> dict[str, Any]:
    """What the check of a machine's table has to know of the rest of the file."""
    pki = raw.get("pki")
    folder = pki.get("folder") if isinstance(pki, dict) else None
    return {FOLDER: path.parent.absolute(), PKI: folder or PkiSettings().folder}


def _doubles(config: Config) -> Iterator[str]:
    for named in (
        [(where, each.name) for where, each in places(config.machine)],
        [(f"mold[{n}]", each.id) for n, each in enumerate(config.mold, 1)],
        [(f"forward[{n}]", each.name) for n, each in enumerate(config.forward, 1)],
    ):
        for name, times in Counter(name for _, name in named).items():
            if times > 1:
                where = [place for place, each in named if each == name]
                yield (
                    f"{' and '.join(where)}: found the name {name!r} {times} times; "
                    "each needs a name of its own"
                )


def _shared(config: Config) -> Iterator[str]:
    """Shared machines need one plant record, no more and no less."""
    records = sum(isinstance(each, PlantSettings) for each in config.forward)
    if records == 1:
        return
    for where, machine in places(config.machine):
        if machine.shared:
            yield (
                f"{where}.shared ({machine.name}): found {records} [[forward]] of kind "
                "'postgresql'; it should be one, by which agents take turns"
            )


def _lines(config: Config) -> Iterator[str]:
    """Machines on one line that name two framings, or two speeds: one of them is wrong."""
    first: dict[tuple[str, ...], tuple[str, ModbusSettings]] = {}
    for where, machine in places(config.machine):
        if not isinstance(machine, ModbusSettings):
            continue
        at = (machine.serial,) if machine.serial else (str(machine.host), str(machine.port))
        other, others = first.setdefault(at, (where, machine))
        if machine.tls != others.tls:
            yield (
                f"{where}.tls ({machine.name}): {other} on the same line has "
                "another one, or none; it should be the same"
            )
        for key in ("framing", "baud", "parity", "stop_bits"):
            found, theirs = getattr(machine, key), getattr(others, key)
            if found != theirs:
                yield (
                    f"{where}.{key} ({machine.name}): found {found!r}; it should be "
                    f"{theirs!r}, as of {other} on the same line, or theirs this"
                )


UNIONS = {
    "machine": ("driver", ("modbus", "opcua", "euromap77")),
    "forward": ("kind", ("influxdb", "victoriametrics", "postgresql")),
}
"""Tables of several shapes: the key that tells which, and what it may say."""
DEVICES = ("tcd", "modbus", "opcua")
"""Drivers of a device at a machine."""


def _plainer(sentences: list[str], raw: dict[str, Any]) -> list[str]:
    """Say what pydantic says of a union in the words of the file."""
    said: list[str] = []
    for sentence in sentences:
        plain = sentence
        for word, (key, choices) in UNIONS.items():
            plain = re.sub(rf"({word}\[\d+\])\.(?:{'|'.join(choices)})\b", r"\1", plain)
            number = re.search(rf"{word}\[(\d+)\]: found a table", sentence)
            if number:
                table = raw[word][int(number[1]) - 1]
                where = f"{word}[{number[1]}].{key}"
                plain = plain[: number.start()] + _choice(table, where, key, choices)
        said.append(_of_device(plain))
    return said


def _of_device(sentence: str) -> str:
    """What pydantic says of a device's table, in the words of the file."""
    plain = re.sub(rf"(tcd\[\d+\])\.(?:{'|'.join(DEVICES)})\b", r"\1", sentence)
    if told := re.search(r"(tcd\[\d+\]): found a table; .*tag '([^']*)'", plain):
        one_of = ", ".join(DEVICES)
        return f"{plain[: told.end(1)]}.driver: found {told[2]!r}; it should be one of {one_of}"
    return plain


def _choice(table: dict[str, Any], where: str, key: str, choices: tuple[str, ...]) -> str:
    one_of = ", ".join(choices)
    where += f" ({table['name']})" if "name" in table else ""
    if key not in table:
        return f"{where}: missing; it should be one of {one_of}"
    found = table[key]
    near = difflib.get_close_matches(str(found), choices, n=1)
    guess = f"; did you mean {near[0]!r}?" if near else ""
    return f"{where}: found {shown(found)}; it should be one of {one_of}{guess}"
