"""What the pages show now: one tile a machine, fed by the machines' tasks, read by the pages.

The model holds only what a page draws. It is written from the tasks of the machines (same event
loop), encoded once per change, and handed to every viewer through a bounded, latest-only inbox:
a slow viewer loses intermediate states, never the newest, and never holds up a machine.

    plant.set("IMM-07", state="running", reason="")   # the pages hear of it
    plant.seen("IMM-07", now)                         # a sign of life: cheap, once a poll
    plant.set("IMM-07", cooling_spark=plant.cooled("IMM-07", 12.21), cycle_time_s=24.48)
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from agent.latency import Latency
from agent.shotnow import ShotNow
from agent.users.taste import Taste

State = Literal["running", "waiting", "setup", "stopped", "idle", "no_data"]

PHASES_SHOWN = ("fill", "hold", "cool", "open", "eject")
"""The five stretches of a tile's phase strip; `close` and `pause` are its empty ends."""

SPARK_CYCLES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How much of a mold's life is used, for the bar of a tile."""

    shots: int
    """Taken by this revision, unobserved ones included."""
    planned: int | None
    """None where nobody has said what the mold should last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One machine as the overview draws it. Times are UTC, numbers in canonical units."""

    machine: str
    label: str
    """Short name for the tile: the digits of `IMM-07` are `07`; the name where it has none."""
    tonnage: int | None = None
    hall: str | None = None
    state: State = "no_data"
    reason: str = ""
    """Why it is in this state, for a person: `Door open`, `Connection refused`."""
    since: datetime | None = None
    """Since when it is in this state."""
    mold: str | None = None
    revision: str | None = None
    part: str | None = None
    """What the mold makes."""
    job: str | None = None
    parts_done: int | None = None
    parts_planned: int | None = None
    cycle_time_s: float | None = None
    """Of the last cycle."""
    target_s: float | None = None
    """The cycle time that the job or the mold plans with; None where nobody said."""
    cooling_time_s: float | None = None
    cooling_origin: str | None = None
    """`reported`, `latched`, `edges`, `derived`; None where the machine gives no cooling time."""
    cooling_uncertainty_s: float | None = None
    cooling_spark: tuple[float | None, ...] = ()
    """Cooling time of up to the last 50 cycles, oldest first; None where a shot was not seen."""
    life: Life | None = None
    phase: str | None = None
    """One of `drivers.signals.PHASES`; None where the machine does not tell."""
    phase_since: datetime | None = None
    phase_lengths_s: tuple[float | None, ...] = (None,) * len(PHASES_SHOWN)
    """Lengths of the last cycle's phases, aligned with `PHASES_SHOWN`, for the strip."""
    shots: int = 0
    """Booked in this segment's mount of the mold: what the counter proved."""
    cycles: int = 0
    """Shots recorded with values; `shots - cycles` were not observed. Both are shown."""
    last_cycle_at: datetime | None = None
    last_counter: int | None = None
    seen_at: datetime | None = None
    """Last time anything came from this machine; its age decides between live and no data."""
    stale_after_s: float = 60.0
    """How old `seen_at` may get before the tile says so."""
    short: str = ""
    """The most urgent open anomaly that nobody muted, in as many letters as a tile has room for."""
    priority: int | None = None
    """Its priority, 1 the most urgent; None where nothing is open."""
    taken: bool = False
    """Whether somebody has acknowledged it."""


@dataclass(frozen=True, slots=True)
class Update:
    """One thing for the viewers: what they look up in the plant when they come to it."""

    topic: str
    """`tiles`, `cycle`, `phase`, `shot`, `news`; `layout` where machines are others now."""
    key: str
    """What a newer one of the same topic and key replaces: the machine."""


@dataclass(slots=True, eq=False)
class Inbox:
    """What one viewer has not been sent yet: newest only, by topic and key.

    Topics and machines are few and fixed, so it can't grow however slow the viewer is.
    """

    _waiting: dict[tuple[str, str], Update] = field(default_factory=dict)
    _some: asyncio.Event = field(default_factory=asyncio.Event)
    follows: set[str] = field(default_factory=set)
    """Machines whose running shot this viewer draws; `Plant.follow` adds one."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, update: Update) -> None:
        """Replace what waits under the same topic and key."""
        slot = (update.topic, update.key)
        self._waiting.pop(slot, None)
        self._waiting[slot] = update
        self._some.set()

    async def wait(self) -> None:
        """Until something waits."""
        await self._some.wait()

    def empty(self) -> list[Update]:
        """Everything that waits, oldest first; nothing waits afterwards."""
        self._some.clear()
        updates = list(self._waiting.values())
        self._waiting.clear()
        return updates

    async def take(self) -> list[Update]:
        """Everything that waits, oldest first; waits until there is something."""
        await self.wait()
        return self.empty()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the pages say about the plant."""

    name: str
    timezone: str
    taste: Taste = field(default_factory=Taste)
    """How numbers and words look to who has not chosen otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An open anomaly that nobody muted, as the overview lists it."""

    number: int
    machine: str | None
    mold: str | None
    priority: int
    """1 alarm, 2 warning, 3 advice."""
    taken: str
    """Who acknowledged it; empty where nobody has."""
    short: str
    text: str
    likely: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What the record says of anomalies, for pages that are open."""

    version: int = 0
    """Rises with every change of an anomaly, and with whatever people enter."""
    waiting: int = 0
    """Open ones that nobody has seen to."""
    counts: tuple[int, int, int] = (0, 0, 0)
    """Open ones by priority."""
    calls: tuple[Call, ...] = ()
    """The most urgent ones, in that order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """Sums over all machines since the start of the plant's day, for the overview's side panel."""

    since: datetime
    shots: int = 0
    """What counters and events proved."""
    cycles: int = 0
    """Shots recorded with their values."""
    unobserved: int = 0
    blind_s: float = 0.0
    """Time in which a machine could not be seen, summed over machines."""


