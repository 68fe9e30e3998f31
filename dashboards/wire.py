"""What travels to the pages: rows of what changed, encoded once and sent to every viewer.

A row starts with the machine's place in the order of the configuration and a number whose bits say
which columns follow. Times are seconds since 1970, UTC; numbers in canonical units; null where
there is nothing. `SCHEMA` changes when columns or messages do.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal

from agent.live import Life, Plant, Today
from dashboards.face import shown, shown_long

SCHEMA = 3

Topic = Literal["tiles", "cycle", "phase"]

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encoded(message: object) -> str:
    """Compact JSON that every browser can parse: no NaN, no lone surrogates."""
    return _JSON.encode(message)


def epoch(at: datetime | None) -> float | None:
    """Seconds since 1970, to a hundredth."""
    return None if at is None else round(at.timestamp(), 2)


def _same(value: Any) -> Any:
    return value


def _name(text: str | None) -> str | None:
    return shown(text) if text else None


def _number(value: float | None, decimals: int = 3) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, decimals)


def _numbers(values: Iterable[float | None]) -> list[float | None]:
    return [_number(value) for value in values]


def _lengths(values: Iterable[float | None]) -> list[float | None]:
    return [_number(value, 2) for value in values]


def _shots(life: Life | None) -> int | None:
    return life.shots if life else None


def _planned(life: Life | None) -> int | None:
    return life.planned if life else None


Column = tuple[str, str, Callable[[Any], Any]]
"""Its name, the field of a tile that it is of, and how that travels."""

TILES: tuple[Column, ...] = (
    ("state", "state", _same),
    ("reason", "reason", shown),
    ("since", "since", epoch),
    ("label", "label", shown),
    ("tonnage", "tonnage", _same),
    ("mold", "mold", _name),
    ("revision", "revision", _name),
    ("part", "part", _name),
    ("job", "job", _name),
    ("parts_planned", "parts_planned", _same),
    ("target_s", "target_s", _number),
    ("life_planned", "life", _planned),
    ("cooling_origin", "cooling_origin", _same),
    ("stale_after_s", "stale_after_s", _number),
    ("short", "short", shown),
    ("priority", "priority", _same),
    ("taken", "taken", _same),
)

CYCLE: tuple[Column, ...] = (
    ("last_counter", "last_counter", _same),
    ("last_cycle_at", "last_cycle_at", epoch),
    ("cycle_time_s", "cycle_time_s", _number),
    ("cooling_time_s", "cooling_time_s", _number),
    ("cooling_uncertainty_s", "cooling_uncertainty_s", _number),
    ("shots", "shots", _same),
    ("cycles", "cycles", _same),
    ("parts_done", "parts_done", _same),
    ("life_shots", "life", _shots),
    ("phase_lengths_s", "phase_lengths_s", _lengths),
)

PHASE: tuple[Column, ...] = (("phase", "phase", _same), ("phase_since", "phase_since", epoch))

TOPICS: Mapping[Topic, tuple[Column, ...]] = {"tiles": TILES, "cycle": CYCLE, "phase": PHASE}

LINE = ("cooling_spark", "cooling_more")
"""The last columns of a cycle: a row has the whole line, or what is to be appended to it."""

COLUMNS: Mapping[Topic, tuple[str, ...]] = {
    topic: tuple(name for name, _field, _travels in columns) + (LINE if topic == "cycle" else ())
    for topic, columns in TOPICS.items()
}

_FIELDS = {
    topic: attrgetter(*(field for _name, field, _travels in columns))
    for topic, columns in TOPICS.items()
}


class Rows:
    """Encodes presses; what was told is remembered once, for all viewers."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._places = {machine: place for place, machine in enumerate(plant.machines)}
        self._told: dict[tuple[Topic, str], tuple[Any, ...]] = {}
        self._lines: dict[str, tuple[int, tuple[float | None, ...]]] = {}
        self._whole: dict[tuple[Topic, str], str] = {}

    def change(self, topic: Topic, machine: str) -> str:
        """The columns that are not as they were told; from now on they are. Empty for none."""
        before, line = self._told.get((topic, machine)), self._lines.get(machine)
        if before is None:
            return self.whole(topic, machine)
        values = self._tell(topic, machine)
        changed = {
            bit: TOPICS[topic][bit][2](value)
            for bit, (was, value) in enumerate(zip(before, values, strict=True))
            if was != value
        }
        if topic == "cycle" and line is not None:
            changed |= self._appended(machine, line[0])
        return self._row(machine, changed) if changed else ""

    def whole(self, topic: Topic, machine: str) -> str:
        """All columns as they were told."""
        key = (topic, machine)
        if key not in self._told:
            self._tell(topic, machine)
        if key not in self._whole:
            columns = _travelling(topic, self._told[key])
            if topic == "cycle":
                columns.append(_numbers(self._lines[machine][1]))
            self._whole[key] = self._row(machine, dict(enumerate(columns)))
        return self._whole[key]

    def _tell(self, topic: Topic, machine: str) -> tuple[Any, ...]:
        tile = self._plant.last(machine)
        values: tuple[Any, ...] = _FIELDS[topic](tile)
        self._told[topic, machine] = values
        self._whole.pop((topic, machine), None)
        if topic == "cycle":
            self._lines[machine] = (self._plant.spark_count(machine), tile.cooling_spark)
        return values

    def _appended(self, machine: str, told: int) -> dict[int, list[float | None]]:
        count, line = self._lines[machine]
        new, whole = count - told, len(CYCLE)
        if new == 0:
            return {}
        return {whole + 1: _numbers(line[-new:])} if new < len(line) else {whole: _numbers(line)}

    def _row(self, machine: str, columns: Mapping[int, Any]) -> str:
        mask = sum(1 << bit for bit in columns)
        return encoded([self._places[machine], mask, *columns.values()])


