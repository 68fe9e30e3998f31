"""Closings booked on one mold that turn out to be another's: who gets what, as a pure walk.

Rows of the ledger stay as they were booked. Where the timeline, as it is known now, says another
mold, revision or resin, the piece of the row is attributed to it: minus on the one, plus on the
other. The walk looks at what was attributed before, so that to run it again changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from agent.ledgerrows import SPLIT
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
    shots: int
    changes: Sequence[tuple[Owner, Took]]
    """What it adds to the sums of each owner; all that it does to the row's doubt included."""
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


AT_THE_END = timedelta(minutes=1)
"""A machine's word so shortly before the end of a gap came with what ended it."""

Doubt = tuple[int, int, datetime]
"""First and last counter of a row, and since when it is: what ends a doubt repeats them."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive counters of one row, of one owner. Without counters: of who may have made some of
    the row's closings too."""

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
        doubts: dict[Doubt, list[Piece]] = {}
        for booking in bookings:
            doubt = booking.first, booking.last, booking.since
            if booking.took.closings > 0 and booking.first <= booking.last:
                wanted = doubts[doubt] = self.pieces(booking)
                settled.setdefault(booking.segment, []).extend(wanted)
            elif booking.kind == "settled" and doubt in doubts:
                wanted = doubts[doubt]  # what ends a doubt goes wherever that went
            elif booking.kind == "settled" and booking.id in before:
                continue
            elif booking.kind == "hidden" and booking.last < booking.first:
                wanted = doubts[doubt] = self._shared(booking)
            else:
                wanted = [self._whole(booking, settled.get(booking.segment, ()))]
            yield from self._moved(booking, wanted, _current(booking, before.get(booking.id, ())))

    def _whole(self, booking: Booking, settled: Sequence[Piece]) -> Piece:
        """A row that can't be cut: one that corrects goes where the closing went."""
        corrected = (
            piece.owner
            for piece in reversed(settled)
            if booking.took.closings <= 0 and piece.first <= booking.first <= piece.last
        )
        owner = next(corrected, None) or self._owner(booking, booking.since)
        return Piece(booking.first, booking.last, owner)

    def _shared(self, booking: Booking) -> list[Piece]:
        """Closings that the counter has no number for: the first owner's, or any later one's."""
        times = self._boundaries(booking)
        owners = dict.fromkeys(self._owner(booking, at) for at in (booking.since, *times))
        return [
            Piece(booking.first, booking.last, owner, estimated=number > 0)
            for number, owner in enumerate(owners)
        ]

    def pieces(self, booking: Booking) -> list[Piece]:
        """A row, cut where its owner changes."""
        found: list[Piece] = []
        owner, start = self._owner(booking, booking.since), booking.first
        owners = {owner: None}
        for time in self._boundaries(booking):
            end = min(max(self._counter(booking, time), start), booking.last + 1)
            if end > start:
                found.append(Piece(start, end - 1, owner))
            owner, start = self._owner(booking, time), end
            owners[owner] = None
        if start <= booking.last:
            found.append(Piece(start, booking.last, owner))
        if booking.kind == "seen" or len(owners) == 1:
            return _joined(found)
        # Any of those who sat there may have made all of it, or none, however short the time.
        found = [replace(piece, estimated=True) for piece in _joined(found)]
        rest = [owner for owner in owners if all(piece.owner != owner for piece in found)]
        return [*found, *(_none_of(booking, owner) for owner in rest)]

    def _boundaries(self, booking: Booking) -> list[datetime]:
        """The times within a row at which another owner may begin."""
        words = self._timeline.between(booking.since, booking.until)
        if booking.kind == "seen":
            times = {word.since for word in words}
        else:
            times = {word.since for word in words if self._decides(word, booking)}
        if _exact(booking):
            return sorted(times)
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
        if word is None or word.mold != own.mold or self._is_the_last_ones(booking):
            near.reverse()  # it came last, whoever of the others came again
        said = next((each for each in near if each is not None and each.mold == own.mold), None)
        if said is not None and booking.kind != "seen" and not self._decides(word, booking):
            # Nobody saw when within a gap the machine changed its word; the ledger has weighed it.
            weighed = said.source != PERSON or said.since <= booking.since
            if weighed or _exact(booking):
                word, at = said, max(at, said.since)
        if word is None:
            return own if own.mold is None or not self._had_people else Owner(None, None, own.resin)
        if word.mold is None:
            return Owner(None, None, own.resin)
        revision = word.revision if word.source == PERSON else None
        return Owner(
            word.mold, revision or self._revision_at(word.mold, at), word.resin or own.resin
        )

    def _decides(self, word: Word | None, booking: Booking) -> bool:
        """Whether a word says whose a part of a gap is: a person's, or what the machine named in it
        while somebody looked. What it named at its end came at a time that nobody saw.

        Where the job's counter has split a gap between the mold before and the last one, the last
        one's part is sure, and so is when that came: only a mold between the two is news.
        """
        if word is None or word.since <= booking.since:
            return False
        if word.source != PERSON and word.since >= booking.until - AT_THE_END:
            return False
        if not _exact(booking):
            return True
        if self._is_the_last_ones(booking):
            return False
        return word in self._timeline.between(booking.since, booking.until)[:-1]

    def _is_the_last_ones(self, booking: Booking) -> bool:
        """Whether a row is what the job's counter says of who sits there at the end of a gap; it
        may be the mold from before the gap, re-cut meanwhile."""
        last = self._timeline.at(booking.until)
        if last is None or last.mold is None or not _exact(booking):
            return False
        revision = last.revision or self._revision_at(last.mold, booking.until)
        return (booking.owner.mold, booking.owner.revision) == (last.mold, revision)

    def _counter(self, booking: Booking, time: datetime) -> int:
        if booking.kind == "seen":
            return self._cut(booking, time)
        whole = (booking.until - booking.since).total_seconds()
        share = (time - booking.since).total_seconds() / whole if whole > 0 else 1.0
        return booking.first + round(share * (booking.last - booking.first + 1))

    def _moved(
        self, booking: Booking, wanted: Sequence[Piece], now: Sequence[Piece]
    ) -> Iterator[Move]:
        """What leads from what a row is attributed to now to what is wanted."""
        stretches = list(_differing(booking, wanted, now))
        if not stretches:
            return
        is_, was = self._sums(booking, wanted), self._sums(booking, now)
        changes = [
            (owner, change)
            for owner in {**was, **is_}
            if (change := is_.get(owner, Took()) + _negative(was.get(owner, Took()))) != Took()
        ]
        for piece, source in stretches:
            took = self._took(booking, piece)
            yield Move(
                attribution=Attribution(
                    booking=booking.id,
                    machine=booking.machine,
                    segment=booking.segment,
                    first=piece.first,
                    last=piece.last,
                    owner=piece.owner,
                    estimated=piece.estimated,
                ),
                source=source,
                shots=took.shots if source != piece.owner else 0,
                changes=changes,
                reason="split by the time that passed" if piece.estimated else "timeline",
            )
            changes = []  # the first carries what all of them do

    def _sums(self, booking: Booking, pieces: Sequence[Piece]) -> dict[Owner, Took]:
        """What each owner has of a row by its pieces."""
        found: dict[Owner, Took] = {}
        for piece in pieces:
            took = self._took(booking, piece)
            found[piece.owner] = found.get(piece.owner, Took()) + took
        if any(piece.estimated for piece in pieces):
            most = booking.took.shots_max
            return {o: replace(took, shots_min=0, shots_max=most) for o, took in found.items()}
        return found

    def _took(self, booking: Booking, piece: Piece) -> Took:
        first, last = piece.first, piece.last
        if last < first and piece.estimated:
            return Took()  # all of it is the first one's, until somebody knows better
        if (first, last) == (booking.first, booking.last):
            return booking.took
        if booking.kind == "seen":
            return self._part(booking, first, last)
        return _up_to(booking, last) + _negative(_up_to(booking, first - 1))


