"""Which shot of its mold's life each row is, by the ledger and what people corrected in it.

The life is a revision's: shots that the mold had when it came, then what the ledger says it took on
every machine, in order of time, and what people corrected up to the end of the shot. What is
corrected later does not change its number.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import or_, select

from agent.archive.catalogue import archived
from agent.entry import Run
from agent.export.coverage import Moved, Piece, pieces_of
from agent.export.page import Page
from agent.history import History, run_of, runs_of
from agent.schema import adjustment, attribution, cycle, machine, mold, run

Owner = tuple[str, str]
"""Mold and revision."""
Took = tuple[int, int, int]
"""Shots, the fewest and the most that the evidence leaves room for."""
NOTHING: Took = (0, 0, 0)
COLUMNS = ("mold_shot", "mold_shot_min", "mold_shot_max")
PLACED = ("seen", "unobserved")
"""Kinds of rows whose closings have numbers of the counter."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the ledger and what of it is one owner's."""

    run: Run
    took: Took
    """With what rows that correct it say."""
    pieces: Sequence[Piece]
    has_late: bool = False
    """Whether cycles of an unobserved row came late."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Closings of one segment that follow one another in a mold's life."""

    piece: Piece
    row: _Row
    before: Took
    """What the mold took before the first closing of the row, without corrections."""


@dataclass(frozen=True, slots=True)
class _Life:
    """Where a mold's revision made its shots, and what people corrected in their count."""

    stretches: Mapping[tuple[str, int], Sequence[_Stretch]]
    """By machine and segment, in order of counters."""
    times: NDArray[np.int64]
    """When people corrected the count, rising."""
    corrected: NDArray[np.int64]
    """A row for what it had when it came, and one more for each of `times`: shots, the fewest and
    the most that were corrected up to then."""


@dataclass(frozen=True, slots=True)
class _Within:
    """How the closings of a stretch are numbered in their row."""

    before: int
    """Shots of earlier pieces of the row that are the same owner's."""
    dry: NDArray[np.int64]
    """Counters of those without plastic, rising."""
    doubt: int
    """How many shots more or less they may be."""


@dataclass(slots=True)
class MoldShots:
    """Numbers shots; a mold's life is read when its first row comes."""

    history: History
    _lives: dict[tuple[Any, ...], _Life] = field(default_factory=dict)
    """By mold and revision."""
    _known: dict[tuple[str, int, int], _Within] = field(default_factory=dict)

    def number(self, page: Page) -> tuple[list[int | None], list[int | None], list[int | None]]:
        """By row, which shot of its mold's life it is; the least and the most it can be, where that
        is not certain. None for a closing without plastic, and where nobody knows the mold."""
        numbers: list[list[int | None]] = [[None] * len(page.rows) for _ in range(3)]
        counters, ends = page.wholes("counter"), page.wholes("time_ns")
        is_shot = np.array([closing == "shot" for closing in page["closing"]])
        for key, rows in page.places("mold", "revision", "machine", "segment").items():
            mold_name, revision, *place = key
            if mold_name is None or revision is None:
                continue
            if (mold_name, revision) not in self._lives:
                self._lives[mold_name, revision] = self._life((mold_name, revision))
            its = self._lives[mold_name, revision]
            stretches = its.stretches.get((place[0], place[1]), [])
            mine = rows[is_shot[rows]]
            firsts = [each.piece.first for each in stretches]
            at = np.searchsorted(firsts, counters[mine], "right") - 1
            for n in np.unique(at[at >= 0]).tolist():
                there = mine[at == n]
                there = there[counters[there] <= stretches[n].piece.last]
                if len(there):
                    corrected = its.corrected[np.searchsorted(its.times, ends[there], "right")]
                    within = self._within(stretches[n])
                    _fill(stretches[n], within, corrected, counters, there, numbers)
        return numbers[0], numbers[1], numbers[2]

    def _life(self, owner: Owner) -> _Life:
        rows = _with_late(self._rows(owner))
        rows.sort(key=lambda each: (each.run.since, each.run.first))
        sums = accumulate((each.took for each in rows), _sum, initial=NOTHING)
        found: dict[tuple[str, int], list[_Stretch]] = {}
        for row, so_far in zip(rows, sums, strict=False):
            if row.run.kind in PLACED and row.run.first <= row.run.last:
                place = found.setdefault((row.run.machine, row.run.segment), [])
                place += (_Stretch(piece, row, so_far) for piece in row.pieces)
        for stretches in found.values():
            stretches.sort(key=lambda each: each.piece.first)
        return _Life(found, *self._corrected(owner))

    def _within(self, stretch: _Stretch) -> _Within:
        """Asks the record for closings without plastic only where there may be any, and once."""
        key = stretch.piece.run.machine, stretch.piece.run.segment, stretch.piece.first
        if key not in self._known:
            shots = before = 0
            dry: Sequence[int] = ()
            for piece in stretch.row.pieces:
                is_seen = piece.run.kind == "seen" or stretch.row.has_late
                without = self._dry(piece) if is_seen else ()
                if piece is stretch.piece:
                    before, dry = shots, without
                shots += piece.last - piece.first + 1 - len(without)
            number, least, most = stretch.row.took
            doubt = max(most - number, number - least, abs(number - shots))
            self._known[key] = _Within(before, np.array(dry, dtype=np.int64), doubt)
        return self._known[key]

    def _rows(self, owner: Owner) -> list["_Row"]:
        """Rows of the ledger of which a mold's revision has something, or once had."""
        key = select(mold.c.id).where(mold.c.name == owner[0]).scalar_subquery()
        ever = select(attribution.c.ledger_id).where(attribution.c.mold_id == key)
        query = runs_of(None).where(or_(run.c.mold_id == key, run.c.id.in_(ever)))
        moves = (
            select(attribution, mold.c.name.label("mold"))
            .outerjoin(mold, mold.c.id == attribution.c.mold_id)
            .where(attribution.c.ledger_id.in_(query.order_by(None).with_only_columns(run.c.id)))
            .order_by(attribution.c.id)
        )
        changes = (
            select(attribution.c.ledger_id, adjustment)
            .join(attribution, attribution.c.id == adjustment.c.attribution_id)
            .where(adjustment.c.mold_id == key, adjustment.c.revision == owner[1])
        )
        with self.history.connect() as connection:
            rows = [(row["id"], run_of(row)) for row in connection.execute(query).mappings()]
            moved: dict[int, list[Moved]] = {}
            for row in connection.execute(moves):
                piece = row.first, row.last, row.mold, row.revision
                moved.setdefault(row.ledger_id, []).append(piece)
            changed: dict[int, Took] = {}
            for row in connection.execute(changes):
                sum_ = changed.get(row.ledger_id, NOTHING)
                changed[row.ledger_id] = _sum(sum_, _took(row))
        found = []
        for number, its in rows:
            booked = _took(its) if (its.mold, its.revision) == owner else NOTHING
            pieces = [
                piece
                for piece in pieces_of(its, moved.get(number, ()))
                if (piece.mold, piece.revision) == owner
            ]
            found.append(_Row(its, _sum(booked, changed.get(number, NOTHING)), pieces))
        return found

    def _dry(self, piece: Piece) -> Sequence[int]:
        """Counters of its closings without plastic; looked for only where there may be any."""
        its = piece.run
        if its.kind == "seen" and its.shots == its.closings == its.last - its.first + 1:
            return ()
        query = select(cycle.c.counter).where(
            cycle.c.machine_id
            == select(machine.c.id).where(machine.c.name == its.machine).scalar_subquery(),
            cycle.c.segment == its.segment,
            cycle.c.counter.between(piece.first, piece.last),
            cycle.c.closing != "shot",
        )
        files = partial(
            archived, machine_name=its.machine, segment=its.segment,
            counters=(piece.first, piece.last),
        )  # fmt: skip
        return sorted(int(row[0]) for row in self.history.rows_of(query, files))

    def _corrected(self, owner: Owner) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """When people corrected the count, and its corrections up to then; one more than times."""
        query = (
            select(adjustment)
            .join(mold, mold.c.id == adjustment.c.mold_id)
            .where(mold.c.name == owner[0], adjustment.c.revision == owner[1])
            .where(adjustment.c.kind.in_(("start", "correction")))
            .order_by(adjustment.c.at_ns, adjustment.c.id)
        )
        with self.history.connect() as connection:
            rows = connection.execute(query).all()
        start = NOTHING
        for row in rows:
            if row.kind == "start":  # what it had before Sprue counted, whenever that was entered
                start = _sum(start, _took(row))
        later = [row for row in rows if row.kind == "correction"]
        sums = [*accumulate(map(_took, later), _sum, initial=start)]
        times = np.array([row.at_ns for row in later], dtype=np.int64)
        return times, np.array(sums, dtype=np.int64)


