"""What a press looks like below DeviceSet, branch by branch (OPC 40077, OPC 40083)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from asyncua import ua

from simulators.euromap77.cycleevent import STAND_BY_C, job_status
from simulators.euromap77.maker import BARREL_ZONES
from simulators.euromap77.options import Options
from simulators.euromap77.panel import Panel
from simulators.euromap77.standstill import known_reasons
from simulators.euromap77.tree import Tree
from simulators.euromap77.types import DI, GT, IMM
from simulators.opcua.nodes import DATA_VARIABLE
from simulators.press import Press

MANUFACTURER = "SprueSim"
CONTROLLER = "SprueSim C1"
DEVICE_CLASS = "Injection Moulding Machine"
LOCATION = "Hall A"
MOLDS = "Moulds"
MOLD_TYPE = ua.NodeId(1029, GT)
MOLD_CHANGE, MOLD_INSTALLED = 2, 3
"""OPC 40083 MouldStatusEnumeration."""
LOGBOOK_EVENTS = [0, 4, 5, 6, 8, 9]
"""PARAMETER_CHANGE, MACHINE_MODE_CHANGE, PRODUCTION_STATUS_CHANGE, PRODUCTION_DATASET_CHANGE,
STANDSTILL_REASON, MESSAGE."""


def build_machine(tree: Tree, press: Press, options: Options, panel: Panel) -> None:
    """Add the branches of one machine below its root; its mold is added by `build_mold`."""
    _information(tree, press)
    _configuration(tree, press)
    _status(tree, press)
    _mes_status(tree, press, panel)
    _injection_units(tree, press, options)
    _power_units(tree)
    tree.container(MOLDS, IMM, ua.NodeId(1050, GT), events=True, version=panel.mold_nodes)
    if options.jobs:
        _job(tree, press)
        _job_values(tree, press, machine_counter=options.machine_counter)


def build_mold(tree: Tree, press: Press, path: str, number: int) -> None:
    """Add the node of the mold that is on."""
    at = tree.object(path, GT, MOLD_TYPE)
    tree.fixed(f"{at}/Index", GT, "UInt32", number)
    tree.shows(f"{at}/Id", GT, "String", lambda: press.mold_shown.id)
    tree.shows(f"{at}/Description", GT, "String", lambda: press.mold_shown.part)
    tree.shows(f"{at}/IsPresent", GT, "Boolean", lambda: press.has_mold)
    status = f"{at}/MouldStatus"
    tree.shows(status, GT, "MouldStatusEnumeration", lambda: _mold_status(press))
    zones = tree.container(f"{at}/TemperatureZones", GT, ua.NodeId(1055, GT))
    tree.zone(
        f"{zones}/TemperatureZone_1",
        1034,
        "Mould 1",
        lambda: press.levels["mold_temp_c"],
        lambda: press.program.mold_temp_set_c,
    )


def _mold_status(press: Press) -> int:
    return MOLD_INSTALLED if press.has_mold else MOLD_CHANGE


def _information(tree: Tree, press: Press) -> None:
    at = tree.object("MachineInformation", IMM, ua.NodeId(1009, GT))
    tree.fixed(f"{at}/Manufacturer", DI, "LocalizedText", MANUFACTURER)
    tree.fixed(f"{at}/Model", DI, "LocalizedText", model(press))
    tree.fixed(f"{at}/SerialNumber", DI, "String", press.name)
    tree.fixed(f"{at}/DeviceClass", DI, "String", DEVICE_CLASS)
    tree.fixed(f"{at}/SoftwareRevision", DI, "String", "1.0")
    tree.fixed(f"{at}/ControllerName", GT, "String", CONTROLLER)
    events = ua.Variant(LOGBOOK_EVENTS, ua.VariantType.Int32, is_array=True)
    tree.fixed(f"{at}/SupportedLogbookEvents", GT, "LogbookEventsEnumeration", events)


def model(press: Press) -> str:
    """Of the machine."""
    return f"Sim {press.setup.tonnage}"


def _configuration(tree: Tree, press: Press) -> None:
    at = tree.object("MachineConfiguration", IMM, ua.NodeId(1016, GT))
    tree.fixed(f"{at}/UserMachineName", GT, "String", press.name, writable=True)
    tree.fixed(f"{at}/LocationName", GT, "String", LOCATION, writable=True)
    zone = ua.Variant(ua.TimeZoneDataType(), ua.VariantType.ExtensionObject)
    tree.fixed(f"{at}/TimeZoneOffset", GT, "TimeZoneDataType", zone, writable=True)
    at = tree.object("MachineMESConfiguration", IMM, ua.NodeId(1018, GT))
    reasons = f"{at}/StandstillReasons"
    tree.fixed(reasons, GT, "StandstillReasonType", known_reasons(), writable=True)
    tree.fixed(f"{at}/StandstillReasonsLockedByMES", GT, "Boolean", False, writable=True)


def _status(tree: Tree, press: Press) -> None:
    at = tree.object("MachineStatus", IMM, ua.NodeId(1019, GT))
    tree.fixed(f"{at}/IsPresent", GT, "Boolean", True)
    tree.shows(f"{at}/MachineMode", GT, "MachineModeEnumeration", lambda: press.mode)
    tree.container(f"{at}/Users", GT, ua.NodeId(1048, GT))


def _mes_status(tree: Tree, press: Press, panel: Panel) -> None:
    at = tree.object("MachineMESStatus", IMM, ua.NodeId(1020, GT))
    tree.shows(f"{at}/StandstillReasonId", GT, "String", lambda: panel.standstill.id)
    stop = tree.object(f"{at}/StandstillMessage", GT, ua.NodeId(1026, GT))
    tree.shows(f"{stop}/Id", GT, "String", lambda: panel.standstill.id)
    tree.shows(f"{stop}/Message", 0, "LocalizedText", lambda: panel.standstill.text)
    tree.shows(f"{stop}/Severity", 0, "UInt16", lambda: panel.standstill.severity)
    kind = f"{stop}/Classification"
    tree.shows(kind, GT, "Enumeration", lambda: panel.standstill.classification)
    said = tree.object(f"{at}/MESMessage", GT, ua.NodeId(1051, GT))
    tree.fixed(f"{said}/Id", GT, "String", "")
    tree.fixed(f"{said}/Message", GT, "String", "")
    tree.fixed(f"{said}/Severity", 0, "UInt16", 0)
    control = tree.object(f"{at}/ProductionControl", GT, ua.NodeId(1017, GT))
    status = f"{control}/ProductionStatus"
    tree.shows(status, GT, "ProductionStatusEnumeration", lambda: press.status)
    tree.fixed(f"{control}/ProductionReleasedByMES", GT, "Boolean", True, writable=True)
    tree.fixed(f"{control}/AutomaticRunEnabled", GT, "Boolean", True)


def _injection_units(tree: Tree, press: Press, options: Options) -> None:
    units = tree.container("InjectionUnits", IMM, ua.NodeId(1016, IMM))
    at = _injection_unit(tree, press, f"{units}/InjectionUnit_1", 1)
    for zone in range(1, BARREL_ZONES + 1):
        _barrel_zone(
            tree,
            f"{at}/TemperatureZone_{zone}",
            f"Barrel {zone}",
            partial(_barrel_c, press, zone),
            partial(_barrel_set_c, press, zone),
        )
    if options.injection_units == 2:
        at = _injection_unit(tree, press, f"{units}/InjectionUnit_2", 2)
        for zone in range(1, BARREL_ZONES + 1):
            path = f"{at}/TemperatureZone_{zone}"
            _barrel_zone(tree, path, f"Barrel 2.{zone}", _stand_by, _stand_by)


def _injection_unit(tree: Tree, press: Press, path: str, number: int) -> str:
    """One unit, of which only the first is in production; the path of its temperature zones."""
    at = tree.object(path, IMM, ua.NodeId(1028, IMM))
    tree.fixed(f"{at}/Index", IMM, "UInt32", number)
    tree.fixed(f"{at}/BarrelId", IMM, "String", f"D{press.program.screw_mm:.0f}")
    tree.fixed(f"{at}/IsPresent", IMM, "Boolean", True)
    tree.fixed(f"{at}/InProduction", IMM, "Boolean", number == 1)
    tree.analog(f"{at}/ScrewDiameter", IMM, "mm", lambda: press.program.screw_mm)
    return tree.container(f"{at}/TemperatureZones", IMM, ua.NodeId(1055, GT))


def _barrel_c(press: Press, zone: int) -> float:
    return press.levels[f"barrel_zone_{zone}_c"]


def _barrel_set_c(press: Press, zone: int) -> float:
    return press.program.barrel_c[zone - 1]


def _stand_by() -> float:
    return STAND_BY_C


def _barrel_zone(
    tree: Tree, path: str, name: str, actual: Callable[[], float], nominal: Callable[[], float]
) -> None:
    tree.zone(path, 1001, name, actual, nominal)
    tree.fixed(f"{path}/Position", GT, "UInt32", int(path.rpartition("_")[2]))


def _power_units(tree: Tree) -> None:
    power = tree.container("PowerUnits", IMM, ua.NodeId(1049, GT))
    at = tree.object(f"{power}/PowerUnit_1", GT, ua.NodeId(1036, GT))
    tree.fixed(f"{at}/Index", GT, "UInt32", 1)
    tree.fixed(f"{at}/Id", GT, "String", "Drive 1")
    tree.fixed(f"{at}/IsPresent", GT, "Boolean", True)
    tree.fixed(f"{at}/PowerOn", GT, "Boolean", True)


def _job(tree: Tree, press: Press) -> None:
    tree.object("Jobs", IMM, ua.NodeId(1032, GT))
    at = tree.object("Jobs/ActiveJob", GT, ua.NodeId(1024, GT))

    def shows(name: str, data_type: str, value: Callable[[], Any]) -> None:
        tree.shows(f"{at}/{name}", GT, data_type, value)

    shows("JobName", "String", lambda: press.job.name)
    shows("JobDescription", "String", lambda: press.mold_shown.part)
    shows("CustomerName", "String", lambda: press.job.customer)
    shows("ProductionDatasetName", "String", lambda: press.dataset)
    shows("ProductionDatasetDescription", "String", lambda: press.mold_shown.part)
    shows("MouldId", "String", lambda: press.mold_shown.id)
    shows("Material", "String", lambda: [press.mold_shown.resin])
    shows("ProductName", "String", lambda: [press.mold_shown.part])
    shows("ProductDescription", "String", lambda: [press.mold_shown.part])
    tree.fixed(f"{at}/ContinueAtJobEnd", GT, "Boolean", True, writable=True)
    shows("NominalParts", "UInt64", lambda: press.job.parts)
    shows("NumCavities", "UInt32", lambda: press.mold_shown.cavities)
    shows("ExpectedCycleTime", "Duration", lambda: press.mold_shown.expected_cycle_s)


def _job_values(tree: Tree, press: Press, *, machine_counter: bool) -> None:
    at = tree.object("Jobs/ActiveJobValues", GT, ua.NodeId(1031, GT))
    tree.shows(f"{at}/JobStatus", GT, "JobStatusEnumeration", lambda: job_status(press))
    tree.shows(f"{at}/CurrentLotName", GT, "String", lambda: press.job.lot)

    def counts(name: str, count: Callable[[], int]) -> None:
        tree.shows(f"{at}/{name}", GT, "UInt64", count, DATA_VARIABLE)

    counts("JobCycleCounter", lambda: press.counters.job)
    if machine_counter:
        counts("MachineCycleCounter", lambda: press.counters.machine)
    counts("JobPartsCounter", lambda: press.counters.good + press.counters.bad)
    counts("JobGoodPartsCounter", lambda: press.counters.good)
    counts("JobBadPartsCounter", lambda: press.counters.bad)
    counts("JobTestSamplesCounter", lambda: 0)

    def last_cycle_s() -> float:
        return press.last.values["cycle_time_s"] if press.last else 0.0

    tree.shows(f"{at}/LastCycleTime", GT, "Duration", last_cycle_s, DATA_VARIABLE)
    tree.measured(f"{at}/LastCycleTime")
