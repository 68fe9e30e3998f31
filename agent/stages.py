"""The stages between what a machine says and what is kept: one walk, whoever feeds it.

`agent.line` feeds it from a socket and `agent.replay` from a file; a test may feed it from a list.
Nothing else walks a machine's observations, so that all three come to the same result.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any, Protocol
from zlib import crc32

from agent.anomaly import Anomaly
from agent.assembly import Assembly
from agent.batch import Saved
from agent.cycle import Booked, Cycle
from agent.ledger import Entry, Ledger
from agent.rows import to_ns
from agent.shotcount import ShotCount
from agent.sighting import Sighting
from agent.watch import Watch
from agent.watchwords import Golden
from drivers import Notice, Observation
from drivers.unchanging import unchanging

log = logging.getLogger(__name__)

WATCH = "watch"
"""The stage that remembers more than the record's rows say."""

MOLD = "watch/"
"""What it remembers of a mold that is not on the machine, by a checksum of the mold's key."""

SAVED_EVERY = 25
"""Cycles from one saved memory to the next, where nothing is found in between; those cycles are
walked again after a restart."""


@unchanging
class Outcome:
    """What one observation led to; mostly nothing."""

    entries: Sequence[Entry] = ()
    anomalies: Sequence[Anomaly] = ()
    """New ones, and new states of open ones."""


class Life(Protocol):
    """What follows how much the molds take; one object for all machines (`agent.molds`)."""

    def take(self, entry: Entry) -> Sequence[Anomaly]:
        """Count one entry of any machine's ledger, and judge the molds that it is on."""


