"""A PostgreSQL that proves itself by a certificate, and others that can't."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from agent.__main__ import main
from bench.postgres import Postgres
from tests.forward.forwarded import until
from tests.plantrecord.agents import a_teller
from tests.plantrecord.authority import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca.pem", "Plant CA")


@pytest.fixture
def secured(postgres: Postgres, authority: Authority) -> Generator[None]:
    """The server has a certificate for `localhost` only."""
    postgres.secure(*authority.sign("localhost"))
    yield
    postgres.secure(None, None)


async def is_secure(postgres: Postgres) -> bool:
    """Whether there are connections of agents, and all of them by TLS."""
    with postgres.connect("postgres") as connection:
        rows = connection.execute(
            "SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity USING (pid) "
            "WHERE application_name = 'sprue'"
        ).fetchall()
    return set(rows) == {(True,)}


def by_name(url: str) -> str:
    return url.replace("127.0.0.1", "localhost")


async def test_everything_goes_by_tls_to_the_server_that_is_meant(
    postgres: Postgres, plant_url: str, secured: None, authority: Authority, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    checked: dict[str, Any] = {"tls": "verify-full", "ca": str(authority.path)}
    async with a_teller(tmp_path / "one") as teller:
        await teller.mold("IMM-01", range(1, 6))
        async with teller.to(by_name(plant_url), **checked):
            await until("it is connected", lambda: is_secure(postgres))

    asked = f"{by_name(plant_url)}?sslmode=verify-full&sslrootcert={authority.path}"
    assert main(["cycles", "--record", asked, "--format", "json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5


@pytest.mark.parametrize("wrong", ["name", "authority", "none"])
async def test_one_that_can_not_prove_itself_is_told_nothing(
    wrong: str, postgres: Postgres, plant_url: str, authority: Authority, secured: None,
    tmp_path: Path,
) -> None:  # fmt: skip
    ca, url = authority.path, by_name(plant_url)
    if wrong == "name":
        url = plant_url  # 127.0.0.1 is not in its certificate
    elif wrong == "authority":
        ca = Authority(tmp_path / "other.pem", "Another CA").path
    else:
        postgres.secure(None, None)
    words = {
        "name": "does not match host name",
        "authority": "certificate verify failed",
        "none": "server does not support SSL",
    }
    async with a_teller(tmp_path / "one") as teller:
        await teller.mold("IMM-01", range(1, 6))
        async with teller.to(url, tls="verify-full", ca=str(ca), wait=False):
            await until("the trouble is told", teller.is_in_trouble)
            assert words[wrong] in (teller.trouble() or "")
    with postgres.connect("postgres") as connection:
        tables = connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchone()
    assert tables == (0,)
