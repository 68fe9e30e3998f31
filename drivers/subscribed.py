"""Mapped nodes by subscription: the server publishes what has changed."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Self

from asyncua import ua

from drivers.latch import Latch
from drivers.observations import Quality
from drivers.points import Points, Shown
from drivers.reading import told_time
from drivers.session import Session, SessionSettings
from drivers.signals import Kind, kind_of
from drivers.subscription import LATE, OVERFLOW, Publish, Subscription, gap, subscribe
from drivers.uaerrors import LateError, status_text

log = logging.getLogger(__name__)

CURVE_QUEUE = 50
"""Samples of a curve that the server may collect between two publish responses."""
CURVE_SAMPLES = 10
"""How often a curve is sampled in one publishing interval, if the server can."""
CHECK_S = 30.0
"""How often all nodes are read once: deleted ones, and items that died without a word, show."""


class Subscribed:
    """Frames from a subscription: one for each publish response, and for each sample of a curve.

    The keep-alive count is 1, so that the server says in every interval that all is well even
    where nothing has changed; a frame is only made of what the server has said.
    """

    missed = 0
    """None: the server keeps the time."""

    def __init__(
        self,
        subscription: Subscription,
        session: Session,
        settings: SessionSettings,
        points: Points,
        latch: Latch | None,
    ) -> None:
        self._subscription = subscription
        self._session = session
        self._points = points
        self._latch = latch
        self._every_s = settings.poll_s
        self._slots: dict[int, int] = {}
        self._handles: dict[int, int] = {}
        self._is_curve = [kind_of(node.signal) is Kind.CURVE for node in points.nodes]
        self._now = Shown([], [], [])
        self._at: datetime | None = None
        self._check_at = 0.0
        self._overflows = 0
        self._unwatched: set[int] = set()
        self._published_at: datetime | None = None
        self.gap = ""
        """What was lost before the frames that `next` gave last; empty where nothing was."""

    @classmethod
    async def open(
        cls, session: Session, settings: SessionSettings, points: Points, latch: Latch | None
    ) -> Self:
        """Subscribe to all points that are there."""
        subscription = await subscribe(
            session, interval_s=settings.poll_s, stale_s=settings.stale_s, every=True
        )
        source = cls(subscription, session, settings, points, latch)
        await source._watch(range(len(points.nodes)))
        return source

    async def next(self) -> list[tuple[Shown, datetime]]:
        """The frames of the next publish response; all points read once, to begin with."""
        loop = asyncio.get_running_loop()
        if self._at is None:
            self._now = await self._points.read()
            self._at = datetime.now(UTC)
            self._check_at = loop.time() + CHECK_S
            return [(self._copy(), self._at)]
        while True:
            publish = await self._subscription.next(self._check_at)
            if publish is not None:
                self.gap = gap(publish.lost)
                return await self._frames(publish)
            self._check_at = loop.time() + CHECK_S
            await self._check()

    @property
    def condition(self) -> tuple[float, float, int]:
        """Publishing and sampling intervals by the server's word (s), and what was lost."""
        subscription = self._subscription
        lost = subscription.lost + self._overflows
        return subscription.interval_s, subscription.sampling_s, lost

    async def _watch(self, slots: range | list[int]) -> None:
        """Make monitored items for some points; what the server refuses is read until it takes it.

        Items that those points had before are given back.
        """
        found = [slot for slot in slots if self._points.found[slot] is not None]
        found = [s for s in found if s not in self._points.units.found or self._is_curve[s]]
        items = [self._item(slot) for slot in found]
        first = self._subscription.handle + 1
        await self._subscription.unwatch(
            handle for handle, slot in self._slots.items() if slot in found
        )
        answers = await self._subscription.watch(items)
        refused: set[str] = set()
        for handle, slot, answer in zip(
            range(first, first + len(found)), found, answers, strict=True
        ):
            if answer.StatusCode.is_good():
                self._handles[slot] = handle
                self._slots[handle] = slot
            else:
                self._handles.pop(slot, None)
                refused.add(status_text(answer.StatusCode.value))
        self._slots = {h: s for h, s in self._slots.items() if self._handles.get(s) == h}
        unwatched = {
            slot
            for slot, node_id in enumerate(self._points.found)
            if node_id is not None and slot not in self._handles
        }
        if refused and unwatched != self._unwatched:
            log.warning(
                "%s: the server takes no subscription to %d of %d values, which are read at each "
                "publish instead: %s",
                self._session.machine,
                len(unwatched - self._points.units.found.keys()),
                len(self._points.nodes),
                "; ".join(sorted(refused)),
            )
        self._unwatched = unwatched
        self._points.poll(unwatched)

    def _item(self, slot: int) -> ua.MonitoredItemCreateRequest:
        is_curve = self._is_curve[slot]
        sampling_s = self._every_s / CURVE_SAMPLES if is_curve else self._every_s
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(
                NodeId=self._points.found[slot], AttributeId=ua.AttributeIds.Value
            ),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(
                SamplingInterval=sampling_s * 1000,
                QueueSize=CURVE_QUEUE if is_curve else 1,
                DiscardOldest=True,
            ),
        )

    async def _frames(self, publish: Publish) -> list[tuple[Shown, datetime]]:
        """One frame as things stand now, and before it one for each earlier sample of a curve.

        What has a unit of its own is read together with it, so that neither is older; what the
        server takes no subscription to is read as well.
        """
        try:
            await self._points.read_polled(self._now)
        except LateError:  # a dead link shows by the subscription's own silence
            for one in self._points.polled:
                self._now.values[one], self._now.qualities[one] = None, Quality.MISSING
        self._note_clock(publish)
        curves: dict[datetime, list[tuple[int, ua.DataValue]]] = {}
        for handle, change in publish.changes:
            slot = self._slots.get(handle)
            if slot is None:
                continue
            self._count_overflow(change)
            at = told_time(change.SourceTimestamp)
            if self._is_curve[slot] and at is not None:
                curves.setdefault(at, []).append((slot, change))
            else:
                self._set(slot, change)
        frames = []
        newest = max(curves, default=None)
        for at in sorted(curves):
            for slot, change in curves[at]:
                self._set(slot, change)
            if newest is not None and at != newest:
                frames.append((self._copy(), self._stamp(publish.received_at - (newest - at))))
        frames.append((self._copy(), self._stamp(publish.received_at)))
        self._points.note(self._now.qualities)
        return frames

    def _note_clock(self, publish: Publish) -> None:
        """What has changed did so since the publish response before this one."""
        stamps = [told_time(change.SourceTimestamp) for _, change in publish.changes]
        newest = max((stamp for stamp in stamps if stamp is not None), default=None)
        if newest is not None and self._published_at is not None:
            clock = self._session.machine_clock
            clock.take(newest, self._published_at - LATE, publish.received_at)
        self._published_at = publish.received_at

    def _set(self, slot: int, change: ua.DataValue) -> None:
        value, quality = self._points.decoded(slot, change)
        self._now.values[slot], self._now.qualities[slot] = value, quality
        self._now.times[slot] = told_time(change.SourceTimestamp)

    def _copy(self) -> Shown:
        now = self._now
        return Shown([*now.values], [*now.qualities], [*now.times])

    def _stamp(self, at: datetime) -> datetime:
        """The time of a frame by our clock; never before the frame before."""
        if self._at is not None and at <= self._at:
            at = self._at + timedelta(microseconds=1)
        self._at = at
        return at

    def _count_overflow(self, change: ua.DataValue) -> None:
        code = change.StatusCode.value if change.StatusCode else 0
        if code & OVERFLOW == OVERFLOW:
            self._overflows += 1
            log.warning(
                "%s: the server's queue ran over; samples lost %d times so far",
                self._session.machine,
                self._overflows,
            )

    async def _check(self) -> None:
        """Read everything once, and subscribe anew to what had no living item."""
        if self._points.absent:
            await self._points.find()
        if self._latch and self._latch.absent:
            await self._latch.find()
        read = await self._points.read()
        dead = [slot for slot in range(len(self._points.nodes)) if self._is_dead(slot, read)]
        self._now = read
        await self._watch(dead)

    def _is_dead(self, slot: int, read: Shown) -> bool:
        """Whether the server shows a value that its subscription has kept from us."""
        if read.qualities[slot] is Quality.MISSING:
            return False
        if slot not in self._handles or self._now.qualities[slot] is Quality.MISSING:
            return True
        was, now = self._now.times[slot], read.times[slot]
        patience = timedelta(seconds=3 * self._subscription.interval_s)
        return (
            was is not None
            and now is not None
            and self._now.values[slot] != read.values[slot]
            and datetime.now(UTC) - now > patience > timedelta(0)
        )
