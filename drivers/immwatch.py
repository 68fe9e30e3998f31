"""What one machine of OPC 40077 tells by itself: cycle events, logbook events, changes of state."""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncua import ua

from drivers.browsing import Branch
from drivers.cycleevent import CycleData, CycleEvents
from drivers.errors import RefusedError
from drivers.eventfilter import OVERFLOW_TYPE, Watched, watch_events
from drivers.immview import View
from drivers.logbook import Entry, Logbook
from drivers.observations import Value
from drivers.points import decoded
from drivers.reading import told_time
from drivers.session import Session
from drivers.subscription import LATE, Publish, Subscription, gap

log = logging.getLogger(__name__)

SERVER = ua.NodeId(ua.ObjectIds.Server)
SUBSCRIBE, HISTORY = 1, 4
"""Bits of EventNotifier (OPC 10000-3, 8.59)."""
STATE_QUEUE = 10
"""Changes of one state that the server may keep between two publish responses."""
REMEMBERED = 256
"""Event ids, to know an event that comes twice."""


@dataclass(frozen=True, slots=True)
class StateShown:
    """A variable behind a state, as it is from an instant on."""

    name: str
    """As `View` names the variable."""
    value: Value | None
    at: datetime


Told = CycleData | Entry | StateShown


class Watch:
    """The subscription of one machine; `watch_machine` makes one.

    Attributes:
        states: Names of the state variables that are watched; the others show only when read.
    """

    def __init__(
        self,
        session: Session,
        subscription: Subscription,
        root: Branch,
        events: CycleEvents,
        logbook: Logbook | None,
    ) -> None:
        self.states: frozenset[str] = frozenset()
        self._session = session
        self._subscription = subscription
        self._root = root
        self.events = events
        self.logbook = logbook
        self.source = root.node_id
        """Where events are subscribed to."""
        self.keeps_past = False
        """Whether the machine says that its past events can be read."""
        self._whole_server = False
        self.cycle_filter: ua.EventFilter | None = None
        """As the server took it."""
        self.log_filter: ua.EventFilter | None = None
        """As the server took it; None where it gives no logbook events."""
        self._cycle_handle = 0
        self._log_handle = 0
        self._view: View | None = None
        self._slots: dict[int, int] = {}
        self.gap = ""
        """What was lost before that which `next` gave last; empty where nothing was."""
        self._heard_at: datetime | None = None
        self._seen: deque[tuple[int, bytes]] = deque(maxlen=REMEMBERED)

    async def next(self, until: float) -> tuple[datetime, list[Told]] | None:
        """What the next publish response brought, in the order in which it happened.

        Args:
            until: How long to wait, as a time of the event loop.

        Returns:
            When it came (UTC, our clock) and what it told; None where nothing came in time.

        Raises:
            MachineError: the subscription is no more.
        """
        publish = await self._subscription.next(until)
        if publish is None:
            self.gap = ""
            return None
        self.gap = gap(publish.lost)
        told = self._told(publish)
        self._note_clock(publish, told)
        return publish.received_at, told

    def _note_clock(self, publish: Publish, told: Sequence[Told]) -> None:
        """What is told happened since the publish response before this one, the newest surely."""
        stamps = [each.time for each in told if isinstance(each, CycleData) and each.time]
        if stamps and self._heard_at is not None:
            clock = self._session.machine_clock
            clock.take(max(stamps), self._heard_at - LATE, publish.received_at)
        self._heard_at = publish.received_at

    @property
    def rates(self) -> tuple[float, float, int]:
        """Publishing and sampling intervals by the server's word (s), and what was lost."""
        return self._subscription.interval_s, self._subscription.sampling_s, self._subscription.lost

    @property
    def is_drained(self) -> bool:
        """Whether nothing waits that has come already."""
        return self._subscription.is_drained

    async def watch_states(self, view: View) -> None:
        """Watch the state variables of a view instead of those watched before."""
        wanted = [
            (slot, node_id)
            for slot, (node, node_id) in enumerate(
                zip(view.points.nodes, view.points.found, strict=True)
            )
            if node.signal in view.states and node_id is not None
        ]
        await self._subscription.unwatch(self._slots)
        first = self._subscription.handle + 1
        answers = await self._subscription.watch([_state_item(node_id) for _, node_id in wanted])
        self._view = view
        self._slots = {
            handle: slot
            for handle, (slot, _), answer in zip(
                range(first, first + len(wanted)), wanted, answers, strict=True
            )
            if answer.StatusCode.is_good()
        }
        self.states = frozenset(view.points.nodes[slot].signal for slot in self._slots.values())

    async def watch_events(self) -> None:
        """Watch the events at the machine, or at the server where the machine has none itself.

        Where a small server has no room for them beside the states, the states make room: what is
        not watched is read at every poll.

        Raises:
            RefusedError: neither gives its cycle events.
        """
        notifier = await self._notifier()
        source = self._root.node_id if notifier & SUBSCRIBE else SERVER
        self.source, self.keeps_past = source, bool(notifier & HISTORY)
        self._whole_server = source == SERVER
        view, had_room = self._view, bool(self._slots)
        types = [[*self.events.types, OVERFLOW_TYPE], [self.events.base]]
        cycles = await self._watch_events(types, self.events.clauses)
        self._cycle_handle, self.cycle_filter = cycles.handle, cycles.event_filter
        self.events.reckon(cycles)
        await self._watch_logbook()
        if had_room and not self._slots and view is not None:
            await self.watch_states(view)

    async def _watch_logbook(self) -> None:
        if (book := self.logbook) is None:
            return
        try:
            changes = await self._watch_events([book.types, [book.base]], book.clauses)
        except RefusedError as error:
            log.warning("%s; changes show without who made them", error)
        else:
            self._log_handle, self.log_filter = changes.handle, changes.event_filter
            book.reckon(changes)

    async def _watch_events(
        self, types: Sequence[Sequence[ua.NodeId]], clauses: Sequence[ua.SimpleAttributeOperand]
    ) -> Watched:
        asked = self._session, self._subscription, self.source, types, clauses
        try:
            return await watch_events(*asked)
        except RefusedError:
            if not self._slots:
                raise
            await self._subscription.unwatch(self._slots)
            self._slots, self.states = {}, frozenset()
            return await watch_events(*asked)

    async def _notifier(self) -> int:
        """What one can have of events at the machine itself (OPC 40083 §6.3)."""
        answer = (await self._session.read([self._root.node_id], ua.AttributeIds.EventNotifier))[0]
        bits = answer.Value.Value if answer.StatusCode.is_good() and answer.Value else 0
        return bits if isinstance(bits, int) else 0

    def remember(self, event: CycleData | Entry) -> bool:
        """Note an event that came another way; whether it had not come before."""
        handle = self._cycle_handle if isinstance(event, CycleData) else self._log_handle
        return self._is_new(handle, event.event_id, event.source)

    def _told(self, publish: Publish) -> list[Told]:
        told: list[tuple[datetime, Told]] = []
        for handle, change in publish.changes:
            if (slot := self._slots.get(handle)) is not None and self._view is not None:
                node = self._view.points.nodes[slot]
                at = told_time(change.SourceTimestamp) or publish.received_at
                told.append((at, StateShown(node.signal, decoded(node, change)[0], at)))
        for handle, values in publish.events:
            if values and values[0].Value == OVERFLOW_TYPE:
                log.warning("%s: the server's event queue ran over", self._session.machine)
                self.gap = "the server's event queue ran over"
            elif handle == self._cycle_handle and (data := self.events.read(values)):
                if self._is_new(handle, data.event_id, data.source):
                    told.append((data.time or publish.received_at, data))
            elif handle == self._log_handle and self.logbook is not None:
                entry = self.logbook.read(values, publish.received_at)
                if entry is not None and self._is_new(handle, entry.event_id, entry.source):
                    told.append((entry.notice.at, entry))
        told.sort(key=lambda pair: pair[0])
        return [each for _, each in told]

    def _is_new(self, handle: int, event_id: bytes, source: ua.NodeId | None) -> bool:
        """Whether an event is this machine's, and did not come before."""
        if self._whole_server and source is not None and source != self._root.node_id:
            return False
        if event_id and (handle, event_id) in self._seen:
            return False
        self._seen.append((handle, event_id))
        return True


def _state_item(node_id: ua.NodeId) -> ua.MonitoredItemCreateRequest:
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=node_id, AttributeId=ua.AttributeIds.Value),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            SamplingInterval=-1,  # as the subscription publishes
            QueueSize=STATE_QUEUE,
            DiscardOldest=True,
        ),
    )
