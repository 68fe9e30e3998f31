"""A single shot that cooled too short: the mold was opened before its time.

Unlike a timer that was changed it does not stay, so that the next shot tells; or the machine does,
by calling the shot a failed one.
"""

from collections.abc import Mapping
from typing import Any

from agent.anomaly import Anomaly
from agent.cycle import Booked
from agent.watch.baseline import Baseline
from agent.watch.channel import Channel
from agent.watch.derived import COOLING, with_cooling
from agent.watch.telling import cut
from drivers import Value

CUT_SHARE, CUT_S = 0.15, 1.0
"""How much shorter a single cooling time is that was cut."""


class Cuts:
    """Follows the cooling times of one machine."""

    def __init__(self) -> None:
        self.low: list[Any] | None = None
        """Counter and cooling time of the last shot, where it was too short."""

    def failed(self, booked: Booked, baseline: Baseline) -> list[Anomaly]:
        """A shot that the machine does not count as good: told at once."""
        cooling = baseline.channels.get(COOLING)
        value = with_cooling(booked.cycle.values, baseline).get(COOLING)
        if cooling is None or not cooling.ready:
            return []
        if not isinstance(value, int | float) or not _is_cut(float(value), cooling):
            return []
        return [cut(booked, booked.cycle.counter, float(value), cooling.centre)]

    def take(
        self, booked: Booked, baseline: Baseline, values: Mapping[str, Value]
    ) -> list[Anomaly]:
        """A good shot: a low one is told when the next one is as ever, as a timer would stay."""
        cooling = baseline.channels.get(COOLING)
        if cooling is None or not cooling.ready or COOLING not in values:
            return []
        low, self.low = self.low, None
        if _is_cut(cooling.last, cooling) and not cooling.frozen:
            if low is None and abs(cooling.single.run) == 1:
                self.low = [booked.cycle.counter, cooling.last]
            return []
        if low is None or abs(cooling.last - cooling.centre) > cooling.single.limit:
            return []
        return [cut(booked, low[0], low[1], cooling.centre)]


def _is_cut(value: float, cooling: Channel) -> bool:
    return value < cooling.centre - max(CUT_S, CUT_SHARE * cooling.centre, cooling.single.limit)
