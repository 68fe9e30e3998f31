"""The durable local truth: one thread that writes, and what a restart needs back.

Commits are grouped by themselves: while one is on its way to the disk, the next batches gather.
What `keep` was given is on the disk when the future it returned is done.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.exc import DatabaseError

from agent import schema
from agent.anomaly import Anomaly
from agent.anomalyrows import anomaly_of
from agent.audit import Author
from agent.batch import Batch, MachineRow, MoldRow
from agent.before import Before, read_before, unknown
from agent.copying import is_full, may_pass
from agent.files import RecordError, main_path, only_writer, writer
from agent.history import curves_of
from agent.molds.desk import MoldError
from agent.molds.news import News
from agent.molds.seed import seed
from agent.molds.shelf import Shelf, read_shelf
from agent.openlog import long_log
from agent.reserve import Reserve
from agent.shedding import without_curves
from agent.slow import Stretch
from agent.watchwords import Words, read_words
from agent.writing import Change, Writing, introduce
from drivers.condition import Condition

log = logging.getLogger(__name__)

GROUP_MOST = 500
"""Batches in one commit."""

WAITING_MOST = 20_000
"""Batches in memory while the disk is slow; then machines wait."""

CURVES_WAITING_MOST = 2000
"""Batches in memory up to which they have their curves; after that, shots come without."""

SLOW_S = 3.0
"""A commit that takes longer is told: a disk that is well takes a hundredth of that."""

LOG_EVERY_S = 10.0
"""How often the length of the log is looked at."""

RETRY_S = 1.0
"""How often a disk that takes nothing is tried; once more when the agent is to stop."""

SEEN_EVERY_S = 1.0
"""How often it is noted when a machine was last seen, if nothing else is written."""


@asynccontextmanager
async def open_record(
    url: str,
    machines: Iterable[MachineRow] = (),
    molds: Iterable[MoldRow] = (),
    *,
    reserve_bytes: int = 0,
) -> AsyncGenerator["Record"]:
    """Open a record for writing, made or migrated as needed; on leaving everything is on disk.

    Args:
        url: Where it is.
        machines: Those that are configured.
        molds: The same.
        reserve_bytes: How much room is kept for shots, for a day on which the disk is full.

    Raises:
        RecordError: it can't be used, or another agent writes to it; on leaving: the disk did not
            take what waited.
    """
    path = main_path(url)
    record = Record(path, list(machines), list(molds), Reserve(path, reserve_bytes))
    thread = threading.Thread(target=record.work, name="record writer")
    thread.start()
    try:
        await record.opened
        yield record
    finally:
        record.close()
        await asyncio.to_thread(thread.join)
        record.ended()


class Record:
    """A record open for writing; `open_record` makes one."""

    def __init__(
        self, path: Path, machines: list[MachineRow], molds: list[MoldRow], reserve: Reserve
    ) -> None:
        self._path = path
        self._reserve = reserve
        self._machines = machines
        self._molds = molds
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(WAITING_MOST)
        self._waiting = 0
        self._stopping = threading.Event()
        self._trouble = ""
        self._scarce = ""
        """Why the room that is kept for shots is in use; empty where it is not."""
        self._slow = False
        """Whether a commit was told to be slow that has not ended yet."""
        self._writing_s: float | None = None
        """Since when we wait for the disk; None where we do not."""
        self._looked_s = 0.0
        """When the length of the log was looked at."""
        self._long = False
        self._say: Callable[[str], None] = lambda words: None
        self._queue: queue.SimpleQueue[tuple[Batch | Change, asyncio.Future[None]] | None]
        self._queue = queue.SimpleQueue()
        self._seen: dict[str, datetime] = {}
        self._conditions: dict[str, Condition] = {}
        self._slow_samples: dict[tuple[str, str, datetime], Stretch] = {}
        self._broken: asyncio.Future[None] = self._loop.create_future()
        self._known = False
        """Whether it was broken before it was closed: whoever watched has said so."""
        self.opened: asyncio.Future[None] = self._loop.create_future()
        """Done when the record is ready; raises `RecordError` when it can't be used."""
        self.before: dict[str, Before] = {}
        """What the record knew when it was opened, by machine."""
        self.shelf = Shelf(molds={}, took={})
        """The molds as they were when it was opened, or after somebody last changed them."""
        self.alerts: list[Anomaly] = []
        """Alerts on molds that were open when it was opened."""
        self.words = Words()
        """What people told the watch, by then too."""
        self.on_change: Callable[[Shelf], None] = lambda shelf: None
        """Called in the event loop when another process has changed something about molds; what
        was on the disk by then has been called done."""

    @property
    def trouble(self) -> str:
        """Why the disk takes nothing; empty where it does."""
        return self._trouble

    async def keep(self, batch: Batch) -> asyncio.Future[None]:
        """Hand over a batch; waits only where the disk is thousands of batches behind.

        Returns:
            Done when the batch is on the disk.
        """
        return await self._hand_over(batch)

    async def change(self, change: Change) -> asyncio.Future[None]:
        """Hand over something else to write, in the same commit as what comes with it.

        Args:
            change: Called in the writer's thread, within its transaction; short.

        Returns:
            Done when it is on the disk.
        """
        return await self._hand_over(change)

    async def before_of(self, machine: MachineRow) -> Before:
        """What the record knows of a machine now, after all that it was given; a new one is made.

        Args:
            machine: As the configuration has it.
        """
        found: list[Before | None] = []

        def look(main: Connection) -> None:
            introduce(main, machine)
            found.append(self._before(main, machine.name))

        await (await self.change(look))
        return found[-1] or unknown()

    async def flush(self) -> None:
        """Wait until all that was handed over is on the disk, and called done."""
        await (await self.change(lambda _main: None))

    async def seed(self, molds: Sequence[MoldRow], author: Author) -> None:
        """Take in what the configuration says of molds; all of it, or nothing.

        Raises:
            MoldError: it can't be said of a mold as it is.
        """
        wrong: list[MoldError] = []
        shelves: list[Shelf] = []

        def write(main: Connection) -> None:
            try:
                with main.begin_nested():
                    seed(main, molds, author)
            except MoldError as error:
                wrong.append(error)
            shelves.append(read_shelf(main))

        await (await self.change(write))
        if wrong:
            raise wrong[-1]
        self.shelf = shelves[-1]

    def seen(self, machine: str, at: datetime) -> None:
        """Note that a machine gave a sign of life; written within a second."""
        self._seen[machine] = at

    def does(self, machine: str, condition: Condition) -> None:
        """Note how a machine's connection does; written within a second."""
        self._conditions[machine] = condition

    async def watch(self) -> None:
        """Wait until the record breaks; never returns otherwise.

        Raises:
            RecordError: the disk refused.
        """
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._broken), SEEN_EVERY_S)
            self._look_at_commit()

    def _look_at_commit(self) -> None:
        """Tell of a commit that the disk does not end; its own thread can't."""
        began = self._writing_s
        took_s = 0.0 if began is None else time.monotonic() - began
        if took_s > SLOW_S and not self._slow and not self._trouble:
            self._slow = True
            since = datetime.now(UTC) - timedelta(seconds=took_s)
            log.error("record: %s: the disk is slow: a commit takes seconds", self._path)
            words = (
                f"nothing has been written since {since:%Y-%m-%d %H:%M:%S} UTC: the disk is slow, "
                "or another program keeps it from us; until then all is kept in memory"
            )
            # Its own file may lie on the disk that hangs, and nobody here may wait for that.
            self._loop.run_in_executor(None, self._say, words)
        elif self._slow and took_s <= SLOW_S:
            self._slow = False
            log.error("record: %s: the commit has ended", self._path)
            self._loop.run_in_executor(None, self._say, self._trouble or self._scarce)

    def close(self) -> None:
        """Let the writer finish what waits and stop."""
        self._known = self._broken.done()
        self._stopping.set()
        self._queue.put(None)

    def ended(self) -> None:
        """Tell what became of it, after the writer's end.

        Raises:
            RecordError: the disk did not take what waited.
        """
        if self._broken.done() and not self._broken.cancelled():
            error = self._broken.exception()
            if error is not None and not self._known:
                raise error

    def sampled(self, stretches: Iterable[Stretch]) -> None:
        """Note what a machine showed between shots too; written within a second.

        The first to go where the disk takes nothing, or little.
        """
        for each in stretches:
            if self._trouble or self._reserve.is_used:
                return
            self._slow_samples[each.machine, each.signal, each.curve.started_at] = each

    async def _hand_over(self, item: Batch | Change) -> asyncio.Future[None]:
        await self._room.acquire()
        self._waiting += 1
        many = self._waiting > CURVES_WAITING_MOST
        if (many or self._reserve.is_used) and isinstance(item, Batch):
            item = without_curves(item)  # shots are the last to go
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((item, done))
        return done

    def work(self) -> None:
        """The writer's thread: open, write until told to stop, close."""
        try:
            with ExitStack() as files:
                self._say = files.enter_context(only_writer(self._path, agent=True))
                main = files.enter_context(writer(self._path, "main"))
                writing = Writing(main, self._path, files)
                self._reserve.keep()
                writing.register(self._machines, self._molds, datetime.now(UTC))
                news = News(main, lambda: datetime.now(UTC))
                writing.on_gap = news.gap
                self.shelf = news.shelf
                self._load(main)
                self._loop.call_soon_threadsafe(self._finish_opening)
                while self._write_group(writing):
                    with self._timed():
                        self._look(main, news)
        except Exception as error:  # noqa: BLE001 - whatever stops the writer must stop the agent
            self._break(error)

    def _look(self, main: Connection, news: News) -> None:
        """Take in what other processes have changed."""
        try:
            shelf = news.look()
        except DatabaseError as error:
            if not may_pass(error):
                raise
            return  # what is written next tells of the disk
        if shelf is not None:
            with main.begin():
                words = read_words(main)
            self._loop.call_soon_threadsafe(self._changed, shelf, words)

    def _load(self, main: Connection) -> None:
        anomaly, machine, mold = schema.anomaly, schema.machine, schema.mold
        alerts = (
            select(anomaly, machine.c.name.label("machine"), mold.c.name.label("mold"))
            .select_from(anomaly.outerjoin(machine).outerjoin(mold))
            .where(anomaly.c.kind == "mold_life", anomaly.c.closed_ns.is_(None))
        )
        with main.begin():
            self.alerts = [anomaly_of(row) for row in main.execute(alerts).mappings()]
            self.words = read_words(main)
            names = main.execute(select(schema.machine.c.name)).scalars().all()
            for name in names:
                if (before := self._before(main, name)) is not None:
                    self.before[name] = before

    def _before(self, main: Connection, name: str) -> Before | None:
        return read_before(main, name, partial(curves_of, self._path))

    def _write_group(self, writing: Writing) -> bool:
        """Write what waits in one commit; False when told to stop."""
        group, going = self._gather()
        seen, self._seen = self._seen, {}
        conditions, self._conditions = self._conditions, {}
        slow, self._slow_samples = self._slow_samples, {}
        if group or seen or conditions or slow:
            batches = [item for item, _done in group if isinstance(item, Batch)]
            changes = [item for item, _done in group if not isinstance(item, Batch)]
            self._persist(writing, batches, seen, conditions, changes, list(slow.values()))
            self._loop.call_soon_threadsafe(self._finish, [done for _item, done in group])
        return going

    def _persist(
        self,
        writing: Writing,
        batches: list[Batch],
        seen: Mapping[str, datetime],
        conditions: Mapping[str, Condition],
        changes: list[Change],
        slow: list[Stretch],
    ) -> None:
        """Write until the disk has it; meanwhile machines go on into what memory holds.

        Raises:
            RecordError: the agent is to stop, and the disk still takes nothing.
        """
        while True:
            last = self._stopping.is_set()
            try:
                if self._trouble:
                    writing.forget()
                with self._timed():
                    writing.write(batches, seen, conditions, changes, slow)
                break
            except (DatabaseError, RecordError) as error:
                if not may_pass(error):
                    raise
                if is_full(error) and self._use_reserve(writing):
                    writing.forget()
                    continue
                self._tell_trouble(getattr(error, "orig", None) or error)
                if last:
                    log.error("record: %s: %d batches are lost", self._path, self._waiting)
                    raise
                self._stopping.wait(RETRY_S)
        self._look_at_files(writing)
        if self._trouble:
            log.error("record: %s: the disk takes what it is given again", self._path)
            self._trouble = ""
            self._say(self._scarce)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """While inside, the disk, or who else writes, may keep us waiting."""
        self._writing_s = time.monotonic()
        try:
            yield
        finally:
            self._writing_s = None

    def _use_reserve(self, writing: Writing) -> bool:
        """Make room for shots, once; whether that gave any."""
        if not self._reserve.use():
            return False
        self._scarce = (
            f"the disk is full since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, and shots go where "
            "room was kept for them; their curves are left out; make room"
        )
        self._say(self._scarce)
        with suppress(sqlite3.Error):  # what it makes room for is tried in any case
            writing.spare(room=True)
        return True

    def _look_at_files(self, writing: Writing) -> None:
        """Tell once who keeps the log from being emptied; keep room again where there is some."""
        now_s = time.monotonic()
        if now_s - self._looked_s < LOG_EVERY_S:
            return
        self._looked_s = now_s
        words = long_log(self._path)
        if words and not self._long:
            log.error("record: %s: %s", self._path, words)
        self._long = words is not None
        if self._scarce and self._reserve.keep():
            log.error("record: %s: there is room on the disk again", self._path)
            self._scarce = ""
            self._say(self._trouble)
            writing.spare(room=False)

    def _tell_trouble(self, error: object) -> None:
        if not self._trouble:
            log.error("record: %s: %s; all is kept in memory, and tried again", self._path, error)
            self._trouble = (
                f"nothing can be written since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC "
                f"({error}); make room, or see to the disk; until then all is kept in memory"
            )
            self._say(self._trouble)

    def _gather(self) -> tuple[list[tuple[Batch | Change, asyncio.Future[None]]], bool]:
        group: list[tuple[Batch | Change, asyncio.Future[None]]] = []
        try:
            item = self._queue.get(timeout=SEEN_EVERY_S)
            while item is not None:
                group.append(item)
                if len(group) >= GROUP_MOST:
                    return group, True
                item = self._queue.get_nowait()
        except queue.Empty:
            return group, True
        return group, False

    def _changed(self, shelf: Shelf, words: Words) -> None:
        self.shelf, self.words = shelf, words
        self.on_change(shelf)

    def revision_of(self, mold: str) -> str:
        """The present revision of a mold; that of a new one."""
        known = self.shelf.molds.get(mold)
        return known.revision if known else "A"

    def is_registered(self, mold: str) -> bool:
        """Whether people know a mold, and not only a machine."""
        known = self.shelf.molds.get(mold)
        return known is not None and known.registered

    def cavities_of(self, mold: str) -> int | None:
        """How many cavities a mold has, where somebody said it."""
        known = self.shelf.molds.get(mold)
        return known.cavities if known else None

    def _finish_opening(self) -> None:
        if not self.opened.done():
            self.opened.set_result(None)

    def _finish(self, done: list[asyncio.Future[None]]) -> None:
        for future in done:
            self._room.release()
            self._waiting -= 1
            if not future.done():
                future.set_result(None)

    def _break(self, error: Exception) -> None:
        broken = (
            error
            if isinstance(error, RecordError)
            else RecordError(f"record: {self._path}: {getattr(error, 'orig', None) or error}")
        )

        def tell() -> None:
            future = self._broken if self.opened.done() else self.opened
            if not future.done():
                future.set_exception(broken)

        self._loop.call_soon_threadsafe(tell)
