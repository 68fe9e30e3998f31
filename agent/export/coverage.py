"""What a selection of cycles covers: what is recorded, and what nobody saw."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from agent.batch import Blind
from agent.entry import Run
from agent.history import Filter

Interval = tuple[datetime, datetime]
Moved = tuple[int, int, str | None, str | None]
"""First and last counter that went to another mold, and that mold and revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The cycles of a machine that were found."""

    machine: str
    cycles: int
    shots: int
    first: datetime
    """End of the first one, UTC."""
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Counters of one row of the ledger, with the mold that they count on now."""

    run: Run
    first: int
    last: int
    mold: str | None
    revision: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What is known of a machine in the time that a selection is about."""

    machine: str
    since: datetime
    """Where the selection begins: as asked for, or with the first closing that is known of."""
    until: datetime
    cycles: int
    shots: int
    unobserved: int
    """Shots that the counter proves and no cycle came for, all within."""
    unobserved_at_edges: int
    """More of them that lie within or beyond a boundary of the selection: nobody knows which."""
    blind: Sequence[Interval]
    """When the machine could not be seen, cut to the selection."""

    @property
    def blind_s(self) -> float:
        """Seconds of `blind`; intervals of one machine don't overlap."""
        return sum(((until - since) for since, until in self.blind), timedelta()).total_seconds()


def coverage(
    wanted: Filter,
    machine: str,
    recorded: Recorded | None,
    pieces: Sequence[Piece],
    late: Iterable[Run],
    blinds: Iterable[Blind],
    now: datetime,
) -> Coverage:
    """What a selection covers of one machine.

    A mold is only looked for while it was on the machine: from its first closing to its last,
    without the time in which others closed there. A job or a state has no rows in the ledger: what
    is missing between its first and last cycle is counted.

    Args:
        wanted: The selection.
        machine: Which one.
        recorded: Its cycles; None where there are none, with `since` and `until` in `wanted`.
        pieces: The machine's ledger: seen and unobserved closings, in order of time.
        late: Rows that correct unobserved ones.
        blinds: The machine's blind intervals.
        now: Where one ends that lasts.
    """
    missed = [each for each in pieces if _is_of(wanted, each) and each.run.unobserved > 0]
    since, until = _ends(wanted, recorded, missed, now)
    windows = [(since, until)]
    if wanted.mold is not None:
        windows = _cut(_stretches(wanted, pieces), since, until)
    corrections = list(late)
    inside = edges = 0
    for piece in missed:
        missing, exact = _missing(wanted, piece, corrections)
        begins, ends = piece.run.since, piece.run.until
        if exact and since <= begins and ends <= until:
            inside += missing
        elif begins < until and ends > since:
            edges += missing
    found = [
        each
        for blind in blinds
        for each in _cut(windows, blind.since, min(blind.until or now, until))
    ]
    return Coverage(
        machine=machine,
        since=since,
        until=until,
        cycles=recorded.cycles if recorded else 0,
        shots=recorded.shots if recorded else 0,
        unobserved=inside,
        unobserved_at_edges=edges,
        blind=found,
    )


def pieces_of(run: Run, moved: Sequence[Moved]) -> list[Piece]:
    """A row of the ledger, cut where what people entered moved a part of it to another mold.

    Args:
        run: The row.
        moved: First and last counter, mold and revision, in order of writing: the last one counts.
    """
    if run.last < run.first:  # closings that the counter has no number for
        owner = (moved[-1][2], moved[-1][3]) if moved else (run.mold, run.revision)
        return [Piece(run=run, first=run.first, last=run.last, mold=owner[0], revision=owner[1])]
    cuts = {run.first, run.last + 1}
    for first, last, *_ in moved:
        cuts |= {at for at in (first, last + 1) if run.first < at <= run.last}
    found = []
    for first, after in pairwise(sorted(cuts)):
        owner = (run.mold, run.revision)
        for begins, ends, mold, revision in moved:
            if begins <= first <= ends:
                owner = (mold, revision)
        found.append(Piece(run=run, first=first, last=after - 1, mold=owner[0], revision=owner[1]))
    return found


def by_machine(blinds: Iterable[Blind]) -> Mapping[str, list[Blind]]:
    """Blind intervals of each machine."""
    found: dict[str, list[Blind]] = {}
    for blind in blinds:
        found.setdefault(blind.machine, []).append(blind)
    return found


def _ends(
    wanted: Filter, recorded: Recorded | None, missed: Iterable[Piece], now: datetime
) -> Interval:
    """When a selection begins and ends: what nobody saw before its first cycle belongs to it."""
    begins = [recorded.first] if recorded else []
    ends = [recorded.last] if recorded else []
    if wanted.job is None and wanted.state is None:
        begins += [piece.run.since for piece in missed]
        ends += [piece.run.until for piece in missed]
    return (
        wanted.since or min(begins, default=now),
        wanted.until or max(ends, default=now),
    )


def _is_of(wanted: Filter, piece: Piece) -> bool:
    if wanted.segment is not None and piece.run.segment != wanted.segment:
        return False
    if wanted.counters is not None:
        low, high = wanted.counters
        if piece.last < low or piece.first > high:
            return False
    return wanted.mold is None or (
        piece.mold == wanted.mold and wanted.revision in (None, piece.revision)
    )


def _missing(wanted: Filter, piece: Piece, late: Iterable[Run]) -> tuple[int, bool]:
    """How many shots of a piece nobody saw, and whether that is exact."""
    run = piece.run
    first, last = piece.first, piece.last
    if wanted.counters is not None:
        first, last = max(first, wanted.counters[0]), min(last, wanted.counters[1])
    came = sum(
        each.unobserved
        for each in late
        if each.segment == run.segment and first <= each.first <= last
    )
    width = last - first + 1
    if (first, last) == (run.first, run.last):
        return run.unobserved + came, True
    every_one = run.unobserved == run.last - run.first + 1
    return min(run.unobserved, width) + came, every_one


def _stretches(wanted: Filter, pieces: Iterable[Piece]) -> list[Interval]:
    """When the wanted mold was the one that closed."""
    found: list[Interval] = []
    going = False
    for piece in pieces:
        is_on = piece.mold == wanted.mold and wanted.revision in (None, piece.revision)
        if is_on and going:
            found[-1] = (found[-1][0], max(found[-1][1], piece.run.until))
        elif is_on:
            found.append((piece.run.since, piece.run.until))
        going = is_on
    return found


def _cut(windows: Iterable[Interval], since: datetime, until: datetime) -> list[Interval]:
    cut = ((max(begins, since), min(ends, until)) for begins, ends in windows)
    return [(begins, ends) for begins, ends in cut if begins < ends]
