"""An export as a table: columns with types and units, filled a page of the record at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from agent.context.inforce import in_force
from agent.export.limits import Limits
from agent.export.moldshots import COLUMNS as MOLD_SHOTS
from agent.export.moldshots import MoldShots
from agent.export.page import Page
from agent.export.quality import quality_of
from agent.export.said import COLUMNS, Said
from agent.export.survey import Survey
from agent.export.tally import Tally
from agent.export.warmup import warm_up
from agent.history import PAGE, History
from agent.rows import compact
from agent.schema import VALUE_COLUMNS
from agent.watchwords import read_words
from drivers.signals import SIGNALS, signal_named

NUMERIC = {"integer", "real"}
"""What JSON numbers are to SQLite."""


class Type(StrEnum):
    """What a column's cells are; each may be empty (None)."""

    TIME = "time"
    """Whole nanoseconds since 1970, UTC."""
    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an export."""

    name: str
    type: Type
    cells: Callable[[Page], Sequence[Any]]
    unit: str = ""
    """Empty for words and counts."""


def _in_utc(page: Page) -> list[str]:
    ends = (page.wholes("time_ns") // 1000).astype("datetime64[us]")
    return [f"{at}+00:00" for at in np.datetime_as_string(ends).tolist()]


IN_UTC = Column("time_utc", Type.TEXT, _in_utc)
"""For formats whose `time` is in the site's zone, after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is written, whatever the format."""

    columns: Sequence[Column]
    history: History
    survey: Survey
    limits: Limits
    said: Said
    shots: MoldShots
    tally: Tally
    """Of the rows that were written, after all of them were."""

    def pages(self, size: int = PAGE, tally: Tally | None = None) -> Iterator[Page]:
        """The rows in order of arrival.

        Args:
            size: Rows of a page.
            tally: What counts them; None for the table's own, which is for writing them once.
        """
        survey, counting = self.survey, tally or self.tally
        without = set(VALUE_COLUMNS).difference(survey.signals)
        pages = self.history.pages(survey.wanted, up_to=survey.up_to, size=size, without=without)
        for rows in pages:
            page = Page(rows)
            warm, page.stops = warm_up(self.history, page)
            page.warm_up = [int(each in warm) for each in page["id"]] if warm else [0] * len(rows)
            page.judged, page.outside = self.limits.judge(page)
            page.mold_shots = self.shots.number(page)
            page.said = self.said.columns(page, counted=tally is None)
            counting.take(page)
            yield page


def table(history: History, survey: Survey) -> Table:
    """The table of a selection.

    Args:
        history: The record.
        survey: The selection.
    """
    with history.connect() as connection:
        facts = read_words(connection).facts
        said = Said(in_force(connection, {each.machine for each in survey.coverage}))
    limits = Limits({key: each for key, each in facts.items() if each.limits})
    columns = [
        Column("time", Type.TIME, _stored("time_ns")),
        Column("started", Type.TIME, _started),
        *_words("machine"),
        Column("segment", Type.WHOLE, _stored("segment")),
        Column("counter", Type.WHOLE, _stored("counter")),
        *_words("mold", "revision"),
        *(Column(name, Type.WHOLE, _mold_shot(n)) for n, name in enumerate(MOLD_SHOTS)),
        *_words("job", "closing", "state", "mode", "resin"),
        Column("warm_up", Type.WHOLE, lambda page: page.warm_up),
        *(Column(name, Type.TEXT, _said(name)) for name in COLUMNS),
        Column("time_uncertainty_s", Type.NUMBER, _stored("time_uncertainty_s"), "s"),
        *(_signal(name) for name in survey.signals),
        *(_extra(name, kinds) for name, kinds in survey.extras.items()),
        Column("flags", Type.TEXT, _stored("flags")),
        Column("quality", Type.TEXT, lambda page: [quality_of(each) for each in page["flags"]]),
        Column("limits", Type.TEXT, lambda page: page.judged),
        Column("outside_limits", Type.TEXT, lambda page: page.outside),
        Column("provenance", Type.TEXT, _stored("provenance")),
        Column("uncertainty", Type.TEXT, _stored("uncertainty")),
    ]
    return Table(
        columns=_told_apart(columns),
        history=history,
        survey=survey,
        limits=limits,
        said=said,
        shots=MoldShots(history),
        tally=Tally(survey.signals),
    )


def _told_apart(columns: Sequence[Column]) -> list[Column]:
    """A vendor's value that is called as a column of ours gets another name."""
    found: dict[str, Column] = {}
    for column in columns:
        name = column.name
        while name in found:
            name += " (machine's)"
        found[name] = replace(column, name=name)
    return list(found.values())


def _said(name: str) -> Callable[[Page], Sequence[Any]]:
    return lambda page: page.said[name]


def _words(*names: str) -> Iterator[Column]:
    return (Column(name, Type.TEXT, _stored(name)) for name in names)


def _started(page: Page) -> list[int | None]:
    """When each cycle began; None where nobody knows how long it took."""
    lasted = page.get("cycle_time_s", [None] * len(page.rows))
    return [
        None if s is None else ns - round(s * 1e6) * 1000
        for ns, s in zip(page["time_ns"], lasted, strict=True)
    ]


def _mold_shot(n: int) -> Callable[[Page], Sequence[Any]]:
    return lambda page: page.mold_shots[n]


def _stored(name: str) -> Callable[[Page], Sequence[Any]]:
    return lambda page: page[name]


def _signal(name: str) -> Column:
    unit = SIGNALS[name].unit
    if unit:
        return Column(name, Type.NUMBER, _stored(name), unit)
    return Column(name, Type.NUMBER, lambda page: [_plain(value) for value in page[name]])


def _plain(value: float | None) -> float | None:
    """A count as a whole number where it is one."""
    return int(value) if value is not None and value.is_integer() else value


def _extra(name: str, kinds: frozenset[str]) -> Column:
    signal = signal_named(name)
    if kinds - {"null"} <= NUMERIC:
        unit = signal.unit if signal else ""
        return Column(name, Type.NUMBER, lambda page: page.extra(name), unit)
    return Column(name, Type.TEXT, lambda page: [_text(value) for value in page.extra(name)])


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return compact(value)