CYCLE_FIELDS = frozenset(
    {
        "cycle_time_s",
        "cooling_time_s",
        "cooling_uncertainty_s",
        "cooling_spark",
        "life",
        "parts_done",
        "phase_lengths_s",
        "shots",
        "cycles",
        "last_cycle_at",
        "last_counter",
    }
)
"""What usually changes with a shot, and travels under the topic `cycle`."""

PHASE_FIELDS = frozenset({"phase", "phase_since"})
"""What travels under the topic `phase`; every other field travels under `tiles`."""


class Plant:
    """All tiles, in the order of the configuration, and the viewers that watch them."""

    def __init__(self, site: Site, tiles: list[Tile], clock: Callable[[], datetime]) -> None:
        self.site = site
        self.clock = clock
        self._tiles = {tile.machine: tile for tile in tiles}
        self._seen = {tile.machine: tile.seen_at for tile in tiles}
        self._sparks: dict[str, deque[float | None]] = {
            tile.machine: deque(tile.cooling_spark, maxlen=SPARK_CYCLES) for tile in tiles
        }
        self._spark_counts = {tile.machine: len(tile.cooling_spark) for tile in tiles}
        self._versions = dict.fromkeys(self._tiles, 0)
        self._inboxes: set[Inbox] = set()
        self._viewers: set[Inbox] = set()
        self._followers: dict[str, list[Inbox]] = {}
        self._shots: dict[str, ShotNow] = {}
        self.today = Today(since=clock())
        """Replaced by whoever counts; viewers learn it with the next beat."""
        self.news = News()
        """What is open in the record; `tell` replaces it."""
        self.trouble = ""
        """Why the record's disk takes nothing; viewers learn it with the next beat."""
        self.answers = dict.fromkeys(self._tiles, 0)
        """Polls that were answered since the start, by machine."""
        self.durable = Latency()
        """From the end of a shot, as we know it, until it was on the disk."""
        self.written = Latency()
        """From when we had all of a shot until it was on the disk."""

    def arrange(self, tiles: list[Tile]) -> None:
        """Have other machines, or another order, from now on; pages that show them begin anew.

        Args:
            tiles: As they are before anything was heard; one that is there keeps what was heard.
        """
        before = list(map(_dress, self._tiles.values()))
        kept = {
            tile.machine: self.tile(tile.machine) for tile in tiles if tile.machine in self._tiles
        }
        self._tiles = {
            tile.machine: replace(
                kept[tile.machine],
                label=tile.label,
                tonnage=tile.tonnage,
                hall=tile.hall,
                stale_after_s=tile.stale_after_s,
            )
            if tile.machine in kept
            else tile
            for tile in tiles
        }
        names = [*self._tiles]
        self._seen = {name: self._seen.get(name) for name in names}
        self.answers = {name: self.answers.get(name, 0) for name in names}
        self._versions = {name: self._versions.get(name, -1) + 1 for name in names}
        self._spark_counts = {name: self._spark_counts.get(name, 0) for name in names}
        self._sparks = {name: self._sparks.get(name, deque(maxlen=SPARK_CYCLES)) for name in names}
        self._shots = {name: shot for name, shot in self._shots.items() if name in self._tiles}
        if before != list(map(_dress, self._tiles.values())):
            self.send(Update("layout", ""))

    @property
    def machines(self) -> list[str]:
        """Their names, in the order of the configuration."""
        return list(self._tiles)

    @property
    def tiles(self) -> list[Tile]:
        """The tiles now, in the order of the configuration."""
        return [self.tile(machine) for machine in self._tiles]

    def tile(self, machine: str) -> Tile:
        """One tile now."""
        tile, seen_at = self._tiles[machine], self._seen[machine]
        if tile.seen_at != seen_at:
            tile = self._tiles[machine] = replace(tile, seen_at=seen_at)
        return tile

    def last(self, machine: str) -> Tile:
        """One tile as it was set last: signs of life since are not in it. Cheaper than `tile`."""
        return self._tiles[machine]

    @property
    def viewers(self) -> int:
        """How many pages are open now."""
        return len(self._viewers)

    def ages_s(self) -> list[float | None]:
        """How long ago each machine gave a sign of life; None where it never did."""
        now = self.clock()
        return [
            None if at is None else max(0.0, (now - at).total_seconds())
            for at in self._seen.values()
        ]

    def seen(self, machine: str, at: datetime) -> None:
        """Note that a machine gave a sign of life; viewers learn it with the next beat."""
        self._seen[machine] = at
        self.answers[machine] += 1

    def set(self, machine: str, **changes: Any) -> None:
        """Change fields of a tile and tell the viewers what kind of thing changed."""
        if "seen_at" in changes:
            self._seen[machine] = changes["seen_at"]
        old = self._tiles[machine]
        new = replace(old, **{"seen_at": self._seen[machine], **changes})
        changed = {name for name in changes if getattr(old, name) != getattr(new, name)}
        self._tiles[machine] = new
        self._versions[machine] += 1
        if "cooling_spark" in changed:
            self._spark_counts[machine] += appended(old.cooling_spark, new.cooling_spark)
        changed.discard("seen_at")
        if "life" in changed and _planned(old) != _planned(new):
            changed.add("planned")
        if changed & CYCLE_FIELDS:
            self.send(Update("cycle", machine))
        if changed & PHASE_FIELDS:
            self.send(Update("phase", machine))
        if changed - CYCLE_FIELDS - PHASE_FIELDS:
            self.send(Update("tiles", machine))

    def hear(self, news: News) -> None:
        """Tell the viewers what is new in the record."""
        if news != self.news:
            self.news = news
            self.send(Update("news", ""))

    def tell(self, news: News, first: Mapping[str, Call]) -> None:
        """Show what the record says now.

        Args:
            news: Of all machines.
            first: The most urgent anomaly of each machine that has one.
        """
        self.hear(news)
        for machine, tile in list(self._tiles.items()):
            call = first.get(machine)
            says = (call.short, call.priority, bool(call.taken)) if call else ("", None, False)
            if says != (tile.short, tile.priority, tile.taken):
                self.set(machine, short=says[0], priority=says[1], taken=says[2])

    def cooled(self, machine: str, cooling_time_s: float | None) -> tuple[float | None, ...]:
        """Append one cycle to the machine's spark line and return the line."""
        spark = self._sparks[machine]
        spark.append(cooling_time_s)
        return tuple(spark)

    def spark_count(self, machine: str) -> int:
        """Cycles that the spark line was ever given: what a viewer lacks is the difference."""
        return self._spark_counts[machine]

    def version(self, machine: str) -> int:
        """Rises with every change of the tile; signs of life are no change."""
        return self._versions[machine]

    def send(self, update: Update) -> None:
        """Hand one update to whoever watches."""
        for inbox in self._inboxes:
            inbox.put(update)

    def draw(self, machine: str, shot: ShotNow) -> None:
        """Show the running shot of a machine, as it is now, to whoever follows it."""
        self._shots[machine] = shot
        if followers := self._followers.get(machine):
            for inbox in followers:
                inbox.put(Update("shot", machine))

    def shot(self, machine: str) -> ShotNow | None:
        """The running shot of a machine; None before its first frame."""
        return self._shots.get(machine)

    def follow(self, inbox: Inbox, machine: str) -> None:
        """Let a viewer hear of a machine's running shot, from what there is of it on."""
        if machine not in inbox.follows:
            inbox.follows.add(machine)
            self._followers.setdefault(machine, []).append(inbox)
        inbox.put(Update("shot", machine))

    @asynccontextmanager
    async def watch(self) -> AsyncGenerator[Inbox]:
        """An inbox for everything that changes."""
        inbox = Inbox()
        self._inboxes.add(inbox)
        try:
            yield inbox
        finally:
            self._inboxes.discard(inbox)

    @asynccontextmanager
    async def viewing(self) -> AsyncGenerator[Inbox]:
        """An inbox for as long as one viewer stays, for the running shots that it follows."""
        inbox = Inbox()
        self._viewers.add(inbox)
        try:
            yield inbox
        finally:
            self._viewers.discard(inbox)
            for machine in inbox.follows:
                self._followers[machine].remove(inbox)


def _dress(tile: Tile) -> tuple[object, ...]:
    """What no change of a tile says: all that the configuration has of it."""
    return tile.machine, tile.label, tile.tonnage, tile.hall, tile.stale_after_s


def _planned(tile: Tile) -> int | None:
    return tile.life.planned if tile.life else None


def appended(old: tuple[float | None, ...], new: tuple[float | None, ...]) -> int:
    """How many values were appended to make one spark line of the other.

    `SPARK_CYCLES` where the new one does not continue the old one.

    >>> appended((1.0, 2.0), (1.0, 2.0, None)), appended((1.0, 2.0), (3.0,))
    (1, 50)
    """
    for count in range(1, min(len(new), SPARK_CYCLES - 1) + 1):
        if (old + new[-count:])[-SPARK_CYCLES:] == new:
            return count
    return SPARK_CYCLES
