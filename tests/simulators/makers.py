"""Presses and molds for the tests of the simulators."""

from typing import Any

from simulators.clock import Clock
from simulators.mold import Job, Mold
from simulators.press import Press
from simulators.setup import Setup

MOLD = Mold(id="A-2188", part="Sensor cap", cavities=2, resin="ABS", expected_cycle_s=24.0)
JOB = Job(name="J-4711", parts=5000, lot="L-1")


def a_press(*, speed: float | None = None, seed: int = 1, **setup: Any) -> Press:
    """A press that molds by hand, unless it is given a speed."""
    given: dict[str, Any] = {"name": "IMM-01", "mold": MOLD, "job": JOB} | setup
    return Press(Setup(**given), Clock(speed), seed)
