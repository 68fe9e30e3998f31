"""Ticks: on a grid, without drift, without overlap, and missed ones are counted."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.polling import SLOTS, Ticks, slot_of

PERIODS = st.floats(min_value=0.01, max_value=3600)
CLOCKS = st.floats(min_value=0, max_value=1e7)


def ticked(ticks: Ticks, now: float, polls: int, poll_s: float) -> list[float]:
    """The instants of some ticks, each followed by a poll that takes its time."""
    at = []
    for _ in range(polls):
        now += ticks.wait_s(now)
        at.append(now)
        now += poll_s
    return at


def test_the_first_tick_comes_at_once() -> None:
    assert Ticks("IMM-07", 10.0).wait_s(123.4) == 0.0


@given(PERIODS, CLOCKS)
def test_the_second_comes_between_half_a_period_and_one_and_a_half_later(
    period_s: float, now: float
) -> None:
    first, second = ticked(Ticks("IMM-07", period_s), now, 2, 0.0)

    assert 0.499 * period_s - 1e-6 <= second - first <= 1.501 * period_s + 1e-6


def test_ticks_do_not_drift_with_the_length_of_polls() -> None:
    ticks = Ticks("IMM-07", 0.1)

    at = ticked(ticks, 1000.0, 10_001, 0.03)

    assert at[-1] - at[1] == pytest.approx(0.1 * 9_999, abs=1e-6)
    assert ticks.missed == 0


def test_machines_of_one_slot_tick_together_whenever_they_began() -> None:
    twin = next(name for n in range(99) if slot_of(name := f"Press {n}") == slot_of("IMM-07"))

    first = ticked(Ticks("IMM-07", 1.0), 50.2, 5, 0.01)
    second = ticked(Ticks(twin, 1.0), 50.9, 5, 0.2)

    assert second[2] == pytest.approx(first[3])


def test_machines_spread_over_the_slots() -> None:
    taken = {slot_of(f"IMM-{number:02}") for number in range(1, 201)}

    assert taken == set(range(SLOTS))


def test_a_tick_that_is_a_little_late_is_taken_late_and_the_grid_stays() -> None:
    ticks = Ticks("IMM-07", 1.0)  # slot 0: at whole seconds
    ticked(ticks, 10.0, 2, 0.0)

    assert ticks.wait_s(12.4) == 0.0
    assert ticks.wait_s(12.5) == 0.5
    assert ticks.missed == 0


def test_ticks_that_passed_during_a_long_poll_are_missed_and_counted() -> None:
    ticks = Ticks("IMM-07", 1.0)
    ticked(ticks, 10.0, 2, 0.0)  # at 10 and 11

    assert ticks.wait_s(15.7) == pytest.approx(0.3)  # 12, 13, 14 and 15 are gone
    assert ticks.missed == 4


async def test_ticks_come_in_real_time() -> None:
    ticks = Ticks("IMM-07", 0.02)
    loop = asyncio.get_running_loop()

    await ticks.next()
    await ticks.next()
    start = loop.time()
    for _ in range(5):
        await ticks.next()

    assert loop.time() - start > 0.02 * 4.4
