"""An event as a simulated machine sends it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncua import ua
from asyncua.common.events import Event

Fields = dict[str, ua.Variant]
"""Values of an event's fields, by browse names joined with `/`."""

NOTHING = ua.Variant(None, ua.VariantType.Null)
SEVERITY = 100


@dataclass(frozen=True, slots=True)
class Source:
    """Where an event comes from: the machine's root object, as a rule."""

    node: ua.NodeId
    name: str


class MachineEvent(Event):  # type: ignore[misc]  # asyncua is untyped to us
    """An event, ready to be given to a server's subscriptions.

    Its values are never changed, so that no subscriber needs a copy of its own.

    Args:
        kind: Its type.
        source: Where it comes from, and where clients subscribe to it.
        at: When it happened, by the control's clock.
        words: What it says to a person.
        fields: All that its type adds to BaseEventType.
        received: When the server had it; the same time unless given.
    """

    def __init__(
        self,
        kind: ua.NodeId,
        source: Source,
        at: datetime,
        words: str,
        fields: Mapping[str, ua.Variant],
        *,
        received: datetime | None = None,
    ) -> None:
        super().__init__(source.node)
        self.EventType = kind
        self.SourceNode = source.node
        self.fields: Mapping[str, ua.Variant] = {
            "EventId": ua.Variant(uuid.uuid4().bytes, ua.VariantType.ByteString),
            "SourceName": ua.Variant(source.name, ua.VariantType.String),
            "Time": ua.Variant(at, ua.VariantType.DateTime),
            "ReceiveTime": ua.Variant(received or at, ua.VariantType.DateTime),
            "Message": ua.Variant(ua.LocalizedText(words), ua.VariantType.LocalizedText),
            "Severity": ua.Variant(SEVERITY, ua.VariantType.UInt16),
            **fields,
        }

    def to_event_fields(self, select_clauses: list[ua.SimpleAttributeOperand]) -> list[ua.Variant]:
        """What a subscriber selects, in its order; nothing where the event does not have it."""
        return [self._selected(clause.BrowsePath) for clause in select_clauses]

    def _selected(self, path: list[ua.QualifiedName]) -> ua.Variant:
        name = "/".join([step.Name for step in path])
        if name in ("EventType", "SourceNode"):  # the server knows them by other indexes, perhaps
            return ua.Variant(getattr(self, name), ua.VariantType.NodeId)
        return self.fields.get(name, NOTHING)

    def __getattr__(self, name: str) -> Any:
        """A field, for the where clause of a subscriber's filter."""
        if name != "fields" and name in self.fields:
            return self.fields[name].Value
        raise AttributeError(name)
