"""Node maps: which OPC UA node of a machine model shows which signal, in which unit.

A map is written once for a model, as TOML or as a spreadsheet (CSV), and named by every machine
of that model. `docs/reference/opcua.md` is the page for people.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from drivers.checked import Checked, complaints, read_toml
from drivers.curvearrays import CurveMap
from drivers.errors import MapError
from drivers.mappednode import MappedNode
from drivers.nodeid import CORE, Address, parse_id, parse_path
from drivers.nodesheet import read_sheet
from drivers.scaling import IDENTITY, scaling
from drivers.signals import (
    NUMBER_STATES,
    SIGNALS,
    STATE_WORDS,
    Kind,
    Signal,
    kind_of,
    signal_named,
)
from drivers.units import converter, unit_named

SHIPPED = Path(__file__).parent / "maps"


class NodeEntry(Checked):
    """One `[[node]]` of a map, or one row of a spreadsheet."""

    signal: Annotated[str, Field(min_length=1)]
    id: str | None = None
    path: str | None = None
    namespace: Annotated[str | None, Field(validate_default=True)] = None
    unit: str | None = None
    unit_from: Literal["machine", "map"] = "machine"
    scale: float = 1.0
    offset: float = 0.0
    invalid: tuple[float, ...] = ()
    states: Annotated[dict[str, str], Field(default_factory=dict)]
    bits: bool = False
    latched: bool | None = None
    width: Literal[8, 16, 32, 64] | None = None
    modulus: Annotated[int | None, Field(gt=1)] = None
    note: str = ""
    """For people."""

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

    @field_validator("states")
    @classmethod
    def _known_words(cls, states: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        words = STATE_WORDS.get(info.data.get("signal", ""))
        for word in states.values():
            if words and word not in words:
                raise ValueError(f"should have the words {', '.join(words)}; not {word!r}")
        return states

    @model_validator(mode="after")
    def _fits(self) -> "NodeEntry":
        if (self.id is None) == (self.path is None):
            raise ValueError("should have either 'id' or 'path'")
        counts = kind_of(self.signal) is Kind.COUNTER
        if not counts and (self.width or self.modulus):
            raise ValueError(f"'width' and 'modulus' are for counters; {self.signal} is none")
        if self.width and self.modulus:
            raise ValueError("should have 'width' or 'modulus', not both")
        if self.bits and not all(_is_bit(key) for key in self.states):
            raise ValueError("with 'bits' every number in 'states' should be 0 or a power of two")
        return self


class MapFile(Checked):
    """A node map as it stands in a file."""

    name: str = ""
    namespace: str | None = None
    node: Annotated[list[NodeEntry], Field(min_length=1)]
    curve: list[NodeEntry] = Field(default_factory=list)
    curve_interval: str | None = None
    curve_interval_ms: Annotated[float | None, Field(gt=0)] = None

    @model_validator(mode="after")
    def _timed(self) -> "MapFile":
        given = [self.curve_interval, self.curve_interval_ms]
        if self.curve and given.count(None) != 1:
            raise ValueError(
                "a map with [[curve]] should say 'curve_interval', the node that shows the ms from "
                "sample to sample, or 'curve_interval_ms'"
            )
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMap:
    """Where one machine model shows its signals."""

    name: str
    nodes: tuple[MappedNode, ...]
    namespace: str | None = None
    """URI of ids and paths that name none."""
    curves: CurveMap | None = None
    """Where the last shot's curves stand as arrays; None where nowhere."""


def load_map(name_or_path: str, relative_to: Path) -> NodeMap:
    """Read a node map.

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
                f"no map {name_or_path!r} is shipped; shipped node maps: "
                f"{', '.join(shipped()) or 'none'}; a file of your own has a suffix: "
                f"'{name_or_path}.toml'"
            )
    rows: list[int] | None = None
    try:
        if path.suffix.lower() == ".csv":
            content, rows = read_sheet(path)
        else:
            content = read_toml(path)
    except ValueError as error:
        raise MapError(str(error)) from error
    if "register" in content and "node" not in content:
        raise MapError(f"{path}: a register map, for driver 'modbus'; a node map has [[node]]")
    return _node_map(content, path, rows)


def shipped() -> list[str]:
    """Names of the node maps that come with Sprue."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml") if "node" in read_toml(path))


