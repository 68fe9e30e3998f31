"""What is old goes, archived first; what is held, or not forwarded yet, stays whatever its age."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.archive.compacting import compact
from agent.audit import change
from agent.backup import back_up, restore
from agent.history import Filter, open_history
from agent.molds.life import sum_of
from agent.retention.holds import Hold, add_hold
from agent.retention.keeping import apply, plan
from agent.retention.settings import RetentionSettings
from agent.verifying import verify
from tests.agent import test_archive
from tests.agent.makers import at
from tests.agent.test_archive import BEFORE, EACH, HALF_DAY_S, ME, NAMES, lives, parquet_files

first, url = test_archive.first, test_archive.url

NOW = datetime(2026, 7, 15, tzinfo=UTC)
SHORT = RetentionSettings(curves_days=60, cycles_days=100, audit_days=1)
"""By 15 July: curves of March and April, cycles of March."""

CONFIG = """
[record]
url = "sqlite:///at/plant.db"

[retention]
curves_days = 30
{more}

[[machine]]
name = "IMM-01"
driver = "euromap77"
url = "opc.tcp://127.0.0.1:4840"
"""


def found(url: str, sinks: tuple[str, ...] = ()) -> dict[tuple[str, str, str | None], str]:
    return {
        (each.kind, each.month, each.machine): each.stays
        for each in plan(url, SHORT, sinks, sinks, NOW)
    }


def test_what_is_old_enough_is_told_by_kind_and_month(url: str) -> None:
    compact(url, BEFORE, ME)

    said = found(url)

    goes = sorted((kind, month) for (kind, month, _), stays in said.items() if not stays)
    assert goes == [
        ("curves", "2026-03"), ("curves", "2026-04"),
        *[("cycles", "2026-03")] * 2,
    ]  # fmt: skip
    (audit,) = [stays for (kind, _, _), stays in said.items() if kind == "audit"] or ["the log"]
    assert "log" in audit
    assert len(parquet_files(url)) > 4, "nothing was removed by asking"


def test_what_was_not_moved_stays(url: str) -> None:
    said = found(url)
    assert {stays for (kind, _, _), stays in said.items() if kind == "cycles"} == {
        "it is in the record itself: only what 'sprue compact' has moved goes"
    }


def test_it_is_archived_and_the_record_verifies_without_it(url: str, tmp_path: Path) -> None:
    compact(url, BEFORE, ME)
    before = lives(url)
    whole = {path.name: path.read_bytes() for path in parquet_files(url)}
    items = plan(url, SHORT, (), (), NOW)

    gone = apply(url, items, tmp_path / "old", ME)

    assert len(gone) == 6
    kept = {path.name: path for path in (tmp_path / "old").rglob("*.parquet")}
    assert len(kept) == 4
    assert all(path.read_bytes() == whole[name] for name, path in kept.items())
    assert len(list((tmp_path / "old").glob("*.curves.db"))) == 2
    assert not [path for path in parquet_files(url) if path.name in kept]
    assert lives(url) == before
    assert sum(sum_of(took).shots for took in before.values()) == 2 * EACH
    assert verify(url).differences == ()
    with open_history(url) as history:
        cycles = list(history.cycles(Filter(machine=NAMES[0])))
        assert cycles[0].cycle.time >= datetime(2026, 4, 1, tzinfo=UTC)
        assert history.sums(NOW)[0].kept == EACH
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        said = database.execute("SELECT new FROM audit WHERE action = 'retire'").fetchall()
    assert {json.loads(new)["month"] for (new,) in said} == {"2026-03", "2026-04"}

    folder = back_up(url, tmp_path / "backups", ME.at)
    restore(folder, f"sqlite:///{tmp_path}/again.db")
    assert verify(f"sqlite:///{tmp_path}/again.db").differences == ()
    assert apply(url, plan(url, SHORT, (), (), NOW), tmp_path / "old", ME) == []


@pytest.mark.parametrize(
    ("hold", "stay"),
    [
        (Hold(mold="B-2", why="claim"), {("curves", "2026-04")}),
        (Hold(machine=NAMES[1], why="claim"), {("curves", "2026-03"), ("cycles", "2026-03")}),
        (
            Hold(job="J 2 ä", since=at(0), until=at(110 * HALF_DAY_S), why="claim"),
            {("curves", "2026-04")},
        ),
        (Hold(until=datetime(2026, 3, 10, tzinfo=UTC), why="x"), {("cycles", "2026-03")}),
    ],
)
def test_what_is_held_stays(url: str, hold: Hold, stay: set[tuple[str, str]]) -> None:
    compact(url, BEFORE, ME)
    with change(url) as connection:
        add_hold(connection, ME, hold)

    said = found(url)

    held = {
        (kind, month) for (kind, month, _), why in said.items() if why.startswith("hold 1 (Ida")
    }
    assert stay <= held
    if hold.machine:
        assert [why for key, why in said.items() if key == ("cycles", "2026-03", NAMES[0])] == [""]


def test_a_hold_that_is_set_between_look_and_deed_holds(url: str, tmp_path: Path) -> None:
    compact(url, BEFORE, ME)
    items = plan(url, SHORT, (), (), NOW)
    with change(url) as connection:
        add_hold(connection, ME, Hold(machine=NAMES[0], why="claim"))

    gone = apply(url, items, tmp_path / "old", ME)

    assert {item.machine for item in gone} == {NAMES[1]}


def test_what_a_sink_was_not_told_of_stays(url: str) -> None:
    compact(url, BEFORE, ME)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        database.execute(
            "INSERT INTO sink (name, kind, place, configured) VALUES ('tsdb', 'influxdb', '', 1)"
        )
        for topic in ("cycles", "curves"):
            database.execute(
                "INSERT INTO lane (sink, topic, after) VALUES ('tsdb', ?, 130)", [topic]
            )
        database.commit()

    said = found(url, ("tsdb",))

    assert said["curves", "2026-03", None] == ""
    assert said["curves", "2026-04", None] == "a sink was not told of all of it yet"
    assert set(found(url, ("tsdb", "new")).values()) >= {"a sink was not told of all of it yet"}
    assert found(url, ("new",))["curves", "2026-03", None], "one that was told nothing yet"


def test_the_commands(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "sprue.toml"
    config.write_text(CONFIG.format(more=""))
    words = ["--config", str(config)]

    assert main(["hold", "add", "--mold", "A-1", *words]) == 1
    assert "--why" in capsys.readouterr().err
    assert main(["hold", "add", "--mold", "Z-9", "--why", "claim", *words]) == 1
    assert "knows no mold 'Z-9'" in capsys.readouterr().err
    until = "2026-04-15T00:00Z"
    assert main(["hold", "add", "--until", until, "--why", "claim 7", "--who", "Ida", *words]) == 0
    assert main(["hold", *words]) == 0
    assert "claim 7" in capsys.readouterr().out

    assert main(["retention", "--apply", *words]) == 2
    assert "retention.archive: missing" in capsys.readouterr().err
    assert main(["retention", "--format", "json", *words]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    stays = {line["month"]: line["stays"] for line in lines if line["kind"] == "curves"}
    assert stays["2026-03"] == "hold 1 (Ida: claim 7)"
    assert stays["2026-05"] is None

    config.write_text(CONFIG.format(more='archive = "old"'))
    assert main(["hold", "release", "1", "--why", "settled", *words]) == 0
    assert main(["hold", "release", "1", "--why", "settled", *words]) == 1
    assert "was released by" in capsys.readouterr().err
    assert main(["retention", "--apply", *words]) == 0
    assert "files are gone" in capsys.readouterr().out
    assert (tmp_path / "old" / "plant-2026-03.curves.db").is_file()
    assert verify(url).differences == ()
    shutil.rmtree(tmp_path / "old")
