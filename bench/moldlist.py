"""`python -m bench.moldlist`: what a year of 200 machines takes to list its molds, and to take one
shot more.

The ledger is made by statements, not by presses: 5 million shots in 300,000 rows on 400 molds, with
the triggers that a running agent has.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import insert

from agent import schema
from agent.batch import Batch, MachineRow
from agent.cycle import Cycle
from agent.files import reader, writer
from agent.ledger import Ledger, Standing
from agent.molds.lines import list_lines
from agent.molds.shelf import read_shelf
from agent.record import open_record

MACHINES, MOLDS, DAYS, ROWS_A_DAY, SHOTS = 200, 400, 250, 6, 17
TURNS = 7
ADDED = 5000
"""Shots that are added."""


def made(path: Path) -> int:
    """Write the record; how many shots it has."""
    total = 0
    with writer(path, "main") as connection, connection.begin():
        for n in range(1, MACHINES + 1):
            connection.execute(insert(schema.machine).values(id=n, name=f"IMM-{n:03d}"))
        for n in range(1, MOLDS + 1):
            connection.execute(
                insert(schema.mold).values(
                    id=n, name=f"M-{n:03d}", revision="A", registered=1, planned_shots=20_000
                )
            )
            connection.execute(
                insert(schema.mold_revision).values(
                    mold_id=n, revision="A", since_ns=0, restarts="[]", note=""
                )
            )
        for machine in range(1, MACHINES + 1):
            rows = []
            for day in range(DAYS):
                mold = (machine * 2 + day // 10) % MOLDS + 1
                for turn in range(ROWS_A_DAY):
                    ns = (20_000 + day) * 86_400_000_000_000 + turn * 3_600_000_000_000
                    first = (day * ROWS_A_DAY + turn) * SHOTS + 1
                    rows.append(
                        {
                            "machine_id": machine, "segment": 1, "kind": "seen", "first": first,
                            "last": first + SHOTS - 1, "mold_id": mold, "revision": "A",
                            "resin": "ABS", "closings": SHOTS, "shots": SHOTS, "unobserved": 0,
                            "parts": SHOTS, "shots_min": SHOTS, "shots_max": SHOTS,
                            "since_ns": ns, "until_ns": ns + 1, "reason": "", "evidence": "",
                        }
                    )  # fmt: skip
            connection.execute(insert(schema.run), rows)
            total += len(rows) * SHOTS
    return total


async def added_us(path: Path) -> tuple[float, float]:
    """Processor time of one shot more, microseconds: in the ledger, and all the way to the disk,
    many in one commit."""
    cycles = [_shot(n) for n in range(1, ADDED + 1)]
    machine = MachineRow(name="IMM-new", driver="modbus")
    async with open_record(f"sqlite:///{path}", [machine], []) as record:
        ledger = Ledger("IMM-new", Standing(), lambda _mold: "A", 2**32)
        began = time.process_time()
        entries = [ledger.take(each) for each in cycles]
        booked = time.process_time()
        for entry in entries:
            done = await record.keep(Batch(machine="IMM-new", entries=[entry]))
        await done
        kept = time.process_time()
    return (booked - began) / ADDED * 1e6, (kept - began) / ADDED * 1e6


def _shot(n: int) -> Cycle:
    at = datetime(2026, 3, 2, 6, 0, tzinfo=UTC) + timedelta(seconds=20.0 * n)
    return Cycle(
        machine="IMM-new",
        counter=n,
        time=at,
        received_at=at,
        announced=True,
        job="J 1",
        mold="M-001",
    )


def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "year.db"
        shots = made(path)
        print(f"{shots} shots in {MACHINES * DAYS * ROWS_A_DAY} rows")
        inside = []
        for _ in range(TURNS):
            began = time.perf_counter()
            engine = reader(path)
            with engine.connect() as connection:
                lines = list(list_lines(read_shelf(connection), now=datetime.now(UTC)))
            engine.dispose()
            inside.append(time.perf_counter() - began)
        assert sum(line["shots"] for line in lines) == shots
        empty, year = (asyncio.run(added_us(each)) for each in (Path(folder) / "new.db", path))
        print(
            f"one shot more: {year[0]:.0f} us in the ledger, {year[1]:.0f} us to the disk; "
            f"in a new record {empty[0]:.0f} and {empty[1]:.0f} us"
        )
        print(f"in process: {median(inside) * 1000:.0f} ms, worst {max(inside) * 1000:.0f} ms")
        argv = [sys.executable, "-m", "agent", "molds", "--format", "json", "--record"]
        outside = []
        for _ in range(3):
            began = time.perf_counter()
            subprocess.run([*argv, f"sqlite:///{path}"], check=True, stdout=subprocess.DEVNULL)
            outside.append(time.perf_counter() - began)
        print(f"as a command, start of the process included: {median(outside) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
