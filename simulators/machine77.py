"""What a press looks like below DeviceSet, branch by branch (OPC 40077, OPC 40083)."""

from collections.abc import Callable

from asyncua import ua

from simulators.cycle_event import dataset, job_status, ms
from simulators.nodes import (
    DATA_VARIABLE,
    boolean,
    double,
    localized,
    number,
    text,
    texts,
    uint32,
    uint64,
)
from simulators.press import Press
from simulators.tree77 import Tree
from simulators.types77 import DI, GT, IMM, placeholder

MANUFACTURER = "SprueSim"
DEVICE_CLASS = "Injection Moulding Machine"
BARREL_ZONES = 4
MOLD_INSTALLED = 3
"""OPC 40083 MouldStatusEnumeration."""
LOGBOOK_EVENTS = [0, 4, 5, 6]
"""PARAMETER_CHANGE, MACHINE_MODE_CHANGE, PRODUCTION_STATUS_CHANGE, PRODUCTION_DATASET_CHANGE."""


def build_machine(tree: Tree, press: Press, *, jobs: bool, machine_counter: bool) -> None:
    """Add all branches of one machine below its root."""
    _information(tree, press)
    _configuration(tree, press)
    _status(tree, press)
    _mes_status(tree, press)
    _injection_units(tree, press)
    _power_units(tree)
    _molds(tree, press)
    if jobs:
        _job(tree, press)
        _job_values(tree, press, machine_counter=machine_counter)


def _information(tree: Tree, press: Press) -> None:
    at = tree.object("MachineInformation", IMM, ua.NodeId(1009, GT))
    tree.fixed(f"{at}/Manufacturer", DI, "LocalizedText", localized(MANUFACTURER))
    model = localized(f"Sim {press.setup.tonnage}")
    tree.fixed(f"{at}/Model", DI, "LocalizedText", model)
    tree.fixed(f"{at}/SerialNumber", DI, "String", text(press.name))
    tree.fixed(f"{at}/DeviceClass", DI, "String", text(DEVICE_CLASS))
    tree.fixed(f"{at}/SoftwareRevision", DI, "String", text("1.0"))
    tree.fixed(f"{at}/ControllerName", GT, "String", text("SprueSim C1"))
    events = ua.Variant(LOGBOOK_EVENTS, ua.VariantType.Int32, is_array=True)
    tree.fixed(f"{at}/SupportedLogbookEvents", GT, "LogbookEventsEnumeration", events)


def _configuration(tree: Tree, press: Press) -> None:
    at = tree.object("MachineConfiguration", IMM, ua.NodeId(1016, GT))
    tree.fixed(f"{at}/UserMachineName", GT, "String", text(press.name), writable=True)
    tree.fixed(f"{at}/LocationName", GT, "String", text("Hall A"), writable=True)
    zone = ua.Variant(ua.TimeZoneDataType(), ua.VariantType.ExtensionObject)
    tree.fixed(f"{at}/TimeZoneOffset", GT, "TimeZoneDataType", zone, writable=True)
    at = tree.object("MachineMESConfiguration", IMM, ua.NodeId(1018, GT))
    reasons = placeholder("StandstillReasonType", array=True)
    tree.fixed(f"{at}/StandstillReasons", GT, "StandstillReasonType", reasons, writable=True)
    locked = f"{at}/StandstillReasonsLockedByMES"
    tree.fixed(locked, GT, "Boolean", boolean(False), writable=True)


def _status(tree: Tree, press: Press) -> None:
    at = tree.object("MachineStatus", IMM, ua.NodeId(1019, GT))
    tree.fixed(f"{at}/IsPresent", GT, "Boolean", boolean(True))
    mode = f"{at}/MachineMode"
    tree.shows(mode, GT, "MachineModeEnumeration", lambda: number(press.mode))
    tree.container(f"{at}/Users", GT, ua.NodeId(1048, GT))


def _mes_status(tree: Tree, press: Press) -> None:
    at = tree.object("MachineMESStatus", IMM, ua.NodeId(1020, GT))
    tree.fixed(f"{at}/StandstillReasonId", GT, "String", text(""))
    stop = tree.object(f"{at}/StandstillMessage", GT, ua.NodeId(1026, GT))
    tree.fixed(f"{stop}/Id", GT, "String", text(""))
    tree.fixed(f"{stop}/Message", 0, "LocalizedText", localized(""))
    tree.fixed(f"{stop}/Severity", 0, "UInt16", placeholder("UInt16"))
    tree.fixed(f"{stop}/Classification", GT, "Enumeration", number(0))
    said = tree.object(f"{at}/MESMessage", GT, ua.NodeId(1051, GT))
    tree.fixed(f"{said}/Id", GT, "String", text(""))
    tree.fixed(f"{said}/Message", GT, "String", text(""))
    tree.fixed(f"{said}/Severity", 0, "UInt16", placeholder("UInt16"))
    control = tree.object(f"{at}/ProductionControl", GT, ua.NodeId(1017, GT))
    status = f"{control}/ProductionStatus"
    tree.shows(status, GT, "ProductionStatusEnumeration", lambda: number(press.status))
    released = f"{control}/ProductionReleasedByMES"
    tree.fixed(released, GT, "Boolean", boolean(True), writable=True)
    tree.fixed(f"{control}/AutomaticRunEnabled", GT, "Boolean", boolean(True))


