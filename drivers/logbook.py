"""Logbook events of OPC 40083, as notices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncua import ua

from drivers.browsing import subtypes
from drivers.eventfilter import base_field, select
from drivers.eventvalues import utc_of
from drivers.observations import Change, Notice, Value
from drivers.plastics import (
    DATASET_LOG_TYPE,
    GENERAL,
    LOGBOOK_EVENT_TYPE,
    MESSAGE_LOG_TYPE,
    MODE_LOG_TYPE,
    ORIGINATORS,
    PARAMETER_LOG_TYPE,
    PRODUCTION_LOG_TYPE,
    STANDSTILL_LOG_TYPE,
    type_id,
)
from drivers.session import Session
from drivers.signals import MODES, PRODUCTION_STATUSES

HEAD = ("EventType", "EventId", "SourceNode", "Time", "Message")
ORIGIN = ("EventOriginator", "User/Name", "User/Id")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One type of logbook event."""

    type: tuple[str, int]
    change: Change
    name: str = ""
    """What changed; empty where a field says it."""
    name_field: str = ""
    old: str = ""
    new: str = ""
    words: tuple[str, ...] = ()
    """Of an enumeration."""


_KINDS = (
    _Kind(
        type=MODE_LOG_TYPE,
        change=Change.MODE,
        name="mode",
        old="OldMachineMode",
        new="NewMachineMode",
        words=MODES,
    ),
    _Kind(
        type=PRODUCTION_LOG_TYPE,
        change=Change.PRODUCTION,
        name="production_status",
        old="OldProductionStatus",
        new="NewProductionStatus",
        words=PRODUCTION_STATUSES,
    ),
    _Kind(
        type=DATASET_LOG_TYPE,
        change=Change.PARAMETER,
        name="production_dataset",
        old="OldProductionDatasetName",
        new="NewProductionDatasetName",
    ),
    _Kind(
        type=PARAMETER_LOG_TYPE,
        change=Change.PARAMETER,
        name_field="ParameterId",
        old="OldValue",
        new="NewValue",
    ),
    _Kind(
        type=STANDSTILL_LOG_TYPE,
        change=Change.MESSAGE,
        name="standstill_reason",
        new="StandstillReasonId",
    ),
    _Kind(type=MESSAGE_LOG_TYPE, change=Change.MESSAGE, name_field="Id", new="Message"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One logbook event."""

    event_id: bytes
    source: ua.NodeId | None
    notice: Notice


class Logbook:
    """Selects the fields of logbook events, and reads what comes; `browse_logbook` makes one."""

    def __init__(self, machine: str, kinds: dict[ua.NodeId, _Kind], general: int) -> None:
        self._machine = machine
        self._kinds = kinds
        names = set(ORIGIN)
        for kind in _KINDS:
            names |= {kind.name_field, kind.old, kind.new}
        self._fields = [*HEAD, *sorted(names - {"", *HEAD})]
        self.clauses = [
            base_field(name) if name in HEAD else _select(name, general) for name in self._fields
        ]

    @property
    def types(self) -> tuple[ua.NodeId, ...]:
        """Every type of logbook event that we understand."""
        return tuple(self._kinds)

    def read(self, values: Sequence[ua.Variant], received_at: datetime) -> Entry | None:
        """What an event says; None where it is of no kind that we understand.

        Args:
            values: Aligned with `clauses`; fewer where the server takes fewer.
            received_at: UTC, our clock.
        """
        raw: dict[str, object] = dict(
            zip(self._fields, (value.Value for value in values), strict=False)
        )
        event_type = raw.get("EventType")
        kind = self._kinds.get(event_type) if isinstance(event_type, ua.NodeId) else None
        if kind is None:
            return None
        time, event_id, source = raw.get("Time"), raw.get("EventId"), raw.get("SourceNode")
        says = _reader(raw, kind)
        notice = Notice(
            machine=self._machine,
            change=kind.change,
            name=kind.name or str(says(kind.name_field) or ""),
            old=says(kind.old),
            new=says(kind.new),
            who=_who(raw),
            at=utc_of(time) or received_at,
            received_at=received_at,
        )
        return Entry(
            event_id if isinstance(event_id, bytes) else b"",
            source if isinstance(source, ua.NodeId) else None,
            notice,
        )


async def browse_logbook(session: Session) -> Logbook | None:
    """Learn which logbook events a server knows; None where it knows none."""
    general = session.index_of(GENERAL)
    base = type_id(session, LOGBOOK_EVENT_TYPE)
    if general is None or base is None:
        return None
    above = await subtypes(session, [base])
    standard = {node_id: kind for kind in _KINDS if (node_id := type_id(session, kind.type))}
    kinds: dict[ua.NodeId, _Kind] = {}
    for node_id in above:
        here: ua.NodeId | None = node_id
        while here is not None and here not in standard:
            here = above.get(here)
        if here is not None:
            kinds[node_id] = standard[here]
    return Logbook(session.machine, kinds, general) if kinds else None


def _select(name: str, general: int) -> ua.SimpleAttributeOperand:
    path = [ua.QualifiedName(step, general) for step in name.split("/")]
    owner = LOGBOOK_EVENT_TYPE[1]
    for kind in _KINDS:
        if name in (kind.name_field, kind.old, kind.new):
            owner = kind.type[1]
    return select(path, ua.NodeId(owner, general))


def _reader(raw: dict[str, object], kind: _Kind) -> Callable[[str], Value | None]:
    """How a field of one event reads: as a word of its enumeration, or as it is."""

    def says(name: str) -> Value | None:
        found = raw.get(name) if name else None
        found = getattr(found, "Text", found)
        if kind.words:
            if isinstance(found, int) and 0 <= found < len(kind.words):
                return kind.words[found]
            return None
        if isinstance(found, str):
            return found.strip() or None
        if isinstance(found, bool | int | float):
            return found
        return None if found is None else str(found)

    return says


def _who(raw: dict[str, object]) -> str | None:
    """The user, or else the originator's word; None where nobody is said."""
    for name in ("User/Name", "User/Id"):
        found = raw.get(name)
        if isinstance(found, str) and found.strip():
            return found.strip()
    number = raw.get("EventOriginator")
    if isinstance(number, int) and 0 < number < len(ORIGINATORS):
        return ORIGINATORS[number]
    return None
