"""What a disk can do to a record: full, damaged, not a disk at all. Each is told, and survived."""

import asyncio
import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from agent import files
from agent.__main__ import main
from agent.files import RecordError, curve_files, trouble_of
from agent.history import Filter, open_history
from agent.molds.life import sum_of
from agent.molds.shelf import read_took
from agent.record import open_record
from agent.shedding import FLAG
from tests.agent.makers import ledger
from tests.agent.test_backup import tear
from tests.agent.test_record import keep, whole

FULL = textwrap.dedent("""
    import asyncio, resource, signal, sys
    from agent.batch import Batch
    from agent.record import open_record
    import agent.record
    from tests.agent.makers import ledger
    from tests.agent.test_record import whole

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    async def work(url, then):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        loop = asyncio.get_running_loop()
        book = ledger()
        async with open_record(url) as record:
            done = []
            async def keep(n):
                batch = Batch(machine="IMM-01", entries=[book.take(whole(n, 20 * n))])
                done.append(await record.keep(batch))
            for n in range(1, 51):
                await keep(n)
            await asyncio.gather(*done)
            agent.record.CURVES_WAITING_MOST = 40
            limit(4096)  # no file grows beyond that: the disk is full for all but the lock
            for n in range(51, 151):
                await keep(n)
            print("full", flush=True)
            orders = asyncio.StreamReader()
            await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
            await orders.readline()
            assert not done[-1].done()
            if then == "room":
                limit(resource.RLIM_INFINITY)
                await asyncio.gather(*done)
                print("kept", flush=True)

    asyncio.run(work(sys.argv[1], sys.argv[2]))
""")


