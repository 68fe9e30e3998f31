"""What one scrape of /metrics costs, with many machines and a long past.

python -m bench.scraping --machines 200 --cycles 1000000
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from agent import schema
from agent.audit import change
from agent.batch import MachineRow
from agent.history import open_history
from agent.live import Plant, Site, Tile
from agent.record import open_record
from agent.rows import to_ns
from dashboards.metrics import Metrics

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CHUNK = 20_000


async def made(folder: Path, machines: int, cycles: int) -> str:
    """A record with cycles, spread over the machines."""
    url = f"sqlite:///{folder}/bench.db"
    rows = [MachineRow(name=f"M-{n:03}", driver="modbus") for n in range(machines)]
    async with open_record(url, rows):
        pass
    with change(url) as connection:
        connection.execute(insert(schema.provenance).values(id=1, body="{}"))
        for first in range(0, cycles, CHUNK):
            connection.execute(
                insert(schema.cycle),
                [
                    {
                        "machine_id": 1 + n % machines, "segment": 1, "counter": n // machines,
                        "time_ns": to_ns(AT + timedelta(seconds=n / 10)), "received_ns": to_ns(AT),
                        "time_uncertainty_s": 0.0, "closing": "shot", "state": "production",
                        "flags": "", "provenance_id": 1, "cycle_time_s": 20.0,
                    }
                    for n in range(first, min(first + CHUNK, cycles))
                ],
            )  # fmt: skip
    return url


def measure(url: str, machines: int, scrapes: int) -> None:
    """Scrape, and print what it cost."""
    tiles = [Tile(machine=f"M-{n:03}", label=str(n)) for n in range(machines)]
    metrics = Metrics(Plant(Site(name="Bench", timezone="UTC"), tiles, lambda: AT))
    spent, sizes = [], []
    for _ in range(scrapes + 1):
        began = time.process_time()
        with open_history(url) as history:
            found = metrics.read(history, url, AT)
        sizes.append(len(metrics.text(found, "")))
        spent.append(1000 * (time.process_time() - began))
    print(f"machines {machines}, answer {sizes[-1] / 1000:.0f} kB")
    print(f"first scrape {spent[0]:.0f} ms of processor time")
    print(f"each after it {statistics.median(spent[1:]):.1f} ms (worst {max(spent[1:]):.1f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=200)
    parser.add_argument("--cycles", type=int, default=1_000_000)
    parser.add_argument("--scrapes", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sprue-scraping-") as name:
        where = asyncio.run(made(Path(name), args.machines, args.cycles))
        measure(where, args.machines, args.scrapes)
