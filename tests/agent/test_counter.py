"""A counter's new value is told apart by width, value and the room that the clock leaves."""

import doctest

import pytest

import agent.counter
from agent.counter import Step, judge
from agent.pace import Pace

STEADY = Pace([20.0] * 6)
"""Of a machine that closes its mold every 20 s."""


def test_the_examples_in_the_module_are_true() -> None:
    assert doctest.testmod(agent.counter).failed == 0


@pytest.mark.parametrize(
    ("last", "new", "elapsed_s", "modulus", "step", "closings", "least", "most"),
    [
        (10, 10, 5, None, Step.SAME, 0, 0, 0),
        (10, 11, 20, None, Step.RISEN, 1, 1, 1),
        (10, 16, 120, None, Step.RISEN, 6, 6, 6),
        # Wraps of every width, with the next number, and with some that nobody told.
        (9_999, 0, 20, None, Step.WRAPPED, 1, 1, 1),
        (9_999, 1, 40, None, Step.WRAPPED, 2, 2, 2),
        (32_767, 0, 20, None, Step.WRAPPED, 1, 1, 1),
        (65_535, 0, 20, 65_536, Step.WRAPPED, 1, 1, 1),
        (65_535, 0, 20, None, Step.WRAPPED, 1, 1, 1),
        (99_999, 3, 80, None, Step.WRAPPED, 4, 4, 4),
        (999_999, 0, 20, None, Step.WRAPPED, 1, 1, 1),
        (9_999_999, 1, 40, None, Step.WRAPPED, 2, 2, 2),
        (2**31 - 1, 0, 20, None, Step.WRAPPED, 1, 1, 1),
        (2**32 - 1, 0, 20, None, Step.WRAPPED, 1, 1, 1),
        (32_767, -32_768, 20, None, Step.WRAPPED, 1, 1, 1),
        (2**31 - 1, -(2**31), 20, None, Step.WRAPPED, 1, 1, 1),
        (2**31 - 1, -(2**31) + 2, 60, 2**32, Step.WRAPPED, 3, 3, 3),
        # A wrap in an outage: as many as the time says are no coincidence; else it may be a reset.
        (65_000, 300, 20 * 836, 65_536, Step.WRAPPED, 836, 836, 836),
        (65_000, 300, 20 * 2000, 65_536, Step.WRAPPED, 836, 300, 2222),
        (9_500, 200, 20 * 12_000, 10_000, Step.WRAPPED, 700, 200, 10_700 + 2_633),
        # A reset: with no time for more it is certain, after a longer time it is the least.
        (500, 1, 20, None, Step.RESET, 1, 1, 1),
        (500, 3, 62, None, Step.RESET, 3, 3, 3),
        (500, 1, 600, None, Step.RESET, 1, 1, 33),
        (500, 400, 20 * 600, None, Step.RESET, 400, 400, 666),
        # A roll-back: at most what a control does not save.
        (500, 480, 22, None, Step.ROLLED_BACK, 1, 1, 1),
        (500, 480, 300, None, Step.ROLLED_BACK, 1, 1, 16),
        (500, 480, 20 * 50, None, Step.ROLLED_BACK, 1, 1, 30),
        (6, 5, 22, None, Step.ROLLED_BACK, 1, 1, 1),
        (500, 400, 30, None, Step.SET, 1, 1, 1),
        # More than there was time for.
        (10, 12, 20, None, Step.DOUBLED, 1, 1, 1),
        (10, 12, 28, None, Step.DOUBLED, 1, 1, 2),
        (10, 1010, 20, None, Step.JUMPED, 1, 1, 1),
        (10, 65_547, 20, None, Step.TORN, 1, 1, 1),
    ],
)
def test_a_step_of_the_counter_is_named_and_counted(
    last: int,
    new: int,
    elapsed_s: float,
    modulus: int | None,
    step: Step,
    closings: int,
    least: int,
    most: int,
) -> None:
    verdict = judge(last, new, STEADY.room(elapsed_s), modulus=modulus)

    assert verdict.step is step
    assert (verdict.closings, verdict.least, verdict.most) == (closings, least, most)


def test_a_counter_seen_alone_proves_no_closing_by_falling() -> None:
    verdict = judge(500, 480, STEADY.room(300), sure=False)

    assert (verdict.step, verdict.closings, verdict.least) == (Step.ROLLED_BACK, 0, 0)


def test_where_somebody_looked_until_just_now_a_reset_is_certain_after_any_stop() -> None:
    verdict = judge(500, 1, STEADY.room(3600, looked_s=1.0))

    assert (verdict.step, verdict.least, verdict.most) == (Step.RESET, 1, 1)


def test_a_counter_of_the_job_is_set_back_with_it_even_where_it_seems_to_rise() -> None:
    verdict = judge(30, 90, STEADY.room(20 * 150), per_job=True)

    assert (verdict.step, verdict.closings, verdict.least) == (Step.RESET, 90, 60)


def test_a_narrow_counter_may_go_round_more_than_once_in_a_day() -> None:
    pace = Pace([6.0] * 6)
    verdict = judge(500, 7_780, pace.room(86_400), modulus=10_000)

    assert (verdict.step, verdict.closings) == (Step.RISEN, 7_280)
    assert verdict.least <= 17_280 - 10_000
    assert verdict.most >= 17_280 - 10_000
