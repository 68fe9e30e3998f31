"""What we read of one machine of OPC 40077 by asking, and the table that it makes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from asyncua import ua

from drivers.browsing import Branch
from drivers.eventtype import UNITS
from drivers.imm import Places, injection_units, number_of, numbered, zones_of
from drivers.mappednode import MappedNode
from drivers.nodeid import CORE, NodeAddress
from drivers.observations import Column, Quality, Value
from drivers.points import Points, Shown
from drivers.scaling import IDENTITY, scaling
from drivers.session import Session
from drivers.signals import further, plausible
from drivers.units import unit_named, unit_of_id

FROM_MS = scaling(theirs=unit_named("ms"), ours="s")
CELSIUS = "°C"

SIMPLE: Mapping[str, tuple[str, ...]] = {
    "mode": ("MachineStatus", "MachineMode"),
    "production_status": ("MachineMESStatus", "ProductionControl", "ProductionStatus"),
    "job": ("Jobs", "ActiveJob", "JobName"),
    "resin": ("Jobs", "ActiveJob", "Material"),
    "lot": ("Jobs", "ActiveJobValues", "CurrentLotName"),
    "machine_counter": ("Jobs", "ActiveJobValues", "MachineCycleCounter"),
    "job_counter": ("Jobs", "ActiveJobValues", "JobCycleCounter"),
    "parts_counter": ("Jobs", "ActiveJobValues", "JobPartsCounter"),
    "expected_cycle_s": ("Jobs", "ActiveJob", "ExpectedCycleTime"),
    "parts_planned": ("Jobs", "ActiveJob", "NominalParts"),
    "cavities_open": ("Jobs", "ActiveJob", "NumCavities"),
}
"""Signals that are one variable each."""
PLANS = ("expected_cycle_s", "parts_planned", "cavities_open")
"""0 is what a machine shows where nobody has planned."""

MOLD_TEMPERATURES = {"ActualTemperature": "", "NominalTemperature": "set_"}

MOLD_ID = ("Jobs", "ActiveJob", "MouldId")


class UnitNode(MappedNode):
    """The EngineeringUnits of a variable: its number."""

    def value(self, raw: object) -> Value | None:
        """The UnitId; None where there is none."""
        found = getattr(raw, "UnitId", None)
        return found if isinstance(found, int) else None


@dataclass(frozen=True, slots=True)
class Reading:
    """What the machine shows at one instant."""

    values: tuple[Value | None, ...]
    """Aligned with the columns of the view."""
    qualities: tuple[Quality, ...]
    time: datetime | None
    """The newest of the machine's own times."""
    times: tuple[datetime | None, ...]
    """Its own time of each value; None where it says none."""
    asked_at: datetime | None
    """When we asked, by our clock."""
    states: Mapping[str, Value | None]
    """The variables behind the states, as the view names them."""
    units: Mapping[str, int]
    """UnitId of the temperatures that say one, by signal."""
    versions: tuple[Value | None, ...]
    """Of the containers: another means that something in them came or went."""


@dataclass(frozen=True, slots=True)
class _Zone:
    """A temperature, and perhaps its unit."""

    signal: str
    text: str
    """Its path, for a person."""
    actual: Branch
    mold: str = ""
    """The mold that it is part of: it counts while that mold is present."""

    @property
    def key(self) -> str:
        return f"raw:{self.mold}:{self.signal}"

    @property
    def unit_key(self) -> str:
        return f"unit:{self.mold}:{self.signal}"


