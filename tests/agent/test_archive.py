"""Cycles that were moved to Parquet files are asked as if they had never moved; none is lost."""

import asyncio
import hashlib
import logging
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet
import pytest

from agent.__main__ import main
from agent.anomaly import Anomaly
from agent.archive import compacting
from agent.archive.catalogue import archive_folder, archived
from agent.archive.closings import Closings, decode, encode
from agent.archive.compacting import compact, end_of_closed, plan
from agent.audit import Author, change
from agent.backup import BackupError, back_up, restore
from agent.batch import Batch, MachineRow, MoldRow
from agent.export.survey import survey
from agent.files import RecordError
from agent.forward.topics import TOPICS, Reading, Topic
from agent.history import Filter, History, open_history
from agent.housekeeping import keep_house
from agent.ledger import Ledger, Standing
from agent.molds.desk import Desk
from agent.molds.life import sum_of
from agent.molds.shelf import read_took
from agent.place import load_place
from agent.plantrecord.topics import PLANT_TOPICS
from agent.record import open_record
from agent.schema import cycle as cycle_table
from agent.verifying import verify
from agent.watchwords import read_golden
from dashboards.goldenpage import Asked, Found, look_at_golden
from dashboards.inbox import job_of
from tests.agent.makers import at, cycle
from tests.agent.test_record import curve

NAMES = ("IMM-01", "IMM 02/b")
MACHINES = [MachineRow(name=name, driver="modbus") for name in NAMES]
MOLDS = [MoldRow(name=name, fields={"part": "Lid"}) for name in ("A-1", "B-2")]
ME = Author(who="Ida", at=datetime(2026, 12, 1, tzinfo=UTC))
EACH = 300
HALF_DAY_S = 12 * 3600
BEFORE = datetime(2026, 8, 1, tzinfo=UTC)
"""300 cycles, two a day from 2 March: the last ones are of 29 July."""


def made(machine: str, n: int) -> Any:
    return cycle(
        n,
        n * HALF_DAY_S + (7 if machine == NAMES[0] else 0),
        machine=machine,
        mold="A-1" if n % 100 < 60 else "B-2",
        job=f"J {n // 50} ä" if n % 7 else None,
        values={"cycle_time_s": 20 + n / 7, "parts_good": n % 3, "Gate": "ok", "Zone": n % 5 - 1.5},
        flags=("late",) if n % 11 == 0 else (),
        curves={"injection_pressure_bar": curve(at(n * HALF_DAY_S))} if n % 40 == 0 else {},
    )


