"""Lives over several agents' records: added once, whatever is given; what is doubtful is said."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.__main__ import main
from agent.audit import change
from agent.backup import back_up
from agent.batch import Batch
from agent.copying import copy_database
from agent.files import main_path
from agent.molds.desk import Desk
from agent.molds.servicelog import Service
from agent.record import open_record
from tests.agent.makers import at, cycle, ledger
from tests.molds.test_molds import MACHINES, MOLDS, author, counted

Capture = pytest.CaptureFixture[str]


async def record(folder: Path, shots: int) -> str:
    folder.mkdir()
    return await counted(folder, shots)


async def go_on(url: str, first: int, last: int) -> None:
    book = ledger()
    async with open_record(url, MACHINES, MOLDS) as open_:
        book.standing = open_.before["IMM-01"].standing
        for n in range(first, last + 1):
            entries = [book.take(cycle(n, 20 * n))]
            done = await open_.keep(Batch(machine="IMM-01", entries=entries))
        await done


def listed(capsys: Capture, *urls: str) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The present lines by mold, and what is said of them."""
    capsys.readouterr()
    words = [word for url in urls for word in ("--record", url)]
    assert main(["molds", "list", "--format", "json", *words]) == 0
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    return {line["mold"]: line for line in lines}, said.err.splitlines()


async def test_records_of_two_agents_are_added(tmp_path: Path, capsys: Capture) -> None:
    one, two = await record(tmp_path / "one", 20), await record(tmp_path / "two", 15)
    with change(two) as connection:
        Desk(connection, author()).mount("IMM-01", "B-2", since=at(210))

    lines, said = listed(capsys, one, two)

    assert (lines["A-1"]["shots"], lines["B-2"]["shots"]) == (30, 5)
    assert lines["A-1"]["used"] == 0.3, "the life is of the sum"
    assert lines["A-1"]["shots_by_record"] == {
        str(main_path(one)): 20,
        str(main_path(two)): 10,
    }
    assert lines["B-2"]["machine"] == f"IMM-01 ({main_path(two)})"
    (warning,) = said
    assert "IMM-01 is counted in" in warning
    assert "at the same time" in warning

    assert main(["molds", "--record", one, "--record", two]) == 0
    table = capsys.readouterr().out.splitlines()
    assert any(line.split()[:2] == ["A-1", "A"] and " 30 " in line for line in table)


async def test_a_record_its_copy_and_its_backup_count_once(tmp_path: Path, capsys: Capture) -> None:
    url = await record(tmp_path / "one", 20)
    backup = back_up(url, tmp_path / "backups", datetime.now(UTC))
    (old,) = (f"sqlite:///{path}" for path in backup.glob("plant.db"))
    copy_database(main_path(url), tmp_path / "same.db")
    same = f"sqlite:///{tmp_path}/same.db"
    link = tmp_path / "link.db"
    link.symlink_to(main_path(url))
    await go_on(url, 21, 25)

    for urls in ([url, url], [url, old], [old, url], [same, old, url], [url, f"sqlite:///{link}"]):
        lines, said = listed(capsys, *urls)
        assert lines["A-1"]["shots"] == 25, urls
        assert len(said) == len(urls) - 1, "each that is not counted is named"
        assert all("is left out" in each or "given twice" in each for each in said)


async def test_copies_that_went_on_by_themselves_can_not_be_added(
    tmp_path: Path, capsys: Capture
) -> None:
    url = await record(tmp_path / "one", 20)
    copy_database(main_path(url), tmp_path / "copy.db")
    copy = f"sqlite:///{tmp_path}/copy.db"
    await go_on(url, 21, 25)
    with change(copy) as connection:
        Desk(connection, author()).correct("A-1", -3, "counted by hand")

    assert main(["molds", "list", "--record", url, "--record", copy]) == 1

    said = capsys.readouterr().err
    assert "are of one agent" in said
    assert "copy.db" in said


async def test_a_list_imported_into_two_records_counts_once(
    tmp_path: Path, capsys: Capture
) -> None:
    one, two = await record(tmp_path / "one", 2), await record(tmp_path / "two", 3)
    for n, (url, text) in enumerate(
        ((one, "mold,shots,resin\nC-3,1200,PP\n"), (two, "mold,shots,resin\nC-3,1250,PP\n"))
    ):
        path = tmp_path / f"molds{n}.csv"
        path.write_text(text, encoding="utf-8")
        assert main(["molds", "import", str(path), "--record", url]) == 0

    for urls in ([one, two], [two, one]):
        lines, said = listed(capsys, *urls)
        assert lines["C-3"]["shots"] == 1200, "the earliest; what came since is counted"
        starts = sorted(each for each in said if "starting count" in each)
        assert len(starts) == 2
        assert any("1200, is the earliest" in each for each in starts)
        assert any("1250, is left out" in each for each in starts)


async def test_a_service_is_at_the_shots_of_all_records(tmp_path: Path, capsys: Capture) -> None:
    one, two = await record(tmp_path / "one", 20), await record(tmp_path / "two", 15)
    plan = {"service_plan": [{"level": 4, "shots": 40}]}
    for url in (one, two):
        with change(url) as connection:
            Desk(connection, author()).edit("A-1", plan)
    with change(two) as connection:
        done = Service(mold="A-1", at=at(205), kind="service", level=4, what="cleaned")
        Desk(connection, author()).service(done)  # after 10 shots on each
    lines, _said = listed(capsys, one, two)
    assert (lines["A-1"]["shots"], lines["A-1"]["service"]) == (35, "level 4 (general) ok")

    with change(two) as connection:  # with the 15 since then: 40
        Desk(connection, author()).correct("A-1", 25, "made on a press without Sprue")
    lines, _said = listed(capsys, one, two)
    assert lines["A-1"]["service"] == "level 4 (general) due"


async def test_what_records_say_otherwise_of_a_mold_is_told(
    tmp_path: Path, capsys: Capture
) -> None:
    one, two = await record(tmp_path / "one", 2), await record(tmp_path / "two", 3)
    with change(two) as connection:
        Desk(connection, author()).edit("A-1", {"planned_shots": 70})

    lines, said = listed(capsys, one, two)

    assert lines["A-1"]["planned_shots"] == 100
    assert any("planned_shots 100 and 70" in each for each in said)


async def test_a_record_that_is_not_there_is_named(tmp_path: Path, capsys: Capture) -> None:
    one = await record(tmp_path / "one", 2)

    assert main(["molds", "--record", one, "--record", f"sqlite:///{tmp_path}/none.db"]) == 1

    assert "none.db" in capsys.readouterr().err
