"""The simulated maker's event types and what one event of each holds.

OPC 40083 leaves the cycle event abstract: each maker derives its own and adds what the standard has
no field for. Here that is the cooling time, above all.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from asyncua import ua
from asyncua.common.event_objects import BaseEvent

from simulators.modes import Mode, ProductionStatus, Quality
from simulators.mold import Mold
from simulators.nodes import (
    ANALOG_ITEM,
    DATA_VARIABLE,
    PROPERTY,
    Nodes,
    boolean,
    double,
    number,
    text,
    texts,
    uint32,
    uint64,
)
from simulators.press import Change, Press
from simulators.shot import Shot
from simulators.types77 import (
    CYCLE_EVENT,
    DATA_TYPES,
    EU_INFORMATION,
    FIELDS,
    GT,
    IMM,
    INJECTION_UNIT_PARAMETERS,
    MAKER,
    MOLD_PARAMETERS,
    RANGE,
    ZONE_PARAMETERS,
    Field,
    placeholder,
)

UNITS_URI = "http://www.opcfoundation.org/UA/units/un/cefact"
BARREL_ZONES = 4


def _unit(code: str, name: str) -> ua.EUInformation:
    unit = ua.EUInformation()
    unit.NamespaceUri = UNITS_URI
    unit.UnitId = int.from_bytes(code.encode("ascii"), "big")
    unit.DisplayName = unit.Description = ua.LocalizedText(name)
    return unit


UNITS: Mapping[str, ua.EUInformation] = {
    "bar": _unit("BAR", "bar"),
    "mm": _unit("MMT", "mm"),
    "cm³": _unit("CMQ", "cm³"),
    "kN": _unit("B47", "kN"),
    "°C": _unit("CEL", "°C"),
    "s": _unit("SEC", "s"),
}
"""Engineering units as OPC UA carries them (UNECE Recommendation 20)."""

EVENT_TYPE = ua.NodeId("SprueSimCycleParametersEventType", MAKER)
INJECTION_TYPE = ua.NodeId("SprueSimInjectionUnitCycleParametersType", MAKER)
MOLD_TYPE = ua.NodeId("SprueSimMouldCycleParametersType", MAKER)
INJECTION_UNIT = "InjectionUnitCycleParameters_1"
MOLD_CYCLE = "MouldCycleParameters_1"
MOLD_ZONE = "MouldTemperatureZone_1"

INJECTION_TIMES: Mapping[str, str] = {
    "InjectionTime": "fill_time_s",
    "DosingTime": "recovery_time_s",
}
INJECTION_VALUES: Mapping[str, tuple[str, str]] = {
    "PlastificationVolume": ("shot_volume_cm3", "cm³"),
    "CushionVolume": ("cushion_cm3", "cm³"),
    "SpecificPressureMaximum": ("injection_pressure_peak_bar", "bar"),
    "CushionStroke": ("cushion_mm", "mm"),
    "BackPressure": ("back_pressure_bar", "bar"),
    "CavityPressureMaximum": ("cavity_pressure_peak_bar", "bar"),
    "HoldSpecificPressureAverage": ("hold_pressure_bar", "bar"),
    "TransferSpecificPressure": ("transfer_pressure_bar", "bar"),
    "TransferStroke": ("transfer_position_mm", "mm"),
    "VPChangeOverPosition": ("transfer_position_mm", "mm"),
}
"""Standard field of the injection unit: signal, unit."""

MAKER_TIMES: Mapping[str, str] = {
    "CoolingTime": "cooling_time_s",
    "HoldTime": "hold_time_s",
    "MouldOpenTime": "mold_open_time_s",
    "MouldCloseTime": "mold_close_time_s",
    "EjectionTime": "ejection_time_s",
    "PauseTime": "pause_time_s",
    "CoolingTimeSet": "cooling_time_set_s",
}
"""The maker's own fields at the top of the event, Durations."""

