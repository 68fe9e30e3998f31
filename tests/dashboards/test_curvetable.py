"""The curves of a cycle as a table."""

from datetime import timedelta

import numpy as np

from agent.cycle import Curve
from dashboards.curvetable import ROWS_MOST, curve_table
from tests.dashboards.story import AT


def test_samples_stand_at_even_steps_and_a_gap_stays_empty() -> None:
    t_s = np.arange(0, 10.0, 0.01)
    kept = (t_s < 4.0) | (t_s >= 6.0)
    whole = Curve(started_at=AT, t_s=t_s, values=100 * t_s)
    holed = Curve(started_at=AT + timedelta(seconds=1), t_s=t_s[kept], values=t_s[kept])

    table = curve_table({"injection_pressure_bar": whole, "screw_position_mm": holed})

    assert table is not None
    assert list(table.heads) == ["Injection pressure, bar", "Screw position, mm"]
    assert len(table.rows) <= ROWS_MOST + 1
    by_time = {at: list(cells) for at, cells in table.rows}
    assert by_time["3.00"] == ["300", "2.0"]
    assert by_time["6.00"] == ["600", ""], "5 s into a curve that has nothing from 4 to 6"
    assert by_time["0.00"] == ["0", ""], "it begins a second later"
    assert by_time["10.00"][1] == "9.0"


def test_without_curves_there_is_no_table() -> None:
    assert curve_table({}) is None
