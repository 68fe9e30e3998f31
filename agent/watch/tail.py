"""How far the rare good values of a signal reach: where a normal distribution says nothing.

Source:
    Peaks over a threshold (Pickands 1975), with an exponential tail: its mean excess says how much
    further one has to go for values to be so many times rarer.
"""

import math

SEEN = 3
"""Values beyond the threshold from which they say something."""


class Tail:
    """The good values of one signal that lay beyond a threshold."""

    __slots__ = ("excess", "n")

    def __init__(self, n: int = 0, excess: float = 0.0) -> None:
        self.n = n
        self.excess = excess
        """Sum of how far each lay beyond."""

    def take(self, excess: float) -> None:
        """One more lay that far beyond the threshold."""
        self.n += 1
        self.excess += excess

    def reach(self, of: int, rare: float) -> float:
        """How far beyond the threshold only that share of values lies.

        Args:
            of: All good values, those within the threshold too.
            rare: Share of them.
        """
        share = self.n / max(1, of)
        if self.n < SEEN or share <= rare:
            return 0.0
        return self.excess / self.n * math.log(share / rare)
