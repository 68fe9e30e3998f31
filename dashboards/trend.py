"""A signal over the last cycles as a drawing that needs no script: line, expectation, limit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 640.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 24.0, 18.0, 26.0

NAMES = 50.0
"""More on the right, where levels are named."""
ROOM = 0.12
"""Share of the span that stays free above and below."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the drawing with its words."""

    x: float
    y: float
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Path data and marks, in a view box of `WIDTH` by `HEIGHT`."""

    line: str
    """Broken where a cycle has no value."""
    flagged: Sequence[Mark]
    """Cycles that the anomaly is about."""
    levels: Sequence[Mark]
    """Ticks of the value axis."""
    times: Sequence[Mark]
    expected: Mark | None
    limit: Mark | None
    since: Mark | None
    """Where the anomaly began."""
    left: float = LEFT
    right: float
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM
    size: str = f"0 0 {WIDTH:g} {HEIGHT:g}"


def trend(
    cycles: Sequence[tuple[datetime, int, float | None]],
    *,
    expected: float | None,
    limit: float | None,
    since: int | None,
    until: int | None,
    decimals: int,
    figure: Callable[[float], str],
    clock: Callable[[datetime], str],
) -> Trend | None:
    """Draw the values of some cycles, one step a cycle.

    Args:
        cycles: End, counter and value of each, oldest first.
        expected: A level to compare with.
        limit: The level that was crossed.
        since: Counter of the first cycle affected.
        until: Of the last one; None while it goes on.
        decimals: Of the values.
        figure: A level, as it is written.
        clock: Writes a time.

    Returns:
        None where fewer than two cycles have a value.
    """
    known = [value for _at, _counter, value in cycles if value is not None]
    if len(known) < 2:
        return None
    levels = [*known, *(each for each in (expected, limit) if each is not None)]
    low, high = min(levels), max(levels)
    span = max(high - low, 0.02 * abs(high), 10.0**-decimals)
    middle = (low + high) / 2
    low, high = middle - span * (0.5 + ROOM), middle + span * (0.5 + ROOM)
    right = WIDTH - RIGHT - (NAMES if expected is not None or limit is not None else 0.0)
    wide = (right - LEFT) / (len(cycles) - 1)

    def x(place: int) -> float:
        return round(LEFT + wide * place, 1)

    def y(value: float) -> float:
        return round(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    path, joined, flagged = "", False, []
    first: float | None = None
    for place, (_at, counter, value) in enumerate(cycles):
        inside = since is not None and counter >= since and (until is None or counter <= until)
        if inside and first is None:
            first = x(place)
        if value is None:
            joined = False
            continue
        path += f"{'L' if joined else 'M'}{x(place):g} {y(value):g}"
        joined = True
        if inside:
            flagged.append(Mark(x(place), y(value)))
    steps = [low + (high - low) * n / 4 for n in range(5)]
    places = sorted({0, len(cycles) // 3, 2 * len(cycles) // 3, len(cycles) - 1})
    return Trend(
        line=path,
        flagged=flagged,
        levels=[Mark(LEFT, y(each), figure(each)) for each in steps],
        times=[Mark(x(place), HEIGHT - 8, clock(cycles[place][0])) for place in places],
        right=right,
        expected=Mark(right, y(expected)) if expected is not None else None,
        limit=Mark(right, y(limit)) if limit is not None else None,
        since=Mark(first, TOP) if first is not None else None,
    )
