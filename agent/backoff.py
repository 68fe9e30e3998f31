"""How long to wait before trying a machine, or a sink, again."""

import random
from collections.abc import Iterator

FIRST_S = 0.5
MOST_S = 3.0
"""Fresh data within five seconds of the end of an outage: the rest is for connecting."""


def backoff(
    rng: random.Random | None = None, *, first_s: float = FIRST_S, most_s: float = MOST_S
) -> Iterator[float]:
    """Waits in seconds, for ever: doubling up to a cap, with jitter so that many spread out.

    >>> waits = backoff(random.Random(1))
    >>> all(0.4 <= next(waits) <= 3.0 for _ in range(20))
    True
    """
    rng = rng or random.Random()
    wait_s = first_s
    while True:
        yield wait_s * rng.uniform(0.8, 1.0)
        wait_s = min(most_s, wait_s * 2)
