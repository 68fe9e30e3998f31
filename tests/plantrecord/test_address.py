"""What people are told when a plant record can't be used, and what no text of ours ever holds."""

import json
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from agent.__main__ import main
from agent.config import load
from agent.files import RecordError
from agent.history import open_history
from agent.place import ConfigError
from agent.plantrecord.address import address_of
from agent.plantrecord.making import make
from bench.postgres import PASSWORD, Postgres
from tests.plantrecord.agents import a_teller, plant_sink


def refusal(url: str) -> str:
    with pytest.raises(RecordError) as refused, open_history(url):
        pass
    assert PASSWORD not in str(refused.value)
    return str(refused.value)


def test_what_is_wrong_is_said_in_a_sentence(
    postgres: Postgres, plant_url: str, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is no record of Sprue's yet" in refusal(plant_url)
    assert "create it, then start again" in refusal(plant_url + "_not_there")
    assert "refused" in refusal(f"postgresql://sprue@127.0.0.1:{free_port}/plant")
    assert "should hold no password" in refusal(f"postgresql://sprue:{PASSWORD}@127.0.0.1/plant")
    assert "should be like postgresql://" in refusal("postgresql://")
    with address_of(plant_url).engine().begin() as connection:
        make(connection, address_of(plant_url))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert "'sprue plant upgrade' brings it up to date" in refusal(plant_url)
    with address_of(plant_url).engine().begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "use the Sprue that the other agents have" in refusal(plant_url)
    monkeypatch.setenv("PGPASSWORD", "a wrong one")
    assert 'password authentication failed for user "sprue"; set PGPASSWORD' in refusal(plant_url)


def test_without_its_library_it_says_which_one(
    plant_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "psycopg"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "'make postgresql', or install sprue[postgresql]" in refusal(plant_url)


def test_tables_of_something_else_are_left_alone(plant_url: str) -> None:
    address = address_of(plant_url)
    with address.engine().begin() as connection:
        connection.execute(text("CREATE TABLE machine (name TEXT)"))
    with (
        pytest.raises(RecordError, match="give the plant record a database of its own"),
        address.engine().begin() as connection,
    ):
        make(connection, address)


def test_certificates_are_checked_except_on_this_computer() -> None:
    address = plant_sink("postgresql://sprue@db.plant.example/plant").address
    assert address.parameters["sslmode"] == "verify-full"
    assert address.parameters["sslrootcert"] == "system"
    own = plant_sink("postgresql://sprue@db.plant.example/plant", tls="require").address
    assert own.parameters["sslmode"] == "require"
    near = plant_sink("postgresql://sprue@127.0.0.1/plant").address
    assert "sslmode" not in near.parameters


def test_a_configuration_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    config = tmp_path / "sprue.toml"
    machine = '[[machine]]\nname = "M"\ndriver = "modbus"\nhost = "127.0.0.1"\nmap = "retrofit"\n'
    config.write_text(
        machine + '[[forward]]\nkind = "postgresql"\nurl = "postgresql://a:secret@h/plant"\n'
    )
    with pytest.raises(ConfigError) as wrong:
        load(config)
    assert "forward[1].url" in str(wrong.value)
    assert "should hold no password" in str(wrong.value)


async def test_commands_read_a_plant_record(
    tmp_path: Path, plant_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with a_teller(tmp_path / "1") as teller, teller.to(plant_url):
        own = {"whole": 3, "half": 0.5, "word": "x", "yes": True, "cycle_time_s": 21.5}
        await teller.mold("IMM-01", range(1, 31), values=own)

    def lines(*words: str) -> list[dict[str, object]]:
        assert main([*words, "--record", plant_url, "--format", "json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [each["counter"] for each in lines("cycles", "--limit", "2")] == [29, 30]
    assert [each["shots"] for each in lines("molds")] == [30]
    assert [each["kept"] for each in lines("status")] == [30]
    assert lines("anomalies") == []
    export = ["export", "--machine", "IMM-01", "--format", "csv"]
    assert main([*export, "--out", str(tmp_path / "a"), "--record", teller.url]) == 0
    assert main([*export, "--out", str(tmp_path / "b"), "--record", plant_url]) == 0
    (ours,), (theirs,) = (tmp_path / "a").glob("*.csv"), (tmp_path / "b").glob("*.csv")
    assert theirs.read_bytes() == ours.read_bytes()
    assert main(["molds", "add", "B-2", "--cavities", "4", "--record", plant_url]) == 0
    assert main(["molds", "mount", "IMM-01", "B-2", "--record", plant_url]) == 0
    capsys.readouterr()
    assert main(["backup", "--record", plant_url]) == 1
    assert "this is about an agent's own" in capsys.readouterr().err
