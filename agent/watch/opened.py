"""The anomalies of one mold on one machine that are open, and when each is over."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self

from agent.anomaly import Anomaly
from agent.watch.consequences import CONSEQUENCES, NOTHING, Consequences

CALM_SLOW, CALM_TIMES, CALM_NOW_AND_THEN = 10, 5, 25
"""Cycles in a row as ever that end an anomaly; what comes now and then needs the longest."""


@dataclass(slots=True)
class Opened:
    """One open anomaly."""

    anomaly: Anomaly

    @property
    def what(self) -> tuple[str, str]:
        """Kind and cause."""
        return self.anomaly.kind, self.anomaly.cause

    @property
    def curve(self) -> str | None:
        """The signal whose curve it is about; None where it is about a number."""
        return self.anomaly.signal if self.anomaly.cause == "curve_off_golden" else None

    @property
    def together(self) -> bool:
        """Whether only all signals together show it."""
        return "t2" in self.anomaly.evidence

    @property
    def consequences(self) -> Consequences:
        """What it explains; a second opinion nothing."""
        if self.together:
            return NOTHING
        return CONSEQUENCES.get(self.what, NOTHING)

    @property
    def calm_cycles(self) -> int:
        """How many calm cycles end it; 0 where only a step back, or what told it, does."""
        if self.consequences.steps or self.curve is not None or self.together:
            return 0
        if self.anomaly.kind == "cycle_time":
            return CALM_NOW_AND_THEN
        return CALM_TIMES if self.anomaly.kind == "cooling_time" else CALM_SLOW

    def closed(self, at: datetime, counter: int | None) -> Anomaly:
        """The anomaly as it stands when it is over."""
        return replace(self.anomaly, closed_at=at, until_counter=counter)

    def to_json(self) -> dict[str, Any]:
        """As JSON values; `from_json` takes it."""
        kept = asdict(self.anomaly)
        kept["time"] = self.anomaly.time.isoformat()
        kept["evidence"] = dict(self.anomaly.evidence)
        return kept

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        return cls(Anomaly(**{**kept, "time": datetime.fromisoformat(kept["time"])}))
