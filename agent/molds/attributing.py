"""Closings attributed anew in the record, after people said what sat on a machine, or since when.

Whoever writes such a word runs this in the same transaction, so that the sums are right at once; a
running agent runs it again when it has taken in the word, for what it booked in between.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, insert, or_, select

from agent import schema
from agent.archive.catalogue import closings_of
from agent.audit import Author, note
from agent.molds.attribution import Attribution, Booking, Move, Owner, Walk
from agent.molds.life import Took
from agent.molds.mold import Mold
from agent.molds.shelf import read_molds, read_words
from agent.molds.timeline import Timeline, Word, effective
from agent.rows import from_ns, to_ns

if TYPE_CHECKING:  # with numpy, which a list needs not
    from agent.archive.closings import Closings


def attribute(
    connection: Connection,
    author: Author,
    after: int,
    gaps: Mapping[int, int] = MappingProxyType({}),
) -> int:
    """Write what follows from mounts and revisions that were entered lately.

    Args:
        connection: Within a transaction that may write.
        author: In whose name; the audit row names the machine and how many shots moved.
        after: Only what audit rows later than this one said; 0 for all.
        gaps: Machines with closings that were booked late, and since when they were made (ns).

    Returns:
        How many shots moved.
    """
    return attribute_on(connection, author, _scope(connection, after, gaps))


def attribute_on(connection: Connection, author: Author, scope: Mapping[int, int]) -> int:
    """The same on known machines.

    Args:
        connection: Within a transaction that may write.
        author: In whose name.
        scope: Ids of machines, and since when closings may be another's (ns).

    Returns:
        How many shots moved.
    """
    if not scope:
        return 0
    molds = read_molds(connection)
    names = {row.id: row.name for row in connection.execute(select(schema.machine))}
    ids = {row.name: row.id for row in connection.execute(select(schema.mold))}
    words = read_words(connection, [names[key] for key in scope])
    total = 0
    for key, since_ns in scope.items():
        machine = _Machine(connection, key, names[key], molds)
        moves = machine.moves(words.get(names[key], []), since_ns)
        if moves:
            total += _write(connection, author, key, names[key], moves, ids)
    return total


def _scope(connection: Connection, after: int, gaps: Mapping[int, int]) -> dict[int, int]:
    """Machines on which something may have changed, and since when (ns)."""
    entry, revision, run, piece = (
        schema.mount_entry, schema.mold_revision, schema.run, schema.attribution
    )  # fmt: skip
    scope: dict[int, int] = {}

    def widen(machine: int, since_ns: int) -> None:
        scope[machine] = min(since_ns, scope.get(machine, since_ns))

    said = select(entry.c.machine_id, entry.c.since_ns).where(entry.c.audit_id > after)
    for row in connection.execute(said):
        widen(row.machine_id, row.since_ns)
    for machine, since_ns in gaps.items():
        entered = select(func.count()).where(
            entry.c.machine_id == machine, entry.c.since_ns >= since_ns
        )
        # A re-cut that was entered meanwhile is not known to what was booked for that time.
        recut = (
            select(func.count())
            .select_from(revision.join(schema.audit))
            .where(or_(revision.c.since_ns >= since_ns, schema.audit.c.at_ns >= since_ns))
        )
        if connection.execute(entered).scalar() or connection.execute(recut).scalar():
            widen(machine, since_ns)
    revised = select(revision.c.mold_id, func.min(revision.c.since_ns).label("since_ns"))
    revised = revised.where(revision.c.audit_id > after).group_by(revision.c.mold_id)
    for row in connection.execute(revised).all():
        booked = select(run.c.machine_id).where(
            run.c.mold_id == row.mold_id, run.c.until_ns >= row.since_ns
        )
        moved = select(piece.c.machine_id).where(piece.c.mold_id == row.mold_id)
        for machine in connection.execute(booked.union(moved)).scalars().all():
            widen(machine, row.since_ns)
    return scope


class _Machine:
    """One machine's part of the record, as the walk asks for it."""

    def __init__(self, connection: Connection, key: int, name: str, molds: dict[str, Mold]) -> None:
        self._connection = connection
        self._key = key
        self._name = name
        self._molds = molds

    def moves(self, words: Sequence[Word], since_ns: int) -> list[Move]:
        """What has to be written for rows that had not ended before a time."""
        bookings = self._bookings(since_ns)
        timeline = Timeline(effective(words, lambda word: booked_since(word, bookings)))
        entry = schema.mount_entry
        had = select(func.count()).where(entry.c.machine_id == self._key)
        walk = Walk(
            timeline,
            self._revision_at,
            self._revised,
            self._cut,
            self._part,
            had_people=bool(self._connection.execute(had).scalar()),
        )
        return list(walk.moves(bookings, self._before([each.id for each in bookings])))

    def _bookings(self, since_ns: int) -> list[Booking]:
        run, mold = schema.run, schema.mold
        query = (
            select(run, mold.c.name.label("mold"))
            .outerjoin(mold, mold.c.id == run.c.mold_id)
            .where(run.c.machine_id == self._key, run.c.until_ns >= since_ns)
            .order_by(run.c.id)
        )
        return [
            Booking(
                id=row.id,
                machine=self._name,
                segment=row.segment,
                kind=row.kind,
                first=row.first,
                last=row.last,
                owner=Owner(row.mold, row.revision, row.resin),
                since=from_ns(row.since_ns),
                until=from_ns(row.until_ns),
                evidence=row.evidence,
                took=Took(
                    shots=row.shots,
                    shots_min=row.shots_min,
                    shots_max=row.shots_max,
                    closings=row.closings,
                    unobserved=row.unobserved,
                    parts=row.parts or 0,
                ),
            )
            for row in self._connection.execute(query)
        ]

    def _before(self, bookings: Sequence[int]) -> dict[int, list[Attribution]]:
        piece, mold = schema.attribution, schema.mold
        query = (
            select(piece, mold.c.name.label("mold"))
            .outerjoin(mold, mold.c.id == piece.c.mold_id)
            .where(piece.c.machine_id == self._key)
            .order_by(piece.c.id)
        )
        wanted = set(bookings)
        found: dict[int, list[Attribution]] = defaultdict(list)
        for row in self._connection.execute(query):
            if row.ledger_id in wanted:
                found[row.ledger_id].append(
                    Attribution(
                        booking=row.ledger_id,
                        machine=self._name,
                        segment=row.segment,
                        first=row.first,
                        last=row.last,
                        owner=Owner(row.mold, row.revision, row.resin),
                        estimated=bool(row.estimated),
                    )
                )
        return found

    def _revision_at(self, mold: str, at: datetime) -> str:
        return self._molds[mold].revision_at(at) if mold in self._molds else "A"

    def _revised(self, mold: str, since: datetime, until: datetime) -> list[datetime]:
        known = self._molds.get(mold)
        return (
            [each.since for each in known.revisions if since < each.since <= until] if known else []
        )

    def _cut(self, booking: Booking, at: datetime) -> int:
        cycle = schema.cycle
        at_ns = to_ns(at) - self._off_ns(booking)
        query = (
            select(cycle.c.counter)
            .where(
                cycle.c.machine_id == self._key,
                cycle.c.segment == booking.segment,
                cycle.c.counter.between(booking.first, booking.last),
                cycle.c.time_ns >= at_ns,
            )
            .order_by(cycle.c.counter)
            .limit(1)
        )
        found = self._connection.execute(query).scalar()
        moved = self._moved(booking, booking.first, booking.last)
        later = moved.counters[moved.times_ns >= at_ns]
        return min(
            booking.last + 1 if found is None else int(found),
            int(later.min(initial=booking.last + 1)),
        )

    def _off_ns(self, booking: Booking) -> int:
        """Our clock, by which rows and people's words are, less the one that stamped its cycles."""
        cycle, first = schema.cycle, booking.first
        query = select(cycle.c.time_ns).where(
            cycle.c.machine_id == self._key,
            cycle.c.segment == booking.segment,
            cycle.c.counter == first,
        )
        stamped = self._connection.execute(query).scalar()
        if stamped is None:
            moved = self._moved(booking, first, first)
            stamped = int(moved.times_ns[0]) if len(moved.times_ns) else to_ns(booking.since)
        return to_ns(booking.since) - stamped

    def _part(self, booking: Booking, first: int, last: int) -> Took:
        cycle = schema.cycle
        query = select(
            func.count().label("closings"),
            func.count().filter(cycle.c.closing == "shot").label("shots"),
        ).where(
            cycle.c.machine_id == self._key,
            cycle.c.segment == booking.segment,
            cycle.c.counter.between(first, last),
        )
        row = self._connection.execute(query).one()
        moved = self._moved(booking, first, last)
        shots = row.shots + int(moved.shots.sum())
        per_shot = booking.took.parts / booking.took.shots if booking.took.shots else 0
        return Took(
            shots=shots,
            shots_min=shots,
            shots_max=shots,
            closings=row.closings + len(moved.ids),
            parts=round(per_shot * shots),
        )

    def _moved(self, booking: Booking, first: int, last: int) -> "Closings":
        """What was moved to files; the record itself knows enough of that."""
        return closings_of(self._connection, self._key, booking.segment, first, last)


