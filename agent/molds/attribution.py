"""Closings booked on one mold that turn out to be another's: who gets what, as a pure walk.

Rows of the ledger stay as they were booked. Where the timeline, as it is known now, says another
mold, revision or resin, the piece of the row is attributed to it: minus on the one, plus on the
other. The walk looks at what was attributed before, so that to run it again changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from agent.molds.life import Took
from agent.molds.timeline import PERSON, Timeline, Word


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom closings are counted on."""

    mold: str | None
    revision: str | None
    resin: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A row of the ledger, as far as it matters here."""

    id: int
    machine: str
    segment: int
    kind: str
    first: int
    last: int
    owner: Owner
    since: datetime
    until: datetime
    evidence: str
    took: Took


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A piece of a row that belongs to another than it was booked on."""

    booking: int
    machine: str
    segment: int
    first: int
    last: int
    owner: Owner
    estimated: bool = False
    """Where the piece begins or ends is only known by the time that passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One thing to write: the attribution, and what goes from whom."""

    attribution: Attribution
    source: Owner
    minus: Took
    plus: Took
    reason: str


Cut = Callable[[Booking, datetime], int]
"""The first counter of a row of seen closings that ended at or after a time; above its last one if
none did."""

Part = Callable[[Booking, int, int], Took]
"""What a part of a row of seen closings took: from one counter to another, both included."""

RevisionAt = Callable[[str, datetime], str]
"""The revision that a mold had at a time."""

RevisionsSince = Callable[[str, datetime, datetime], Sequence[datetime]]
"""The times after the first and up to the second at which a mold's revision changed."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive counters of one row, of one owner."""

    first: int
    last: int
    owner: Owner
    estimated: bool = False
    """Where it begins or ends is only known by the time that passed."""


