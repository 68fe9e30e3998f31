"""What the logbook events of a simulated OPC 40077 machine hold."""

from asyncua import ua

from simulators.euromap77.maker import LOGS
from simulators.euromap77.standstill import Standstill
from simulators.euromap77.types import MAKER
from simulators.listener import Change
from simulators.modes import Mode, ProductionStatus
from simulators.mold import Mold
from simulators.opcua.event import Fields
from simulators.opcua.nodes import boolean, double, number, text, uint64
from simulators.opcua.units import Measures
from simulators.press import Press

MACHINE, OPERATOR = 1, 2
"""OPC 40083 EventOriginatorEnumeration."""

LOGGED = {"mode": "mode", "production": "production", "parameter": "parameter"} | dict.fromkeys(
    ("mold", "dataset"), "dataset"
)
"""Kinds of changes that are logged, and as what."""

_UNITS = (("_s", "s"), ("_bar", "bar"), ("_mm", "mm"), ("_kn", "kN"), ("_c", "°C"))
"""The end of a set point's name and the unit that it is counted in."""


def log_type(logged: str) -> ua.NodeId:
    """The maker's event type of one of the kinds of logs."""
    return ua.NodeId(LOGS[logged][0], MAKER)


def log_fields(press: Press, change: Change, measures: Measures) -> Fields:
    """What the logbook event of one change holds, besides what every event has."""
    old, new = change.old, change.new
    fields = _common(press, change.who)
    match change.kind:
        case "mode":
            fields |= {"OldMachineMode": number(old), "NewMachineMode": number(new)}
        case "production":
            fields |= {"OldProductionStatus": number(old), "NewProductionStatus": number(new)}
        case "mold" | "dataset":
            fields["OldProductionDatasetName"] = text(_dataset(old))
            fields["NewProductionDatasetName"] = text(_dataset(new))
        case "parameter":
            fields |= _parameter(change, measures)
    return fields


def standstill_fields(press: Press, reason: Standstill) -> Fields:
    """What the logbook event of a new reason holds, besides what every event has."""
    return _common(press, reason.who) | {"StandstillReasonId": text(reason.id)}


def message_fields(press: Press, reason: Standstill) -> Fields:
    """What the logbook event of a message holds, besides what every event has."""
    return _common(press, "") | {
        "Id": text(reason.id),
        "Classification": number(reason.classification),
        "IsStandstillMessage": boolean(True),
    }


def words(change: Change) -> str:
    """The event's text, for a person at a logbook."""
    match change.old, change.new:
        case Mode() | ProductionStatus() as old, new:
            return f"{change.name}: {old.name} to {new.name}"
        case old, new if LOGGED[change.kind] == "dataset":
            return f"Data set changed from {_dataset(old)} to {_dataset(new)}"
        case old, new:
            return f"{change.name}: {old} to {new}"


def _common(press: Press, who: str) -> Fields:
    return {
        "EventOriginator": number(OPERATOR if who else MACHINE),
        "JobCycleCounter": uint64(press.counters.job),
        "User/Id": text(who),
        "User/Name": text(who),
        "User/IsPresent": boolean(bool(who)),
    }


def _parameter(change: Change, measures: Measures) -> Fields:
    fields = {"ParameterId": text(change.name)}
    counted_in = next((unit for end, unit in _UNITS if change.name.endswith(end)), None)
    if counted_in is None:
        return fields | {"OldValue": double(change.old), "NewValue": double(change.new)}
    unit = measures.unit(counted_in)
    return fields | {
        "OldValue": double(unit.shown(change.old)),
        "NewValue": double(unit.shown(change.new)),
        "OldValueUnit": unit.variant,
        "NewValueUnit": unit.variant,
    }


def _dataset(of: Mold | str) -> str:
    """Name of a production data set, or of the one that the control keeps for a mold."""
    return of if isinstance(of, str) else f"{of.id} {of.revision}"
