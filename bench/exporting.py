"""`python -m bench.exporting [CYCLES]`: how long 100,000 cycles take to each format, and one box.

The record is made by statements: one machine after the other, 20 values a cycle, a cycle in a
hundred with a value of a vendor's own. Each export is a process of its own, so that its memory is.
"""

import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, insert

from agent import schema
from agent.audit import Author, note
from agent.chain import cover
from agent.export.writing import FORMATS
from agent.files import writer
from agent.rows import compact, to_ns

CYCLES, MACHINES, A_TIME = 100_000, 5, 5000
START = datetime(2026, 1, 5, tzinfo=UTC)
A_BOX = 250
ONE_MOLD = ("dfq", "pdf")
"""Formats that describe one part: a fifth of the cycles."""
NAMES = schema.VALUE_COLUMNS[:20]


def made(path: Path, cycles: int = CYCLES) -> None:
    """Write a record of so many cycles, on as many molds as machines."""
    random = np.random.default_rng(1)
    with writer(path, "main") as connection, connection.begin():
        for n in range(1, MACHINES + 1):
            connection.execute(insert(schema.machine).values(id=n, name=f"IMM-{n:02d}"))
            connection.execute(
                insert(schema.mold).values(id=n, name=f"M-{n:02d}", revision="A", registered=1)
            )
        body = compact(dict.fromkeys(NAMES, "reported"))
        connection.execute(insert(schema.provenance).values(id=1, body=body))
        for first in range(0, cycles, A_TIME):
            values = np.round(random.normal(20, 0.1, (A_TIME, len(NAMES))), 2)
            rows = []
            for n in range(first, min(first + A_TIME, cycles)):
                key = n % MACHINES + 1
                ns = to_ns(START + timedelta(seconds=4 * n, microseconds=n % 1000))
                rows.append(
                    {
                        "machine_id": key, "segment": 1, "counter": n // MACHINES + 1,
                        "time_ns": ns, "received_ns": ns, "time_uncertainty_s": 0.0,
                        "mold_id": key, "revision": "A", "job": f"J-{n // 20_000}",
                        "mode": "AUTOMATIC", "resin": "ABS", "closing": "shot",
                        "state": "production", "flags": "", "provenance_id": 1,
                        "extra": compact({"vendor_x": n}) if n % 100 == 0 else None,
                    } | dict(zip(NAMES, values[n - first].tolist(), strict=True))
                )  # fmt: skip
            for kept in (True, False):  # rows of one statement have the same keys
                some = [row for row in rows if (row["extra"] is None) is kept]
                if some:
                    connection.execute(insert(schema.cycle), some)
        _boxes(connection, cycles)
        cover(connection)


def _boxes(connection: Connection, cycles: int) -> None:
    """A lot of resin a thousand shots, a box every `A_BOX`, on every machine."""
    who = Author(who="Ada", at=START)
    key = note(connection, who, "enter", "context", "boxes of a bench")
    common = {"segment": 1, "withdrawn": 0, "at_ns": to_ns(START), "who": "Ada", "audit_id": key}
    rows = [
        common | {
            "kind": kind, "label": f"{kind}-{n}-{first}", "machine_id": n,
            "first": first, "last": first + size - 1,
        }
        for n in range(1, MACHINES + 1)
        for kind, size in (("box", A_BOX), ("lot", 1000))
        for first in range(1, cycles // MACHINES + 1, size)
    ]  # fmt: skip
    connection.execute(insert(schema.context), rows)


def exported(
    url: str, folder: Path, form: str, box: str | None = None
) -> tuple[float, float, float, int]:
    """Seconds, processor seconds, memory at most in MB, and bytes of one export as people do it."""
    argv = [sys.executable, "-m", "agent", "export", "--record", url, "--format", form]
    argv += ["--mold", "M-01"] if form in ONE_MOLD and not box else []
    argv += ["--box", box] if box else []
    began = time.perf_counter()
    child = subprocess.Popen(
        [*argv, "--out", str(folder / (box or form))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)  # of this child alone
    spent_s = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise SystemExit(f"the export to {form} failed")
    size = max(file.stat().st_size for file in (folder / (box or form)).iterdir())
    return spent_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, size


def main(cycles: int = CYCLES) -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made(folder / "year.db", cycles)
        for form in FORMATS:
            spent_s, cpu_s, used_mb, size = exported(f"sqlite:///{folder}/year.db", folder, form)
            rows = cycles // MACHINES if form in ONE_MOLD else cycles
            print(
                f"{form}: {rows} cycles in {spent_s:.1f} s ({cpu_s:.1f} s of processor time), "
                f"{used_mb:.0f} MB of memory, {size / 1e6:.1f} MB"
            )
        middle = cycles // MACHINES // 2 // A_BOX * A_BOX + 1
        for form in FORMATS:
            spent_s, cpu_s, used_mb, _ = exported(
                f"sqlite:///{folder}/year.db", folder, form, f"box-2-{middle}"
            )
            print(
                f"a box of {A_BOX} shots to {form}: {spent_s:.1f} s ({cpu_s:.1f} s of processor "
                f"time), {used_mb:.0f} MB of memory"
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
