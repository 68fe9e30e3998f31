"""A counter's new value is told apart by width, value and the room that the clock leaves."""

import doctest

import pytest

import agent.counter
from agent.counter import Step, judge


def test_the_examples_in_the_module_are_true() -> None:
    assert doctest.testmod(agent.counter).failed == 0


@pytest.mark.parametrize(
    ("last", "new", "elapsed_s", "interval_s", "modulus", "step", "closings"),
    [
        (10, 10, 5, 20, None, Step.SAME, 0),
        (10, 11, 20, 20, None, Step.RISEN, 1),
        (10, 500, 3, 20, None, Step.RISEN, 490),
        (65_535, 0, 20, 20, 65_536, Step.WRAPPED, 1),
        (65_535, 0, 20, 20, None, Step.WRAPPED, 1),
        (9_999, 1, 40, 20, None, Step.WRAPPED, 2),
        (99_999, 3, 80, 20, None, Step.WRAPPED, 4),
        (2**32 - 1, 0, 20, 20, None, Step.WRAPPED, 1),
        (65_000, 300, 20 * 1000, 20, 65_536, Step.WRAPPED, 836),
        (500, 0, 30, 20, None, Step.RESET, 0),
        (500, 1, 30, 20, None, Step.RESET, 1),
        (500, 400, 20 * 600, 20, None, Step.RESET, 400),
        (500, 400, 30, 20, None, Step.ROLLED_BACK, 0),
        (500, 480, 30, 20, None, Step.ROLLED_BACK, 0),
        (500, 480, 30, None, None, Step.ROLLED_BACK, 0),
        (500, 480, 20 * 600, 20, None, Step.ROLLED_BACK, 0),
        (6, 5, 20, 20, None, Step.ROLLED_BACK, 0),
    ],
)
def test_a_step_of_the_counter_is_named(
    last: int,
    new: int,
    elapsed_s: float,
    interval_s: float | None,
    modulus: int | None,
    step: Step,
    closings: int,
) -> None:
    verdict = judge(last, new, elapsed_s=elapsed_s, interval_s=interval_s, modulus=modulus)

    assert (verdict.step, verdict.closings) == (step, closings)