CLAMP_FORCE = "ClampForce"

CYCLE_OPTIONS = frozenset({"MachineCycleCounter", "CavityCycleQuality", "PartId"})
"""Optional fields of the standard that this maker's event has."""

LOGS: Mapping[str, tuple[str, int]] = {
    "mode": ("SprueSimMachineModeChangeLogType", 1014),
    "production": ("SprueSimProductionStatusChangeLogType", 1044),
    "mold": ("SprueSimProductionDatasetChangeLogType", 1012),
    "parameter": ("SprueSimParameterChangeLogType", 1010),
}
"""By kind of change: the maker's type and the standard's (in GeneralTypes) that it derives from."""

MACHINE, OPERATOR = 1, 2
"""OPC 40083 EventOriginatorEnumeration."""

NO_PART, GOOD_PART, BAD_PART = 0, 1, 2
"""OPC 40083 CavityCycleQualityEnumeration."""

Fields = dict[str, ua.Variant]
"""Values of an event's fields, by browse names joined with `/`."""


def ms(seconds: float) -> ua.Variant:
    """A Duration: milliseconds as Double."""
    return double(round(seconds * 1000, 3))


def build_event_types(nodes: Nodes, *, machine_counter: bool = True) -> None:
    """Add the maker's event types to a server."""
    nodes.object_type(INJECTION_TYPE, _own(INJECTION_TYPE), INJECTION_UNIT_PARAMETERS)
    nodes.object_type(MOLD_TYPE, _own(MOLD_TYPE), MOLD_PARAMETERS)
    nodes.object_type(EVENT_TYPE, _own(EVENT_TYPE), CYCLE_EVENT)
    build = _Builder(nodes)
    offered = CYCLE_OPTIONS if machine_counter else CYCLE_OPTIONS - {"MachineCycleCounter"}
    for field in FIELDS[CYCLE_EVENT]:
        if isinstance(field, Field) and field.name in offered:
            build.field(EVENT_TYPE, GT, field)
    for name in MAKER_TIMES:
        build.field(EVENT_TYPE, MAKER, Field(0, name, "Duration"))
    build.analog(EVENT_TYPE, MAKER, CLAMP_FORCE, "kN")
    unit = build.part(EVENT_TYPE, IMM, INJECTION_UNIT, INJECTION_TYPE)
    build.field(unit, IMM, Field(0, "Index", "UInt32"))
    for name in INJECTION_TIMES:
        build.field(unit, IMM, Field(0, name, "Duration", component=True))
    for name, (_, measure) in INJECTION_VALUES.items():
        build.analog(unit, IMM, name, measure)
    for zone in range(1, BARREL_ZONES + 1):
        build.zone(unit, IMM, f"BarrelTemperatureZoneCycleParameters_{zone}")
    mold = build.part(EVENT_TYPE, GT, MOLD_CYCLE, MOLD_TYPE)
    build.field(mold, GT, Field(0, "Index", "UInt32"))
    build.zone(mold, GT, MOLD_ZONE)
    for name, parent in LOGS.values():
        node = ua.NodeId(name, MAKER)
        nodes.object_type(node, _own(node), ua.NodeId(parent, GT))


