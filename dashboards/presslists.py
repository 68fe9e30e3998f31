"""The lists of a press's page: values of a cycle, the last cycles, changes and blind stretches."""

from dataclasses import dataclass
from datetime import datetime

from agent.rows import from_ns
from agent.schema import VALUE_COLUMNS
from dashboards.catalogue import Catalogue
from dashboards.face import shown
from dashboards.figures import duration_parts, number
from dashboards.plantzone import PlantZone
from dashboards.pressfound import NOTICES_SHOWN, PressFound
from dashboards.wording import in_words, measure_of, told

LISTED = 12
"""Cycles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRow:
    """One value of the cycle that is shown."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRow:
    """One line of the list of cycles."""

    address: str
    counter: str
    when: str
    cycle: str
    cooling: str
    note: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One line of blind intervals, or of notices."""

    when: str
    text: str
    more: str = ""


class PressLists:
    """What of a press is shown line by line."""

    def __init__(
        self, found: PressFound, now: datetime, strings: Catalogue, zone: PlantZone, *, live: bool
    ) -> None:
        self._found = found
        self._now = now
        self._strings = strings
        self._zone = zone
        self._live = live

    @property
    def values(self) -> list[ValueRow]:
        """Every value of the cycle, in the order of the vocabulary."""
        each = self._found.shown
        if each is None:
            return []
        values, order = each.cycle.values, {name: n for n, name in enumerate(VALUE_COLUMNS)}
        rows = []
        for name in sorted(values, key=lambda name: (order.get(name, len(order)), name)):
            doubt = each.cycle.uncertainty.get(name)
            text = told(values[name], name)
            if doubt:
                text = f"{text} ±{number(measure_of(name).apart(doubt), 2)}"
            origin = each.cycle.provenance.get(name)
            word = self._strings.get(f"origin.{origin.value}", origin.value) if origin else ""
            rows.append(ValueRow(name=in_words(name), value=text, origin=word))
        return rows

    @property
    def last_cycles(self) -> list[CycleRow]:
        """The last cycles, newest first."""
        rows = []
        for each in reversed(self._found.cycles[-LISTED:]):
            values = each.cycle.values
            note = [] if each.cycle.closing == "shot" else [self._strings["closing.dry"]]
            note += [] if each.cycle.state == "production" else [each.cycle.state]
            rows.append(
                CycleRow(
                    address=f"{each.segment}/{each.cycle.counter}",
                    counter=number(each.cycle.counter),
                    when=self._zone.moment(each.cycle.time, self._now),
                    cycle=told(values.get("cycle_time_s"), "cycle_time_s"),
                    cooling=told(values.get("cooling_time_s"), "cooling_time_s"),
                    note=", ".join(note),
                    current=each is self._found.shown and not self._live,
                )
            )
        return rows

    @property
    def blinds(self) -> list[Stretch]:
        """Where we could not see it, newest first."""
        rows = []
        for each in reversed(self._found.blinds):
            until = each.until or self._now
            key, parts = duration_parts((until - each.since).total_seconds())
            lasting = self._strings.say(key, **parts)
            if each.until is None:
                lasting = self._strings.say("press.still", duration=lasting)
            when = self._zone.moment(each.since, self._now)
            rows.append(Stretch(when=when, text=lasting, more=shown(each.why)))
        return rows[:NOTICES_SHOWN]

    @property
    def notices(self) -> list[Stretch]:
        """What was changed on it, newest first."""
        rows = []
        for row in self._found.notices:
            old, new = _plain(row["old"]), _plain(row["new"])
            text = in_words(row["name"]) if row["name"] else row["change"]
            if old or new:
                unit = f" {shown(row['unit'])}" if row["unit"] else ""
                text = self._strings.say("press.changed", what=shown(text), old=old, new=new + unit)
            elif row["text"]:
                text = f"{shown(text)}: {shown(row['text'])}"
            when = self._zone.moment(from_ns(row["time_ns"]), self._now)
            rows.append(Stretch(when=when, text=text, more=shown(row["who"] or "")))
        return rows


def _plain(text: str | None) -> str:
    return shown(text.strip('"')) if text and text != "null" else ""
