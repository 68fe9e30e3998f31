"""`python -m bench.longhistory [CYCLES]`: what a long history costs, before and after it moves.

A plant of ten presses and ten molds with a cycle of 20 s each; every mold stays on its press. The
record is made by statements; then its closed months move to Parquet files. Read are the last 50
cycles of a press, and for a chart six signals of 500,000 cycles of one mold, out of all that there
are; each in a process of its own, so that nothing is open yet, with the file cache warm.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np
from sqlalchemy import insert

from agent import schema
from agent.archive.catalogue import archive_folder
from agent.archive.compacting import compact
from agent.audit import Author, change
from agent.files import writer
from agent.history import Filter, open_history
from agent.rows import compact as json_of
from agent.rows import to_ns
from agent.verifying import verify

CYCLES, MACHINES, A_TIME = 5_000_000, 10, 20_000
CYCLE_S, SIGNALS, READS, CHART = 20, 6, 5, 500_000
START = datetime(2021, 1, 1, tzinfo=UTC)
NAMES = schema.VALUE_COLUMNS[:20]


def made(path: Path, cycles: int) -> None:
    """Write a record of so many cycles."""
    random = np.random.default_rng(1)
    with writer(path, "main") as connection:
        with connection.begin():
            for n in range(1, MACHINES + 1):
                connection.execute(insert(schema.machine).values(id=n, name=f"IMM-{n:02d}"))
                mold = {"id": n, "name": f"M-{n:02d}", "revision": "A", "registered": 1}
                connection.execute(insert(schema.mold).values(**mold))
            body = json_of(dict.fromkeys(NAMES, "reported"))
            connection.execute(insert(schema.provenance).values(id=1, body=body))
        columns = (
            "machine_id", "segment", "counter", "time_ns", "received_ns", "time_uncertainty_s",
            "mold_id", "revision", "job", "mode", "resin", "closing", "state", "flags",
            "provenance_id", *NAMES,
        )  # fmt: skip
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO cycle ({', '.join(columns)}) VALUES ({marks})"
        raw = connection.connection.driver_connection
        assert raw is not None
        for first in range(0, cycles, A_TIME):
            values = np.round(random.normal(20, 0.1, (A_TIME, len(NAMES))), 2).tolist()
            rows = []
            for n in range(first, min(first + A_TIME, cycles)):
                key, counter = n % MACHINES + 1, n // MACHINES + 1
                ns = to_ns(START + timedelta(seconds=CYCLE_S * counter, milliseconds=100 * key))
                rows.append(
                    (key, 1, counter, ns, ns, 0.0, key, "A", f"J-{counter // 2000}", "AUTOMATIC",
                     "ABS", "shot", "production", "", 1, *values[n - first])
                )  # fmt: skip
            with connection.begin():
                raw.executemany(statement, rows)


def newest(url: str) -> None:
    """The last 50 cycles of a press."""
    with open_history(url) as history:
        assert len(list(history.cycles(Filter(machine="IMM-03"), newest=50))) == 50


def chart(url: str) -> None:
    """Six signals of the first 500,000 cycles of a mold."""
    with open_history(url) as history:
        until = START + timedelta(seconds=CYCLE_S * (CHART + 1))
        found = history.series(Filter(mold="M-04", until=until), NAMES[:SIGNALS])
        print(len(found["id"]), "cycles,", end=" ")


def counted(url: str) -> None:
    """How many cycles a mold has."""
    with open_history(url) as history:
        history.count(Filter(mold="M-04"))


READINGS: dict[str, Callable[[str], None]] = {"newest": newest, "chart": chart, "count": counted}


def told(url: str) -> None:
    """Measure every reading in a process of its own."""
    for name in READINGS:
        argv = [sys.executable, "-m", "bench.longhistory", name, url]
        times, said = [], ""
        for _ in range(READS):
            child = subprocess.run(argv, check=True, capture_output=True, text=True)
            *words, spent_ms = child.stdout.split()
            times.append(float(spent_ms))
            said = " ".join(words)
        print(f"  {name}: {said} {median(times):.1f} ms (best {min(times):.1f})")


def main(cycles: int, folder: Path) -> None:
    """Measure, and print."""
    path = folder / "long.db"
    url = f"sqlite:///{path}"
    made(path, cycles)
    print(f"{cycles} cycles: {path.stat().st_size / 1e6:.0f} MB")
    with change(url):  # takes them into the hash chain
        pass
    told(url)
    began = time.perf_counter()
    last = START + timedelta(seconds=CYCLE_S * cycles // MACHINES)
    moved = compact(url, last, Author(who="bench", at=last))
    spent_s = time.perf_counter() - began
    size = sum(each.stat().st_size for each in archive_folder(path).glob("month=*/*/*.parquet"))
    print(f"moved {moved} in {spent_s:.0f} s: {size / 1e6:.0f} MB, {size / moved:.0f} B a cycle")
    told(url)
    began = time.perf_counter()
    verdict = verify(url)
    assert not verdict.differences
    print(f"verified: {verdict.rows / (time.perf_counter() - began):.0f} rows a second")


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in READINGS:
        began_s = time.perf_counter()
        READINGS[sys.argv[1]](sys.argv[2])
        print(1000 * (time.perf_counter() - began_s))
    elif len(sys.argv) > 2:
        main(int(sys.argv[1]), Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as made_folder:
            main(int(sys.argv[1]) if sys.argv[1:] else CYCLES, Path(made_folder))
