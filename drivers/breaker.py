"""How much of a line's time goes to units that don't answer: a small share, however many they are.

On a line with several units everybody waits while one is asked that is dead. So what a failed
exchange took is paid for with many times as long a rest before a failing unit is asked again, as
long as there is another one to be kept waiting. A line that was well for a while has some credit:
one late answer is no dead unit, and its unit is asked again soon.
"""

REST = 11.0
"""Times what a failed exchange took, until a failing unit is asked again: a twelfth of the time,
so that with what else is lost healthy units keep nine tenths of their rate."""
CREDIT = 8.0
"""Of that, on a line that was well for as long: so a first failure costs 3 times what it took."""
MOST_S = 30.0
"""No rest is longer than this."""


class Breaker:
    """The circuit breaker of all units of one line; times are by the loop's clock, s."""

    def __init__(self) -> None:
        self._failing: set[int] = set()
        self._rest_until = float("-inf")

    def is_failing(self, unit: int) -> bool:
        """Whether a unit's last exchange failed."""
        return unit in self._failing

    def answered(self, unit: int) -> None:
        """A unit is well."""
        self._failing.discard(unit)

    def failed(self, unit: int, took_s: float, now: float, *, alone: bool = False) -> None:
        """An exchange with a unit has just failed.

        Args:
            unit: Which.
            took_s: How long nobody else could be asked.
            now: When it ended.
            alone: Nobody else on the line answers, so it is the line that is dead, and all its
                units are to be there again as soon as it is.

        >>> breaker = Breaker()
        >>> breaker.failed(7, 1.0, now=100.0)
        >>> breaker.rest_s(now=100.0)
        3.0
        >>> breaker.failed(7, 1.0, now=104.0)
        >>> breaker.rest_s(now=104.0)
        10.0
        >>> breaker.failed(7, 60.0, now=120.0)
        >>> breaker.rest_s(now=120.0)
        30.0
        >>> breaker.failed(8, 1.0, now=121.0, alone=True)
        >>> breaker.rest_s(now=121.0)
        0.0
        """
        self._failing.add(unit)
        if alone:
            self._rest_until = now
            return
        begins = max(self._rest_until, now - CREDIT * took_s)
        self._rest_until = min(begins + REST * took_s, now + MOST_S)

    def rest_s(self, now: float) -> float:
        """How long no failing unit is to be asked."""
        return max(0.0, self._rest_until - now)
