"""Reading and changing a plant record through the same functions as an agent's own record."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, select

from agent.cycle import Booked, Curve
from agent.plantrecord.address import address_of, telling
from agent.plantrecord.making import refuse_other_version
from agent.rows import from_ns
from agent.schema import curve, identity


@contextmanager
def open_reader(url: str) -> Iterator[Engine]:
    """An engine whose connections only read, each as of one moment.

    Raises:
        RecordError: the server is away, or lets us not in, or holds no record of this version.
    """
    address = address_of(url)
    engine = address.engine(
        options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    )
    try:
        with telling(address):
            with engine.connect() as connection:
                refuse_other_version(connection, address)
            yield engine
    finally:
        engine.dispose()


@contextmanager
def change_plant(url: str) -> Iterator[Connection]:
    """One transaction of a person's; kept as a whole, or not at all where it fails.

    Raises:
        RecordError: the server is away, or lets us not in, or holds no record of this version.
    """
    address = address_of(url)
    engine = address.engine()
    try:
        with telling(address), engine.begin() as connection:
            refuse_other_version(connection, address)
            hold(connection)
            yield connection
    finally:
        engine.dispose()


def hold(connection: Connection) -> None:
    """Let nobody else change what sums rest on until this transaction ends."""
    connection.execute(select(identity.c.value).where(identity.c.name == "agent").with_for_update())


def curves_from(connection: Connection, booked: Booked) -> dict[str, Curve]:
    """The curves of one cycle; none where its agents don't forward them."""
    from agent.curves import decode

    query = select(curve).where(
        curve.c.machine == booked.cycle.machine,
        curve.c.segment == booked.segment,
        curve.c.counter == booked.cycle.counter,
    )
    return {
        row.signal: decode(row.data, from_ns(row.started_ns)) for row in connection.execute(query)
    }
