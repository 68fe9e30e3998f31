"""What was kept is on the disk, once, and a restart stands where the record says."""

import asyncio
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, select

from agent import schema
from agent.batch import Batch, Blind, MachineRow, MoldRow
from agent.curves import decode, encode
from agent.cycle import Booked, Curve, Cycle
from agent.files import RecordError, curves_path, writer
from agent.history import Filter, open_history
from agent.ledger import Entry, Ledger
from agent.molds.life import sum_of
from agent.molds.shelf import read_took
from agent.record import Record, open_record
from agent.sighting import Sighting
from drivers import Change, Notice, Origin
from tests.agent.makers import at, cycle, ledger, sighting

MACHINES = [MachineRow(name="IMM-01", driver="modbus")]
MOLDS = [MoldRow(name="A-1", fields={"part": "Lid", "planned_shots": 1000})]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/plant.db"


def curve(started: datetime, resolution: float | None = 0.1) -> Curve:
    t_s = np.arange(400) / 100
    return Curve(
        started_at=started,
        t_s=t_s,
        values=np.round(850 * np.exp(-t_s), 1),
        resolution=resolution,
    )


def whole(counter: int, seconds: float) -> Cycle:
    return cycle(
        counter,
        seconds,
        values={"cycle_time_s": 24.01, "parts_good": 2, "job_counter": counter, "CavMax": "ok"},
        provenance={
            "cycle_time_s": Origin.REPORTED,
            "parts_good": Origin.REPORTED,
            "job_counter": Origin.REPORTED,
            "CavMax": Origin.REPORTED,
        },
        uncertainty={"cycle_time_s": 0.1},
        curves={"injection_pressure_bar": curve(at(seconds - 20))},
        job="J 7",
        mode="AUTOMATIC",
        flags=("implausible:cushion_mm",),
    )


async def keep(record: Record, book: Ledger, items: Sequence[Cycle | Sighting]) -> None:
    for item in items:
        done = await record.keep(Batch(machine="IMM-01", entries=[book.take(item)]))
    await done


async def test_a_cycle_comes_back_as_it_was_kept(url: str) -> None:
    kept = whole(7, 100)
    async with open_record(url, MACHINES, MOLDS) as record:
        await keep(record, ledger(), [kept])

        with open_history(url) as history:
            (booked,) = history.cycles(Filter())
            curves = history.curves(booked)

    assert booked == Booked(cycle=booked.cycle, segment=1, mold="A-1", revision="A")
    for name in ("counter", "time", "received_at", "values", "provenance", "uncertainty", "job"):
        assert getattr(booked.cycle, name) == getattr(kept, name)
    assert (booked.cycle.mode, booked.cycle.flags) == (kept.mode, kept.flags)
    made = kept.curves["injection_pressure_bar"]
    assert curves["injection_pressure_bar"].values == pytest.approx(made.values)
    assert curves["injection_pressure_bar"].started_at == made.started_at


async def test_the_same_batch_twice_changes_nothing(url: str) -> None:
    book = ledger()
    entries = [book.take(whole(n, 20 * n)) for n in range(1, 4)]
    async with open_record(url, MACHINES, MOLDS) as record:
        for _ in range(2):
            for entry in entries:
                done = await record.keep(Batch(machine="IMM-01", entries=[entry]))
        await done

    with open_history(url) as history:
        assert [b.cycle.counter for b in history.cycles(Filter())] == [1, 2, 3]
        assert [(run.first, run.last, run.shots) for run in history.runs()] == [(1, 3, 3)]


async def test_a_restart_goes_on_where_the_ledger_stood(url: str) -> None:
    before = ledger()
    async with open_record(url, MACHINES, MOLDS) as record:
        seen = [cycle(1, 0), cycle(2, 20), cycle(3, 40), cycle(6, 100)]
        await keep(record, before, [*seen, sighting(8, 140)])

    async with open_record(url, MACHINES, MOLDS) as record:
        standing = record.before["IMM-01"].standing
        assert standing == before.standing
        after = ledger(standing=standing)
        await keep(record, after, [cycle(7, 120), cycle(9, 160), cycle(10, 180)])

    with open_history(url) as history, history.connect() as connection:
        ((name, took),) = read_took(connection).items()
        assert (name, sum_of(took).shots, sum_of(took).unobserved) == ("A-1", 10, 3)
        assert [b.cycle.counter for b in history.cycles(Filter())] == [1, 2, 3, 6, 7, 9, 10]


