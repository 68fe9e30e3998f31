"""Instants at which sampled signals changed, and the lengths between them.

A change is seen at the first frame that shows it, so it happened up to one sampling interval
earlier; a length between two changes is uncertain by the larger of the two intervals, both ways.
"""

from collections.abc import Mapping
from datetime import datetime

from drivers import Value
from drivers.settings import EDGE


class Edges:
    """Phases of the running cycle, and one configured stretch (the cooling time).

    Args:
        stretch: From and to, each `signal=value`; None where none is configured.
    """

    def __init__(self, stretch: tuple[str, str] | None = None) -> None:
        self._ends = [_parsed(edge) for edge in stretch or ()]
        self.reset()

    def reset(self) -> None:
        """Forget the running cycle: the signals were not watched."""
        self.phases: dict[str, tuple[float, float]] = {}
        """Length and uncertainty of each phase that began and ended in this cycle, s."""
        self.length: tuple[float, float] | None = None
        """Length and uncertainty of the configured stretch, s; None until both ends were seen."""
        self._phase: tuple[str, datetime, float] | None = None
        self._was: list[bool | None] = [None] * len(self._ends)
        self._from: tuple[datetime, float] | None = None

    def next_cycle(self) -> None:
        """A cycle ended; a stretch that runs across goes on."""
        self.phases = {}
        self.length = None

    def take(self, states: Mapping[str, Value], at: datetime, interval_s: float) -> None:
        """Look at one frame's states; `interval_s` since the frame before, 0 if there is none."""
        self._take_phase(states, at, interval_s)
        for end, (signal, wanted) in enumerate(self._ends):
            value = states.get(signal)
            now = _same(value, wanted)
            risen = now and self._was[end] is False and interval_s > 0
            self._was[end] = now
            if risen:
                self._take_end(end, at, interval_s)

    def _take_end(self, end: int, at: datetime, interval_s: float) -> None:
        if end == 0:
            self._from = (at, interval_s)
        elif self._from is not None:
            since, before_s = self._from
            self.length = (_seconds(since, at), max(before_s, interval_s))
            self._from = None

    def _take_phase(self, states: Mapping[str, Value], at: datetime, interval_s: float) -> None:
        phase = states.get("phase")
        if phase is None or (self._phase and phase == self._phase[0]):
            return
        if self._phase and self._phase[2] > 0:
            name, since, before_s = self._phase
            self.phases[name] = (_seconds(since, at), max(before_s, interval_s))
        self._phase = (str(phase), at, interval_s)


def _seconds(since: datetime, until: datetime) -> float:
    return round((until - since).total_seconds(), 3)


def _parsed(edge: str) -> tuple[str, str]:
    match = EDGE.match(edge)
    if match is None:
        raise ValueError(f"not an edge: {edge!r}")
    return match["signal"], match["value"]


def _same(value: Value | None, wanted: str) -> bool:
    """Whether a reading is the configured word; 1, 1.0 and true are one.

    >>> _same(True, "1"), _same(1.0, "1"), _same("cool", "cool"), _same(None, "0")
    (True, True, True, False)
    """
    if value is None:
        return False
    if isinstance(value, bool | int | float):
        try:
            return float(value) == float({"true": "1", "false": "0"}.get(wanted.lower(), wanted))
        except ValueError:
            return False
    return value == wanted
