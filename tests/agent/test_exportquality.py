"""How far a row may be relied on, by its flags."""

import pytest

from agent.export.quality import quality_of


@pytest.mark.parametrize(
    "flags", ["curves_not_kept", "curve_cut:injection_pressure", "counter_stood backfilled"]
)
def test_a_row_whose_curve_or_counter_is_not_whole_is_uncertain(flags: str) -> None:
    assert quality_of(flags) == "uncertain"


def test_a_row_that_came_late_is_good_and_one_without_a_value_is_bad() -> None:
    assert quality_of("backfilled") == "good"
    assert quality_of("curves_not_kept not_a_number:cushion_mm") == "bad"
