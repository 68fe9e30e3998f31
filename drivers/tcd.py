"""Temperature control devices of OPC 40082-1 (EUROMAP 82.1): the water beside a press.

A device is no machine of its own here: what it shows joins the frames of the press whose mold it
keeps at temperature. Its methods are never called, and nothing is written.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Literal

from drivers.activeerrors import ErrorsNode
from drivers.browsing import Branch, branch_of, browse, grow, subtypes
from drivers.condition import Condition
from drivers.errors import RefusedError
from drivers.mappednode import MappedNode
from drivers.nodeid import CORE, NodeAddress
from drivers.observations import Change, Column, Frame, Notice, Observation, Value
from drivers.plastics import DEVICE_SET, TCD_TYPE, type_id
from drivers.points import Points, Shown
from drivers.polling import Ticks
from drivers.session import Session, SessionSettings, open_session
from drivers.uaerrors import LateError

DEPTH = 4
"""Device, DeviceZone, FlowRate, ActualValue, and its EngineeringUnits."""
FIND_S = 30.0
"""How often variables that were not there are looked for."""

SIGNALS_AT: Mapping[str, str] = {
    "DeviceZone/TemperatureMainLine": "coolant_in_c",
    "DeviceZone/TemperatureReturnLine": "coolant_out_c",
    "DeviceZone/FlowRate/ActualValue": "coolant_flow_l_min",
    "DeviceZone/PressureDifference/ActualValue": "coolant_pressure_difference_bar",
    "DeviceZone/Temperature/SetValue": "mold_temp_set_c",
    "DeviceZone/ExternalSensor/ActualValue": "mold_temp_c",
}
"""What is which signal, by path; the device regulates the mold, so its set value is the mold's."""
CONTROLLED = "DeviceZone/Temperature/ActualValue"
"""What it regulates: the main line, the return line, or a sensor; the next one says which."""
MEASURED_AT = ("DeviceZone", "InternalMeasuringPoint", "ValueAsText")
ERRORS = "Operation/ActiveErrors"
CARRIED = (
    CONTROLLED,
    "DeviceZone/TemperatureDifference/ActualValue",
    "DeviceZone/PressureMainLine",
    "DeviceZone/PressureReturnLine",
    "DeviceZone/PumpSpeed/ActualValue",
    "DeviceZone/ActualPumpSpeedRPM",
    "DeviceZone/ActualPumpPower",
    "DeviceZone/ActualProcessPower",
    "DeviceZone/ActualRegulationRatio",
    "Operation/OperatingMode",
    "Operation/HighestActiveAlarmSeverity",
    ERRORS,
    "Operation/HoursOfOperation",
)
"""What is carried as `TCD/` and the last name that says something."""
TOLD = ("TCD/OperatingMode", "TCD/HighestActiveAlarmSeverity", "TCD/ActiveErrors")
"""Of these, whose changes are told; a severity of 0 is no alarm, as is no text of errors."""

OPERATING_MODES = (
    "OTHER",
    "READY_TO_OPERATE",
    "NORMAL_OPERATION",
    "LEAK_STOPPER",
    "MOULD_EVACUATION",
    "PRESSURE_RELIEF",
    "COOLING",
    "SAFETY_COOLING",
    "ECO",
    "BOOST",
)
"""OPC 40082-1 OperatingModeEnumeration, by value."""


class TcdSettings(SessionSettings):
    """A device with `driver = "tcd"`."""

    driver: Literal["tcd"]
    serial: str | None = None
    """Which device, where the server has several: its serial number."""
    browse_name: str | None = None
    """Which device, where the server has several: its browse name."""


class TcdPress:
    """A device that we are connected to, in the shape of a press; `open_device` makes one."""

    reports = False
    report_columns: tuple[Column, ...] = ()
    counter_modulus: int | None = None

    def __init__(
        self, session: Session, settings: TcdSettings, points: Points, identity: Mapping[str, str]
    ) -> None:
        self._session = session
        self._settings = settings
        self._points = points
        self._ticks = Ticks(settings.name, settings.poll_s)
        self._columns = points.columns
        self._told: dict[str, Value] = {}
        self.identity = identity

    @property
    def columns(self) -> tuple[Column, ...]:
        """The signals of its frames."""
        return self._columns

    @property
    def condition(self) -> Condition:
        """Which variables are not there now."""
        return Condition(unavailable=self._points.unavailable, missed=self._ticks.missed)

    async def read(self) -> Frame:
        """Every signal once, now."""
        return self._frame(await self._points.read())

    async def observations(self) -> AsyncIterator[Observation]:
        """Frames at `poll_s`, and a notice where it is switched to another unit."""
        loop = asyncio.get_running_loop()
        find_at = loop.time() + FIND_S
        while True:
            await self._ticks.next()
            try:
                if loop.time() >= find_at:
                    find_at = loop.time() + FIND_S
                    if self._points.absent:
                        await self._points.find()
                shown = await self._points.read()
            except LateError:
                continue  # what it said last ages, and is left out when it is too old
            frame = self._frame(shown)
            for notice in (*self._unit_changes(), *self._changes(frame)):
                yield notice
            yield frame

    def _unit_changes(self) -> Iterator[Notice]:
        at = datetime.now(UTC)
        for change in self._points.units.changes():
            self._columns = self._points.columns
            yield change.told(self._session.machine, at)

    def _changes(self, frame: Frame) -> Iterator[Notice]:
        """What the device does otherwise than before, or complains of."""
        for signal in TOLD:
            now, before = frame.value(signal), self._told.get(signal)
            if now is None:
                continue
            self._told[signal] = now
            if before is not None and before != now:
                yield Notice(
                    machine=self._session.machine,
                    change=Change.MESSAGE,
                    name=signal,
                    old=before,
                    new=now,
                    at=frame.source_time or frame.received_at,
                    received_at=frame.received_at,
                )

    def _frame(self, shown: Shown) -> Frame:
        return Frame(
            machine=self._session.machine,
            columns=self._columns,
            values=tuple(shown.values),
            qualities=tuple(shown.qualities),
            source_time=shown.time,
            source_times=tuple(shown.times),
            received_at=datetime.now(UTC),
        )


