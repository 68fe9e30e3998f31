"""What an agent has to know of a machine that another one has followed until now."""

from functools import partial

from sqlalchemy import Connection, select

from agent.batch import Blind, Saved
from agent.files import RecordError
from agent.forward.settings import PlantSettings
from agent.history import cycles_since, standing_of
from agent.plantrecord.address import telling
from agent.plantrecord.reading import curves_from
from agent.record import Before
from agent.rows import from_ns
from agent.schema import blind, machine, saved
from agent.stages import WATCH
from drivers.errors import RefusedError as NoSecretError


def read_before(settings: PlantSettings, name: str) -> Before:
    """How a machine stands by the plant record, as an agent's own record would say it.

    Its ledger goes on from the rows that are there: what the agent before has not told yet is
    counted by the machine's own counter.

    Raises:
        RecordError: the server is away.
    """
    try:
        address = settings.address
    except NoSecretError as error:
        raise RecordError(str(error)) from error
    engine = address.engine(
        options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    )
    try:
        with telling(address), engine.connect() as connection:
            return _before(connection, name)
    finally:
        engine.dispose()


def _before(connection: Connection, name: str) -> Before:
    row = connection.execute(select(machine).where(machine.c.name == name)).first()
    if row is None:
        raise RecordError(f"record: the plant record knows no machine {name} yet")
    open_ = connection.execute(
        select(blind).where(blind.c.machine_id == row.id, blind.c.until_ns.is_(None))
    ).first()
    remembered = select(saved).where(saved.c.machine_id == row.id, saved.c.stage.startswith(WATCH))
    memory = [
        Saved(stage=each.stage, body=each.body, segment=each.segment, counter=each.counter)
        for each in connection.execute(remembered)
    ]
    return Before(
        standing=standing_of(connection, name),
        seen_at=from_ns(row.seen_ns) if row.seen_ns is not None else None,
        blind=Blind(
            machine=name,
            since=from_ns(open_.since_ns),
            until=None,
            cause=open_.cause,
            why=open_.why,
        )
        if open_
        else None,
        memory=memory,
        told=True,
        since=[
            each
            for one in memory
            if one.stage == WATCH
            for each in cycles_since(connection, name, one, partial(curves_from, connection))
        ],
    )
