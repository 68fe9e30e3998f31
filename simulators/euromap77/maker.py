"""The simulated maker's event types.

OPC 40083 leaves the cycle event abstract: each maker derives its own and adds what the standard has
no field for. Here that is the cooling time, above all.
"""

from collections.abc import Mapping

from asyncua import ua

from simulators.euromap77.eventfields import FIELDS, Field, placeholder
from simulators.euromap77.options import Options
from simulators.euromap77.types import (
    CYCLE_EVENT,
    DATA_TYPES,
    GT,
    IMM,
    INJECTION_UNIT_PARAMETERS,
    MAKER,
    MOLD_PARAMETERS,
    ZONE_PARAMETERS,
)
from simulators.opcua.nodes import ANALOG_ITEM, DATA_VARIABLE, PROPERTY, Nodes, double
from simulators.opcua.units import Measures, add_analog_properties

BARREL_ZONES = 4
EVENT_TYPE = ua.NodeId("SprueSimCycleParametersEventType", MAKER)
INJECTION_TYPE = ua.NodeId("SprueSimInjectionUnitCycleParametersType", MAKER)
MOLD_TYPE = ua.NodeId("SprueSimMouldCycleParametersType", MAKER)
INJECTION_UNIT = "InjectionUnitCycleParameters_1"
SECOND_UNIT = "InjectionUnitCycleParameters_2"
BARREL_ZONE = "BarrelTemperatureZoneCycleParameters"
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
"""Standard field of the injection unit: signal, the unit that it is counted in."""

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
    "dataset": ("SprueSimProductionDatasetChangeLogType", 1012),
    "parameter": ("SprueSimParameterChangeLogType", 1010),
    "standstill": ("SprueSimStandstillReasonLogType", 1013),
    "message": ("SprueSimMessageLogType", 1042),
}
"""What is logged: the maker's type and the standard's (in GeneralTypes) that it derives from."""


def build_event_types(nodes: Nodes, options: Options) -> None:
    """Add the maker's event types to a server."""
    nodes.object_type(INJECTION_TYPE, _own(INJECTION_TYPE), INJECTION_UNIT_PARAMETERS)
    nodes.object_type(MOLD_TYPE, _own(MOLD_TYPE), MOLD_PARAMETERS)
    nodes.object_type(EVENT_TYPE, _own(EVENT_TYPE), CYCLE_EVENT)
    build = _Builder(nodes, options.measures)
    counter = "MachineCycleCounter"
    offered = CYCLE_OPTIONS if options.machine_counter else CYCLE_OPTIONS - {counter}
    for field in FIELDS[CYCLE_EVENT]:
        if isinstance(field, Field) and field.name in offered:
            build.field(EVENT_TYPE, GT, field)
    for name in MAKER_TIMES:
        build.field(EVENT_TYPE, MAKER, Field(0, name, "Duration"))
    build.analog(EVENT_TYPE, MAKER, CLAMP_FORCE, "kN")
    for unit in (INJECTION_UNIT, SECOND_UNIT)[: options.injection_units]:
        build.injection_unit(EVENT_TYPE, unit)
    mold = build.part(EVENT_TYPE, GT, MOLD_CYCLE, MOLD_TYPE)
    build.field(mold, GT, Field(0, "Index", "UInt32"))
    build.zone(mold, GT, MOLD_ZONE)
    for name, parent in LOGS.values():
        node = ua.NodeId(name, MAKER)
        nodes.object_type(node, _own(node), ua.NodeId(parent, GT))


class _Builder:
    """Adds the children of the maker's event type; their ids are their paths."""

    def __init__(self, nodes: Nodes, measures: Measures) -> None:
        self._nodes = nodes
        self._measures = measures

    def injection_unit(self, parent: ua.NodeId, name: str) -> None:
        unit = self.part(parent, IMM, name, INJECTION_TYPE)
        self.field(unit, IMM, Field(0, "Index", "UInt32"))
        for time in INJECTION_TIMES:
            self.field(unit, IMM, Field(0, time, "Duration", component=True))
        for value, (_, counted_in) in INJECTION_VALUES.items():
            self.analog(unit, IMM, value, counted_in)
        for zone in range(1, BARREL_ZONES + 1):
            self.zone(unit, IMM, f"{BARREL_ZONE}_{zone}")

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

    def analog(self, parent: ua.NodeId, index: int, name: str, counted_in: str) -> None:
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
        add_analog_properties(self._nodes, node, self._measures.unit(counted_in))

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


def _own(node: ua.NodeId) -> ua.QualifiedName:
    return ua.QualifiedName(node.Identifier, MAKER)


def _below(parent: ua.NodeId, name: str) -> ua.NodeId:
    return ua.NodeId(f"{parent.Identifier}.{name}", MAKER)