async def keep(url: str, first: int, last: int) -> None:
    async with open_record(url, MACHINES, MOLDS) as record:
        books = {
            name: Ledger(
                name,
                record.before[name].standing if name in record.before else Standing(),
                lambda mold: "A",
                None,
            )
            for name in NAMES
        }
        for n in range(first, last + 1):
            for name, book in books.items():
                await record.keep(Batch(machine=name, entries=[book.take(made(name, n))]))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a record of which nothing was moved."""
    folder = tmp_path_factory.mktemp("record")
    asyncio.run(keep(f"sqlite:///{folder}/plant.db", 1, EACH))
    return folder


@pytest.fixture
def url(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(compacting, "STAY", 20)
    monkeypatch.setattr(compacting, "ROWS_MOST", 40)
    shutil.copytree(first, tmp_path / "at")
    return f"sqlite:///{tmp_path}/at/plant.db"


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def parquet_files(url: str) -> list[Path]:
    return sorted(archive_folder(path_of(url)).glob("month=*/*/*.parquet"))


def golden_of(history: History) -> Found:
    asked = Asked(mold="A-1", machine=NAMES[0], first=30, last=55)
    return look_at_golden(history, ME.at, asked, ZoneInfo("UTC"))


def job_at(history: History, n: int) -> str | None:
    """Of an anomaly of no signal, which has no cycles of its own."""
    words: Any = {"machine": NAMES[0], "time": at(n * HALF_DAY_S + 7), "message": "Water"}
    name: Any = {"kind": "cooling_heat", "cause": "unexplained", "signal": "water", "counter": n}
    return job_of(history, Anomaly(id="1", mold="A-1", revision="A", segment=1, **words, **name))


QUESTIONS: dict[str, Callable[[History], Any]] = {
    "all": lambda history: list(history.cycles(Filter())),
    "as booked": lambda history: list(history.cycles(Filter(), as_booked=True)),
    "of a machine": lambda history: list(history.cycles(Filter(machine=NAMES[1]))),
    "of a mold": lambda history: list(history.cycles(Filter(mold="B-2", revision="A"))),
    "of a job": lambda history: list(history.cycles(Filter(job="J 1 ä"))),
    "of a time": lambda history: list(
        history.cycles(Filter(since=at(40 * HALF_DAY_S), until=at(130 * HALF_DAY_S)))
    ),
    "some counters": lambda history: list(
        history.cycles(Filter(machine=NAMES[0], segment=1, counters=(90, 110)))
    ),
    "newest": lambda history: list(history.cycles(Filter(machine=NAMES[0]), newest=50)),
    "newest of a mold": lambda history: list(history.cycles(Filter(mold="B-2"), newest=95)),
    "up to": lambda history: history.cycles_up_to(NAMES[0], 1, 77, 30),
    "up to the end": lambda history: history.cycles_up_to(NAMES[0], 1, 2**62, 30),
    "pages": lambda history: [
        [tuple(row) for row in page] for page in history.pages(Filter(), up_to=570, size=64)
    ],
    "count": lambda history: history.count(Filter(mold="A-1")),
    "sums": lambda history: history.sums(ME.at),
    "survey": lambda history: survey(history, Filter(mold="A-1"), ME.at),
    "presses of a mold": lambda history: golden_of(history).machines,
    "golden shots": lambda history: [each.cycle.counter for each in golden_of(history).cycles],
    "job of an anomaly": lambda history: [job_at(history, n) for n in (3, 57, 101, 255)],
    "series": lambda history: {
        name: values.tolist()
        for name, values in history.series(Filter(mold="A-1"), ["cycle_time_s"]).items()
    },
}


def answers(url: str) -> dict[str, Any]:
    with open_history(url) as history:
        return {name: question(history) for name, question in QUESTIONS.items()}


def test_every_question_is_answered_as_before(url: str) -> None:
    before = answers(url)

    moved = compact(url, BEFORE, ME)

    after = answers(url)
    assert moved > 500
    assert len(parquet_files(url)) >= 14
    assert all(before.values())
    for name in QUESTIONS:
        assert after[name] == before[name], name
    with closing(sqlite3.connect(path_of(url))) as database:
        assert database.execute("SELECT count(*) FROM cycle").fetchone() == (2 * EACH - moved,)


def test_golden_may_be_what_moved_shots_were(url: str) -> None:
    compact(url, BEFORE, ME)
    with closing(sqlite3.connect(path_of(url))) as database:
        still = database.execute("SELECT count(*) FROM cycle WHERE counter BETWEEN 220 AND 240")
        assert still.fetchone() == (0,)

    words = ["watch", "approve", NAMES[0], "--shots", "220-240", "--who", "Kim"]
    assert main([*words, "--record", url]) == 0

    with open_history(url) as history, history.connect() as connection:
        (golden,) = read_golden(connection)
    assert golden.levels["cycle_time_s"] == pytest.approx(20 + 230 / 7)


def test_all_but_the_newest_of_every_machine_and_of_closed_months_is_moved(url: str) -> None:
    compact(url, datetime(2026, 5, 1, tzinfo=UTC), ME)
    with open_history(url) as history, history.connect() as connection:
        assert {each.month for each in archived(connection)} == {"2026-03", "2026-04"}

    compact(url, datetime(2027, 1, 1, tzinfo=UTC), ME)
    with closing(sqlite3.connect(path_of(url))) as database:
        left = database.execute(
            "SELECT machine_id, count(*), min(counter), max(counter) FROM cycle GROUP BY machine_id"
        ).fetchall()
    assert left == [(1, 20, EACH - 19, EACH), (2, 20, EACH - 19, EACH)]
    assert compact(url, datetime(2027, 1, 1, tzinfo=UTC), ME) == 0


def test_a_month_is_closed_when_it_ended_long_enough_ago() -> None:
    now = datetime(2026, 11, 29, 5, tzinfo=UTC)
    assert end_of_closed(now, timedelta(days=29)) == datetime(2026, 10, 1, tzinfo=UTC)
    assert end_of_closed(now, timedelta(days=28)) == datetime(2026, 11, 1, tzinfo=UTC)


async def test_the_agent_goes_on_where_it_was(url: str) -> None:
    await asyncio.to_thread(compact, url, datetime(2027, 1, 1, tzinfo=UTC), ME)

    await keep(url, EACH + 1, EACH + 40)

    with open_history(url) as history:
        for name in NAMES:
            cycles = list(history.cycles(Filter(machine=name)))
            assert [each.cycle.counter for each in cycles] == list(range(1, EACH + 41))
    assert verify(url).differences == ()


async def test_exports_are_the_same_bytes(url: str, tmp_path: Path) -> None:
    def exported(to: str) -> list[bytes]:
        for form in ("csv", "jsonl"):
            words = [
                "--record",
                url,
                "--mold",
                "A-1",
                "--format",
                form,
                "--out",
                str(tmp_path / to),
            ]
            assert main(["export", *words]) == 0
        names = sorted(each for each in (tmp_path / to).iterdir() if "manifest" not in each.name)
        return [each.read_bytes() for each in names if each.suffix in (".csv", ".jsonl", ".json")]

    before = exported("before")
    compact(url, BEFORE, ME)

    assert exported("after") == before
    assert before


def test_what_moves_under_a_reader_is_read_once(url: str) -> None:
    with open_history(url) as history:
        reading = history.pages(Filter(), up_to=2 * EACH, size=25)
        ids = [row.id for row in next(reading)]
        for n in range(2, 5):
            compact(url, datetime(2026, n + 2, 1, tzinfo=UTC), ME)
            ids += [row.id for row in next(reading)]
        ids += [row.id for page in reading for row in page]

    assert ids == list(range(1, 2 * EACH + 1))


def test_verify_reads_moved_cycles_against_the_same_chain(url: str) -> None:
    before = verify(url)
    assert before.differences == ()

    compact(url, BEFORE, ME)

    after = verify(url)
    assert after.differences == ()
    more = 2 * len(parquet_files(url))  # for every file a row of its own, and one of the audit log
    assert after.rows == before.rows + more


def test_curves_of_moved_cycles_are_verified_too(url: str) -> None:
    compact(url, BEFORE, ME)
    (month,) = path_of(url).parent.glob("plant-2026-04.curves.db")
    with closing(sqlite3.connect(month)) as database:
        database.execute("UPDATE curve SET started_ns = started_ns + 1 WHERE counter = 80")
        database.commit()

    assert [each.words for each in verify(url).differences] == [
        f"curves: {name}, counter 80 are not as they were written" for name in sorted(NAMES)
    ]


def rewrite(path: Path, alter: Callable[[Any], Any]) -> None:
    table = alter(pyarrow.parquet.read_table(path))
    pyarrow.parquet.write_table(table, path)


def one_digit(table: Any) -> Any:
    at_ = table.schema.get_field_index("cycle_time_s")
    values = table["cycle_time_s"].to_pylist()
    values[3] += 0.001
    return table.set_column(at_, "cycle_time_s", [values])


def one_less(table: Any) -> Any:
    return table.slice(1)


@pytest.mark.parametrize(
    ("alter", "said"),
    [(one_digit, "counter .* is not as it was written"), (one_less, "row .* is missing")],
)
def test_a_file_that_was_made_anew_is_found_even_where_its_hash_was_too(
    url: str, alter: Callable[[Any], Any], said: str
) -> None:
    compact(url, BEFORE, ME)
    path = parquet_files(url)[2]
    rewrite(path, alter)

    (found,) = verify(url).differences
    assert str(path) in found.words
    assert "SHA-256" in found.words

    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with closing(sqlite3.connect(path_of(url))) as database:
        database.execute(
            "UPDATE archive_file SET sha256 = ?, size = ? WHERE name = ?",
            (sha256, path.stat().st_size, str(path.relative_to(archive_folder(path_of(url))))),
        )
        database.commit()
    tables = {each.table: each.words for each in verify(url).differences}
    assert "is not as it was written" in tables["archive_file"]
    assert re.search(said, tables["cycle"])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def torn(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[100:400] = b"\xa5" * 300
    path.write_bytes(body)


def gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [cut, torn, gone])
async def test_a_file_that_is_damaged_is_named_and_holds_up_nothing_else(
    url: str, damage: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await asyncio.to_thread(compact, url, BEFORE, ME)
    path = parquet_files(url)[0]
    folder = back_up(url, tmp_path / "backups", ME.at)
    damage(path)

    with (
        open_history(url) as history,
        pytest.raises(RecordError, match=r"put the file back") as told,
    ):
        list(history.cycles(Filter()))
    assert str(path) in str(told.value)
    assert [str(path) in each.words for each in verify(url).differences] == [True]
    assert main(["cycles", "--record", url, "--limit", "0"]) == 1
    assert str(path) in capsys.readouterr().err
    with pytest.raises((BackupError, RecordError), match="plant-cycles"):
        back_up(url, tmp_path / "more", ME.at)

    await keep(url, EACH + 1, EACH + 5)  # the agent does not care
    with open_history(url) as history:
        assert len(list(history.cycles(Filter(machine=NAMES[0]), newest=20))) == 20
        assert history.count(Filter(since=at(200 * HALF_DAY_S))) > 200

    shutil.copy(folder / path.relative_to(path_of(url).parent), path)
    assert verify(url).differences == ()


def test_a_backup_takes_the_files_along(url: str, tmp_path: Path) -> None:
    compact(url, BEFORE, ME)
    folder = back_up(url, tmp_path / "backups", ME.at)
    again = f"sqlite:///{tmp_path}/again.db"

    said = restore(folder, again)

    assert said.cycles == 2 * EACH
    with open_history(again) as one, open_history(url) as two:
        assert QUESTIONS["all"](one) == QUESTIONS["all"](two)
    assert verify(again).differences == ()
    with pytest.raises(BackupError, match="is there already"):
        restore(folder, again)


def test_what_a_kill_left_is_removed_by_the_next_run(url: str) -> None:
    compact(url, datetime(2026, 5, 1, tzinfo=UTC), ME)
    known = parquet_files(url)
    stray = known[0].with_name("000000000001-000000000002.parquet")
    stray.write_bytes(b"half")
    unfinished = known[0].with_name("x.parquet.unfinished")
    unfinished.write_bytes(b"half")

    compact(url, datetime(2026, 5, 1, tzinfo=UTC), ME)

    assert parquet_files(url) == known
    assert not unfinished.exists()
    months = [each.name for each in archive_folder(path_of(url)).glob("month=*")]
    assert all((archive_folder(path_of(url)) / each / "manifest.json").is_file() for each in months)


KILLED = textwrap.dedent("""
    import sys
    from datetime import UTC, datetime
    from agent.archive import compacting
    from agent.audit import Author
    compacting.STAY, compacting.ROWS_MOST = 20, 8
    print("go", flush=True)
    author = Author(who="Ida", at=datetime(2026, 12, 1, tzinfo=UTC))
    compacting.compact(sys.argv[1], datetime(2026, 8, 1, tzinfo=UTC), author)
