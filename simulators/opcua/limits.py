"""What a small OPC UA server takes at once, said in its address space and held to.

Source:
    OPC 10000-5, 6.3.2 and 6.3.11: ServerCapabilities and OperationLimits; 0 states no limit.
    OPC 10000-4, 7.38: the status codes.
"""

import asyncio
from collections.abc import Mapping, Sized
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.internal_session import InternalSession

from simulators.opcua.eventfilter import take_in_subtypes


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a server takes; 0 where it states nothing and takes everything."""

    nodes_per_read: int = 0
    nodes_per_browse: int = 0
    nodes_per_translate: int = 0
    monitored_items_per_call: int = 0
    sessions: int = 0
    subscriptions: int = 0
    """Of all sessions together."""
    select_clauses: int = 0
    """Of one event filter."""
    where_elements: int = 0
    """Of one event filter."""
    monitored_items: int = 0
    """Of all subscriptions together."""
    said: bool = True
    """Whether clients can read them; else they learn by what is refused."""

    def stated(self) -> Mapping[ua.NodeId, int]:
        """The nodes of the address space that say them."""
        said = {
            _operation("MaxNodesPerRead"): self.nodes_per_read,
            _operation("MaxNodesPerBrowse"): self.nodes_per_browse,
            _operation("MaxNodesPerTranslateBrowsePathsToNodeIds"): self.nodes_per_translate,
            _operation("MaxMonitoredItemsPerCall"): self.monitored_items_per_call,
            _capability("MaxSessions"): self.sessions,
            _capability("MaxSubscriptions"): self.subscriptions,
            _capability("MaxSelectClauseParameters"): self.select_clauses,
            _capability("MaxWhereClauseParameters"): self.where_elements,
            _capability("MaxMonitoredItems"): self.monitored_items,
        }
        if not self.said:
            return {}
        return {node: limit for node, limit in said.items() if limit}


NONE = Limits()

FASTEST_MS = 5.0
"""Between publications; a client that asks for less gets this."""


def _operation(name: str) -> ua.NodeId:
    return _capability(f"OperationLimits_{name}")


def _capability(name: str) -> ua.NodeId:
    return ua.NodeId(getattr(ua.ObjectIds, f"Server_ServerCapabilities_{name}"))


class LimitedSession(InternalSession):  # type: ignore[misc]  # asyncua is untyped to us
    """A client's session on a server with limits: what asks for too much is refused as a whole."""

    @property
    def _limits(self) -> Limits:
        limits: Limits = self.iserver.limits
        return limits

    async def read(self, params: ua.ReadParameters) -> Any:
        """Read attributes.

        Raises:
            ServiceError: BadTooManyOperations.
        """
        _check(params.NodesToRead, self._limits.nodes_per_read)
        return await super().read(params)

    async def browse(self, params: ua.BrowseParameters) -> Any:
        """Browse nodes.

        Raises:
            ServiceError: BadTooManyOperations.
        """
        _check(params.NodesToBrowse, self._limits.nodes_per_browse)
        return await super().browse(params)

    async def translate_browsepaths_to_nodeids(self, params: list[ua.BrowsePath]) -> Any:
        """Find nodes by their path.

        Raises:
            ServiceError: BadTooManyOperations.
        """
        _check(params, self._limits.nodes_per_translate)
        return await super().translate_browsepaths_to_nodeids(params)

    async def create_subscription(
        self, params: ua.CreateSubscriptionParameters, *callbacks: Any, **more: Any
    ) -> Any:
        """Start a subscription; without an interval asyncua would send no keep-alives."""
        asked = params.RequestedPublishingInterval
        params.RequestedPublishingInterval = max(FASTEST_MS, asked)
        return await super().create_subscription(params, *callbacks, **more)

    async def create_monitored_items(self, params: ua.CreateMonitoredItemsParameters) -> Any:
        """Subscribe to values or events; an item that can't be is refused by itself.

        Raises:
            ServiceError: BadTooManyOperations.
        """
        _check(params.ItemsToCreate, self._limits.monitored_items_per_call)
        refused: list[ua.MonitoredItemCreateResult | None] = []
        room = self._room()
        for item in params.ItemsToCreate:
            no = self._refusal(item)
            if no is None and room is not None:
                room -= 1
                no = _no(ua.StatusCodes.BadTooManyMonitoredItems) if room < 0 else None
            refused.append(no)
        params.ItemsToCreate = [
            item for item, no in zip(params.ItemsToCreate, refused, strict=True) if no is None
        ]
        for item in params.ItemsToCreate:
            if isinstance(item.RequestedParameters.Filter, ua.EventFilter):
                take_in_subtypes(item.RequestedParameters.Filter.WhereClause, self.aspace)
        answers = iter(await super().create_monitored_items(params))
        return [next(answers) if no is None else no for no in refused]

    async def delete_subscriptions(self, ids: list[int]) -> Any:
        """End subscriptions, even if the link that asked for it ends meanwhile.

        asyncua's server has forgotten them by then, and they would go on for hours.
        """
        return await asyncio.shield(super().delete_subscriptions(ids))

    async def call(self, methods: list[ua.CallMethodRequest]) -> Any:
        """Call methods, and count it: who only watches calls none."""
        self.iserver.calls += len(methods)
        return await super().call(methods)

    async def write(self, params: ua.WriteParameters) -> Any:
        """Write attributes, and count what clients write."""
        if self.external:
            self.iserver.writes += len(params.NodesToWrite)
        return await super().write(params)

    async def history_read(self, params: ua.HistoryReadParameters) -> list[ua.HistoryReadResult]:
        """Read past events, where the server keeps them."""
        history, details = self.iserver.history, params.HistoryReadDetails
        if history is None or not isinstance(details, ua.ReadEventDetails):
            refused = ua.StatusCode(ua.StatusCodes.BadHistoryOperationUnsupported)
            return [ua.HistoryReadResult(StatusCode=refused) for _ in params.NodesToRead]
        if params.ReleaseContinuationPoints:
            for asked in params.NodesToRead:
                history.release(asked.ContinuationPoint)
            return [ua.HistoryReadResult() for _ in params.NodesToRead]
        seen = self.iserver.event_as_seen
        return [history.read(asked, details, self.aspace, seen) for asked in params.NodesToRead]

    def _room(self) -> int | None:
        """How many more items the server takes; None for any number."""
        if not self._limits.monitored_items:
            return None
        subscriptions = self.iserver.subscription_service.subscriptions.values()
        there = sum(len(each.monitored_item_srv._monitored_items) for each in subscriptions)
        return int(self._limits.monitored_items - there)

    def _refusal(self, item: ua.MonitoredItemCreateRequest) -> ua.MonitoredItemCreateResult | None:
        if self._limits.select_clauses and _selects(item) > self._limits.select_clauses:
            return _no(ua.StatusCodes.BadEventFilterInvalid)
        if self._limits.where_elements and _wheres(item) > self._limits.where_elements:
            return _no(ua.StatusCodes.BadEventFilterInvalid)
        asked = item.ItemToMonitor
        if asked.AttributeId == ua.AttributeIds.EventNotifier and asked.NodeId not in self.aspace:
            return _no(ua.StatusCodes.BadNodeIdUnknown)  # asyncua would say BadServiceUnsupported
        return None


def _check(asked: Sized, most: int) -> None:
    if most and len(asked) > most:
        raise ServiceError(ua.StatusCodes.BadTooManyOperations)


def _selects(item: ua.MonitoredItemCreateRequest) -> int:
    return len(getattr(item.RequestedParameters.Filter, "SelectClauses", None) or ())


def _wheres(item: ua.MonitoredItemCreateRequest) -> int:
    where = getattr(item.RequestedParameters.Filter, "WhereClause", None)
    return len(where.Elements or ()) if where is not None else 0


def _no(code: int) -> ua.MonitoredItemCreateResult:
    result = ua.MonitoredItemCreateResult()
    result.StatusCode = ua.StatusCode(code)
    return result
