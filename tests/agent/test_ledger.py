"""Every shot is booked once, on the right mold, whatever the counter does."""

from collections.abc import Iterable

import pytest

from agent.cycle import Cycle
from agent.ledger import Entry, Ledger, Run
from agent.sighting import Sighting
from tests.agent.makers import cycle, ledger, sighting


def feed(book: Ledger, items: Iterable[Cycle | Sighting]) -> list[Entry]:
    return [book.take(item) for item in items]


def shots(entries: Iterable[Entry]) -> dict[str | None, tuple[int, int]]:
    """Shots and unobserved by mold, from the newest state of every run."""
    runs: dict[tuple[int, str, int], Run] = {}
    for entry in entries:
        for run in entry.runs:
            runs[run.segment, run.kind, run.first] = run
    sums: dict[str | None, tuple[int, int]] = {}
    for run in runs.values():
        had = sums.get(run.mold, (0, 0))
        sums[run.mold] = (had[0] + run.shots, had[1] + run.unobserved)
    return sums


def kept(entries: Iterable[Entry]) -> list[tuple[int, int]]:
    return [(e.booked.segment, e.booked.cycle.counter) for e in entries if e.booked]


def test_consecutive_shots_are_one_run() -> None:
    entries = feed(ledger(), [sighting(100, 0), *(cycle(100 + n, 20 * n) for n in range(1, 6))])

    assert kept(entries) == [(1, 101), (1, 102), (1, 103), (1, 104), (1, 105)]
    assert shots(entries) == {"A-1": (5, 0)}
    assert entries[-1].runs[0].first == 101
    assert entries[-1].runs[0].last == 105


def test_what_the_counter_said_before_we_looked_is_not_ours() -> None:
    entries = feed(ledger(), [cycle(4711, 0, fresh=False, announced=False)])

    assert entries[0].booked is None
    assert entries[0].refused == "before_first_seen"
    assert shots(entries) == {}


def test_a_gap_in_the_counter_is_unobserved_shots() -> None:
    entries = feed(ledger(), [cycle(1, 0), cycle(2, 20), cycle(6, 100)])

    assert kept(entries) == [(1, 1), (1, 2), (1, 6)]
    assert shots(entries) == {"A-1": (6, 3)}


def test_the_same_report_twice_is_a_duplicate() -> None:
    entries = feed(ledger(), [cycle(1, 0), cycle(2, 20), cycle(3, 40), cycle(3, 40), cycle(4, 60)])

    assert kept(entries) == [(1, 1), (1, 2), (1, 3), (1, 4)]
    assert entries[3].refused == "duplicate"
    assert shots(entries) == {"A-1": (4, 0)}


def test_a_stuck_counter_loses_no_announced_shot() -> None:
    items = [cycle(1, 0), cycle(2, 20), cycle(3, 40), cycle(3, 60), cycle(3, 80), cycle(4, 100)]

    entries = feed(ledger(), items)

    assert shots(entries) == {"A-1": (6, 0)}
    assert kept(entries) == [(1, 1), (1, 2), (1, 3), (2, 3), (3, 3), (3, 4)]


def test_an_unobserved_shot_whose_report_comes_late_is_seen_after_all() -> None:
    items = [cycle(1, 0), cycle(2, 20), cycle(5, 80), cycle(4, 60), cycle(4, 60)]

    entries = feed(ledger(), items)

    assert kept(entries) == [(1, 1), (1, 2), (1, 5), (1, 4)]
    assert shots(entries) == {"A-1": (5, 1)}
    assert entries[-1].refused == "duplicate"


def test_a_reset_opens_a_segment_and_loses_nothing() -> None:
    items = [cycle(8, 0), cycle(9, 20), cycle(10, 40), cycle(1, 60), cycle(2, 80)]

    entries = feed(ledger(), items)

    assert kept(entries) == [(1, 8), (1, 9), (1, 10), (2, 1), (2, 2)]
    assert shots(entries) == {"A-1": (5, 0)}
    assert [s.reason for e in entries for s in e.segments] == ["first_seen", "reset"]


