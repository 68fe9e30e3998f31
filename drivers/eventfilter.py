"""Asking a server for events: only the types and fields that are wanted, within its limits."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asyncua import ua

from drivers.errors import RefusedError
from drivers.eventtype import UNITS
from drivers.session import SELECT, WHERE, Session
from drivers.subscription import Subscription
from drivers.uaerrors import status_text

log = logging.getLogger(__name__)

QUEUE = 1000
"""Events that the server may keep between two publish responses."""
OVERFLOW_TYPE = ua.NodeId(ua.ObjectIds.EventQueueOverflowEventType)
BASE_EVENT = ua.NodeId(ua.ObjectIds.BaseEventType)
FEWEST = 8
"""Fields without which an event is of no use: what it is, and its numbers."""

_SIMPLER = frozenset(
    {
        ua.StatusCodes.BadEncodingLimitsExceeded,
        ua.StatusCodes.BadOutOfMemory,
        ua.StatusCodes.BadRequestTooLarge,
        ua.StatusCodes.BadTooManyOperations,
        ua.StatusCodes.BadContentFilterInvalid,
        ua.StatusCodes.BadEventFilterInvalid,
        ua.StatusCodes.BadFilterNotAllowed,
        ua.StatusCodes.BadFilterOperatorInvalid,
        ua.StatusCodes.BadFilterOperatorUnsupported,
        ua.StatusCodes.BadMonitoredItemFilterInvalid,
        ua.StatusCodes.BadMonitoredItemFilterUnsupported,
    }
)
"""Answers of servers that can't do what the filter asks, or not so much; they get a simpler one."""


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
    selected: tuple[int, ...]
    """Which of the clauses it took, in the order of an event's values."""
    event_filter: ua.EventFilter
    """As it took it."""
    is_filtered: bool
    """It only sends the types that were asked for."""


async def watch_events(
    session: Session,
    subscription: Subscription,
    source: ua.NodeId,
    types: Sequence[Sequence[ua.NodeId]],
    clauses: Sequence[ua.SimpleAttributeOperand],
) -> Watched:
    """Subscribe to events at one node, with the fullest filter that the server takes.

    Args:
        session: The connection.
        subscription: Where the events are to come.
        source: Where they are from.
        types: Those that are wanted; after them, broader ones for a server that can't tell so
            many apart. One that can't filter at all sends everything.
        clauses: Fields, the important first: a server that takes fewer gets those, and one that
            names some as wrong gets the others.

    Raises:
        RefusedError: the server does not let us subscribe to events there.
    """
    taken = tuple(range(min(len(clauses), session.limits[SELECT])))
    why = ""
    while True:
        wrong: set[int] = set()
        for where in _wheres(types, session.limits[WHERE]):
            event_filter = ua.EventFilter(
                SelectClauses=[clauses[at] for at in taken], WhereClause=where
            )
            answer = (await subscription.watch([_item(source, event_filter)]))[0]
            if answer.StatusCode.is_good():
                _tell_left_out(session.machine, clauses, taken)
                is_filtered = where == of_types(types[0])
                return Watched(subscription.handle, taken, event_filter, is_filtered)
            why = status_text(answer.StatusCode.value)
            if answer.StatusCode.value not in _SIMPLER:
                raise RefusedError(session.machine, f"subscribing to events: {why}")
            if wrong := _wrong(answer.FilterResult, taken):
                break
        fewer = tuple(at for at in taken if at not in wrong)
        taken = fewer if wrong else taken[: len(taken) * 3 // 4]
        if len(taken) < FEWEST:
            raise RefusedError(session.machine, f"subscribing to events: {why}")


def _wheres(types: Sequence[Sequence[ua.NodeId]], most: int) -> Iterator[ua.ContentFilter]:
    """From the most exact that the server takes by its own word, to none."""
    for wanted in types:
        if len((where := of_types(wanted)).Elements) <= most:
            yield where
    yield ua.ContentFilter()


def _wrong(result: object, taken: Sequence[int]) -> set[int]:
    """The clauses that the server names as those that it can't select."""
    codes = getattr(result, "SelectClauseResults", None) or ()
    if len(codes) != len(taken):
        return set()
    return {at for at, code in zip(taken, codes, strict=True) if not code.is_good()}


def _tell_left_out(
    machine: str, clauses: Sequence[ua.SimpleAttributeOperand], taken: Sequence[int]
) -> None:
    left = [clauses[at] for at in sorted({*range(len(clauses))} - {*taken})]
    if left:
        paths = [[str(step.Name) for step in clause.BrowsePath] for clause in left]
        names = ["/".join(path[:-1] if path[-1] == UNITS else path) for path in paths]
        log.warning(
            "%s: the server selects %d of %d event fields; left out: %s",
            machine,
            len(taken),
            len(clauses),
            ", ".join(dict.fromkeys(names)),
        )


def _item(source: ua.NodeId, event_filter: ua.EventFilter) -> ua.MonitoredItemCreateRequest:
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=source, AttributeId=ua.AttributeIds.EventNotifier),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            SamplingInterval=0, QueueSize=QUEUE, DiscardOldest=True, Filter=event_filter
        ),
    )
