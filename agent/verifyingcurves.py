"""Curves against their cycles: each month's file read beside the rows that say what is in it.

A cycle's row holds a digest of its curves and is itself in the hash chain. A curve without a cycle
is none of anybody's: a kill between the two commits leaves it, and nothing shows it.
"""

import heapq
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from agent.archive.proving import Moved, Said
from agent.chain import curves_digest
from agent.files import curves_path, reading_uri
from agent.rows import to_ns

Cycle = tuple[bytes, int, int]
"""Machine, segment, counter."""

EVERY_CYCLES = 1000
"""How often progress is told."""

_BY_CYCLE = itemgetter(0, 1, 2)

SAID = """
    SELECT CAST(machine.name AS BLOB), cycle.segment, cycle.counter, cycle.curves, cycle.id
    FROM cycle JOIN machine ON machine.id = cycle.machine_id
    WHERE cycle.curves IS NOT NULL AND cycle.time_ns >= ? AND cycle.time_ns < ?
    ORDER BY machine.name, cycle.segment, cycle.counter
"""
HELD = """
    SELECT CAST(machine AS BLOB), segment, counter, signal, started_ns, data
    FROM curve ORDER BY machine, segment, counter
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """A cycle whose curves are not what its row says, or a month that is not there."""

    row: int
    """The cycle's id; 0 for a whole file."""
    words: str


def odd_curves(
    main: Path, raw: sqlite3.Connection, moved: Moved, progress: Callable[[int], None]
) -> Iterator[Odd]:
    """Compare the curves of all cycles that have any.

    Args:
        main: The main file; the months' files lie beside it.
        raw: On it, in a transaction, with texts as bytes.
        moved: Cycles that were moved to files; their curves were not.
        progress: Told how many cycles have been compared.
    """
    compared = 0
    gone = {month.decode() for (month,) in raw.execute("SELECT month FROM curves_retired")}
    for since, until in _months(raw, moved):
        if f"{since:%Y-%m}" in gone:
            continue  # what came late for it since is not worth the question
        path = curves_path(main, since)
        span = to_ns(since), to_ns(until)
        said = heapq.merge(raw.execute(SAID, span), moved.said(*span), key=_BY_CYCLE)
        if not path.is_file():
            cycles = sum(1 for _ in said)
            if cycles:
                yield Odd(
                    row=0,
                    words=f"curves: {path.name} is missing, with the curves of {cycles} cycles",
                )
            continue
        try:
            with closing(_open(path)) as month:
                for row, words in _compared(said, _digests(month)):
                    if words:
                        yield Odd(row=row, words=words)
                    compared += 1
                    if compared % EVERY_CYCLES == 0:
                        progress(compared)
        except sqlite3.DatabaseError as error:
            yield Odd(row=0, words=f"curves: {path.name} can't be read: {error}")


def _compared(said: Iterable[Said], held: Iterator[tuple[Cycle, str]]) -> Iterator[tuple[int, str]]:
    """Each cycle's id, with what is wrong with its curves; both sides in the same order."""
    there = next(held, None)
    for machine, segment, counter, digest, row in said:
        wanted: Cycle = (machine, segment, counter)
        while there is not None and there[0] < wanted:
            there = next(held, None)
        words = ""
        if there is None or there[0] != wanted:
            words = f"{_what(wanted)} are missing: they were removed"
        elif there[1] != digest.decode("ascii", "replace"):
            words = f"{_what(wanted)} are not as they were written"
        yield row, words


def _digests(month: sqlite3.Connection) -> Iterator[tuple[Cycle, str]]:
    for cycle, rows in groupby(month.execute(HELD), key=_BY_CYCLE):
        yield cycle, curves_digest((row[3], row[4], row[5]) for row in rows)


def _months(raw: sqlite3.Connection, moved: Moved) -> Iterator[tuple[datetime, datetime]]:
    """First and next month's first instant, UTC, for every month with cycles that have curves."""
    query = "SELECT min(time_ns), max(time_ns) FROM cycle WHERE curves IS NOT NULL"
    times = [*raw.execute(query).fetchone(), *moved.span()]
    if not (there := [each for each in times if each is not None]):
        return
    first, last = min(there), max(there)
    at = datetime.fromtimestamp(first / 1e9, UTC)
    since = datetime(at.year, at.month, 1, tzinfo=UTC)
    while to_ns(since) <= last:
        carry, month = divmod(since.month, 12)
        until = datetime(since.year + carry, month + 1, 1, tzinfo=UTC)
        yield since, until
        since = until


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(reading_uri(path), uri=True)


def _what(cycle: Cycle) -> str:
    machine, _segment, counter = cycle
    return f"curves: {machine.decode('utf-8', 'replace')}, counter {counter}"
