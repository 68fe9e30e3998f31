"""Fleets: which presses a simulated plant has, what is on them and how they are reached.

A fleet is a TOML file of its own or one of those shipped in `simulators/fleets/`.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from simulators.modes import Mode
from simulators.mold import Job, Mold
from simulators.press import Setup
from simulators.program import NUMBERS
from simulators.resin import RESINS

SHIPPED = Path(__file__).parent / "fleets"

Protocol = Literal["modbus", "flat", "euromap77"]
MODES: Mapping[str, Mode] = {mode.name.lower(): mode for mode in Mode if mode is not Mode.OTHER}
FIRST_PORTS: Mapping[Protocol, int] = {"modbus": 15020, "flat": 14840, "euromap77": 14940}
"""Where ports start that a fleet file does not name."""


FAST = 10.0
"""From this speed on a cycle takes so little of the wall's time that polls have to be dense."""


class FleetError(ValueError):
    """A fleet that can't be used; the message names file, key, what was found and what is right."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FleetMold(_Strict):
    """One `[[mold]]` table."""

    id: Annotated[str, Field(min_length=1, max_length=16)]
    revision: Annotated[str, Field(min_length=1, max_length=16)] = "A"
    part: str = ""
    alloy: str = "7075-T6"
    cavities: Annotated[int, Field(ge=1, le=256)] = 1
    planned_shots: Annotated[int, Field(ge=1)] = 10_000
    expected_cycle_s: Annotated[float, Field(ge=5, le=600)] = 24.0
    resin: str = "ABS"

    @field_validator("resin")
    @classmethod
    def _known(cls, resin: str) -> str:
        if resin not in RESINS:
            raise ValueError(f"should be one of {', '.join(RESINS)}")
        return resin


class FleetPress(_Strict):
    """One `[[press]]` table."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    protocol: Protocol
    mold: str
    """Id of one of the fleet's molds."""
    job: Annotated[str, Field(min_length=1, max_length=16)] = "J-1"
    lot: str = ""
    customer: str = ""
    parts: Annotated[int, Field(ge=0)] = 0
    """How many the job asks for."""
    mode: Literal["automatic", "semi_automatic", "manual", "setup", "sleep"] = "automatic"
    tonnage: Annotated[int, Field(ge=5, le=10_000)] = 80
    hall: str | None = None
    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    """Modbus unit id."""
    counter: Annotated[int, Field(ge=0)] = 0
    """The machine's shot counter at the start."""
    job_counter: Annotated[int, Field(ge=0)] = 0
    jobs: bool = True
    """OPC 40077: whether the optional Jobs branch is there."""
    machine_counter: bool = True
    """OPC 40077: whether the optional MachineCycleCounter is there."""
    server: str | None = None
    """OPC 40077: presses with the same word share one server, as behind a gateway."""
    program: Mapping[str, float] = {}
    """Set points that are entered otherwise than usual."""

    @field_validator("program")
    @classmethod
    def _set_points(cls, program: Mapping[str, float]) -> Mapping[str, float]:
        for name in program:
            if name not in NUMBERS:
                near = difflib.get_close_matches(name, NUMBERS, n=1)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                raise ValueError(f"has no set point '{name}'{hint}")
        return program

    @model_validator(mode="after")
    def _fitting(self) -> "FleetPress":
        if self.server is not None and self.protocol != "euromap77":
            raise ValueError("'server' is for protocol 'euromap77' only")
        return self


