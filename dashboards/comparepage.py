"""Several old cycles of one press over each other: the newest dark, the others grey behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.cycle import Booked
from agent.history import Filter, History
from dashboards.catalogue import Catalogue
from dashboards.cyclechart import CycleChart, Shot, cycle_chart, shot_of
from dashboards.face import shown
from dashboards.figures import number
from dashboards.plantzone import PlantZone
from dashboards.strips import STRIPS
from dashboards.wording import in_words, told

LAST = 10
MOST = 20
"""Cycles that are still told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One cycle of the table."""

    address: str
    counter: str
    when: str
    values: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What the record says of the cycles, newest first."""

    cycles: Sequence[Booked]
    shots: Sequence[Shot]


def look_at_cycles(history: History, name: str, wanted: Sequence[tuple[int, int]]) -> Compared:
    """Read the cycles and their curves.

    Args:
        history: The record.
        name: Of the machine.
        wanted: Segment and counter of each; empty: the last ten.
    """
    if wanted:
        found = [
            each
            for segment, counter in wanted[:MOST]
            for each in history.cycles_up_to(name, segment, counter, 1)
            if each.cycle.counter == counter
        ]
        found.sort(key=lambda each: each.cycle.time, reverse=True)
    else:
        found = list(history.cycles(Filter(machine=name), newest=LAST))[::-1]
    return Compared(cycles=found, shots=[shot_of(history.curves(each)) for each in found])


class ComparePage:
    """Everything that the template needs."""

    def __init__(
        self,
        found: Compared,
        machine: str,
        now: datetime,
        strings: Catalogue,
        zone: PlantZone,
        *,
        last: bool,
    ) -> None:
        self.machine = machine
        self.name = shown(machine)
        self.last = last
        """Whether these are the last ten."""
        self._found = found
        self._now = now
        self._strings = strings
        self._zone = zone

    @property
    def newest(self) -> str:
        """The cycle that is drawn dark."""
        if not self._found.cycles:
            return self._strings["press.no_cycle"]
        return self._strings.say("press.running", n=number(self._found.cycles[0].cycle.counter))

    @property
    def others(self) -> str:
        """Those behind it."""
        return ", ".join(number(each.cycle.counter) for each in self._found.cycles[1:])

    @property
    def about(self) -> str:
        """Press, molds and jobs of them."""
        molds = dict.fromkeys(shown(each.mold) for each in self._found.cycles if each.mold)
        return ", ".join([self.name, *molds])

    @property
    def chart(self) -> CycleChart:
        """All of them in one drawing."""
        lengths = [each.cycle.values.get("cycle_time_s") for each in self._found.cycles]
        spans = [length for length in lengths if isinstance(length, int | float)]
        return cycle_chart(self._found.shots, {}, 1.04 * max(spans, default=0.0), self._strings)

    @property
    def _names(self) -> list[str]:
        return [
            name for name in STRIPS if any(name in each.cycle.values for each in self._found.cycles)
        ]

    @property
    def columns(self) -> list[str]:
        """Heads of the values."""
        return [in_words(name) for name in self._names]

    @property
    def rows(self) -> list[Row]:
        """A line for each cycle."""
        return [
            Row(
                address=f"{each.segment}/{each.cycle.counter}",
                counter=number(each.cycle.counter),
                when=self._zone.moment(each.cycle.time, self._now),
                values=[told(each.cycle.values.get(name), name) for name in self._names],
            )
            for each in self._found.cycles
        ]
