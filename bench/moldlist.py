"""`python -m bench.moldlist`: how long a year's ledger of 200 machines takes to list its molds.

The ledger is made by statements, not by presses: 5 million shots in 300,000 rows on 400 molds, with
the triggers that a running agent has.
"""

import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from sqlalchemy import insert

from agent import schema
from agent.files import reader, writer
from agent.molds.lines import list_lines
from agent.molds.shelf import read_shelf

MACHINES, MOLDS, DAYS, ROWS_A_DAY, SHOTS = 200, 400, 250, 6, 17
TURNS = 7


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