class Walk:
    """Finds what is to be moved on one machine.

    Args:
        timeline: What is known now.
        revision_at: The revision of a mold at a time.
        revised: When a mold's revision changed within an interval.
        cut: Finds a time within a row.
        part: Sums of a part of a row.
        had_people: Whether anybody ever entered a mount for the machine: else a row of a time
            before its first word stays as it was booked.
    """

    def __init__(
        self,
        timeline: Timeline,
        revision_at: RevisionAt,
        revised: RevisionsSince,
        cut: Cut,
        part: Part,
        *,
        had_people: bool = True,
    ) -> None:
        self._timeline = timeline
        self._revision_at = revision_at
        self._revised = revised
        self._cut = cut
        self._part = part
        self._had_people = had_people

    def moves(
        self, bookings: Iterable[Booking], before: Mapping[int, Sequence[Attribution]]
    ) -> Iterator[Move]:
        """What has to be written so that every closing is its owner's.

        Args:
            bookings: Rows of the machine's ledger, in order of writing: what corrects a row comes
                after it.
            before: What was attributed already, by row, in order of writing.
        """
        settled: dict[int, list[Piece]] = {}
        for booking in bookings:
            if booking.took.closings > 0 and booking.first <= booking.last:
                wanted = list(self.pieces(booking))
                settled.setdefault(booking.segment, []).extend(wanted)
            else:
                wanted = [self._whole(booking, settled.get(booking.segment, ()))]
            for piece in wanted:
                yield from self._moved(booking, piece, before.get(booking.id, ()))

    def _whole(self, booking: Booking, settled: Sequence[Piece]) -> Piece:
        """A row that can't be cut: one that corrects goes where the closing went."""
        corrected = (
            piece.owner
            for piece in reversed(settled)
            if booking.took.closings <= 0 and piece.first <= booking.first <= piece.last
        )
        owner = next(corrected, None) or self._owner(booking, booking.until)
        return Piece(booking.first, booking.last, owner)

    def pieces(self, booking: Booking) -> Iterator[Piece]:
        """A row, cut where its owner changes."""
        times = self._boundaries(booking)
        estimated = bool(times) and booking.kind != "seen"
        start, at = booking.first, booking.since
        for time in times:
            end = self._counter(booking, time) - 1
            if end >= start:
                yield Piece(start, end, self._owner(booking, at), estimated)
                start = end + 1
            at = time
        if start <= booking.last:
            yield Piece(start, booking.last, self._owner(booking, at), estimated)

    def _boundaries(self, booking: Booking) -> list[datetime]:
        """The times within a row at which another owner may begin."""
        words = self._timeline.between(booking.since, booking.until)
        if booking.kind == "seen":
            times = {word.since for word in words}
        else:
            times = {word.since for word in words if self._is_persons(word, booking)}
        if _exact(booking):
            return []
        names = {booking.owner.mold, *(word.mold for word in words)}
        if (first := self._timeline.at(booking.since)) is not None:
            names.add(first.mold)
        for name in names - {None}:
            assert name is not None
            times.update(self._revised(name, booking.since, booking.until))
        return sorted(times)

    def _owner(self, booking: Booking, at: datetime) -> Owner:
        """Whose closings they are that a row has from a time on."""
        own, word = booking.owner, self._timeline.at(at)
        near = [word, *self._timeline.between(booking.since, booking.until)]
        said = next((each for each in near if each is not None and each.mold == own.mold), None)
        if said is not None and booking.kind != "seen" and not self._is_persons(word, booking):
            # Nobody saw when within a gap the machine changed its word; the ledger has weighed it.
            word, at = said, max(at, said.since)
        if word is None:
            return own if own.mold is None or not self._had_people else Owner(None, None, own.resin)
        if word.mold is None:
            return Owner(None, None, own.resin)
        revision = word.revision if word.source == PERSON else None
        return Owner(
            word.mold, revision or self._revision_at(word.mold, at), word.resin or own.resin
        )

    @staticmethod
    def _is_persons(word: Word | None, booking: Booking) -> bool:
        """Whether a person's word decides a gap: not where the job's counter has split it."""
        return word is not None and word.source == PERSON and not _exact(booking)

    def _counter(self, booking: Booking, time: datetime) -> int:
        if booking.kind == "seen":
            return self._cut(booking, time)
        whole = (booking.until - booking.since).total_seconds()
        share = (time - booking.since).total_seconds() / whole if whole > 0 else 1.0
        return booking.first + round(share * (booking.last - booking.first + 1))

    def _moved(
        self, booking: Booking, piece: Piece, before: Sequence[Attribution]
    ) -> Iterator[Move]:
        for first, last, owner, estimated in _current(booking, piece, before):
            if owner == piece.owner:
                continue
            took = self._took(booking, first, last)
            minus, plus = _negative(took), took
            if piece.estimated:
                n = booking.took.shots
                minus = replace(minus, shots_min=-n, shots_max=0)
                plus = replace(plus, shots_min=0, shots_max=n)
            if estimated:  # what an estimate left open before is no longer open
                n = booking.took.shots
                minus = replace(minus, shots_min=0, shots_max=-n)
                plus = replace(plus, shots_min=n, shots_max=0)
            yield Move(
                attribution=Attribution(
                    booking=booking.id,
                    machine=booking.machine,
                    segment=booking.segment,
                    first=first,
                    last=last,
                    owner=piece.owner,
                    estimated=piece.estimated,
                ),
                source=owner,
                minus=minus,
                plus=plus,
                reason="split by the time that passed" if piece.estimated else "timeline",
            )

    def _took(self, booking: Booking, first: int, last: int) -> Took:
        if (first, last) == (booking.first, booking.last):
            return booking.took
        if booking.kind == "seen":
            return self._part(booking, first, last)
        whole = booking.took
        share = (last - first + 1) / (booking.last - booking.first + 1)
        shots = round(whole.shots * share)
        return Took(
            shots=shots,
            shots_min=shots,
            shots_max=shots,
            closings=round(whole.closings * share),
            unobserved=round(whole.unobserved * share),
            parts=round(whole.parts * share),
        )


def _current(
    booking: Booking, piece: Piece, before: Sequence[Attribution]
) -> Iterator[tuple[int, int, Owner, bool]]:
    """Stretches of a piece: the owner that each is counted on now, and whether by an estimate."""
    if piece.last < piece.first:  # closings that the counter has no number for
        newest = before[-1] if before else None
        yield piece.first, piece.last, newest.owner if newest else booking.owner, False
        return
    edges = {piece.first, piece.last + 1}
    for each in before:
        edges.update(n for n in (each.first, each.last + 1) if piece.first < n <= piece.last)
    ordered = sorted(edges)
    held: tuple[int, int, Owner, bool] | None = None
    for first, end in pairwise(ordered):
        newest = next((each for each in reversed(before) if each.first <= first <= each.last), None)
        owner = newest.owner if newest else booking.owner
        estimated = newest is not None and newest.estimated
        if held is not None and held[2:] == (owner, estimated):
            held = (held[0], end - 1, owner, estimated)
            continue
        if held is not None:
            yield held
        held = (first, end - 1, owner, estimated)
    if held is not None:
        yield held


def _exact(booking: Booking) -> bool:
    """Whether the machine itself said which shots of a gap came after a mold change."""
    return booking.evidence.startswith("job counter")


def _negative(took: Took) -> Took:
    return Took(
        shots=-took.shots,
        shots_min=-took.shots_min,
        shots_max=-took.shots_max,
        closings=-took.closings,
        unobserved=-took.unobserved,
        parts=-took.parts,
    )
