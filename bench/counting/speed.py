"""What adding a shot to the ledger costs: our own processor time, without the record's disk."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from agent.cycle import Cycle
from agent.entry import Entry
from agent.ledger import Ledger, Standing
from agent.shotcount import ShotCount
from agent.standing import to_body

SHOTS = 20_000
TURNS = 5
START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Microseconds of processor time a shot: the median turn."""

    ordinary_us: float
    """Judged and booked, where the counter rises by one at the usual pace."""
    odd_us: float
    """The same, where nine of ten shots are odd: gaps, resets, duplicates."""
    told_us: float
    """Looked at for what a person should know."""
    kept_us: float
    """Where the ledger stands turned into what is stored, once a machine and commit."""


def _ordinary(n: int) -> Cycle:
    at = START + timedelta(seconds=20.0 * n)
    return Cycle(
        machine="IMM-01",
        counter=n,
        time=at,
        received_at=at,
        announced=True,
        mode="AUTOMATIC",
        job="J 1",
        mold="A-1",
        counters={"machine_counter": 500_000 + n, "job_counter": n, "parts_counter": 2 * n},
    )


def _odd(n: int) -> Cycle:
    step = n % 10
    at = START + timedelta(seconds=100.0 * (n - (step == 1)))
    counter = 1 + n % 50 + 3 * (n % 50) - (step == 1)
    return Cycle(
        machine="IMM-01", counter=counter, time=at, received_at=at, announced=True, mold="A-1"
    )


def _us(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) / SHOTS * 1e6


def _turn() -> Speed:
    def booked(cycles: list[Cycle]) -> list[Entry]:
        ledger = Ledger("IMM-01", Standing(), lambda _mold: "A", 2**32)
        return [ledger.take(each) for each in cycles]

    ordinary = [_ordinary(n) for n in range(1, SHOTS + 1)]
    odd = [_odd(n) for n in range(1, SHOTS + 1)]
    entries = booked(ordinary)
    count = ShotCount("IMM-01")
    return Speed(
        ordinary_us=_us(lambda: booked(ordinary)),
        odd_us=_us(lambda: booked(odd)),
        told_us=_us(lambda: [count.take(each) for each in entries]),
        kept_us=_us(lambda: [to_body(each.standing) for each in entries if each.standing]),
    )


def run() -> Speed:
    """Measure, some turns."""
    turns = [_turn() for _ in range(TURNS)]
    return Speed(
        ordinary_us=median(each.ordinary_us for each in turns),
        odd_us=median(each.odd_us for each in turns),
        told_us=median(each.told_us for each in turns),
        kept_us=median(each.kept_us for each in turns),
    )


def told(speed: Speed) -> str:
    """One line for a person."""
    return (
        f"ledger: {speed.ordinary_us:.0f} us an ordinary shot, {speed.odd_us:.0f} us an odd one, "
        f"{speed.told_us:.0f} us to tell, {speed.kept_us:.0f} us to keep where it stands"
    )


if __name__ == "__main__":
    print(told(run()))
