"""How the agent does, told to a sink of line protocol every half minute.

No row of the record and nobody's evidence: while a sink is away nothing is told, and nothing waits.
"""

import asyncio
import logging
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector
from sqlalchemy import func, select
from sqlalchemy.exc import DatabaseError

from agent.files import RecordError, reader, trouble_of
from agent.forward.lines import Lines, Point, joined
from agent.forward.lineserver import open_sink
from agent.forward.measurements import HEALTH, LINK, SINK
from agent.forward.settings import LineSink
from agent.forward.sink import SinkError
from agent.forward.standing import standings
from agent.rows import from_ns, to_ns
from agent.schema import blind, machine, refused, run

log = logging.getLogger(__name__)

EVERY_S = 30.0


async def tell_vitals(
    settings: LineSink,
    path: Path,
    site: str,
    now: Callable[[], datetime],
    every_s: float = EVERY_S,
) -> NoReturn:
    """Tell it until cancelled; a sink that is away is the forwarder's to speak of.

    Args:
        settings: Of the sink.
        path: The main file of our record.
        site: What people call the site.
        now: Our clock.
        every_s: How often.
    """
    vitals = Vitals(path, f"{site}, {socket.gethostname()}")
    lines = Lines(settings.tags, texts=settings.texts)
    while True:
        await asyncio.sleep(every_s)
        try:
            points = await asyncio.to_thread(vitals.look, now())
            async with open_sink(settings) as sink:
                await sink.write(joined(map(lines.line, points)))
        except (SinkError, DatabaseError, RecordError, OSError) as error:
            log.debug("%s: %s", settings.name, error)
        except Exception:
            # A mistake of ours must not cost the plant its record.
            log.exception("%s: how we do could not be told", settings.name)


class Vitals:
    """Looks at a record, its disk and its process.

    Args:
        path: The record's main file.
        agent: Who we are, for a person.
    """

    def __init__(self, path: Path, agent: str) -> None:
        self._path = path
        self._agent = agent
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)

    def look(self, at: datetime) -> list[Point]:
        """How everything does now, as points; in a thread.

        Raises:
            RecordError: there is no such record.
        """
        links = list(self._links(at))
        return [self._health(at, links), *links, *self._sinks(at)]

    def _health(self, at: datetime, links: list[Point]) -> Point:
        process = self._process.get_sample_value
        return Point(
            measurement=HEALTH,
            tags={"agent": self._agent},
            fields={
                "machines": len(links),
                "machines_up": sum(link.fields["up"] == 1 for link in links),
                "record_writable": int(not trouble_of(self._path)),
                "disk_free_bytes": shutil.disk_usage(self._path.parent).free,
                "memory_bytes": process("process_resident_memory_bytes"),
                "processor_s": process("process_cpu_seconds_total"),
            },
            time_ns=to_ns(at),
        )

    def _links(self, at: datetime) -> Iterator[Point]:
        lost = select(refused.c.machine_id, func.sum(refused.c.n)).group_by(refused.c.machine_id)
        unseen = select(run.c.machine_id, func.sum(run.c.unobserved)).group_by(run.c.machine_id)
        engine = reader(self._path)
        try:
            with engine.connect() as connection:
                rows = connection.execute(select(machine)).all()
                down = set(
                    connection.execute(
                        select(blind.c.machine_id).where(blind.c.until_ns.is_(None))
                    ).scalars()
                )
                refusals = {key: int(n) for key, n in connection.execute(lost)}
                unobserved = {key: int(n or 0) for key, n in connection.execute(unseen)}
        finally:
            engine.dispose()
        for row in rows:
            seen_at = from_ns(row.seen_ns) if row.seen_ns is not None else None
            yield Point(
                measurement=LINK,
                tags={"machine": row.name},
                fields={
                    "up": int(seen_at is not None and row.id not in down),
                    "seen_age_s": max(0.0, (at - seen_at).total_seconds()) if seen_at else None,
                    "refused": refusals.get(row.id, 0),
                    "unobserved": unobserved.get(row.id, 0),
                },
                time_ns=to_ns(at),
            )

    def _sinks(self, at: datetime) -> Iterator[Point]:
        for each in standings(f"sqlite:///{self._path}"):
            oldest_s = (at - each.oldest_at).total_seconds() if each.oldest_at else 0.0
            yield Point(
                measurement=SINK,
                tags={"agent": self._agent, "sink": each.name},
                fields={
                    "up": int(each.trouble is None),
                    "rows": each.rows,
                    "oldest_age_s": max(0.0, oldest_s),
                    "letters": each.letters,
                },
                time_ns=to_ns(at),
            )
