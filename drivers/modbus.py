"""Presses, and counters retrofitted to presses, that speak Modbus, read by a register map.

The map (`drivers.registers`) says which register is which signal. Live registers are read at every
tick, in few requests; what a machine keeps of its last cycle, whenever its shot counter changes.
Machines at one place share its line (`drivers.modbusline`).
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar

from pydantic import Field, field_validator, model_validator

from drivers.condition import Condition
from drivers.credentials import Credentials
from drivers.curveblocks import CurveBlocks
from drivers.errors import MapError, RefusedError
from drivers.identity import KEY, RegisterIdentity, proved
from drivers.lastcycle import LastCycle
from drivers.modbusframe import FramingName
from drivers.modbusline import Line, Station, line_at
from drivers.modbuslink import Asker
from drivers.modbusplace import Parity, Port, Serial
from drivers.modbustls import PORT as SECURED_PORT
from drivers.modbustls import Tls
from drivers.observations import Column, Frame, Observation, Quality
from drivers.polling import Ticks
from drivers.register import Register
from drivers.registers import RegisterMap, with_cooling, without_identity
from drivers.settings import Cooling, MachineSettings
from drivers.shotcounter import ShotCounter
from drivers.sweep import Sweep

T = TypeVar("T")


OF_HOST = ("port", "framing", "tls")
OF_SERIAL = ("baud", "parity", "stop_bits")


class ModbusSettings(MachineSettings):
    """A machine with `driver = "modbus"`."""

    driver: Literal["modbus"]
    host: Annotated[str | None, Field(min_length=1)] = None
    """Name or address of the device, or of the gateway before it."""
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    """502; with `tls`, 802."""
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    """Unit id; 0 and 255 also are in use for devices without a gateway."""
    framing: FramingName = "tcp"
    """`rtu` for a device server that passes RTU frames on as they are on the serial line."""
    tls: Tls | None = None
    """Modbus/TCP Security. None: in clear."""
    serial: Annotated[str | None, Field(min_length=1)] = None
    """A serial port of this computer, in place of `host`."""
    baud: Annotated[int, Field(ge=300, le=4_000_000)] = 19_200
    parity: Parity = "E"
    stop_bits: Literal[1, 2] = 1
    map: Annotated[str, Field(min_length=1)]
    """A register map: the name of a shipped one, or a file."""
    identity: RegisterIdentity | None = None
    """What tells this machine from all others."""
    timeout_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0
    """How long one answer may take; Modbus devices answer within tens of milliseconds."""
    curves: bool = False
    """Whether the last shot's curves are read, where the map says that the device keeps any."""
    pause_ms: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    """Rest of the line before each request, where it needs more than the map says."""

    @field_validator("host")
    @classmethod
    def _bare(cls, host: str | None) -> str | None:
        if host is None:
            raise ValueError("should be a name or an address")
        if "/" in host or (":" in host and host.count(":") < 2) or host != host.strip():
            raise ValueError("should be a name or an address alone; the port is the key 'port'")
        return host

    @model_validator(mode="before")
    @classmethod
    def _secured_port(cls, found: object) -> object:
        if not isinstance(found, Mapping) or found.get("tls") is None:
            return found
        return found if "port" in found or "serial" in found else {**found, "port": SECURED_PORT}

    @model_validator(mode="after")
    def _answers(self) -> "ModbusSettings":
        if (self.host is None) == (self.serial is None):
            raise ValueError("should have either a 'host' or a 'serial' port")
        other, keys = ("host", OF_HOST) if self.serial else ("serial", OF_SERIAL)
        for key in keys:
            if key in self.model_fields_set:
                raise ValueError(f"should have no '{key}', which goes with a '{other}'")
        if self.place.framing == "rtu" and not 1 <= self.unit <= 247:
            raise ValueError(
                f"should have a 'unit' of 1 to 247, and not {self.unit}: nobody answers to 0 in "
                "RTU frames, which are for everybody then"
            )
        return self

    @property
    def credentials(self) -> Credentials | None:
        """What a secured connection rests on; None for one in clear."""
        return self.tls

    @property
    def place(self) -> Port | Serial:
        """Where the machine's line is."""
        if self.serial is not None:
            return Serial(self.serial, self.baud, self.parity, self.stop_bits)
        return Port(self.host or "", self.port, self.framing, self.tls is not None)

    @field_validator("cooling")
    @classmethod
    def _readable(cls, cooling: Cooling | None) -> Cooling | None:
        for key in ("event_field", "node"):
            if cooling is not None and getattr(cooling, key) is not None:
                raise ValueError(f"'{key}' is for OPC UA; here it is 'register'")
        return cooling


_SOUND = Condition()
UNNAMED = "nothing tells this device from another one"
"""What a person is told of a device that lacks the register its model is known by."""


