"""How often somebody may try to log in."""

import pytest

from dashboards.attempts import ADDRESS, NAME, Attempts


def test_attempts_are_counted_by_name_and_by_address() -> None:
    now = 0.0
    attempts = Attempts(lambda: now)

    assert [attempts.take("a", "1") for _ in range(NAME.burst)] == [0.0] * NAME.burst
    assert attempts.take("A", "2") == pytest.approx(NAME.period_s), "from anywhere"
    now = NAME.period_s
    assert attempts.take("a", "1") == 0.0
    assert attempts.take("a", "1") > 0.0
    attempts.worked("a", "1")
    assert attempts.take("a", "1") == 0.0

    waits = [attempts.take(f"n{n}", "9") for n in range(ADDRESS.burst + 1)]
    assert waits[:-1] == [0.0] * ADDRESS.burst
    assert waits[-1] == pytest.approx(ADDRESS.period_s)
