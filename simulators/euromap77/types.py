"""The types of OPC 40077 that an injection molding machine's server needs, with their official ids.

A server gets them either from here or from the official NodeSet files; the machine's own nodes are
the same in both cases. Types whose instances a client reads by browsing stand here without their
children; event types have theirs (`simulators/euromap77/eventfields.py`), because clients build
event filters from them.

Source:
    OPC 10000-100 (DI 1.04), OPC 40083 (GeneralTypes 1.03) and OPC 40077 (IMM2MES 1.01): NodeIds,
    BrowseNames, data types and modelling rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from asyncua import ua
from asyncua.ua.ua_binary import pack_uatype, pack_uatype_array

from simulators.opcua.nodes import BASE_OBJECT

DI_URI = "http://opcfoundation.org/UA/DI/"
GT_URI = "http://opcfoundation.org/UA/PlasticsRubber/GeneralTypes/"
IMM_URI = "http://opcfoundation.org/UA/PlasticsRubber/IMM2MES/"
MAKER_URI = "urn:sprue:simulated:imm"
NAMESPACES = (DI_URI, GT_URI, IMM_URI, MAKER_URI)
DI, GT, IMM, MAKER = 2, 3, 4, 5
"""Indexes of the namespaces in the servers made here."""

DEVICE_SET = ua.NodeId(5001, DI)
MACHINE_TYPE = ua.NodeId(1007, IMM)
CYCLE_EVENT = ua.NodeId(1038, GT)
LOGBOOK_EVENT = ua.NodeId(1011, GT)
INJECTION_UNIT_PARAMETERS = ua.NodeId(1039, IMM)
MOLD_PARAMETERS = ua.NodeId(1005, GT)
ZONE_PARAMETERS = ua.NodeId(1047, GT)

BASE_EVENT = ua.NodeId(ua.ObjectIds.BaseEventType)
ENUMERATION = ua.NodeId(ua.ObjectIds.Enumeration)

OBJECT_TYPES: tuple[tuple[int, int, str, ua.NodeId, bool], ...] = (
    (DI, 1001, "TopologyElementType", BASE_OBJECT, True),
    (DI, 15063, "ComponentType", ua.NodeId(1001, DI), True),
    (GT, 1009, "MachineInformationType", ua.NodeId(15063, DI), False),
    (GT, 1016, "MachineConfigurationType", BASE_OBJECT, False),
    (GT, 1018, "MachineMESConfigurationType", BASE_OBJECT, False),
    (GT, 1019, "MachineStatusType", BASE_OBJECT, False),
    (GT, 1020, "MachineMESStatusType", BASE_OBJECT, False),
    (GT, 1017, "ProductionControlType", BASE_OBJECT, False),
    (GT, 1026, "StandstillMessageType", BASE_OBJECT, False),
    (GT, 1051, "MESMessageType", BASE_OBJECT, False),
    (GT, 1045, "UserType", BASE_OBJECT, False),
    (GT, 1048, "UsersType", BASE_OBJECT, False),
    (GT, 1049, "PowerUnitsType", BASE_OBJECT, False),
    (GT, 1033, "PowerUnitType", BASE_OBJECT, False),
    (GT, 1036, "ElectricDriveType", ua.NodeId(1033, GT), False),
    (GT, 1050, "MouldsType", BASE_OBJECT, False),
    (GT, 1029, "MouldType", BASE_OBJECT, False),
    (GT, 1055, "TemperatureZonesType", BASE_OBJECT, False),
    (GT, 1030, "TemperatureZoneType", BASE_OBJECT, False),
    (GT, 1001, "BarrelTemperatureZoneType", ua.NodeId(1030, GT), False),
    (GT, 1034, "MouldTemperatureZoneType", ua.NodeId(1030, GT), False),
    (GT, 1032, "JobsType", BASE_OBJECT, False),
    (GT, 1037, "JobInformationType", BASE_OBJECT, True),
    (GT, 1024, "CyclicJobInformationType", ua.NodeId(1037, GT), False),
    (GT, 1021, "ActiveJobValuesType", BASE_OBJECT, False),
    (GT, 1031, "ActiveCyclicJobValuesType", ua.NodeId(1021, GT), False),
    (GT, 1008, "ProductionDatasetManagementType", BASE_OBJECT, False),
    (GT, 1039, "ProductionDatasetStatusType", BASE_OBJECT, False),
    (IMM, 1016, "InjectionUnitsType", BASE_OBJECT, False),
    (IMM, 1028, "InjectionUnitType", BASE_OBJECT, False),
    (IMM, 1007, "IMM_MES_InterfaceType", BASE_OBJECT, False),
    (GT, 1038, "CycleParametersEventType", BASE_EVENT, True),
    (GT, 1011, "LogbookEventType", BASE_EVENT, True),
    (GT, 1014, "MachineModeChangeLogType", LOGBOOK_EVENT, True),
    (GT, 1044, "ProductionStatusChangeLogType", LOGBOOK_EVENT, True),
    (GT, 1012, "ProductionDatasetChangeLogType", LOGBOOK_EVENT, True),
    (GT, 1010, "ParameterChangeLogType", LOGBOOK_EVENT, True),
    (GT, 1013, "StandstillReasonLogType", LOGBOOK_EVENT, True),
    (GT, 1042, "MessageLogType", LOGBOOK_EVENT, True),
    (IMM, 1039, "InjectionUnitCycleParametersType", BASE_OBJECT, True),
    (GT, 1005, "MouldCycleParametersType", BASE_OBJECT, True),
    (GT, 1047, "TemperatureZoneCycleParametersType", BASE_OBJECT, False),
)
"""Namespace, id, name, supertype, abstract; a supertype comes before its subtypes."""

ENUMERATIONS: Mapping[str, tuple[int, int, tuple[str, ...]]] = {
    "ControlModeEnumeration": (
        3001, 6151,
        ("OTHER", "OFF", "AUTOMATIC", "TUNING", "STANDBY", "OPEN_LOOP", "ONLY_MEASUREMENT"),
    ),
    "MouldStatusEnumeration": (
        3008, 6213, ("OTHER", "MOULD_NOT_INSTALLED", "MOULD_CHANGE", "MOULD_INSTALLED"),
    ),
    "LogbookEventsEnumeration": (
        3009, 6293,
        ("PARAMETER_CHANGE", "USER", "REMOTE_ACCESS", "SEQUENCE_CHANGE", "MACHINE_MODE_CHANGE",
         "PRODUCTION_STATUS_CHANGE", "PRODUCTION_DATASET_CHANGE", "PRODUCTION_DATASET_FROZEN",
         "STANDSTILL_REASON", "MESSAGE", "USER_FEEDBACK"),
    ),
    "MachineModeEnumeration": (
        3011, 6181, ("OTHER", "AUTOMATIC", "SEMI_AUTOMATIC", "MANUAL", "SETUP", "SLEEP"),
    ),
    "ProductionStatusEnumeration": (
        3016, 6174,
        ("OTHER", "NO_PRODUCTION", "START_UP", "READY_FOR_PRODUCTION", "PRODUCTION", "DRY_RUN"),
    ),
    "JobStatusEnumeration": (
        3017, 6264,
        ("OTHER", "TRANSFERRED_ASSIGNED", "SET_UP_ACTIVE", "SET_UP_INTERRUPTED",
         "SET_UP_FINISHED", "START_UP_ACTIVE", "JOB_IN_PRODUCTION", "JOB_INTERRUPTED",
         "JOB_FINISHED", "TEAR_DOWN_ACTIVE", "TEAR_DOWN_INTERRUPTED", "TEAR_DOWN_FINISHED"),
    ),
    "EventOriginatorEnumeration": (
        3018, 6110, ("OTHER", "MACHINE", "OPERATOR", "MES", "PERIPHERAL_DEVICE"),
    ),
    "CycleQualityEnumeration": (
        3019, 6214, ("GOOD_CYCLE", "BAD_CYCLE", "TEST_SAMPLE_CYCLE", "FAILED_CYCLE"),
    ),
    "CavityCycleQualityEnumeration": (
        3020, 6216, ("NO_PART", "GOOD_PART", "BAD_PART", "REWORK"),
    ),
    "TemperatureZoneClassificationEnumeration": (
        3029, 6398,
        ("OTHER", "HEATING", "COOLING", "TEMPERATURE_CONTROL", "HOT_RUNNER", "MEASURING"),
    ),
}  # fmt: skip
"""Name: id, id of its EnumValues, names by value. All in GeneralTypes."""


@dataclass(frozen=True, slots=True)
class Structure:
    """A data type with fields."""

    id: int
    encoding: int
    """Id of its Default Binary encoding."""
    fields: tuple[tuple[str, ua.VariantType, bool], ...]
    """Name, type, whether it is an array."""

    def packed(self, *values: object) -> ua.ExtensionObject:
        """A value: its fields in order, as bytes, so that nobody has to know its class."""
        body = b"".join(
            (pack_uatype_array if array else pack_uatype)(kind, value)
            for (_, kind, array), value in zip(self.fields, values, strict=True)
        )
        return ua.ExtensionObject(TypeId=ua.NodeId(self.encoding, GT), Body=body)


STRUCTURES: Mapping[str, Structure] = {
    "StandstillReasonType": Structure(
        3015, 5026,
        (
            ("Id", ua.VariantType.String, False),
            ("Text", ua.VariantType.LocalizedText, False),
            ("LockedByMES", ua.VariantType.Boolean, False),
        ),
    ),
    "ProductionDatasetInformationType": Structure(
        3006, 5004,
        (
            *((name, ua.VariantType.String, False) for name in ("Name", "Description", "MESId")),
            ("CreationTimestamp", ua.VariantType.DateTime, False),
            ("LastModificationTimestamp", ua.VariantType.DateTime, False),
            ("LastSaveTimestamp", ua.VariantType.DateTime, False),
            ("UserName", ua.VariantType.String, False),
            ("Components", ua.VariantType.UInt16, True),
            *(
                (name, ua.VariantType.String, False)
                for name in (
                    "Manufacturer", "SerialNumber", "Model", "ControllerName", "UserMachineName",
                    "LocationName",
                )
            ),
            ("ProductName", ua.VariantType.String, True),
            ("MouldId", ua.VariantType.String, False),
            ("NumCavities", ua.VariantType.UInt32, False),
        ),
    ),
}  # fmt: skip
"""Structures that variables of the machine have as their data type. All in GeneralTypes."""

DATA_TYPES: Mapping[str, ua.NodeId] = {
    **{
        name: ua.NodeId(getattr(ua.ObjectIds, name))
        for name in (
            "Boolean", "DateTime", "Double", "Duration", "EUInformation", "LocaleId",
            "LocalizedText", "String", "TimeZoneDataType", "UInt16", "UInt32", "UInt64",
        )
    },
    "Enumeration": ENUMERATION,
    "Any": ua.NodeId(ua.ObjectIds.BaseDataType),
    **{name: ua.NodeId(number, GT) for name, (number, _, _) in ENUMERATIONS.items()},
    **{name: ua.NodeId(structure.id, GT) for name, structure in STRUCTURES.items()},
}  # fmt: skip
"""Data types by the names used in the tables here."""
