"""Asking a server for events: only the types and fields that are wanted, within its limits."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from asyncua import ua

from drivers.errors import RefusedError
from drivers.session import SELECT, WHERE, Session
from drivers.subscription import Subscription
from drivers.uaerrors import status_text

log = logging.getLogger(__name__)

QUEUE = 1000
"""Events that the server may keep between two publish responses."""
OVERFLOW_TYPE = ua.NodeId(ua.ObjectIds.EventQueueOverflowEventType)
BASE_EVENT = ua.NodeId(ua.ObjectIds.BaseEventType)

_NO_WHERE = frozenset(
    {
        ua.StatusCodes.BadContentFilterInvalid,
        ua.StatusCodes.BadEventFilterInvalid,
        ua.StatusCodes.BadFilterNotAllowed,
        ua.StatusCodes.BadFilterOperatorInvalid,
        ua.StatusCodes.BadFilterOperatorUnsupported,
        ua.StatusCodes.BadMonitoredItemFilterInvalid,
        ua.StatusCodes.BadMonitoredItemFilterUnsupported,
    }
)
"""Answers of servers that can't do what the filter asks; they get a simpler one."""


def select(
    path: Sequence[ua.QualifiedName], declared_by: ua.NodeId = BASE_EVENT
) -> ua.SimpleAttributeOperand:
    """Select one field of an event."""
    return ua.SimpleAttributeOperand(
        TypeDefinitionId=declared_by,
        BrowsePath=list(path),
        AttributeId=ua.AttributeIds.Value,
    )


def base_field(name: str) -> ua.SimpleAttributeOperand:
    """Select a field that every event has."""
    return select([ua.QualifiedName(name, 0)])


def of_types(types: Sequence[ua.NodeId]) -> ua.ContentFilter:
    """Events of any of the types: one OfType each, joined by Or."""
    count = len(types)
    first = count - 1  # the Ors come first; element 0 is the root
    joins = [
        ua.ContentFilterElement(
            FilterOperator=ua.FilterOperator.Or,
            FilterOperands=[
                ua.ElementOperand(Index=first + at),
                ua.ElementOperand(Index=at + 1 if at + 1 < first else first + count - 1),
            ],
        )
        for at in range(first)
    ]
    kinds = [
        ua.ContentFilterElement(
            FilterOperator=ua.FilterOperator.OfType,
            FilterOperands=[ua.LiteralOperand(Value=ua.Variant(node_id, ua.VariantType.NodeId))],
        )
        for node_id in types
    ]
    return ua.ContentFilter(Elements=[*joins, *kinds])


@dataclass(frozen=True, slots=True)
class Watched:
    """How a server took a request for events."""

    handle: int
    selected: int
    """How many of the clauses it took, from the first."""
    is_filtered: bool
    """It only sends the types that were asked for."""


async def watch_events(
    session: Session,
    subscription: Subscription,
    source: ua.NodeId,
    types: Sequence[ua.NodeId],
    clauses: Sequence[ua.SimpleAttributeOperand],
) -> Watched:
    """Subscribe to events at one node.

    Clauses beyond what the server takes are left out from the end; a where clause that it does not
    take is left out as a whole.

    Raises:
        RefusedError: the server does not let us subscribe to events there.
    """
    limit = min(len(clauses), session.limits[SELECT])
    if limit < len(clauses):
        log.warning(
            "%s: the server selects at most %d event fields; %d are left out",
            session.machine,
            limit,
            len(clauses) - limit,
        )
    where = of_types(types)
    wanted = where if len(where.Elements) <= session.limits[WHERE] else ua.ContentFilter()
    for where_clause in (wanted, ua.ContentFilter()):
        event_filter = ua.EventFilter(SelectClauses=list(clauses[:limit]), WhereClause=where_clause)
        answer = (await subscription.watch([_item(source, event_filter)]))[0]
        if answer.StatusCode.is_good():
            is_filtered = bool(where_clause.Elements)
            return Watched(subscription.handle, limit, is_filtered)
        if answer.StatusCode.value not in _NO_WHERE:
            break
    raise RefusedError(
        session.machine, f"subscribing to events: {status_text(answer.StatusCode.value)}"
    )


def _item(source: ua.NodeId, event_filter: ua.EventFilter) -> ua.MonitoredItemCreateRequest:
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=source, AttributeId=ua.AttributeIds.EventNotifier),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            SamplingInterval=0, QueueSize=QUEUE, DiscardOldest=True, Filter=event_filter
        ),
    )
