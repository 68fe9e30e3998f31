"""Events of the past: what a machine's server has kept while we could not listen.

Source:
    OPC 10000-11, 6.5.2: ReadEventDetails; a time-ordered answer in pages, each with a continuation
    point where there is more. OPC 10000-3, 8.59: EventNotifier says where there is a past.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from asyncua import ua

from drivers.errors import GarbledError, RefusedError
from drivers.session import Session
from drivers.uaerrors import LateError, status_text, told

log = logging.getLogger(__name__)

PAGE = 100
"""Events asked for at once: what decodes in some tens of milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events, and what of them."""

    source: ua.NodeId
    event_filter: ua.EventFilter
    """As the server took it for events of the present."""
    since: datetime
    until: datetime


class PastEvents:
    """Asks for past events, page by page, the oldest first; a refusal ends it.

    Args:
        session: The connection.
        wanted: What to ask for.
    """

    def __init__(self, session: Session, wanted: Wanted) -> None:
        self.is_done = False
        """Nothing is left, or nothing is to be had."""
        self.is_refused = False
        """The server has said no, or nothing that can be understood."""
        self._session = session
        self._source = wanted.source
        self._point: bytes | None = None
        self._details = ua.ReadEventDetails(
            NumValuesPerNode=PAGE,
            StartTime=wanted.since,
            EndTime=wanted.until,
            Filter=wanted.event_filter,
        )

    async def page(self) -> list[list[ua.Variant]]:
        """The next events, each aligned with the filter's clauses.

        Raises:
            UnreachableError: the link dropped.
        """
        asked = ua.HistoryReadParameters(
            HistoryReadDetails=self._details,
            TimestampsToReturn=ua.TimestampsToReturn.Source,
            ReleaseContinuationPoints=False,  # asyncua's own default asks for nothing
            NodesToRead=[ua.HistoryReadValueId(NodeId=self._source, ContinuationPoint=self._point)],
        )
        try:
            with told(self._session.machine, "reading the past"):
                result = (await self._session.services.history_read(asked))[0]
        except (LateError, RefusedError, GarbledError) as error:
            return self._end(error.what)
        self._session.heard()
        if not result.StatusCode.is_good():
            return self._end(status_text(result.StatusCode.value))
        self._point = result.ContinuationPoint or None
        self.is_done = self._point is None
        events = getattr(result.HistoryData, "Events", None) or ()
        return [list(event.EventFields) for event in events]

    def _end(self, why: str) -> list[list[ua.Variant]]:
        self.is_done = self.is_refused = True
        log.warning("%s: past events are not to be had: %s", self._session.machine, why)
        return []