def _injection_units(tree: Tree, press: Press) -> None:
    units = tree.container("InjectionUnits", IMM, ua.NodeId(1016, IMM))
    at = tree.object(f"{units}/InjectionUnit_1", IMM, ua.NodeId(1028, IMM))
    tree.fixed(f"{at}/Index", IMM, "UInt32", uint32(1))
    tree.fixed(f"{at}/BarrelId", IMM, "String", text(f"D{press.program.screw_mm:.0f}"))
    tree.fixed(f"{at}/IsPresent", IMM, "Boolean", boolean(True))
    tree.fixed(f"{at}/InProduction", IMM, "Boolean", boolean(True))
    tree.analog(f"{at}/ScrewDiameter", IMM, "mm", lambda: double(press.program.screw_mm))
    zones = tree.container(f"{at}/TemperatureZones", IMM, ua.NodeId(1055, GT))
    for zone in range(1, BARREL_ZONES + 1):
        _barrel_zone(tree, press, f"{zones}/TemperatureZone_{zone}", zone)


def _barrel_zone(tree: Tree, press: Press, path: str, zone: int) -> None:
    tree.zone(
        path,
        1001,
        f"Barrel {zone}",
        lambda: double(press.levels[f"barrel_zone_{zone}_c"]),
        lambda: double(press.program.barrel_c[zone - 1]),
    )
    tree.fixed(f"{path}/Position", GT, "UInt32", uint32(zone))


def _power_units(tree: Tree) -> None:
    power = tree.container("PowerUnits", IMM, ua.NodeId(1049, GT))
    at = tree.object(f"{power}/PowerUnit_1", GT, ua.NodeId(1036, GT))
    tree.fixed(f"{at}/Index", GT, "UInt32", uint32(1))
    tree.fixed(f"{at}/Id", GT, "String", text("Drive 1"))
    tree.fixed(f"{at}/IsPresent", GT, "Boolean", boolean(True))
    tree.fixed(f"{at}/PowerOn", GT, "Boolean", boolean(True))


def _molds(tree: Tree, press: Press) -> None:
    molds = tree.container("Moulds", IMM, ua.NodeId(1050, GT))
    at = tree.object(f"{molds}/Mould_1", GT, ua.NodeId(1029, GT))
    tree.fixed(f"{at}/Index", GT, "UInt32", uint32(1))
    tree.shows(f"{at}/Id", GT, "String", lambda: text(press.mold_shown.id))
    tree.shows(f"{at}/Description", GT, "String", lambda: text(press.mold_on.part))
    tree.fixed(f"{at}/IsPresent", GT, "Boolean", boolean(True))
    tree.fixed(f"{at}/MouldStatus", GT, "MouldStatusEnumeration", number(MOLD_INSTALLED))
    zones = tree.container(f"{at}/TemperatureZones", GT, ua.NodeId(1055, GT))
    tree.zone(
        f"{zones}/TemperatureZone_1",
        1034,
        "Mould 1",
        lambda: double(press.levels["mold_temp_c"]),
        lambda: double(press.program.mold_temp_set_c),
    )


def _job(tree: Tree, press: Press) -> None:
    tree.object("Jobs", IMM, ua.NodeId(1032, GT))
    at = tree.object("Jobs/ActiveJob", GT, ua.NodeId(1024, GT))

    def words(name: str, said: Callable[[], str]) -> None:
        tree.shows(f"{at}/{name}", GT, "String", lambda: text(said()))

    def list_of(name: str, said: Callable[[], str]) -> None:
        tree.shows(f"{at}/{name}", GT, "String", lambda: texts([said()]))

    words("JobName", lambda: press.job.name)
    words("JobDescription", lambda: press.mold_on.part)
    words("CustomerName", lambda: press.job.customer)
    words("ProductionDatasetName", lambda: dataset(press.mold_on))
    words("ProductionDatasetDescription", lambda: press.mold_on.part)
    words("MouldId", lambda: press.mold_shown.id)
    list_of("Material", lambda: press.mold_on.resin)
    list_of("ProductName", lambda: press.mold_on.part)
    list_of("ProductDescription", lambda: press.mold_on.part)
    tree.fixed(f"{at}/ContinueAtJobEnd", GT, "Boolean", boolean(True), writable=True)
    tree.shows(f"{at}/NominalParts", GT, "UInt64", lambda: uint64(press.job.parts))
    tree.shows(f"{at}/NumCavities", GT, "UInt32", lambda: uint32(press.mold_on.cavities))
    expected = f"{at}/ExpectedCycleTime"
    tree.shows(expected, GT, "Duration", lambda: ms(press.mold_on.expected_cycle_s))


def _job_values(tree: Tree, press: Press, *, machine_counter: bool) -> None:
    at = tree.object("Jobs/ActiveJobValues", GT, ua.NodeId(1031, GT))
    status = f"{at}/JobStatus"
    tree.shows(status, GT, "JobStatusEnumeration", lambda: number(job_status(press)))
    tree.shows(f"{at}/CurrentLotName", GT, "String", lambda: text(press.job.lot))

    def counts(name: str, count: Callable[[], int]) -> None:
        tree.shows(f"{at}/{name}", GT, "UInt64", lambda: uint64(count()), DATA_VARIABLE)

    counts("JobCycleCounter", lambda: press.counters.job)
    if machine_counter:
        counts("MachineCycleCounter", lambda: press.counters.machine)
    counts("JobPartsCounter", lambda: press.counters.good + press.counters.bad)
    counts("JobGoodPartsCounter", lambda: press.counters.good)
    counts("JobBadPartsCounter", lambda: press.counters.bad)
    counts("JobTestSamplesCounter", lambda: 0)

    def last_cycle() -> ua.Variant:
        return ms(press.last.values["cycle_time_s"] if press.last else 0.0)

    tree.shows(f"{at}/LastCycleTime", GT, "Duration", last_cycle, DATA_VARIABLE)
