"""Fleets: which presses a simulated plant has, what is on them, and what happens to them.

A fleet is a TOML file of its own or one of those shipped in `simulators/fleets/`.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from simulators.actions import MODES
from simulators.fleetentries import (
    FleetEvent,
    FleetMold,
    FleetPress,
    FleetRun,
    FleetTcu,
    FleetTls,
    Protocol,
)
from simulators.menu import MENU
from simulators.mold import Job, Mold
from simulators.runs import Run
from simulators.setup import Setup
from simulators.strict import FleetError, Strict, hint, sentence

__all__ = ["Fleet", "FleetError", "load", "names"]

SHIPPED = Path(__file__).parent / "fleets"

FIRST_PORTS: Mapping[Protocol, int] = {"modbus": 15020, "flat": 14840, "euromap77": 14940}
"""Where ports start that a fleet file does not name."""
LONGEST_ID = 16
SERVER_WIDE = (
    "security",
    "limits",
    "jobs",
    "machine_counter",
    "production_datasets",
    "injection_units",
    "event_history",
    "mold_number",
    "mold_nodes",
    "pressure_unit",
    "temperature_unit",
)
"""What all presses behind one OPC 40077 server have in common."""


class Fleet(Strict):
    """All presses and molds of a simulated plant, and their story."""

    press: Annotated[list[FleetPress], Field(min_length=1)]
    mold: Annotated[list[FleetMold], Field(min_length=1)]
    run: tuple[FleetRun, ...] = ()
    event: tuple[FleetEvent, ...] = ()
    tcu: tuple[FleetTcu, ...] = ()
    repeat: bool = False
    """Whether each press's runs start over after the last; else it then stops."""
    presses: Annotated[int | None, Field(ge=1, le=1000)] = None
    """How many presses there are, where those listed are cut or repeated."""

    @model_validator(mode="after")
    def _whole(self) -> "Fleet":
        _once("press or tcu", [each.name for each in self.devices])
        _once("mold", [mold.id for mold in self.mold])
        _once("port", [each.port for each in self.devices if each.port and not line_of(each)])
        molds = [mold.id for mold in self.mold]
        presses = [press.name for press in self.press]
        for press in self.press:
            _known(f"press '{press.name}' has mold", press.mold, molds, "[[mold]]")
        on = [press.mold for press in self.press]
        for mold in on:
            if on.count(mold) > 1:
                raise ValueError(f"mold '{mold}' is on {on.count(mold)} presses; it should be on 1")
        for run in self.run:
            _known(f"run '{run.job}' has mold", run.mold, molds, "[[mold]]")
            _known(f"run '{run.job}' has press", run.press, presses, "[[press]]")
        self._runs_come()
        for number, event in enumerate(self.event, 1):
            self._fitting(f"event {number}", event)
        for tcu in self.tcu:
            _known(f"tcu '{tcu.name}' has press", tcu.press, presses, "[[press]]")
        self._gateways()
        self._shared_servers()
        return self

    def _runs_come(self) -> None:
        """Every run has its turn, and its mold comes free; no more cavities are open than are."""
        cavities = {mold.id: mold.cavities for mold in self.mold}
        follow = {run.press for run in self.run}
        entries: list[FleetPress | FleetRun] = [*self.press, *self.run]
        for entry in entries:
            if entry.open_cavities > cavities[entry.mold]:
                raise ValueError(
                    f"job '{entry.job}' has {entry.open_cavities} open cavities; "
                    f"mold '{entry.mold}' has {cavities[entry.mold]}"
                )
        for press in self.press:
            waiting = [run for run in self.run if run.mold == press.mold]
            if press.name in follow and not press.parts:
                raise ValueError(
                    f"press '{press.name}' has runs to follow, and no 'parts' that end its first"
                )
            if waiting and press.name not in follow:
                raise ValueError(
                    f"run '{waiting[0].job}' waits for mold '{press.mold}', which stays on press "
                    f"'{press.name}', as that has no runs"
                )

    def _fitting(self, where: str, event: FleetEvent) -> None:
        every = [each.name for each in self.devices]
        for name in event.presses:
            if name != "*":
                _known(f"{where} has press", name, every, "[[press]]")
        fault = MENU.get(event.fault or "")
        for each in self.event_devices(event):
            protocol = each.protocol if isinstance(each, FleetPress) else "modbus"
            if fault is None:
                if isinstance(each, FleetTcu):
                    raise ValueError(f"{where}: '{event.do}' is for presses, not for '{each.name}'")
            elif protocol not in fault.faces:
                fit = ", ".join(sorted(fault.faces))
                raise ValueError(
                    f"{where}: '{fault.name}' can't happen to '{each.name}' of protocol "
                    f"'{protocol}'; it is for {fit}"
                )
            elif fault.needs_security and isinstance(each, FleetPress) and not each.security:
                raise ValueError(
                    f"{where}: '{fault.name}' needs a press with 'security'; '{each.name}' has none"
                )

    def _gateways(self) -> None:
        seen: dict[tuple[str, int], str] = {}
        framings: dict[str, str] = {}
        secured: dict[str, FleetTls | None] = {}
        for each in self.devices:
            if each.gateway is None:
                continue
            other = seen.setdefault((each.gateway, each.unit), each.name)
            if other != each.name:
                raise ValueError(
                    f"'{other}' and '{each.name}' are both unit {each.unit} "
                    f"of the gateway '{each.gateway}'"
                )
            if isinstance(each, FleetPress):
                framing = framings.setdefault(each.gateway, each.framing)
                if framing != each.framing:
                    raise ValueError(f"gateway '{each.gateway}' has both framings, tcp and rtu")
                if secured.setdefault(each.gateway, each.tls) != each.tls:
                    raise ValueError(f"gateway '{each.gateway}' has two kinds of 'tls'")

    def _shared_servers(self) -> None:
        first: dict[str, FleetPress] = {}
        for press in self.press:
            like = first.setdefault(press.server, press) if press.server else press
            for key in SERVER_WIDE:
                if getattr(press, key) != getattr(like, key):
                    raise ValueError(
                        f"'{like.name}' and '{press.name}' share the server '{press.server}' "
                        f"and differ in '{key}'; it should be the same"
                    )

    @property
    def devices(self) -> "list[FleetPress | FleetTcu]":
        """Everything that listens somewhere."""
        return [*self.press, *self.tcu]

    @property
    def molds(self) -> Mapping[str, Mold]:
        """The molds by id."""
        return {mold.id: Mold(**mold.model_dump()) for mold in self.mold}

    def event_devices(self, event: FleetEvent) -> "list[FleetPress | FleetTcu]":
        """The presses and control units that an event happens to."""
        if "*" in event.presses:
            return list(self.press)
        return [each for each in self.devices if each.name in event.presses]

    def setup(self, press: FleetPress) -> Setup:
        """What a press starts with, and what it runs after that."""
        return Setup(
            name=press.name,
            mold=self.molds[press.mold],
            job=Job(name=press.job, parts=press.parts, customer=press.customer, lot=press.lot),
            tonnage=press.tonnage,
            mode=MODES[press.mode],
            set_points=press.program,
            counter=press.counter,
            job_counter=press.job_counter,
            counter_limit=press.counter_limit,
            counter_kept=press.counter_kept,
            save_every=press.save_every,
            open_cavities=press.open_cavities,
            runs=tuple(run for name, run in self._runs() if name == press.name),
            repeat=self.repeat,
        )

    def _runs(self) -> Iterable[tuple[str, Run]]:
        """Every run with its press; a mold's runs follow each other as the file has them."""
        on = [press.mold for press in self.press]
        runs = [run.mold for run in self.run]
        for index, run in enumerate(self.run):
            mold = self.molds[run.mold]
            if run.resin is not None:
                mold = replace(mold, resin=run.resin)
            lot = run.lots[0] if run.lots else run.lot
            yield (
                run.press,
                Run(
                    mold=mold,
                    job=Job(name=run.job, parts=run.parts, customer=run.customer, lot=lot),
                    mode=MODES[run.mode],
                    open_cavities=run.open_cavities,
                    lots=run.lots,
                    set_points=run.program,
                    set_up_s=run.set_up_s,
                    set_up_closings=run.set_up_closings,
                    turns=((on + runs[:index]).count(run.mold), runs.count(run.mold)),
                    recut=run.recut,
                    recuts=(self._recuts(run.mold, index + 1), self._recuts(run.mold)),
                ),
            )

    def _recuts(self, mold: str, runs: int | None = None) -> int:
        """How often a mold is re-cut in the first runs, or in all."""
        return sum(run.recut for run in self.run[:runs] if run.mold == mold)

    def first(self, count: int) -> "Fleet":
        """A fleet of exactly that many presses, named IMM-01, IMM-02, ...

        The presses repeat where there are not enough; each repetition has molds, runs and events of
        its own, because a mold is on one press at a time.

        Raises:
            FleetError: the count is below 1, or names would be twice.
        """
        if count < 1:
            raise FleetError(f"a fleet of {count} presses: it should have at least 1")
        rounds = -(-count // len(self.press))
        parts = [self._repeated(turn, count) for turn in range(rounds)]
        tables = {key: [each for part in parts for each in part[key]] for key in parts[0]}
        try:
            return Fleet(repeat=self.repeat, **tables)
        except ValidationError as error:
            said = "; ".join(item["msg"].removeprefix("Value error, ") for item in error.errors())
            raise FleetError(f"a fleet of {count} presses: {said}") from error

    def _repeated(self, turn: int, count: int) -> dict[str, list[Any]]:
        """The presses of one repetition, as far as the count reaches, and what belongs to them."""
        end = f"-{turn + 1}" if turn else ""
        start = turn * len(self.press)
        new = {
            press.name: f"IMM-{start + index + 1:02d}"
            for index, press in enumerate(self.press)
            if start + index < count
        }

        new |= {tcu.name: tcu.name + end for tcu in self.tcu if tcu.press in new}

        def ended(text: str) -> str:
            return text[: LONGEST_ID - len(end)] + end

        def line(each: FleetPress | FleetTcu) -> dict[str, str]:
            words = {key: getattr(each, key, None) for key in ("server", "gateway")}
            return {key: word + end for key, word in words.items() if word is not None}

        presses = [
            press.model_copy(
                update={
                    "name": new[press.name],
                    "mold": ended(press.mold),
                    "job": ended(press.job),
                    "port": None if turn else press.port,
                    **line(press),
                }
            )
            for press in self.press
            if press.name in new
        ]
        runs = [
            run.model_copy(
                update={
                    "press": new[run.press],
                    "mold": ended(run.mold),
                    "job": ended(run.job),
                }
            )
            for run in self.run
            if run.press in new
        ]
        events = [
            event.model_copy(update={"press": tuple(new[each.name] for each in there)})
            for event in self.event
            if (there := [each for each in self.event_devices(event) if each.name in new])
        ]
        tcus = [
            tcu.model_copy(
                update={
                    "name": tcu.name + end,
                    "press": new[tcu.press],
                    **line(tcu),
                    "port": None if turn else tcu.port,
                }
            )
            for tcu in self.tcu
            if tcu.press in new
        ]
        used = {press.mold for press in presses} | {run.mold for run in runs}
        molds = [
            mold.model_copy(update={"id": ended(mold.id)})
            for mold in self.mold
            if ended(mold.id) in used
        ]
        return {"press": presses, "mold": molds, "run": runs, "event": events, "tcu": tcus}

    def ports(self) -> dict[str, int]:
        """The TCP port of each press and control unit: as given, else the next of its protocol."""
        ports: dict[str, int] = {}
        taken = {each.port for each in self.devices if each.port is not None}
        shared: dict[str, int] = {}
        following = dict(FIRST_PORTS)
        for each in self.devices:
            protocol: Protocol = each.protocol if isinstance(each, FleetPress) else "modbus"
            word = line_of(each)
            port = each.port or shared.get(word or "")
            while port is None:
                candidate = following[protocol]
                following[protocol] += 1
                port = None if candidate in taken else candidate
            ports[each.name] = port
            if word is not None:
                shared[word] = port
        return ports


def line_of(each: FleetPress | FleetTcu) -> str | None:
    """The server or gateway that it shares with others."""
    return (each.server or each.gateway) if isinstance(each, FleetPress) else each.gateway


def first_of(fleet: Fleet, press: FleetPress) -> str:
    """The name of the first press on its server or gateway, by which that is called."""
    word = line_of(press)
    if word is None:
        return press.name
    return next(each.name for each in fleet.press if line_of(each) == word)


def names() -> list[str]:
    """The fleets that are shipped."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load(name_or_path: str | Path) -> Fleet:
    """A shipped fleet by its name, or one from a file.

    Raises:
        FleetError: there is no such fleet, or it is wrong; one sentence per mistake.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.is_file():
        if str(name_or_path) not in names():
            near = hint(str(name_or_path), names()) or f"; shipped are {', '.join(names())}"
            raise FleetError(f"no fleet '{name_or_path}', and no file of that name{near}")
        path = SHIPPED / f"{name_or_path}.toml"
    try:
        fleet = Fleet.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise FleetError(f"{path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FleetError(f"{path}: not UTF-8 text: {error}") from error
    except ValidationError as error:
        raise FleetError(
            "\n".join(sentence(path, item, Fleet) for item in error.errors())
        ) from error
    except (ValueError, RecursionError) as error:  # also numbers and brackets without end
        raise FleetError(f"{path}: not TOML: {error}") from error
    return fleet if fleet.presses is None else fleet.first(fleet.presses)


def _once(what: str, found: Sequence[str | int]) -> None:
    for name in found:
        if found.count(name) > 1:
            raise ValueError(f"there are {found.count(name)} of the {what} '{name}'; keep one")


def _known(what: str, name: str, known: list[str], table: str) -> None:
    if name not in known:
        raise ValueError(f"{what} '{name}', no {table}{hint(name, known)}")
