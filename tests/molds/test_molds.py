"""Molds in a real record: mounts entered late, re-cuts, corrections, services, alerts, commands."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from agent import schema
from agent.__main__ import main
from agent.anomaly import Anomaly
from agent.audit import Author, change
from agent.batch import Batch, MachineRow, MoldRow
from agent.molds.desk import Desk, MoldError
from agent.molds.forecast import forecast
from agent.molds.life import life_of, sum_of
from agent.molds.moldlife import MoldLife
from agent.molds.servicelog import Service
from agent.molds.shelf import read_days, read_shelf
from agent.record import open_record
from tests.agent.makers import at, cycle, ledger, sighting

MACHINES = [MachineRow(name="IMM-01", driver="modbus")]
MOLDS = [
    MoldRow(name="A-1", fields={"part": "Lid", "resin": "ABS", "planned_shots": 100}),
    MoldRow(name="B-2", fields={"life_plan": {"abs": 100, "filled_30": 10}}),
]
LATER = datetime(2026, 4, 1, tzinfo=UTC)


def author() -> Author:
    return Author(who="M. Ortiz", at=LATER)


async def counted(path: Path, shots: int = 20, molds: Sequence[MoldRow] = MOLDS) -> str:
    """A record in which IMM-01 made shots, one every 20 s, with A-1 by its own word."""
    url = f"sqlite:///{path}/plant.db"
    book = ledger()
    async with open_record(url, MACHINES, molds) as record:
        items = [cycle(n, 20 * n) for n in range(1, shots + 1)]
        for item in items:
            done = await record.keep(Batch(machine="IMM-01", entries=[book.take(item)]))
        await done
    return url


def shots_by(url: str) -> dict[tuple[str, str], int]:
    with change(url) as connection:
        took = read_shelf(connection).took
        total = connection.execute(select(func.sum(schema.mold_day.c.shots))).scalar_one()
        rows = connection.execute(select(func.sum(schema.run.c.shots))).scalar_one()
        more = connection.execute(select(func.sum(schema.adjustment.c.shots))).scalar() or 0
    assert total == rows + more, "sums by day are the sums of the rows"
    return {
        (mold, revision): sum_of(each, frozenset({revision})).shots
        for mold, each in took.items()
        for revision in {rev for rev, _resin in each}
        if sum_of(each, frozenset({revision})).shots
    }


async def test_a_mount_entered_late_moves_the_shots_since_then_and_can_be_withdrawn(
    tmp_path: Path,
) -> None:
    url = await counted(tmp_path)
    with change(url) as connection:
        entry = Desk(connection, author()).mount("IMM-01", "B-2", since=at(210))
    assert shots_by(url) == {("A-1", "A"): 10, ("B-2", "A"): 10}

    async with open_record(url, MACHINES, MOLDS):
        pass  # the agent runs it again, and nothing moves
    assert shots_by(url) == {("A-1", "A"): 10, ("B-2", "A"): 10}

    with change(url) as connection:
        Desk(connection, author()).withdraw(entry, "wrong press")
    assert shots_by(url) == {("A-1", "A"): 20}


async def test_a_re_cut_entered_late_begins_its_life_where_it_was_made(tmp_path: Path) -> None:
    url = await counted(tmp_path)
    with change(url) as connection:
        Desk(connection, author()).revise("A-1", since=at(305), reason="gate re-cut")
        shelf = read_shelf(connection)
    assert shots_by(url) == {("A-1", "A"): 15, ("A-1", "B"): 5}
    life = life_of(shelf.molds["A-1"], shelf.took["A-1"])
    assert (life.took.shots, life.remaining) == (5, 95)


async def test_a_start_never_undoes_what_a_person_changed(tmp_path: Path) -> None:
    url = await counted(tmp_path, 1)
    with change(url) as connection:
        Desk(connection, author()).edit("A-1", {"part": "Lid, blue"})
    changed = [MoldRow(name="A-1", fields={"part": "Lid", "planned_shots": 500})]
    async with open_record(url, MACHINES, changed) as record:
        mold = record.shelf.molds["A-1"]
    assert (mold.part, mold.planned_shots) == ("Lid, blue", 500)


async def test_shots_not_seen_are_split_by_time_and_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/plant.db"
    book = ledger()
    async with open_record(url, MACHINES, MOLDS) as record:
        for item in (cycle(1, 20), cycle(2, 40), sighting(12, 240)):
            done = await record.keep(Batch(machine="IMM-01", entries=[book.take(item)]))
        await done
    with change(url) as connection:
        Desk(connection, author()).mount("IMM-01", "B-2", since=at(140))
        shelf = read_shelf(connection)
    a, b = sum_of(shelf.took["A-1"]), sum_of(shelf.took["B-2"])
    assert (a.shots + b.shots, b.shots) == (12, 5)
    assert (a.shots_min, a.shots_max, b.shots_min, b.shots_max) == (2, 12, 0, 10)
    assert main(["molds", "list", "--record", url]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert "possible" in head
    assert "2 to 12" in lines[0]
    assert "0 to 10" in lines[1]


async def test_life_alerts_fire_once_over_a_restart_and_close(tmp_path: Path) -> None:
    url = await counted(tmp_path, 78)
    with change(url) as connection:
        shelf = read_shelf(connection)
    book = ledger(standing=None)
    stage = MoldLife(shelf)
    found: list[Anomaly] = []
    for n in range(1, 25):
        found += stage.take(book.take(cycle(n, 20 * n)))
    causes = [(each.cause, each.is_open) for each in found]
    assert causes == [
        ("life_80", True), ("life_80", False), ("life_90", True), ("life_90", False),
        ("life_100", True),
    ]  # fmt: skip

    again = MoldLife(shelf, found[-1:])
    assert [each.is_open for each in again.tick(LATER)] == [False], "78 % by the record: closed"


async def test_a_service_entry_closes_its_alert_and_a_correction_replaces_it(
    tmp_path: Path,
) -> None:
    url = await counted(tmp_path)
    with change(url) as connection:
        Desk(connection, author()).edit("A-1", {"service_plan": [{"level": 4, "shots": 20}]})
        stage = MoldLife(read_shelf(connection))
    (due,) = stage.tick(LATER)
    assert (due.cause, due.mold) == ("service_due", "A-1")

    with change(url) as connection:
        desk = Desk(connection, author())
        entry = desk.service(Service(mold="A-1", at=at(210), level=4, what="vents"))
        assert entry.shots == 10, "as counted at that time"
        closing = stage.reload(read_shelf(connection), LATER)
        fixed = desk.service(
            Service(mold="A-1", at=at(290), level=4, what="vents, water", corrects=entry.id)
        )
        assert fixed.shots == 14
        with pytest.raises(MoldError, match="corrected already"):
            desk.service(Service(mold="A-1", at=at(290), corrects=entry.id))
    assert [each.is_open for each in closing] == [False]


async def test_life_is_weighted_by_resin(tmp_path: Path) -> None:
    url = await counted(tmp_path, 1)
    with change(url) as connection:
        desk = Desk(connection, author())
        desk.correct("B-2", 50, "old log", resin="ABS", kind="start")
        desk.correct("B-2", 4, "old log", resin="PA66-GF30", kind="start")
        desk.correct("B-2", 7, "old log", kind="start")
        with pytest.raises(MoldError, match="can't take"):
            desk.correct("B-2", -100, "wrong")
        shelf = read_shelf(connection)
    life = life_of(shelf.molds["B-2"], shelf.took["B-2"], loaded="ABS")
    assert life.used == pytest.approx(0.9)
    assert (life.remaining, life.unweighed) == (10, 7)
    assert life.used_max == pytest.approx(1.6)


def test_a_forecast_is_a_range_and_needs_a_habit() -> None:
    today = date(2026, 6, 1)
    days = {today - timedelta(days=n): 100 for n in range(1, 60) if n % 7 in (1, 2, 3)}
    found = forecast(3000, days, today)
    assert found is not None
    assert found.late is not None
    assert found.early <= today + timedelta(days=70) <= found.late + timedelta(days=7)
    assert forecast(3000, {today - timedelta(days=1): 499}, today) is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
async def test_a_mold_list_comes_in_whatever_wrote_it(tmp_path: Path, encoding: str) -> None:
    url = await counted(tmp_path, 1)
    text = (
        "sep=;\nWerkzeug-Nr.;Bezeichnung;Werkstoff;Schüsse;Wanddicke;Farbe\n"
        "W-1;Gehäuse;7075;12.500;2,5;rot\n\nW-2;Kappe;QC10;900;1,8;\n"
    )
    path = tmp_path / "molds.csv"
    path.write_bytes(text.encode(encoding))
    argv = ["molds", "import", str(path), "--record", url, "--who", "M. Ortiz"]

    assert main([*argv, "--dry-run"]) == 0
    assert ("W-1", "A") not in shots_by(url)
    assert main(argv) == 0
    assert shots_by(url)["W-1", "A"] == 12500
    with change(url) as connection:
        mold = read_shelf(connection).molds["W-1"]
        assert read_days(connection, date(2027, 1, 1), 0) == {}
    assert (mold.part, mold.alloy, mold.wall_mm) == ("Gehäuse", "7075-T6", 2.5)


async def test_a_list_with_mistakes_is_told_line_by_line_and_nothing_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = await counted(tmp_path, 1)
    path = tmp_path / "molds.csv"
    path.write_text(
        "mold,alloy,shots\nG-1,P20,10\nG-2,cheese,10\nG-1,P20,5\n,P20,1\nG-3,P20,many\n"
        f"G-4,P20,12,5\nG-5,P20,{10**20}\n",
        encoding="utf-8",
    )
    assert main(["molds", "import", str(path), "--record", url]) == 1
    said = capsys.readouterr().err
    mistakes = ["alloy", "line 2 already", "no mold id", "many", "more cells", f"{10**20}"]
    for line, words in enumerate(mistakes, 3):
        assert any(f"line {line}:" in each and words in each for each in said.splitlines()), said
    assert "nothing was imported" in said
    assert not {mold for mold, _revision in shots_by(url)} & {f"G-{n}" for n in range(1, 6)}


async def test_every_command_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = await counted(tmp_path)
    where = ["--record", url]
    for argv in (
        ["add", "C-3", "--alloy", "QC-10", "--resin", "POM"],
        ["edit", "C-3", "--location", "Rack 4"],
        ["plan", "C-3", "--defaults", "--life", "POM=700"],
        ["mount", "IMM-01", "C-3", "--since", "2026-03-02T06:03:30Z"],
        ["revise", "C-3", "--reason", "re-cut"],
        ["service", "C-3", "greased", "--kind", "pull", "--done", "water lines blown dry"],
        ["correct", "C-3", "5", "--revision", "A", "--reason", "hand log"],
        ["timeline", "IMM-01"],
        ["unmount", "IMM-01"],
        ["show", "C-3"],
        ["retire", "C-3", "--reason", "scrapped"],
    ):
        assert main(["molds", *argv, *where]) == 0, argv
        capsys.readouterr()
    assert main(["molds", "show", "C-3", *where]) == 0
    shown = capsys.readouterr().out
    assert "name A, since the start, restarts inserts" in shown
    assert "water lines blown dry yes" in shown
    assert not {"datetime", "{", "None"} & set(shown.replace("(", " ").split())
    assert main(["molds", "--all", "--format", "json", *where]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = {(line["mold"], line["revision"]): line["shots"] for line in lines}
    assert found == {("A-1", "A"): 10, ("B-2", "A"): 0, ("C-3", "A"): 15, ("C-3", "B"): 0}
    assert main(["molds", "show", "C-4", *where]) == 1
