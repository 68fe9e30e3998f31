"""A bounded piece of the year of molds; `python -m bench.moldyear` walks all of it."""

from pathlib import Path

import pytest

from bench.moldyear.year import walk

SHORTER = 10
"""Runs of a tenth, so that molds change every hour or two."""


def test_life_is_the_truths_while_nobody_kills_the_agent(tmp_path: Path) -> None:
    outcome = walk(tmp_path, days=1, kills=0, seed=11, shorter=SHORTER)

    assert outcome.wrong == []
    assert outcome.clear == outcome.truth.keys()
    assert outcome.off == 0, "the numbers themselves are right, re-cuts entered late included"
    assert outcome.entries >= 5
    assert any(revision != "A" for _mold, revision in outcome.truth)


@pytest.mark.slow
def test_bounds_hold_the_truth_where_the_agent_was_killed(tmp_path: Path) -> None:
    outcome = walk(
        tmp_path, days=1, kills=12, seed=12, shorter=SHORTER, kinds=("seconds", "minutes")
    )

    assert outcome.kills >= 8
    assert outcome.wrong == []
    assert len(outcome.clear) > len(outcome.truth) / 2, "it was checked to the shot"
    assert sum(each.closings for each in outcome.missed) > 20, "the agent was missed"
    assert len(outcome.truth) > 15, "molds were changed"
