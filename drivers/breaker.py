"""How much of a line's time goes to units that don't answer: a small share, however many they are.

On a line with several units everybody waits while one is asked that is dead. So what a failed
exchange cost the others, in polls that they could not make, is paid for with many times as long a
rest before a failing unit is asked again. Whoever polls so rarely that the wait falls between two
polls loses none, and pays for nothing. A line that was well for a while has some credit: one late
answer is no dead unit, and its unit is asked again soon.
"""

SHARE = 16.0
"""From one failed exchange to the next, times what the others lose by one: a sixteenth of their
polls, so that with what else is lost healthy units keep nine tenths over a minute."""
CREDIT = 12.0
"""Of that, on a line that was well for as long: a first failure costs 4 times what was lost."""
MOST_S = 30.0
"""No rest is longer than this."""
ON_TIME = 1.5
"""Periods of polling that a wait may take on average before a poll is lost by it: the one that
waits is only late, and the next one may be late by half a period (`drivers.polling`)."""


def lost_s(wait_s: float, period_s: float) -> float:
    """How much of its time a machine loses by a wait, as polls that are not made.

    >>> lost_s(1.0, period_s=0.1)
    0.85
    >>> lost_s(1.0, period_s=1.0)
    0.0
    """
    return max(0.0, wait_s - ON_TIME * period_s)


class Breaker:
    """The circuit breaker of all units of one line; times are by the loop's clock, s."""

    def __init__(self) -> None:
        self._failures: dict[int, int] = {}
        self._rest_until = float("-inf")

    def is_failing(self, unit: int) -> bool:
        """Whether a unit's last exchange failed."""
        return unit in self._failures

    def failures(self, unit: int) -> int:
        """How many exchanges with a unit failed in a row."""
        return self._failures.get(unit, 0)

    def answered(self, unit: int) -> None:
        """A unit is well."""
        self._failures.pop(unit, None)

    def failed(
        self, unit: int, *, took_s: float, cost_s: float, now: float, alone: bool = False
    ) -> None:
        """An exchange with a unit has just failed.

        Args:
            unit: Which.
            took_s: How long nobody else could be asked.
            cost_s: What that cost whoever lost most by it (`lost_s`).
            now: When it ended.
            alone: Nobody else on the line answers, so it is the line that is dead, and all its
                units are to be there again as soon as it is.

        >>> breaker = Breaker()
        >>> breaker.failed(7, took_s=1.0, cost_s=0.5, now=100.0)
        >>> breaker.rest_s(now=100.0)
        2.0
        >>> breaker.failed(7, took_s=1.0, cost_s=0.5, now=103.0)
        >>> breaker.rest_s(now=103.0)
        7.0
        >>> breaker.failed(7, took_s=60.0, cost_s=60.0, now=120.0)
        >>> breaker.rest_s(now=120.0)
        30.0
        >>> breaker.failed(7, took_s=0.3, cost_s=0.0, now=160.0)
        >>> round(breaker.rest_s(now=160.0), 3)
        0.3
        >>> breaker.failed(8, took_s=1.0, cost_s=0.85, now=161.0, alone=True)
        >>> breaker.rest_s(now=161.0)
        0.0
        """
        self._failures[unit] = self.failures(unit) + 1
        if alone:
            self._rest_until = now
            return
        begins = max(self._rest_until, now - CREDIT * cost_s)
        paid_at = min(begins + SHARE * cost_s, now + MOST_S)
        self._rest_until = max(paid_at, now + min(took_s, MOST_S))  # others ask between two waits

    def rest_s(self, now: float) -> float:
        """How long no failing unit is to be asked."""
        return max(0.0, self._rest_until - now)