class View:
    """What we read of a machine: its nodes as they were browsed, and the table they make."""

    def __init__(self, session: Session, root: Branch, places: Places) -> None:
        self._session = session
        self._root = root
        self.places = places
        self._molds = numbered(root.at("Moulds"), "Mould_")
        self._zones = list(self._find_zones())
        nodes = [*self._nodes()]
        self._at = {node.signal: at for at, node in enumerate(nodes)}
        self.points = Points(session, nodes)
        self.counter: str | None = None
        """Which counter numbers the cycles; None where the machine offers none to read."""
        self.columns: tuple[Column, ...] = ()

    async def find(self, counter: str | None = None) -> None:
        """Look the variables up, and settle which counter numbers the cycles.

        A counter of the machine's life that was never set is none.

        Args:
            counter: As settled before, in this connection.
        """
        await self.points.find()
        shown = dict(zip(self._at, (await self.points.read()).values, strict=True))
        machine, job = shown.get("machine_counter"), shown.get("job_counter")
        if counter is None and machine is not None and (machine or not job):
            counter = "machine_counter"
        elif counter is None and "job_counter" in self._at:
            counter = "job_counter"
        self.counter = counter if counter in self._at else None
        self.columns = tuple(self._columns(shown))

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the nodes behind the states, to be watched for changes."""
        names = ("mode", "production_status", "job", "lot")
        return tuple(name for name in self._at if name in names or name.startswith("mold:"))

    def state_of(self, values: Mapping[str, Value | None], name: str) -> tuple[str, Value | None]:
        """The state that a watched node belongs to, and what it is by the latest values."""
        return ("mold", self._mold(values)) if name.startswith("mold:") else (name, values[name])

    def node_id(self, name: str) -> ua.NodeId | None:
        """Id of one of the variables; None where the machine has it not."""
        at = self._at.get(name)
        return None if at is None else self.points.found[at]

    async def read(self) -> Reading:
        """Every signal once."""
        shown = await self.points.read()
        raw = {name: shown.values[at] for name, at in self._at.items()}
        good = {name: shown.qualities[at] for name, at in self._at.items()}
        zones = self._present_zones(raw)
        units = {
            signal: unit
            for signal, zone in zones.items()
            if isinstance(unit := raw.get(zone.unit_key), int)
        }
        pairs = [self._signal(column.signal, raw, good, zones) for column in self.columns]
        return Reading(
            values=tuple(value for value, _ in pairs),
            qualities=tuple(quality for _, quality in pairs),
            time=shown.time,
            times=tuple(self._time(column.signal, shown, zones) for column in self.columns),
            asked_at=shown.asked_at,
            states={name: raw[name] for name in self.states},
            units=units,
            versions=tuple(raw[name] for name in raw if name.startswith("version:")),
        )

    def _signal(
        self,
        signal: str,
        raw: Mapping[str, Value | None],
        good: Mapping[str, Quality],
        zones: Mapping[str, _Zone],
    ) -> tuple[Value | None, Quality]:
        if signal == "counter":
            return raw[self.counter or ""], good[self.counter or ""]
        if signal == "mold":
            mold = self._mold(raw)
            return mold, Quality.BAD if mold is None else Quality.GOOD
        if (zone := zones.get(signal)) is not None:
            return _celsius(signal, raw[zone.key], good[zone.key], raw.get(zone.unit_key))
        if signal not in raw or (signal in PLANS and raw[signal] == 0):
            return None, Quality.BAD
        return raw[signal], good[signal]

    def _time(self, signal: str, shown: Shown, zones: Mapping[str, _Zone]) -> datetime | None:
        if signal == "counter":
            signal = self.counter or ""
        elif (zone := zones.get(signal)) is not None:
            signal = zone.key
        at = self._at.get(signal)
        return None if at is None else shown.times[at]

    def _present_zones(self, values: Mapping[str, Value | None]) -> dict[str, _Zone]:
        """The zone that each temperature is of now; of several molds the first present is ours."""
        molds = [m for m in self._molds if values.get(f"mold:{m}:present") is not False]
        zones: dict[str, _Zone] = {}
        for zone in self._zones:
            if not zone.mold or [zone.mold] == molds[:1]:
                zones.setdefault(zone.signal, zone)
            elif zone.mold in molds:
                zones[further("mold", max(2, number_of(zone.mold)), zone.signal)] = zone
        return zones

    def _mold(self, values: Mapping[str, Value | None]) -> Value | None:
        """The mold of the job, or else the one that is present."""
        if (planned := values.get("mold:job")) is not None:
            return planned
        for name in self._molds:
            if values.get(f"mold:{name}:present") is not False and (
                found := values.get(f"mold:{name}")
            ):
                return found
        return None

    def _columns(self, raw: Mapping[str, Value | None]) -> Iterator[Column]:
        if self.counter:
            yield Column(signal="counter", source=self._source(self.counter))
        for signal in SIMPLE:
            if signal in self._at:
                unit = "ms" if signal == "expected_cycle_s" else None
                yield Column(signal=signal, source=self._source(signal), unit=unit)
        molds = [name for name in self._at if name.startswith("mold:") and name.count(":") == 1]
        if molds:
            yield Column(signal="mold", source=self._source(molds[0]))
        for signal, zone in self._present_zones(raw).items():
            unit_id = raw.get(zone.unit_key)
            known = unit_of_id(unit_id) if isinstance(unit_id, int) else None
            text = known.name if known else None
            yield Column(signal=signal, source=self._source(zone.key), unit=text)

    def _source(self, name: str) -> str:
        return self.points.nodes[self._at[name]].address.text

    def _nodes(self) -> Iterator[MappedNode]:
        for signal, path in SIMPLE.items():
            if branch := self._root.at(*path):
                yield self._node(signal, branch, "/".join(path))
        if branch := self._root.at(*MOLD_ID):
            yield self._node("mold:job", branch, "/".join(MOLD_ID))
        for name, mold in self._molds.items():
            if branch := mold.at("Id"):
                yield self._node(f"mold:{name}", branch, f"Moulds/{name}/Id")
            if branch := mold.at("IsPresent"):
                yield self._node(f"mold:{name}:present", branch, f"Moulds/{name}/IsPresent")
        for container in ("Moulds", "InjectionUnits"):
            if branch := self._root.at(container, "NodeVersion"):
                yield self._node(f"version:{container}", branch, f"{container}/NodeVersion")
        for zone in self._zones:
            yield self._node(zone.key, zone.actual, zone.text)
            if unit := zone.actual.at(UNITS):
                where = self._address(unit, f"{zone.text}/{UNITS}")
                yield UnitNode(signal=zone.unit_key, address=where, unit_from="map")

    def _node(self, name: str, branch: Branch, text: str) -> MappedNode:
        own = FROM_MS if name == "expected_cycle_s" else IDENTITY
        where = self._address(branch, text)
        return MappedNode(signal=name, address=where, scaling=own, unit_from="map")

    def _address(self, branch: Branch, text: str) -> NodeAddress:
        return address_of(self._session, branch, text)

    def _find_zones(self) -> Iterator[_Zone]:
        for rank, unit in enumerate(injection_units(self._root).values(), 1):
            number = 1 if rank == 1 else number_of(unit.name.Name)
            for zone_number, zone in sorted(zones_of(unit).items()):
                place = self.places.get((rank, zone_number), zone_number)
                if (actual := zone.at("ActualTemperature")) is not None:
                    signal = further("injection_unit", number, f"barrel_zone_{place}_c")
                    of = "barrel" if rank == 1 else f"{unit.name.Name} barrel"
                    yield _Zone(signal, f"{of} {zone.name.Name}", actual)
        for name, mold in self._molds.items():
            for at, (number, zone) in enumerate(sorted(zones_of(mold).items())):
                for field, infix in MOLD_TEMPERATURES.items():
                    if (temperature := zone.at(field)) is not None:
                        base = f"mold_temp_{infix}c" if at == 0 else f"mold_zone_{number}_{infix}c"
                        yield _Zone(base, f"{name} {zone.name.Name} {field}", temperature, name)


def address_of(session: Session, branch: Branch, text: str) -> NodeAddress:
    """Where a node that was browsed is, with its path for a person."""
    index = branch.node_id.NamespaceIndex
    uri = session.namespaces[index] if index < len(session.namespaces) else CORE
    return NodeAddress(uri, "", branch.node_id.Identifier, text)


def _celsius(
    signal: str, raw: Value | None, quality: Quality, unit_id: Value | None
) -> tuple[Value | None, Quality]:
    """A temperature in degrees Celsius, which is also what a machine without a unit means."""
    if not isinstance(raw, int | float):
        return None, quality
    unit = unit_of_id(unit_id) if isinstance(unit_id, int) else None
    value = float(raw)
    if unit is not None:
        try:
            value = scaling(theirs=unit, ours=CELSIUS)(value)
        except ValueError:
            return None, Quality.BAD  # a temperature in bar: the machine is set up wrong
    return value, quality if plausible(signal, value) else max(quality, Quality.UNCERTAIN)
