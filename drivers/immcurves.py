"""Curves that a machine of OPC 40077 keeps of its last shot, in arrays of its maker's own.

The standard has none; a maker adds an object to the machine, and a person says what is in it.
"""

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from drivers.browsing import Branch, grow
from drivers.checked import Checked
from drivers.curvearrays import CurveArrays, CurveMap
from drivers.errors import RefusedError
from drivers.immview import FROM_MS, address_of
from drivers.mappednode import MappedNode
from drivers.scaling import IDENTITY, Scaling
from drivers.session import Session
from drivers.signals import SIGNALS, Kind


class CurveArraysAt(Checked):
    """Where a machine shows the curves of its last shot, by paths from the machine."""

    at: str = ""
    """The object that they are in; empty for the machine itself."""
    counter: str = "JobCycleCounter"
    """The number of the shot that they are of, by the counter of that name in the cycle event."""
    interval: str | None = None
    """A variable: ms from one sample to the next."""
    interval_ms: Annotated[float | None, Field(gt=0)] = None
    """Where no variable says it."""
    signals: dict[str, str] = Field(min_length=1)
    """The arrays, and which curve each is."""

    @field_validator("signals")
    @classmethod
    def _known(cls, signals: dict[str, str]) -> dict[str, str]:
        known = [name for name, signal in SIGNALS.items() if signal.kind is Kind.CURVE]
        for signal in signals.values():
            if signal not in known or list(signals.values()).count(signal) > 1:
                raise ValueError(f"should give each array another one of {', '.join(known)}")
        return signals

    @model_validator(mode="after")
    def _sound(self) -> "CurveArraysAt":
        if (self.interval is None) == (self.interval_ms is None):
            raise ValueError("should have either 'interval' or 'interval_ms'")
        if self.counter.rpartition("/")[2] not in ("JobCycleCounter", "MachineCycleCounter"):
            raise ValueError("'counter' should end in JobCycleCounter or MachineCycleCounter")
        return self


async def find_curves(
    session: Session, root: Branch, where: CurveArraysAt | None
) -> tuple[str, CurveArrays] | None:
    """The arrays of the configuration, and which counter they are numbered by.

    Raises:
        RefusedError: the machine has no such variable.
    """
    if where is None:
        return None
    above = [step for step in where.at.split("/") if step]
    deepest = max(path.count("/") for path in (where.counter, *where.signals)) + 1
    if above and (branch := root.parts.get(above[0])) is not None:
        await grow(session, [branch], len(above) + deepest)

    def node(path: str, signal: str, scaling: Scaling = IDENTITY) -> MappedNode:
        steps = [*above, *path.split("/")]
        found, text = root.at(*steps), "/".join(steps)
        if found is None:
            raise RefusedError(session.machine, f"curves: the machine has no variable {text}")
        return MappedNode(signal=signal, address=address_of(session, found, text), scaling=scaling)

    interval = node(where.interval, "curve_interval_s", FROM_MS) if where.interval else None
    curves = CurveMap(
        counter=node(where.counter, "counter"),
        nodes=tuple(node(path, signal) for path, signal in where.signals.items()),
        interval=interval,
        interval_s=(where.interval_ms or 0.0) / 1000,
    )
    arrays = CurveArrays(session, curves)
    await arrays.find()
    return where.counter.rpartition("/")[2], arrays
