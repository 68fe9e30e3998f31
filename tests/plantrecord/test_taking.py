"""What agents tell a plant record is there once, and read by the functions that read a record."""

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from agent.__main__ import main as command
from agent.audit import Author, change
from agent.batch import MoldRow
from agent.cycle import Curve
from agent.forward.standing import standings
from agent.history import Filter, open_history
from agent.molds.desk import Desk
from agent.molds.servicelog import Service
from agent.molds.shelf import Shelf, read_shelf
from agent.plantrecord.address import address_of
from agent.plantrecord.making import create
from agent.plantrecord.topics import PLANT_TOPICS
from agent.schema import main
from bench.postgres import Postgres
from tests.agent.makers import at
from tests.forward.forwarded import until
from tests.plantrecord.agents import a_teller

MOLD = MoldRow(name="A-1", fields={"cavities": 2, "planned_shots": 100_000})


def shelf_of(url: str) -> Shelf:
    with open_history(url) as history, history.connect() as connection:
        return read_shelf(connection)


def a_curve() -> Curve:
    t_s = np.arange(400) / 100
    return Curve(started_at=at(0), t_s=t_s, values=np.round(100 * np.sin(t_s)) / 10, resolution=0.1)


async def test_a_record_reads_the_same_however_often_it_is_told(
    tmp_path: Path, plant_url: str
) -> None:
    curves = {"injection_pressure_bar": a_curve()}
    async with a_teller(tmp_path / "one", molds=[MOLD]) as teller:
        async with teller.to(plant_url):
            await teller.mold("IMM-01", range(1, 60), job="J-7")
            await teller.mold("IMM-01", range(64, 70), curves=curves)
            with change(teller.url) as connection:
                desk = Desk(connection, Author(who="M. Ortiz", at=at(3000)))
                desk.service(Service(mold="A-1", kind="service", level=3, at=at(400), what="vents"))
                desk.edit("A-1", {"alloy": "QC-10"})
                desk.correct("A-1", 7, "counted by hand")
                desk.revise("A-1", since=at(1290), reason="re-cut")
        await teller.forget_lanes()
        async with teller.to(plant_url):
            pass

        with open_history(teller.url) as ours, open_history(plant_url) as theirs:
            assert list(theirs.cycles(Filter())) == list(ours.cycles(Filter()))
            assert theirs.runs() == ours.runs()
            assert theirs.segments("IMM-01") == ours.segments("IMM-01")
            (last,) = theirs.cycles(Filter(), newest=1)
            (name, curve), *_ = theirs.curves(last).items()
            assert name == "injection_pressure_bar"
            assert np.array_equal(curve.values, ours.curves(last)[name].values)
        ours_, theirs_ = shelf_of(teller.url), shelf_of(plant_url)
    assert theirs_.took == ours_.took
    assert theirs_.molds == ours_.molds
    assert [each.shots for each in theirs_.services["A-1"]] == [20]
    assert [each.what for each in theirs_.services["A-1"]] == ["vents"]
    assert theirs_.words == ours_.words


def rows_of(url: str, question: str) -> list[tuple[object, ...]]:
    with address_of(url).engine().connect() as connection:
        return [tuple(row) for row in connection.execute(text(question))]


async def test_a_mold_on_three_agents_presses_has_one_life(tmp_path: Path, plant_url: str) -> None:
    """Each agent knows its own part; a re-cut that one entered is a re-cut for all."""
    async with AsyncExitStack() as stack:
        tellers = [
            await stack.enter_async_context(a_teller(tmp_path / name, [f"IMM-{name}"], [MOLD]))
            for name in ("1", "2", "3")
        ]
        for n, teller in enumerate(tellers, 1):
            async with teller.to(plant_url):
                begin = 1000 * n  # its press's counter; the mold comes to it at that time
                await teller.mold(f"IMM-{n}", range(begin, begin + 100))
            if n == 1:
                with change(teller.url) as connection:
                    desk = Desk(connection, Author(who="M. Ortiz", at=at(2_000_000)))
                    desk.service(Service(mold="A-1", kind="repair", at=at(70_000), what="gate"))
                    desk.revise("A-1", since=at(20 * 3050 - 1), reason="re-cut")
        async with tellers[0].to(plant_url):
            pass
    found = shelf_of(plant_url)
    assert {key[0]: took.shots for key, took in found.took["A-1"].items()} == {"A": 250, "B": 50}
    assert found.molds["A-1"].revision == "B"
    assert [each.shots for each in found.services["A-1"]] == [300]
    with open_history(plant_url) as history:
        assert history.count(Filter(mold="A-1", revision="B")) == 50
        assert [each.kept for each in history.sums(at(0))] == [100, 100, 100]


