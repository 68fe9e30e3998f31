"""One year, or less, of a shop: what the record says of every mold revision, against the truth."""

import pickle
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from agent.audit import change
from agent.batch import MoldRow
from agent.molds.life import Took, sum_of
from agent.molds.shelf import read_shelf
from bench.moldyear.agency import Agency, Interface
from bench.moldyear.outages import DAY_S, Outage, drawn
from bench.moldyear.people import People
from bench.moldyear.shop import Key, Mounted, Shop, Shown
from simulators.fleet import Fleet, load

CHUNK = 400
"""Of what presses show, handed over at once."""

ON_ITS_WAY = 3
"""Of what presses show, at most, at the instant of a kill: some seconds' worth."""

KILL_WITHIN_S = 0.008
"""A kill comes so long after the last was handed over, at most."""

MARGIN_S = 120.0
"""What happened so long before a kill may be among what was on its way."""

SILENT = frozenset({"IMM-04"})
"""Presses that never name their mold."""

RECORD = "plant.db"
CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """What an outage hid."""

    outage: Outage
    closings: int
    mounts: int
    disturbed: int
    """Presses on which something other than closings came to pass meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the record's answer compares with the truth."""

    days: float
    kills: int
    entries: int
    closings: int
    truth: dict[Key, int]
    found: dict[Key, Took]
    missed: Sequence[Missed]
    clear: frozenset[Key]
    """Revisions on whose presses the agent missed nothing but closings, and never for hours: their
    number has to be the truth's."""

    @property
    def wrong(self) -> list[str]:
        """Revisions whose bounds do not hold the truth, or their own number, or whose number is
        not the truth's where nothing but closings was missed; a sentence each."""
        sentences = []
        for key in sorted(self.truth.keys() | self.found.keys()):
            took, true = self.found.get(key, Took()), self.truth.get(key, 0)
            holds = took.shots_min <= true <= took.shots_max
            holds = holds and took.shots_min <= took.shots <= took.shots_max
            if holds and (took.shots == true or key not in self.clear):
                continue
            said = f"{key[0]} {key[1]}: {took.shots} shots ({took.shots_min} to {took.shots_max})"
            missed = "; nothing but closings was missed" if key in self.clear else ""
            sentences.append(f"{said}, truth {true}{missed}")
        return sentences

    @property
    def exact(self) -> int:
        """Revisions whose number is the truth's, without any doubt."""
        return sum(
            took.shots_min == took.shots == took.shots_max == self.truth.get(key, 0)
            for key, took in self.found.items()
        )

    @property
    def off(self) -> int:
        """By how many shots the likeliest numbers are off in all."""
        keys = self.truth.keys() | self.found.keys()
        return sum(abs(self.found.get(key, Took()).shots - self.truth.get(key, 0)) for key in keys)

    @property
    def doubt(self) -> int:
        """How many shots wide the bounds are in all."""
        return sum(took.shots_max - took.shots_min for took in self.found.values())