def cycle_fields(press: Press, shot: Shot, *, machine_counter: bool = True) -> Fields:
    """What the cycle event of one shot holds, besides what every event has."""
    counters, values = press.counters, shot.values
    fields: Fields = {
        "JobName": text(shot.job.name),
        "JobStatus": number(job_status(press)),
        "CurrentLotName": text(shot.job.lot),
        "JobCycleCounter": uint64(shot.job_counter),
        "CycleTime": ms(values["cycle_time_s"]),
        "CycleQuality": number(shot.quality),
        "CavityCycleQuality": _cavities(shot),
        "PartId": texts(_part_ids(shot)),
        "JobPartsCounter": uint64(counters.good + counters.bad),
        "JobGoodPartsCounter": uint64(counters.good),
        "JobBadPartsCounter": uint64(counters.bad),
        "JobTestSamplesCounter": uint64(0),
        f"{INJECTION_UNIT}/Index": uint32(1),
        f"{MOLD_CYCLE}/Index": uint32(1),
    }
    if machine_counter:
        fields["MachineCycleCounter"] = uint64(shot.counter)
    for name, signal in MAKER_TIMES.items():
        fields[name] = ms(values[signal])
    for name, signal in INJECTION_TIMES.items():
        fields[f"{INJECTION_UNIT}/{name}"] = ms(values[signal])
    _put_analog(fields, CLAMP_FORCE, values["clamp_force_kn"], "kN")
    for name, (signal, unit) in INJECTION_VALUES.items():
        _put_analog(fields, f"{INJECTION_UNIT}/{name}", values[signal], unit)
    for zone in range(1, BARREL_ZONES + 1):
        path = f"{INJECTION_UNIT}/BarrelTemperatureZoneCycleParameters_{zone}"
        _put_zone(fields, path, zone, f"Barrel {zone}", values[f"barrel_zone_{zone}_c"])
    _put_zone(fields, f"{MOLD_CYCLE}/{MOLD_ZONE}", 1, "Mould 1", values["mold_temp_c"])
    return fields


def log_fields(press: Press, change: Change) -> Fields:
    """What the logbook event of one change holds, besides what every event has."""
    old, new = change.old, change.new
    fields: Fields = {
        "EventOriginator": number(OPERATOR if change.who else MACHINE),
        "JobCycleCounter": uint64(press.counters.job),
        "User/Id": text(change.who),
        "User/Name": text(change.who),
        "User/IsPresent": boolean(bool(change.who)),
    }
    match change.kind:
        case "mode":
            fields |= {"OldMachineMode": number(old), "NewMachineMode": number(new)}
        case "production":
            fields |= {"OldProductionStatus": number(old), "NewProductionStatus": number(new)}
        case "mold":
            fields["OldProductionDatasetName"] = text(dataset(old))
            fields["NewProductionDatasetName"] = text(dataset(new))
        case "parameter":
            fields |= {"OldValue": double(old), "NewValue": double(new)}
            fields["ParameterId"] = text(change.name)
            if unit := _unit_of(change.name):
                fields |= {"OldValueUnit": _eu(unit), "NewValueUnit": _eu(unit)}
    return fields


def message(change: Change) -> str:
    """The event's text, for a person at a logbook."""
    match change.old, change.new:
        case Mode() | ProductionStatus() as old, new:
            return f"{change.name}: {old.name} to {new.name}"
        case Mold() as old, new:
            return f"Data set changed from {dataset(old)} to {dataset(new)}"
        case old, new:
            return f"{change.name}: {old} to {new}"


@dataclass(frozen=True, slots=True)
class Source:
    """Where an event comes from: the machine's root object."""

    node: ua.NodeId
    name: str


def event(
    kind: ua.NodeId, source: Source, at: datetime, words: str, fields: Mapping[str, ua.Variant]
) -> BaseEvent:
    """An event, ready to be given to a server's subscriptions."""
    made = BaseEvent()
    made.EventId = uuid.uuid4().bytes
    made.EventType = kind
    made.emitting_node = made.SourceNode = source.node
    made.SourceName = source.name
    made.Time = at
    made.ReceiveTime = datetime.now(UTC)
    made.Message = ua.LocalizedText(words)
    made.Severity = 100
    for name, value in fields.items():
        made.add_property(name, value.Value, value.VariantType)
    return made


def job_status(press: Press) -> int:
    """OPC 40083 JobStatusEnumeration: JOB_IN_PRODUCTION or JOB_INTERRUPTED."""
    return 6 if press.running else 7


def dataset(mold: Mold) -> str:
    """Name of the production data set that a press keeps for a mold."""
    return f"{mold.id} {mold.revision}"


