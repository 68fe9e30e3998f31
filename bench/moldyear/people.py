"""What people say of molds, mostly later than it was so."""

import heapq
from collections.abc import Callable
from datetime import datetime
from random import Random

from agent.audit import Author, change
from agent.molds.desk import Desk
from bench.moldyear.shop import Mounted

DAY_S = 86_400.0
PROMPT = 0.3
"""Share of the entries that are made within minutes; the others, within a day."""

Say = Callable[[Desk], object]


class People:
    """Keep in mind what came onto a press, and enter it some time later.

    Args:
        url: Of the record.
        random: How late.
        moment: The instant of a second of the year.
    """

    def __init__(self, url: str, random: Random, moment: Callable[[float], datetime]) -> None:
        self._url = url
        self._random = random
        self._moment = moment
        self._due: list[tuple[float, int, Say]] = []
        self._number = 0
        self.entries = 0

    def saw(self, mounted: Mounted) -> None:
        """Note what has to be entered of a mold change: a re-cut always, the mount where the
        machine does not tell it."""
        if mounted.recut:
            cut = self._moment(self._between(max(mounted.free_s, 0.0), mounted.at_s))
            self._later(
                mounted.at_s,
                lambda desk: desk.revise(
                    mounted.mold, revision=mounted.revision, since=cut, reason="re-cut"
                ),
            )
        if not mounted.told:
            since = self._moment(self._between(mounted.off_s, mounted.at_s))
            self._later(
                mounted.at_s,
                lambda desk: desk.mount(mounted.machine, mounted.mold, since=since),
            )

    def speak(self, at_s: float) -> None:
        """Enter what is due by now."""
        due = []
        while self._due and self._due[0][0] <= at_s:
            due.append(heapq.heappop(self._due)[2])
        if not due:
            return
        with change(self._url) as connection:
            desk = Desk(connection, Author(who="M. Ortiz", at=self._moment(at_s)))
            for say in due:
                say(desk)
        self.entries += len(due)

    def _between(self, low_s: float, high_s: float) -> float:
        """A time that is surely after the last closing before, and before the first one after."""
        return low_s + 1 + self._random.random() * max(0.0, high_s - low_s - 1)

    def _later(self, at_s: float, say: Say) -> None:
        prompt = self._random.random() < PROMPT
        late_s = self._random.random() * (600.0 if prompt else DAY_S)
        self._number += 1
        heapq.heappush(self._due, (at_s + late_s, self._number, say))
