"""What was said while the agent was away holds for what it books when it is back."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, select
from sqlalchemy.exc import DatabaseError

from agent import schema
from agent.audit import Author, change
from agent.batch import Batch, MachineRow, MoldRow
from agent.files import writer
from agent.molds.desk import Desk
from agent.molds.news import GAPS_DONE, News
from agent.record import open_record
from tests.agent.makers import at, cycle, ledger
from tests.molds.test_molds import shots_by

MACHINES = [MachineRow(name="IMM-01", driver="modbus")]
MOLDS = [MoldRow(name="A-1", fields={}), MoldRow(name="B-2", fields={})]


async def test_an_agent_that_ends_as_soon_as_it_has_booked_an_outage_leaves_nothing_undone(
    tmp_path: Path,
) -> None:
    url, book = f"sqlite:///{tmp_path}/plant.db", ledger()
    async with open_record(url, MACHINES, MOLDS) as record:
        entries = [book.take(cycle(n, 20 * n)) for n in (1, 2, 3)]
        await (await record.keep(Batch(machine="IMM-01", entries=entries)))
    with change(url) as connection:
        desk = Desk(connection, Author(who="M. Ortiz", at=at(5_000)))
        desk.revise("A-1", revision="B", since=at(70), reason="re-cut")

    async with open_record(url, MACHINES, MOLDS) as record:
        await (await record.keep(Batch(machine="IMM-01", entries=[])))  # it looks now, then later
        entries = [book.take(cycle(103, 20 * 103))]
        await (await record.keep(Batch(machine="IMM-01", entries=entries)))
    async with open_record(url, MACHINES, MOLDS):
        pass

    assert shots_by(url) == {("A-1", "A"): 3, ("A-1", "B"): 100}


async def test_a_late_mount_cuts_at_the_right_cycle_though_the_machines_clock_was_set(
    tmp_path: Path,
) -> None:
    url, book = f"sqlite:///{tmp_path}/plant.db", ledger()
    async with open_record(url, MACHINES, MOLDS) as record:
        for n in range(1, 21):
            stamp = at(20 * n if n <= 5 else 20 * n - 3600)  # set back after the fifth
            entries = [book.take(cycle(n, 20 * n, time=stamp))]
            done = await record.keep(Batch(machine="IMM-01", entries=entries))
        await done

    with change(url) as connection:
        desk = Desk(connection, Author(who="M. Ortiz", at=at(5_000)))
        desk.mount("IMM-01", "B-2", since=at(210))

    assert shots_by(url) == {("A-1", "A"): 10, ("B-2", "A"): 10}


def test_what_a_disk_did_not_take_is_done_at_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.molds.news.LOOK_EVERY_S", 0)
    with writer(tmp_path / "plant.db", "main") as main:
        news = News(main, lambda: at(5_000))
        news.gap(1, 0)
        with main.begin():
            main.exec_driver_sql(
                "CREATE TEMP TRIGGER full BEFORE INSERT ON main.identity "
                "BEGIN SELECT RAISE(ABORT, 'no room'); END"
            )
        with pytest.raises(DatabaseError, match="no room"):
            news.look()
        with main.begin():
            main.exec_driver_sql("DROP TRIGGER full")
            main.execute(delete(schema.identity).where(schema.identity.c.name == GAPS_DONE))
        news.look()
        assert kept(main) == ["0"]


def kept(main: Connection) -> list[str]:
    """Up to which row of the ledger people's words were looked for."""
    table = schema.identity
    with main.begin():
        query = select(table.c.value).where(table.c.name == GAPS_DONE)
        return [str(value) for value in main.execute(query).scalars()]