def _cavities(shot: Shot) -> ua.Variant:
    made = GOOD_PART if shot.quality is Quality.GOOD else BAD_PART
    each = NO_PART if shot.closing == "dry" else made
    return ua.Variant([each] * shot.mold.cavities, ua.VariantType.Int32, is_array=True)


def _part_ids(shot: Shot) -> list[str]:
    if shot.closing == "dry":
        return []
    return [f"{shot.machine}-{shot.counter}-{n}" for n in range(1, shot.mold.cavities + 1)]


def _unit_of(signal: str) -> str | None:
    for end, unit in (("_s", "s"), ("_bar", "bar"), ("_mm", "mm"), ("_kn", "kN"), ("_c", "°C")):
        if signal.endswith(end):
            return unit
    return None


def _eu(unit: str) -> ua.Variant:
    return ua.Variant(UNITS[unit], ua.VariantType.ExtensionObject)


def _put_analog(fields: Fields, path: str, value: float, unit: str) -> None:
    fields[path] = double(value)
    fields[f"{path}/EngineeringUnits"] = _eu(unit)


def _put_zone(fields: Fields, path: str, index: int, name: str, degrees: float) -> None:
    fields[f"{path}/Index"] = uint32(index)
    fields[f"{path}/Name"] = text(name)
    _put_analog(fields, f"{path}/ActualTemperature", degrees, "°C")


def _own(node: ua.NodeId) -> ua.QualifiedName:
    return ua.QualifiedName(node.Identifier, MAKER)


class _Builder:
    """Adds the children of the maker's event type; their ids are their paths."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    def field(self, parent: ua.NodeId, index: int, field: Field) -> ua.NodeId:
        node = _below(parent, field.name)
        self._nodes.variable(
            node,
            ua.QualifiedName(field.name, index),
            parent,
            placeholder(field.type, array=field.array),
            DATA_TYPES[field.type],
            DATA_VARIABLE if field.component else PROPERTY,
        )
        self._nodes.rule(node, optional=False)
        return node

    def analog(self, parent: ua.NodeId, index: int, name: str, unit: str) -> None:
        node = _below(parent, name)
        self._nodes.variable(
            node,
            ua.QualifiedName(name, index),
            parent,
            double(0),
            DATA_TYPES["Double"],
            ANALOG_ITEM,
        )
        self._nodes.rule(node, optional=False)
        add_analog_properties(self._nodes, node, unit)

    def part(self, parent: ua.NodeId, index: int, name: str, kind: ua.NodeId) -> ua.NodeId:
        node = _below(parent, name)
        self._nodes.object(node, ua.QualifiedName(name, index), parent, kind)
        self._nodes.rule(node, optional=False)
        return node

    def zone(self, parent: ua.NodeId, index: int, name: str) -> None:
        node = self.part(parent, index, name, ZONE_PARAMETERS)
        self.field(node, GT, Field(0, "Index", "UInt32"))
        self.field(node, GT, Field(0, "Name", "String"))
        self.analog(node, GT, "ActualTemperature", "°C")


def add_analog_properties(nodes: Nodes, node: ua.NodeId, unit: str) -> None:
    """EngineeringUnits and EURange of an AnalogItem."""
    wide = ua.Range()
    wide.Low, wide.High = -1e5, 1e5
    nodes.variable(
        _below(node, "EngineeringUnits"),
        ua.QualifiedName("EngineeringUnits", 0),
        node,
        _eu(unit),
        EU_INFORMATION,
    )
    nodes.variable(
        _below(node, "EURange"),
        ua.QualifiedName("EURange", 0),
        node,
        ua.Variant(wide, ua.VariantType.ExtensionObject),
        RANGE,
    )


def _below(parent: ua.NodeId, name: str) -> ua.NodeId:
    return ua.NodeId(f"{parent.Identifier}.{name}", MAKER)
