"""What a machine shows all the time, between shots too: temperatures, flows, and what else holds.

A cycle has them as they stood at its end. Here they are as a press warms up, stands and cools down.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from agent.cycle import Curve
from drivers import Frame
from drivers.observations import Column, Quality
from drivers.signals import Kind, signal_named

KEEP_S = 60.0
"""How often what has gathered is handed on: a kill costs no more."""

STRETCH_S = 600.0
"""Of one row of the record, at most."""

GAP = 3
"""So many samples missed end a stretch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Samples of one signal in their order; the same again, with more behind, replaces it."""

    machine: str
    signal: str
    curve: Curve


@dataclass(slots=True)
class _Gathered:
    """What a stretch is made of."""

    began: datetime
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    handed_on: int = 0


class SlowSamples:
    """Gathers a machine's levels out of its frames.

    Args:
        machine: Whose.
        every_s: From one sample to the next, at least; 0 gathers none.
    """

    def __init__(self, machine: str, every_s: float) -> None:
        self._machine = machine
        self._every = timedelta(seconds=every_s)
        self._columns: tuple[Column, ...] = ()
        self._levels: list[tuple[int, str]] = []
        self._resolutions: dict[str, float | None] = {}
        self._gathered: dict[str, _Gathered] = {}
        self._sampled_at: datetime | None = None
        self._kept_at: datetime | None = None

    def take(self, frame: Frame) -> list[Stretch]:
        """Take a frame; what is to be written now: mostly nothing."""
        at = frame.received_at
        if not self._every:
            return []
        before = self._sampled_at
        if before is not None and timedelta() <= at - before < self._every:
            return []
        done: list[Stretch] = []
        if before is not None and not timedelta() <= at - before < GAP * self._every:
            done = self._end()  # nobody looked meanwhile, or our clock was set
        self._sampled_at = at
        self._kept_at = self._kept_at or at
        if frame.columns is not self._columns:
            self._know(frame.columns)
        for index, name in self._levels:
            value = frame.values[index]
            if frame.qualities[index] is Quality.GOOD and isinstance(value, float | int):
                one = self._gathered.setdefault(name, _Gathered(at))
                one.times.append((at - one.began).total_seconds())
                one.values.append(float(value))
        if at - self._kept_at < timedelta(seconds=KEEP_S):
            return done
        self._kept_at = at
        done += self._new()
        for name, one in list(self._gathered.items()):
            if at - one.began >= timedelta(seconds=STRETCH_S):
                del self._gathered[name]
        return done

    def _end(self) -> list[Stretch]:
        done = self._new()
        self._gathered.clear()
        self._kept_at = None
        return done

    def _new(self) -> list[Stretch]:
        """Those that have grown."""
        found = []
        for name, one in self._gathered.items():
            if len(one.values) > one.handed_on:
                one.handed_on = len(one.values)
                curve = Curve(
                    started_at=one.began,
                    t_s=np.array(one.times),
                    values=np.array(one.values),
                    resolution=self._resolutions[name],
                )
                found.append(Stretch(machine=self._machine, signal=name, curve=curve))
        return found

    def _know(self, columns: tuple[Column, ...]) -> None:
        self._columns = columns
        self._levels = []
        for index, column in enumerate(columns):
            known = signal_named(column.signal)
            if known is not None and known.kind is Kind.LEVEL:
                self._levels.append((index, column.signal))
                self._resolutions[column.signal] = column.resolution
