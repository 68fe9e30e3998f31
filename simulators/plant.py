"""A plant that molds: every press of a fleet, each published on its protocol."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from simulators.clock import Clock
from simulators.euromap77 import Euromap77Face, Options
from simulators.flat import FlatFace
from simulators.fleet import Fleet, FleetError, FleetPress
from simulators.modbus import ModbusFace
from simulators.press import Press
from simulators.state import StateFile
from simulators.truth import TruthLog

TICK_S = 0.2
"""How often subscribers of live values are told."""


class Face(Protocol):
    """One server that publishes one press, or several."""

    port: int

    @property
    def address(self) -> str:
        """Where it listens."""

    async def start(self) -> None:
        """Listen; the press shows as it is now."""

    async def stop(self) -> None:
        """Stop listening and drop every client; the press molds on."""

    async def tick(self) -> None:
        """Tell subscribers about values that are not events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """What `open_plant` hands out."""

    fleet: Fleet
    clock: Clock
    presses: Mapping[str, Press]
    """The presses in memory, by name."""
    faces: Mapping[str, Face]
    """Their servers, by the press's name; presses behind one server have the same."""

    @property
    def ports(self) -> Mapping[str, int]:
        """Where each press listens, by its name."""
        return {name: face.port for name, face in self.faces.items()}


@asynccontextmanager
async def open_plant(
    fleet: Fleet,
    *,
    speed: float | None = 1.0,
    seed: int = 0,
    truth: Path | None = None,
    free_ports: bool = False,
    state: Path | None = None,
    nodesets: Path | None = None,
    host: str = "127.0.0.1",
) -> AsyncGenerator[Plant]:
    """Start every press and its server; all of them listen when the plant is handed out.

    Args:
        fleet: Presses, molds and protocols.
        speed: Process seconds per wall second; None for presses that only mold by hand.
        seed: Decides everything that is random.
        truth: File to append the truth log to.
        free_ports: Take any free port, whatever the fleet says.
        state: File that keeps counters, molds and jobs over restarts; None starts anew.
        nodesets: Folder of the official NodeSet files, for the OPC 40077 servers.
        host: Where the servers listen.

    Raises:
        FleetError: a port is taken.
        OSError: a file can't be read or written.
    """
    clock = Clock(speed)
    presses = {press.name: Press(fleet.setup(press), clock, seed) for press in fleet.press}
    faces = _faces(fleet, presses, free_ports, nodesets, host)
    plant = Plant(fleet=fleet, clock=clock, presses=presses, faces=faces)
    with ExitStack() as files:
        _keep(plant, truth, state, files)
        async with AsyncExitStack() as servers:
            for name, face in _servers(faces):
                await _start(name, face)
                servers.push_async_callback(face.stop)
            tasks = [] if speed is None else [press.run() for press in presses.values()]
            failure: BaseException | None = None
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(task) for task in tasks]
                running.append(group.create_task(_tick([face for _, face in _servers(faces)])))
                try:
                    yield plant
                except BaseException as error:  # noqa: BLE001 - raised below, outside the group
                    failure = error
                for task in running:
                    task.cancel()
            if failure is not None:
                raise failure


def _faces(
    fleet: Fleet,
    presses: Mapping[str, Press],
    free_ports: bool,
    nodesets: Path | None,
    host: str,
) -> dict[str, Face]:
    ports = dict.fromkeys(presses, 0) if free_ports else fleet.ports()
    faces: dict[str, Face] = {}
    for each in fleet.press:
        press, port = presses[each.name], ports[each.name]
        if each.protocol == "modbus":
            faces[each.name] = ModbusFace(press, host=host, port=port, unit=each.unit)
        elif each.protocol == "flat":
            faces[each.name] = FlatFace(press, host=host, port=port)
        elif each.name not in faces:
            group = _group(fleet, each)
            face = Euromap77Face(
                [presses[other.name] for other in group],
                host=host,
                port=port,
                options=Options(jobs=each.jobs, machine_counter=each.machine_counter),
                nodesets=nodesets,
            )
            faces |= {other.name: face for other in group}
    return {name: faces[name] for name in presses}


def _group(fleet: Fleet, press: FleetPress) -> list[FleetPress]:
    """The presses behind one server."""
    if press.server is None:
        return [press]
    return [other for other in fleet.press if other.server == press.server]


def _servers(faces: Mapping[str, Face]) -> Iterable[tuple[str, Face]]:
    """Each server once, with the first of its presses."""
    seen: dict[int, tuple[str, Face]] = {}
    for name, face in faces.items():
        seen.setdefault(id(face), (name, face))
    return list(seen.values())


def _keep(plant: Plant, truth: Path | None, state: Path | None, files: ExitStack) -> None:
    if truth is not None:
        log = files.enter_context(TruthLog(truth))
        for each in plant.fleet.press:
            if each.protocol == "euromap77" and not each.machine_counter:
                log.counts_by_job(each.name)
            plant.presses[each.name].recorders.append(log)
    if state is not None:
        file = files.enter_context(StateFile(state))
        for press in plant.presses.values():
            if press.name in file.kept:
                press.restore(file.kept[press.name])
            press.recorders.append(file)
            files.callback(file.keep, press)


async def _start(name: str, face: Face) -> None:
    try:
        await face.start()
    except OSError as error:
        raise FleetError(
            f"{name}: can't listen at {face.address}: {error.strerror}; "
            "is another simulator running? Free ports can be asked for"
        ) from error


async def _tick(faces: list[Face]) -> NoReturn:
    while True:
        for face in faces:
            await face.tick()
        await asyncio.sleep(TICK_S)
