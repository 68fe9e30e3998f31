"""Each way in which counters fail is one rule: what is booked, and what bounds it has."""

from collections.abc import Iterable
from typing import Any

import pytest

from agent.cycle import Cycle
from agent.entry import Entry, Mount, Run
from agent.ledger import Ledger
from agent.ledgersums import LedgerSums, Sums
from agent.molds.timeline import Timeline, Word
from agent.sighting import Sighting
from drivers import Origin
from tests.agent.makers import at, cycle, ledger, sighting

MADE = 12
"""Shots before what the test is about: 20 s apart, numbers 101 to 112."""

Bounds = tuple[int, int, int]
"""Shots, fewest and most."""


def shot(n: int, counter: int, **changes: Any) -> Cycle:
    """The n-th closing, at the usual pace."""
    return cycle(counter, 20.0 * n, **changes)


def told(
    items: Iterable[Cycle | Sighting], *, modulus: int | None = None, first: int = 101, **all_: Any
) -> tuple[dict[str | None, Sums], list[Entry]]:
    """What a dozen shots and then these come to, by mold, and the entries of these."""
    book, sums = ledger(modulus), LedgerSums()
    for n in range(MADE):
        sums.add("IMM-01", book.take(shot(n + 1, first + n, **all_)))
    entries = [book.take(item) for item in items]
    for entry in entries:
        sums.add("IMM-01", entry)
    return {mold: found for mold, _revision, found in sums.lines()}, entries


def of(sums: dict[str | None, Sums], mold: str = "A-1") -> Bounds:
    """Shots of a mold without those before, and their bounds."""
    before = MADE if mold == "A-1" else 0
    found = sums[mold]
    return found.shots - before, found.shots_min - before, found.shots_max - before


def rows(entries: Iterable[Entry]) -> list[Run]:
    return [run for entry in entries for run in entry.runs if run.kind != "seen"]


def test_a_job_counter_that_is_set_back_counts_from_its_new_value() -> None:
    sums, entries = told([shot(13, 1), shot(14, 2)])

    assert of(sums) == (2, 2, 2)
    assert [s.reason for e in entries for s in e.segments] == ["reset"]


def test_a_reset_in_an_outage_hides_what_was_made_before_it() -> None:
    sums, _ = told([cycle(30, 20.0 * 12 + 20.0 * 100)])

    shots, least, most = of(sums)
    assert (shots, least) == (30, 30)
    assert 100 <= most <= 112


def test_a_power_failure_subtracts_nothing_and_counts_what_is_made_after_it_once() -> None:
    sums, _ = told([shot(13, 96), *(shot(13 + n, 96 + n) for n in range(1, 20))])

    assert of(sums) == (20, 20, 20)


def test_what_a_power_failure_hides_is_no_more_than_a_control_forgets() -> None:
    sums, entries = told([cycle(4_992, 20.0 * 12 + 8 * 3600)], first=5_000)

    assert of(sums) == (1, 1, 50 - (5_011 - 4_992))
    (row,) = rows(entries)
    assert (row.kind, row.reason, row.shots) == ("hidden", "rolled_back", 0)


