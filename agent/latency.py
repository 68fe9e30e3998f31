"""How long it took, counted by size: what a Prometheus histogram is made of."""

from bisect import bisect_left

BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds; what is promised (100 ms and a poll period) lies between many of them."""


class Latency:
    """Counts durations; what it costs is a search among thirteen numbers."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        """By bound; the last one is of what took longer than all."""
        self.sum_s = 0.0

    def take(self, seconds: float) -> None:
        """Count one; a clock that was set back makes none shorter than nothing."""
        spent = max(0.0, seconds)
        self.counts[bisect_left(BOUNDS_S, spent)] += 1
        self.sum_s += spent
