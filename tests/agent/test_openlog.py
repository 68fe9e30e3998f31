"""A log that somebody keeps open, and a disk that does not end a commit: told, named, survived."""

import asyncio
import doctest
import json
import logging
import sqlite3
import sys
import textwrap
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from agent import openlog, record
from agent.__main__ import main
from agent.batch import Batch
from agent.files import RecordError, trouble_of
from agent.history import Filter, open_history
from agent.record import open_record
from agent.verifying import verify
from tests.agent.makers import ledger
from tests.agent.test_record import keep, whole

pytestmark = pytest.mark.skipif(not openlog.LOCKS.exists(), reason="locks are named on Linux")

READS = textwrap.dedent("""
    import sqlite3, sys
    raw = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, isolation_level=None)
    raw.execute("BEGIN")
    raw.execute("SELECT count(*) FROM cycle").fetchone()
    print("reads", flush=True)
    sys.stdin.readline()
""")


@asynccontextmanager
async def somebody_who_reads(path: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    reader = await asyncio.create_subprocess_exec(
        sys.executable, "-c", READS, str(path),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert reader.stdout is not None
        await reader.stdout.readline()
        yield reader
    finally:
        await reader.communicate(b"\n")


async def test_who_keeps_the_log_open_is_named_until_it_ends(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(openlog, "LOG_MOST_BYTES", 64 * 2**20)
    monkeypatch.setattr(record, "LOG_EVERY_S", 0.0)
    path, book = tmp_path / "plant.db", ledger()
    url = f"sqlite:///{path}"
    async with open_record(url) as writing:
        await keep(writing, book, [whole(n, 20 * n) for n in range(1, 20)])
        async with somebody_who_reads(path) as reader:
            monkeypatch.setattr(openlog, "LOG_MOST_BYTES", 100_000)
            with caplog.at_level(logging.ERROR):
                for n in range(20, 60):
                    await keep(writing, book, [whole(n, 20 * n)])
            assert main(["status", "--record", url, "--format", "json"]) == 0
            said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
            (trouble,) = [line["trouble"] for line in said if "trouble" in line]
            assert f"process {reader.pid} (" in trouble
            assert "can't be emptied before that ends" in trouble
            (logged,) = [each for each in caplog.messages if "its log has grown" in each]
            assert f"process {reader.pid} (" in logged
        monkeypatch.setattr(openlog, "LOG_MOST_BYTES", 64 * 2**20)
        assert openlog.long_log(path) is None

    with open_history(url) as history:
        assert history.count(Filter()) == 59


async def test_our_own_reader_makes_way_when_the_log_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plant.db"
    url = f"sqlite:///{path}"
    async with open_record(url) as writing:
        await keep(writing, ledger(), [whole(n, 20 * n) for n in range(1, 400)])
        monkeypatch.setattr(openlog, "STEPS", 500)
        monkeypatch.setattr(openlog, "READ_MOST_S", 0.0)
        assert verify(url).differences == ()  # as long as the log is not too long
        monkeypatch.setattr(openlog, "LOG_MOST_BYTES", 1000)

        with pytest.raises(RecordError, match="reading was cut off after a minute"):
            verify(url)


async def test_a_commit_that_does_not_end_is_told_and_costs_no_shot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(record, "SLOW_S", 0.5)
    path, book = tmp_path / "plant.db", ledger()
    url = f"sqlite:///{path}"
    async with open_record(url) as writing:
        watching = asyncio.create_task(writing.watch())
        await keep(writing, book, [whole(1, 20)])
        with closing(sqlite3.connect(path, isolation_level=None)) as slow:
            slow.execute("BEGIN IMMEDIATE")  # for the agent, a disk that takes its time
            done = [
                await writing.keep(Batch(machine="IMM-01", entries=[book.take(whole(n, 20 * n))]))
                for n in range(2, 60)
            ]
            async with asyncio.timeout(30):
                while trouble_of(path) is None:  # noqa: ASYNC110 - another thread has no event
                    await asyncio.sleep(0.05)
            assert "the disk is slow" in str(trouble_of(path))
            assert not any(each.done() for each in done)
            slow.execute("COMMIT")
        async with asyncio.timeout(30):
            await asyncio.gather(*done)
            while trouble_of(path) is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        watching.cancel()
    assert [each for each in caplog.messages if "the disk is slow" in each]
    with open_history(url) as history:
        assert history.count(Filter()) == 59


def test_the_examples_are_true() -> None:
    assert doctest.testmod(openlog).failed == 0
