"""How long a press stood before a shot, and whether that was a stop or an interruption.

A stop (a mode that is not automatic, or five minutes without a shot) is a state of the press. One
cycle that is stretched, or lost, within automatic running is an interruption.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.cycle import Booked

STOP_S = 270.0
"""Between the ends of two shots: what is nearly five minutes counts as them."""
STRETCHED = 1.7
"""Times the usual cycle: longer is no slow cycle any more."""
LEAST_S = 8.0
PACE_WEIGHT, PACE_OFF = 0.1, 1.5
"""How quickly the pace follows, and from which factor on a gap is no change of pace."""
AUTOMATIC, SEMI = "AUTOMATIC", "SEMI_AUTOMATIC"
MODES_STOPPED = ("MANUAL", "SETUP", "SLEEP", "OTHER")


@dataclass(slots=True)
class Stops:
    """Follows the shots of one machine."""

    at: datetime | None = None
    """End of the last shot."""
    counter: int = 0
    segment: int = 0
    mode: str | None = None
    left_automatic: bool = False
    """The machine said since then that it is in no automatic mode."""
    pace_s: float | None = None
    """From shot to shot by their stamps, while it runs; for presses that give no cycle time."""

    def stood_s(self, booked: Booked, usual_s: float) -> float | None:
        """How long the press stood between the last shot and this one; None for the first.

        Shots that nobody saw are taken as molded: the counter says how many there were.
        """
        if self.at is None:
            return None
        gap_s = (booked.cycle.time - self.at).total_seconds()
        return max(0.0, gap_s - self._shots(booked) * usual_s)

    def _shots(self, booked: Booked) -> int:
        counter = booked.cycle.counter
        same = booked.segment == self.segment and counter > self.counter
        return counter - self.counter if same else 1

    def lost_s(self, booked: Booked, usual_s: float) -> float | None:
        """How long a press stood that lost a cycle within automatic running; None where not."""
        cycle = booked.cycle
        lasted = cycle.values.get("cycle_time_s")
        own_s = max(usual_s, float(lasted) if isinstance(lasted, int | float) else 0.0)
        stood_s = self.stood_s(booked, own_s)
        if stood_s is None or not self._running_on(booked):
            return None
        long = stood_s > max(LEAST_S, (STRETCHED - 1) * usual_s)
        return stood_s if long and stood_s + own_s < STOP_S else None

    def _running_on(self, booked: Booked) -> bool:
        """Whether the press was in automatic mode from the last shot to this next one."""
        cycle = booked.cycle
        return (
            cycle.mode == AUTOMATIC
            and self.mode == AUTOMATIC
            and not self.left_automatic
            and booked.segment == self.segment
            and cycle.counter == self.counter + 1
        )

    def note(self, booked: Booked) -> None:
        """This was the last shot."""
        cycle = booked.cycle
        if self.at is not None:
            gap_s = (cycle.time - self.at).total_seconds() / self._shots(booked)
            if self.pace_s is None or gap_s < self.pace_s / PACE_OFF:
                self.pace_s = gap_s
            elif gap_s < self.pace_s * PACE_OFF:
                self.pace_s += PACE_WEIGHT * (gap_s - self.pace_s)
        self.at, self.counter, self.segment = cycle.time, cycle.counter, booked.segment
        self.mode, self.left_automatic = cycle.mode, False

    def save(self) -> list[Any]:
        """As JSON values."""
        at = self.at.isoformat() if self.at else None
        return [at, self.counter, self.segment, self.mode, self.left_automatic, self.pace_s]

    @classmethod
    def load(cls, kept: list[Any]) -> "Stops":
        """What `save` kept."""
        at, *rest = kept
        return cls(datetime.fromisoformat(at) if at else None, *rest)