@pytest.mark.parametrize(
    ("width", "low"),
    [
        (10_000, 0), (100_000, 0), (1_000_000, 0), (10_000_000, 0), (2**15, 0), (2**16, 0),
        (2**31, 0), (2**32, 0), (2**16, -(2**15)), (2**32, -(2**31)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("known", [True, False])
def test_a_counter_of_any_width_that_goes_round_loses_nothing(
    width: int, low: int, known: bool
) -> None:
    first = low + width - MADE - 2
    numbers = [(first + MADE + n - low) % width + low for n in range(6)]

    sums, entries = told(
        [shot(13 + n, number) for n, number in enumerate(numbers)],
        modulus=width if known else None,
        first=first,
    )

    assert of(sums) == (6, 6, 6)
    assert [s.reason for e in entries for s in e.segments] == ["wrapped"]


def test_a_wrap_in_an_outage_says_that_it_may_have_been_a_reset() -> None:
    sums, entries = told([cycle(40, 20.0 * 12 + 20.0 * 300)], modulus=10_000, first=9_900)

    shots, least, most = of(sums)
    assert shots == 40 + 10_000 - 9_911
    assert (least, most > 300) == (40, True)
    assert "past 9999" in rows(entries)[0].evidence


@pytest.mark.parametrize("off", [2**16, -(2**16)])
def test_one_torn_number_neither_adds_nor_loses(off: int) -> None:
    sums, _ = told(
        [shot(13, 70_012 + off), *(shot(13 + n, 70_012 + n) for n in range(1, 5))], first=70_000
    )

    assert of(sums) == (5, 5, 5)


def test_dry_closings_are_closings_and_no_shots() -> None:
    sums, _ = told([cycle(113 + n, 250 + 7.0 * n, closing="dry") for n in range(4)])

    assert of(sums) == (0, 0, 0)
    assert sums["A-1"].closings == MADE + 4


def test_another_counter_settles_what_one_leaves_in_doubt() -> None:
    counters = {"machine_counter": 5_000}
    book = ledger()
    for n in range(MADE):
        counters = {"machine_counter": 5_001 + n}
        book.take(shot(n + 1, 101 + n, counters=counters))

    entry = book.take(cycle(92, 20.0 * 12 + 3600, counters={"machine_counter": 5_019}))

    (row,) = rows([entry])
    assert (row.shots, row.shots_min, row.shots_max, row.reason) == (6, 6, 6, "rolled_back")
    assert "machine_counter rose by 7" in row.evidence


def test_two_counters_that_differ_are_both_told_and_never_averaged() -> None:
    book = ledger()
    for n in range(MADE):
        book.take(shot(n + 1, 101 + n, counters={"machine_counter": 5_001 + n}))

    entry = book.take(cycle(120, 20.0 * 26, counters={"machine_counter": 5_026}))

    (row,) = rows([entry])
    assert (row.shots + 1, row.shots_min + 1, row.shots_max + 1) == (14, 8, 14)
    assert "machine_counter rose by 14" in row.evidence


def test_parts_say_how_many_closings_of_an_outage_were_dry() -> None:
    book, sums = ledger(), LedgerSums()
    for n in range(MADE):
        sums.add("IMM-01", book.take(shot(n + 1, 101 + n, counters={"parts_counter": 2 * n})))

    sums.add("IMM-01", book.take(cycle(122, 20.0 * 22, counters={"parts_counter": 22 + 14})))

    ((_mold, _revision, found),) = sums.lines()
    assert (found.closings, found.shots, found.shots_min, found.shots_max) == (22, 19, 19, 19)


@pytest.mark.parametrize(
    ("late", "shots"),
    [
        ([(113, "dry"), (114, "dry"), (115, "dry")], 19),
        ([(113, "dry"), (114, "dry"), (115, "dry"), (116, "dry")], 18),
        ([(113, "shot"), (121, "dry")], 19),
        ([(n, "shot") for n in range(113, 122)], 22),
    ],
    ids=["those that were left out", "one more", "one of each", "none was dry"],
)
def test_dry_closings_that_come_late_are_left_out_once(
    late: list[tuple[int, str]], shots: int
) -> None:
    book, sums = ledger(), LedgerSums()
    for n in range(MADE):
        sums.add("IMM-01", book.take(shot(n + 1, 101 + n, counters={"parts_counter": 2 * n})))
    sums.add("IMM-01", book.take(cycle(122, 20.0 * 22, counters={"parts_counter": 22 + 14})))
    for counter, closing in late:
        told = cycle(counter, 20.0 * (counter - 100), closing=closing, received_at=at(450))
        sums.add("IMM-01", book.take(told))

    ((_mold, _revision, found),) = sums.lines()
    assert (found.closings, found.shots, found.shots_min, found.shots_max) == (22, *[shots] * 3)


def test_open_cavities_stand_in_the_row_and_make_its_parts() -> None:
    _, entries = told([shot(13, 113, cavities=4), shot(14, 114, cavities=3)])

    newest = {run.first: run for entry in entries for run in entry.runs}
    assert [(run.cavities, run.shots, run.parts) for run in newest.values()] == [
        (4, 1, 4),
        (3, 1, 3),
    ]


def test_resin_stands_in_the_row() -> None:
    _, entries = told([shot(13, 113, resin="ABS"), shot(14, 114, resin="PC"), shot(15, 115)])

    assert [run.resin for entry in entries for run in entry.runs] == ["ABS", "PC", "PC"]


def test_missed_cycles_are_unobserved() -> None:
    sums, entries = told([cycle(133, 20.0 * 33)])

    assert of(sums) == (21, 21, 21)
    (row,) = rows(entries)
    assert (row.kind, row.first, row.last, row.unobserved) == ("unobserved", 113, 132, 20)


def test_the_same_event_again_is_nothing_new_however_late() -> None:
    again = [shot(n, 100 + n, received_at=at(20.0 * 13 + n)) for n in range(1, 13)]

    sums, entries = told([*again, *again])

    assert of(sums) == (0, 0, 0)
    assert {entry.refused for entry in entries} == {"duplicate"}


def test_a_step_that_comes_too_soon_is_no_closing() -> None:
    sums, entries = told([shot(13, 113), cycle(114, 262.0), shot(14, 115)])

    assert of(sums) == (2, 2, 2)
    assert entries[1].refused == "double_pulse"


def test_a_step_that_may_be_a_closing_is_recorded_both_ways() -> None:
    sums, _ = told([shot(13, 113), cycle(114, 267.0), shot(14, 115)])

    assert of(sums) == (2, 2, 3)


def test_short_cycles_that_come_evenly_are_another_pace() -> None:
    sums, _ = told([cycle(113 + n, 247.0 + 7 * n) for n in range(20)])

    assert of(sums) == (20, 20, 20)


def test_cycles_that_are_only_published_late_are_all_closings() -> None:
    items = [cycle(113 + n, 20.0 * (13 + n) + (13.5 if n % 2 == 0 else 0)) for n in range(20)]

    assert of(told(items)[0]) == (20, 20, 20)


def test_a_closing_told_once_and_counted_twice_is_one() -> None:
    assert of(told([shot(13, 114), shot(14, 115)])[0]) == (2, 2, 2)


def test_a_counter_that_jumps_ahead_of_the_clock_is_not_believed() -> None:
    sums, entries = told([shot(13, 1_113), shot(14, 1_114)])

    assert of(sums) == (2, 2, 2)
    assert [s.reason for e in entries for s in e.segments] == ["jumped"]


def test_a_counter_that_stood_and_catches_up_counts_nothing_twice() -> None:
    stands = [shot(n, 112) for n in range(13, 18)]

    sums, entries = told([*stands, shot(18, 118), shot(19, 119)])

    assert of(sums) == (7, 7, 7)
    assert [s.reason for e in entries for s in e.segments][-1] == "resumed"


def test_reports_of_a_control_whose_clock_was_set_back_are_counted() -> None:
    items = [
        cycle(113 + n, 20.0 * (13 + n) - 3600, received_at=at(20.0 * (13 + n))) for n in range(5)
    ]

    assert of(told(items)[0]) == (5, 5, 5)


def test_a_mold_that_moves_takes_its_shots_along() -> None:
    one, sums = ledger(), LedgerSums()
    two = Ledger("IMM-02", ledger().standing, lambda mold: "A")
    for n in range(1, 11):
        sums.add("IMM-01", one.take(shot(n, 100 + n)))
    for n in range(1, 6):
        sums.add("IMM-02", two.take(cycle(7 + n, 4000 + 20.0 * n, machine="IMM-02")))

    ((mold, _revision, found),) = sums.lines()
    assert (mold, found.shots, found.shots_min, found.shots_max) == ("A-1", 15, 15, 15)


def test_a_re_cut_starts_another_row_on_its_revision() -> None:
    revisions = {"A-1": "A"}
    book = Ledger("IMM-01", ledger().standing, lambda mold: revisions[mold])
    entries = [book.take(shot(n, 100 + n)) for n in range(1, 4)]
    revisions["A-1"] = "B"
    entries += [book.take(cycle(104, 7200.0)), book.take(cycle(105, 7220.0))]

    newest = {run.first: run for entry in entries for run in entry.runs if run.kind == "seen"}
    assert [(run.revision, run.shots) for run in newest.values()] == [("A", 3), ("B", 2)]


def test_closings_of_a_mold_change_that_nobody_saw_may_be_on_either_mold() -> None:
    sums, _ = told([sighting(20_110, 3600.0, mold="B-2")], first=20_000)

    assert of(sums) == (99, 0, 99)
    assert of(sums, "B-2") == (0, 0, 99)


def test_a_reset_that_came_with_the_mold_splits_what_nobody_saw() -> None:
    sums, _ = told([cycle(9, 3600.0, mold="B-2", job="J 2")], job="J 1", first=20_000)

    # One was seen; the others may be those without plastic with which it was set up. Whether a
    # setter has set the counter back in the middle of the job, nobody knows.
    assert of(sums, "B-2") == (9, 1, 672)
    assert of(sums) == (0, 0, 663)


def test_a_reset_within_a_job_says_nothing_of_the_mold() -> None:
    sums, _ = told([cycle(9, 3600.0, mold="B-2", job="J 1")], job="J 1", first=20_000)

    assert of(sums)[:2] == (8, 0)
    assert of(sums, "B-2")[:2] == (1, 1)


def test_closings_after_a_mold_change_may_be_those_of_its_set_up() -> None:
    came = sighting(112, 600.0, mold="B-2")
    sums, _ = told([came, sighting(152, 3600.0, mold="B-2")])

    assert of(sums, "B-2") == (40, 20, 40)


def test_values_that_a_machine_shows_after_a_power_failure_prove_a_shot() -> None:
    def shows(counter: int, seconds: float, mm: float, **changes: Any) -> Cycle:
        fields: dict[str, Any] = {
            "announced": False,
            "values": {"cushion_mm": mm, "fill_time_s": 0.8},
            "provenance": {"cushion_mm": Origin.LATCHED, "fill_time_s": Origin.LATCHED},
        }
        return cycle(counter, seconds, **(fields | changes))

    for mm, closings in ((3.1, 0), (3.3, 1)):
        book = ledger()
        for n in range(1, 8):
            book.take(shows(100 + n, 20.0 * n, 3.1))
        entry = book.take(shows(95, 900.0, mm, fresh=False))

        assert int(entry.booked is not None) == closings
        assert [segment.reason for segment in entry.segments] == ["rolled_back"]


def test_a_counter_seen_all_along_leaves_no_doubt_after_a_long_stop() -> None:
    sums, _ = told([cycle(1, 40_000.0, looked_at=at(39_999.0))])

    assert of(sums) == (1, 1, 1)


def test_shots_that_our_own_delays_push_together_are_no_double_pulses() -> None:
    book = ledger()
    late_s = {8: 0.1, 9: 0.2, 10: 0.25}  # ever later; the next one then seems to come too soon
    ends_s = [0.3 * n + late_s.get(n, 0.0) for n in range(12)]

    entries = [book.take(cycle(101 + n, end_s)) for n, end_s in enumerate(ends_s)]

    assert [entry.refused for entry in entries] == [None] * 12
    assert all(entry.booked for entry in entries)


def test_a_press_at_many_times_its_speed_has_no_double_pulses() -> None:
    book = ledger()
    for n in range(1, 20):
        book.take(cycle(n, 0.4 * n, announced=False))
    entry = book.take(cycle(21, 8.45, announced=False, looked_at=at(8.2)))

    assert sum(run.closings for run in entry.runs if run.kind == "unobserved") == 1


def test_a_shot_soon_after_one_that_was_told_late_is_one_and_may_be_none() -> None:
    book = ledger()
    for n in range(1, 13):
        book.take(cycle(n, 20.0 * n, announced=False))
    book.take(cycle(13, 20.0 * 13 + 13, announced=False, time_uncertainty_s=14.0))
    entry = book.take(cycle(14, 20.0 * 13 + 14, announced=False))

    assert entry.booked
    assert [(run.kind, run.shots_min) for run in entry.runs] == [("seen", 14), ("double_pulse", -1)]


def test_two_shots_after_an_answer_that_was_late_are_two_and_may_be_one() -> None:
    book = ledger()
    for n in range(1, 13):
        book.take(cycle(n, 20.0 * n, announced=False))
    book.take(cycle(13, 20.0 * 13 + 15, announced=False, time_uncertainty_s=16.0))
    entry = book.take(cycle(15, 20.0 * 15, announced=False, looked_at=at(20.0 * 13 + 17)))

    (run,) = [run for run in entry.runs if run.kind == "unobserved"]
    assert (run.closings, run.shots_min, run.shots_max) == (1, 0, 1)
    assert entry.booked


@pytest.mark.parametrize("rise", [2, 3, 6])
def test_what_an_old_picture_hid_is_counted_with_bounds(rise: int) -> None:
    book = ledger()
    for n in range(1, 13):
        book.take(cycle(n, 20.0 * n, announced=False))
    late_s = 20.0 * (12 + rise)
    shot = cycle(12 + rise, late_s, announced=False, looked_at=at(late_s - 0.5))
    entry = book.take(shot)

    runs = [run for run in entry.runs if run.kind == "unobserved"]
    assert sum(run.closings for run in runs) == rise - 1
    assert not entry.segments, "nobody set it"


def test_a_counter_that_somebody_sets_ahead_in_a_long_stop_is_no_run_of_shots() -> None:
    book = ledger()
    for n in range(1, 13):
        book.take(cycle(n, 20.0 * n, announced=False))
    entry = book.take(cycle(30, 7200.0, announced=False, looked_at=at(7199.0)))

    assert [segment.reason for segment in entry.segments] == ["jumped"]


@pytest.mark.parametrize(
    ("counter", "room"), [(1, 100), (96, 1)], ids=["set back", "rolled back after a stop"]
)
def test_a_connection_that_stood_leaves_no_room_for_closings_untold(
    counter: int, room: int
) -> None:
    late = cycle(counter, 20.0 * 12 + 20.0 * 100)

    told_, _ = told([cycle(counter, 20.0 * 12 + 20.0 * 100, unbroken=True)])
    untold, _ = told([late])

    assert of(told_) == (1, 1, 1)
    assert of(untold)[2] >= min(room, 30)


def test_a_counter_that_has_fallen_back_before_may_have_again_while_nobody_looked() -> None:
    fell = [shot(13, 96), *(shot(13 + n, 96 + n) for n in range(1, 10))]
    away = [cycle(125, 20.0 * 22 + 3600.0)]

    sums, _ = told([*fell, *away])
    never, _ = told([shot(13 + n, 113 + n) for n in range(10)] + [cycle(142, 20.0 * 22 + 3600.0)])

    assert of(sums) == (30, 30, 30 + 49)
    assert of(never) == (30, 30, 30)


def test_a_set_up_that_is_seen_in_part_may_go_on_unseen_again_and_again() -> None:
    book, sums = ledger(), LedgerSums()
    items = [shot(n, 100 + n) for n in range(1, 13)]
    items += [cycle(113, 3600.0, mold="B-2", closing="dry")]
    for start_s in (3700.0, 3900.0):
        counter = items[-1].counter + 5
        items.append(cycle(counter, start_s + 100.0, mold="B-2", closing="dry"))
    for item in items:
        sums.add("IMM-01", book.take(item))

    new = next(found for mold, _revision, found in sums.lines() if mold == "B-2")
    assert (new.shots, new.shots_min) == (8, 0), "they may all have been without plastic"


def test_the_machines_word_for_what_people_said_is_kept_and_so_the_next_one_is_news() -> None:
    book = ledger()
    book.take(shot(1, 101))
    book.seat(Mount(machine="IMM-01", mold="B-2", revision="A", since=at(21.0), source="person"))

    (confirmed,) = book.take(shot(2, 102, mold="B-2")).mounts
    (next_,) = book.take(shot(3, 103, mold="A-1")).mounts

    assert (confirmed.mold, confirmed.source) == ("B-2", "machine")
    assert (next_.mold, next_.source) == ("A-1", "machine")
    said = [
        Word(machine="IMM-01", mold=mold, since=at(s), source=source)
        for mold, s, source in [
            ("A-1", 20.0, "machine"), ("B-2", 21.0, "person"), ("B-2", 40.0, "machine"),
            ("A-1", 60.0, "machine"),
        ]
    ]  # fmt: skip
    word = Timeline(said).at(at(70.0))
    assert word is not None
    assert word.mold == "A-1"


def test_steps_too_soon_for_one_mold_may_be_closings_of_the_next() -> None:
    fast = [cycle(113 + n, 1800.0 + 3.0 * n) for n in range(3)]
    named = cycle(116, 1809.0, mold="B-2")

    sums, _ = told([*fast, named])

    assert sums["B-2"].shots_max - sums["B-2"].shots_min == 2
    assert sums["B-2"].shots == 1


def test_a_late_report_proves_a_closing_that_may_have_been_none() -> None:
    swapped = [shot(14, 0, unbroken=True), shot(13, 65_535, unbroken=True)]
    sums, entries = told(swapped, first=65_523, modulus=65_536)

    assert [(row.kind, row.shots_min) for row in rows(entries)] == [
        ("unobserved", 0),  # it may have been set back just before its end
        ("seen_late", 1),
    ]
    assert of(sums) == (2, 2, 2)


def test_late_reports_of_some_closings_leave_the_others_in_doubt() -> None:
    late = [shot(13, 65_535), shot(15, 1)]
    sums, _ = told([shot(16, 2, unbroken=True), *late], first=65_523, modulus=65_536)

    assert of(sums) == (4, 3, 4), "number 0 was not told"


def test_a_counter_that_stood_just_before_its_end_may_have_been_set_back() -> None:
    stood_s = 20.0 * MADE + 20.0 * 30
    looked = sighting(65_535, stood_s)
    sums, _ = told([shot(13, 65_535), looked, sighting(1, stood_s + 22.0, looked_at=at(stood_s))],
        first=65_523, modulus=65_536,
    )  # fmt: skip

    assert of(sums)[1:] == (1 + 1, 1 + 2)


def test_parts_say_that_a_mold_whose_name_comes_late_is_so_fast() -> None:
    others = [{"parts_counter": 500 + n} for n in range(9)]
    began_s = 20.0 * MADE + 1800.0  # after a change-over
    quick = [cycle(113 + n, began_s + 7.0 * n, counters=others[n + 1]) for n in range(7)]
    swapped = cycle(121, began_s + 7.0 * 8, counters={"parts_counter": 509})
    sums, entries = told([*quick, swapped], counters=others[0])

    assert of(sums) == (9, 9, 9), "two steps in the time of two"
    assert not any(run.reason == "double_pulse" for entry in entries for run in entry.runs)


def test_two_steps_in_the_time_of_one_as_the_last_ones_were_may_be_one() -> None:
    slow = [cycle(113 + n, 20.0 * 12 + 60.0 * (n + 1)) for n in range(5)]
    sums, _ = told([*slow, cycle(119, 20.0 * 12 + 60.0 * 6)])

    assert of(sums) == (7, 6, 7)


def test_rows_of_a_machine_whose_clock_was_set_are_by_ours() -> None:
    set_back = [
        cycle(113 + n, 20.0 * (13 + n), time=at(20.0 * (13 + n) - 3600.0)) for n in range(6)
    ]
    sums, entries = told(set_back)

    assert of(sums)[0] == 6
    (*_, run) = [run for entry in entries for run in entry.runs if run.kind == "seen"]
    assert (run.first, run.last) == (113, 118), "what is stamped otherwise is a row of its own"
    assert (run.since, run.until) == (at(20.0 * 13), at(20.0 * 18))
