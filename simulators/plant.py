"""A plant that molds: every press of a fleet, each published on its protocol."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

from simulators.actions import ACTIONS
from simulators.clock import Clock
from simulators.faces import Face, made_faces
from simulators.faults import FaultError, Faults
from simulators.fleet import Fleet, FleetError
from simulators.fleetentries import FleetEvent, FleetTcu
from simulators.molding import Molding
from simulators.orders import Order, carry_out, checked
from simulators.press import Press
from simulators.runs import Rack
from simulators.script import Script
from simulators.state import StateFile
from simulators.strict import hint
from simulators.troubles import Troubles
from simulators.truth import TruthLog

TICK_S = 0.2
"""How often subscribers of live values are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """What `open_plant` hands out."""

    fleet: Fleet
    clock: Clock
    presses: Mapping[str, Press]
    """The presses in memory, by name."""
    faces: Mapping[str, Face]
    """Their servers, by the name of the press or control unit; those behind one server share it."""
    faults: Mapping[str, Faults]
    """What is switched on, by the same names."""

    @property
    def ports(self) -> Mapping[str, int]:
        """Where each press and control unit listens, by its name."""
        return {name: face.port for name, face in self.faces.items()}

    async def order(self, machines: str | list[str], order: Order) -> list[str]:
        """Carry out an order now.

        Args:
            machines: Name of one press or control unit, or of several; `*` for all presses that
                can have it.
            order: What is to be done; to a control unit, only a fault can be.

        Returns:
            The names of those that it was done to.

        Raises:
            FaultError: there is no such press, or it can't have the fault.
        """
        try:
            checked(order)
        except ValueError as error:
            raise FaultError(str(error)) from error
        done = []
        for name in self._named([machines] if isinstance(machines, str) else machines):
            try:
                self._press_of(name).catch_up()
                await self.carry_out(order, name)
            except FaultError:
                if machines not in ("*", ["*"]):
                    raise
            else:
                done.append(name)
        return done

    async def carry_out(self, order: Order, name: str) -> None:
        """Carry out a checked order at one press or control unit.

        Raises:
            FaultError: it can't have the fault.
        """
        if name not in self.presses and order.what in ACTIONS:
            raise FaultError(f"{name}: '{order.what}' is for presses, not for control units")
        await carry_out(order, self._press_of(name), self.fleet.molds, self.faults[name])

    def _press_of(self, name: str) -> Press:
        """The press of that name, or at which the control unit of that name stands."""
        at = {tcu.name: tcu.press for tcu in self.fleet.tcu}
        return self.presses[at.get(name, name)]

    async def inject(
        self, machine: str, fault: str, for_s: float | None = None, **given: float
    ) -> None:
        """Switch a fault of the menu on at one press.

        Args:
            machine: Name of the press.
            fault: Name of the fault.
            for_s: Process seconds until it is switched off again; None: it stays.
            given: Its parameters.

        Raises:
            FaultError: there is no such press or fault, or the press can't have it.
        """
        await self.order(machine, Order(what=fault, given=given, for_s=for_s))

    async def clear(self, machine: str, fault: str) -> None:
        """Switch a fault off.

        Raises:
            FaultError: there is no such press or fault.
        """
        await self.order(machine, Order(what=fault, off=True))

    def _named(self, names: list[str]) -> list[str]:
        if "*" in names:
            return list(self.presses)
        for name in names:
            if name not in self.faults:
                near = hint(name, self.faults)
                raise FaultError(f"there is no press '{name}'{near}")
        return names


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
    certificates: Path | None = None,
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
        certificates: Folder for the secured servers' keys and certificates, which are made where it
            has none; None: a temporary one.
        host: Where the servers listen.

    Raises:
        FleetError: a port is taken.
        OSError: a file can't be read or written.
    """
    clock, rack = Clock(speed), Rack()
    presses = {press.name: Press(fleet.setup(press), clock, seed) for press in fleet.press}
    for press in presses.values():
        Troubles(press)
    with ExitStack() as files:
        faces = made_faces(
            fleet,
            presses,
            free_ports=free_ports,
            nodesets=nodesets,
            certificates=certificates,
            host=host,
            files=files,
        )
        plant = Plant(
            fleet=fleet, clock=clock, presses=presses, faces=faces.servers, faults=faces.faults
        )
        _keep(plant, truth, state, files)
        _schedule(plant)
        async with AsyncExitStack() as servers:
            for name, face in _servers(plant.faces):
                await _start(name, face)
                servers.push_async_callback(face.stop)
            tasks = [] if speed is None else [Molding(p, rack).run() for p in presses.values()]
            failure: BaseException | None = None
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(task) for task in tasks]
                running.append(
                    group.create_task(_tick([face for _, face in _servers(plant.faces)]))
                )
                try:
                    yield plant
                except BaseException as error:  # noqa: BLE001 - raised below, outside the group
                    failure = error
                for task in running:
                    task.cancel()
            if failure is not None:
                raise failure


def _schedule(plant: Plant) -> None:
    """Write the fleet's events into the presses' scripts."""
    for event in plant.fleet.event:
        for each in plant.fleet.event_devices(event):
            script = plant.presses[each.press if isinstance(each, FleetTcu) else each.name].script
            act = partial(_happen, plant, script, each.name, event, event.at_s)
            script.add(event.at_s, act)


async def _happen(plant: Plant, script: Script, name: str, event: FleetEvent, at_s: float) -> None:
    await plant.carry_out(event.order, name)
    if event.every_s is not None:
        again = at_s + event.every_s
        script.add(again, partial(_happen, plant, script, name, event, again))


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
        if error.filename is not None or error.strerror is None:  # a file, not the port
            raise FleetError(f"{name}: {error}") from error
        raise FleetError(
            f"{name}: can't listen at {face.address}: {error.strerror}; "
            "is another simulator running? Free ports can be asked for"
        ) from error


async def _tick(faces: list[Face]) -> NoReturn:
    while True:
        for face in faces:
            await face.tick()
        await asyncio.sleep(TICK_S)
