"""The shot that runs on one machine, as its page draws it: phases and samples since it began.

It begins with filling, as the curves of golden shots do; where a machine tells no phase, with the
step of its counter. Only what a page draws is in it, and no more of it than a page can draw.
"""

from array import array
from collections.abc import Mapping
from datetime import datetime

from drivers import Frame, Value

DRAWN = (
    "injection_pressure_bar", "cavity_pressure_bar", "mold_temp_c", "coolant_out_c",
    "screw_position_mm",
)  # fmt: skip
"""Signals of a frame that are drawn, in this order."""

SAMPLES_MOST = 8000
"""Of one shot; a press that stands in the middle of one is not drawn on and on."""

BEGINS = "fill"


class ShotNow:
    """Keeps the samples of one machine's running shot."""

    def __init__(self) -> None:
        self.number = 0
        """Of shots since the agent started: another number is another shot."""
        self.began_at: datetime | None = None
        self.names: tuple[str, ...] = ()
        """Signals, in the order of a row."""
        self.rows = array("f")
        """Seconds since it began, then a value by name; NaN where there was none. Flat."""
        self.phases: list[tuple[str, float]] = []
        """Each phase with the seconds at which it began."""
        self._columns: object = None
        self._places: list[int] = []
        self._counter: Value | None = None
        self._counter_at: int | None = None

    @property
    def width(self) -> int:
        """Numbers of one sample: its time, and the signals."""
        return len(self.names) + 1

    @property
    def count(self) -> int:
        """Samples so far."""
        return len(self.rows) // self.width

    def take(self, frame: Frame, states: Mapping[str, Value]) -> bool:
        """Take one frame in; whether there is anything new to draw.

        Args:
            frame: As it was read.
            states: The newest word of every state signal.
        """
        if frame.columns is not self._columns:
            self._read_table(frame)
        phase, at = states.get("phase"), frame.received_at
        if self._begins(frame, phase):
            self._begin(at)
        if self.began_at is None:
            return False
        t_s = (at - self.began_at).total_seconds()
        if isinstance(phase, str) and (not self.phases or self.phases[-1][0] != phase):
            self.phases.append((phase, t_s))
        if self.count < SAMPLES_MOST:
            self.rows.append(t_s)
            for place in self._places:
                value = frame.values[place]
                number = value.__class__ is float or value.__class__ is int
                self.rows.append(value if number else float("nan"))  # type: ignore[arg-type]
        return True

    def lost(self) -> None:
        """The machine is not seen any more: what comes after is another shot, or a part of one."""
        self.began_at = None
        self._counter = None

    def _read_table(self, frame: Frame) -> None:
        self._columns = frame.columns
        signals = [column.signal for column in frame.columns]
        self.names = tuple(name for name in DRAWN if name in signals)
        self._places = [signals.index(name) for name in self.names]
        self._counter_at = signals.index("counter") if "counter" in signals else None
        self.lost()

    def _begins(self, frame: Frame, phase: Value | None) -> bool:
        before, self._counter = self._counter, None
        if self._counter_at is not None:
            self._counter = frame.values[self._counter_at]
        if isinstance(phase, str):
            inside = self.began_at is not None and self.phases[-1:] and self.phases[-1][0] == BEGINS
            return phase == BEGINS and not inside
        return before is not None and self._counter is not None and before != self._counter

    def _begin(self, at: datetime) -> None:
        self.number += 1
        self.began_at = at
        self.rows = array("f")
        self.phases = []
