"""What must hold of a record whose agent was just killed, whatever it was doing."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from agent.history import open_history, standing_of
from agent.ledger import Run
from agent.verifying import verify

Cycle = tuple[str, int, int, int]
"""Machine, segment, counter, end in ns: what no other cycle has."""

CYCLES = """
    SELECT cycle.id, machine.name, cycle.segment, cycle.counter, cycle.time_ns
    FROM cycle JOIN machine ON machine.id = cycle.machine_id WHERE cycle.id > ?
"""


class Witnessed:
    """Every cycle that somebody saw: in the record by another process's reading, or at the sink.

    Whoever sees a cycle must find it for ever, so this is what "acknowledged" means here.
    """

    def __init__(self, record: Path) -> None:
        self._record = record
        self.cycles: dict[int, Cycle] = {}

    def look(self) -> None:
        """Note what the record shows by now."""
        if self._record.is_file():
            newest = max(self.cycles, default=0)
            self.cycles |= _cycles(self._record, after=newest)


def faults(record: Path, witnessed: Witnessed, at_sink: Mapping[str, str]) -> Iterator[str]:
    """Everything that is not as it must be; a sentence each, none where all is well.

    1. SQLite finds the file whole, and every row is as it was written (`sprue verify`).
    2. Every cycle that was witnessed is there, unchanged.
    3. Every cycle that the sink was given is there.
    4. A segment's runs in the ledger lie end to end; each closing is in one of them; and as many
       were seen as there are cycles.
    5. Where the ledger stands, saved for the next start, is where its rows end.
    6. What the watch remembers is of a cycle that is there, and so is every anomaly that it has
       opened (what follows from counting alone may be of a shot that nobody observed); none was
       opened twice.

    Args:
        record: The main file; nobody writes to it.
        witnessed: What was seen of it before.
        at_sink: Fields by series and time, as the sink has them.
    """
    url = f"sqlite:///{record}"
    with closing(sqlite3.connect(f"file:{record}?mode=ro", uri=True)) as raw:
        for (word,) in raw.execute("PRAGMA quick_check"):
            if word != "ok":
                yield f"file: {word}"
    for difference in verify(url).differences:
        yield f"chain: {difference.words}"
    there = _cycles(record, after=0)
    for key, cycle in witnessed.cycles.items():
        if there.get(key) != cycle:
            yield f"{cycle} was on disk, now row {key} is {there.get(key)}"
    known = {cycle[:3] for cycle in there.values()}
    if len(known) != len(there):
        yield f"{len(there) - len(known)} cycles are there twice"
    for machine, segment, counter in _at_sink(at_sink):
        if (machine, segment, counter) not in known:
            yield f"the sink has {machine} {segment}/{counter}, the record not"
    yield from _ledger(url, known)
    yield from _memories(record, known)


def _cycles(record: Path, after: int) -> dict[int, Cycle]:
    with closing(sqlite3.connect(f"file:{record}?mode=ro", uri=True)) as raw:
        try:
            return {row[0]: tuple(row[1:]) for row in raw.execute(CYCLES, (after,))}
        except sqlite3.OperationalError:  # its tables are only being made
            return {}


def _at_sink(stored: Mapping[str, str]) -> Iterator[tuple[str, int, int]]:
    for series, fields in stored.items():
        if series.startswith("sprue_cycle,"):
            tags = dict(tag.split("=", 1) for tag in series.split(" ")[0].split(",")[1:])
            found = dict(field.split("=", 1) for field in fields.split(",") if "=" in field)
            yield tags["machine"], int(found["segment"][:-1]), int(found["counter"][:-1])


def _ledger(url: str, known: set[tuple[str, int, int]]) -> Iterator[str]:
    with open_history(url) as history, history.connect() as connection:
        by_segment: dict[tuple[str, int], list[Run]] = defaultdict(list)
        for run in history.runs():
            if run.kind in ("seen", "unobserved", "seen_late"):
                by_segment[run.machine, run.segment].append(run)
        seen: dict[tuple[str, int], int] = defaultdict(int)
        for machine, segment, _counter in known:
            seen[machine, segment] += 1
        newest: dict[str, tuple[int, int]] = {}
        for (machine, segment), runs in by_segment.items():
            late = sum(run.kind == "seen_late" for run in runs)
            booked = sum(run.closings for run in runs if run.kind == "seen") + late
            if booked != seen[machine, segment]:
                yield (
                    f"{machine} {segment}: {booked} closings seen in the ledger, "
                    f"{seen[machine, segment]} cycles"
                )
            spans = sorted((r.first, r.last) for r in runs if r.kind != "seen_late")
            for (_, last), (first, _) in pairwise(spans):
                if first != last + 1:
                    yield f"{machine} {segment}: the ledger goes from {last} to {first}"
            newest[machine] = max(newest.get(machine, (0, 0)), (segment, spans[-1][1]))
        for machine, end in newest.items():
            standing = standing_of(connection, machine)
            stands = (standing.segment.number if standing.segment else 0, standing.counter)
            if stands != end:
                yield f"{machine}: the ledger would go on from {stands}, its rows end at {end}"


def _memories(record: Path, known: set[tuple[str, int, int]]) -> Iterator[str]:
    with closing(sqlite3.connect(f"file:{record}?mode=ro", uri=True)) as raw:
        saved = raw.execute(
            "SELECT machine.name, stage, segment, counter, body FROM saved JOIN machine "
            "ON machine.id = machine_id"
        ).fetchall()
        anomalies = raw.execute(
            "SELECT machine.name, anomaly.segment, counter, kind, cause, signal, since_counter "
            "FROM anomaly JOIN machine ON machine.id = machine_id "
            "WHERE kind NOT IN ('shot_count', 'mold_life')"
        ).fetchall()
    for machine, stage, segment, counter, body in saved:
        json.loads(body)
        if counter is not None and (machine, segment, counter) not in known:
            yield f"{machine}: {stage} remembers {segment}/{counter}, which the record has not"
    opened: set[tuple[object, ...]] = set()
    for machine, segment, counter, *what in anomalies:
        if counter is not None and (machine, segment, counter) not in known:
            yield f"{machine}: {what} is of {segment}/{counter}, which the record has not"
        key = (machine, segment, *what)
        if key in opened:
            yield f"{machine}: {what} was opened twice"
        opened.add(key)