def booked_since(word: Word, bookings: Sequence[Booking]) -> datetime:
    """When the closings began that were booked on a machine's word; its own time if none were."""
    return min(
        (
            each.since
            for each in bookings
            if each.kind == "seen"
            and each.owner.mold == word.mold
            and each.since <= word.since <= each.until
        ),
        default=word.since,
    )


def _write(
    connection: Connection,
    author: Author,
    key: int,
    name: str,
    moves: Sequence[Move],
    molds: dict[str, int],
) -> int:
    shots = sum(move.shots for move in moves)
    audit = note(
        connection,
        author,
        "attribute",
        "machine",
        name,
        old={"owners": _named(move.source for move in moves)},
        new={"owners": _named(move.attribution.owner for move in moves), "shots": shots},
    )
    times = {
        row.id: row.until_ns
        for row in connection.execute(
            select(schema.run.c.id, schema.run.c.until_ns).where(
                or_(*(schema.run.c.id == n for n in {m.attribution.booking for m in moves}))
            )
        )
    }
    for move in moves:
        piece = move.attribution
        row = {
            "machine_id": key,
            "segment": piece.segment,
            "first": piece.first,
            "last": piece.last,
            "mold_id": molds.get(piece.owner.mold or ""),
            "revision": piece.owner.revision,
            "resin": piece.owner.resin,
            "at_ns": to_ns(author.at),
            "ledger_id": piece.booking,
            "estimated": int(piece.estimated),
        }
        written = connection.execute(insert(schema.attribution).values(**row)).inserted_primary_key
        assert written is not None
        for owner, took in move.changes:
            connection.execute(
                insert(schema.adjustment).values(
                    kind="moved",
                    mold_id=molds.get(owner.mold or ""),
                    revision=owner.revision,
                    resin=owner.resin,
                    at_ns=times[piece.booking],
                    reason=move.reason,
                    attribution_id=written[0],
                    audit_id=audit,
                    **took_row(took),
                )
            )
    return shots


def took_row(took: Took) -> dict[str, int]:
    """Sums as columns of an adjustment."""
    return {
        "shots": took.shots,
        "shots_min": took.shots_min,
        "shots_max": took.shots_max,
        "closings": took.closings,
        "unobserved": took.unobserved,
        "parts": took.parts,
    }


def _named(owners: Iterable[Owner]) -> list[str]:
    return sorted({f"{one.mold or 'no known mold'} {one.revision or ''}".strip() for one in owners})
