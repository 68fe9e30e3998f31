"""A signal over the last shots within its own limits, as a small drawing that needs no script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.watch.channel import Channel
from dashboards.catalogue import Catalogue
from dashboards.trend import Mark

POINTS = 50
WIDTH, HEIGHT = 320.0, 46.0
LEFT, RIGHT, TOP, BOTTOM = 4.0, 42.0, 6.0, 8.0
RISING = 6
"""Shots in a row of which each is above the one before, or below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlChart:
    """Path data and marks, in a view box of `size`."""

    line: str
    points: Sequence[Mark]
    flagged: Sequence[Mark]
    """Beyond a limit: drawn as triangles."""
    high: Mark | None
    """Limits with their figures; None before the mold has any."""
    low: Mark | None
    middle: Mark | None
    least: Mark | None
    """A level that physics asks for."""
    ends_odd: bool
    """Whether the newest value is beyond a limit."""
    rule: str
    """What is odd, in words; empty where nothing is."""
    left: float = LEFT
    right: float = WIDTH - RIGHT
    size: str = f"0 0 {WIDTH:g} {HEIGHT:g}"


def control_chart(
    values: Sequence[float | None],
    channel: Channel | None,
    decimals: int,
    strings: Catalogue,
    figure: Callable[[float], str],
    least: float | None = None,
) -> ControlChart | None:
    """Draw the newest shots of a signal.

    Args:
        values: Of the last shots, oldest first; None where a shot has none.
        channel: What the watch has learned of the signal.
        decimals: Of the values.
        strings: Of the page.
        figure: A limit, as it is written.
        least: A level that is drawn, too.

    Returns:
        None where fewer than two shots have a value.
    """
    shown = list(values[-POINTS:])
    known = [value for value in shown if value is not None]
    if len(known) < 2:
        return None
    limits = None
    if channel is not None and channel.armed and channel.ready:
        limits = channel.home - channel.single.limit, channel.home + channel.single.limit
    levels = [*known, *(limits or ()), *((least,) if least is not None else ())]
    low, high = min(levels), max(levels)
    room = max((high - low) * 0.08, 10.0**-decimals / 2)
    low, high = low - room, high + room

    def x(place: int) -> float:
        wide = (WIDTH - LEFT - RIGHT - 6) / (POINTS - 1)
        return round(LEFT + 3 + wide * (place + POINTS - len(shown)), 1)

    def y(value: float) -> float:
        return float(round(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM), 1))

    path, joined = "", False
    points: list[Mark] = []
    flagged: list[Mark] = []
    above = below = 0
    beyond = False
    for place, value in enumerate(shown):
        if value is None:
            joined = False
            continue
        path += f"{'L' if joined else 'M'}{x(place):g} {y(value):g}"
        joined = True
        beyond = limits is not None and not limits[0] <= value <= limits[1]
        (flagged if beyond else points).append(Mark(x(place), y(value)))
        above += beyond and limits is not None and value > limits[1]
        below += beyond and limits is not None and value < limits[0]
    return ControlChart(
        line=path,
        points=points,
        flagged=flagged,
        high=Mark(0, y(limits[1]), figure(limits[1])) if limits else None,
        low=Mark(0, y(limits[0]), figure(limits[0])) if limits else None,
        middle=Mark(0, y(channel.home)) if limits and channel else None,
        least=Mark(0, y(least), figure(least)) if least is not None else None,
        ends_odd=beyond,
        rule=_rule(above, below, known, strings),
    )


def _rule(above: int, below: int, known: Sequence[float], strings: Catalogue) -> str:
    words = []
    if above:
        words.append(strings.say("press.above", n=above))
    if below:
        words.append(strings.say("press.below", n=below))
    tail = known[-RISING - 1 :]
    steps = [b - a for a, b in pairwise(tail)]
    if len(steps) == RISING and all(step > 0 for step in steps):
        words.append(strings["press.rising"])
    elif len(steps) == RISING and all(step < 0 for step in steps):
        words.append(strings["press.falling"])
    return ", ".join(words)
