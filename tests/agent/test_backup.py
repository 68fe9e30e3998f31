"""A backup is made while the agent writes, is whole, and is put back only where nothing is."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.backup import BackupError, back_up, restore
from agent.batch import Batch
from agent.history import Filter, open_history
from agent.molds.life import sum_of
from agent.molds.shelf import read_took
from agent.record import Record, open_record
from tests.agent.makers import ledger
from tests.agent.test_record import whole

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
MONTH_S = 40 * 24 * 3600


@asynccontextmanager
async def molding(url: str) -> AsyncGenerator[tuple[Record, asyncio.Event]]:
    """A record that gets cycles with curves, in two months, as fast as it takes them."""
    begun = asyncio.Event()

    async def work(record: Record) -> None:
        book, n = ledger(), 0
        while True:
            n += 1
            entry = book.take(whole(n, 20 * n + (n > 25) * MONTH_S))
            await (await record.keep(Batch(machine="IMM-01", entries=[entry])))
            if n == 50:
                begun.set()

    async with open_record(url) as record:
        task = asyncio.create_task(work(record))
        await begun.wait()
        try:
            yield record, begun
        finally:
            task.cancel()


async def made(tmp_path: Path) -> tuple[str, Path]:
    url = f"sqlite:///{tmp_path}/plant.db"
    async with molding(url):
        return url, await asyncio.to_thread(back_up, url, tmp_path / "backups", NOW)


async def test_a_backup_of_a_record_that_is_written_to_is_whole(tmp_path: Path) -> None:
    _, folder = await made(tmp_path)

    assert sorted(each.name for each in folder.iterdir()) == [
        "manifest.json", "plant-2026-03.curves.db", "plant-2026-04.curves.db", "plant.db",
    ]  # fmt: skip
    manifest = json.loads((folder / "manifest.json").read_text())
    url = f"sqlite:///{tmp_path}/again.db"
    said = await asyncio.to_thread(restore, folder, url)
    with open_history(url) as history, history.connect() as connection:
        cycles = list(history.cycles(Filter()))
        curves = [history.curves(each) for each in cycles]
        (took,) = read_took(connection).values()
    assert len(cycles) == manifest["cycles"] == said.cycles >= 50
    assert [each.cycle.counter for each in cycles] == list(range(1, len(cycles) + 1))
    assert sum_of(took).shots == len(cycles)
    assert all(list(each) == ["injection_pressure_bar"] for each in curves)


async def test_an_agent_goes_on_with_what_was_restored(tmp_path: Path) -> None:
    _, folder = await made(tmp_path)
    url = f"sqlite:///{tmp_path}/again.db"
    said = await asyncio.to_thread(restore, folder, url)

    async with open_record(url) as record:
        assert record.before["IMM-01"].standing.counter == said.cycles


async def test_a_restore_writes_over_nothing(tmp_path: Path) -> None:
    url, folder = await made(tmp_path)
    before = (tmp_path / "plant.db").read_bytes()

    with pytest.raises(BackupError, match=r"plant\.db is there already"):
        restore(folder, url)
    assert (tmp_path / "plant.db").read_bytes() == before

    (tmp_path / "plant.db").unlink()
    with pytest.raises(BackupError, match=r"plant-2026-03\.curves\.db is there already"):
        restore(folder, url)


@pytest.mark.parametrize("name", ["plant.db", "plant-2026-03.curves.db"])
async def test_a_backup_that_is_damaged_is_not_put_back(tmp_path: Path, name: str) -> None:
    _, folder = await made(tmp_path)
    body = bytearray((folder / name).read_bytes())
    body[len(body) // 2] ^= 1
    (folder / name).write_bytes(body)
    url = f"sqlite:///{tmp_path}/again.db"

    with pytest.raises(BackupError, match=rf"{name} is not what the manifest says"):
        restore(folder, url)
    assert not list(tmp_path.glob("again*.db"))


async def test_a_backup_of_a_newer_sprue_is_refused(tmp_path: Path) -> None:
    _, folder = await made(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"schema": "9999"}))

    with pytest.raises(BackupError, match="9999, newer than this Sprue knows"):
        restore(folder, f"sqlite:///{tmp_path}/again.db")


def test_a_folder_that_is_no_backup_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="is no backup of Sprue's"):
        restore(tmp_path, f"sqlite:///{tmp_path}/again.db")


async def test_a_damaged_record_is_told_and_no_backup_is_made_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, _ = await made(tmp_path)
    tear(tmp_path / "plant.db")

    status = main(["backup", "--record", url, "--out", str(tmp_path / "more")])

    assert status == 1
    said = capsys.readouterr().err
    assert f"{tmp_path}/plant.db is damaged" in said
    assert "sprue restore" in said
    assert [each.name for each in (tmp_path / "more").glob("*") if each.suffix == ""] == []


async def test_both_commands_say_what_they_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/plant.db"
    async with open_record(url):
        pass

    assert main(["backup", "--record", url]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert folder.parent == tmp_path / "backups"
    assert main(["restore", str(folder), "--record", f"sqlite:///{tmp_path}/again.db"]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path}/again.db: 0 cycles, as of ")
    assert main(["restore", str(folder), "--record", url]) == 1


def tear(path: Path) -> None:
    """Overwrite pages in the middle, as a disk does that lies about what it wrote."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    body = bytearray(path.read_bytes())
    for page in range(2, len(body) // 8192):
        body[page * 8192 : page * 8192 + 4096] = b"\xa5" * 4096
    path.write_bytes(body)