def _travelling(topic: Topic, values: Iterable[Any]) -> list[Any]:
    columns = TOPICS[topic]
    return [travels(value) for (_, _, travels), value in zip(columns, values, strict=True)]


def today_values(today: Today) -> dict[str, Any]:
    """The plant's sums, as they travel."""
    return {
        "since": epoch(today.since),
        "shots": today.shots,
        "cycles": today.cycles,
        "unobserved": today.unobserved,
        "blind_s": round(today.blind_s, 1),
    }


def news_values(plant: Plant) -> dict[str, Any]:
    """What is open in the record, as it travels; `calls` name the machine's place and a time."""
    news, places = plant.news, {machine: place for place, machine in enumerate(plant.machines)}
    return {
        "version": news.version,
        "waiting": news.waiting,
        "counts": list(news.counts),
        "calls": [
            {
                "number": call.number,
                "place": places.get(call.machine or ""),
                "mold": _name(call.mold),
                "priority": call.priority,
                "taken": shown(call.taken),
                "text": shown_long(call.text),
                "likely": shown_long(call.likely),
                "at": epoch(call.at),
            }
            for call in news.calls
        ],
    }


def ages(plant: Plant) -> list[float | None]:
    """Age of every source in seconds, in the order of the configuration."""
    return [None if age is None else round(age, 1) for age in plant.ages_s()]


def snapshot_object(plant: Plant) -> dict[str, Any]:
    """Everything, as objects with named members: for `/api/snapshot`."""
    tiles = []
    for tile, age in zip(plant.tiles, ages(plant), strict=True):
        values: dict[str, Any] = {"machine": shown(tile.machine), "hall": _name(tile.hall)}
        for topic, fields in _FIELDS.items():
            columns = COLUMNS[topic][: len(TOPICS[topic])]
            values |= dict(zip(columns, _travelling(topic, fields(tile)), strict=True))
        values["cooling_spark"] = _numbers(tile.cooling_spark)
        tiles.append(values | {"age_s": age})
    return {
        "schema": SCHEMA,
        "now": epoch(plant.clock()),
        "site": shown(plant.site.name),
        "zone": plant.site.timezone,
        "tiles": tiles,
        "today": today_values(plant.today),
        "trouble": shown_long(plant.trouble),
        "news": news_values(plant),
    }
