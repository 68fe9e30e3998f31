"""How often somebody may try to log in: a few times at once, then one try every so often."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

REMEMBERED = 20_000
"""Names and addresses; who floods us with more is slowed down by their address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """So many at once, then one in `period_s`."""

    burst: int
    period_s: float


NAME = Pace(burst=5, period_s=60.0)
ADDRESS = Pace(burst=20, period_s=15.0)


class Attempts:
    """Counts attempts by user and by address; names that nobody has count the same.

    Args:
        clock: Seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()
        """When each may try a whole burst again."""

    def take(self, name: str, address: str) -> float:
        """Count one attempt, before it is looked at, so that many at once don't slip by.

        Returns:
            0.0 where it may be made; else how many seconds to wait, and it counts for nothing.
        """
        keys = _keys(name, address)
        wait_s = max(self._wait_s(key, pace) for key, pace in keys)
        if wait_s > 0:
            return wait_s
        for key, pace in keys:
            self._full_at[key] = max(self._full_at.pop(key, 0.0), self._clock()) + pace.period_s
        while len(self._full_at) > REMEMBERED:
            self._full_at.popitem(last=False)
        return 0.0

    def worked(self, name: str, address: str) -> None:
        """The one that was counted was right: it costs nothing, and the name begins anew."""
        (by_name, _), (by_address, pace) = _keys(name, address)
        self._full_at.pop(by_name, None)
        if by_address in self._full_at:
            self._full_at[by_address] -= pace.period_s

    def _wait_s(self, key: str, pace: Pace) -> float:
        ahead_s = self._full_at.get(key, 0.0) - self._clock()
        return ahead_s - (pace.burst - 1) * pace.period_s


def _keys(name: str, address: str) -> tuple[tuple[str, Pace], tuple[str, Pace]]:
    return (f"name {name[:128].casefold()}", NAME), (f"address {address}", ADDRESS)
