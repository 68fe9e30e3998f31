"""`python -m bench.store`: what a shop's cycles cost the record, and how fast the newest are read.

200 machines with a cycle of 20 s are ten cycles a second, each with 20 values and 4 curves of 400
samples. They go through the ledger into the record, a second's worth in a commit. Processor time
is that of ledger and record, commits included; the presses' and the watch's are not in it.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from agent.batch import Batch
from agent.cycle import Curve, Cycle
from agent.history import Filter, open_history
from agent.ledger import Ledger, Standing
from agent.record import open_record
from agent.schema import VALUE_COLUMNS

MACHINES, CYCLE_S, SAMPLES = 200, 20, 400
CURVES = {
    "injection_pressure_bar": (850.0, 0.1),
    "cavity_pressure_bar": (420.0, 0.1),
    "screw_position_mm": (60.0, 0.01),
    "screw_torque_nm": (300.0, 0.1),
}
"""Signal: height and resolution. Their noise is three steps of the resolution."""

NEWEST, READS = 50, 40
START = datetime(2026, 3, 2, tzinfo=UTC)


def shop(rounds: int) -> Iterator[list[Cycle]]:
    """Cycles of the shop, a second's worth at a time."""
    random = np.random.default_rng(1)
    t_s = np.arange(SAMPLES, dtype=np.float64) / 50
    shape = np.sin(np.pi * t_s / t_s[-1]) ** 2
    names = VALUE_COLUMNS[:20]
    a_second = MACHINES // CYCLE_S
    for second in range(rounds * CYCLE_S):
        at = START + timedelta(seconds=second)
        counter = second // CYCLE_S + 1
        first = second % CYCLE_S * a_second
        yield [
            Cycle(
                machine=f"IMM-{first + n:03d}",
                counter=counter,
                time=at + timedelta(milliseconds=50 * n),
                received_at=at + timedelta(milliseconds=50 * n),
                announced=True,
                mold=f"M-{first + n:03d}",
                values={
                    name: round(float(value), 2)
                    for name, value in zip(names, random.normal(20, 0.1, 20), strict=True)
                },
                curves={
                    signal: Curve(
                        started_at=at - timedelta(seconds=CYCLE_S),
                        t_s=t_s,
                        values=np.round(
                            (height * shape + random.normal(0, 3 * step, SAMPLES)) / step
                        )
                        * step,
                        resolution=step,
                    )
                    for signal, (height, step) in CURVES.items()
                },
            )
            for n in range(a_second)
        ]


async def kept(path: Path, rounds: int) -> tuple[int, float]:
    """How many cycles were kept, and the processor time that it took, in seconds."""
    cycles, spent_s = 0, 0.0
    async with open_record(f"sqlite:///{path}") as record:
        ledgers: dict[str, Ledger] = {}
        for second in shop(rounds):
            began = time.process_time()
            waiting = []
            for one in second:
                if one.machine not in ledgers:
                    ledgers[one.machine] = Ledger(one.machine, Standing(), lambda mold: "A", None)
                entry = ledgers[one.machine].take(one)
                waiting.append(await record.keep(Batch(machine=one.machine, entries=[entry])))
            await asyncio.gather(*waiting)
            spent_s += time.process_time() - began
            cycles += len(second)
    return cycles, spent_s


def newest_s(path: Path) -> list[float]:
    """How long it takes to read the last cycles of a machine, each time another one."""
    found = []
    with open_history(f"sqlite:///{path}") as history:
        for n in range(READS):
            began = time.perf_counter()
            rows = list(history.cycles(Filter(machine=f"IMM-{n:03d}"), newest=NEWEST))
            found.append(time.perf_counter() - began)
            assert len(rows) == NEWEST
    return found


def main(rounds: int = 90) -> None:
    """Measure, and print; `rounds` cycles of every machine, half an hour without a word."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.db"
        cycles, spent_s = asyncio.run(kept(path, rounds))
        size = sum(file.stat().st_size for file in Path(folder).iterdir() if file.suffix == ".db")
        share = spent_s / (rounds * CYCLE_S)
        print(f"{cycles} cycles: {100 * share:.1f} % of a core, {size / cycles:.0f} bytes a cycle")
        reads = newest_s(path)
        print(
            f"last {NEWEST} cycles of a machine: {median(reads) * 1000:.1f} ms, "
            f"worst of {READS}: {max(reads) * 1000:.1f} ms"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