""")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_no_kill_at_any_moment_loses_a_cycle_or_makes_two_of_one(url: str) -> None:
    whole = answers(url)["all"]
    dice = random.Random(1)
    kills = 0
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(dice.uniform(0.02, 0.5))
            os.kill(process.pid, signal.SIGKILL)
            kills += process.wait() != 0
        with open_history(url) as history:
            assert list(history.cycles(Filter())) == whole

    assert kills
    compact(url, BEFORE, ME)
    assert answers(url)["all"] == whole
    assert verify(url).differences == ()


def lives(url: str) -> dict[str, Any]:
    with open_history(url) as history, history.connect() as connection:
        return {mold: dict(by) for mold, by in read_took(connection).items()}


def test_a_mount_that_is_entered_late_takes_the_same_shots(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(path_of(url).parent, tmp_path / "other")
    other = f"sqlite:///{tmp_path}/other/plant.db"
    compact(url, BEFORE, ME)
    monkeypatch.setitem(sys.modules, "duckdb", None)  # it must not need them
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    shots = []
    for each in (url, other):
        with change(each) as connection:
            desk = Desk(connection, ME)
            desk.mount(NAMES[0], "B-2", since=at(70 * HALF_DAY_S + 60))
            desk.mount(NAMES[0], "A-1", since=at(110 * HALF_DAY_S + 60))
            shots.append(desk.shots_at("B-2", at(95 * HALF_DAY_S)))
    monkeypatch.undo()

    assert lives(url) == lives(other)
    assert shots[0] == shots[1]
    before = {name: sum_of(took).shots for name, took in lives(other).items()}
    assert sum(before.values()) == 2 * EACH
    for question in ("all", "of a mold", "as booked", "newest of a mold", "count", "survey"):
        with open_history(url) as one, open_history(other) as two:
            assert QUESTIONS[question](one) == QUESTIONS[question](two), question


def test_without_the_extra_all_that_is_not_moved_is_there(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compact(url, BEFORE, ME)
    monkeypatch.setitem(sys.modules, "duckdb", None)

    with open_history(url) as history:
        assert len(list(history.cycles(Filter(machine=NAMES[0]), newest=20))) == 20
        assert history.sums(ME.at)[0].kept == EACH
        with pytest.raises(RecordError, match=r"sprue\[records\]"):
            list(history.cycles(Filter()))
    assert main(["export", "--record", url, "--mold", "A-1"]) == 1
    assert "sprue[records]" in capsys.readouterr().err


def test_without_the_extra_nothing_is_moved(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(RecordError, match=r"can't be written without the extra 'records'"):
        compact(url, BEFORE, ME)


def test_what_a_sink_was_not_told_of_stays(url: str) -> None:
    with closing(sqlite3.connect(path_of(url))) as database:
        database.execute(
            "INSERT INTO sink (name, kind, place, configured) VALUES ('tsdb', 'influxdb', '', 1)"
        )
        database.execute("INSERT INTO lane (sink, topic, after) VALUES ('tsdb', 'cycles', 100)")
        database.commit()

    found = plan(url, BEFORE)

    assert found.cycles == 100
    assert found.waiting == 2 * EACH - 40 - 100
    assert compact(url, BEFORE, ME) == 100


CYCLES = [topic for topic in (*TOPICS, *PLANT_TOPICS) if topic.name in ("cycles", "curves")]


@pytest.mark.parametrize("topic", CYCLES, ids=["cycles", "curves", "plant-cycles", "plant-curves"])
def test_a_new_sink_is_told_of_moved_cycles_too(url: str, topic: Topic) -> None:
    def told() -> list[Any]:
        reading = Reading(path_of(url))
        try:
            rows: list[Any] = []
            while page := reading.after(topic, rows[-1]["position"] if rows else 0, 590, 70):
                rows += page
            rows += reading.of(topic, [3, 300, 599])
            return [{**row, "curves": repr(row["curves"])} for row in rows]
        finally:
            reading.close()

    before = told()
    compact(url, BEFORE, ME)

    assert told() == before
    assert [row["position"] for row in before[:-3]] == list(range(1, 591))


def test_the_command_says_what_it_would_do_and_does_it(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compact", "--record", url]) == 2
    assert "history.move_after_days" in capsys.readouterr().err

    assert main(["compact", "--record", url, "--after", "1d", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "2026-03" in said
    assert "560 cycles would be moved" in said
    assert parquet_files(url) == []

    assert main(["compact", "--record", url, "--after", "1d"]) == 0
    assert capsys.readouterr().out.startswith("560 cycles from before ")


def test_two_at_a_time_are_refused(url: str) -> None:
    folder = archive_folder(path_of(url))
    folder.mkdir()
    code = "import fcntl, sys; f = open(sys.argv[1], 'wb'); fcntl.flock(f, fcntl.LOCK_EX); "
    code += "print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder / ".lock")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(RecordError, match="another 'sprue compact'"):
            compact(url, BEFORE, ME)
        other.communicate()


def test_the_columns_of_a_file_are_those_of_the_table(url: str) -> None:
    compact(url, BEFORE, ME)
    schema = pyarrow.parquet.read_schema(parquet_files(url)[0])
    assert sorted(schema.names) == sorted(column.name for column in cycle_table.c)


def test_closings_come_back_as_they_were() -> None:
    dice = np.random.default_rng(1)
    whole = [np.sort(dice.integers(0, 2**40, 1000)) for _ in range(4)]
    ids, segments, counters, times_ns = whole
    one = Closings(
        ids=ids, segments=segments, counters=counters, times_ns=times_ns,
        shots=dice.integers(0, 2, 1000),
    )  # fmt: skip
    again = decode(encode(one))
    for name in ("ids", "segments", "counters", "times_ns", "shots"):
        assert (getattr(again, name) == getattr(one, name)).all()


async def test_the_agent_moves_them_by_itself_where_the_configuration_says_so(
    first: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(first, tmp_path / "at")
    config = tmp_path / "sprue.toml"
    config.write_text(
        '[record]\nurl = "sqlite:///at/plant.db"\n\n[history]\nmove_after_days = 1\ndaily = true\n'
    )
    caplog.set_level(logging.INFO)

    house = asyncio.create_task(keep_house(load_place(config), config, first_s=0.0, every_s=0.01))
    async with asyncio.timeout(60):
        while caplog.text.count("cycles from before") < 2:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.05)
    house.cancel()

    assert "sprue compact: 0 cycles from before" in caplog.text  # they are the newest thousand


async def test_nothing_is_done_daily_that_the_configuration_does_not_say(tmp_path: Path) -> None:
    config = tmp_path / "sprue.toml"
    config.write_text("[history]\nmove_after_days = 90\n")
    await asyncio.wait_for(keep_house(load_place(config), config), 5)
