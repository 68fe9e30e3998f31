"""What was written once can't be changed without `sprue verify` naming it."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import schema
from agent.__main__ import main
from agent.audit import Author, change
from agent.backup import back_up, restore
from agent.batch import Batch, MachineRow, MoldRow
from agent.chain import COVERED, LEDGER
from agent.cycle import Cycle
from agent.molds.desk import Desk
from agent.record import open_record
from agent.verifying import Verdict, verify
from tests.agent.makers import at, cycle, ledger

MACHINES = [MachineRow(name="IMM-01", driver="modbus")]
MOLDS = [MoldRow(name="A-1", fields={"part": "Lid", "planned_shots": 1000})]
ME = Author(who="Ida", at=datetime(2026, 3, 2, tzinfo=UTC))


def some(first: int, last: int) -> list[Cycle]:
    return [
        cycle(n, 20 * n, values={"cycle_time_s": 20 + n / 7, "Gate": "ok"}, job=f"J {n}")
        for n in range(first, last + 1)
    ]


async def keep(url: str, cycles: Sequence[Cycle]) -> None:
    book = ledger()
    async with open_record(url, MACHINES, MOLDS) as record:
        for each in cycles:
            await (await record.keep(Batch(machine="IMM-01", entries=[book.take(each)])))


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """A record with a row in most covered tables."""
    url = f"sqlite:///{tmp_path}/plant.db"
    await keep(url, some(1, 12))
    with change(url) as connection:
        desk = Desk(connection, ME)
        desk.add("B-2", {"part": "Cap"})
        desk.edit("B-2", {"part": "Lid"})
    path = tmp_path / "plant.db"
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM chain").fetchone()[0] >= 13
    return url


def said(verdict: Verdict) -> str:
    return "\n".join(each.words for each in verdict.differences)


def tamper(url: str, *statements: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def test_a_record_that_nobody_touched_is_as_it_was_written(url: str) -> None:
    verdict = verify(url)

    assert not verdict.differences
    assert verdict.rows >= 12 + 3
    assert len(verdict.head) == 64


def test_every_value_of_every_covered_row_is_covered(url: str, tmp_path: Path) -> None:
    """One value at a time, in every row of every table: text, number, and something for null."""
    path = tmp_path / "plant.db"
    tried = 0
    rng = random.Random(7)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for table in COVERED:
            columns = [each[1] for each in database.execute(f"PRAGMA table_info({table.name})")]
            rows = database.execute(f"SELECT * FROM {table.name}").fetchall()
            for row in rows[:2]:
                by_name = dict(zip(columns, row, strict=True))
                key = by_name[table.key]
                for name in columns if len(columns) < 30 else rng.sample(columns, 12):
                    value = by_name[name]
                    if name in {table.key, table.order}:
                        continue
                    other = (
                        value[:-1] + chr(ord(value[-1]) ^ 1)
                        if isinstance(value, str) and value
                        else value + 1
                        if isinstance(value, int | float)
                        else 1
                    )
                    update = f"UPDATE {table.name} SET {name} = ? WHERE {table.key} = ?"
                    try:
                        database.execute(update, (other, key))
                    except sqlite3.IntegrityError:
                        continue
                    differences = verify(f"sqlite:///{path}").differences
                    # what is said of curves that are not there is a second difference
                    told = [(each.table, each.row) for each in differences if each.table != "curve"]
                    assert told == [(table.name, key)]
                    database.execute(update, (value, key))
                    tried += 1
    assert tried > 50
    assert not verify(url).differences


@pytest.mark.parametrize("where", ["first", "middle", "last"])
@pytest.mark.parametrize("table", ["cycle", "audit", "ledger"])
def test_a_removed_row_is_named(url: str, table: str, where: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        keys = [row[0] for row in database.execute(f"SELECT id FROM {table} ORDER BY id")]
    key = {"first": keys[0], "middle": keys[len(keys) // 2], "last": keys[-1]}[where]

    tamper(url, f"DELETE FROM {table} WHERE id = {key}")

    assert said(verify(url)) == f"{table}: row {key} is missing: it was removed"


def test_a_changed_cycle_is_named_with_machine_counter_and_time(url: str) -> None:
    tamper(url, "UPDATE cycle SET cycle_time_s = 20 WHERE counter = 5")

    words = said(verify(url))
    assert words.startswith("cycle: row 5, IMM-01, counter 5, ")
    assert f"{at(100):%H:%M:%S} UTC is not as it was written" in words


def test_swapped_rows_both_differ(url: str) -> None:
    tamper(
        url,
        "UPDATE cycle SET id = 99 WHERE id = 3",
        "UPDATE cycle SET id = 3 WHERE id = 4",
        "UPDATE cycle SET id = 4 WHERE id = 99",
    )

    assert [each.row for each in verify(url).differences] == [3, 4]


@pytest.mark.parametrize("column", ["at_ns", "previous", "reached", "body", "hash"])
def test_an_altered_row_of_the_chain_is_named(url: str, column: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        (value,) = database.execute(f"SELECT {column} FROM chain WHERE id = 5").fetchone()
    other = value + 1 if isinstance(value, int) else value.replace("2", "3") + "\n"

    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        database.execute(f"UPDATE chain SET {column} = ? WHERE id = 5", (other,))
        database.commit()

    assert verify(url).differences[0].table == "chain"
    assert verify(url).differences[0].row == 5


def test_a_removed_row_of_the_chain_is_named(url: str) -> None:
    tamper(url, "DELETE FROM chain WHERE id = 5")

    assert "chain: row 6 does not follow" in said(verify(url))


def test_rows_of_a_chain_that_was_cut_short_are_in_no_commit(url: str) -> None:
    tamper(url, "DELETE FROM chain WHERE id > (SELECT max(id) FROM chain) - 4")

    assert "is in no commit" in said(verify(url))


ADD = (
    "INSERT INTO audit (at_ns, who, origin, action, kind, subject) "
    "VALUES (1, 'nobody', 'shell', 'edit', 'mold', 'A-1')"
)


def test_a_row_added_behind_the_back_is_named(url: str) -> None:
    tamper(url, ADD)

    assert "is in no commit" in said(verify(url))


async def test_a_row_added_behind_the_back_stays_marked_when_work_goes_on(url: str) -> None:
    tamper(url, ADD)
    with change(url) as connection:
        Desk(connection, ME).edit("B-2", {"part": "Box"})
    async with open_record(url, MACHINES, MOLDS) as record:
        book = ledger()
        await (await record.keep(Batch(machine="IMM-01", entries=[book.take(some(40, 40)[0])])))
        tamper(url, ADD)
        await (await record.keep(Batch(machine="IMM-01", entries=[book.take(some(41, 41)[0])])))

    differences = verify(url).differences
    assert [each.table for each in differences] == ["audit", "audit"]
    assert all("by something else than Sprue" in each.words for each in differences)


async def test_an_older_record_is_taken_in_as_it_is(url: str) -> None:
    tamper(url, "DELETE FROM chain")
    await keep(url, [])

    assert not verify(url).differences
    assert verify(url).rows >= 15


def test_a_backup_verifies_and_so_does_what_is_restored_from_it(url: str, tmp_path: Path) -> None:
    folder = back_up(url, tmp_path / "backups", datetime.now(UTC), lambda words: None)
    (tmp_path / "there").mkdir()
    back = f"sqlite:///{tmp_path}/there/plant.db"
    restore(folder, back, lambda words: None)

    assert verify(back) == verify(url)


def test_the_command_says_it_and_its_status_too(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--record", url]) == 0
    assert "as they were written" in capsys.readouterr().out

    tamper(url, "UPDATE audit SET who = 'Otto' WHERE id = 1")
    assert main(["verify", "--record", url]) == 1
    assert "audit: row 1" in capsys.readouterr().err
    assert main(["verify", "--record", url, "--format", "json"]) == 1
    assert '"table": "audit"' in capsys.readouterr().out


async def test_read_in_pieces_it_says_the_same(url: str, tmp_path: Path) -> None:
    alone = verify(url, processes=1)
    assert verify(url, processes=3) == alone
    assert (alone.differences, alone.rows > 12) == ((), True)

    with closing(sqlite3.connect(tmp_path / "plant.db")) as database:
        database.execute("UPDATE cycle SET job = 'other' WHERE counter IN (2, 11)")
        database.execute("UPDATE ledger SET shots = shots + 1")
        database.commit()

    altered = verify(url, processes=3)
    assert altered == verify(url, processes=1)
    assert {each.table for each in altered.differences} == {"cycle", "ledger"}


async def test_a_hash_that_was_kept_elsewhere_is_found_in_the_chain(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    anchor = verify(url).head
    with change(url) as connection:
        Desk(connection, ME).edit("B-2", {"part": "Lug"})
    assert verify(url).head != anchor

    assert main(["verify", "--record", url, "--includes", anchor.upper()]) == 0
    assert f"it comes after {anchor}" in capsys.readouterr().out
    assert main(["verify", "--record", url, "--includes", "0" * 64]) == 1
    assert f"no commit has the hash {'0' * 64}" in capsys.readouterr().err


WRITES = """
import asyncio, sys
from agent.batch import Batch
from agent.record import open_record
from tests.agent.makers import ledger
from tests.agent.test_chain import MACHINES, MOLDS, some

async def run():
    book = ledger()
    first = int(sys.argv[2])
    async with open_record(sys.argv[1], MACHINES, MOLDS) as record:
        for each in some(first, first + 3000):
            done = await record.keep(Batch(machine="IMM-01", entries=[book.take(each)]))
            await done
            print(each.counter, flush=True)

asyncio.run(run())
"""


def test_killed_in_mid_commit_and_read_while_written_it_still_verifies(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/plant.db"
    rng = random.Random(3)
    for round_ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITES), url, str(5000 * round_ + 1)],
            stdout=subprocess.PIPE,
        ) as writing:
            assert writing.stdout is not None
            assert writing.stdout.readline()
            assert not verify(url).differences  # while it writes
            time.sleep(rng.uniform(0.05, 0.4))
            os.kill(writing.pid, signal.SIGKILL)
            writing.stdout.read()
        assert not verify(url).differences

    assert verify(url).rows > 4
    assert LEDGER.name == schema.run.name
