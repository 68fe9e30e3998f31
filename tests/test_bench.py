"""The benchmarks run, and measure both sides at the same work."""

from datetime import UTC, datetime

import pytest

from bench import plant
from bench.__main__ import page
from bench.counting.speed import Speed
from bench.polling import TURNS, Driver, run, told
from bench.watch.cost import Cost

LEDGER = Speed(ordinary_us=20.0, odd_us=40.0, told_us=3.0, kept_us=10.0)
WATCH = Cost(stream="clean D-1", signals=20, cycles=20_000, watch_us=17.0, walk_us=50.0)
ON = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.mark.parametrize("driver", ["modbus", "opcua", "subscription"])
async def test_both_sides_poll_as_often(driver: Driver) -> None:
    outcome = await run(driver, machines=2, poll_ms=50, seconds=0.8)

    for side in (outcome.ours, outcome.bare):
        assert len(side.cpu_s) == TURNS
        assert side.polls >= 2 * TURNS
        assert all(cpu_s > 0 for cpu_s in side.cpu_s)
    assert f"{driver}: 2 machines, 40 values each, every 50 ms" in told(outcome)
    written = page([outcome], [], LEDGER, [WATCH], [], ON)
    assert f"**{outcome.ratio:.2f}**" in written
    assert "5 March 2026" in written
    assert "| clean D-1 | 20 | 17 µs | 50 µs | 20,000 |" in written


async def test_a_plant_is_measured_alone_and_watched() -> None:
    outcome = await plant.run("six", seconds=2.0, warm_up_s=4.0)

    assert outcome.presses == 6
    assert 0 <= outcome.alone.cores < 1  # less than the 10 ms that processor time is counted in
    assert 0 < outcome.watched.cores < 1
    assert 0 < outcome.agent.cores < 1
    assert outcome.watched.memory_mb > 20
    assert "six: 6 presses at real speed" in plant.told(outcome)
    assert "| `six` | 6 |" in page([], [outcome], LEDGER, [], [], ON)
