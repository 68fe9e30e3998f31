"""Logbook events of OPC 40083, as notices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncua import ua

from drivers.browsing import subtypes
from drivers.eventfilter import Watched, base_field, select
from drivers.eventtype import unit_of
from drivers.eventvalues import count_of, utc_of
from drivers.logkind import KINDS, LogKind
from drivers.observations import Change, Notice, Value
from drivers.plastics import GENERAL, LOGBOOK_EVENT_TYPE, ORIGINATORS, type_id
from drivers.scaling import scaling
from drivers.session import Session
from drivers.signals import signal_named
from drivers.units import Unit

HEAD = ("EventType", "EventId", "SourceNode", "Time", "Message")
ORIGIN = ("EventOriginator", "User/Name", "User/Id", "JobCycleCounter")
"""Of every logbook event."""
WHO = ("User/Name", "User/Id", "RemoteUserName")

Raw = dict[tuple[int, str], object]
"""What an event says, by the number of the type that declares a field, and its path."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One logbook event."""

    event_id: bytes
    source: ua.NodeId | None
    notice: Notice


class Logbook:
    """Selects the fields of logbook events, and reads what comes; `browse_logbook` makes one.

    Args:
        machine: Its name.
        kinds: What each event type that may come is.
        general: Index of the namespace of OPC 40083.
    """

    def __init__(self, machine: str, kinds: dict[ua.NodeId, LogKind], general: int) -> None:
        self._machine = machine
        self._kinds = kinds
        self._fields = [(0, name) for name in HEAD]
        self._fields += [(LOGBOOK_EVENT_TYPE[1], name) for name in ORIGIN]
        self._fields += [
            (kind.number, name)
            for kind in KINDS
            for name in kind.fields
            if (0, name) not in self._fields
        ]
        self._selected = self._fields
        self.clauses = [
            _select(name, ua.NodeId(owner, general), general) if owner else base_field(name)
            for owner, name in self._fields
        ]
        self.base = ua.NodeId(LOGBOOK_EVENT_TYPE[1], general)
        """What all types of logbook events derive from."""

    def reckon(self, watched: Watched) -> None:
        """Reckon with fewer clauses than `clauses` has."""
        self._selected = [self._fields[at] for at in watched.selected]

    @property
    def types(self) -> tuple[ua.NodeId, ...]:
        """Every type of logbook event that the server knows."""
        return tuple(self._kinds)

    def read(self, values: Sequence[ua.Variant], received_at: datetime) -> Entry | None:
        """What an event says; None where it is no logbook event.

        Args:
            values: Aligned with `clauses`, or with those of them that the server took.
            received_at: UTC, our clock.
        """
        raw: Raw = dict(zip(self._selected, (value.Value for value in values), strict=False))
        event_type = raw.get((0, "EventType"))
        kind = self._kinds.get(event_type) if isinstance(event_type, ua.NodeId) else None
        if kind is None:
            return None
        time, event_id, source = (raw.get((0, name)) for name in ("Time", "EventId", "SourceNode"))
        name = kind.name or str(_says(raw, kind, kind.name_field) or "")
        old, new, unit = _change(raw, kind, name)
        notice = Notice(
            machine=self._machine,
            change=kind.change,
            name=name,
            old=old,
            new=new,
            unit=unit,
            who=_who(raw, kind),
            originator=_originator(raw),
            text=_text(raw.get((0, "Message"))),
            job_counter=count_of(raw.get((LOGBOOK_EVENT_TYPE[1], "JobCycleCounter"))),
            at=utc_of(time) or received_at,
            received_at=received_at,
        )
        return Entry(
            event_id if isinstance(event_id, bytes) else b"",
            source if isinstance(source, ua.NodeId) else None,
            notice,
        )


async def browse_logbook(session: Session) -> Logbook | None:
    """Learn which logbook events a server knows; None where it knows none.

    A maker's own kind of event is told as the kind that it derives from, or else as a message of
    that name.
    """
    general = session.index_of(GENERAL)
    base = type_id(session, LOGBOOK_EVENT_TYPE)
    if general is None or base is None:
        return None
    above = await subtypes(session, [base])
    standard = {node_id: kind for kind in KINDS if (node_id := type_id(session, kind.type))}
    kinds: dict[ua.NodeId, LogKind] = {}
    unknown: list[ua.NodeId] = []
    for node_id in above:
        here: ua.NodeId | None = node_id
        while here is not None and here not in standard:
            here = above.get(here)
        if here is not None:
            kinds[node_id] = standard[here]
        else:
            unknown.append(node_id)
    names = await session.read(unknown, ua.AttributeIds.BrowseName)
    for node_id, name in zip(unknown, names, strict=True):
        if name.StatusCode.is_good() and name.Value.Value.Name:
            kinds[node_id] = LogKind(
                type=LOGBOOK_EVENT_TYPE,
                change=Change.MESSAGE,
                name=name.Value.Value.Name,
                new="Message",
            )
    return Logbook(session.machine, kinds, general) if kinds else None


def _select(name: str, owner: ua.NodeId, general: int) -> ua.SimpleAttributeOperand:
    return select([ua.QualifiedName(step, general) for step in name.split("/")], owner)


def _says(raw: Raw, kind: LogKind, name: str) -> Value | None:
    """One field of an event: as a word of its enumeration, or as it is."""
    found = raw.get((kind.number, name), raw.get((0, name))) if name else None
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


def _change(raw: Raw, kind: LogKind, name: str) -> tuple[Value | None, Value | None, str | None]:
    """Old and new in one unit, and which: ours where the name is a signal, else the new one's.

    Where old and new can't be in one unit each carries its own, as a text.
    """
    old, new = _says(raw, kind, kind.old), _says(raw, kind, kind.new)
    theirs = [unit_of(raw.get((kind.number, field))) for field in kind.units]
    before, after = theirs if theirs else (None, None)
    if before is None and after is None:
        return old, new, None
    before, after = before or after, after or before
    assert before is not None
    assert after is not None
    signal = signal_named(name)
    ours = signal.unit if signal is not None and signal.unit else after.name
    try:
        return _in(ours, old, before), _in(ours, new, after), ours
    except ValueError:
        pass
    try:
        return _in(after.name, old, before), new, after.name
    except ValueError:
        return f"{old} {before.name}", f"{new} {after.name}", None


def _in(unit: str, value: Value | None, theirs: Unit) -> Value | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or unit == theirs.name:
        return value
    return scaling(theirs=theirs, ours=unit)(value)


def _who(raw: Raw, kind: LogKind) -> str | None:
    """The user, or else the originator's word; None where nobody is said."""
    for name in WHO:
        said = _text(raw.get((LOGBOOK_EVENT_TYPE[1], name), raw.get((kind.number, name))))
        if said is not None:
            return said
    return _originator(raw)


def _originator(raw: Raw) -> str | None:
    number = raw.get((LOGBOOK_EVENT_TYPE[1], "EventOriginator"))
    if isinstance(number, int) and 0 < number < len(ORIGINATORS):
        return ORIGINATORS[number]
    return None


def _text(found: object) -> str | None:
    text = getattr(found, "Text", found)
    return text.strip() or None if isinstance(text, str) else None