class Fleet(_Strict):
    """All presses and molds of a simulated plant."""

    press: Annotated[list[FleetPress], Field(min_length=1)]
    mold: Annotated[list[FleetMold], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> "Fleet":
        _once("press", [press.name for press in self.press])
        _once("mold", [mold.id for mold in self.mold])
        ids = [mold.id for mold in self.mold]
        for press in self.press:
            if press.mold not in ids:
                near = difflib.get_close_matches(press.mold, ids, n=1)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                raise ValueError(f"press '{press.name}' has mold '{press.mold}', no [[mold]]{hint}")
        return self

    @property
    def molds(self) -> Mapping[str, Mold]:
        """The molds by id."""
        return {mold.id: Mold(**mold.model_dump()) for mold in self.mold}

    def setup(self, press: FleetPress) -> Setup:
        """What a press starts with."""
        return Setup(
            name=press.name,
            mold=self.molds[press.mold],
            job=Job(name=press.job, parts=press.parts, customer=press.customer, lot=press.lot),
            tonnage=press.tonnage,
            mode=MODES[press.mode],
            set_points=press.program,
            counter=press.counter,
            job_counter=press.job_counter,
        )

    def first(self, count: int) -> "Fleet":
        """A fleet of exactly that many presses, named IMM-01, IMM-02, ...

        The presses repeat where there are not enough; each repetition has molds of its own, because
        a mold is on one press at a time.
        """
        if count < 1:
            raise FleetError(f"a fleet of {count} presses: it should have at least 1")
        presses, molds = [], {}
        for index in range(count):
            turn, like = divmod(index, len(self.press))
            press = self.press[like]
            end = f"-{turn + 1}" if turn else ""
            mold = next(mold for mold in self.mold if mold.id == press.mold)
            mold = mold.model_copy(update={"id": (mold.id[: 16 - len(end)] + end)})
            molds[mold.id] = mold
            change = {
                "name": f"IMM-{index + 1:02d}",
                "mold": mold.id,
                "job": press.job[: 16 - len(end)] + end,
                "port": None if turn else press.port,
                "server": f"{press.server}{end}" if press.server else None,
            }
            presses.append(press.model_copy(update=change))
        return Fleet(press=presses, mold=list(molds.values()))

    def ports(self) -> dict[str, int]:
        """The TCP port of each press: as given, else the next of its protocol's range."""
        ports: dict[str, int] = {}
        taken = {press.port for press in self.press if press.port is not None}
        shared: dict[str, int] = {}
        following = dict(FIRST_PORTS)
        for press in self.press:
            port = press.port or shared.get(press.server or "")
            while port is None:
                candidate = following[press.protocol]
                following[press.protocol] += 1
                port = None if candidate in taken else candidate
            ports[press.name] = port
            if press.server is not None:
                shared[press.server] = port
        return ports


def names() -> list[str]:
    """The fleets that are shipped."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load(name_or_path: str | Path) -> Fleet:
    """A shipped fleet by its name, or one from a file.

    Raises:
        FleetError: there is no such fleet, or it is wrong; one sentence per mistake.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.exists():
        if str(name_or_path) not in names():
            near = difflib.get_close_matches(str(name_or_path), names(), n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"shipped are {', '.join(names())}"
            raise FleetError(f"no fleet '{name_or_path}', and no file of that name; {hint}")
        path = SHIPPED / f"{name_or_path}.toml"
    try:
        return Fleet.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise FleetError(f"{path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FleetError(f"{path}: not UTF-8 text: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise FleetError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        raise FleetError("\n".join(_sentence(path, item) for item in error.errors())) from error


def print_config(
    fleet: Fleet, ports: Mapping[str, int], *, host: str = "127.0.0.1", speed: float = FAST
) -> str:
    """The `[[machine]]` and `[[mold]]` tables of a sprue.toml that watches the fleet.

    Args:
        fleet: The fleet.
        ports: Where each press listens, by its name.
        host: Where all of them listen.
        speed: How fast they mold: at real speed, servers that are dear to poll are polled less.
    """
    tables = [_machine(press, host, ports[press.name], speed) for press in fleet.press]
    tables += [_table("mold", mold.model_dump()) for mold in fleet.mold]
    return "\n".join(tables)


def _machine(press: FleetPress, host: str, port: int, speed: float) -> str:
    entries: dict[str, Any] = {"name": press.name}
    match press.protocol:
        case "modbus":
            entries |= {"driver": "modbus", "host": host, "port": port, "unit": press.unit}
            entries |= {"map": "retrofit-plc", "poll_s": 0.1}
        case "flat":
            entries |= {"driver": "opcua", "url": f"opc.tcp://{host}:{port}"}
            entries |= {"map": "flat-em63", "poll_s": 0.2 if speed < FAST else 0.1}
        case "euromap77":
            entries |= {"driver": "euromap77", "url": f"opc.tcp://{host}:{port}"}
            if press.server is not None:
                entries["serial"] = press.name
            entries["cooling"] = {"event_field": "CoolingTime"}
            entries["fields"] = MAKER_FIELDS
    entries["tonnage"] = press.tonnage
    if press.hall is not None:
        entries["hall"] = press.hall
    return _table("machine", entries)


MAKER_FIELDS: Mapping[str, str] = {
    "HoldTime": "hold_time_s",
    "MouldOpenTime": "mold_open_time_s",
    "MouldCloseTime": "mold_close_time_s",
    "EjectionTime": "ejection_time_s",
    "PauseTime": "pause_time_s",
    "CoolingTimeSet": "cooling_time_set_s",
    "ClampForce": "clamp_force_kn",
}
"""The simulated maker's own event fields and the signals that they are."""


def _table(name: str, entries: Mapping[str, Any]) -> str:
    lines = [f"{key} = {_toml(value)}" for key, value in entries.items()]
    return "\n".join([f"[[{name}]]", *lines, ""])


def _toml(value: Any) -> str:
    """
    >>> _toml({"event_field": "CoolingTime"}), _toml('a "b"'), _toml(24.0)
    ('{ event_field = "CoolingTime" }', '"a \\\\"b\\\\""', '24.0')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {_toml(each)}" for key, each in value.items())
        return f"{{ {inside} }}"
    return repr(value)


def _once(what: str, found: list[str]) -> None:
    for name in found:
        if found.count(name) > 1:
            raise ValueError(f"there are {found.count(name)} of the {what} '{name}'; keep one")


def _sentence(path: Path, item: Any) -> str:
    where = item["loc"]
    key = "".join(
        f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in where
    ).lstrip(".")
    if item["type"] == "extra_forbidden":
        models: dict[str, type[BaseModel]] = {"press": FleetPress, "mold": FleetMold}
        known = list((models[str(where[0])] if len(where) > 1 else Fleet).model_fields)
        near = difflib.get_close_matches(str(where[-1]), known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(sorted(known))}"
        return f"{path}: {key}: no such key; {hint}"
    if item["type"] == "missing":
        return f"{path}: {key}: missing"
    said = str(item["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    if not key:
        return f"{path}: {said}"
    found = "a table" if isinstance(item["input"], Mapping) else repr(item["input"])
    return f"{path}: {key}: found {found}; it {said}"