def shortened(fleet: Fleet, by: int) -> Fleet:
    """The fleet with fewer parts a run, so that molds change more often; a mold has its turn."""
    runs = tuple(run.model_copy(update={"parts": max(20, run.parts // by)}) for run in fleet.run)
    presses = [
        press.model_copy(update={"parts": max(20, press.parts // by)}) for press in fleet.press
    ]
    return fleet.model_copy(update={"run": runs, "press": presses})


@dataclass(slots=True, kw_only=True)
class Year:
    """A walk, as far as it has come; a checkpoint is this and a copy of the record."""

    fleet: Fleet
    shop: Shop
    people: People
    random: Random
    outages: list[Outage]
    end_s: float
    shown: dict[str, Shown]
    chunk: list[Shown] = field(default_factory=list)
    unseen: dict[str, list[Mounted]] = field(default_factory=dict)
    """Mounts by press that the agent has not been shown, as far as anybody knows."""
    on: dict[str, Key] = field(default_factory=dict)
    missed: list[Missed] = field(default_factory=list)
    doubtful: set[Key] = field(default_factory=set)
    closings: int = 0
    down: Outage | None = None
    down_closings: int = 0
    was_on: dict[str, Key] = field(default_factory=dict)
    checked_s: float = 0.0

    @classmethod
    def begin(
        cls, *, days: float, kills: int, seed: int, shorter: int, kinds: Sequence[str] = ()
    ) -> "Year":
        """A year of which nothing has been walked."""
        random = Random(f"moldyear/{seed}")
        fleet = shortened(load("small-batch"), shorter)
        shop = Shop(fleet, seed, SILENT)
        stations = shop.stations.items()
        shown = {name: station.shown(0.0) for name, station in stations}
        return cls(
            fleet=fleet,
            shop=shop,
            people=People(random),
            random=random,
            outages=drawn(random, kills, days * DAY_S, kinds),
            end_s=days * DAY_S,
            shown=shown,
            chunk=list(shown.values()),
            on={name: (each.mold.id, each.mold.revision) for name, each in stations},
        )

    def agency(self, url: str) -> Agency:
        """The agent that watches this fleet."""
        return Agency(
            url=url,
            interfaces=[
                Interface(
                    name=press.name,
                    protocol=press.protocol,
                    by_job=press.protocol == "euromap77" and not press.machine_counter,
                    modulus=2**16 if press.counter_limit == 2**16 else None,
                )
                for press in self.fleet.press
            ],
            molds=[
                MoldRow(name=mold.id, fields={"resin": mold.resin, "cavities": mold.cavities})
                for mold in self.fleet.mold
            ],
            kills=len(self.missed),
        )

    def walk(self, folder: Path, every_s: float, tell: Callable[[str], None]) -> Outcome:
        """Go on to the end.

        Args:
            folder: Of the record.
            every_s: From one checkpoint to the next; 0 for none.
            tell: Takes a line about each.
        """
        url = f"sqlite:///{folder}/{RECORD}"
        agency = self.agency(url)
        agency.start(self.checked_s)
        for item in self.shop.walk(self.end_s):
            self._take(item, agency, url)
            if every_s and agency.runs and item.at_s >= self.checked_s + every_s:
                self._hand_over(agency)
                agency.stop()  # as for an update
                self.checked_s = item.at_s
                self._keep(folder)
                tell(
                    f"day {item.at_s / DAY_S:.0f}: {self.closings:,} closings, {agency.kills} kills"
                )
                agency.start(item.at_s)
        if not agency.runs:
            self._back(agency, self.end_s)
        self._hand_over(agency)
        self.people.speak(url, self.end_s + 2 * DAY_S)
        agency.stop()
        agency.start(self.end_s)  # what was said last is attributed at the latest at a start
        agency.stop()
        return Outcome(
            days=self.end_s / DAY_S,
            kills=agency.kills,
            entries=self.people.entries,
            closings=self.closings,
            truth=dict(self.shop.truth),
            found=read_found(url),
            missed=tuple(self.missed),
            clear=frozenset(self.shop.truth.keys() - self.doubtful),
        )

    def _take(self, item: Shown | Mounted, agency: Agency, url: str) -> None:
        at_s = item.at_s
        if agency.runs and self.outages and at_s >= self.outages[0].at_s:
            few = self.random.randrange(1, ON_ITS_WAY + 1)
            self.chunk, last = self.chunk[:-few], self.chunk[-few:]
            self._hand_over(agency)
            agency.kill(last, self.random.random() * KILL_WITHIN_S)
            self.down, self.down_closings = self.outages.pop(0), self.closings
            self.was_on = dict(self.on)
        if not agency.runs and self.down is not None and at_s >= self.down.up_s:
            self._back(agency, self.down.up_s)
        if at_s >= self.people.due_s:
            if agency.runs:
                self._hand_over(agency)
            self.people.speak(url, at_s)
        if isinstance(item, Mounted):
            self.people.saw(item)
            self.unseen.setdefault(item.machine, []).append(item)
            self.on[item.machine] = item.mold, item.revision
            return
        self.closings += item.closed
        self.shown[item.machine] = item
        if agency.runs:
            self.chunk.append(item)
        if len(self.chunk) >= CHUNK:
            self._hand_over(agency)

    def _hand_over(self, agency: Agency) -> None:
        if self.chunk:
            agency.tell(self.chunk)
        for shown in self.chunk:
            mounts = self.unseen.get(shown.machine)
            if mounts:
                self.unseen[shown.machine] = [m for m in mounts if m.at_s > shown.at_s]
        self.chunk = []

    def _back(self, agency: Agency, up_s: float) -> None:
        """The agent is there again: it sees what the presses show, and people tell the rest."""
        outage, self.down = self.down, None
        assert outage is not None
        agency.start(up_s)
        self.chunk = [
            replace(each, at_s=max(up_s, each.at_s), closed=False) for each in self.shown.values()
        ]
        several = [mounts for mounts in self.unseen.values() if len(mounts) > 1]
        for mounted in (each for mounts in several for each in mounts):
            self.people.enter(mounted, after_s=up_s)
        disturbed = {n for at_s, n in self.shop.happened if outage.at_s - MARGIN_S <= at_s <= up_s}
        self.shop.happened.clear()
        for name in self.on if not outage.is_short else disturbed:
            here = {self.was_on[name], self.on[name]}
            here |= {(each.mold, each.revision) for each in self.unseen.get(name, ())}
            self.doubtful |= here
        self.missed.append(
            Missed(
                outage=replace(outage, up_s=up_s),
                closings=self.closings - self.down_closings,
                mounts=sum(len(mounts) for mounts in self.unseen.values()),
                disturbed=len(disturbed),
            )
        )

    def _keep(self, folder: Path) -> None:
        """Write a checkpoint; the one before is there until this one is."""
        new, old = folder / f"{CHECKPOINT}.new", folder / CHECKPOINT
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        shutil.copy(folder / RECORD, new / RECORD)
        (new / "year.pickle").write_bytes(pickle.dumps(self))
        shutil.rmtree(old, ignore_errors=True)
        new.rename(old)


def resumed(folder: Path) -> Year:
    """The walk as its last checkpoint left it, with the record put back to that."""
    for name in (RECORD, f"{RECORD}-wal", f"{RECORD}-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(folder / CHECKPOINT / RECORD, folder / RECORD)
    year = pickle.loads((folder / CHECKPOINT / "year.pickle").read_bytes())
    assert isinstance(year, Year)
    return year


def walk(
    folder: Path,
    *,
    days: float,
    kills: int,
    seed: int,
    shorter: int = 1,
    kinds: Sequence[str] = (),
    every_days: float = 0.0,
    tell: Callable[[str], None] = lambda _line: None,
) -> Outcome:
    """Let the shop run beside an agent that is killed, and compare.

    Args:
        folder: For the record.
        days: Of simulated time.
        kills: How often the agent is killed, at random times.
        seed: Of everything but where within its last few items a kill hits.
        shorter: By how much runs are cut short.
        kinds: Of outages; all if none is named.
        every_days: From one checkpoint to the next; 0 for none.
        tell: Takes a line about each.
    """
    year = Year.begin(days=days, kills=kills, seed=seed, shorter=shorter, kinds=kinds)
    return year.walk(folder, every_days * DAY_S, tell)


def read_found(url: str) -> dict[Key, Took]:
    """What the record says that every mold revision took."""
    with change(url) as connection:
        took = read_shelf(connection).took
    return {
        (mold, revision): sum_of(each, frozenset({revision}))
        for mold, each in took.items()
        for revision in {rev for rev, _resin in each}
    }


def tally(missed: Sequence[Missed]) -> Counter[str]:
    """How many outages there were of each kind."""
    return Counter(each.outage.kind for each in missed)
