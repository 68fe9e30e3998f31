"""A mold's shots over the days as a drawing that needs no script, with what was done to it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from agent.molds.forecast import Forecast
from dashboards.figures import number
from dashboards.trend import Mark

WIDTH, HEIGHT = 860.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 24.0, 40.0, 26.0

MARKS_APART = 70.0
"""Closer marks share their words' place; the words of later ones are left out."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done to the mold on a day."""

    day: date
    kind: str
    """`revision`, `repair`, or `service`."""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeChart:
    """Path data and marks, in a view box of `WIDTH` by `HEIGHT`."""

    line: str
    area: str
    cone: str
    """Where 10 to 90 % of the days lie on which the life will be used up; empty where unknown."""
    rated: Mark | None
    today: Mark
    levels: Sequence[Mark]
    days: Sequence[Mark]
    revisions: Sequence[Mark]
    repairs: Sequence[Mark]
    services: Sequence[Mark]
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM
    size: str = f"0 0 {WIDTH:g} {HEIGHT:g}"


def life_chart(
    shots: Mapping[date, int],
    *,
    rated: int | None,
    ends: Forecast | None,
    events: Sequence[Event],
    today: date,
    say_day: Callable[[date], str],
) -> LifeChart | None:
    """Draw the sum of shots over the days.

    Args:
        shots: By day, days without may be missing.
        rated: The sum at which its life is used up.
        ends: When that will be.
        events: What was done to it.
        today: The last day of the line.
        say_day: Writes a date.

    Returns:
        None where it has taken nothing yet.
    """
    made = {day: n for day, n in shots.items() if n}
    if not made:
        return None
    first = min(made)
    last = max(today, (ends.late or ends.early) if ends else today)
    last = min(last, today + max(timedelta(days=14), today - first))
    span = max((last - first).days + 1, 7)
    total = sum(made.values())
    top = max(total, rated or 0) * 1.05

    def x(day: date) -> float:
        share = min(1.0, max(0.0, ((day - first).days + 1) / span))
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(n: float) -> float:
        return round(HEIGHT - BOTTOM - n / top * (HEIGHT - TOP - BOTTOM), 1)

    path, sum_, sums = f"M{LEFT:g} {y(0):g}", 0, {}
    for day in sorted(made):
        path += f"L{x(day - timedelta(days=1)):g} {y(sum_):g}"
        sum_ += made[day]
        path += f"L{x(day):g} {y(sum_):g}"
        sums[day] = sum_
    path += f"L{x(today):g} {y(total):g}"

    def at(day: date) -> float:
        return y(max((n for other, n in sums.items() if other <= day), default=0))

    cone = ""
    if ends and rated is not None and rated > total:
        late = x(ends.late) if ends.late else WIDTH - RIGHT
        cone = f"M{x(today):g} {y(total):g}L{x(ends.early):g} {y(rated):g}H{late:g}Z"
    return LifeChart(
        line=path,
        area=f"{path}V{y(0):g}H{LEFT:g}Z",
        cone=cone,
        rated=Mark(LEFT, y(rated)) if rated is not None and rated > 0 else None,
        today=Mark(x(today), y(total)),
        levels=[Mark(LEFT, y(n), number(n)) for n in _levels(top)],
        days=[Mark(x(day), HEIGHT - 8, say_day(day)) for day in _days(first, span)],
        revisions=_apart(
            [Mark(x(e.day), at(e.day), e.text) for e in events if e.kind == "revision"]
        ),
        repairs=_apart([Mark(x(e.day), at(e.day), e.text) for e in events if e.kind == "repair"]),
        services=[Mark(x(e.day), y(0)) for e in events if e.kind == "service"],
    )


def _levels(top: float) -> list[float]:
    """Three to six round numbers from 0 up."""
    step = 10 ** math.floor(math.log10(top / 2.5))
    step *= next(n for n in (1, 2, 5, 10) if top / (step * n) <= 5)
    return [step * n for n in range(int(top / step) + 1)]


def _days(first: date, span: int) -> list[date]:
    step = max(1, math.ceil(span / 7))
    return [first + timedelta(days=n) for n in range(step - 1, span, step)]


def _apart(marks: Sequence[Mark]) -> list[Mark]:
    """The same, with words only where there is room for them."""
    found: list[Mark] = []
    free = -math.inf
    for mark in sorted(marks, key=lambda mark: mark.x):
        text = mark.text if mark.x >= free else ""
        free = mark.x + MARKS_APART if text else free
        found.append(Mark(mark.x, mark.y, text))
    return found
