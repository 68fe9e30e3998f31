"""The benchmark of the record keeps what it says it keeps."""

from pathlib import Path

from agent.history import Filter, open_history
from bench.store import CURVES, MACHINES, SAMPLES, kept


async def test_every_cycle_of_the_shop_is_in_the_record_with_its_curves(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"

    cycles, spent_s = await kept(path, 2)

    assert cycles == 2 * MACHINES
    assert spent_s > 0
    with open_history(f"sqlite:///{path}") as history:
        assert history.count(Filter()) == cycles
        newest = next(history.cycles(Filter(machine="IMM-199"), newest=1))
        assert newest.cycle.counter == 2
        curves = history.curves(newest)
        assert {signal: len(curve.values) for signal, curve in curves.items()} == dict.fromkeys(
            CURVES, SAMPLES
        )
