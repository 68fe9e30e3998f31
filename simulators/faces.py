"""The servers of a fleet: which faces its presses and control units have, behind which ports."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.euromap77 import Euromap77Face, Options
from simulators.flat import FlatFace
from simulators.fleet import Fleet
from simulators.fleetentries import FleetPress
from simulators.modbus import ModbusFace
from simulators.press import Press

if TYPE_CHECKING:
    from simulators.plant import Face


def made_faces(
    fleet: Fleet,
    presses: Mapping[str, Press],
    *,
    free_ports: bool,
    nodesets: Path | None,
    certificates: Path | None,
    host: str,
    files: ExitStack,
) -> "dict[str, Face]":
    """A face for each press and control unit, by its name; those behind one server share it."""
    ports = dict.fromkeys(fleet.ports(), 0) if free_ports else fleet.ports()
    faces: dict[str, Face] = {}
    for each in fleet.press:
        press, port = presses[each.name], ports[each.name]
        press.faults.protocol = each.protocol
        press.faults.secured = each.security is not None
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
    return faces


def _group(fleet: Fleet, press: FleetPress) -> list[FleetPress]:
    """The presses behind one server."""
    if press.server is None:
        return [press]
    return [other for other in fleet.press if other.server == press.server]
