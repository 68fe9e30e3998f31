"""Servers, records and sinks for the tests of forwarders."""

from collections.abc import AsyncGenerator, Generator
from itertools import count
from pathlib import Path

import aiohttp
import pytest

from tests.forward.forwarded import Forwarded, Influx, a_record
from tests.forward.servers import Server, influx_server, victoria_server
from tests.forward.v2 import v2_before

NUMBERS = count()


@pytest.fixture(scope="session")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """InfluxDB 1.6, running; databases are a test's own."""
    server = influx_server(tmp_path_factory.mktemp("influx"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def influx_v2(influx: Server) -> AsyncGenerator[str]:
    """URL of the same server with the v2 write call before it."""
    async with v2_before(influx.url) as url:
        yield url


@pytest.fixture
def victoria(tmp_path: Path) -> Generator[Server]:
    """A VictoriaMetrics of the test's own, that may be killed; not started yet."""
    folder = tmp_path / "victoria"
    folder.mkdir()
    server = victoria_server(folder)
    yield server
    server.stop()


@pytest.fixture
async def database(influx: Server) -> AsyncGenerator[Influx]:
    """A database of the test's own."""
    async with aiohttp.ClientSession() as session:
        found = Influx(session, influx.url, f"test_{next(NUMBERS)}")
        await found.ask(f'CREATE DATABASE "{found.database}"')
        yield found
        await found.ask(f'DROP DATABASE "{found.database}"')


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncGenerator[Forwarded]:
    """A record without a cycle."""
    async with a_record(tmp_path) as found:
        yield found
