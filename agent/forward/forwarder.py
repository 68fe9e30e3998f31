"""Delivers the record to one sink, for as long as the agent runs; the only place that tries again.

New rows go first; what has gathered while the sink was away follows behind them, oldest first.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from agent.backoff import backoff
from agent.files import RecordError
from agent.forward import outbox
from agent.forward.kinds import packer_of, topics_of
from agent.forward.outbox import Lane, Letter, SinkRow
from agent.forward.settings import AnySink
from agent.forward.sink import LaterError, Parcel, RefusedError, Sink, TooBigError
from agent.forward.topics import CURVES, Reading, Row, Topic
from agent.record import Record
from agent.rows import to_ns

log = logging.getLogger(__name__)

FIRST_S, MOST_S = 1.0, 60.0
"""Waits between tries while a sink is away."""

AFTER_MOST_S = 900.0
"""Longer than that no sink is left alone, whatever it asks for."""

IDLE_S = 0.5
"""How often it is looked whether there is something new."""

LOOK_S = 1.0
"""How often a sink that stores late is asked whether it has started anew."""

SURE_S = 2.0
"""A server tells its start in whole seconds: one that died in the second of its start and started
anew within it can't be told from one that lived. So long after a start was seen first, that second
is over, and what was sent until then goes there once more."""

BYTES_MOST = 1_000_000
"""Of lines in one request, before compression."""

NEW_NS = 10_000_000_000
"""What is younger goes before a backlog."""

ROWS_MOST = 2000
"""Rows in one request, of topics other than curves."""

LETTERS_MOST = 1000
"""Dead letters of a sink; then it is the sink that is wrong, not the rows."""


@dataclass(frozen=True, slots=True)
class Held:
    """Acknowledged, and not known to be on the sink's disk yet."""

    at_s: float
    lane: Lane
    position: int


Opener = Callable[[], AbstractAsyncContextManager[Sink]]


