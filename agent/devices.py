"""Devices at a machine in the configuration: `[[machine.tcd]]`, the water beside the press."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from drivers.checked import Checked
from drivers.euromap77 import Euromap77Settings
from drivers.modbus import ModbusSettings
from drivers.opcua import OpcUaSettings
from drivers.settings import MachineSettings
from drivers.tcd import TcdSettings

OF_MACHINES = ("cooling", "label", "tonnage", "hall", "mold")
"""Keys of machines that mean nothing for a device."""
LOG_IN = ("security", "user", "password", "user_certificate", "user_key")
"""What a device on the machine's own server shares with the machine."""


class Device(MachineSettings):
    """What every device has besides the keys of its driver."""

    zone: Annotated[int, Field(ge=1, le=99)] = 1
    """Which cooling circuit of the machine; those from 2 on have their number in their signals."""
    max_age_s: Annotated[float, Field(ge=0.5, le=3600)] = 5.0
    """Older values are left out, as if the device were gone."""

    @model_validator(mode="before")
    @classmethod
    def _no_machine(cls, found: object) -> object:
        if isinstance(found, Mapping):
            for key in OF_MACHINES:
                if key in found:
                    raise ValueError(f"should have no '{key}', which is for a machine")
        return found

    @model_validator(mode="after")
    def _can_be_fresh(self) -> Self:
        if self.max_age_s < 2 * self.poll_s:
            raise ValueError(
                f"'max_age_s' is {self.max_age_s:g}, and a value comes every {self.poll_s:g} s; it "
                f"should be at least {2 * self.poll_s:g}"
            )
        return self


class TcdDevice(Device, TcdSettings):
    """A device of OPC 40082-1."""


class ModbusDevice(Device, ModbusSettings):
    """A device with a register map."""


class OpcUaDevice(Device, OpcUaSettings):
    """A device on a server of its maker's own design, with a node map."""


AnyDevice = Annotated[TcdDevice | ModbusDevice | OpcUaDevice, Field(discriminator="driver")]


class Attaching(Checked):
    """A machine that devices may be attached to."""

    tcd: tuple[AnyDevice, ...] = ()
    """Temperature control devices whose values join the machine's."""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, found: object) -> object:
        if isinstance(found, Mapping) and isinstance(found.get("tcd"), list):
            return {**found, "tcd": [_completed(found, each) for each in found["tcd"]]}
        return found

    @model_validator(mode="after")
    def _circuits(self) -> Self:
        zones = [device.zone for device in self.tcd]
        for zone in zones:
            if zones.count(zone) > 1:
                raise ValueError(
                    f"'tcd' has zone {zone} more than once; each device has a 'zone' of its own"
                )
        return self


class ModbusMachine(Attaching, ModbusSettings):
    """A machine with a register map."""


class OpcUaMachine(Attaching, OpcUaSettings):
    """A machine on a server of its maker's own design, with a node map."""


class Euromap77Machine(Attaching, Euromap77Settings):
    """A machine of OPC 40077."""


AnyMachine = Annotated[
    ModbusMachine | OpcUaMachine | Euromap77Machine, Field(discriminator="driver")
]


def places(machines: Sequence[Attaching]) -> Iterator[tuple[str, Any]]:
    """Every machine and every device, with where it stands in the file: `machine[1].tcd[2]`."""
    for number, machine in enumerate(machines, 1):
        yield f"machine[{number}]", machine
        for at, device in enumerate(machine.tcd, 1):
            yield f"machine[{number}].tcd[{at}]", device


def _completed(machine: Mapping[str, Any], found: object) -> object:
    """A device's table with what follows from where it stands."""
    if not isinstance(found, Mapping):
        return found
    device = dict(found)
    zone = device.get("zone", 1)
    suffix = " TCD" if zone == 1 else f" TCD {zone}"
    device.setdefault("name", f"{str(machine.get('name', ''))[:50]}{suffix}")
    if "driver" not in device:
        has_map = "opcua" if "map" in device else "tcd"
        device["driver"] = "modbus" if "host" in device or "unit" in device else has_map
    if device["driver"] != "modbus" and "url" not in device and "url" in machine:
        shared = {key: machine[key] for key in ("url", *LOG_IN) if key in machine}
        device = {**shared, **device}
    return device