async def test_a_run_grows_over_a_restart_and_stays_one_row(url: str) -> None:
    async with open_record(url, MACHINES, MOLDS) as record:
        await keep(record, ledger(), [cycle(1, 0), cycle(2, 20)])
    async with open_record(url, MACHINES, MOLDS) as record:
        book = ledger(standing=record.before["IMM-01"].standing)
        await keep(record, book, [cycle(3, 40)])

    with open_history(url) as history:
        assert [(run.kind, run.first, run.last) for run in history.runs()] == [("seen", 1, 3)]


async def test_a_blind_interval_is_one_row_from_its_opening_to_its_end(url: str) -> None:
    opened = Blind(machine="IMM-01", since=at(5), until=None, cause="unreachable", why="no answer")
    closed = Blind(
        machine="IMM-01", since=at(5), until=at(65), cause="unreachable", why="no answer"
    )
    async with open_record(url, MACHINES, MOLDS) as record:
        await (await record.keep(Batch(machine="IMM-01", blinds=[opened])))
        record.seen("IMM-01", at(65))
    async with open_record(url, MACHINES, MOLDS) as record:
        assert record.before["IMM-01"].blind == opened
        assert record.before["IMM-01"].seen_at == at(65)
        await (await record.keep(Batch(machine="IMM-01", blinds=[closed])))

    with open_history(url) as history:
        assert history.blinds("IMM-01") == [closed]


async def test_seen_is_kept_plus_refused(url: str) -> None:
    notice = Notice(
        machine="IMM-01",
        change=Change.MODE,
        name="mode",
        old="MANUAL",
        new="AUTOMATIC",
        who="OPERATOR",
        at=at(1),
        received_at=at(1),
    )
    async with open_record(url, MACHINES, MOLDS) as record:
        items = [cycle(1, 0), cycle(1, 0), cycle(2, 20), cycle(2, 20), cycle(5, 80)]
        await keep(record, ledger(), items)
        await (await record.keep(Batch(machine="IMM-01", notices=[notice])))

    with open_history(url) as history:
        (sums,) = history.sums(at(100))
    assert (sums.seen, sums.kept, sums.refused) == (5, 3, {"duplicate": 2})
    assert sums.unobserved == 2


async def test_a_mold_that_only_a_machine_named_is_kept_unregistered(url: str) -> None:
    async with open_record(url, MACHINES, MOLDS) as record:
        await keep(record, ledger(), [cycle(1, 0, mold="X-9"), cycle(2, 20, mold="A-1")])

    with open_history(url) as history, history.connect() as connection:
        assert {name: sum_of(took).shots for name, took in read_took(connection).items()} == {
            "A-1": 1,
            "X-9": 1,
        }


async def test_curves_of_another_month_lie_in_a_file_of_their_own(url: str, tmp_path: Path) -> None:
    early, late = whole(1, 0), whole(2, 40 * 24 * 3600)
    async with open_record(url, MACHINES, MOLDS) as record:
        await keep(record, ledger(), [early, late])

    files = {curves_path(tmp_path / "plant.db", each.time).name for each in (early, late)}
    assert files == {"plant-2026-03.curves.db", "plant-2026-04.curves.db"}
    (tmp_path / "plant-2026-03.curves.db").unlink()
    with open_history(url) as history:
        kept = [history.curves(booked) for booked in history.cycles(Filter())]
    assert [list(curves) for curves in kept] == [[], ["injection_pressure_bar"]]


async def test_two_mounts_at_one_instant_leave_the_last_one_open(url: str) -> None:
    async with open_record(url, MACHINES, MOLDS) as record:
        book = ledger()
        await keep(record, book, [sighting(1, 0), sighting(1, 0, mold="B-2")])

    async with open_record(url, MACHINES, MOLDS) as record:
        mount = record.before["IMM-01"].standing.mount
    assert mount is not None
    assert mount.mold == "B-2"


async def test_whatever_stops_the_writer_is_told(url: str) -> None:
    async with open_record(url, MACHINES, MOLDS) as record:
        unstorable = cycle(2**70, 0)
        await record.keep(Batch(machine="IMM-01", entries=[ledger().take(unstorable)]))

        with pytest.raises(RecordError, match="too large"):
            await asyncio.wait_for(record.watch(), 5)


async def test_a_second_writer_is_refused(url: str) -> None:
    async with open_record(url):
        with pytest.raises(RecordError, match="another agent writes to"):
            async with open_record(url):
                pass


async def test_a_file_that_is_not_a_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()

    with pytest.raises(RecordError, match="not a record of Sprue's"):
        async with open_record(f"sqlite:///{path}"):
            pass