class Stages:
    """Walks the observations of one machine from assembly onward.

    Args:
        assembly: Makes its cycles.
        ledger: Books them.
        life: Follows what molds take, those of all machines; None where no mold is known.
        watch: Says what is wrong with the cycles; None for one that knows nothing.
        shot_count: Says what is odd in the counting; None for one that knows of no molds.
    """

    def __init__(
        self,
        assembly: Assembly,
        ledger: Ledger,
        life: Life | None = None,
        watch: Watch | None = None,
        shot_count: ShotCount | None = None,
    ) -> None:
        self.assembly = assembly
        self.ledger = ledger
        self.life = life
        self.watch = watch or Watch(ledger.machine)
        self.shot_count = shot_count or ShotCount(ledger.machine)
        self._last: tuple[int, int, int] | None = None
        """Segment, counter and end (ns) of the newest cycle that the watch has taken."""
        self._unsaved = SAVED_EVERY
        """What the watch took since its memory was saved, in cycles; a new one is saved at once."""
        self._elsewhere: dict[str, bytes] = {}
        """What is kept of molds that are not on the machine."""
        self._heard = 0
        """The newest word of people that the watch has taken in."""

    def connected(self, *, reports: bool, modulus: int | None, live: bool = False) -> None:
        """A new connection stands.

        Args:
            reports: Whether the machine sends a report per cycle.
            modulus: What its counter counts modulo, where the driver knows.
            live: Somebody says when the connection breaks; not so of a file.
        """
        self.assembly.connected(reports=reports, live=live)
        self.ledger.modulus = modulus

    def take(self, observation: Observation) -> Outcome:
        """Walk one observation through every stage."""
        entries = self.book(self.assemble(observation))
        return Outcome(
            entries=entries, anomalies=[*self.count(entries), *self.judge(observation, entries)]
        )

    # One stage each; whoever walks many observations may walk all of them through one first

    def assemble(self, observation: Observation) -> list[Cycle | Sighting]:
        """What an observation says of closings."""
        return list(self.assembly.take(observation))

    def book(self, items: Iterable[Cycle | Sighting]) -> list[Entry]:
        """Book them in the ledger."""
        return [self.ledger.take(item) for item in items]

    def count(self, entries: Iterable[Entry]) -> list[Anomaly]:
        """What is odd in the counting, and what the molds' lives have come to."""
        found: list[Anomaly] = []
        for entry in entries:
            found += self.shot_count.take(entry)
            if self.life is not None:
                found += self.life.take(entry)
        return found

    def judge(self, observation: Observation, entries: Iterable[Entry]) -> list[Anomaly]:
        """What the watch finds in the cycles, and what it makes of a notice."""
        found: list[Anomaly] = []
        if isinstance(observation, Notice):
            found += self._noticed(observation)
        for entry in entries:
            if entry.booked is not None:
                found += self._watched(entry.booked)
        return found

    def resume(self, saved: Sequence[Saved], since: Iterable[Booked]) -> Sequence[Anomaly]:
        """Go on from what the record kept: the saved memory, and the cycles that came after it."""
        memory = next((each for each in saved if each.stage == WATCH), None)
        if memory is not None and memory.segment is not None and memory.counter is not None:
            new, body = copy(self.watch), json.loads(memory.body)
            elsewhere = [each for each in saved if each.stage.startswith(MOLD)]
            self._elsewhere = {each.stage: each.body for each in elsewhere}
            try:
                here = body["watch"]["baselines"]
                known = [each["key"] for each in here]
                rest = [json.loads(each.body) for each in elsewhere]
                baselines = [*here, *(each for each in rest if each["key"] not in known)]
                self.watch.load(body["watch"] | {"baselines": baselines})
            except (KeyError, TypeError, ValueError, AttributeError):
                log.warning(
                    "%s: what the watch remembered is of another version; it learns anew",
                    self.ledger.machine,
                )
                self.watch = new
            self._last = memory.segment, memory.counter, body["end_ns"]
            self._heard = body["heard"]
            self._unsaved = 0
        return [anomaly for booked in since for anomaly in self.look_back(booked)]

    def look_back(self, past: Booked | Notice) -> Sequence[Anomaly]:
        """Show the watch what the record has; assembly and ledger have had it."""
        return self._watched(past) if isinstance(past, Booked) else self._noticed(past)

    def hear(self, golden: Iterable[Golden]) -> Sequence[Anomaly]:
        """Take in what people told the watch; what it has heard before changes nothing.

        Args:
            golden: Everything that was ever said of golden cycles, in that order.
        """
        found: list[Anomaly] = []
        self.watch.reload()
        for word in golden:
            if word.machine != self.ledger.machine or word.number <= self._heard:
                continue
            self._heard = word.number
            self._unsaved = SAVED_EVERY
            if word.action == "carry":
                self.watch.carry(word.mold, word.from_revision or "", word.revision)
                continue
            of = word.mold, word.revision
            found += self.watch.approve(word.who, word.at, word.levels, word.curves, of)
        return found

    def memory(self) -> list[Saved]:
        """What has to be kept with the last outcome, to go on from after a restart; mostly nothing.

        Molds that are not on the machine are kept apart, and written only when they have changed.
        """
        if self._unsaved < SAVED_EVERY or self._last is None:
            return []
        self._unsaved = 0
        segment, counter, end_ns = self._last
        watch = self.watch.save()
        here = [each for each in watch["baselines"] if each["key"] == watch["key"]]
        saved = []
        for each in watch["baselines"]:
            if each["key"] != watch["key"]:
                stage, body = f"{MOLD}{crc32(repr(each['key']).encode()):08x}", _body(each)
                if self._elsewhere.get(stage) != body:
                    self._elsewhere[stage] = body
                    saved.append(Saved(stage=stage, body=body))
        kept = {"end_ns": end_ns, "heard": self._heard, "watch": watch | {"baselines": here}}
        saved.append(Saved(stage=WATCH, body=_body(kept), segment=segment, counter=counter))
        return saved

    def _noticed(self, notice: Notice) -> Sequence[Anomaly]:
        self._unsaved = SAVED_EVERY
        return self.watch.take(notice)

    def _watched(self, booked: Booked) -> Sequence[Anomaly]:
        end_ns = to_ns(booked.cycle.time)
        if self._last is not None and end_ns < self._last[2]:
            return ()  # it came late: it is in the record, but its time for the watch is over
        self._last = booked.segment, booked.cycle.counter, end_ns
        found = self.watch.take(booked)
        self._unsaved += SAVED_EVERY if found else 1
        return found


def _body(kept: Mapping[str, Any]) -> bytes:
    return json.dumps(kept, separators=(",", ":")).encode()
