"""The plant record as a sink: rows of one topic are taken in one transaction, or not at all."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from agent.files import RecordError
from agent.forward.settings import PlantSettings
from agent.forward.sink import LaterError, Parcel, RefusedError
from agent.plantrecord.address import words
from agent.plantrecord.counting import settle
from agent.plantrecord.making import make
from agent.plantrecord.packing import unpack
from agent.plantrecord.taking import Ids, MissingError, Taking
from drivers.errors import RefusedError as NoSecretError


@asynccontextmanager
async def open_plant_sink(
    settings: PlantSettings, agent: str, machines: Mapping[str, bool]
) -> AsyncGenerator["PlantSink"]:
    """Connect, and make the tables where there are none.

    Args:
        settings: Of the sink.
        agent: Id of the agent whose record is forwarded.
        machines: Its configured ones, and whether it shares each with other agents.

    Raises:
        LaterError: the server is away, or lets us not in, or holds something else.
    """
    try:
        address = settings.address
        engine = address.engine()
    except (RecordError, NoSecretError) as error:
        raise LaterError(str(error)) from error

    def connect() -> Connection:
        connection = engine.connect()
        try:
            with connection.begin():
                make(connection, address)
        except BaseException:
            connection.close()
            raise
        return connection

    # One thread, so that nothing is closed while it is in use.
    with ThreadPoolExecutor(1, "plant record") as thread:
        loop = asyncio.get_running_loop()
        try:
            connection = await loop.run_in_executor(thread, connect)
        except DBAPIError as error:
            raise LaterError(words(error), cut=True) from error
        except RecordError as error:
            raise LaterError(str(error)) from error
        try:
            yield PlantSink(connection, thread, agent, machines)
        finally:
            await loop.run_in_executor(thread, _let_go, connection)


def _let_go(connection: Connection) -> None:
    with suppress(DBAPIError):  # it may have ended already
        connection.close()


class PlantSink:
    """A plant record that takes rows; `open_plant_sink` makes one."""

    def __init__(
        self,
        connection: Connection,
        thread: ThreadPoolExecutor,
        agent: str,
        machines: Mapping[str, bool],
    ) -> None:
        self._connection = connection
        self._thread = thread
        self._agent = agent
        self._machines = machines
        self._ids = Ids()

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """Take rows of one topic; on return they are on the server's disk.

        Raises:
            SinkError: it has not taken them.
        """
        wanted = [parcel for parcel in parcels if parcel.body]
        if wanted:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._take, wanted)

    async def started(self) -> None:
        """What it has said to have stored is stored."""

    def ignored(self) -> None:
        """It throws nothing away."""

    async def reach(self) -> None:
        """Its tables are there and can be written to, or it would not be open."""

    def _take(self, parcels: Sequence[Parcel]) -> None:
        ids = self._ids.copy()
        try:
            with self._connection.begin():
                taking = Taking(self._connection, ids, self._agent, self._machines)
                taking.take(parcels[0].topic, [unpack(parcel.body) for parcel in parcels])
                settle(self._connection, taking.touched)
        except (RecordError, MissingError) as error:
            raise LaterError(str(error)) from error
        except DataError as error:
            raise RefusedError(words(error)) from error
        except IntegrityError as error:
            state = getattr(error.orig, "sqlstate", None) or ""
            if state in RACES:  # another one's transaction came first; it is there at the next try
                raise LaterError(words(error)) from error
            raise RefusedError(words(error)) from error
        except DBAPIError as error:
            raise LaterError(words(error), cut=True) from error
        self._ids = ids


RACES = ("23505", "23503")
"""SQLSTATE of a key that is there already, and of one that is not."""