def test_a_reset_seen_after_an_outage_counts_what_came_since() -> None:
    seen = [cycle(8, 0), cycle(9, 20), cycle(10, 40)]

    entries = feed(ledger(), [*seen, sighting(3, 200), cycle(4, 220)])

    assert shots(entries) == {"A-1": (7, 3)}


def test_a_wrap_loses_nothing() -> None:
    items = [cycle(n, 20 * n) for n in (65_533, 65_534, 65_535)]
    items += [cycle(0, 20 * 65_536), cycle(2, 20 * 65_538)]

    entries = feed(ledger(modulus=65_536), items)

    assert kept(entries)[-2:] == [(2, 0), (2, 2)]
    assert shots(entries) == {"A-1": (6, 1)}


def test_a_roll_back_never_subtracts() -> None:
    items = [cycle(500 + n, 20 * n) for n in range(4)]
    items += [cycle(490, 100), cycle(491, 120)]

    entries = feed(ledger(), items)

    assert shots(entries) == {"A-1": (6, 0)}
    assert kept(entries)[-2:] == [(2, 490), (2, 491)]


@pytest.mark.parametrize("counter", [0, 495])
def test_a_fallen_counter_alone_proves_no_shot(counter: int) -> None:
    items = [cycle(500 + n, 20 * n) for n in range(4)]
    again = cycle(counter, 70, fresh=False, announced=False)

    entries = feed(ledger(), [*items, again])

    assert entries[-1].booked is None
    assert entries[-1].refused == "not_new"
    assert shots(entries) == {"A-1": (4, 0)}


def test_last_values_read_again_after_reconnecting_are_nothing_new() -> None:
    items = [cycle(1, 0), cycle(2, 20), cycle(2, 500, fresh=False, announced=False)]

    entries = feed(ledger(), items)

    assert entries[-1].refused == "not_new"
    assert shots(entries) == {"A-1": (2, 0)}


def test_the_last_shot_of_an_outage_is_kept_where_the_machine_still_shows_it() -> None:
    items = [cycle(1, 0), cycle(2, 20), cycle(7, 130, fresh=False, announced=False)]

    entries = feed(ledger(), items)

    assert kept(entries) == [(1, 1), (1, 2), (1, 7)]
    assert shots(entries) == {"A-1": (7, 4)}


def test_a_dry_cycle_is_a_closing_and_no_shot() -> None:
    entries = feed(ledger(), [cycle(1, 0), cycle(2, 20, closing="dry"), cycle(3, 40)])

    run = entries[-1].runs[0]
    assert (run.closings, run.shots) == (3, 2)


def test_shots_follow_the_mold() -> None:
    items = [cycle(1, 0), cycle(2, 20), cycle(3, 900, mold="B-2"), cycle(4, 920, mold="B-2")]

    entries = feed(ledger(), items)

    assert shots(entries) == {"A-1": (2, 0), "B-2": (2, 0)}
    assert [m.mold for e in entries for m in e.mounts] == ["A-1", "B-2"]


def test_a_mold_changed_while_nobody_looked_is_split_by_the_job_counter() -> None:
    seen = [cycle(1, 0), cycle(2, 20)]

    entries = feed(ledger(), [*seen, sighting(12, 900, mold="B-2", counters={"job_counter": 4})])

    assert shots(entries) == {"A-1": (8, 6), "B-2": (4, 4)}


def test_a_mold_changed_while_nobody_looked_counts_on_the_old_one_without_a_job_counter() -> None:
    entries = feed(ledger(), [cycle(501, 0), cycle(502, 20), sighting(512, 900, mold="B-2")])

    assert shots(entries) == {"A-1": (12, 10), "B-2": (0, 0)}
    old, new = entries[-1].runs
    assert (old.evidence, old.shots_min, old.shots_max) == ("mold changed unseen", 0, 10)
    assert (new.kind, new.shots_min, new.shots_max) == ("hidden", 0, 10)


def test_a_machine_that_names_no_mold_keeps_the_one_it_has() -> None:
    entries = feed(ledger(), [cycle(1, 0), cycle(2, 20, mold=None)])

    assert shots(entries) == {"A-1": (2, 0)}
