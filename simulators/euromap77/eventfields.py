"""The fields of OPC 40077's events, with their official ids.

Source:
    OPC 40083 (GeneralTypes 1.03) and OPC 40077 (IMM2MES 1.01).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from asyncua import ua

from simulators.euromap77.types import (
    CYCLE_EVENT,
    GT,
    INJECTION_UNIT_PARAMETERS,
    LOGBOOK_EVENT,
    MOLD_PARAMETERS,
    ZONE_PARAMETERS,
)


@dataclass(frozen=True, slots=True)
class Field:
    """One variable of an event type or of an object in it."""

    id: int
    name: str
    type: str
    optional: bool = False
    array: bool = False
    component: bool = False
    """A data variable; else a property."""
    analog: tuple[int, int] | None = None
    """Ids of EngineeringUnits and EURange, where it is an AnalogItem."""


@dataclass(frozen=True, slots=True)
class Part:
    """An object inside an event type."""

    id: int
    name: str
    type: ua.NodeId
    fields: tuple[Field, ...] = field(default=())


def _analog(id: int, name: str, units: int, range_: int, optional: bool = True) -> Field:  # noqa: A002
    return Field(id, name, "Double", optional, component=True, analog=(units, range_))


FIELDS: Mapping[ua.NodeId, tuple[Field | Part, ...]] = {
    CYCLE_EVENT: (
        Field(6259, "JobName", "String"),
        Field(6251, "JobStatus", "JobStatusEnumeration"),
        Field(6253, "CurrentLotName", "String"),
        Field(6256, "BoxId", "String", optional=True),
        Field(6254, "JobCycleCounter", "UInt64"),
        Field(6260, "MachineCycleCounter", "UInt64", optional=True),
        Field(6049, "BoxCycleCounter", "UInt64", optional=True),
        Field(6250, "CycleTime", "Duration"),
        Field(6249, "AverageCycleTime", "Duration", optional=True),
        Field(6255, "CycleQuality", "CycleQualityEnumeration"),
        Field(6252, "CavityCycleQuality", "CavityCycleQualityEnumeration", True, array=True),
        Field(6272, "PartId", "String", optional=True, array=True),
        Field(6257, "JobPartsCounter", "UInt64"),
        Field(6258, "JobGoodPartsCounter", "UInt64"),
        Field(6269, "JobBadPartsCounter", "UInt64"),
        Field(6270, "JobTestSamplesCounter", "UInt64"),
        Field(6271, "BoxPartsCounter", "UInt64", optional=True),
        Field(6050, "BoxGoodPartsCounter", "UInt64", optional=True),
        Field(6051, "BoxBadPartsCounter", "UInt64", optional=True),
        Field(6102, "BoxTestSamplesCounter", "UInt64", optional=True),
    ),
    LOGBOOK_EVENT: (
        Field(6165, "EventOriginator", "EventOriginatorEnumeration"),
        Field(6039, "JobCycleCounter", "UInt64", optional=True),
        Part(
            5023,
            "User",
            ua.NodeId(1045, GT),
            (
                Field(6158, "CardUid", "String", optional=True),
                Field(6159, "Id", "String"),
                Field(6160, "IsPresent", "Boolean"),
                Field(6161, "Language", "LocaleId", optional=True),
                Field(6162, "Name", "String"),
                Field(6163, "UserLevel", "String", optional=True),
                Field(6164, "UserRole", "String", optional=True),
            ),
        ),
    ),
    ua.NodeId(1014, GT): (
        Field(6175, "NewMachineMode", "MachineModeEnumeration"),
        Field(6176, "OldMachineMode", "MachineModeEnumeration"),
    ),
    ua.NodeId(1044, GT): (
        Field(6171, "NewProductionStatus", "ProductionStatusEnumeration"),
        Field(6172, "OldProductionStatus", "ProductionStatusEnumeration"),
    ),
    ua.NodeId(1012, GT): (
        Field(6169, "NewProductionDatasetName", "String"),
        Field(6170, "OldProductionDatasetName", "String"),
    ),
    ua.NodeId(1010, GT): (
        Field(6166, "NewValue", "Any"),
        Field(6177, "NewValueUnit", "EUInformation", optional=True),
        Field(6167, "OldValue", "Any"),
        Field(6178, "OldValueUnit", "EUInformation", optional=True),
        Field(6168, "ParameterId", "String"),
    ),
    ua.NodeId(1013, GT): (Field(6173, "StandstillReasonId", "String"),),
    ua.NodeId(1042, GT): (
        Field(6183, "Classification", "Enumeration"),
        Field(6184, "Id", "String"),
        Field(6185, "IsStandstillMessage", "Boolean"),
    ),
    INJECTION_UNIT_PARAMETERS: (
        Field(6107, "Index", "UInt32"),
        Field(6060, "InjectionTime", "Duration", component=True),
        Field(6059, "DosingTime", "Duration", component=True),
        _analog(6063, "PlastificationVolume", 6477, 6227, optional=False),
        _analog(6441, "CushionVolume", 6475, 6442, optional=False),
        _analog(6247, "SpecificPressureMaximum", 6479, 6248, optional=False),
        _analog(6093, "CushionStroke", 6122, 6121),
        _analog(6118, "BackPressure", 6120, 6119),
        _analog(6129, "CavityPressureMaximum", 6448, 6130),
        _analog(6188, "HydraulicPressureMaximum", 6459, 6191),
        _analog(6146, "HoldHydraulicPressureAverage", 6454, 6147),
        _analog(6148, "HoldHydraulicPressureMaximum", 6455, 6149),
        _analog(6150, "HoldSpecificPressureAverage", 6456, 6151),
        _analog(6152, "HoldSpecificPressureMaximum", 6457, 6153),
        _analog(6117, "TransferCavityPressure", 6428, 6128),
        _analog(6156, "TransferHydraulicPressure", 6458, 6162),
        _analog(6228, "TransferSpecificPressure", 6478, 6246),
        _analog(6071, "TransferStroke", 6083, 6072),
        _analog(6254, "TransferVolume", 6481, 6427),
        _analog(6166, "VPChangeOverPosition", 6170, 6167),
        _analog(6164, "InjectionStartPosition", 6169, 6165),
        _analog(6065, "InjectionSpeedAverage", 6016, 6066),
        _analog(6061, "InjectionSpeedMaximum", 6032, 6062),
        _analog(6223, "PlastificationRotationalSpeedAverage", 6474, 6224),
        _analog(6225, "PlastificationRotationalSpeedMaximum", 6476, 6226),
        _analog(6208, "PlastificationCircumferentialSpeedAverage", 6472, 6210),
        _analog(6211, "PlastificationCircumferentialSpeedMaximum", 6473, 6214),
        _analog(6194, "PlastificationHydraulicPressureAverage", 6080, 6195),
        _analog(6197, "PlastificationHydraulicPressureMaximum", 6471, 6206),
        _analog(6067, "PlastificationSpecificPressureAverage", 6081, 6068),
        _analog(6069, "PlastificationSpecificPressureMaximum", 6082, 6070),
        _analog(6064, "DecompressionVolumeBeforePlastification", 6450, 6136),
        _analog(6131, "DecompressionVolumeAfterPlastification", 6449, 6132),
        _analog(6160, "FlowIndex", 6168, 6163),
    ),
    MOLD_PARAMETERS: (Field(6016, "Index", "UInt32"),),
    ZONE_PARAMETERS: (
        Field(6044, "Index", "UInt32"),
        Field(6045, "Name", "String"),
        _analog(6017, "ActualTemperature", 6042, 6043, optional=False),
        Field(6536, "Classification", "TemperatureZoneClassificationEnumeration", optional=True),
    ),
}
"""Children of the event types and of the types of the objects in events."""


def placeholder(data_type: str, *, array: bool = False) -> ua.Variant:
    """The value of a field that nothing has been written to, of the field's type."""
    if data_type == "Any":
        return ua.Variant(None, ua.VariantType.Null)
    kind, value = _PLACEHOLDERS.get(data_type, (ua.VariantType.Int32, 0))
    return ua.Variant([] if array else value, kind, is_array=array)


_PLACEHOLDERS: Mapping[str, tuple[ua.VariantType, object]] = {
    "Boolean": (ua.VariantType.Boolean, False),
    "Double": (ua.VariantType.Double, 0.0),
    "Duration": (ua.VariantType.Double, 0.0),
    "EUInformation": (ua.VariantType.ExtensionObject, None),
    "LocaleId": (ua.VariantType.String, ""),
    "LocalizedText": (ua.VariantType.LocalizedText, ua.LocalizedText("")),
    "String": (ua.VariantType.String, ""),
    "UInt16": (ua.VariantType.UInt16, 0),
    "UInt32": (ua.VariantType.UInt32, 0),
    "UInt64": (ua.VariantType.UInt64, 0),
}
