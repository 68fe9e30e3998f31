"""What the events of a simulated OPC 40077 machine hold."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from asyncua import ua
from asyncua.common.event_objects import BaseEvent

from simulators.listener import Change
from simulators.maker77 import (
    BARREL_ZONES,
    CLAMP_FORCE,
    INJECTION_TIMES,
    INJECTION_UNIT,
    INJECTION_VALUES,
    MAKER_TIMES,
    MOLD_CYCLE,
    MOLD_ZONE,
)
from simulators.modes import Mode, ProductionStatus, Quality
from simulators.mold import Mold
from simulators.nodes import boolean, double, number, text, texts, uint32, uint64
from simulators.press import Press
from simulators.shot import Shot
from simulators.units import engineering_units

MACHINE, OPERATOR = 1, 2
"""OPC 40083 EventOriginatorEnumeration."""

NO_PART, GOOD_PART, BAD_PART = 0, 1, 2
"""OPC 40083 CavityCycleQualityEnumeration."""

Fields = dict[str, ua.Variant]
"""Values of an event's fields, by browse names joined with `/`."""


def ms(seconds: float) -> ua.Variant:
    """A Duration: milliseconds as Double."""
    return double(round(seconds * 1000, 3))


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
                fields |= {
                    "OldValueUnit": engineering_units(unit),
                    "NewValueUnit": engineering_units(unit),
                }
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


def _put_analog(fields: Fields, path: str, value: float, unit: str) -> None:
    fields[path] = double(value)
    fields[f"{path}/EngineeringUnits"] = engineering_units(unit)


def _put_zone(fields: Fields, path: str, index: int, name: str, degrees: float) -> None:
    fields[f"{path}/Index"] = uint32(index)
    fields[f"{path}/Name"] = text(name)
    _put_analog(fields, f"{path}/ActualTemperature", degrees, "°C")
