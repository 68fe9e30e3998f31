"""What a shot counter's new value says, given the last one: a pure judgement, one rule a case.

Counters rise by one a closing, until they don't: they are reset per job, wrap at their width, come
back from a power loss with the last saved value. The clock has a say: a counter can't have made
more shots than the time since the last one leaves room for.
"""

from dataclasses import dataclass
from enum import StrEnum

WIDTHS = (10_000, 65_536, 100_000, 10_000_000, 2**31, 2**32)
"""Moduli of common counters: four, five and seven decimals, 16, 31 and 32 bits."""

ROLLED_BACK_MOST = 50
"""A control that lost power comes back at most this much behind (molding practice: 1 to 50)."""

RESET_TO_MOST = 5
"""A counter this low was reset rather than rolled back, where the clock leaves room for it."""

ROOM_FACTOR = 1.25
"""Shots may come a quarter faster than usual before the clock contradicts the counter."""


class Step(StrEnum):
    """How a counter went from its last value to the new one."""

    SAME = "same"
    RISEN = "risen"
    WRAPPED = "wrapped"
    RESET = "reset"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What happened, and how many closings it proves."""

    step: Step
    closings: int
    """Since the last value. For a roll-back 0: what was repeated can't be told."""


def room(elapsed_s: float, interval_s: float | None) -> float:
    """How many closings can have happened in a time; infinite where the pace is not known.

    Args:
        elapsed_s: Time since the last closing.
        interval_s: Usual time from closing to closing, by our clock.
    """
    if not interval_s or interval_s <= 0:
        return float("inf")
    return int(ROOM_FACTOR * max(elapsed_s, 0.0) / interval_s) + 1


def judge(
    last: int, new: int, *, elapsed_s: float, interval_s: float | None, modulus: int | None
) -> Judgement:
    """Tell a wrap from a reset from a roll-back.

    Args:
        last: The counter before.
        new: The counter now.
        elapsed_s: Time between the two, by our clock.
        interval_s: Usual time from closing to closing; None where not yet known.
        modulus: What the counter counts modulo; None tries the common widths.

    >>> judge(65535, 2, elapsed_s=60, interval_s=20, modulus=65536)
    Judgement(step=<Step.WRAPPED: 'wrapped'>, closings=3)
    >>> judge(480, 1, elapsed_s=60, interval_s=20, modulus=None)
    Judgement(step=<Step.RESET: 'reset'>, closings=1)
    >>> judge(480, 462, elapsed_s=60, interval_s=20, modulus=None)
    Judgement(step=<Step.ROLLED_BACK: 'rolled_back'>, closings=0)
    """
    if new == last:
        return Judgement(Step.SAME, 0)
    if new > last:
        return Judgement(Step.RISEN, new - last)
    most = room(elapsed_s, interval_s)
    for width in (modulus,) if modulus else WIDTHS:
        # A width that is only guessed, or a pace that is not known, must be close to be believed.
        near = width // 2 if modulus and interval_s else max(10, width // 100)
        if last < width and width - last + new <= min(most, near):
            return Judgement(Step.WRAPPED, width - last + new)
    near_last = last - new <= ROLLED_BACK_MOST and new > RESET_TO_MOST
    if new <= most and not near_last:
        return Judgement(Step.RESET, new)
    return Judgement(Step.ROLLED_BACK, 0)