def _up_to(booking: Booking, last: int) -> Took:
    """What a row of closings that nobody saw took up to a counter; parts of it add up to it."""
    whole, share = booking.took, (last - booking.first + 1) / (booking.last - booking.first + 1)
    shots = round(whole.shots * share)
    return Took(
        shots=shots,
        shots_min=shots,
        shots_max=shots,
        closings=round(whole.closings * share),
        unobserved=round(whole.unobserved * share),
        parts=round(whole.parts * share),
    )


def _current(booking: Booking, before: Sequence[Attribution]) -> list[Piece]:
    """The owners that a row is counted on now."""
    if booking.last < booking.first:  # closings that the counter has no number for
        shared = [Piece(booking.first, booking.last, booking.owner)]
        for each in before:
            piece = Piece(booking.first, booking.last, each.owner, each.estimated)
            shared = [*shared, piece] if each.estimated else [piece]
        return shared
    edges = {booking.first, booking.last + 1}
    rest: dict[Owner, None] = {}
    for each in [each for each in before if each.last < each.first]:
        if each.estimated:
            rest[each.owner] = None
        else:
            rest.pop(each.owner, None)
    before = [each for each in before if each.first <= each.last]
    for each in before:
        edges.update(n for n in (each.first, each.last + 1) if booking.first < n <= booking.last)
    pieces = []
    for first, end in pairwise(sorted(edges)):
        newest = next((each for each in reversed(before) if each.first <= first <= each.last), None)
        owner = newest.owner if newest else booking.owner
        pieces.append(Piece(first, end - 1, owner, newest is not None and newest.estimated))
    return [*_joined(pieces), *(_none_of(booking, owner) for owner in rest)]


def _none_of(booking: Booking, owner: Owner, *, estimated: bool = True) -> Piece:
    """The piece of one who made none of a row's closings by the time that passed, and yet may have;
    or, not estimated, can't have any more."""
    return Piece(booking.first, booking.first - 1, owner, estimated)


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """The same with neighbors of one owner as one piece."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if last is not None and (last.owner, last.estimated) == (piece.owner, piece.estimated):
            found[-1] = replace(last, last=piece.last)
        else:
            found.append(piece)
    return found


def _differing(
    booking: Booking, wanted: Sequence[Piece], now: Sequence[Piece]
) -> Iterator[tuple[Piece, Owner]]:
    """Stretches of what is wanted that are not so now, and whose they are now."""
    if booking.last < booking.first:
        if list(wanted) != list(now):
            yield from ((piece, now[0].owner) for piece in wanted)
        return
    rest = [[piece for piece in pieces if piece.last < piece.first] for pieces in (wanted, now)]
    yield from ((piece, piece.owner) for piece in rest[0] if piece not in rest[1])
    for piece in rest[1]:
        if piece not in rest[0]:
            yield _none_of(booking, piece.owner, estimated=False), piece.owner
    for piece in wanted:
        for each in now:
            first, last = max(piece.first, each.first), min(piece.last, each.last)
            if first <= last and (each.owner, each.estimated) != (piece.owner, piece.estimated):
                yield replace(piece, first=first, last=last), each.owner


def _exact(booking: Booking) -> bool:
    """Whether the machine itself said which shots of a gap came after a mold change."""
    return booking.evidence.endswith(SPLIT)


def _negative(took: Took) -> Took:
    return Took(
        shots=-took.shots,
        shots_min=-took.shots_min,
        shots_max=-took.shots_max,
        closings=-took.closings,
        unobserved=-took.unobserved,
        parts=-took.parts,
    )