def _with_late(rows: Sequence[_Row]) -> list[_Row]:
    """The same with what corrects a row of closings that nobody saw taken into that row, whenever
    it was written: the closing has its place there."""
    found = [row for row in rows if row.run.kind != "seen_late"]
    places: dict[tuple[str, int], list[tuple[int, int]]] = {}  # first counters, and where in found
    for n, row in enumerate(found):
        if row.run.kind == "unobserved":
            places.setdefault((row.run.machine, row.run.segment), []).append((row.run.first, n))
    for place in places.values():
        place.sort()
    for row in rows:
        if row.run.kind != "seen_late":
            continue
        place = places.get((row.run.machine, row.run.segment), [])
        at = bisect_right(place, row.run.first, key=lambda each: each[0]) - 1
        if at < 0 or found[place[at][1]].run.last < row.run.first:
            found.append(row)
            continue
        its = found[place[at][1]]
        found[place[at][1]] = replace(its, took=_sum(its.took, row.took), has_late=True)
    return found


def _fill(
    stretch: _Stretch,
    within: _Within,
    corrected: NDArray[np.int64],
    counters: NDArray[np.int64],
    rows: NDArray[np.intp],
    numbers: Sequence[list[int | None]],
) -> None:
    """Number the shots that lie in a stretch, with what was corrected up to each of them."""
    places = within.before + counters[rows] - stretch.piece.first + 1
    places -= np.searchsorted(within.dry, counters[rows])
    found = corrected + np.array(stretch.before) + places[:, None]
    found[:, 1] -= within.doubt
    found[:, 2] += within.doubt
    is_exact = (found == found[:, :1]).all(axis=1)
    counted = found[:, 0] >= 1  # below that, more was corrected away than had been counted by then
    found[counted, 1] = np.maximum(1, found[counted, 1])
    for n, exact, (shot, least, most) in zip(
        rows.tolist(), is_exact.tolist(), found.tolist(), strict=True
    ):
        numbers[0][n] = shot
        if not exact:
            numbers[1][n], numbers[2][n] = least, most


def _took(row: Any) -> Took:
    return row.shots, row.shots_min, row.shots_max


def _sum(one: Took, other: Took) -> Took:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]
