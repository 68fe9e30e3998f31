"""How far another clock is off, from stamps fed by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from drivers.skew import AGREEING, Bounds, Stamps

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def asked(bounds: Bounds, at_s: float, ahead_s: float, trip_s: float = 0.1) -> None:
    """One answer, made just in the middle of the trip."""
    at = START + s(at_s)
    bounds.take(at + s(ahead_s), at - s(trip_s / 2), at + s(trip_s / 2))


def test_many_answers_close_the_bounds() -> None:
    bounds = Bounds()
    bounds.take(START + s(30), START - s(0.5), START + s(0.1))
    bounds.take(START + s(31), START + s(0.9), START + s(1.5))

    assert bounds.skew is not None
    assert bounds.skew.ahead_s == pytest.approx(30.0, abs=bounds.skew.within_s)
    assert bounds.skew.within_s == pytest.approx(0.1)


def test_a_clock_that_was_set_is_believed_after_a_few_that_agree() -> None:
    bounds = Bounds()
    asked(bounds, 0, 0.0)
    before = bounds.skew
    for number in range(AGREEING - 1):
        asked(bounds, 1 + number, -3600.0)
        assert bounds.skew is before
    asked(bounds, AGREEING, -3600.0)

    assert bounds.skew is not None
    assert bounds.skew.ahead_s == pytest.approx(-3600.0, abs=0.1)


def test_single_late_stamps_change_nothing() -> None:
    bounds = Bounds()
    for number in range(20):
        asked(bounds, number, -30.0 if number % 3 == 2 else 0.0)

    assert bounds.skew is not None
    assert abs(bounds.skew.ahead_s) <= bounds.skew.within_s


def test_a_clock_that_drifts_is_followed() -> None:
    bounds = Bounds()
    for number in range(1000):
        asked(bounds, 10.0 * number, 0.001 * number, trip_s=0.02)

    assert bounds.skew is not None
    assert bounds.skew.ahead_s == pytest.approx(0.999, abs=0.05)


def test_stamps_of_values_that_did_not_change_say_nothing() -> None:
    """Just set back, a clock stamps what changes; the rest still has the time from before."""
    bounds = Bounds()
    stamps = Stamps(bounds)
    old = START - s(5)
    for number in range(10):
        now = START + s(number)
        stamps.take([old, old, now - s(600 + 0.5)], now)

    assert bounds.skew is not None
    assert bounds.skew.ahead_s == pytest.approx(-600.0, abs=1.0)


def test_where_nothing_changes_nothing_is_known() -> None:
    bounds = Bounds()
    stamps = Stamps(bounds)
    for number in range(10):
        stamps.take([START - s(86_400), None], START + s(number))

    assert bounds.skew is None


def test_our_own_clock_set_between_question_and_answer_is_left_out() -> None:
    bounds = Bounds()
    bounds.take(START, START + s(1), START - s(3600))

    assert bounds.skew is None
