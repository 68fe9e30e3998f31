"""A row of a file of past cycles, made into the report that the machine might have sent.

Columns are canonical signal names and the words of `sprue export`; any other is carried under its
own name. Which cell is what is settled once for every list of names.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from agent.assembly import LEAST_COUNTED, MOST_COUNTED
from agent.recording import Recording, Row
from drivers import Origin, Report, Value
from drivers.signals import NUMBER_STATES, SIGNALS, STATE_WORDS, Kind

EXPORTED = (
    "segment", "time_uncertainty_s", "uncertainty", "outside_limits", "injected", "at_s",
    "warm_up", "time_utc", "started", "mold_shot", "mold_shot_min", "mold_shot_max", "quality",
    "limits", "resin_lot", "operator", "open_cavities", "box", "part_ids", "part_number",
    "part_revision", "sheet_version",
)  # fmt: skip
"""Of an export or a truth log, and not said by the machine: the walk finds them out for itself."""

QUALITY_OF = {"failed": "FAILED_CYCLE", "test": "TEST_SAMPLE_CYCLE"}
"""What a machine says of cycles that we call so."""


class Recorded(NamedTuple):
    """One cycle of the past."""

    report: Report
    revision: str | None
    """Of its mold, where the row says it."""


@dataclass(slots=True)
class _Layout:
    """What stands where in rows of the same names."""

    machine: int | None = None
    counter: int | None = None
    revision: int | None = None
    state: int | None = None
    flags: int | None = None
    provenance: int | None = None
    numbers: list[tuple[int, str]] = field(default_factory=list)
    counts: list[tuple[int, str]] = field(default_factory=list)
    words: list[tuple[int, str]] = field(default_factory=list)
    extras: list[tuple[int, str]] = field(default_factory=list)
    said_at: list[int] = field(default_factory=list)
    """Where the words and the state are."""
    said: tuple[list[str], dict[str, str]] | None = None
    """Their cells in the row before, and what they came to."""

    @classmethod
    def of(cls, names: tuple[str, ...]) -> "_Layout":
        layout = cls()
        for at, name in enumerate(names):
            if name in ("machine", "counter", "revision", "state", "flags", "provenance"):
                setattr(layout, name, at)
            elif name != "time" and name not in EXPORTED and name:
                layout._list_of(name).append((at, name))
        layout.said_at = [at for at, _ in layout.words]
        if layout.state is not None:
            layout.said_at.append(layout.state)
        return layout

    def _list_of(self, name: str) -> list[tuple[int, str]]:
        signal = SIGNALS.get(name)
        if signal is None or signal.kind is Kind.CURVE:
            return self.extras
        if signal.kind is Kind.STATE and name not in NUMBER_STATES:
            return self.words
        return self.numbers if signal.unit or name == "expected_cycle_s" else self.counts


class Reader:
    """Makes reports of a recording's rows.

    Args:
        recording: Where the rows are from; told what can't be used.
        machine: The machine of rows that name none; None makes such rows unusable.
    """

    def __init__(self, recording: Recording, machine: str | None = None) -> None:
        self._recording = recording
        self._machine = machine
        self._layouts: dict[int, tuple[tuple[str, ...], _Layout]] = {}

    def read(self, row: Row) -> Recorded | None:
        """The report that a row stands for; None where it has no time, machine or counter."""
        layout = self._layout(row.names)
        try:
            at = self._time(row)
            machine = _text(row, layout.machine) or self._machine
            if machine is None:
                raise ValueError("names no machine")
            counter = _count(row.cells[layout.counter]) if layout.counter is not None else None
            if counter is None:
                raise ValueError("has no counter")
        except (ValueError, OverflowError) as error:
            self._recording.refuse(row.line, str(error))
            return None
        flags = row.cells[layout.flags].split() if layout.flags is not None else ()
        report = Report(
            machine=machine,
            counter=counter,
            ended_at=at,
            received_at=at,
            origin=Origin.REPORTED,
            origins=self._origins(row, layout),
            fresh="time_uncertain" not in flags,
            values=self._values(row, layout),
            states=self._states(row, layout),
        )
        return Recorded(report, _text(row, layout.revision))

    def _layout(self, names: tuple[str, ...]) -> _Layout:
        known = self._layouts.get(id(names))
        if known is None:
            known = self._layouts[id(names)] = (names, _Layout.of(names))
        return known[1]

    def _time(self, row: Row) -> datetime:
        try:
            return self._recording.time(row)
        except (ValueError, OverflowError) as error:
            raise ValueError(
                f"column time: {_shown(row, 'time')} should be like 2026-11-23T06:00:00Z"
            ) from error

    def _values(self, row: Row, layout: _Layout) -> dict[str, Value]:
        cells = row.cells
        values: dict[str, Value] = {}
        for at, name in layout.numbers:
            if cell := cells[at]:
                try:
                    values[name] = float(cell)
                except ValueError:
                    self._odd(row, name, cell, values, _number)
        for at, name in layout.counts:
            cell = cells[at]
            if cell.isdecimal():
                values[name] = int(cell)
            elif cell:
                self._odd(row, name, cell, values, _whole)
        for at, name in layout.extras:
            if cell := cells[at].strip():
                values[name] = _extra(cell)
        return values

    def _odd(
        self,
        row: Row,
        name: str,
        cell: str,
        values: dict[str, Value],
        read: Callable[[str], Value],
    ) -> None:
        """Read a cell that is no plain number: blank, with a comma for a point, or no number."""
        if not cell.strip():
            return
        try:
            values[name] = read(cell)
        except (ValueError, OverflowError):
            self._recording.drop(row.line, name, f"{cell!r} is no number")

    def _states(self, row: Row, layout: _Layout) -> Mapping[str, str]:
        cells = [row.cells[at] for at in layout.said_at]
        if layout.said is not None and layout.said[0] == cells:
            return layout.said[1]  # words seldom change from one shot to the next
        before = self._recording.dropped
        states = self._words(row, layout)
        if self._recording.dropped == before:  # what is wrong is told each time
            layout.said = cells, states
        return states

    def _words(self, row: Row, layout: _Layout) -> dict[str, str]:
        states: dict[str, str] = {}
        for at, name in layout.words:
            if word := row.cells[at].strip():
                allowed = STATE_WORDS.get(name)
                if allowed is not None and word not in allowed:
                    self._recording.drop(
                        row.line, name, f"{word!r} should be one of {', '.join(allowed)}"
                    )
                else:
                    states[name] = _unguarded(word)
        if layout.state is not None:
            state = row.cells[layout.state]
            if state in QUALITY_OF:
                states.setdefault("quality", QUALITY_OF[state])
            elif state == "setup":
                states.setdefault("mode", "SETUP")
        return states

    def _origins(self, row: Row, layout: _Layout) -> Mapping[str, Origin]:
        if layout.provenance is None or not (cell := row.cells[layout.provenance]):
            return {}
        try:
            return _origins(cell)
        except (ValueError, AttributeError):
            self._recording.drop(row.line, "provenance", "no JSON of origins by signal")
            return {}


@lru_cache(maxsize=256)
def _origins(cell: str) -> Mapping[str, Origin]:
    return {name: Origin(word) for name, word in json.loads(cell).items()}


def _text(row: Row, at: int | None) -> str | None:
    return _unguarded(row.cells[at].strip()) or None if at is not None else None


def _unguarded(text: str) -> str:
    """A text without the apostrophe that an export puts before what a spreadsheet would run."""
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@", "\t", "\r") else text


def _count(cell: str) -> int | None:
    """A shot counter.

    Raises:
        ValueError: it is no whole number that a counter can show.
    """
    if not cell.strip():
        return None
    try:
        counter = int(cell) if cell.isdigit() else _whole(cell)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"column counter: {cell!r} should be a whole number") from error
    if not isinstance(counter, int) or not LEAST_COUNTED <= counter <= MOST_COUNTED:
        raise ValueError(f"column counter: {cell!r} should be what a counter can show")
    return counter


def _number(cell: str) -> float:
    """A number with a point or, as spreadsheets of half the world write it, a comma."""
    try:
        return float(cell)
    except ValueError:
        if cell.count(",") != 1:
            raise
        return float(cell.replace(",", "."))


def _whole(cell: str) -> Value:
    number = _number(cell)
    return int(number) if number.is_integer() else number


def _extra(cell: str) -> Value:
    try:
        return float(cell)
    except ValueError:
        return _unguarded(cell)


def _shown(row: Row, name: str) -> str:
    found = row.cells[row.names.index(name)] if name in row.names else ""
    return repr(found) if found else "nothing"
