"""The servers of a fleet: which faces its presses and control units have, behind which ports."""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from simulators.euromap77.face import Euromap77Face
from simulators.euromap77.options import Options
from simulators.faults import Faults
from simulators.flat.face import FlatFace
from simulators.fleet import Fleet, first_of, line_of
from simulators.fleetentries import FleetPress, FleetSecurity, FleetTcu
from simulators.modbus.framing import FramingName
from simulators.modbus.gateway import Gateway
from simulators.modbus.plc import press_unit
from simulators.modbus.server import ModbusServer
from simulators.modbus.tcu import tcu_unit
from simulators.modbus.tls import Tls
from simulators.modbus.unit import Unit
from simulators.opcua.limits import Limits
from simulators.opcua.security import Security
from simulators.press import Press


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


@dataclass(slots=True, kw_only=True)
class Faces:
    """The servers, and the faults of what is on them."""

    servers: dict[str, Face] = field(default_factory=dict)
    """By the name of the press or control unit; those behind one server share it."""
    faults: dict[str, Faults] = field(default_factory=dict)
    """By the same names."""


class _Maker:
    def __init__(
        self,
        fleet: Fleet,
        presses: Mapping[str, Press],
        host: str,
        nodesets: Path | None,
        certificates: Path,
        *,
        free_ports: bool,
    ) -> None:
        self._fleet = fleet
        self._presses = presses
        self._host = host
        self._ports = dict.fromkeys(fleet.ports(), 0) if free_ports else fleet.ports()
        self._nodesets = nodesets
        self._certificates = certificates
        self.made = Faces()

    def make(self, each: FleetPress | FleetTcu) -> None:
        """Add the server of one press or control unit, unless it shares one that is there."""
        if each.name in self.made.servers:
            return
        word = line_of(each)
        group = [each] if word is None else [o for o in self._fleet.devices if line_of(o) == word]
        for one in group:
            if isinstance(one, FleetPress):
                faults = self._presses[one.name].faults
                faults.protocol, faults.secured = one.protocol, one.security is not None
                self.made.faults[one.name] = faults
        face = self._face(each, group)
        self.made.servers |= {one.name: face for one in group}

    def _face(self, each: FleetPress | FleetTcu, group: list[FleetPress | FleetTcu]) -> Face:
        port = self._ports[each.name]
        if isinstance(each, FleetTcu) or each.protocol == "modbus":
            return self._modbus(each, group, port)
        security = self._security(each.name, each.security)
        limits = Limits(**each.limits.model_dump()) if each.limits is not None else None
        if each.protocol == "flat":
            return FlatFace(
                self._presses[each.name],
                host=self._host,
                port=port,
                security=security,
                limits=limits,
                twin=each.twin,
            )
        return Euromap77Face(
            [self._presses[one.name] for one in group],
            host=self._host,
            port=port,
            options=options(each),
            nodesets=self._nodesets,
            security=security,
            limits=limits,
        )

    def _modbus(
        self, each: FleetPress | FleetTcu, group: list[FleetPress | FleetTcu], port: int
    ) -> Face:
        units = {one.unit: self._unit(one) for one in group}
        framing: FramingName = "tcp"
        for one in group:
            framing = one.framing if isinstance(one, FleetPress) else framing
        tls = next((self._tls(one) for one in group if isinstance(one, FleetPress)), None)
        if each.gateway is not None:
            return Gateway(units, host=self._host, port=port, framing=framing, tls=tls)
        return ModbusServer(units, host=self._host, port=port, framing=framing, tls=tls)

    def _tls(self, press: FleetPress) -> Tls | None:
        if press.tls is None:
            return None
        folder = self._certificates / first_of(self._fleet, press)
        return Tls(folder=folder, client_certificate=press.tls.client_certificate)

    def _unit(self, each: FleetPress | FleetTcu) -> Unit:
        if isinstance(each, FleetPress):
            return press_unit(self._presses[each.name], max_words=each.max_words)
        unit = tcu_unit(self._presses[each.press], name=each.name)
        self.made.faults[each.name] = unit.faults
        return unit

    def _security(self, name: str, asked: FleetSecurity | None) -> Security | None:
        if asked is None:
            return None
        return Security(
            policy=asked.policy,
            user=asked.user,
            password=asked.password,
            folder=self._certificates / name,
        )


def options(press: FleetPress) -> Options:
    """What of OPC 40077 a press offers."""
    return Options(
        jobs=press.jobs,
        machine_counter=press.machine_counter,
        production_datasets=press.production_datasets,
        injection_units=press.injection_units,
        event_history=press.event_history,
        mold_number=press.mold_number,
        mold_digits=1 if press.mold_number < 10 else 3,
        mold_nodes=press.mold_nodes,
        curves=True,
        pressure_unit=press.pressure_unit,
        temperature_unit=press.temperature_unit,
    )


def made_faces(
    fleet: Fleet,
    presses: Mapping[str, Press],
    *,
    free_ports: bool,
    nodesets: Path | None,
    certificates: Path | None,
    host: str,
    files: ExitStack,
) -> Faces:
    """Every server of a fleet, not listening yet.

    Args:
        fleet: The fleet.
        presses: Its presses in memory, by name.
        free_ports: Take any free port, whatever the fleet says.
        nodesets: Folder of the official NodeSet files; None for the types built here.
        certificates: Folder for keys and certificates; None: a temporary one.
        host: Where they will listen.
        files: What has to be closed in the end.
    """
    if certificates is None:
        temporary = tempfile.TemporaryDirectory(prefix="simulated-plant-")
        certificates = Path(files.enter_context(temporary))
    maker = _Maker(fleet, presses, host, nodesets, certificates, free_ports=free_ports)
    for each in fleet.devices:
        maker.make(each)
    return maker.made
