"""Charts run as long as the tables say, in control and out of it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.watch.charts import Cusum, Ewma, Shewhart, steady_limit

RUNS = 100_000
PART = 10_000
MOST = 250
"""Values of a run that are drawn at the most."""


def test_a_shewhart_chart_signals_a_value_beyond_its_limit() -> None:
    chart = Shewhart(3)

    assert [chart.take(value) for value in (2.9, -3.1, 3.1, 0)] == [False, True, True, False]


def test_two_of_two_asks_for_the_same_side() -> None:
    chart = Shewhart(3, of=2)

    assert [chart.take(v) for v in (4, -4, 4, 4, 1, 4)] == [False, False, False, True, False, False]


def test_a_cusum_with_a_head_start_signals_sooner() -> None:
    plain, fast = Cusum(0.5, 5), Cusum(0.5, 5, head_start=2.5)

    def length(chart: Cusum) -> int:
        return next(n for n in range(1, 100) if chart.take(1.5))

    assert (length(plain), length(fast)) == (6, 3)


def first_signals(kind: str, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """In which value each run first signals, counted from 1; 0 where it does not.

    The same sums as the charts', for many runs at once.

    Args:
        kind: Name of the chart, weight or slack, limit in sigmas, and perhaps a head start.
        values: Shape (values, runs).
    """
    name, *numbers = kind.split()
    weight, limit, *head = (float(number) for number in numbers)
    head_start = head[0] if head else 0.0
    runs = values.shape[1]
    mean, above, below = np.zeros(runs), np.full(runs, head_start), np.full(runs, head_start)
    first, left = np.zeros(runs, dtype=np.int64), np.arange(runs)
    for n, every in enumerate(values, 1):
        row = every[left]
        if name == "CUSUM":
            above = np.maximum(above + row - weight, 0)
            below = np.maximum(below - row - weight, 0)
            out = np.maximum(above, below) > limit
        else:
            mean = mean + weight * (row - mean)
            out = np.abs(mean) > steady_limit(weight, limit)
        first[left[out]] = n
        left, mean = left[~out], mean[~out]
        if name == "CUSUM":
            above, below = above[~out], below[~out]
    return first


@pytest.mark.parametrize("seed", range(3))
def test_the_vectorised_charts_are_the_objects(seed: int) -> None:
    values = np.random.default_rng(seed).normal(1.0, 1.0, (200, 20))
    limit = steady_limit(0.1, 2.814)

    ewma = first_signals("EWMA 0.1 2.814", values)
    cusum = first_signals("CUSUM 0.5 5 2.5", values)

    for run in range(20):
        chart, sums = Ewma(0.1, limit), Cusum(0.5, 5, 2.5)
        series = values[:, run].tolist()
        assert ewma[run] == next(n for n, v in enumerate(series, 1) if chart.take(v))
        assert cusum[run] == next(n for n, v in enumerate(series, 1) if sums.take(v))


def mean_length(kind: str, shift: float, expected: float) -> float:
    """Average run length of `RUNS` runs.

    Runs that have not ended by then go on at the rate at which the others ended of late: charts
    forget where they began within some dozen values.
    """
    random = np.random.default_rng(round(1000 * expected))
    cycles = int(min(MOST, 30 + 3 * expected))
    ended, lasted = 0, 0.0
    late_ended = late_lasted = 0
    for _ in range(RUNS // PART):
        first = first_signals(kind, random.standard_normal((cycles, PART)) + shift)
        ends = first[first > 0]
        ended += len(ends)
        lasted += float(ends.sum()) + cycles * (PART - len(ends))
        late = ends[ends > cycles // 3]
        late_ended += len(late)
        late_lasted += int((late - cycles // 3).sum())
        late_lasted += (cycles - cycles // 3) * (PART - len(ends))
    open_runs = RUNS - ended
    return (lasted + open_runs * late_lasted / max(1, late_ended)) / RUNS


TABLE: dict[str, dict[float, float]] = {
    "Shewhart 1 3": {0: 370.4, 0.5: 155, 1: 43.9, 2: 6.30, 3: 2.00},
    "Shewhart 1 3.5": {1: 161, 1.5: 44.0, 2: 15.0, 3: 3.2},
    "EWMA 0.05 2.615": {0: 500, 0.5: 28.8, 1: 11.4, 2: 5.22},
    "EWMA 0.1 2.703": {0: 372, 0.25: 89.5, 0.5: 28.3, 1: 9.75, 2: 4.18},
    "EWMA 0.1 2.814": {0: 500, 0.5: 31.3, 1: 10.3},
    "EWMA 0.2 2.86": {0: 371, 0.5: 36.2, 1: 9.80, 3: 2.31},
    "EWMA 0.2 2.962": {0: 500, 0.5: 41.8, 1: 10.5, 3: 2.38},
    "EWMA 0.25 2.998": {0: 500, 1: 11.1, 2: 3.61},
    "EWMA 0.4 3.054": {0: 500, 1: 14.3, 2: 3.52},
    "EWMA 0.1 4.0": {0.5: 130, 1: 19.4, 2: 6.51},
    "EWMA 0.2 4.0": {0.75: 66.6, 1: 25.6, 2: 5.62, 3: 3.24},
    "CUSUM 0.5 4": {0: 168, 0.5: 26.6, 1: 8.38, 2: 3.34},
    "CUSUM 0.5 4.77": {0: 369, 0.5: 35.2, 1: 9.92},
    "CUSUM 0.5 5": {0: 465, 0.5: 38.0, 1: 10.4, 3: 2.57},
    "CUSUM 0.5 8": {0.5: 84.0, 1: 16.4, 2: 6.01, 4: 2.84},
    "CUSUM 0.25 8.01": {0: 370, 0.5: 28.8, 1: 11.4},
}
"""Average run lengths by shift in sigmas; integral equations (molding reference 4.1)."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", TABLE)
def test_run_lengths_are_those_of_the_tables(kind: str) -> None:
    for shift, expected in TABLE[kind].items():
        assert mean_length(kind, shift, expected) == pytest.approx(expected, rel=0.03), shift


def test_the_limit_of_an_ewma_is_its_steady_one() -> None:
    assert steady_limit(1.0, 3.0) == pytest.approx(3.0)
    assert steady_limit(0.2, 3.0) == pytest.approx(1.0)