@asynccontextmanager
async def an_agent(url: str, then: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    agent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FULL, url, then,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield agent
    finally:
        if agent.returncode is None:
            agent.kill()
        await agent.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
async def test_a_full_disk_holds_up_nobody_and_loses_no_shot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plant.db"
    url = f"sqlite:///{path}"
    async with an_agent(url, "room") as agent, asyncio.timeout(60):
        assert agent.stdin is not None
        assert agent.stdout is not None
        assert await agent.stdout.readline() == b"full\n"
        while trouble_of(path) is None:  # noqa: ASYNC110 - another process has no event
            await asyncio.sleep(0.05)
        assert main(["status", "--record", url, "--format", "json"]) == 0
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        (said,) = [line["trouble"] for line in lines if "trouble" in line]
        assert "nothing can be written since" in said
        with open_history(url) as history:
            assert history.count(Filter()) == 50

        agent.stdin.write(b"\n")
        assert await agent.stdout.readline() == b"kept\n"
        assert await agent.wait() == 0

    assert trouble_of(path) is None
    with open_history(url) as history, history.connect() as connection:
        cycles = list(history.cycles(Filter()))
        curves = [bool(history.curves(each)) for each in cycles]
        (took,) = read_took(connection).values()
    assert [each.cycle.counter for each in cycles] == list(range(1, 151))
    assert sum_of(took).shots == 150
    lightened = [FLAG in each.cycle.flags for each in cycles]
    assert curves == [not each for each in lightened]
    assert lightened == [False] * 90 + [True] * 60


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
async def test_an_agent_that_is_stopped_while_the_disk_is_full_ends(tmp_path: Path) -> None:
    path = tmp_path / "plant.db"
    url = f"sqlite:///{path}"
    async with an_agent(url, "none") as agent, asyncio.timeout(60):
        _, complaints = await agent.communicate(b"\n")
    assert b"100 batches are lost" in complaints

    with open_history(url) as history:
        assert history.count(Filter()) == 50


async def test_a_month_of_curves_that_is_torn_is_set_aside_and_shots_go_on(tmp_path: Path) -> None:
    path = tmp_path / "plant.db"
    url = f"sqlite:///{path}"
    book = ledger()
    async with open_record(url) as record:
        await keep(record, book, [whole(n, 20 * n) for n in range(1, 60)])
    (month,) = curve_files(path)
    month.write_bytes(b"not a database at all" * 1000)

    async with open_record(url) as record:
        await keep(record, book, [whole(60, 1200)])

    with open_history(url) as history:
        cycles = list(history.cycles(Filter()))
        assert [each.cycle.counter for each in cycles] == list(range(1, 61))
        assert list(history.curves(cycles[-1])) == ["injection_pressure_bar"]
    (aside,) = tmp_path.glob("plant-2026-03.curves.db.damaged-*")
    assert aside.read_bytes().startswith(b"not a database")


async def test_pages_of_a_month_that_are_torn_cost_no_shot(tmp_path: Path) -> None:
    path = tmp_path / "plant.db"
    url = f"sqlite:///{path}"
    book = ledger()
    async with open_record(url) as record:
        await keep(record, book, [whole(n, 20 * n) for n in range(1, 200)])
    (month,) = curve_files(path)
    tear(month)

    async with open_record(url) as record:
        await keep(record, book, [whole(n, 20 * n) for n in range(200, 260)])

    with open_history(url) as history:
        cycles = list(history.cycles(Filter()))
        assert [each.cycle.counter for each in cycles] == list(range(1, 260))
        assert list(history.curves(cycles[-1])) == ["injection_pressure_bar"]


def torn(path: Path) -> None:
    tear(path)


def cut(path: Path) -> None:
    """As a file system leaves it that lost the end."""
    body = path.read_bytes()
    path.write_bytes(body[: len(body) // 3])


def overwritten(path: Path) -> None:
    path.write_bytes(b"\0" * 50_000)


@pytest.mark.parametrize("damage", [torn, cut, overwritten])
async def test_a_main_file_that_is_damaged_is_named_with_what_to_do(
    tmp_path: Path, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plant.db"
    url = f"sqlite:///{path}"
    async with open_record(url) as record:
        await keep(record, ledger(), [whole(n, 20 * n) for n in range(1, 60)])
    damage(path)
    before = path.read_bytes()

    with pytest.raises(RecordError, match=r"plant\.db is damaged \(.*sprue restore"):
        async with open_record(url):
            pass
    assert path.read_bytes() == before
    assert main(["cycles", "--record", url]) == 1
    assert "is damaged" in capsys.readouterr().err


@contextmanager
def mounted(folder: Path) -> Iterator[Callable[[], None]]:
    """A file system of its own in a folder; hands out what makes it read-only."""

    def mount(*words: str) -> bool:
        done = subprocess.run(["mount", *words, str(folder)], capture_output=True, check=False)
        return done.returncode == 0

    if shutil.which("mount") is None or not mount("-t", "tmpfs", "-o", "size=16m", "none"):
        pytest.skip("may not mount a file system here")
    try:
        yield lambda: pytest.skip("can't remount") if not mount("-o", "remount,ro") else None
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_record_on_a_disk_that_is_read_only_is_read_and_not_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plant.db"
    url = f"sqlite:///{path}"
    with mounted(tmp_path) as read_only:
        async with open_record(url) as record:
            await keep(record, ledger(), [whole(n, 20 * n) for n in range(1, 6)])
        read_only()

        with pytest.raises(RecordError, match=r"plant\.db: Read-only file system"):
            async with open_record(url):
                pass
        assert main(["cycles", "--record", url, "--format", "json"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 5
        assert main(["verify", "--record", url]) == 0


@pytest.mark.parametrize("kind", ["nfs4", "cifs"])
async def test_a_network_file_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/plant {tmp_path} {kind} rw 0 0\n")
    monkeypatch.setattr(files, "MOUNTS", mounts)

    with pytest.raises(RecordError, match=rf"network file system \({kind} at "):
        async with open_record(f"sqlite:///{tmp_path}/plant.db"):
            pass