async def test_what_people_say_in_the_plant_record_moves_shots_of_any_agent(
    tmp_path: Path, plant_url: str
) -> None:
    async with a_teller(tmp_path / "1", ["IMM-1"], [MOLD]) as teller:
        async with teller.to(plant_url):
            await teller.mold("IMM-1", range(1, 41), mold=None)
        with change(plant_url) as connection:
            desk = Desk(connection, Author(who="M. Ortiz", at=at(2_000_000)))
            desk.mount("IMM-1", "A-1", since=at(20 * 21 - 1))
        assert sum(each.shots for each in shelf_of(plant_url).took["A-1"].values()) == 20
        async with teller.to(plant_url):  # the agent does not know of it, and books on none
            await teller.mold("IMM-1", range(41, 61), mold=None)
    took = shelf_of(plant_url).took
    assert sum(each.shots for each in took["A-1"].values()) == 40
    assert sum(each.shots for each in took[""].values()) == 20
    with open_history(plant_url) as history:
        assert history.count(Filter(mold="A-1")) == 40


async def test_a_server_that_falls_amid_it_has_every_shot_once(
    tmp_path: Path, postgres: Postgres, plant_url: str
) -> None:
    async with a_teller(tmp_path / "1", ["IMM-1"], [MOLD]) as teller:
        async with teller.to(plant_url):
            await teller.mold("IMM-1", range(1, 300))
            await asyncio.to_thread(postgres.stop, signal.SIGQUIT)
            await teller.mold("IMM-1", range(300, 320))
            await asyncio.to_thread(postgres.start)
        with open_history(teller.url) as ours, open_history(plant_url) as theirs:
            assert theirs.runs() == ours.runs()
            assert list(theirs.cycles(Filter())) == list(ours.cycles(Filter()))
        notices = rows_of(
            plant_url, "SELECT kind, agent, row_id, count(*) FROM origin GROUP BY 1, 2, 3"
        )
        assert all(row[2] == 1 for row in notices)


async def test_a_machine_of_another_agent_is_refused_by_name(
    tmp_path: Path, plant_url: str
) -> None:
    async with a_teller(tmp_path / "1") as first, a_teller(tmp_path / "2") as second:
        async with first.to(plant_url):
            await first.mold("IMM-01", range(1, 5))
        await second.mold("IMM-01", range(1, 5))
        async with second.to(plant_url, wait=False):
            await until("it is refused", second.is_in_trouble)
        (standing,) = standings(second.url)
        assert "machine IMM-01 is agent" in (standing.trouble or "")
        assert standing.letters == 0
    assert rows_of(plant_url, "SELECT count(*) FROM cycle") == [(4,)]


async def test_keys_as_hypertables_need_them_keep_every_shot_once_too(
    tmp_path: Path, plant_url: str
) -> None:
    """TimescaleDB itself is not to be had here: its own call is not made."""
    engine = address_of(plant_url).engine()
    with engine.begin() as connection:
        create(connection, timed=True)
    async with a_teller(tmp_path / "1") as teller:
        curves = {"injection_pressure_bar": a_curve()}
        async with teller.to(plant_url):
            await teller.mold("IMM-01", range(1, 50), curves=curves)
        await teller.forget_lanes()
        async with teller.to(plant_url):
            pass
    assert rows_of(plant_url, "SELECT count(*), count(DISTINCT counter) FROM cycle") == [(49, 49)]
    assert rows_of(plant_url, "SELECT count(*) FROM curve") == [(49,)]


OWN = {
    "alembic_version", "archive_file", "archive_retired", "curves_retired", "hold", "hold_release",
    "attribution", "chain", "dead_letter", "identity", "lane", "machine", "mold",
    "mold_day", "provenance", "refused", "saved", "sink",
}  # fmt: skip
"""Tables whose rows stay at home, or come with others."""

PEOPLE = ("api_token", "person", "token", "visit", "taste")


def test_every_table_is_told_or_known_to_stay_at_home() -> None:
    told = {topic.key.table.name for topic in PLANT_TOPICS}
    left = set(main.tables) - told - OWN
    assert {name for name in left if not name.startswith(PEOPLE)} == set()


@pytest.mark.parametrize("moved", [False, True], ids=["as it is", "with months in files"])
async def test_the_record_of_an_agent_that_is_gone_is_delivered_by_a_command(
    tmp_path: Path,
    plant_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    moved: bool,
) -> None:
    async with a_teller(tmp_path / "1") as teller:
        await teller.mold("IMM-01", range(1, 31))
    if moved:
        monkeypatch.setattr("agent.archive.compacting.STAY", 10)
        assert command(["compact", "--after", "30d", "--record", teller.url]) == 0
        assert list(teller.folder.rglob("*.parquet"))
    deliver = ["plant", "deliver", "--record", teller.url, "--to", plant_url]
    for _again in range(2):
        assert await asyncio.to_thread(command, deliver) == 0
    with open_history(plant_url) as history:
        assert history.count(Filter()) == 30
    assert command(["plant", "machines", "--record", plant_url]) == 0
    assert "IMM-01" in capsys.readouterr().out
    assert command(["plant", "release", "IMM-01", "--record", plant_url]) == 0
    assert command(["plant", "upgrade", "--record", plant_url]) == 0
    assert "is up to date" in capsys.readouterr().out
    assert rows_of(plant_url, "SELECT shared FROM lease") == [(1,)]
