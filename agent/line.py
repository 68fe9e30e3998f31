"""One machine's line: observations in, cycles booked, kept and shown. Nothing flows back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from agent.anomaly import Anomaly
from agent.assembly import GRACE_S, Assembly
from agent.batch import Batch, Blind
from agent.before import Before
from agent.blindness import blindness
from agent.clockwatch import ClockWatch
from agent.display import Display
from agent.identified import identify
from agent.ledger import Entry, Ledger, Mount
from agent.molds.moldlife import MoldLife
from agent.molds.shelf import Shelf
from agent.molds.timeline import PERSON, Timeline, Word
from agent.record import Record
from agent.shotcount import ShotCount
from agent.slow import SlowSamples
from agent.stages import Stages
from agent.standstill import Standstill
from agent.today import Tally
from agent.watch import Supply, Watch
from agent.watchwords import Words
from drivers import Frame, Link, Notice, Observation, Report
from drivers.condition import Condition
from drivers.press import Press
from drivers.settings import MachineSettings

UNSEEN = "unseen"
"""Cause of an interval in which the link stood and shots went by unseen."""
FOR_A_PERSON = ("refused", "mistaken")
"""Causes that last until somebody acts on their words; so the record has the latest ones."""


class Line:
    """Walks one machine's observations through the stages to the record, and to the page.

    Args:
        settings: The machine.
        record: Where everything is kept; what is on the disk is shown, not before.
        display: The machine's tile.
        tally: Today's sums.
        before: What the record knew of this machine at start; None for a new one.
        life: Follows what the molds of all machines take.
        supply: What the presses of the plant have in common.
        clock: Now, UTC.
        together: Whether the watch looks at all signals together too.
        slow_s: How often a temperature, and what else holds, is kept; 0 for only with each shot.
    """

    def __init__(
        self,
        settings: MachineSettings,
        record: Record,
        display: Display,
        tally: Tally,
        before: Before,
        life: MoldLife,
        supply: Supply,
        clock: Callable[[], datetime],
        *,
        together: bool = False,
        slow_s: float = 0.0,
    ) -> None:
        self._name = settings.name
        self._record = record
        self._display = display
        self._tally = tally
        self._clock = clock
        self._stages = Stages(
            Assembly(settings.name, settings.cooling, max(GRACE_S, 3 * settings.poll_s)),
            Ledger(
                settings.name,
                before.standing,
                record.revision_of,
                cavities_of=lambda mold, _revision: record.cavities_of(mold),
            ),
            life=life,
            watch=Watch(settings.name, supply, lambda *of: record.words.of(*of), together=together),
            shot_count=ShotCount(settings.name, record.is_registered),
        )
        self._standstill = Standstill()
        self._slow = SlowSamples(settings.name, slow_s)
        self._before = before
        self._life = life
        self._seeded = settings.mold
        self._seen_at = before.seen_at
        self._blind = before.blind
        self._told: tuple[datetime, str] | None = None
        self._clear_since: datetime | None = None
        """When the last blind interval ended."""
        self._entered_at: datetime | None = None
        """When the ledger was last told of closings, by our clock."""
        self._press: Press | None = None
        self._shown: Mapping[str, str] = {}
        """What it shows of itself and the record was not told yet."""
        self._known_by: Mapping[str, str] = {}
        self._condition: Condition | None = None
        self._clocks = ClockWatch(settings.name)

    @property
    def blind(self) -> Blind | None:
        """The interval in which we can't see the machine, while it lasts."""
        return self._blind

    async def begin(self, why: str = "Sprue was not running") -> None:
        """Open the blind interval that the agent's own absence was, and seed the mount.

        A machine that was never seen is not blind yet: the first failure to connect says so.

        Args:
            why: Nobody looked until now.
        """
        now = self._clock()
        blinds = []
        if self._blind is None and self._seen_at is not None:
            self._blind = Blind(
                machine=self._name,
                since=self._seen_at,
                until=None,
                cause="not_running",
                why=why,
            )
            blinds.append(self._blind)
        entries = []
        self.seat(self._record.shelf)
        standing = self._stages.ledger.standing
        if standing.mount is None and self._seeded:
            standing.mount = Mount(
                machine=self._name,
                mold=self._seeded,
                revision=self._record.revision_of(self._seeded),
                since=now,
                source="configured",
            )
            entries.append(Entry(mounts=[standing.mount]))
        elif standing.mount is not None:
            self._display.booked(Entry(mounts=[standing.mount]))
        if self._before.told and standing.segment is not None:
            mounts = [standing.mount] if standing.mount else []
            entries.append(Entry(segments=[standing.segment], mounts=mounts, standing=standing))
        # What the watch had found is in the record already; the same ids change nothing there.
        anomalies = self._stages.resume(self._before.memory, self._before.since)
        await self._keep(
            Batch(machine=self._name, entries=entries, blinds=blinds, anomalies=anomalies)
        )
        await self.hear(self._record.words)
        if self._blind is not None:
            self._display.lost(self._blind)

    def seat(self, shelf: Shelf) -> None:
        """Take in what people said of the mold on the machine, and show it."""
        ledger, held = self._stages.ledger, self._stages.ledger.standing.mount
        words = list(shelf.words.get(self._name, ()))
        if held is not None and held.source != PERSON:
            # The machine may have named it since the shelf was read.
            own = Word(machine=self._name, mold=held.mold, since=held.since, source=held.source)
            words.append(own)
        word = Timeline(words).at(datetime.max.replace(tzinfo=UTC))
        if word is None or (word.source != PERSON and not (held and held.source == PERSON)):
            self._display.mounted(held)
            return
        mount = None
        if word.mold is not None:
            mount = Mount(
                machine=self._name,
                mold=word.mold,
                revision=word.revision or self._record.revision_of(word.mold),
                since=word.since,
                source=word.source,
                resin=word.resin,
                cavities=word.cavities_open,
            )
        ledger.seat(mount)
        self._display.mounted(mount)

    async def hear(self, words: Words) -> None:
        """Take in what people told the watch."""
        found = self._stages.hear(words.golden)
        await self._keep(Batch(machine=self._name, anomalies=found, saved=self._stages.memory()))

    async def tell(self, anomalies: Sequence[Anomaly]) -> None:
        """Keep what was found beside what machines say, such as a service that has come due."""
        await self._keep(Batch(machine=self._name, anomalies=anomalies))

    def connected(self, press: Press) -> None:
        """A new connection stands; what comes next comes over it."""
        self._press = press
        self._shown = {} if press.identity == self._known_by else press.identity
        self._stages.connected(reports=press.reports, modulus=press.counter_modulus, live=True)

    async def take(self, observation: Observation) -> None:
        """Walk one observation to the end of the line."""
        if self._shown:
            self._known_by, self._shown = self._shown, {}
            told = partial(identify, machine=self._name, shown=self._known_by, at=self._clock())
            await self._record.change(told)
        observation = self._standstill.take(observation, self._stages.ledger.interval_s)
        blinds: list[Blind] = []
        notices: list[Notice] = []
        match observation:
            case Link(up=False):
                blinds += self._lost(observation)
            case Frame() | Report():
                blinds += self._seen(observation.received_at)
            case Notice():
                notices.append(observation)
                self._seen_now(observation.received_at)
        outcome = self._stages.take(observation)
        if outcome.entries and isinstance(observation, Frame | Report):
            blinds += self._unseen(outcome.entries, observation.received_at)
        if isinstance(observation, Frame):
            states = self._stages.assembly.states
            self._display.sampled(states, observation.received_at)
            self._display.framed(observation, states)
            self._record.sampled(self._slow.take(observation))
            notices += self._note_condition(observation.received_at)
        await self._keep(
            Batch(
                machine=self._name,
                entries=outcome.entries,
                notices=notices,
                blinds=blinds,
                anomalies=[*self._blindness(blinds), *outcome.anomalies],
                saved=self._stages.memory(),
            )
        )

    async def _keep(self, batch: Batch) -> None:
        if not batch:
            return
        done = await self._record.keep(batch)
        done.add_done_callback(lambda _done: self._show(batch))

    def _show(self, batch: Batch) -> None:
        for entry in batch.entries:
            self._life.kept(entry)
            self._display.booked(entry)
            self._tally.add(entry)
        for blind in batch.blinds:
            self._tally.ended(blind)

    def _blindness(self, blinds: Sequence[Blind]) -> Iterator[Anomaly]:
        """What a person should know of intervals that have ended, and of one that lasts."""
        mount = self._stages.ledger.standing.mount
        for blind in blinds:
            if blind.until is not None:
                found = blindness(blind, blind.until - blind.since, mount)
                if found is not None:
                    yield found
        if self._blind is None or self._told == (self._blind.since, self._blind.cause):
            return
        found = blindness(self._blind, self._clock() - self._blind.since, mount)
        if found is not None:
            self._told = (self._blind.since, self._blind.cause)
            yield found

    def _note_condition(self, at: datetime) -> list[Notice]:
        """Keep how the connection does, when that has changed; tell of clocks that were set."""
        condition = self._press.condition if self._press else None
        if condition is None or condition == self._condition:
            return []
        self._condition = condition
        self._record.does(self._name, condition)
        return self._clocks.take(condition, at)

    def _seen_now(self, at: datetime) -> None:
        self._seen_at = at
        self._record.seen(self._name, at)

    def _seen(self, at: datetime) -> list[Blind]:
        """Note a sign of life; it closes the blind interval, if there is one."""
        self._seen_now(at)
        self._display.connected()
        if self._blind is None:
            return []
        ended = replace(self._blind, until=max(at, self._blind.since))
        self._blind, self._clear_since = None, ended.until
        return [ended]

    def _unseen(self, entries: Sequence[Entry], at: datetime) -> list[Blind]:
        """The interval in which closings went by though the link stood; mostly none.

        A machine that answers late, or with an old picture, shows only afterwards that it did.
        """
        runs = [run for entry in entries for run in entry.runs]
        if not runs:
            return []
        since, self._entered_at = self._entered_at, at
        closings = sum(r.unobserved for r in runs if r.kind == "unobserved" and not r.reason)
        if closings < 1 or since is None or since >= at:
            return []
        if self._blind is not None or (self._clear_since and self._clear_since >= since):
            return []
        what = "a closing" if closings == 1 else f"{closings} closings"
        why = f"it answered, and {what} went by that nothing it said showed in time"
        return [Blind(machine=self._name, since=since, until=at, cause=UNSEEN, why=why)]

    def _lost(self, link: Link) -> list[Blind]:
        """Open a blind interval, or say what it is now; unchanged ones are not written again."""
        since = self._blind.since if self._blind else min(self._seen_at or link.at, link.at)
        blind = Blind(machine=self._name, since=since, until=None, cause=link.cause, why=link.why)
        self._display.lost(blind)
        before = self._blind
        changed = before is None or before.cause != blind.cause
        if before is not None and blind.cause in FOR_A_PERSON:
            changed = changed or before.why != blind.why
        self._blind = blind
        return [blind] if changed else []
