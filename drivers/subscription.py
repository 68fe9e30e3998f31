"""A subscription of ours: explicit rates, a bounded queue with counted overflow, an own clock.

asyncua's is left aside: it drops what does not fit into its queue without a word, starts a task
for every notification, and judges staleness by a session time-out.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from asyncua import ua

from drivers.errors import RefusedError, StaleError, UnreachableError
from drivers.reading import told_time
from drivers.session import MONITOR, Session
from drivers.uaerrors import status_text, told

log = logging.getLogger(__name__)

QUEUE = 1000
"""Publish responses that may wait for us; at ten a second that is well over a minute."""
LATE = timedelta(seconds=1)
"""A publish response may be under way for as long."""
KEEP_ALIVE_S = 2.0
"""How often a subscription that has nothing to tell is to say so."""
DOUBT_S = 1.0
"""How late such a word may be, and half as late again, before the server is asked if it lives."""
LIFETIME_S = 60.0
"""How long the server keeps a subscription that nobody asks after."""
UNDER_WAY = timedelta(seconds=1)
"""How long a publish response may take to us."""
OVERFLOW = 0x480
"""Status bits of a value (OPC 10000-4 §7.39): its queue at the server ran over before it."""


@dataclass(slots=True, eq=False)
class Publish:
    """What one publish response brought; nothing at all where it only says that all is well."""

    received_at: datetime
    changes: list[tuple[int, ua.DataValue]] = field(default_factory=list)
    """Handle of the item, and its new value; in the server's order."""
    events: list[tuple[int, list[ua.Variant]]] = field(default_factory=list)
    """Handle of the item, and one value for each field that was selected."""
    lost: int = 0
    """Notifications that were lost between the one before and this."""