class ModbusPress:
    """A press we are connected to; `open_press` makes one."""

    def __init__(
        self,
        station: Station,
        settings: ModbusSettings,
        registers: RegisterMap,
        known_by: str | None = None,
        unnamed: str = "",
    ) -> None:
        counter = registers.register("counter")
        latched = [each for each in registers.registers if each.latched and each is not counter]
        live = [each for each in registers.registers if not each.latched or each is counter]
        self._machine = settings.name
        self._live = Sweep(station, live, registers)
        self._counter = ShotCounter(station, counter, registers) if counter else None
        self._counter_at = live.index(counter) if counter else -1
        self._last_cycle: LastCycle | None = None
        curves = None
        if settings.curves and registers.curves is not None:
            curves = CurveBlocks(station, registers.curves, registers)
        if self._counter and latched:
            self._last_cycle = LastCycle(station, self._counter, latched, registers, curves)
        self._columns = tuple(register.column for register in live)
        kept = curves.columns if curves else ()
        self._report_columns = (*(register.column for register in latched), *kept)
        self._ticks = Ticks(settings.name, settings.poll_s)
        self._identity = {} if known_by is None else {KEY: known_by}
        self._unnamed = (unnamed,) if unnamed else ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The signals of its frames."""
        return self._columns

    @property
    def report_columns(self) -> tuple[Column, ...]:
        """The signals of its reports."""
        return self._report_columns

    @property
    def reports(self) -> bool:
        """Whether the map has values of the last cycle."""
        return self._last_cycle is not None

    @property
    def counter_modulus(self) -> int | None:
        """What the counter counts modulo, by the map."""
        return self._counter.register.modulus if self._counter else None

    @property
    def identity(self) -> Mapping[str, str]:
        """The value that is configured to be it; Modbus has no agreed place."""
        return self._identity

    @property
    def refused(self) -> tuple[Register, ...]:
        """Registers of the map that the device does not let us read."""
        per_cycle = self._last_cycle.refused if self._last_cycle else ()
        return (*self._live.refused, *per_cycle)

    @property
    def condition(self) -> Condition:
        """Which registers the device refuses, and how many polls it was too slow for."""
        refused, missed = self.refused, self._ticks.missed
        if not refused and not missed and not self._unnamed:
            return _SOUND
        signals = (f"{r.signal} at {r.source}: refused" for r in refused)
        return Condition(unavailable=(*self._unnamed, *signals), missed=missed)

    async def read(self) -> Frame:
        """Every live register once, now.

        Raises:
            RefusedError: the device refuses them all, or the counter from the beginning.
        """
        asked_at = datetime.now(UTC)
        values, qualities = await self._live.read()
        received_at = datetime.now(UTC)
        if self._live.refused:
            self._judge_refusals()
        if self._counter:
            count = await self._counter.sure(values[self._counter_at])
            if count != values[self._counter_at]:
                quality = Quality.BAD if count is None else Quality.GOOD
                values = _put(values, self._counter_at, count)
                qualities = _put(qualities, self._counter_at, quality)
        return Frame(
            machine=self._machine,
            columns=self._columns,
            values=values,
            qualities=qualities,
            asked_at=asked_at,
            received_at=received_at,
        )

    async def observations(self) -> AsyncIterator[Observation]:
        """A frame a tick, and a report after each shot."""
        while True:
            await self._ticks.next()
            frame = await self.read()
            yield frame
            if self._last_cycle:
                count = frame.values[self._counter_at]
                if isinstance(count, int):
                    report = await self._last_cycle.take(count, frame.received_at)
                    if report:
                        yield report

    def _judge_refusals(self) -> None:
        """Refuse a device that has nothing for us; live with one that lacks a few registers."""
        refused = self._live.refused
        if len(refused) == len(self._columns):
            what = "the device has none of the registers of the map"
            raise RefusedError(self._machine, f"{what} that are read at every tick")
        counter = self._counter
        if counter and counter.register in refused and not counter.seen:
            source = counter.register.source
            raise RefusedError(self._machine, f"the device has no counter at {source}")


def _put(items: tuple[T, ...], at: int, item: T) -> tuple[T, ...]:
    return (*items[:at], item, *items[at + 1 :])


def line_of(settings: ModbusSettings) -> Line:
    """The line that a machine is on; keep it, and what it has learned outlives its connections."""
    return line_at(settings.place)


@asynccontextmanager
async def open_press(
    settings: ModbusSettings, registers: RegisterMap, line: Line | None = None
) -> AsyncGenerator[ModbusPress]:
    """Connect, hand out the press, and close whatever happens.

    Args:
        settings: The machine.
        registers: Its map.
        line: As `line_of` gives it; whoever connects again and again keeps it.

    Raises:
        UnreachableError: nobody answers at the address, or not in time.
        RefusedError: the map has not the registers that the settings name.
        MistakenError: it is another machine than the one whose `identity` is configured.
    """
    name_register = registers.identity
    try:
        if settings.cooling and settings.cooling.register_:
            registers = with_cooling(registers, settings.cooling.register_)
        if settings.identity:
            name_register, registers = without_identity(registers, settings.identity.register_)
    except MapError as error:
        raise RefusedError(settings.name, str(error)) from error
    asker = Asker(
        machine=settings.name,
        unit=settings.unit,
        timeout_s=settings.timeout_s,
        connect_timeout_s=settings.connect_timeout_s,
        poll_s=settings.poll_s,
        pause_s=max(registers.pause_s, settings.pause_ms / 1000, settings.place.silence_s),
        proves=name_register is not None or settings.tls is not None,
        tls=settings.tls,
    )
    async with (line or line_of(settings)).join(asker) as station:
        known_by, unnamed = None, ""
        if name_register is not None:
            name = Sweep(station, [name_register], registers)
            source = f"{name_register.signal} at {name_register.source}"
            (found,), _ = await name.read()
            if name.refused and settings.identity is not None:
                raise RefusedError(settings.name, f"identity: {source}: refused")
            if name.refused:  # an older program of that model may not have its number yet
                unnamed = f"{source}: refused; {UNNAMED}"
            elif settings.identity is not None or found != "":  # its number may be left empty
                wanted = settings.identity.value if settings.identity else None
                known_by = proved(settings.name, source, found, wanted)

            async def prove() -> None:
                (found,), _ = await name.read()
                if known_by is not None:
                    proved(settings.name, source, found, known_by)

            station.prove = prove
        yield ModbusPress(station, settings, registers, known_by, unnamed)
