"""Whose closings a gap's are, when people say which molds came and went in it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from agent.ledgerrows import SPLIT
from agent.molds.attribution import Attribution, Booking, Owner, Walk
from agent.molds.life import Took
from agent.molds.timeline import Timeline, Word

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def word(mold: str, hours: float, source: str = "person") -> Word:
    return Word(machine="IMM-01", mold=mold, since=at(hours), source=source)


def gap(number: int, mold: str, first: int, last: int, took: Took, evidence: str = "") -> Booking:
    """A row of closings that nobody saw, from the first hour to the ninth."""
    return Booking(
        id=number,
        machine="IMM-01",
        segment=1,
        kind="unobserved" if last >= first else "hidden",
        first=first,
        last=last,
        owner=Owner(mold, "A", None),
        since=at(1),
        until=at(9),
        evidence=evidence,
        took=took,
    )


def sums(
    bookings: Sequence[Booking],
    words: Sequence[Word],
    before: dict[int, list[Attribution]] | None = None,
    revision_at: Callable[[str, datetime], str] = lambda _mold, _at: "A",
) -> dict[str | None, Took]:
    """What every mold has in the end; what was written goes into `before`."""
    walk = Walk(
        Timeline(words),
        revision_at,
        lambda _mold, _since, _until: [],
        lambda booking, _at: booking.first,
        lambda _booking, _first, _last: Took(),
    )
    before = {} if before is None else before
    found: dict[str | None, Took] = {}
    for booking in bookings:
        found[booking.owner.mold] = found.get(booking.owner.mold, Took()) + booking.took
    for move in list(walk.moves(bookings, before)):
        before.setdefault(move.attribution.booking, []).append(move.attribution)
        for owner, took in move.changes:
            found[owner.mold] = found.get(owner.mold, Took()) + took
    return found


def bounds(took: Took) -> tuple[int, int, int]:
    return took.shots, took.shots_min, took.shots_max


EXACT = Took(shots=100, shots_min=100, shots_max=100, closings=100, unobserved=100)
DOUBT = Took(shots_max=300)
NAMED = [word("M-1", 0, "machine"), word("M-3", 9, "machine")]


def test_a_run_between_two_molds_may_have_made_all_that_is_not_the_last_ones() -> None:
    rows = [
        gap(1, "M-1", 1, 100, EXACT, f"; {SPLIT}"),
        gap(2, "M-3", 101, 200, EXACT, f"; {SPLIT}"),
    ]

    found = sums(rows, [*NAMED, word("M-2", 3)])

    assert bounds(found["M-1"])[1:] == (0, 100)
    assert bounds(found["M-2"])[1:] == (0, 100)
    assert bounds(found["M-3"]) == (100, 100, 100), "the job's own counter says so"


def test_a_mold_that_came_twice_in_a_gap_is_between_and_last() -> None:
    rows = [
        gap(1, "M-1", 1, 100, EXACT, f"; {SPLIT}"),
        gap(2, "M-3", 101, 200, EXACT, f"; {SPLIT}"),
    ]

    found = sums(rows, [*NAMED, word("M-3", 2), word("M-2", 4), word("M-3", 6)])

    assert bounds(found["M-3"])[1:] == (100, 200)


def test_a_mold_that_left_and_came_back_re_cut_has_what_its_jobs_counter_says() -> None:
    rows = [
        gap(1, "M-1", 1, 100, EXACT, f"; {SPLIT}"),
        replace(gap(2, "M-1", 101, 200, EXACT, f"; {SPLIT}"), owner=Owner("M-1", "B", None)),
    ]
    moved: dict[int, list[Attribution]] = {}

    sums(
        rows,
        [*NAMED[:1], word("M-2", 3), word("M-1", 7)],
        moved,
        revision_at=lambda mold, when: "B" if mold == "M-1" and when >= at(5) else "A",
    )

    assert {piece.owner.mold for piece in moved[1]} == {"M-1", "M-2"}
    assert 2 not in moved, "as it was booked"


def test_a_doubt_without_numbers_is_everybodys_who_sat_there_and_is_taken_back() -> None:
    rows = [gap(1, "M-1", 7, 6, DOUBT)]
    entered = [word("M-1", 0, "machine"), word("M-2", 3), word("M-3", 5)]
    before: dict[int, list[Attribution]] = {}

    found = sums(rows, entered, before)
    again = sums(rows, entered, {key: list(each) for key, each in before.items()})
    withdrawn = sums(rows, entered[:1], before)

    assert set(found) == {"M-1", "M-2", "M-3"}
    assert {bounds(took) for took in found.values()} == {(0, 0, 300)}
    assert again == {"M-1": DOUBT}, "to run it again changes nothing"
    assert withdrawn["M-2"] == Took(shots_max=-300)
    assert withdrawn["M-1"] == DOUBT


def test_what_ends_a_doubt_ends_it_for_everybody() -> None:
    doubt = gap(1, "M-1", 7, 6, DOUBT)
    end = Booking(
        id=2,
        machine="IMM-01",
        segment=2,
        kind="settled",
        first=7,
        last=6,
        owner=doubt.owner,
        since=doubt.since,
        until=at(12),
        evidence="",
        took=Took(shots_max=-300),
    )

    found = sums([doubt, end], [word("M-1", 0, "machine"), word("M-2", 3), word("M-3", 10)])

    assert {mold: bounds(took) for mold, took in found.items()} == {
        "M-1": (0, 0, 0),
        "M-2": (0, 0, 0),
    }


def test_one_closing_may_be_either_molds_however_little_time_one_of_them_had() -> None:
    one = Took(shots=1, shots_min=0, shots_max=19, closings=1, unobserved=1)

    found = sums([gap(1, "M-1", 1, 1, one)], [word("M-1", 0), word("M-2", 8.9)])

    assert bounds(found["M-1"])[1:] == (0, 19)
    assert bounds(found["M-2"])[1:] == (0, 19)


def test_a_machines_new_word_stands_though_a_person_spoke_of_a_time_before() -> None:
    rows = [gap(1, "M-3", 7, 6, DOUBT)]

    found = sums(rows, [word("M-1", 0), word("M-3", 9, "machine")])

    assert found == {"M-3": DOUBT}


def test_a_mold_that_the_machine_named_within_a_gap_may_have_made_all_since_then() -> None:
    rows = [gap(1, "M-1", 1, 100, EXACT)]
    words = [word("M-1", 0, "machine"), word("M-2", 4, "machine"), word("M-3", 9, "machine")]

    found = sums(rows, words)

    assert bounds(found["M-1"])[1:] == (0, 100)
    assert bounds(found["M-2"])[1:] == (0, 100)
    assert "M-3" not in found
