"""A signal over the shots of an export, small enough to print: the spread of some shots a point."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.export.sheet import ALARM, INK, INK_3, LINE, MARGIN, PLAIN, Sheet

POINTS = 240
HIGH = 46.0


@dataclass(slots=True)
class Strip:
    """The least and the largest of so many shots, by point; fed page by page."""

    rows: int
    """How many there will be."""
    low: NDArray[np.float64] = field(init=False)
    high: NDArray[np.float64] = field(init=False)
    _at: int = 0

    def __post_init__(self) -> None:
        points = min(POINTS, self.rows)
        self.low, self.high = np.full(points, np.inf), np.full(points, -np.inf)

    def take(self, values: Sequence[float | None]) -> None:
        """Values of the next rows; None where one is missing."""
        numbers = np.array(values, dtype=np.float64)
        places = (np.arange(self._at, self._at + len(numbers)) * len(self.low)) // self.rows
        known = ~np.isnan(numbers)
        np.minimum.at(self.low, places[known], numbers[known])
        np.maximum.at(self.high, places[known], numbers[known])
        self._at += len(numbers)


def draw(sheet: Sheet, strip: Strip, name: str, low: float | None, high: float | None) -> None:
    """One strip with its limits, across the page."""
    sheet.room(HIGH + 18)
    sheet.y -= HIGH + 14
    left, right, bottom = MARGIN + 120, sheet.width - MARGIN - 34, sheet.y
    known = np.isfinite(strip.low)
    edges = [float(strip.low[known].min()), float(strip.high[known].max())]
    edges += [limit for limit in (low, high) if limit is not None]
    least, most = min(edges), max(edges)
    room = (most - least) * 0.08 or max(abs(most), 1.0) * 0.01
    least, most = least - room, most + room

    def y(value: float) -> float:
        return bottom + HIGH * (value - least) / (most - least)

    canvas: Any = sheet.canvas
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    canvas.rect(left, bottom, right - left, HIGH, stroke=1, fill=0)
    sheet.text(MARGIN, bottom + HIGH - 9, name, 8, PLAIN, INK)
    sheet.text(right + 3, y(most) - 7, f"{most:.4g}", 6, PLAIN, INK_3)
    sheet.text(right + 3, y(least), f"{least:.4g}", 6, PLAIN, INK_3)
    canvas.setDash(3, 2)
    canvas.setStrokeColor(ALARM)
    for limit in (low, high):
        if limit is not None:
            canvas.line(left, y(limit), right, y(limit))
    canvas.setDash()
    step = (right - left) / len(strip.low)
    for n in range(len(strip.low)):
        if not known[n]:
            continue
        under, over = float(strip.low[n]), float(strip.high[n])
        outside = (low is not None and under < low) or (high is not None and over > high)
        canvas.setStrokeColor(ALARM if outside else INK)
        canvas.setLineWidth(max(0.6, min(2.0, step * 0.7)))
        x = left + (n + 0.5) * step
        canvas.line(x, y(under) - 0.4, x, y(over) + 0.4)