def _node_map(content: Mapping[str, Any], path: Path, rows: list[int] | None) -> NodeMap:
    try:
        file = MapFile.model_validate(content)
    except ValidationError as error:
        sentences = complaints(error, path, MapFile)
        raise MapError("\n".join(_placed(sentences, rows))) from error
    nodes, mistakes = [], []
    for at, entry in enumerate(file.node):
        try:
            nodes.append(mapped(entry, file.namespace))
        except ValueError as error:
            key = "id" if entry.id is not None else "path"
            mistakes.append(f"{path}: node[{at + 1}].{key}: {error}")
    seen: dict[str, int] = {}
    for at, entry in enumerate(file.node, start=1):
        first = seen.setdefault(entry.signal, at)
        if first != at:
            mistakes.append(
                f"{path}: node[{at}].signal: {entry.signal!r} already is node[{first}]; "
                "a signal has one node"
            )
    if "counter" not in seen and any(node.latched for node in nodes):
        latched = ", ".join(node.signal for node in nodes if node.latched)
        mistakes.append(
            f"{path}: node: found no 'counter', which says when {latched} belong to another cycle; "
            "what may be read at any time has 'latched = false'"
        )
    curves, wrong = _curve_map(file, nodes, path)
    mistakes += wrong
    if mistakes:
        raise MapError("\n".join(_placed(mistakes, rows)))
    name = file.name or path.stem
    return NodeMap(name=name, nodes=tuple(nodes), namespace=file.namespace, curves=curves)


def _curve_map(
    file: MapFile, nodes: Sequence[MappedNode], path: Path
) -> tuple[CurveMap | None, list[str]]:
    """The curves of a map, and what is wrong with them."""
    if not file.curve:
        return None, []
    mistakes, arrays = [], []
    for at, entry in enumerate(file.curve, 1):
        if kind_of(entry.signal) is not Kind.CURVE:
            known = ", ".join(name for name, each in SIGNALS.items() if each.kind is Kind.CURVE)
            mistakes.append(
                f"{path}: curve[{at}].signal: found {entry.signal!r}; it should be one of {known}"
            )
        try:
            arrays.append(mapped(entry, file.namespace))
        except ValueError as error:
            mistakes.append(f"{path}: curve[{at}].id: {error}")
    interval = None
    if file.curve_interval is not None:
        keys = {"signal": "curve_interval_s", "id": file.curve_interval, "scale": 0.001}
        try:
            interval = mapped(NodeEntry.model_validate(keys), file.namespace)
        except ValueError as error:
            mistakes.append(f"{path}: curve_interval: {error}")
    counter = next((node for node in nodes if node.signal == "counter"), None)
    if counter is None:
        mistakes.append(f"{path}: curve: found no 'counter', which says whose curves they are")
    if counter is None or mistakes:
        return None, mistakes
    interval_s = (file.curve_interval_ms or 0.0) / 1000
    found = CurveMap(counter=counter, nodes=tuple(arrays), interval=interval, interval_s=interval_s)
    return found, []


def _placed(sentences: list[str], rows: list[int] | None) -> list[str]:
    """Places in a spreadsheet as a person counts them; those in TOML are that already."""
    if rows is None:
        return sentences

    def place(found: re.Match[str]) -> str:
        return f"row {rows[int(found[1]) - 1]}" + (", " if found[2] else "")

    return [re.sub(r"\bnode\[(\d+)\](\.?)", place, sentence) for sentence in sentences]


def mapped(entry: NodeEntry, namespace: str | None) -> MappedNode:
    """A checked entry, ready for use.

    Raises:
        ValueError: its id or path can't be read.
    """
    namespace = entry.namespace or namespace
    if entry.id is not None:
        default = CORE if namespace is None and entry.id.startswith("i=") else namespace
        address: Address = parse_id(entry.id, default)
    else:
        address = parse_path(entry.path or "", namespace)
    known = signal_named(entry.signal)
    unit = unit_named(entry.unit) if entry.unit else None
    own = scaling(
        entry.scale, entry.offset, unit if known else None, _our_unit(known) if known else ""
    )
    counts = scaling(entry.scale, entry.offset)
    per_cycle = kind_of(entry.signal) is Kind.CYCLE
    return MappedNode(
        signal=entry.signal,
        address=address,
        unit=unit.name if unit else entry.unit,
        scaling=IDENTITY if own.is_identity else own,
        counts=IDENTITY if counts.is_identity else counts,
        unit_from=entry.unit_from,
        invalid=frozenset(entry.invalid),
        states=entry.states,
        bits=entry.bits,
        latched=per_cycle if entry.latched is None else entry.latched,
        modulus=entry.modulus or (1 << entry.width if entry.width else None),
        resolution=own.step if entry.scale != 1.0 else None,
    )


def _our_unit(signal: Signal) -> str:
    return NUMBER_STATES.get(signal.name) or signal.unit


def _is_bit(key: str) -> bool:
    return key.isdigit() and int(key).bit_count() <= 1
