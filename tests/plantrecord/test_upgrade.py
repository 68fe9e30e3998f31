"""A plant record of the first Sprue that had one, brought up to date and gone on with."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect

from agent import schema
from agent.__main__ import main
from agent.history import Filter, open_history
from agent.molds.life import sum_of
from agent.molds.shelf import read_took
from agent.plantrecord.address import address_of
from agent.plantrecord.making import make, version
from bench.postgres import Postgres
from tests.plantrecord.agents import a_teller

OLD = Path(__file__).parent / "plant-0014.sql"


def load_old(postgres: Postgres, url: str) -> None:
    with postgres.connect(url.rpartition("/")[2]) as connection:
        connection.execute(OLD.read_text(encoding="utf-8").encode())


def shape(engine: Engine) -> dict[str, Any]:
    """Tables with what they are made of, in no order but the columns' names'."""
    found = inspect(engine)
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"])
                for column in found.get_columns(table)
            },
            "key": set(found.get_pk_constraint(table)["constrained_columns"]),
            "unique": {tuple(each["column_names"]) for each in found.get_unique_constraints(table)},
            "indexes": {
                (tuple(map(str, each["column_names"])), each["unique"])
                for each in found.get_indexes(table)
            },
        }
        for table in found.get_table_names()
    } | {"sequences": set(found.get_sequence_names())}


def test_it_is_then_made_like_a_new_one(
    postgres: Postgres, plant_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    load_old(postgres, plant_url)
    assert main(["molds", "list", "--record", plant_url]) == 1
    assert "'sprue plant upgrade' brings it up to date" in capsys.readouterr().err

    assert main(["plant", "upgrade", "--record", plant_url]) == 0
    assert "had schema 0014, and is up to date now" in capsys.readouterr().out
    assert main(["plant", "upgrade", "--record", plant_url]) == 0
    assert "is up to date" in capsys.readouterr().out

    address = address_of(plant_url)
    upgraded = shape(address.engine())
    with address.engine().connect() as connection:
        assert version(connection) == schema.VERSION
    with open_history(plant_url) as history, history.connect() as connection:
        assert [each.cycle.counter for each in history.cycles(Filter())] == [1, 2, 3, 4, 5]
        (took,) = read_took(connection).values()
    assert sum_of(took).shots == 5

    postgres.database()  # empties it
    with address.engine().begin() as connection:
        make(connection, address)
    assert upgraded == shape(address.engine())


async def test_agents_go_on_filling_it(postgres: Postgres, plant_url: str, tmp_path: Path) -> None:
    load_old(postgres, plant_url)
    assert main(["plant", "upgrade", "--record", plant_url]) == 0

    async with a_teller(tmp_path / "new", ["IMM-02"]) as teller:
        await teller.mold("IMM-02", range(1, 4))
        async with teller.to(plant_url):
            pass

    with open_history(plant_url) as history, history.connect() as connection:
        assert history.count(Filter(machine="IMM-02")) == 3
        (took,) = read_took(connection).values()
    assert sum_of(took).shots == 8
