"""Short ways to a record that is forwarded, and to what a server has."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from agent.batch import Batch, MachineRow, MoldRow
from agent.cycle import Cycle
from agent.forward.forwarding import forward
from agent.forward.settings import AnySink, InfluxSettings
from agent.forward.standing import Standing, standings
from agent.ledger import Ledger
from agent.record import Record, open_record
from tests.agent.makers import cycle, ledger

PATIENCE_S = 60.0
MACHINES = [MachineRow(name="IMM-01", driver="modbus")]
MOLDS = [MoldRow(name="A-1")]


@dataclass
class Forwarded:
    """A record in a folder, its sinks, and the ledger that feeds it."""

    folder: Path
    record: Record
    book: Ledger

    @property
    def path(self) -> Path:
        return self.folder / "plant.db"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    async def mold(self, counters: Iterable[int], **changes: Any) -> None:
        """Keep cycles; on disk on return."""
        for n in counters:
            done = await self.keep(
                cycle(n, 20 * n, values={"cycle_time_s": 20 + n / 100}, **changes)
            )
        await done

    async def keep(self, one: Cycle) -> asyncio.Future[None]:
        batch = Batch(machine="IMM-01", entries=[self.book.take(one)])
        return await self.record.keep(batch)

    @asynccontextmanager
    async def to(self, *sinks: AnySink) -> AsyncGenerator[None]:
        """While inside, the record is forwarded."""
        task = asyncio.create_task(
            forward(sinks, self.record, self.path, lambda: datetime.now(UTC))
        )
        try:
            yield
            if task.done():
                task.result()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def standing(self) -> Standing | None:
        """Of its first sink; None where no agent was started with one yet."""
        return next(iter(standings(self.url)), None)


@asynccontextmanager
async def a_record(folder: Path) -> AsyncGenerator[Forwarded]:
    async with open_record(f"sqlite:///{folder}/plant.db", MACHINES, MOLDS) as record:
        yield Forwarded(folder, record, ledger())


def influxdb(url: str, **changes: Any) -> InfluxSettings:
    fields: dict[str, Any] = {"kind": "influxdb", "url": url, "org": "plant", "bucket": "molding"}
    return InfluxSettings.model_validate(fields | changes)


async def until(what: str, done: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again until something holds."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await done():  # noqa: ASYNC110 - another process has no event
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {PATIENCE_S:.0f} s: {what}") from None


class Influx:
    """Questions to InfluxDB 1.6, in a database of one's own."""

    def __init__(self, session: aiohttp.ClientSession, url: str, database: str) -> None:
        self._session = session
        self._url = url
        self.database = database

    async def ask(self, question: str) -> list[dict[str, Any]]:
        """Rows of the answer, as objects."""
        query = {"db": self.database, "q": question, "epoch": "ns"}
        async with self._session.post(f"{self._url}/query", params=query) as answer:
            (result,) = json.loads(await answer.text())["results"]
        assert "error" not in result, result
        return [
            dict(zip(series["columns"], values, strict=True))
            for series in result.get("series", [])
            for values in series["values"]
        ]

    async def counters(self) -> list[int]:
        """Counters of all cycles, in order of time."""
        return [row["counter"] for row in await self.ask("SELECT counter FROM sprue_cycle")]


async def victoria_samples(
    url: str, metric: str
) -> list[tuple[dict[str, str], list[float], list[int]]]:
    """Labels, values and times (ms) of every series of a metric."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/internal/force_flush"):
            pass
        query = {"match[]": metric}  # as queries see it, each sample once
        async with session.get(f"{url}/api/v1/export", params=query) as answer:
            rows: Sequence[Any] = [json.loads(line) for line in (await answer.text()).splitlines()]
    series: dict[str, tuple[dict[str, str], list[tuple[int, float]]]] = {}
    for row in rows:  # a series may come in several pieces
        _, samples = series.setdefault(json.dumps(row["metric"]), (row["metric"], []))
        samples += zip(row["timestamps"], row["values"], strict=True)
    return [
        (
            labels,
            [value for _, value in sorted(samples)],
            [time_ms for time_ms, _ in sorted(samples)],
        )
        for labels, samples in series.values()
    ]
