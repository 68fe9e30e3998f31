"""A machine that answers and shows nothing new, where something would have to move.

A gateway or a server whose link to the control is dead goes on answering with the last values that
it had. Nothing in one answer tells that, and a press that waits for a door looks much the same. But
in automatic, fill, hold and cooling end by themselves, and what is measured flickers: where neither
has moved for three cycles, we see a picture and no press.
"""

from datetime import datetime

from drivers import Column, Frame, Link, Observation, Report, Value
from drivers.errors import StaleError
from drivers.signals import Kind, signal_named

TIMED = frozenset({"fill", "hold", "cool"})
"""Phases that end by themselves, whatever people and robots do."""

CYCLES = 3

LEAST_FRAMES = 3
"""That show the same, so that rare polls prove it, too."""

FLICKERS = 10.0
"""So many changes of measured values would have been due by their usual rate: that none came by
chance has a probability of e^-10."""


class Standstill:
    """Watches one machine's observations; has no clock of its own."""

    def __init__(self) -> None:
        self._columns: tuple[Column, ...] = ()
        self._forget()

    def _forget(self) -> None:
        self._began: datetime | None = None
        self._since: datetime | None = None
        self._values: tuple[Value | None, ...] = ()
        self._frames = self._flickers = 0

    def take(self, observation: Observation, usual_s: float | None) -> Observation:
        """Pass an observation on, or say that the machine can't be seen.

        Args:
            observation: Whatever came.
            usual_s: From the end of one shot to the next, as a rule; None where not known yet.

        Returns:
            The same, or a `Link` down since something last moved.
        """
        if isinstance(observation, Link):
            self._forget()
        elif isinstance(observation, Report):
            self._since = observation.received_at
        if not isinstance(observation, Frame):
            return observation
        at = observation.received_at
        if observation.columns is not self._columns:
            self._columns = observation.columns
            self._measured = [n for n, c in enumerate(observation.columns) if _measured(c.signal)]
            self._forget()
        if observation.values != self._values or self._since is None or self._began is None:
            if self._began is None:
                self._began = at
            elif any(self._values[n] != observation.values[n] for n in self._measured):
                self._flickers += 1
            self._values, self._frames, self._since = observation.values, 1, at
            return observation
        self._frames += 1
        stood_s = (at - self._since).total_seconds()
        if usual_s is None or self._frames < LEAST_FRAMES or stood_s < CYCLES * usual_s:
            return observation
        watched_s = (self._since - self._began).total_seconds()
        if self._flickers * stood_s < FLICKERS * watched_s or not self._flickers:
            return observation
        phase = observation.value("phase")
        if observation.value("mode") != "AUTOMATIC" or phase not in TIMED:
            return observation
        why = f"it answers, but has shown the same values, and phase {phase!r}, for three cycles"
        return Link(
            machine=observation.machine, up=False, at=self._since, cause=StaleError.cause, why=why
        )


def _measured(name: str) -> bool:
    signal = signal_named(name)
    return (
        signal is not None and signal.kind in (Kind.LEVEL, Kind.CURVE) and "_set" not in signal.name
    )
