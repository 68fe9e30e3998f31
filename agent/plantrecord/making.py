"""Makes a plant record in an empty database, and refuses one of another version."""

from uuid import uuid4

from sqlalchemy import Connection, Inspector, func, inspect, select, text

from agent import schema
from agent.files import RecordError
from agent.migrations import is_known, upgrade
from agent.plantrecord.address import Address
from agent.plantrecord.tables import HYPERTABLES, TIMED_KEYS, TRIGGERS, changes, plant

MAKING = 0x5350525545  # one at a time, whoever begins


def make(connection: Connection, address: Address) -> None:
    """Make the tables where the database has none.

    Args:
        connection: Within a transaction.
        address: For words.

    Raises:
        RecordError: it holds something else, or another version's record.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MAKING})
    if version(connection) is None:
        _refuse_others(inspect(connection), address)
        create(connection, timed=_has_timescale(connection))
        if _has_timescale(connection):
            for statement in HYPERTABLES:
                connection.execute(text(statement))
    refuse_other_version(connection, address)


def create(connection: Connection, *, timed: bool = False) -> None:
    """Make the tables of this version.

    Args:
        connection: To a database without them.
        timed: With keys as hypertables need them.
    """
    plant.create_all(connection)
    for statement in TRIGGERS:
        connection.execute(text(statement))
    for statement in TIMED_KEYS if timed else ():
        connection.execute(text(statement))
    identity = plant.tables["identity"]
    connection.execute(identity.insert().values(name="agent", value=f"plant-{uuid4().hex}"))
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
    stamp = text("INSERT INTO alembic_version VALUES (:version)")
    connection.execute(stamp, {"version": schema.VERSION})


def version(connection: Connection) -> str | None:
    """The version of its tables; None where there are none."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def refuse_other_version(connection: Connection, address: Address) -> None:
    """Leave alone what another version of Sprue wrote.

    Raises:
        RecordError: it is another version's, or none of ours.
    """
    found = version(connection)
    if found is None:
        raise RecordError(
            f"record: {address.place} is no record of Sprue's yet; the first agent that forwards "
            "to it makes it"
        )
    if found != schema.VERSION:
        older = is_known(found, "main")
        raise RecordError(
            f"record: {address.place} has schema {found}, this Sprue knows {schema.VERSION}; "
            + (
                "'sprue plant upgrade' brings it up to date, once it is backed up"
                if older
                else "use the Sprue that the other agents have, or a newer one"
            )
        )


def bring_up_to_date(connection: Connection, address: Address) -> str | None:
    """Migrate a plant record of an older version.

    Args:
        connection: Open, outside a transaction.
        address: For words.

    Returns:
        The version before; None where nothing was to be done.

    Raises:
        RecordError: it is none, or a newer one's.
    """
    with connection.begin():
        found = version(connection)
    if found == schema.VERSION:
        return None
    if found is None or not is_known(found, "main"):
        with connection.begin():
            refuse_other_version(connection, address)
    upgrade(connection, "main", lambda _version: None)
    with connection.begin():
        _complete(connection)
    return found


def _complete(connection: Connection) -> None:
    """Add what a plant record has beside every record's tables, and an older one had not yet."""
    found = inspect(connection)
    counts = not found.has_sequence(changes.name)
    for table in set(found.get_table_names()) & set(plant.tables):
        for column in found.get_columns(table):
            if getattr(column["type"], "length", None):  # of a migration: lengths are SQLite's
                connection.execute(
                    text(f'ALTER TABLE "{table}" ALTER COLUMN "{column["name"]}" TYPE text')
                )
    plant.create_all(connection)
    if counts:  # it goes on behind what older agents have counted
        newest = [
            connection.execute(select(func.max(table.c.changed))).scalar() or 0
            for table in plant.sorted_tables
            if "changed" in table.c
        ]
        connection.execute(select(func.setval(changes.name, max(1, *newest))))


def agent_of(connection: Connection) -> str:
    """The plant record's own name as one that writes: what people enter there is its."""
    identity = schema.identity
    query = select(identity.c.value).where(identity.c.name == "agent")
    return str(connection.execute(query).scalar_one())


def _has_timescale(connection: Connection) -> bool:
    query = text("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'")
    return bool(connection.execute(query).scalar())


def _refuse_others(found: Inspector, address: Address) -> None:
    taken = sorted(set(found.get_table_names()) & set(plant.tables))
    if taken:
        raise RecordError(
            f"record: {address.place} has tables of something else ({', '.join(taken[:3])}); give "
            "the plant record a database of its own"
        )