class Subscription:
    """One subscription on a session; it ends with the session.

    Attributes:
        lost: Notifications that came and could not wait, and gaps in the server's numbering.
        interval_s: How often the server publishes, by its own word.
        sampling_s: How often it looks at the slowest item, by its own word; 0 where it has none.
    """

    def __init__(self, session: Session, stale_s: float) -> None:
        self.lost = 0
        self.interval_s = 0.0
        self.sampling_s = 0.0
        self._session = session
        self._stale_s = stale_s
        self._doubt_s = math.inf
        self._proved_at = -math.inf
        self._id = 0
        self._handles = 0
        self._items: dict[int, int] = {}
        self._waiting: deque[Publish] = deque()
        self._some = asyncio.Event()
        self._heard_at = time.monotonic()
        self._number = 0
        self._ended = ""

    async def watch(
        self, items: Sequence[ua.MonitoredItemCreateRequest]
    ) -> list[ua.MonitoredItemCreateResult]:
        """Add monitored items; each gets a handle, one more than the one before, from 1 on.

        Returns:
            The server's answers, each with a status.
        """
        for item in items:
            self._handles += 1
            item.RequestedParameters.ClientHandle = self._handles

        async def request(
            piece: Sequence[ua.MonitoredItemCreateRequest],
        ) -> Sequence[ua.MonitoredItemCreateResult]:
            found: Sequence[ua.MonitoredItemCreateResult]
            found = await self._session.services.create_monitored_items(
                ua.CreateMonitoredItemsParameters(
                    SubscriptionId=self._id,
                    TimestampsToReturn=ua.TimestampsToReturn.Source,
                    ItemsToCreate=list(piece),
                )
            )
            return found

        first = self._handles - len(items) + 1
        answers = await self._session.ask(MONITOR, items, request)
        for handle, answer in enumerate(answers, first):
            if answer.StatusCode.is_good():
                self._items[handle] = answer.MonitoredItemId
        revised = [a.RevisedSamplingInterval for a in answers if a.StatusCode.is_good()]
        self.sampling_s = max(self.sampling_s, *(ms / 1000 for ms in revised), 0.0)
        return answers

    async def unwatch(self, handles: Iterable[int]) -> None:
        """Give monitored items back to the server; small ones have few."""
        items = [self._items.pop(handle) for handle in handles if handle in self._items]

        async def request(piece: Sequence[int]) -> Sequence[ua.StatusCode]:
            found: Sequence[ua.StatusCode]
            found = await self._session.services.delete_monitored_items(
                ua.DeleteMonitoredItemsParameters(
                    SubscriptionId=self._id, MonitoredItemIds=list(piece)
                )
            )
            return found

        try:
            await self._session.ask(MONITOR, items, request)
        except RefusedError as error:
            log.warning("%s; items that are not needed any more stay there", error)

    @property
    def handle(self) -> int:
        """The handle that was given last."""
        return self._handles

    @property
    def is_drained(self) -> bool:
        """Whether nothing waits for us."""
        return not self._waiting

    async def next(self, until: float) -> Publish | None:
        """The oldest publish response that waits, or the next one.

        Args:
            until: How long to wait, as a time of the event loop.

        Returns:
            None where nothing came in time.

        Raises:
            UnreachableError: the server, or asyncua, ended the subscription.
            StaleError: the server does not even say that all is well, or is dead.
        """
        while not self._waiting:
            if self._ended:
                raise UnreachableError(self._session.machine, self._ended)
            silent_s = time.monotonic() - self._heard_at
            if silent_s > self._stale_s:
                raise StaleError(
                    self._session.machine, f"the subscription has been silent for {silent_s:.0f} s"
                )
            doubt_in_s = self._doubt_s - min(silent_s, time.monotonic() - self._proved_at)
            if doubt_in_s < 0:
                await self._session.probe()
                self._proved_at = time.monotonic()
                continue
            self._some.clear()
            look_in_s = min(self._stale_s - silent_s, doubt_in_s) + 0.01
            wake = min(until, asyncio.get_running_loop().time() + look_in_s)
            try:
                async with asyncio.timeout_at(wake):
                    await self._some.wait()
            except TimeoutError:
                if asyncio.get_running_loop().time() >= until:
                    return None
        return self._waiting.popleft()

    async def _open(self, interval_s: float, every: bool) -> None:
        alive = 1 if every else max(1, int(min(self._stale_s / 3, KEEP_ALIVE_S) / interval_s))
        with told(self._session.machine, MONITOR):
            made = await self._session.services.create_subscription(
                ua.CreateSubscriptionParameters(
                    RequestedPublishingInterval=interval_s * 1000,
                    RequestedMaxKeepAliveCount=alive,
                    RequestedLifetimeCount=max(3 * alive, math.ceil(LIFETIME_S / interval_s)),
                    MaxNotificationsPerPublish=0,
                    PublishingEnabled=True,
                ),
                self._take,
            )
        self._session.heard()
        self._id = made.SubscriptionId
        self.interval_s = made.RevisedPublishingInterval / 1000
        alive_s = self.interval_s * max(1, made.RevisedMaxKeepAliveCount)
        self._stale_s = max(self._stale_s, 2.5 * alive_s)
        self._doubt_s = 1.5 * alive_s + DOUBT_S
        self._heard_at = time.monotonic()

    def _take(self, result: ua.PublishResult) -> None:
        """Called by asyncua for every publish response; never waits."""
        publish = Publish(datetime.now(UTC))
        for part in result.NotificationMessage.NotificationData or ():
            if isinstance(part, ua.DataChangeNotification):
                publish.changes += [(item.ClientHandle, item.Value) for item in part.MonitoredItems]
            elif isinstance(part, ua.EventNotificationList):
                publish.events += [(event.ClientHandle, event.EventFields) for event in part.Events]
            elif isinstance(part, ua.StatusChangeNotification) and not part.Status.is_good():
                self._ended = _end(part.Status.value)
        if not self._ended:
            self._heard_at = time.monotonic()
            self._session.heard()
            publish.lost = self._count(result.NotificationMessage)
            self._note_clock(result.NotificationMessage.PublishTime, publish.received_at)
        if len(self._waiting) >= QUEUE:
            dropped = self._waiting.popleft()
            gone = len(dropped.changes) + len(dropped.events)
            self.lost += gone
            log.warning("%s: lost notifications so far: %d", self._session.machine, self.lost)
            (self._waiting[0] if self._waiting else publish).lost += gone + dropped.lost
        self._waiting.append(publish)
        self._some.set()

    def _note_clock(self, stamp: datetime | None, received_at: datetime) -> None:
        if (said := told_time(stamp)) is not None:
            self._session.server_clock.take(said, received_at - UNDER_WAY, received_at)

    def _count(self, message: ua.NotificationMessage) -> int:
        """How many are missing by the numbers; a message that only says 'alive' takes none."""
        number, missing = message.SequenceNumber, 0
        if self._number and number > self._number + 1:
            missing = number - self._number - 1
            self.lost += missing
            log.warning(
                "%s: messages %d to %d of the subscription never came",
                self._session.machine,
                self._number + 1,
                number - 1,
            )
        self._number = number if message.NotificationData else max(self._number, number - 1)
        return missing


def gap(lost: int) -> str:
    """What a person is told of lost notifications; empty where there are none."""
    if not lost:
        return ""
    return f"the subscription lost {lost} notification{'s' if lost > 1 else ''}"


def _end(code: int) -> str:
    if code == ua.StatusCodes.BadShutdown:  # what asyncua itself reports of a lost link
        return "the connection dropped"
    return f"the subscription ended: {status_text(code)}"


async def subscribe(
    session: Session, *, interval_s: float, stale_s: float, every: bool = False
) -> Subscription:
    """Make a subscription.

    Args:
        session: The connection; closing it ends the subscription.
        interval_s: How often the server should publish.
        stale_s: After how much silence the subscription counts as dead, at least.
        every: Whether the server should send something in every interval, even 'nothing new'.

    Raises:
        MachineError: the server did not answer, or said no.
    """
    subscription = Subscription(session, stale_s)
    await subscription._open(interval_s, every)
    return subscription
