"""What people say of molds, mostly later than it was so."""

import heapq
from dataclasses import dataclass
from datetime import datetime
from random import Random

from agent.audit import Author, change
from agent.molds.desk import Desk
from bench.moldyear.shop import Mounted, moment

DAY_S = 86_400.0
PROMPT = 0.3
"""Share of the entries that are made within minutes; the others, within a day."""


@dataclass(frozen=True, slots=True, order=True)
class Word:
    """One thing to enter, by when it is due."""

    due_s: float
    number: int
    what: str
    """`revise` or `mount`."""
    since: datetime
    mounted: Mounted

    def say(self, desk: Desk) -> None:
        """Enter it."""
        mounted = self.mounted
        if self.what == "mount":
            desk.mount(mounted.machine, mounted.mold, since=self.since)
            return
        desk.revise(
            mounted.mold, revision=mounted.revision, since=self.since, reason="re-cut"
        )  # fmt: skip


class People:
    """Keep in mind what came onto a press, and enter it some time later.

    They enter every re-cut, every mount that the machine does not name, and, where the agent was
    away while a press had its mold changed more than once, all that sat there meanwhile.

    Args:
        random: How late.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._due: list[Word] = []
        self._number = 0
        self._told: set[tuple[str, float]] = set()
        self.entries = 0

    @property
    def due_s(self) -> float:
        """When they have something to enter next."""
        return self._due[0].due_s if self._due else float("inf")

    def saw(self, mounted: Mounted) -> None:
        """Note what has to be entered of a mold change anyhow."""
        if mounted.recut:
            cut = moment(self._between(max(mounted.free_s, 0.0), mounted.at_s))
            self._later(mounted.at_s, "revise", cut, mounted)
        if not mounted.told:
            self.enter(mounted)

    def enter(self, mounted: Mounted, after_s: float = 0.0) -> None:
        """Note that a mount has to be entered, after a time; once is enough."""
        if (key := (mounted.machine, mounted.at_s)) in self._told:
            return
        self._told.add(key)
        since = moment(self._between(mounted.off_s, mounted.at_s))
        self._later(max(mounted.at_s, after_s), "mount", since, mounted)

    def speak(self, url: str, at_s: float) -> None:
        """Enter in the record what is due by now."""
        due = []
        while self._due and self._due[0].due_s <= at_s:
            due.append(heapq.heappop(self._due))
        if not due:
            return
        with change(url) as connection:
            desk = Desk(connection, Author(who="M. Ortiz", at=moment(at_s)))
            for word in due:
                word.say(desk)
        self.entries += len(due)

    def _between(self, low_s: float, high_s: float) -> float:
        """A time that is surely after the last closing before, and before the first one after."""
        return low_s + 1 + self._random.random() * max(0.0, high_s - low_s - 1)

    def _later(self, at_s: float, what: str, since: datetime, mounted: Mounted) -> None:
        prompt = self._random.random() < PROMPT
        late_s = self._random.random() * (600.0 if prompt else DAY_S)
        self._number += 1
        heapq.heappush(self._due, Word(at_s + late_s, self._number, what, since, mounted))
