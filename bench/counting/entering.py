"""What people enter of mounts, taken in as the agent takes it in: at once, and for the past."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from agent.entry import Entry, Mount, Run
from agent.ledger import Ledger
from agent.ledgersums import LedgerSums
from agent.molds.attributing import booked_since
from agent.molds.attribution import Attribution, Booking, Owner, Walk
from agent.molds.life import Took
from agent.molds.timeline import PERSON, Timeline, Word, effective
from bench.counting.press import Entered, Key

LAST = datetime.max.replace(tzinfo=UTC)


class Entering:
    """One machine's rows and words, and whose closings they turn out to be.

    Args:
        machine: Its name.
        revised: By machine and mold, since when it had which revision there.
    """

    def __init__(self, machine: str, revised: Mapping[Key, Sequence[tuple[datetime, str]]]) -> None:
        self._machine = machine
        self._revised = revised
        self._rows: dict[tuple[int, str, int], Run] = {}
        self._cycles: dict[tuple[int, int], tuple[datetime, bool]] = {}
        self._words: list[Word] = []
        self._before: dict[int, list[Attribution]] = {}

    def note(self, entry: Entry) -> None:
        """Keep what an entry books."""
        for mount in entry.mounts:
            self._words.append(
                Word(machine=self._machine, mold=mount.mold, since=mount.since, source=mount.source)
            )
        for run in entry.runs:
            key = run.segment, run.kind, run.first
            began = self._rows.get(key)
            if began is not None and run.kind != "seen":
                raise AssertionError(f"two rows are known by one key: {began} and {run}")
            self._rows[key] = run
        if entry.booked is not None:
            cycle = entry.booked.cycle
            self._cycles[entry.booked.segment, cycle.counter] = cycle.time, cycle.closing == "shot"

    def enter(self, told: Entered, ledger: Ledger, sums: LedgerSums) -> None:
        """Take a person's word in."""
        self._words.append(
            Word(
                machine=self._machine,
                mold=told.mold,
                since=told.since,
                source=PERSON,
                entry=len(self._words),
            )
        )
        word = Timeline(self._words).at(LAST)
        held = ledger.standing.mount
        assert word is not None
        assert word.mold is not None
        if word.source == PERSON or (held is not None and held.source == PERSON):
            ledger.seat(
                Mount(
                    machine=self._machine,
                    mold=word.mold,
                    revision=self._revision_at(word.mold, told.at),
                    since=word.since,
                    source=word.source,
                )
            )
        self.attribute(sums)

    def attribute(self, sums: LedgerSums) -> None:
        """Move what is another's by what is known now; twice changes nothing."""
        if not any(word.source == PERSON for word in self._words):
            return
        bookings = [_booking(number, run) for number, run in enumerate(self._rows.values())]
        words = effective(self._words, lambda word: booked_since(word, bookings))
        walk = Walk(
            Timeline(words), self._revision_at, self._revisions_since, self._cut, self._part
        )
        for move in walk.moves(bookings, self._before):
            piece = move.attribution
            self._before.setdefault(piece.booking, []).append(piece)
            for owner, took in move.changes:
                sums.move(owner.mold, owner.revision, took)

    def _revision_at(self, mold: str, at: datetime) -> str:
        known = self._revised.get((self._machine, mold), ())
        return next((revision for since, revision in reversed(known) if since <= at), "A")

    def _revisions_since(self, mold: str, since: datetime, until: datetime) -> list[datetime]:
        known = self._revised.get((self._machine, mold), ())
        return [at for (_, was), (at, now) in pairwise(known) if was != now and since < at <= until]

    def _cut(self, booking: Booking, at: datetime) -> int:
        off = booking.since - self._cycles[booking.segment, booking.first][0]
        for counter in range(booking.first, booking.last + 1):
            cycle = self._cycles.get((booking.segment, counter))
            if cycle is not None and cycle[0] + off >= at:
                return counter
        return booking.last + 1

    def _part(self, booking: Booking, first: int, last: int) -> Took:
        keys = [(booking.segment, counter) for counter in range(first, last + 1)]
        shots = sum(self._cycles[key][1] for key in keys if key in self._cycles)
        return Took(shots=shots, shots_min=shots, shots_max=shots, closings=len(keys))


def _booking(number: int, run: Run) -> Booking:
    took = Took(
        shots=run.shots,
        shots_min=run.shots_min,
        shots_max=run.shots_max,
        closings=run.closings,
        unobserved=run.unobserved,
    )
    return Booking(
        id=number,
        machine=run.machine,
        segment=run.segment,
        kind=run.kind,
        first=run.first,
        last=run.last,
        owner=Owner(run.mold, run.revision, run.resin),
        since=run.since,
        until=run.until,
        evidence=run.evidence,
        took=took,
    )
