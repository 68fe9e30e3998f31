"""Curves are held against golden ones phase by phase, and only when a person has approved them."""

import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from agent.anomaly import Anomaly
from agent.cycle import Booked, Curve, Cycle
from agent.watch import Watch
from agent.watch.shapes import chosen_curves
from simulators.clock import Clock
from simulators.mold import Job, Mold
from simulators.press import Press
from simulators.setup import Setup
from tests.agent.watch.streams import START

T = TypeVar("T")
NAMES = ("injection_pressure_bar", "cavity_pressure_bar", "screw_position_mm")

Bend = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""Seconds since the closing began, and values, to other values."""


def done(work: Coroutine[Any, Any, T]) -> T:
    """What a press by hand comes to, which waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("it waits")


def press() -> Press:
    mold = Mold(id="M-1", resin="ABS", expected_cycle_s=24)
    return Press(Setup(name="IMM-01", mold=mold, job=Job(name="J")), Clock(None), 5)


def shot(of: Press, bend: Bend | None = None) -> Booked:
    """The next shot with its curves, at 20 samples a second."""
    made = done(of.mold())
    ends = START + timedelta(seconds=made.at_s)
    began = ends - timedelta(seconds=made.values["cycle_time_s"])
    curves = of.last_curves
    assert curves is not None
    t_s: NDArray[np.float64] = 0.01 * np.arange(0, curves.count, 5, dtype=np.float64)
    found = {}
    for name in NAMES:
        values = np.asarray(getattr(curves, name), dtype=np.float64)[::5]
        if bend is not None and name == "cavity_pressure_bar":
            values = bend(t_s, values)
        found[name] = Curve(started_at=began, t_s=t_s, values=values)
    cycle = Cycle(
        machine="IMM-01", counter=made.counter, time=ends, received_at=ends, mode="AUTOMATIC",
        mold="M-1", values=made.values, curves=found,
    )  # fmt: skip
    return Booked(cycle=cycle, segment=1, mold="M-1", revision="A")


def dent(t_s: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cavity pressure that gives way for 0.8 s in holding, as of a check ring that slips."""
    return np.where((t_s > 5.0) & (t_s < 5.8), 0.7 * values, values)


def walk(watch: Watch, of: Press, shots: int, bend: Bend | None = None) -> list[Anomaly]:
    return [anomaly for _ in range(shots) for anomaly in watch.take(shot(of, bend))]


def test_a_curve_that_leaves_its_golden_one_is_told_in_words_and_closed_when_it_is_back() -> None:
    of, watch = press(), Watch("IMM-01")
    assert walk(watch, of, 120) == []
    watch.approve("Meyer", START)
    assert walk(watch, of, 100) == []

    (found,) = walk(watch, of, 20, dent)
    (closed,) = walk(watch, of, 20)

    assert (found.kind, found.cause) == ("process", "curve_off_golden")
    assert found.signal == "cavity_pressure_bar"
    assert "into holding" in found.message
    assert "below" in found.message
    assert found.counter is not None
    assert found.since_counter == found.counter - 2
    assert (closed.id, closed.is_open) == (found.id, False)


def test_curves_that_nobody_approved_are_not_judged() -> None:
    of, watch = press(), Watch("IMM-01")

    assert walk(watch, of, 120) == []
    assert walk(watch, of, 30, dent) == []


def test_what_a_longer_hold_does_to_curves_follows_from_it() -> None:
    of, watch = press(), Watch("IMM-01")
    walk(watch, of, 120)
    watch.approve("Meyer", START)

    done(of.set_point("hold_time_set_s", of.program.hold_time_set_s + 0.3))
    found = walk(watch, of, 30)

    (root,) = [a for a in found if a.cause == "hold_time_changed"]
    assert {a.follows for a in found if a is not root} <= {root.id}
    assert "injection_pressure_bar" not in {a.signal for a in found}


def test_a_curve_of_few_samples_shows_no_shape() -> None:
    of, watch = press(), Watch("IMM-01")
    for _ in range(60):
        booked = shot(of)
        sparse = {
            name: replace(curve, t_s=curve.t_s[::40], values=curve.values[::40])
            for name, curve in booked.cycle.curves.items()
        }
        watch.take(replace(booked, cycle=replace(booked.cycle, curves=sparse)))

    assert watch.baseline is not None
    assert watch.baseline.shapes.envelopes == {}


def test_golden_curves_survive_a_restart() -> None:
    of, watch = press(), Watch("IMM-01")
    walk(watch, of, 120)
    watch.approve("Meyer", START)
    again = Watch("IMM-01")
    again.load(json.loads(json.dumps(watch.save(), allow_nan=False)))

    shots = [shot(of, dent) for _ in range(6)]
    straight = [anomaly for booked in shots for anomaly in watch.take(booked)]

    assert straight
    assert [anomaly for booked in shots for anomaly in again.take(booked)] == straight


def test_a_golden_curve_is_that_of_the_chosen_shots_where_a_person_chose_some() -> None:
    of, watch = press(), Watch("IMM-01")
    walk(watch, of, 120)
    chosen = chosen_curves(shot(of, dent).cycle for _ in range(6))
    kept = json.loads(json.dumps({name: each.save() for name, each in chosen.items()}))
    watch.approve("Meyer", START, {}, kept)

    as_chosen = walk(watch, of, 20, dent)
    (found,) = walk(watch, of, 20)

    assert set(chosen) == set(NAMES)
    assert as_chosen == []
    assert (found.cause, found.signal) == ("curve_off_golden", "cavity_pressure_bar")
    assert "above" in found.message


def test_four_chosen_shots_are_no_golden_curve() -> None:
    of = press()

    assert chosen_curves(shot(of).cycle for _ in range(4)) == {}
