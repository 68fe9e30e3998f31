"""Control charts as small exact objects: one value in, whether it signals out.

Values are deviations from the centre, in whatever unit the limits are in (for the tables: standard
deviations). A chart does not reset itself after a signal; its owner decides what a signal means.

Source:
    Shewhart (1931); Roberts (1959) for the EWMA; Page (1954) for the CUSUM; Lucas and Crosier
    (1982) for its fast initial response. Run lengths are held to the tables by
    `tests/agent/watch/test_charts.py`.
"""

import math


class Shewhart:
    """Signals when `of` values in a row lie beyond the limit, all on one side.

    Args:
        limit: Distance from the centre.
        of: How many in a row; 1 is the plain chart.
    """

    __slots__ = ("limit", "of", "run")

    def __init__(self, limit: float, of: int = 1) -> None:
        self.limit = limit
        self.of = of
        self.run = 0
        """Values in a row beyond the limit; negative for those below."""

    def take(self, value: float) -> bool:
        """Whether this value completes a run."""
        if value > self.limit:
            self.run = self.run + 1 if self.run > 0 else 1
            return self.run >= self.of
        if value < -self.limit:
            self.run = self.run - 1 if self.run < 0 else -1
            return -self.run >= self.of
        self.run = 0
        return False


class Ewma:
    """Signals when the exponentially weighted mean lies beyond the limit.

    Args:
        weight: Of the newest value, above 0 and at most 1.
        limit: Distance of the mean from the centre; `steady_limit` makes one from sigmas.
    """

    __slots__ = ("limit", "value", "weight")

    def __init__(self, weight: float, limit: float) -> None:
        self.weight = weight
        self.limit = limit
        self.value = 0.0

    def take(self, value: float) -> bool:
        """Whether the mean lies beyond the limit with this value."""
        mean = self.value = self.value + self.weight * (value - self.value)
        return mean > self.limit or mean < -self.limit


def steady_limit(weight: float, sigmas: float) -> float:
    """Limit of an EWMA of independent values of unit variance, long after its start."""
    return sigmas * math.sqrt(weight / (2 - weight))


class Cusum:
    """Signals when the sum of what exceeds the slack, on one side, is above the limit.

    Args:
        slack: What is taken off each value (k).
        limit: Of the sums (h).
        head_start: Where both sums begin; half the limit is the fast initial response.
    """

    __slots__ = ("above", "below", "limit", "slack")

    def __init__(self, slack: float, limit: float, head_start: float = 0.0) -> None:
        self.slack = slack
        self.limit = limit
        self.above = head_start
        self.below = head_start

    def take(self, value: float) -> bool:
        """Whether a sum is above the limit with this value."""
        above, below = self.above + value - self.slack, self.below - value - self.slack
        self.above = above if above > 0.0 else 0.0
        self.below = below if below > 0.0 else 0.0
        return self.above > self.limit or self.below > self.limit

    def restart(self, head_start: float = 0.0) -> None:
        """Begin anew."""
        self.above = self.below = head_start
