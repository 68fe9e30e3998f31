"""A few of the kills of `python -m bench.kills`, which makes 500."""

from pathlib import Path

import pytest

from bench.kills.__main__ import campaign, table


@pytest.mark.slow
async def test_a_few_kills_at_random_moments_leave_a_record_in_which_all_agrees(
    tmp_path: Path,
) -> None:
    found = await campaign(tmp_path, 4, seed=2)

    assert found.faults == []
    assert found.kills == 4
    assert found.at_sink == found.cycles > 0
    assert "| **faults found** | **0** |" in table(found)
