"""What is odd in the counting is told in words with numbers, once, and no more than that."""

from collections.abc import Iterable
from typing import Any

from agent.anomaly import Anomaly
from agent.cycle import Cycle
from agent.shotcount import ShotCount
from agent.sighting import Sighting
from tests.agent.makers import cycle, ledger, sighting

MADE = 12


def told(items: Iterable[Cycle | Sighting], registered: bool = True) -> list[Anomaly]:
    """Every state of every anomaly, after a dozen shots 20 s apart at counters 101 to 112."""
    book, count = ledger(), ShotCount("IMM-01", lambda _mold: registered)
    found: list[Anomaly] = []
    for item in (*before(), *items):
        found += count.take(book.take(item))
    return found


def before(**counters: int) -> list[Cycle]:
    return [shot(n, n, **counters) for n in range(1, MADE + 1)]


def shot(n: int, counter: int, **changes: Any) -> Cycle:
    """The n-th closing, with its number."""
    return cycle(100 + counter if counter > 0 else -counter, 20.0 * n, **changes)


def causes(found: Iterable[Anomaly]) -> list[str]:
    return [each.cause for each in found]


def test_a_quiet_press_has_nothing_to_tell() -> None:
    assert told(shot(n, n) for n in range(13, 400)) == []


def test_a_reset_says_both_numbers_and_what_is_possible() -> None:
    (found,) = told([cycle(1, 20.0 * 13 + 600)])

    assert (found.kind, found.cause, found.severity) == ("shot_count", "counter_reset", "warning")
    assert "set back from 112 to 1; 1 shot since" in found.message
    assert "Between 1 and 34 are possible" in found.message
    assert (found.counter, found.since_counter, found.is_open) == (1, 112, False)


def test_a_reset_with_another_job_is_only_for_the_record() -> None:
    book, count = ledger(), ShotCount("IMM-01")
    items = [shot(n, n, job="J 1") for n in range(1, 13)]
    found: list[Anomaly] = []
    for item in (*items, cycle(1, 260.0, job="J 2")):
        found += count.take(book.take(item))

    assert [(each.cause, each.severity) for each in found] == [("counter_reset", "info")]
    assert "Job J 2 began, which is the usual reason" in found[0].message


def test_shots_of_an_outage_are_told_with_their_number() -> None:
    (found,) = told([sighting(150, 20.0 * 50)])

    assert (found.cause, found.severity) == ("shots_unobserved", "info")
    assert "38 shots of IMM-01 from counter 112 to 150" in found.message


def test_a_roll_back_is_told() -> None:
    (found,) = told([cycle(95, 20.0 * 13)])

    assert found.cause == "counter_rolled_back"
    assert "fell back from 112 to 95" in found.message


def test_reports_that_come_twice_are_told_once() -> None:
    again = [shot(n, n) for n in range(1, 13)]

    assert causes(told([*again, *again, shot(13, 13), shot(13, 13)])) == ["duplicate"]


def test_a_counter_that_stands_is_told_once_and_closed_when_it_moves() -> None:
    stands = [shot(n, 12) for n in range(13, 17)]
    opened, closed = told([*stands, shot(17, 13), shot(18, 14)])

    assert (opened.cause, opened.is_open) == ("counter_stalled", True)
    assert (closed.id, closed.is_open) == (opened.id, False)
    assert "moved again after 4 shots" in closed.message


def test_closings_without_plastic_are_told_from_the_third() -> None:
    dry = [cycle(112 + n, 240 + 7.0 * n, closing="dry") for n in range(1, 6)]
    opened, closed = told([*dry, cycle(118, 300.0)])

    assert (opened.cause, opened.since_counter) == ("dry_cycles", 113)
    assert (closed.id, closed.until_counter) == (opened.id, 117)
    assert "5 of them" in closed.message
    assert told([*dry[:2], cycle(115, 300.0)]) == []


def test_double_pulses_in_a_row_are_told_as_one() -> None:
    bounces: list[Cycle] = []
    for n in range(5):
        at, counter = 260.0 + 20 * n, 113 + 2 * n
        bounces += [cycle(counter, at), cycle(counter + 1, at + 2)]

    assert causes(told(bounces)) == ["double_pulse"]


def test_two_counters_that_disagree_are_told_with_both_numbers() -> None:
    book, count = ledger(), ShotCount("IMM-01")
    found: list[Anomaly] = []
    for n in range(1, 60):
        life = 5000 + n + (2 if n > 30 else 0)
        found += count.take(book.take(shot(n, n, counters={"machine_counter": life})))

    assert causes(found) == ["counters_disagree"]
    assert "32 closings are booked, and its machine counter rose by 34" in found[0].message
    assert found[0].since_counter == 131


def test_parts_that_no_longer_fit_the_cavities_are_told() -> None:
    book = ledger()
    count = ShotCount("IMM-01")
    found: list[Anomaly] = []
    parts = 0
    for n in range(1, 40):
        parts += 4 if n <= 20 else 3
        made = shot(n, n, cavities=4, counters={"parts_counter": parts})
        found += count.take(book.take(made))

    assert causes(found) == ["cavity_ratio"]
    assert "makes 3 parts a shot where 4 cavities are open" in found[0].message


def test_a_mold_that_nobody_registered_is_told_once() -> None:
    found = told([shot(13, 13), shot(14, 14, mold="B-2"), shot(15, 15)], registered=False)

    assert [(each.cause, each.mold) for each in found] == [
        ("mold_unknown", "A-1"),
        ("mold_unknown", "B-2"),
    ]


def test_the_same_story_gives_the_same_anomalies_again() -> None:
    items: list[Cycle | Sighting] = [cycle(1, 900.0), cycle(2, 920.0), sighting(40, 1900.0)]

    assert [each.id for each in told(items)] == [each.id for each in told(items)]
    assert len({each.id for each in told(items)}) == 2
