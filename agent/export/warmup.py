"""Which shots are the first ones after a start or a stop, whose parts are no measure of the rest.

Judged by the machine's own cycles around, whatever is selected of them: so a box that begins within
a run has the same warm-up shots as the run.

Source: own reasoning, from transients measured on a press after stops of 1 to 113 minutes: times
settle in some 3 shots, pressures in 15 to 20.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import compress, pairwise
from operator import itemgetter
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from agent.archive.catalogue import ArchiveFile, archived
from agent.export.page import Page
from agent.export.stops import Stop
from agent.history import History
from agent.schema import cycle

AFTER_START = 20
"""Shots after another mold, or the very first ones, or a stop of `LONG_S`."""
AFTER_STOP = 10
AFTER_PAUSE = 5
LONG_S, STOP_S, PAUSE_S = 3600.0, 180.0, 60.0
"""Time between two shots beyond what the shots between them took, that makes one of the above."""
PAUSE_NS = round(PAUSE_S * 1e9)
APART = 500
"""Ids that lie further apart than this are looked at as two stretches."""

FILES_BEFORE = 3
"""Of moved cycles; even one mostly holds far more shots than are looked at."""

COLUMNS = (
    cycle.c.machine_id, cycle.c.id, cycle.c.time_ns, cycle.c.segment, cycle.c.counter,
    cycle.c.mold_id, cycle.c.cycle_time_s,
)  # fmt: skip


def warm_up(history: History, page: Page) -> tuple[set[int], list[Stop]]:
    """Ids of the warm-up shots among some cycles, which are in order of arrival; and the stops
    before any of them."""
    found: set[int] = set()
    stops: list[Stop] = []
    apart = np.flatnonzero(np.diff(page.wholes("id")) > APART) + 1
    for first, last in pairwise([0, *apart.tolist(), len(page.rows)]):
        found |= _of_stretch(history, page, first, last, stops)
    return found, stops


def _of_stretch(history: History, page: Page, first: int, last: int, stops: list[Stop]) -> set[int]:
    """Of the rows of a page from a first one to before a last one."""
    shots = select(*COLUMNS).where(cycle.c.closing == "shot")
    firsts: dict[int, Row[Any]] = {}
    for n, machine_id in enumerate(page["machine_id"][first:last], first):
        if machine_id not in firsts:
            firsts[machine_id] = page.rows[n]
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
    found, chosen = set(), set(page["id"][first:last])
    begins = {machine_id: row.id for machine_id, row in firsts.items()}
    for shot in _inside(history, page, first, last, begins):
        machine_id = shot[0]
        if machine_id not in walks or shot[1] < begins[machine_id]:
            continue
        walk = walks[machine_id]
        after_ns = walk.ended_ns
        if walk.take(shot):
            found.add(shot[1])
        if walk.stood_s >= PAUSE_S and shot[1] in chosen:
            stops.append(
                Stop(
                    machine=firsts[machine_id].machine, before=(shot[3], shot[4]),
                    after_ns=after_ns, pace_s=walk.pace_s, stood_s=walk.stood_s,
                )
            )  # fmt: skip
    return found


def _files_before(connection: Connection, row: Row[Any]) -> list[ArchiveFile]:
    """Files with a machine's last shots before a cycle."""
    earlier = {"machine_name": row.machine, "until_ns": row.time_ns, "ids": (0, row.id)}
    return archived(connection, **earlier)[-FILES_BEFORE:]


def _inside(
    history: History, page: Page, first: int, last: int, machines: Iterable[int]
) -> Iterable[Sequence[Any]]:
    """All shots of some machines between the first and the last of some cycles, as `COLUMNS`."""
    ids = page["id"]
    span = ids[first], ids[last - 1]
    if span[1] - span[0] + 1 == last - first:  # none is left out
        nothing = [None] * len(ids)
        columns = [page.get(c.name, nothing) for c in COLUMNS]
        here = zip(*(column[first:last] for column in columns), strict=True)
        is_shot = [closing == "shot" for closing in page["closing"][first:last]]
        return compress(here, is_shot)
    inside = select(*COLUMNS).where(
        cycle.c.machine_id.in_(machines), cycle.c.id.between(*span), cycle.c.closing == "shot"
    )
    there = history.rows_of(inside.order_by(cycle.c.id), partial(archived, ids=span))
    return sorted(map(tuple, there), key=itemgetter(1))


class _Walk:
    """One machine's shots, one after the other."""

    __slots__ = ("_last", "_left", "_paces", "pace_s", "stood_s")

    def __init__(self) -> None:
        self._last: Any = None
        self._left = 0
        self._paces = deque[float](maxlen=5)
        self.pace_s = self.stood_s = 0.0
        """Of a cycle, and how long nothing was made before the last shot, where that was long."""

    @property
    def ended_ns(self) -> int:
        """When the last shot ended; 0 where there was none."""
        return self._last[0] if self._last else 0

    def take(self, row: Sequence[Any]) -> bool:
        """The next one, as `COLUMNS`; whether it is of the warm-up."""
        _, _, time_ns, segment, counter, mold_id, cycle_time_s = row
        last = self._last
        self.stood_s = 0.0
        if last is not None and mold_id == last[3] and time_ns - last[0] <= PAUSE_NS:
            self._left -= self._left > 0
        else:
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
        gap_s = (time_ns - last_ns) / 1e9
        made = counter - last_counter if segment == last_segment else 1
        paces = self._paces
        self.pace_s = sorted(paces)[len(paces) // 2] if paces else (cycle_time_s or 0.0)
        self.stood_s = stood_s = gap_s - max(1, made) * self.pace_s
        if mold_id != last_mold or stood_s > LONG_S:
            return AFTER_START
        if stood_s > STOP_S:
            return AFTER_STOP
        return AFTER_PAUSE if stood_s > PAUSE_S else 0
