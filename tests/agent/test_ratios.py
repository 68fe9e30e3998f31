"""Counters against one another: what is told, and what is an ordinary day."""

from agent.ratios import Disagreement
from tests.agent.makers import cycle


def told(job_counters: list[int]) -> list[str]:
    """What is told of a job's counter beside one that rises by one a closing."""
    pair = Disagreement()
    found = [
        pair.take(cycle(100 + n, 24.0 * n, counters={"job_counter": at}), 1)
        for n, at in enumerate(job_counters)
    ]
    return [each[0] for each in found if each]


def test_a_job_that_begins_sets_its_counter_back_and_nothing_is_told() -> None:
    assert told([*range(1, 900), *range(1, 300), *range(0, 50)]) == []


def test_a_counter_that_falls_behind_is_told_once() -> None:
    (sentence,) = told([*range(1, 60), *[59] * 3, *range(60, 80)])

    assert "has two counts" in sentence


def test_a_job_of_one_shot_sets_the_counter_back_though_it_shows_no_less() -> None:
    pair = Disagreement()
    shots = [("O-1", 1), *(("J-1", n) for n in range(1, 40))]

    found = [
        pair.take(cycle(100 + n, 24.0 * n, job=job, counters={"job_counter": at}), 1)
        for n, (job, at) in enumerate(shots)
    ]

    assert [each for each in found if each] == []
