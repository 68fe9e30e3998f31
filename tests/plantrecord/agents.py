"""Agents' records in a test's own process, each forwarded to a plant record."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, select

from agent.batch import Batch, MachineRow, MoldRow
from agent.forward.forwarding import forward
from agent.forward.settings import PlantSettings
from agent.forward.standing import standings
from agent.history import open_history
from agent.ledger import Ledger, Standing
from agent.plantrecord.topics import PLANT_TOPICS
from agent.record import Record, open_record
from agent.schema import lane
from tests.agent.makers import cycle
from tests.forward.forwarded import until


def plant_sink(url: str, **changes: Any) -> PlantSettings:
    return PlantSettings.model_validate({"kind": "postgresql", "url": url} | changes)


@dataclass
class Teller:
    """An agent's record with one machine or more, and the ledgers that feed it."""

    folder: Path
    record: Record
    books: dict[str, Ledger] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.folder / "agent.db"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    async def mold(self, machine: str, counters: Iterable[int], **changes: Any) -> None:
        """Keep cycles; on disk on return."""
        book = self.books.setdefault(
            machine, Ledger(machine, Standing(), lambda mold: self.record.revision_of(mold))
        )
        for n in counters:
            values = {"cycle_time_s": 20 + n / 100}
            one = cycle(n, 20 * n, machine=machine, **({"values": values} | changes))
            done = await self.record.keep(Batch(machine=machine, entries=[book.take(one)]))
        await done

    @asynccontextmanager
    async def to(
        self,
        url: str,
        machines: dict[str, bool] | None = None,
        *,
        wait: bool = True,
        **changes: Any,
    ) -> AsyncGenerator[None]:
        """While inside, the record is forwarded; in the end it is waited for what is left."""
        task = asyncio.create_task(
            forward(
                [plant_sink(url, **changes)], self.record, self.path, lambda: datetime.now(UTC),
                machines or {},
            )
        )  # fmt: skip
        try:
            yield
            if wait:
                await until("everything is told", self.is_told)
            if task.done():
                task.result()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def is_told(self) -> bool:
        return await asyncio.to_thread(self._is_told)

    def _is_told(self) -> bool:
        with open_history(self.url) as history, history.connect() as connection:
            lanes = connection.execute(select(func.count()).select_from(lane)).scalar_one()
        found = standings(self.url)
        return lanes >= len(PLANT_TOPICS) and all(not each.waiting for each in found)

    async def is_in_trouble(self) -> bool:
        found = await asyncio.to_thread(standings, self.url)
        return any(each.trouble for each in found)

    def trouble(self) -> str | None:
        """Why its sink takes nothing."""
        (found,) = standings(self.url)
        return found.trouble

    async def forget_lanes(self) -> None:
        """Everything goes to the sinks again, from the first row on."""

        def forget(connection: Connection) -> None:
            connection.execute(delete(lane))

        await (await self.record.change(forget))


@asynccontextmanager
async def a_teller(
    folder: Path, machines: Iterable[str] = ("IMM-01",), molds: Iterable[MoldRow] = ()
) -> AsyncGenerator[Teller]:
    folder.mkdir(exist_ok=True)
    rows = [MachineRow(name=name, driver="modbus") for name in machines]
    async with open_record(f"sqlite:///{folder}/agent.db", rows, molds) as record:
        yield Teller(folder, record)
