"""Quiet is the first virtue: what is no fault is not told."""

from dataclasses import replace

import pytest

from agent.anomaly import Anomaly
from agent.watch import Watch
from tests.agent.watch.streams import SIGNALS, Press, watched

CYCLES = 2500


@pytest.mark.parametrize("tails", [0, 4])
@pytest.mark.parametrize("seed", range(2))
def test_a_mold_as_it_should_be_is_silent(seed: int, tails: int) -> None:
    press, watch = Press(seed + 50, tails=tails), Watch("IMM-01")
    found: list[Anomaly] = []
    for _ in range(CYCLES):
        if press.random.random() < 1 / 300:
            press.stand(press.random.choice((300, 1800, 18000)))
        if press.random.random() < 1 / 800:
            press.mold = press.random.choice(("M-1", "M-2"))
            press.stand(2400)
        found += watch.take(press.shot())

    assert found == []


@pytest.mark.parametrize("mode", [None, "AUTOMATIC"])
@pytest.mark.parametrize("minutes", [5, 30, 300])
def test_a_stop_raises_nothing(minutes: int, mode: str | None) -> None:
    press, watch = Press(minutes, mode=mode), Watch("IMM-01")
    watched(press, watch, 200)
    press.stand(60 * minutes - 24)

    assert watched(press, watch, 150) == []


def test_another_mold_resin_or_revision_is_another_baseline() -> None:
    press, watch = Press(9), Watch("IMM-01")
    found = []
    for n in range(12):
        if n % 2:
            press.mold, press.resin, press.revision = "M-1", "PP", "A"
        else:
            press.mold, press.resin, press.revision = ("M-2", "ABS", chr(65 + n // 2))
        scale = 1.0 if n % 2 else 1.1 + n / 50
        press.levels = {name: SIGNALS[name][0] * scale for name in press.shows}
        press.stand(2400)
        found += watched(press, watch, 100)

    assert found == []


def test_single_wild_values_are_not_told() -> None:
    press, watch = Press(11), Watch("IMM-01")
    watched(press, watch, 150)
    for n in range(800):
        booked = press.shot()
        if n % 23 == 0:
            name = press.random.choice([s for s in press.shows if s != "cycle_time_s"])
            wild = {**booked.cycle.values, name: SIGNALS[name][0] * 1.3}
            booked = replace(booked, cycle=replace(booked.cycle, values=wild))
        assert [a for a in watch.take(booked) if a.cause != "cut_short"] == []
