"""A fleet in simulated time: presses that close, molds that move and are re-cut.

Nothing here knows the ledger. Runs, mold changes, events and counters are the fleet's; what a
closing is made of is not, so that a year takes minutes.
"""

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from simulators.counters import Counters
from simulators.fleet import Fleet
from simulators.fleetentries import FleetEvent
from simulators.mold import Mold
from simulators.runs import Run, Runs, following
from simulators.setup import Setup

Key = tuple[str, str]
"""Mold and revision."""

START = datetime(2025, 1, 6, 5, 0, tzinfo=UTC)
"""When the year begins."""

JITTER = 0.01
DRY_SHARE = 0.4
"""How long a closing without plastic takes, of a cycle."""

DISTURBING = frozenset({"power_off", "reset_job_counters"})
"""Events that a counter of closings does not simply rise through."""


def moment(at_s: float) -> datetime:
    """An instant of the year."""
    return START + timedelta(seconds=at_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a press shows from a time on."""

    machine: str
    at_s: float
    """Seconds since the year began."""
    counter: int
    job_counter: int
    parts: int
    job: str
    mold: str
    resin: str
    dry: bool
    """The last closing was without plastic."""
    closed: bool
    """One has just ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounted:
    """A mold that came onto a press, as the people know who put it there."""

    machine: str
    mold: str
    revision: str
    recut: bool
    """It has come back as another revision."""
    free_s: float
    """When it came off the press before."""
    off_s: float
    """When this press made its last closing on the mold before."""
    at_s: float
    """When it was on; its first closing ends later."""
    told: bool
    """The machine names it at once."""


@dataclass(slots=True)
class Station:
    """One press."""

    name: str
    setup: Setup
    runs: Runs
    counters: Counters
    random: Random
    mold: Mold
    job: str
    parts_due: int
    cavities: int
    said: str
    """The mold that it names."""
    events: list[tuple[float, int, FleetEvent]] = field(default_factory=list)
    """What is to happen, soonest first."""
    late_until_s: float = 0.0
    """Up to here a mold change is named late."""
    late_shots: int = 0
    silent: bool = False
    """It never names another mold."""
    unnamed: int = 0
    """Closings until it names the mold that is on."""
    dry_due: int = 0
    stand_s: float = 0.0
    """To stand before the next closing."""
    last_s: float = 0.0
    dry: bool = False

    def shown(self, at_s: float, *, closed: bool = False) -> Shown:
        """What it shows now."""
        return Shown(
            machine=self.name,
            at_s=at_s,
            counter=self.counters.machine,
            job_counter=self.counters.job,
            parts=self.counters.parts,
            job=self.job,
            mold=self.said,
            resin=self.mold.resin,
            dry=self.dry,
            closed=closed,
        )


class Shop:
    """All presses of a fleet.

    Args:
        fleet: Its runs and events.
        seed: Of cycle times and of when each press began.
        silent: Presses that never name their mold; people do.
    """

    def __init__(self, fleet: Fleet, seed: int, silent: frozenset[str] = frozenset()) -> None:
        self.truth: Counter[Key] = Counter()
        """Shots, from the beginning on."""
        self.closings = 0
        self.happened: list[tuple[float, str]] = []
        """When something other than closings came to pass on a press: a mold change, a power
        failure, counters set back, closings without plastic."""
        self._heap: list[tuple[float, int, str, str]] = []
        self._number = 0
        self._free: dict[tuple[str, int], tuple[float, str]] = {}
        self._waiting: dict[tuple[str, int], str] = {}
        self.stations = {
            press.name: self._station(fleet.setup(press), seed, press.name in silent)
            for press in fleet.press
        }
        for number, event in enumerate(fleet.event):
            for press in fleet.event_devices(event):
                if press.name in self.stations:
                    heapq.heappush(self.stations[press.name].events, (event.at_s, number, event))
        for station in self.stations.values():
            self._due(station.random.random() * 20, station.name, "close")

    def walk(self, until_s: float) -> Iterator[Shown | Mounted]:
        """Everything that happens, in the order of time."""
        while self._heap and self._heap[0][0] < until_s:
            at_s, _number, name, what = heapq.heappop(self._heap)
            station = self.stations[name]
            if what == "close":
                yield from self._close(station, at_s)
            elif what == "show":
                self.happened.append((at_s, name))
                yield station.shown(at_s)
            else:
                yield from self._change(station, at_s)

    def _station(self, setup: Setup, seed: int, silent: bool) -> Station:
        mold, cavities = setup.mold, setup.open_cavities or setup.mold.cavities
        first = Run(mold=mold, job=setup.job, open_cavities=cavities)
        return Station(
            name=setup.name,
            setup=setup,
            runs=Runs(first, setup.runs, repeat=setup.repeat),
            counters=Counters(
                machine=setup.counter,
                job=setup.job_counter,
                limit=setup.counter_limit,
                kept=setup.counter_kept,
                save_every=setup.save_every,
            ),
            random=Random(f"{seed}/{setup.name}"),
            mold=mold,
            job=setup.job.name,
            parts_due=setup.job.parts,
            cavities=cavities,
            said=mold.id,
            silent=silent,
        )

    def _due(self, at_s: float, name: str, what: str) -> None:
        self._number += 1
        heapq.heappush(self._heap, (at_s, self._number, name, what))

    def _close(self, station: Station, at_s: float) -> Iterator[Shown | Mounted]:
        dry = station.dry_due > 0
        station.dry_due -= dry
        if dry:
            self.happened.append((at_s, station.name))
        station.dry, station.last_s = dry, at_s
        station.counters.closed(0 if dry else station.cavities, 0)
        self.closings += 1
        if not dry:
            self.truth[station.mold.id, station.mold.revision] += 1
        if station.unnamed and not dry:
            station.unnamed -= 1
            if not station.unnamed:
                station.said = station.mold.id
        yield station.shown(at_s, closed=True)
        before = station.counters.machine
        self._happen(station, at_s)
        if station.counters.machine != before:
            self._due(at_s + station.stand_s, station.name, "show")
        if station.parts_due and station.counters.parts >= station.parts_due:
            if station.runs and not station.runs.is_last:
                self._take_off(station, at_s)
            return
        self._next(station, at_s)

    def _next(self, station: Station, at_s: float) -> None:
        share = DRY_SHARE if station.dry_due else 1.0
        length_s = station.mold.expected_cycle_s * share * station.random.gauss(1.0, JITTER)
        stand_s, station.stand_s = station.stand_s, 0.0
        self._due(at_s + stand_s + length_s, station.name, "close")

    def _happen(self, station: Station, at_s: float) -> None:
        """What people and faults do to a press between two closings."""
        while station.events and station.events[0][0] <= at_s + station.stand_s:
            due_s, number, event = heapq.heappop(station.events)
            if event.every_s is not None:
                heapq.heappush(station.events, (due_s + event.every_s, number, event))
            given = event.given
            if (event.do or event.fault) in DISTURBING:
                self.happened.append((at_s, station.name))
            match event.do or event.fault:
                case "stop":
                    station.stand_s += float(given["standing_s"])
                case "power_off":
                    station.counters.power_lost()
                    station.stand_s += event.for_s or 0.0
                case "mold_id_late":
                    station.late_until_s = due_s + (event.for_s or 0.0)
                    station.late_shots = int(given["shots"])
                case "reset_job_counters":
                    station.counters.new_job()
                case "dry_cycles":
                    station.dry_due += int(given["count"])

    def _take_off(self, station: Station, at_s: float) -> None:
        runs = station.runs
        before, round_ = runs.at(runs.done)
        run, next_round = runs.at(runs.done + 1)
        at_s += station.stand_s
        station.stand_s = 0.0
        self._give(station.mold, before.turn(round_), at_s + run.set_up_s / 2)
        turn = run.turn(next_round)
        if turn == 0 or (run.mold.id, turn - 1) in self._free:
            self._fetch(station)
        else:
            self._waiting[run.mold.id, turn - 1] = station.name

    def _give(self, mold: Mold, turn: int, at_s: float) -> None:
        self._free[mold.id, turn] = at_s, mold.revision
        waiting = self._waiting.pop((mold.id, turn), None)
        if waiting is not None:
            self._fetch(self.stations[waiting])

    def _fetch(self, station: Station) -> None:
        """The next mold is there: it is on when the press has been set up."""
        run, round_ = station.runs.at(station.runs.done + 1)
        free_s = self._free.get((run.mold.id, run.turn(round_) - 1), (0.0, ""))[0]
        off_s = station.last_s
        self._due(max(off_s + run.set_up_s, free_s + run.set_up_s / 2), station.name, "change")

    def _change(self, station: Station, at_s: float) -> Iterator[Shown | Mounted]:
        run, round_ = station.runs.at(station.runs.done + 1)
        free_s, revision = self._free.get(
            (run.mold.id, run.turn(round_) - 1), (0.0, run.mold.revision)
        )
        if run.recut:
            revision = following(revision)
        station.runs.done += 1
        station.mold = Mold(
            id=run.mold.id,
            revision=revision,
            cavities=run.mold.cavities,
            resin=run.mold.resin,
            expected_cycle_s=run.mold.expected_cycle_s,
        )
        station.cavities = run.open_cavities or run.mold.cavities
        job = run.job_of(round_)
        station.job, station.parts_due = job.name, job.parts
        station.counters.new_job()
        station.dry_due = run.set_up_closings
        late = at_s < station.late_until_s
        station.unnamed = station.late_shots if late and not station.silent else 0
        if not station.unnamed and not station.silent:
            station.said = station.mold.id
        off_s = station.last_s
        self.happened.append((at_s, station.name))
        yield Mounted(
            machine=station.name,
            mold=station.mold.id,
            revision=revision,
            recut=run.recut,
            free_s=free_s,
            off_s=off_s,
            at_s=at_s,
            told=not station.silent and station.said == station.mold.id,
        )
        yield station.shown(at_s)
        self._happen(station, at_s)
        self._next(station, at_s)
