"""An export as a table: columns with types and units, filled a page of the record at a time."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from agent.context.inforce import in_force
from agent.export.page import Page
from agent.export.said import COLUMNS, Said
from agent.export.survey import Survey
from agent.export.tally import Tally
from agent.export.warmup import warm_up_ids
from agent.history import PAGE, History
from agent.rows import compact, from_ns, to_ns
from agent.schema import VALUE_COLUMNS
from agent.watch.facts import Facts, Limit
from agent.watchwords import read_words
from drivers.signals import SIGNALS, signal_named

NUMERIC = {"integer", "real"}
"""What JSON numbers are to SQLite."""


class Type(StrEnum):
    """What a column's cells are; each may be empty (None)."""

    TIME = "time"
    """An aware `datetime`, UTC."""
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


@dataclass(slots=True)
class Limits:
    """What the set-up sheets limit."""

    facts: Mapping[tuple[str, str], Facts]
    """By mold and revision."""
    _forces: dict[tuple[str, str], tuple[list[int], list[dict[str, Limit]]]] = field(
        default_factory=dict
    )

    def cells(self, page: Page) -> list[str]:
        """By row, as `cooling_time_s:low injection_pressure_peak_bar:high`; empty where none is."""
        if not self.facts:
            return [""] * len(page.rows)
        return [
            self._beyond(page, n, mold, revision, ns)
            for n, (mold, revision, ns) in enumerate(
                zip(page["mold"], page["revision"], page["time_ns"], strict=True)
            )
        ]

    def _beyond(self, page: Page, n: int, mold: str | None, revision: str | None, ns: int) -> str:
        words = []
        if mold is not None and revision is not None and (mold, revision) in self.facts:
            for signal, limit in self._in_force(mold, revision, ns).items():
                value = page[signal][n] if signal in page else page.extra(signal)[n]
                if not isinstance(value, int | float):
                    continue
                if limit.low is not None and value < limit.low:
                    words.append(f"{signal}:low")
                elif limit.high is not None and value > limit.high:
                    words.append(f"{signal}:high")
        return " ".join(words)

    def _in_force(self, mold: str, revision: str, ns: int) -> Mapping[str, Limit]:
        key = (mold, revision)
        if key not in self._forces:
            facts = self.facts[key]
            since = sorted({limit.since for limit in facts.limits})
            self._forces[key] = [to_ns(at) for at in since], [facts.in_force(at) for at in since]
        times, forces = self._forces[key]
        at = bisect_right(times, ns)
        return forces[at - 1] if at else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is written, whatever the format."""

    columns: Sequence[Column]
    history: History
    survey: Survey
    limits: Limits
    said: Said
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
            warm = warm_up_ids(self.history, rows)
            page.warm_up = [int(each in warm) for each in page["id"]] if warm else [0] * len(rows)
            page.outside = self.limits.cells(page)
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
        Column("time", Type.TIME, _time),
        *(
            Column(name, type_, _stored(name))
            for name, type_ in (
                ("machine", Type.TEXT), ("segment", Type.WHOLE), ("counter", Type.WHOLE),
                ("mold", Type.TEXT), ("revision", Type.TEXT), ("job", Type.TEXT),
                ("closing", Type.TEXT), ("state", Type.TEXT), ("mode", Type.TEXT),
                ("resin", Type.TEXT),
            )
        ),
        Column("warm_up", Type.WHOLE, lambda page: page.warm_up),
        *(Column(name, Type.TEXT, _said(name)) for name in COLUMNS),
        Column("time_uncertainty_s", Type.NUMBER, _stored("time_uncertainty_s"), "s"),
        *(_signal(name) for name in survey.signals),
        *(_extra(name, kinds) for name, kinds in survey.extras.items()),
        Column("flags", Type.TEXT, _stored("flags")),
        Column("outside_limits", Type.TEXT, lambda page: page.outside),
        Column("provenance", Type.TEXT, _stored("provenance")),
    ]  # fmt: skip
    return Table(
        columns=_told_apart(columns),
        history=history,
        survey=survey,
        limits=limits,
        said=said,
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


def _time(page: Page) -> list[datetime]:
    return [from_ns(ns) for ns in page["time_ns"]]


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
