"""Which shots are the first ones after a start or a stop, whose parts are no measure of the rest.

Judged by the machine's own cycles around, whatever is selected of them: so a box that begins within
a run has the same warm-up shots as the run.

Source: own reasoning, from transients measured on a press after stops of 1 to 113 minutes: times
settle in some 3 shots, pressures in 15 to 20.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, select

from agent.archive.catalogue import ArchiveFile, archived
from agent.history import History
from agent.schema import cycle

AFTER_START = 20
"""Shots after another mold, or the very first ones, or a stop of `LONG_S`."""
AFTER_STOP = 10
AFTER_PAUSE = 5
LONG_S, STOP_S, PAUSE_S = 3600.0, 180.0, 60.0
"""Time between two shots beyond what the shots between them took, that makes one of the above."""
APART = 500
"""Ids that lie further apart than this are looked at as two stretches."""

FILES_BEFORE = 3
"""Of moved cycles; even one mostly holds far more shots than are looked at."""

COLUMNS = (
    cycle.c.machine_id, cycle.c.id, cycle.c.time_ns, cycle.c.segment, cycle.c.counter,
    cycle.c.mold_id, cycle.c.cycle_time_s,
)  # fmt: skip


def warm_up_ids(history: History, rows: Sequence[Row[Any]]) -> set[int]:
    """Ids of the warm-up shots among some cycles, which are in order of arrival."""
    found: set[int] = set()
    first = 0
    for n in range(1, len(rows) + 1):
        if n == len(rows) or rows[n].id - rows[n - 1].id > APART:
            found |= _of_stretch(history, rows[first:n])
            first = n
    return found


def _of_stretch(history: History, rows: Sequence[Row[Any]]) -> set[int]:
    shots = select(*COLUMNS).where(cycle.c.closing == "shot")
    firsts: dict[int, Row[Any]] = {}
    for row in rows:
        firsts.setdefault(row.machine_id, row)
    walks = {}
    for machine_id, row in firsts.items():
        before = (
            shots.where(cycle.c.machine_id == machine_id, cycle.c.time_ns < row.time_ns)
            .where(cycle.c.id < row.id)
            .order_by(cycle.c.time_ns.desc())
            .limit(AFTER_START + 1)
        )
        walks[machine_id] = walk = _Walk()
        came = history.rows_of(before, partial(_files_before, row=row))
        came.sort(key=lambda each: (int(each.time_ns), int(each.id)))
        for each in came[-AFTER_START - 1 :]:
            walk.take(tuple(each))
    found = set()
    for shot in _inside(history, rows):
        machine_id = shot[0]
        if machine_id not in walks or shot[1] < firsts[machine_id].id:
            continue
        if walks[machine_id].take(shot):
            found.add(shot[1])
    return found


def _files_before(connection: Connection, row: Row[Any]) -> list[ArchiveFile]:
    """Files with a machine's last shots before a cycle."""
    earlier = {"machine_name": row.machine, "until_ns": row.time_ns, "ids": (0, row.id)}
    return archived(connection, **earlier)[-FILES_BEFORE:]


def _inside(history: History, rows: Sequence[Row[Any]]) -> Iterable[Sequence[Any]]:
    """All shots of all machines between the first and the last of some cycles, as `COLUMNS`."""
    span = rows[0].id, rows[-1].id
    if span[1] - span[0] + 1 == len(rows):  # none is left out
        return (
            (
                row.machine_id, row.id, row.time_ns, row.segment, row.counter, row.mold_id,
                getattr(row, "cycle_time_s", None),
            )
            for row in rows
            if row.closing == "shot"
        )  # fmt: skip
    inside = select(*COLUMNS).where(cycle.c.closing == "shot", cycle.c.id.between(*span))
    there = history.rows_of(inside.order_by(cycle.c.id), partial(archived, ids=span))
    return sorted(map(tuple, there), key=itemgetter(1))


class _Walk:
    """One machine's shots, one after the other."""

    __slots__ = ("_last", "_left", "_paces")

    def __init__(self) -> None:
        self._last: Any = None
        self._left = 0
        self._paces = deque[float](maxlen=5)

    def take(self, row: Sequence[Any]) -> bool:
        """The next one, as `COLUMNS`; whether it is of the warm-up."""
        _, _, time_ns, segment, counter, mold_id, cycle_time_s = row
        self._left = max(self._left - 1, self._settling(row))
        if cycle_time_s is not None:
            self._paces.append(cycle_time_s)
        self._last = (time_ns, segment, counter, mold_id)
        return self._left > 0

    def _settling(self, row: Sequence[Any]) -> int:
        """How many shots it takes from this one on, seen from the one before."""
        _, _, time_ns, segment, counter, mold_id, cycle_time_s = row
        if self._last is None:
            return AFTER_START
        last_ns, last_segment, last_counter, last_mold = self._last
        if mold_id != last_mold:
            return AFTER_START
        gap_s = (time_ns - last_ns) / 1e9
        if gap_s <= PAUSE_S:
            return 0
        made = counter - last_counter if segment == last_segment else 1
        paces = self._paces
        pace_s = sorted(paces)[len(paces) // 2] if paces else (cycle_time_s or 0.0)
        stood_s = gap_s - max(1, made) * pace_s
        if stood_s > LONG_S:
            return AFTER_START
        if stood_s > STOP_S:
            return AFTER_STOP
        return AFTER_PAUSE if stood_s > PAUSE_S else 0
