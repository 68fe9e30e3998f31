"""`python -m bench.exporting`: how long 100,000 cycles take to each format, and one box.

The record is made by statements: one machine after the other, 20 values a cycle, a cycle in a
hundred with a value of a vendor's own. With `--year FOLDER` it is a copy of the year that
`python -m bench.moldyear --keep FOLDER` walked, with all its shots in boxes of 250. Each export is
a process of its own, so that its memory is.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, func, insert, select

from agent import schema
from agent.audit import Author, note
from agent.chain import cover
from agent.export.writing import FORMATS
from agent.files import writer
from agent.rows import compact, to_ns

CYCLES, MACHINES, A_TIME = 100_000, 5, 5000
START = datetime(2026, 1, 5, tzinfo=UTC)
A_BOX, A_LOT = 250, 1000
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
    spans = [(n, 1, 1, cycles // MACHINES) for n in range(1, MACHINES + 1)]
    connection.execute(insert(schema.context), list(_entries(connection, spans)))


def packed(path: Path) -> tuple[list[str], list[str]]:
    """Put all shots of a record into boxes and lots of resin; the labels of the boxes, and what
    chooses a hundred thousand cycles of one press."""
    cycle = schema.cycle
    of = (cycle.c.machine_id, cycle.c.segment)
    every = select(*of, cycle.c.mold_id, cycle.c.revision, cycle.c.counter)
    every = every.order_by(*of, cycle.c.counter)
    longest = (
        select(schema.machine.c.name, cycle.c.segment, func.min(cycle.c.counter))
        .join(schema.machine)
        .group_by(*of)
        .order_by(func.count().desc())
        .limit(1)
    )
    with writer(path, "main") as connection, connection.begin():
        spans = []
        for of_mold, rows in groupby(connection.execute(every), key=lambda row: tuple(row[:4])):
            counters = [row[4] for row in rows]  # parts of two molds lie in no box together
            spans.append((of_mold[0], of_mold[1], counters[0], counters[-1]))
        entries = list(_entries(connection, spans))
        connection.execute(insert(schema.context), entries)
        cover(connection)
        name, segment, first = connection.execute(longest).one()
    many = ["--machine", name, "--segment", str(segment)]
    many += ["--shots", f"{first}-{first + CYCLES - 1}"]
    boxes = (each for each in entries if each["kind"] == "box")
    full = (box for box in boxes if int(str(box["last"])) - int(str(box["first"])) == A_BOX - 1)
    return [str(box["label"]) for box in full], many


def _entries(
    connection: Connection, spans: list[tuple[int, int, int, int]]
) -> Iterator[dict[str, object]]:
    """Lots and boxes, by machine, segment, first and last counter."""
    who = Author(who="Ada", at=START)
    key = note(connection, who, "enter", "context", "boxes of a bench")
    for machine, segment, first, last in spans:
        for kind, size in (("box", A_BOX), ("lot", A_LOT)):
            for begins in range(first, last + 1, size):
                yield {
                    "kind": kind, "label": f"{kind}-{machine}-{segment}-{begins}",
                    "machine_id": machine, "segment": segment, "first": begins,
                    "last": min(begins + size - 1, last), "withdrawn": 0,
                    "at_ns": to_ns(START), "who": who.who, "audit_id": key,
                }  # fmt: skip


def exported(url: str, folder: Path, form: str, *wanted: str) -> tuple[float, float, float, int]:
    """Seconds, processor seconds, memory at most in MB, and bytes of one export as people do it."""
    argv = [sys.executable, "-m", "agent", "export", "--record", url, "--format", form, *wanted]
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=folder) as out:
        child = subprocess.Popen([*argv, "--out", out], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)  # of this child alone
        spent_s = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if status:
            raise SystemExit(f"the export to {form} failed")
        size = max(file.stat().st_size for file in Path(out).iterdir())
    return spent_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, size


def tell(what: str, spent: tuple[float, float, float, int]) -> None:
    """Print one export's figures."""
    spent_s, cpu_s, used_mb, size = spent
    print(
        f"{what}: {spent_s:.1f} s ({cpu_s:.1f} s of processor time), {used_mb:.0f} MB of memory, "
        f"{size / 1e6:.1f} MB",
        flush=True,
    )


def a_hundred_thousand(cycles: int, forms: list[str]) -> None:
    """Measure a record of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made(folder / "year.db", cycles)
        url = f"sqlite:///{folder}/year.db"
        for form in forms:
            mold = ["--mold", "M-01"] if form in ONE_MOLD else []
            rows = cycles // MACHINES if mold else cycles
            tell(f"{rows} cycles to {form}", exported(url, folder, form, *mold))
        middle = cycles // MACHINES // 2 // A_BOX * A_BOX + 1
        for form in forms:
            box = exported(url, folder, form, "--box", f"box-2-1-{middle}")
            tell(f"a box of {A_BOX} shots to {form}", box)


def a_year(kept: Path, boxes: int, forms: list[str]) -> None:
    """Measure any boxes of a year that was walked, and a hundred thousand cycles of it."""
    with tempfile.TemporaryDirectory(dir=kept) as name:
        folder = Path(name)
        shutil.copy(kept / "plant.db", folder)
        url = f"sqlite:///{folder}/plant.db"
        labels, many = packed(folder / "plant.db")
        chosen = random.Random(1).sample(labels, boxes)
        for form in forms:
            if form == "dfq":
                continue  # some of its presses show no value, and Q-DAS has nothing to describe
            came = [exported(url, folder, form, "--box", label) for label in chosen]
            tell(f"the slowest of {boxes} of {len(labels)} boxes to {form}", max(came))
        for form in (form for form in forms if form not in ONE_MOLD):
            tell(f"up to {CYCLES} cycles of a press to {form}", exported(url, folder, form, *many))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.exporting", description=__doc__)
    parser.add_argument("--cycles", type=int, default=CYCLES)
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--year", type=Path, metavar="FOLDER", help="of bench.moldyear --keep")
    parser.add_argument("--boxes", type=int, default=10, help="of the year, at random")
    args = parser.parse_args()
    forms = args.formats.split(",")
    if args.year:
        a_year(args.year, args.boxes, forms)
    else:
        a_hundred_thousand(args.cycles, forms)


if __name__ == "__main__":
    main()