class Forwarder:
    """Delivers to one sink.

    Args:
        settings: What the sink is told, and how.
        opener: Opens the sink; raises `LaterError` where it can't now.
        record: Where the lanes are kept.
        path: The record's main file, to read from.
        now: Our clock.
    """

    def __init__(
        self,
        settings: AnySink,
        opener: Opener,
        record: Record,
        path: Path,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._opener = opener
        self._record = record
        self._reading = Reading(path)
        self._now = now
        self._topics = {topic.name: topic for topic in topics_of(settings)}
        self._names = list(self._topics)
        self._pack = packer_of(settings)
        self._lanes: list[Lane] = []
        self._held: deque[Held] = deque()
        self._started: float | None = None
        self._sure_from_s: float | None = None
        self._looked_s = 0.0
        self._backlog_from_s = 0.0
        self._row = SinkRow(name=settings.name, kind=settings.kind, place=settings.place)

    async def run(self) -> NoReturn:
        """Deliver until cancelled; a sink that is away is waited for, for ever."""
        try:
            self._lanes = await asyncio.to_thread(self._load)
            await self._save()  # so that people see what waits, even if nothing is ever delivered
            waits = backoff(first_s=FIRST_S, most_s=MOST_S)
            while True:
                try:
                    async with self._opener() as sink:
                        await self._look(sink, always=True)
                        while True:
                            moved = await self._round(sink)
                            if self._row.trouble is not None:
                                await self._mended()
                            waits = backoff(first_s=FIRST_S, most_s=MOST_S)
                            if not moved:
                                await asyncio.sleep(IDLE_S)
                except LaterError as error:
                    if error.cut:
                        self._rewind()
                    await self._troubled(str(error))
                    await asyncio.sleep(min(error.after_s or next(waits), AFTER_MOST_S))
                except DatabaseError as error:
                    await self._troubled(f"record: {error.orig}")
                    await asyncio.sleep(next(waits))
                except RecordError as error:  # a file of moved cycles that can't be read
                    await self._troubled(str(error))
                    await asyncio.sleep(next(waits))
                except Exception as error:
                    # A mistake of ours must not cost the plant its record.
                    log.exception("%s: forwarding failed", self._row.name)
                    await self._troubled(f"Sprue's own mistake: {type(error).__name__}: {error}")
                    await asyncio.sleep(next(waits))
        finally:
            self._reading.close()

    def _load(self) -> list[Lane]:
        with self._reading.connect() as connection:
            lanes = outbox.load_lanes(connection, self._row.name, self._topics.values())
        return sorted(lanes, key=lambda lane: self._names.index(lane.topic))

    async def _round(self, sink: Sink) -> bool:
        """One look at everything; whether there may be more at once."""
        await self._look(sink)
        moved = False
        for lane in [lane for lane in self._lanes if lane.until is None]:
            moved |= await self._live(sink, lane)
        backlog = next((lane for lane in self._lanes if lane.until and not lane.is_told), None)
        if backlog and asyncio.get_running_loop().time() >= self._backlog_from_s:
            moved |= await self._catch_up(sink, backlog)
        moved |= await self._again(sink)
        if (note := sink.ignored()) != self._row.note:
            log.warning("%s: %s", self._row.name, note or "nothing was thrown away of late")
            self._row = replace(self._row, note=note)
            await self._save()
        return moved

    async def _live(self, sink: Sink, lane: Lane) -> bool:
        topic = self._topics[lane.topic]
        head = await asyncio.to_thread(self._reading.head, topic)
        if not self._settings.in_order and head - lane.sent > 2 * self._rows_most(topic):
            # What is new must not wait behind this; what is old goes in its order.
            since_ns = to_ns(self._now()) - NEW_NS
            old = await asyncio.to_thread(
                self._reading.before, topic, since_ns, self._rows_most(topic)
            )
            if old > lane.sent:
                await self._split(lane, old)
                return True
        return head > lane.sent and await self._step(sink, lane) > 0

    async def _split(self, lane: Lane, at: int) -> None:
        """Make a backlog of what a live lane has not sent up to a position."""
        self._lanes.append(Lane(topic=lane.topic, after=lane.sent, until=at))
        self._lanes.sort(key=lambda each: self._names.index(each.topic))
        lane.sent = at
        if not self._settings.hold_s:
            lane.after = at
        await self._save()

    async def _catch_up(self, sink: Sink, lane: Lane) -> bool:
        rows = await self._step(sink, lane)
        if rows == 0:  # its last rows have changed since, and are in the live lane now
            assert lane.until is not None
            await self._acknowledge(lane, lane.until, [])
        if (rate := self._settings.catch_up_per_s) is not None:
            self._backlog_from_s = asyncio.get_running_loop().time() + rows / rate
        return True

    async def _step(self, sink: Sink, lane: Lane) -> int:
        """Deliver the next rows of a lane; how many there were."""
        topic = self._topics[lane.topic]
        rows = await asyncio.to_thread(
            self._reading.after, topic, lane.sent, lane.until, self._rows_most(topic)
        )
        if not rows:
            return 0
        parcels, letters = await asyncio.to_thread(self._packed, topic, rows)
        taken = rows[: len(parcels) + len(letters)]
        done = lane.sent
        try:
            async for parcel, letter in self._deliver(sink, topic, parcels):
                if letter:
                    await asyncio.to_thread(self._refuse_too_many, len(letters))
                    letters.append(letter)
                done = parcel.position
        except LaterError:
            if done > lane.sent:  # what is settled needs not be found out again
                await self._acknowledge(lane, done, letters)
            raise
        await self._acknowledge(lane, taken[-1]["position"], letters)
        return len(taken)

    def _packed(self, topic: Topic, rows: Sequence[Row]) -> tuple[list[Parcel], list[Letter]]:
        """Rows as parcels, as many as fit into one request; and those that none can be made of."""
        parcels: list[Parcel] = []
        letters: list[Letter] = []
        size = 0
        for row in rows:
            try:
                body = self._pack(topic.name, row)
            except Exception as error:
                log.exception("%s: row %d can't be encoded", topic.name, row["row_id"])
                words = f"Sprue can't pack this row: {type(error).__name__}: {error}"
                letters.append(
                    Letter(topic=topic.name, row_id=row["row_id"], words=words, body=b"")
                )
                continue
            size += len(body)
            if size > BYTES_MOST and parcels:
                break
            parcels.append(
                Parcel(row_id=row["row_id"], position=row["position"], topic=topic.name, body=body)
            )
        return parcels, letters

    async def _deliver(
        self, sink: Sink, topic: Topic, parcels: Sequence[Parcel]
    ) -> AsyncGenerator[tuple[Parcel, Letter | None]]:
        """Send; what is refused is halved until it stands alone.

        Yields:
            In order: a parcel that is settled with all before it; a letter where it was refused.
        """
        if not parcels:
            return
        try:
            await sink.send(parcels)
            yield parcels[-1], None
        except (RefusedError, TooBigError) as error:
            if len(parcels) > 1:
                half = len(parcels) // 2
                for part in (parcels[:half], parcels[half:]):
                    async for settled in self._deliver(sink, topic, part):
                        yield settled
                return
            (parcel,) = parcels
            log.warning("%s refuses %s %d: %s", self._row.name, topic.name, parcel.row_id, error)
            yield (
                parcel,
                Letter(topic=topic.name, row_id=parcel.row_id, words=str(error), body=parcel.body),
            )

    def _refuse_too_many(self, more: int) -> None:
        with self._reading.connect() as connection:
            if outbox.count_letters(connection, self._row.name) + more >= LETTERS_MOST:
                raise LaterError(
                    f"it has refused {LETTERS_MOST} rows; look at `sprue outbox list`, then "
                    "`retry` or `drop` them"
                )

    async def _again(self, sink: Sink) -> bool:
        """Try what a person asked to be tried again."""

        def asked() -> tuple[Topic, list[int]] | None:
            with self._reading.connect() as connection:
                return outbox.asked_again(connection, self._row.name)

        found = await asyncio.to_thread(asked)
        if not found:
            return False
        topic, keys = self._topics[found[0].name], found[1]
        rows = await asyncio.to_thread(self._reading.of, topic, keys)
        parcels, letters = await asyncio.to_thread(self._packed, topic, rows)
        letters += [each async for _, each in self._deliver(sink, topic, parcels) if each]
        tried = {p.row_id for p in parcels} | {letter.row_id for letter in letters}
        gone = set(keys) - {row["row_id"] for row in rows}
        taken = sorted((tried | gone) - {letter.row_id for letter in letters})
        done = await self._save(
            letters, lambda c: outbox.forget_letters(c, self._row.name, topic.name, taken)
        )
        await done  # or it would be asked for once more
        return True

    async def _acknowledge(self, lane: Lane, position: int, letters: Sequence[Letter]) -> None:
        lane.sent = position
        if self._row.trouble is not None:
            log.warning("%s takes what it is sent again", self._row.name)
        self._row = replace(
            self._row, acknowledged_at=self._now(), trouble=None, trouble_since=None
        )
        if self._settings.hold_s:
            at_s = asyncio.get_running_loop().time()
            self._held.append(Held(at_s, lane, position))
            if not letters:
                return
        else:
            lane.after = position
        await self._save(letters)

    async def _look(self, sink: Sink, *, always: bool = False) -> None:
        """Ask a sink that stores late whether it has started anew; release what is safe by now."""
        if not self._settings.hold_s:
            return
        time_s = asyncio.get_running_loop().time()
        if not always and time_s < self._looked_s + LOOK_S:
            return
        self._looked_s = time_s
        started = await sink.started()
        if started != self._started:
            if self._started is not None:
                log.warning("%s has started anew; the last rows go there again", self._row.name)
                self._rewind()
            self._started, self._sure_from_s = started, time_s + SURE_S
        elif self._sure_from_s is not None and time_s >= self._sure_from_s:
            self._sure_from_s = None
            self._rewind()
        released = False
        while self._held and self._held[0].at_s <= time_s - self._settings.hold_s:
            held = self._held.popleft()
            held.lane.after = max(held.lane.after, held.position)
            released = True
        if released:
            await self._save()

    def _rewind(self) -> None:
        """What was acknowledged and may not be stored goes there again."""
        self._held.clear()
        for lane in self._lanes:
            lane.sent = lane.after

    async def _troubled(self, words: str) -> None:
        if self._row.trouble is None:
            log.warning("%s: %s; everything is kept for it", self._row.name, words)
            self._row = replace(self._row, trouble_since=self._now())
        if self._row.trouble != words:
            self._row = replace(self._row, trouble=words)
            await self._save()

    async def _mended(self) -> None:
        """It is there again, and nothing waits for it."""
        self._row = replace(self._row, trouble=None, trouble_since=None)
        await self._save()

    async def _save(
        self,
        letters: Sequence[Letter] = (),
        also: Callable[[Connection], None] = lambda _connection: None,
    ) -> asyncio.Future[None]:
        """Write down how far it is; done when it is on disk, which nobody needs to wait for."""
        self._lanes = [lane for lane in self._lanes if not lane.is_done]
        lanes, row, at = [replace(lane) for lane in self._lanes], self._row, self._now()

        def change(connection: Connection) -> None:
            outbox.save_letters(connection, row.name, letters, at)
            outbox.save_lanes(connection, row.name, lanes)
            outbox.save_sink(connection, row)
            also(connection)

        return await self._record.change(change)

    def _rows_most(self, topic: Topic) -> int:
        return self._settings.curve_rows_most if topic.name == CURVES else ROWS_MOST
