"""When a mold will be worn out, or want service: a range of dates, or none.

Molds of a small-batch shop run in bouts: three days, then none for three weeks. So the pace is
taken from whole weeks, idle ones included, and the doubt from how these weeks differ.

In weeks of mean m and standard deviation s, known from n weeks, the shots of the next t weeks are
about normal with mean m t and variance s² t + s² t² / n (the second term: m itself is only known
to s / sqrt(n)). The range is the t at which this reaches what remains with a probability of 10 and
of 90 %.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

WEEKS = 13
"""A quarter: long enough for bouts, short enough to forget last year's orders."""

WEEKS_LEAST = 3
DAYS_LEAST = 5
"""With production. With fewer days a mold has no habit yet."""

SHOTS_LEAST = 500

Z = 1.2816
"""The standard normal quantile of 90 %; widened for few weeks, as Student's is."""

FARTHEST_DAYS = 3650
"""Beyond ten years a date says nothing."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the remaining shots are made."""

    early: date
    """With a probability of 10 % it is before."""
    late: date | None
    """With a probability of 90 % it is before; None where the pace is too uneven to say."""
    shots_per_day: float
    """A calendar day, idle ones included."""


def forecast(remaining: int, shots_by_day: Mapping[date, int], today: date) -> Forecast | None:
    """When `remaining` shots will have been made.

    Args:
        remaining: Shots.
        shots_by_day: Of the mold, all machines and revisions; days without may be missing.
        today: The day that is not over yet, and not counted.

    Returns:
        None where there is too little to go by: under 500 shots, 5 days with production or 3
        weeks since the first of them, within the last 13 weeks.
    """
    since = today - timedelta(weeks=WEEKS)
    days = {day: n for day, n in shots_by_day.items() if since <= day < today and n > 0}
    if len(days) < DAYS_LEAST or sum(days.values()) < SHOTS_LEAST:
        return None
    weeks = math.ceil((today - min(days)).days / 7)
    if weeks < WEEKS_LEAST:
        return None
    sums = [0] * weeks
    for day, shots in days.items():
        sums[((today - day).days - 1) // 7] += shots
    mean = sum(sums) / weeks
    variance = sum((each - mean) ** 2 for each in sums) / (weeks - 1)
    late = _reached(remaining, mean, variance, weeks, Z)
    return Forecast(
        early=_day(today, _reached(remaining, mean, variance, weeks, -Z)) or today,
        late=_day(today, late) if late is not None else None,
        shots_per_day=mean / 7,
    )


def _reached(remaining: int, mean: float, variance: float, n: int, z: float) -> float | None:
    """The smallest t, in weeks, with m t - z s sqrt(t + t²/n) = remaining; None: it has none.

    For z < 0 that is the early end. Solved as a quadratic in t, whose two roots are those of z
    and of -z; the larger is the late one.
    """
    if remaining <= 0:
        return 0.0
    spread = (z * (1 + (z * z + 1) / (4 * (n - 1)))) ** 2 * variance
    a = mean * mean - spread / n
    b = -(2 * mean * remaining + spread)
    c = float(remaining) ** 2
    if a <= 0:
        # So uneven that even far away the low end stays below: only the early root exists.
        if z > 0:
            return None
        return -c / b if a == 0 else (-b - math.sqrt(b * b - 4 * a * c)) / (2 * a)
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return (-b + root) / (2 * a) if z > 0 else (-b - root) / (2 * a)


def _day(today: date, weeks: float | None) -> date | None:
    if weeks is None or weeks * 7 > FARTHEST_DAYS:
        return None
    return today + timedelta(days=math.floor(weeks * 7))
