"""A PostgreSQL for the tests of the plant record."""

from collections.abc import Generator

import pytest

from bench.postgres import PASSWORD, MissingError, Postgres


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres]:
    try:
        server = Postgres()
    except MissingError as error:
        pytest.skip(str(error))
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def plant_url(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database of the test's own, whose password the environment holds."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    return postgres.database()