async def test_a_record_of_a_newer_sprue_is_refused_and_left_alone(
    url: str, tmp_path: Path
) -> None:
    async with open_record(url):
        pass
    database = sqlite3.connect(tmp_path / "plant.db")
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.commit()
    database.close()

    with pytest.raises(RecordError, match="9999, newer than this Sprue knows"):
        async with open_record(url):
            pass


async def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="nowhere"):
        async with open_record(f"sqlite:///{tmp_path}/nowhere/plant.db"):
            pass


def test_a_record_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(RecordError, match=r"there is no .*plant\.db"),
        open_history(f"sqlite:///{tmp_path}/plant.db"),
    ):
        pass


@pytest.mark.parametrize(("branch", "tables"), [("main", schema.main), ("curves", schema.curves)])
def test_the_migrations_make_what_the_schema_says(
    tmp_path: Path, branch: str, tables: MetaData
) -> None:
    with writer(tmp_path / "new.db", branch) as connection:
        context = MigrationContext.configure(connection)

        assert compare_metadata(context, tables) == []


def test_a_reader_knows_the_newest_migration(tmp_path: Path) -> None:
    with writer(tmp_path / "new.db", "main") as connection:
        found = MigrationContext.configure(connection).get_current_revision()

    assert found == schema.VERSION


def test_a_file_that_is_no_record_yet_is_named_to_readers(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "plant.db").execute("CREATE TABLE mine (x)").connection.close()

    with (
        pytest.raises(RecordError, match="no record of Sprue's, or is only being made"),
        open_history(f"sqlite:///{tmp_path}/plant.db"),
    ):
        pass


def test_the_record_is_written_so_that_a_power_cut_loses_nothing(tmp_path: Path) -> None:
    with writer(tmp_path / "new.db", "main") as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "page_size", "foreign_keys")
        }

    assert pragma == {"journal_mode": "wal", "synchronous": 2, "page_size": 8192, "foreign_keys": 1}


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import asyncio, sys
        from agent.batch import Batch
        from agent.record import open_record
        from tests.agent.makers import cycle, ledger

        async def work():
            book = ledger()
            async with open_record(sys.argv[1]) as record:
                for n in range(1, 100_000):
                    entry = book.take(cycle(n, 20 * n))
                    await (await record.keep(Batch(machine="IMM-01", entries=[entry])))
                    print(n, flush=True)

        asyncio.run(work())
    """)
    url = f"sqlite:///{tmp_path}/plant.db"
    with subprocess.Popen(
        [sys.executable, "-c", script, url], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 200:
                process.kill()
                break
        acknowledged = [200, *(int(line) for line in process.stdout if line.strip().isdigit())]

    with open_history(url) as history, history.connect() as connection:
        kept = [booked.cycle.counter for booked in history.cycles(Filter())]
        (took,) = read_took(connection).values()
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) >= acknowledged[-1]
    assert sum_of(took).shots == len(kept)


@pytest.mark.parametrize("resolution", [0.1, None])
def test_a_curve_is_exact_to_its_resolution_and_small(resolution: float | None) -> None:
    made = curve(at(0), resolution)

    data = encode(made)
    back = decode(data, made.started_at)

    assert back.t_s == pytest.approx(made.t_s, abs=1e-6)
    assert back.values == pytest.approx(made.values, abs=0.05 if resolution else 1e-4)
    assert back.resolution == resolution
    assert len(data) < 1200


def test_a_curve_of_a_newer_version_or_damaged_says_so() -> None:
    data = encode(curve(at(0)))

    with pytest.raises(ValueError, match="version 9"):
        decode(bytes([9]) + data[1:], at(0))
    with pytest.raises(ValueError, match="damaged"):
        decode(data[:-40] + bytes(40), at(0))


def test_an_entry_counts_only_what_it_adds() -> None:
    book = ledger()
    entries: list[Entry] = [book.take(item) for item in (cycle(1, 0), cycle(2, 20), cycle(5, 80))]

    assert [sum(n for _m, _r, n in entry.added()) for entry in entries] == [1, 1, 3]


async def test_a_machine_may_be_read_by_another_driver_and_by_the_first_again(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/plant.db"
    drivers = []
    async with open_record(url, [MachineRow(name="IMM-09", driver="modbus")]) as record:
        for driver in ("opcua", "modbus"):
            before = await record.before_of(MachineRow(name="IMM-09", driver=driver))
            assert before.standing.segment is None
            with open_history(url) as history, history.connect() as connection:
                drivers.append(connection.execute(select(schema.machine.c.driver)).scalar_one())
    assert drivers == ["opcua", "modbus"]
