"""This computer's clock set an hour back or forth while shots come: each is counted once."""

from pathlib import Path

import pytest

from agent.history import Filter, open_history
from agent.molds.life import sum_of
from agent.molds.shelf import read_took
from agent.record import open_record
from agent.verifying import verify
from tests.agent.makers import cycle, ledger
from tests.agent.test_record import keep

HOUR_S = 3600.0


@pytest.mark.parametrize(
    ("set_s", "announced"),
    [(-HOUR_S, True), (-HOUR_S, False), (HOUR_S, True), (HOUR_S, False)],
    ids=["back, events", "back, counter", "forth, events", "forth, counter"],
)
async def test_shots_go_on_by_their_numbers(tmp_path: Path, set_s: float, announced: bool) -> None:
    url = f"sqlite:///{tmp_path}/plant.db"
    made = [cycle(n, HOUR_S + 20 * n + (n > 10) * set_s, announced=announced) for n in range(1, 21)]
    async with open_record(url) as record:
        book = ledger()
        await keep(record, book, made[:10])
        await keep(record, book, made[10:15])
    async with open_record(url) as record:  # and a start while it is off
        await keep(record, ledger(standing=record.before["IMM-01"].standing), made[15:])

    with open_history(url) as history, history.connect() as connection:
        counters = [each.cycle.counter for each in history.cycles(Filter())]
        (took,) = read_took(connection).values()
    # The first ones after it was set back look like repeats of older ones; the counter proves them.
    without_values = sum_of(took).unobserved
    assert sum_of(took).shots == 20
    assert without_values <= (2 if set_s < 0 else 0)
    assert counters == sorted(set(counters))
    assert len(counters) == 20 - without_values
    assert verify(url).differences == ()