@asynccontextmanager
async def open_device(settings: TcdSettings) -> AsyncGenerator[TcdPress]:
    """Connect, hand out the device, and close whatever happens.

    Raises:
        UnreachableError: nobody answers, or not in time.
        RefusedError: it says no, or has no such device, or several and nobody said which.
    """
    async with open_session(settings) as session:
        found = await find_devices(session)
        root = _chosen(settings, {name: said for name, (_, said) in found.items()})
        device, identity = found[root]
        points = Points(session, await _nodes(session, device))
        await points.find()
        await points.read()
        yield TcdPress(session, settings, points, identity)


async def find_devices(session: Session) -> dict[str, tuple[Branch, dict[str, str]]]:
    """Every temperature control device below DeviceSet, by browse name, with what it is."""
    wanted, devices = type_id(session, TCD_TYPE), type_id(session, DEVICE_SET)
    if wanted is None or devices is None:
        return {}
    types = {wanted, *await subtypes(session, [wanted])}
    below = (await browse(session, [devices]))[0]
    roots = [branch_of(ref) for ref in below if ref.TypeDefinition in types]
    await grow(session, roots, DEPTH)
    return {str(root.name.Name): (root, await _identity(session, root)) for root in roots}


def _chosen(settings: TcdSettings, found: Mapping[str, Mapping[str, str]]) -> str:
    """Browse name of the device that is meant."""
    if not found:
        raise RefusedError(
            settings.name, "the server has no temperature control device of OPC 40082-1"
        )
    chosen = [
        name
        for name, said in found.items()
        if settings.serial in (None, said.get("serial")) and settings.browse_name in (None, name)
    ]
    if len(chosen) == 1:
        return chosen[0]
    listed = "; ".join(
        f"browse_name = {name!r}, serial = {said.get('serial', '')!r}"
        for name, said in found.items()
    )
    how = "has none of that name" if not chosen else "has several devices; say which, by one of"
    raise RefusedError(settings.name, f"the server {how}: {listed}")


async def _identity(session: Session, root: Branch) -> dict[str, str]:
    names = {"manufacturer": "Manufacturer", "model": "Model", "serial": "SerialNumber"}
    found = {
        key: branch for key, name in names.items() if (branch := root.at("Identification", name))
    }
    answers = await session.read([branch.node_id for branch in found.values()])
    said = {}
    for key, answer in zip(found, answers, strict=True):
        raw = answer.Value.Value if answer.StatusCode.is_good() and answer.Value else None
        if text := str(getattr(raw, "Text", raw) or "").strip():
            said[key] = text
    return said


async def _nodes(session: Session, root: Branch) -> list[MappedNode]:
    """What is read of a device, in a sure order."""
    signals = {path: name for path, name in SIGNALS_AT.items() if root.at(*path.split("/"))}
    line = await _regulated_line(session, root)
    if line is not None and line not in signals.values():
        signals[CONTROLLED] = line
    for path in CARRIED:
        if path not in signals and root.at(*path.split("/")):
            steps = [step for step in path.split("/")[1:] if step != "ActualValue"]
            signals[path] = f"TCD/{steps[-1]}"
    return [_node(session, root, path, signal) for path, signal in signals.items()]


async def _regulated_line(session: Session, root: Branch) -> str | None:
    """Which line the regulated temperature is of, by the device's own words; None where unsaid."""
    branch = root.at(*MEASURED_AT)
    if branch is None:
        return None
    answer = (await session.read([branch.node_id]))[0]
    raw = answer.Value.Value if answer.StatusCode.is_good() and answer.Value else None
    text = str(getattr(raw, "Text", raw) or "").lower()
    if "return" in text:
        return "coolant_out_c"
    return "coolant_in_c" if "main" in text else None


def _node(session: Session, root: Branch, path: str, signal: str) -> MappedNode:
    branch = root.at(*path.split("/"))
    assert branch is not None
    index = branch.node_id.NamespaceIndex
    uri = session.namespaces[index] if index < len(session.namespaces) else CORE
    where = NodeAddress(uri, "", branch.node_id.Identifier, f"{root.name.Name}/{path}")
    words = OPERATING_MODES if path.endswith("/OperatingMode") else ()
    made = ErrorsNode if path == ERRORS else MappedNode
    return made(
        signal=signal,
        address=where,
        states={str(number): word for number, word in enumerate(words)},
    )
