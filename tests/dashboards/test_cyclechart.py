"""Curves of a shot are drawn whatever they are."""

import math

import numpy as np
import pytest

from dashboards.catalogue import catalogue
from dashboards.cyclechart import Shot, cycle_chart


@pytest.mark.parametrize(
    "values",
    [[0.0] * 20, [-3.0] * 20, [700.0] * 20, [math.nan] * 20, [0.0], [1e-9, 2e-9], [0.0, 800.0]],
    ids=["zero", "below zero", "flat", "none known", "one", "tiny", "ordinary"],
)
def test_a_curve_of_any_shape_is_drawn_within_its_scale(values: list[float]) -> None:
    t_s = np.linspace(0.0, 5.0, len(values))
    shot = Shot(
        label="7", samples={"injection_pressure_bar": (t_s, np.array(values, dtype=np.float64))}
    )

    chart = cycle_chart([shot], {}, 10.0, catalogue("en"))

    (plot,) = chart.data["plots"]
    known = [value for value in values if math.isfinite(value)]
    assert plot["low"] < plot["high"]
    assert all(plot["low"] <= value <= plot["high"] for value in known)
    assert len(chart.plots) == 1
