"""Events that a server keeps, for clients that ask for the past.

Source:
    OPC 10000-11, 6.5.2: ReadEventDetails; 6.3: continuation points; OPC 10000-3, 8.59: the bit
    HistoryRead of EventNotifier says where there is something to read.
"""

import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterator

from asyncua import ua
from asyncua.common.events import Event
from asyncua.server.address_space import AddressSpace
from asyncua.server.monitored_item_service import WhereClauseEvaluator

from simulators.opcua.event import MachineEvent
from simulators.opcua.eventfilter import take_in_subtypes

log = logging.getLogger(__name__)

MOST_AT_ONCE = 200
"""Events in one answer, whatever the client asks for."""


class EventHistory:
    """The newest events of a server's machines; it outlives the server's restarts.

    Args:
        most: How many it keeps.
    """

    def __init__(self, most: int) -> None:
        self._events: deque[MachineEvent] = deque(maxlen=most)
        self._open: dict[bytes, Iterator[Event]] = {}
        self.reads = 0
        """How often clients have asked."""

    def keep(self, event: MachineEvent) -> None:
        """Add an event."""
        self._events.append(event)

    def read(
        self,
        asked: ua.HistoryReadValueId,
        details: ua.ReadEventDetails,
        space: AddressSpace,
        seen: Callable[[Event], Event],
    ) -> ua.HistoryReadResult:
        """Events of one node in the order of their times, a page at a time.

        Args:
            asked: The node, and where the last page ended.
            details: From when to when, which, and what of them.
            space: The server's, for the types in the filter.
            seen: An event as clients see it.
        """
        self.reads += 1
        result = ua.HistoryReadResult()
        if asked.ContinuationPoint:
            events = self._open.pop(asked.ContinuationPoint, None)
            if events is None:
                result.StatusCode = ua.StatusCode(ua.StatusCodes.BadContinuationPointInvalid)
                return result
        else:
            take_in_subtypes(details.Filter.WhereClause, space)
            events = self._found(asked.NodeId, details, space, seen)
        most = min(details.NumValuesPerNode or MOST_AT_ONCE, MOST_AT_ONCE)
        page = [event for _, event in zip(range(most), events, strict=False)]
        if len(page) == most:
            result.ContinuationPoint = uuid.uuid4().bytes
            self._open[result.ContinuationPoint] = events
        clauses = details.Filter.SelectClauses
        result.HistoryData = ua.HistoryEvent(
            Events=[ua.HistoryEventFieldList(e.to_event_fields(clauses)) for e in page]
        )
        return result

    def release(self, point: bytes) -> None:
        """Forget where a page ended."""
        self._open.pop(point, None)

    def _found(
        self,
        node: ua.NodeId,
        details: ua.ReadEventDetails,
        space: AddressSpace,
        seen: Callable[[Event], Event],
    ) -> Iterator[Event]:
        where = WhereClauseEvaluator(log, space, details.Filter.WhereClause)
        kept = sorted(self._events, key=lambda event: event.fields["Time"].Value)
        for event in kept:
            shown = seen(event)
            at = event.fields["Time"].Value
            if shown.SourceNode != node or not where.eval(shown):
                continue
            if details.StartTime <= at <= details.EndTime:
                yield shown
