"""What travels to the pages: rows of fixed columns, encoded once and sent to every viewer.

A row starts with the machine's place in the order of the configuration, then its columns. Times are
seconds since 1970, UTC; numbers in canonical units; null where there is nothing. `SCHEMA` changes
when columns or messages do.
"""

import json
import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from agent.live import Plant, Tile, Today
from dashboards.face import shown, shown_long

SCHEMA = 2

Topic = Literal["tiles", "cycle", "phase"]

COLUMNS: dict[Topic, tuple[str, ...]] = {
    "tiles": (
        "state",
        "reason",
        "since",
        "label",
        "tonnage",
        "mold",
        "revision",
        "part",
        "job",
        "parts_planned",
        "target_s",
        "life_planned",
        "cooling_origin",
        "stale_after_s",
        "short",
        "priority",
        "taken",
    ),
    "cycle": (
        "last_counter",
        "last_cycle_at",
        "cycle_time_s",
        "cooling_time_s",
        "cooling_uncertainty_s",
        "shots",
        "cycles",
        "parts_done",
        "life_shots",
        "phase_lengths_s",
        "spark_kept",
        "spark_tail",
    ),
    "phase": ("phase", "phase_since"),
}
"""Columns of each topic. `spark_tail` is appended to the spark line if `spark_kept`, else it is the
line."""


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encoded(message: object) -> str:
    """Compact JSON that every browser can parse: no NaN, no lone surrogates."""
    return _JSON.encode(message)


def epoch(at: datetime | None) -> float | None:
    """Seconds since 1970, to a hundredth."""
    return None if at is None else round(at.timestamp(), 2)


class Rows:
    """Encodes what changed about a machine; what was encoded for one viewer serves all."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._places = {machine: place for place, machine in enumerate(plant.machines)}
        self._cache: dict[tuple[Topic, str, int], tuple[int, str]] = {}

    def row(self, topic: Topic, machine: str, lacking: int) -> str:
        """One row as JSON.

        Args:
            topic: Which columns.
            machine: Whose.
            lacking: How many values of the spark line the viewer has not got.
        """
        version = self._plant.version(machine)
        cached = self._cache.get((topic, machine, lacking))
        if cached and cached[0] == version:
            return cached[1]
        values = _VALUES[topic](self._plant.tile(machine), lacking)
        text = encoded([self._places[machine], *values])
        if lacking <= 1:  # a viewer that lags, or comes, is alone with what it lacks
            self._cache[topic, machine, lacking] = (version, text)
        return text


def _tile_values(tile: Tile, _lacking: int) -> list[Any]:
    return [
        tile.state,
        shown(tile.reason),
        epoch(tile.since),
        shown(tile.label),
        tile.tonnage,
        _name(tile.mold),
        _name(tile.revision),
        _name(tile.part),
        _name(tile.job),
        tile.parts_planned,
        _number(tile.target_s),
        tile.life.planned if tile.life else None,
        tile.cooling_origin,
        _number(tile.stale_after_s),
        shown(tile.short),
        tile.priority,
        tile.taken,
    ]


def _cycle_values(tile: Tile, lacking: int) -> list[Any]:
    spark = tile.cooling_spark
    kept = lacking < len(spark)
    tail = spark[len(spark) - lacking :] if kept else spark
    return [
        tile.last_counter,
        epoch(tile.last_cycle_at),
        _number(tile.cycle_time_s),
        _number(tile.cooling_time_s),
        _number(tile.cooling_uncertainty_s),
        tile.shots,
        tile.cycles,
        tile.parts_done,
        tile.life.shots if tile.life else None,
        [_number(length, 2) for length in tile.phase_lengths_s],
        int(kept),
        [_number(value) for value in tail],
    ]


def _phase_values(tile: Tile, _lacking: int) -> list[Any]:
    return [tile.phase, epoch(tile.phase_since)]


_VALUES = {"tiles": _tile_values, "cycle": _cycle_values, "phase": _phase_values}


def _number(value: float | None, decimals: int = 3) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, decimals)


def _name(text: str | None) -> str | None:
    return shown(text) if text else None


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


def message(topic: Topic, rows: Iterable[str]) -> str:
    """One message of rows that are JSON already."""
    return f'{{"t":"{topic}","rows":[{",".join(rows)}]}}'


def snapshot_object(plant: Plant) -> dict[str, Any]:
    """Everything, as objects with named members: for `/api/snapshot`."""
    tiles = []
    for tile, age in zip(plant.tiles, ages(plant), strict=True):
        values: dict[str, Any] = {"machine": shown(tile.machine), "hall": _name(tile.hall)}
        for topic, columns in COLUMNS.items():
            of_topic = _VALUES[topic](tile, len(tile.cooling_spark))
            values |= dict(zip(columns, of_topic, strict=True))
        del values["spark_kept"]
        values["cooling_spark"] = values.pop("spark_tail")
        tiles.append(values | {"age_s": age})
    return {
        "schema": SCHEMA,
        "now": epoch(plant.clock()),
        "site": shown(plant.site.name),
        "zone": plant.site.timezone,
        "tiles": tiles,
        "today": today_values(plant.today),
        "news": news_values(plant),
    }
