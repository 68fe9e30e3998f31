"""What changes all the time and is no row of its own, told to the plant record every two seconds.

That the agent lives, when it saw its machines last, how their connections do, what they refused.
"""

import asyncio
import logging
import socket
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from agent import schema
from agent.files import RecordError, reader
from agent.forward.settings import PlantSettings
from agent.plantrecord.making import refuse_other_version
from agent.plantrecord.tables import lease, member
from agent.plantrecord.taking import Ids, Taking
from agent.stages import WATCH
from drivers.errors import RefusedError as NoSecretError

log = logging.getLogger(__name__)

EVERY_S = 2.0

CLOCK = text("(extract(epoch from clock_timestamp()) * 1e9)::bigint")
"""The server's: the only one that all agents have in common."""


async def pulse(
    settings: PlantSettings, agent: str, path: Path, machines: Mapping[str, bool], site: str
) -> NoReturn:
    """Tell it until cancelled; a server that is away is the forwarder's to speak of.

    Args:
        settings: Of the sink.
        agent: Who we are.
        path: The main file of our record.
        machines: Those that are configured, and whether each is shared with other agents.
        site: What people call this agent's site.
    """
    told: dict[tuple[str, str], bytes] = {}
    while True:
        await asyncio.to_thread(_beat, settings, agent, path, machines, site, told)
        await asyncio.sleep(EVERY_S)


def _beat(
    settings: PlantSettings,
    agent: str,
    path: Path,
    machines: Mapping[str, bool],
    site: str,
    told: dict[tuple[str, str], bytes],
) -> None:
    try:
        engine = settings.address.engine()
        try:
            sent = dict(told)
            with engine.begin() as connection:
                refuse_other_version(connection, settings.address)
                _member(connection, agent, site)
                for row in _machines(path):
                    if row["name"] in machines:
                        _tell(connection, agent, machines, row, sent)
            told.update(sent)
        finally:
            engine.dispose()
    except (DBAPIError, RecordError, NoSecretError) as error:
        log.debug("%s: %s", settings.name, error)
    except Exception:
        # A mistake of ours must not cost the plant its record.
        log.exception("%s: its pulse failed", settings.name)


def _member(connection: Connection, agent: str, site: str) -> None:
    values = {
        "name": f"{site}, {socket.gethostname()}",
        "sprue": version("sprue"),
        "seen_ns": CLOCK,
    }
    statement = insert(member).values(agent=agent, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["agent"], set_=values))


def _machines(path: Path) -> list[dict[str, Any]]:
    """Our machines as our record has them, with what each refused."""
    engine = reader(path)
    try:
        with engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(select(schema.machine)).mappings()]
            for row in rows:
                refused = select(schema.refused).where(schema.refused.c.machine_id == row["id"])
                row["refused"] = {each.reason: each.n for each in connection.execute(refused)}
                kept = select(schema.saved).where(
                    schema.saved.c.machine_id == row["id"], schema.saved.c.stage.startswith(WATCH)
                )
                row["saved"] = [dict(each) for each in connection.execute(kept).mappings()]
            return rows
    finally:
        engine.dispose()


def _tell(
    connection: Connection,
    agent: str,
    machines: Mapping[str, bool],
    row: Mapping[str, Any],
    sent: dict[tuple[str, str], bytes],
) -> None:
    table, refused = schema.machine, schema.refused
    key = Taking(connection, Ids(), agent, machines).machine(row["name"])
    ours = select(lease.c.machine_id).where(lease.c.machine_id == key, lease.c.agent == agent)
    connection.execute(
        table.update()
        .where(table.c.id.in_(ours))
        .values(
            driver=row["driver"],
            condition=row["condition"],
            seen_ns=func.greatest(table.c.seen_ns, row["seen_ns"]),
        )
    )
    if machines[row["name"]]:
        # Each agent has refused its own; nobody knows how many there are together.
        if connection.execute(ours).first() is not None:
            _remember(connection, key, row, sent)
        return
    for reason, n in row["refused"].items():
        statement = insert(refused).values(machine_id=key, reason=reason, n=n)
        keys = ["machine_id", "reason"]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_={"n": n}))


def _remember(
    connection: Connection, key: int, row: Mapping[str, Any], sent: dict[tuple[str, str], bytes]
) -> None:
    """Keep what the watch remembers where the next agent finds it."""
    table = schema.saved
    for each in row["saved"]:
        at = row["name"], each["stage"]
        if sent.get(at) == each["body"]:
            continue
        new = {name: each[name] for name in ("segment", "counter", "body")}
        statement = insert(table).values(machine_id=key, stage=each["stage"], **new)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["machine_id", "stage"], set_=new)
        )
        sent[at] = each["body"]
