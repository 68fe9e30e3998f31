"""The kinds of logbook events of OPC 40083: what changed, and which fields say it."""

from dataclasses import dataclass

from drivers.observations import Change
from drivers.plastics import (
    DATASET_FROZEN_LOG_TYPE,
    DATASET_LOG_TYPE,
    FEEDBACK_LOG_TYPE,
    MESSAGE_LOG_TYPE,
    MODE_LOG_TYPE,
    PARAMETER_LOG_TYPE,
    PRODUCTION_LOG_TYPE,
    REMOTE_LOG_TYPE,
    SEQUENCE_CHANGES,
    SEQUENCE_LOG_TYPE,
    STANDSTILL_LOG_TYPE,
    USER_CHANGES,
    USER_LOG_TYPE,
)
from drivers.signals import MODES, PRODUCTION_STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKind:
    """One type of logbook event."""

    type: tuple[str, int]
    change: Change
    name: str = ""
    """What changed; empty where a field says it."""
    name_field: str = ""
    old: str = ""
    new: str = ""
    units: tuple[str, ...] = ()
    """Fields of the units of old and new; empty where there are none."""
    words: tuple[str, ...] = ()
    """Of an enumeration."""
    who: str = ""
    """Field of who made it, where that is not the user at the machine."""

    @property
    def number(self) -> int:
        """Of the type, in its namespace."""
        return self.type[1]

    @property
    def fields(self) -> tuple[str, ...]:
        """What it has besides what every logbook event has."""
        named = (self.name_field, self.old, self.new, *self.units, self.who)
        return tuple(name for name in named if name)


KINDS = (
    LogKind(
        type=MODE_LOG_TYPE,
        change=Change.MODE,
        name="mode",
        old="OldMachineMode",
        new="NewMachineMode",
        words=MODES,
    ),
    LogKind(
        type=PRODUCTION_LOG_TYPE,
        change=Change.PRODUCTION,
        name="production_status",
        old="OldProductionStatus",
        new="NewProductionStatus",
        words=PRODUCTION_STATUSES,
    ),
    LogKind(
        type=PARAMETER_LOG_TYPE,
        change=Change.PARAMETER,
        name_field="ParameterId",
        old="OldValue",
        new="NewValue",
        units=("OldValueUnit", "NewValueUnit"),
    ),
    LogKind(
        type=DATASET_LOG_TYPE,
        change=Change.PARAMETER,
        name="production_dataset",
        old="OldProductionDatasetName",
        new="NewProductionDatasetName",
    ),
    LogKind(
        type=STANDSTILL_LOG_TYPE,
        change=Change.MESSAGE,
        name="standstill_reason",
        new="StandstillReasonId",
    ),
    LogKind(type=MESSAGE_LOG_TYPE, change=Change.MESSAGE, name_field="Id", new="Message"),
    LogKind(
        type=USER_LOG_TYPE, change=Change.USER, name="user", new="UserChange", words=USER_CHANGES
    ),
    LogKind(
        type=REMOTE_LOG_TYPE,
        change=Change.USER,
        name="remote_access",
        new="UserChange",
        words=USER_CHANGES,
        who="RemoteUserName",
    ),
    LogKind(
        type=SEQUENCE_LOG_TYPE,
        change=Change.PARAMETER,
        name="sequence",
        new="SequenceChange",
        words=SEQUENCE_CHANGES,
    ),
    LogKind(
        type=DATASET_FROZEN_LOG_TYPE,
        change=Change.PARAMETER,
        name="production_dataset_frozen",
        old="OldValue",
        new="NewValue",
    ),
    LogKind(type=FEEDBACK_LOG_TYPE, change=Change.MESSAGE, name="user_feedback", new="Message"),
)
"""In the order in which their fields are selected, where a server takes few."""
