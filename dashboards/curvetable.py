"""The curves of a cycle as a table, for who can't see the chart or wants its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent.cycle import Curve
from dashboards.figures import number
from dashboards.wording import figured, in_words, unit_of

ROWS_MOST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveTable:
    """Figures by time."""

    heads: Sequence[str]
    """Of the columns after the time, with units."""
    rows: Sequence[tuple[str, Sequence[str]]]
    """Seconds, and a figure for each column; empty where there is no sample near."""


def curve_table(curves: Mapping[str, Curve]) -> CurveTable | None:
    """The samples at even steps; None where a cycle has none."""
    known = {name: each for name, each in sorted(curves.items()) if len(each.values) > 1}
    if not known:
        return None
    first = min(each.started_at for each in known.values())
    shifts = {n: (each.started_at - first).total_seconds() for n, each in known.items()}
    end_s = max(shifts[name] + float(each.t_s[-1]) for name, each in known.items())
    steps = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
    step_s = next((step for step in steps if end_s / step < ROWS_MOST), steps[-1])
    rows = []
    for at_s in np.arange(0.0, end_s + step_s / 2, step_s)[: ROWS_MOST + 1]:
        cells = [_near(each, float(at_s) - shifts[n], step_s, n) for n, each in known.items()]
        rows.append((number(float(at_s), 2 if step_s < 0.5 else 1), cells))
    heads = [f"{in_words(n)}, {unit_of(n)}" if unit_of(n) else in_words(n) for n in known]
    return CurveTable(heads=heads, rows=rows)


def _near(curve: Curve, at_s: float, step_s: float, name: str) -> str:
    """The sample nearest to a time, within half a step."""
    index = int(np.argmin(np.abs(curve.t_s - at_s)))
    value = float(curve.values[index])
    if abs(float(curve.t_s[index]) - at_s) > step_s / 2 or not np.isfinite(value):
        return ""
    return figured(value, name)
