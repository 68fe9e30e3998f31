"""Names and numbers of the plastics machinery specifications: OPC 10000-100, 40083 and 40077.

Only types have fixed numbers; a machine's own nodes are found by browsing (OPC 40083 §6.1).
"""

from collections.abc import Mapping

from asyncua import ua

from drivers.session import Session

DI = "http://opcfoundation.org/UA/DI/"
GENERAL = "http://opcfoundation.org/UA/PlasticsRubber/GeneralTypes/"
IMM2MES = "http://opcfoundation.org/UA/PlasticsRubber/IMM2MES/"

TCD = "http://opcfoundation.org/UA/PlasticsRubber/TCD/"

DEVICE_SET = (DI, 5001)
TCD_TYPE = (TCD, 1012)
"""TCD_InterfaceType of OPC 40082-1."""
MACHINE_TYPE = (IMM2MES, 1007)
CYCLE_EVENT_TYPE = (GENERAL, 1038)
LOGBOOK_EVENT_TYPE = (GENERAL, 1011)
MODE_LOG_TYPE = (GENERAL, 1014)
PRODUCTION_LOG_TYPE = (GENERAL, 1044)
DATASET_LOG_TYPE = (GENERAL, 1012)
PARAMETER_LOG_TYPE = (GENERAL, 1010)
STANDSTILL_LOG_TYPE = (GENERAL, 1013)
MESSAGE_LOG_TYPE = (GENERAL, 1042)
DATASET_FROZEN_LOG_TYPE = (GENERAL, 1041)
REMOTE_LOG_TYPE = (GENERAL, 1022)
SEQUENCE_LOG_TYPE = (GENERAL, 1043)
FEEDBACK_LOG_TYPE = (GENERAL, 1046)
USER_LOG_TYPE = (GENERAL, 1015)

JOB_STATUSES = (
    "OTHER",
    "TRANSFERRED_ASSIGNED",
    "SET_UP_ACTIVE",
    "SET_UP_INTERRUPTED",
    "SET_UP_FINISHED",
    "START_UP_ACTIVE",
    "JOB_IN_PRODUCTION",
    "JOB_INTERRUPTED",
    "JOB_FINISHED",
    "TEAR_DOWN_ACTIVE",
    "TEAR_DOWN_INTERRUPTED",
    "TEAR_DOWN_FINISHED",
)
"""OPC 40083 JobStatusEnumeration, by value."""

CAVITY_QUALITIES = ("NO_PART", "GOOD_PART", "BAD_PART", "REWORK")
"""OPC 40083 CavityCycleQualityEnumeration, by value."""

ORIGINATORS = ("OTHER", "MACHINE", "OPERATOR", "MES", "PERIPHERAL_DEVICE")
"""OPC 40083 EventOriginatorEnumeration, by value."""

USER_CHANGES = ("LOG_ON", "LOG_OFF")
"""OPC 40083 UserChangeEnumeration, by value."""

SEQUENCE_CHANGES = ("UPDATE", "ADD", "MODIFY", "MOVE", "DELETE")
"""OPC 40083 SequenceChangeEnumeration, by value."""

MODE_CHANGE, PRODUCTION_STATUS_CHANGE = 4, 5
"""OPC 40083 LogbookEventsEnumeration: which changes a machine announces by event."""

UNIT_SIGNALS: Mapping[str, str] = {
    "InjectionTime": "fill_time_s",
    "DosingTime": "recovery_time_s",
    "SpecificPressureMaximum": "injection_pressure_peak_bar",
    "TransferSpecificPressure": "transfer_pressure_bar",
    "HoldSpecificPressureAverage": "hold_pressure_bar",
    "BackPressure": "back_pressure_bar",
    "CavityPressureMaximum": "cavity_pressure_peak_bar",
    "CushionStroke": "cushion_mm",
    "CushionVolume": "cushion_cm3",
    "PlastificationVolume": "shot_volume_cm3",
    "VPChangeOverPosition": "transfer_position_mm",
    "TransferStroke": "transfer_position_mm",
}
"""Fields of InjectionUnitCycleParametersType and our signals; of two for one signal the first that
has a value counts."""

ZONE_TEMPERATURE = "ActualTemperature"
LABELS = ("Index", "Name", "Classification")
"""Fields of the standard's objects in an event that say which one it is; they are no values."""


def type_id(session: Session, type_: tuple[str, int]) -> ua.NodeId | None:
    """The id of one of these nodes in a connection; None where the server lacks its namespace."""
    uri, number = type_
    index = session.index_of(uri)
    return None if index is None else ua.NodeId(number, index)
