"""Molds that are entered before any agent has run: they make the record, and the agent goes on."""

import json
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.audit import change
from agent.batch import Batch
from agent.config import load
from agent.entry import Mount
from agent.molds.shelf import mounted, read_molds
from agent.molds.timeline import PERSON
from agent.record import open_record
from tests.agent.makers import at, cycle, ledger
from tests.line.harness import Agent, until
from tests.molds.test_molds import shots_by

CONFIG = """
[record]
url = "sqlite:///plant.db"
[web]
listen = "127.0.0.1:0"
[[machine]]
name = "IMM-01"
driver = "modbus"
host = "127.0.0.1"
port = 1
map = "retrofit-plc"
[[mold]]
id = "A-1"
part = "Lid, by the file"
planned_shots = 5000
"""
LIST = "mold;part;resin;shots\nA-1;Lid, by the list;ABS;1.200\nB-2;Cup;PP;40\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sprue.toml"
    path.write_text(CONFIG, encoding="utf-8")
    (tmp_path / "molds.csv").write_text(LIST, encoding="utf-8")
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_a_list_imported_first_makes_the_record_that_the_agent_goes_on_with(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--config", str(config)]
    assert main(["molds", "import", str(tmp_path / "molds.csv"), *where]) == 0
    assert main(["molds", "mount", "IMM-01", "B-2", "--since", at(0).isoformat(), *where]) == 0

    loaded = load(config)
    book = ledger()
    async with open_record(loaded.record_url, loaded.machine_rows, loaded.mold_rows) as record:
        mold = record.shelf.molds["A-1"]
        word = mounted(record.shelf.words)["IMM-01"]
        book.seat(
            Mount(machine="IMM-01", mold="B-2", revision="A", since=word.since, source=PERSON)
        )
        for n in (1, 2, 3, 4):
            entries = [book.take(cycle(n, 20 * n, mold=None))]
            done = await record.keep(Batch(machine="IMM-01", entries=entries))
        await done
    assert (mold.part, mold.planned_shots) == ("Lid, by the list", 5000), "a person's word stays"
    assert shots_by(loaded.record_url)[("A-1", "A")] == 1200
    assert shots_by(loaded.record_url)[("B-2", "A")] == 40 + 4

    capsys.readouterr()
    assert main(["molds", "list", "--format", "json", *where]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["mold"]: line["machine"] for line in lines if line["mold"]} == {
        "A-1": None,
        "B-2": "IMM-01",
    }


async def test_sprue_run_goes_on_with_such_a_record(config: Path, tmp_path: Path) -> None:
    assert main(["molds", "add", "C-3", "--part", "Hook", "--config", str(config)]) == 0
    agent = Agent(config, tmp_path / "agent.log")

    def molds() -> dict[str, str | None]:
        with change(agent.url) as connection:
            return {name: mold.part for name, mold in read_molds(connection).items()}

    assert molds() == {"C-3": "Hook"}
    await agent.start()
    try:
        await until("the file's mold is there", lambda: "A-1" in molds())
        status, _took = await agent.stop()
    finally:
        if agent.process is not None:
            await agent.kill()
    assert (status, molds()) == (0, {"A-1": "Lid, by the file", "C-3": "Hook"})


@pytest.mark.parametrize("text", ["mold;shots\nA-1;many\n", "mold;shots\nA-1;5\nA-1;6\n"])
def test_a_list_with_mistakes_makes_nothing(
    config: Path, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "molds.csv").write_text(text, encoding="utf-8")

    assert main(["molds", "import", str(tmp_path / "molds.csv"), "--config", str(config)]) == 1

    assert "nothing was imported" in capsys.readouterr().err
    assert names(tmp_path) <= {"sprue.toml", "molds.csv", "plant.db.lock"}


def test_a_dry_run_and_a_list_make_nothing_at_all(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--config", str(config)]
    assert main(["molds", "import", str(tmp_path / "molds.csv"), "--dry-run", *where]) == 0
    assert "2 molds would be registered" in capsys.readouterr().out
    assert main(["molds", "list", *where]) == 0
    assert "plant.db yet" in capsys.readouterr().err
    assert names(tmp_path) == {"sprue.toml", "molds.csv"}


def test_a_record_without_a_folder_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/nowhere/plant.db"

    assert main(["molds", "add", "A-1", "--record", url]) == 1

    assert "nowhere of plant.db does not exist" in capsys.readouterr().err
