"""The commands that read a record, as people and programs call them."""

import asyncio
import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.batch import Batch, Blind, MachineRow, MoldRow
from agent.record import open_record
from agent.stopping import until_stopped
from dashboards.server import ServeError
from drivers import Origin
from tests.agent.makers import at, cycle, ledger


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """A record with ten shots, three of them not observed, one refused, one blind interval."""
    url = f"sqlite:///{tmp_path}/plant.db"
    book = ledger()
    machines = [MachineRow(name="IMM-01", driver="modbus")]
    molds = [MoldRow(name="A-1", fields={"part": "Lid", "planned_shots": 1000})]
    async with open_record(url, machines, molds) as record:
        for n in (1, 2, 3, 3, 7, 8, 9, 10):
            made = cycle(
                n,
                20 * n,
                job="=SUM(A1)",
                values={"cooling_time_s": 11.5 + n / 100, "cycle_time_s": 20.0, "Maker": "x,y"},
                provenance=dict.fromkeys(
                    ("cooling_time_s", "cycle_time_s", "Maker"), Origin.REPORTED
                ),
            )
            await record.keep(Batch(machine="IMM-01", entries=[book.take(made)]))
        gap = Blind(
            machine="IMM-01", since=at(60), until=at(140), cause="unreachable", why="cable out"
        )
        await (await record.keep(Batch(machine="IMM-01", blinds=[gap])))
    return url


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


async def test_a_cycle_that_came_late_is_listed_in_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/plant.db"
    names = ("IMM-01", "IMM-02")
    books = {name: ledger() for name in names}
    async with open_record(url, [MachineRow(name=n, driver="euromap77") for n in names]) as record:
        for machine, n in (
            ("IMM-01", 1),
            ("IMM-01", 2),
            ("IMM-02", 31),
            ("IMM-01", 5),
            ("IMM-02", 32),
            ("IMM-01", 4),
            ("IMM-01", 3),
        ):
            made = cycle(n, 20 * n, machine=machine)
            await (await record.keep(Batch(machine=machine, entries=[books[machine].take(made)])))
    listed = []
    for limit in ("6", "0"):
        main(["cycles", "--record", url, "--format", "json", "--limit", limit])
        listed.append([line["counter"] for line in lines(capsys)])

    newest, all_ = listed
    assert newest == [2, 31, 3, 32, 4, 5], "each machine's in order, on its own lines"
    assert all_ == [1, 2, 31, 5, 32, 4, 3], "as they came"


def test_cycles_come_as_json_lines_with_canonical_names(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["cycles", "--record", url, "--limit", "2", "--format", "json"])

    first, last = lines(capsys)
    assert status == 0
    assert (first["counter"], last["counter"]) == (9, 10)
    assert last == {
        "machine": "IMM-01",
        "segment": 1,
        "counter": 10,
        "mold": "A-1",
        "revision": "A",
        "job": "=SUM(A1)",
        "time": "2026-03-02T06:03:20.000000+00:00",
        "closing": "shot",
        "state": "production",
        "values": {"cycle_time_s": 20.0, "cooling_time_s": 11.6, "Maker": "x,y"},
        "provenance": {
            "Maker": "reported", "cooling_time_s": "reported", "cycle_time_s": "reported",
        },
        "flags": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "counters"),
    [
        (["--limit", "0"], [1, 2, 3, 7, 8, 9, 10]),
        (["--machine", "IMM-02"], []),
        (["--mold", "A-1", "--limit", "1"], [10]),
        (["--since", "2026-03-02T07:02:40+01:00"], [8, 9, 10]),
        (["--until", "2026-03-02T06:00:41Z"], [1, 2]),
    ],
)
def test_cycles_are_filtered(
    url: str, wanted: list[str], counters: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["cycles", "--record", url, "--format", "json", *wanted])

    assert [line["counter"] for line in lines(capsys)] == counters


def test_a_time_without_an_offset_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["cycles", "--since", "2026-03-02T06:00"])

    assert ended.value.code == 2
    assert "lacks an offset" in capsys.readouterr().err


def test_status_prints_the_loss_identity(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--record", url, "--format", "json"]) == 0

    (line,) = lines(capsys)
    assert line["seen"] == 8
    assert (line["kept"], line["refused"], line["unobserved"]) == (7, {"duplicate": 1}, 3)
    assert (line["blind_s"], line["mold"]) == (80.0, "A-1")


def test_molds_are_the_sums_of_the_ledger(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["molds", "list", "--record", url, "--format", "json"]) == 0

    (line,) = lines(capsys)
    assert (line["mold"], line["shots"], line["unobserved"]) == ("A-1", 10, 3)


@pytest.mark.parametrize("command", ["status", "cycles", "molds"])
def test_tables_are_for_people(url: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--record", url]) == 0

    said = capsys.readouterr().out
    assert "A-1" in said
    assert "{" not in said


def test_an_export_is_csv_that_reads_back(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["export", "--record", url, "--out", str(tmp_path / "out"), "--mold", "A-1"])

    path = Path(capsys.readouterr().out.strip())
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert status == 0
    assert path == tmp_path / "out" / "sprue-A-1.csv"
    assert [row["counter"] for row in rows] == ["1", "2", "3", "7", "8", "9", "10"]
    assert rows[0]["cooling_time_s"] == "11.51"
    assert rows[0]["Maker"] == "x,y"
    assert rows[0]["job"] == "'=SUM(A1)"
    assert rows[0]["time"] == "2026-03-02T06:00:20.000000+00:00"
    assert path.read_bytes().count(b"\r\n") == 8
    assert sorted(path.parent.iterdir()) == [path, path.with_name(f"{path.name}.manifest.json")]


def test_an_export_of_nothing_says_so(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--record", url, "--out", str(tmp_path), "--mold", "B-9"]) == 1

    assert "no cycle in the record matches" in capsys.readouterr().err


def test_an_export_that_can_not_be_written_leaves_nothing(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("a file, not a folder")

    assert main(["export", "--record", url, "--out", str(tmp_path / "out")]) == 1

    assert "can't be written" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["status", "cycles", "molds", "export"])
def test_a_record_that_is_not_there_is_one_sentence(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--record", f"sqlite:///{tmp_path}/none.db"]) == 1

    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "there is no" in said


def test_a_fleet_that_is_not_there_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "demmo", "--print-config"]) == 2

    assert "did you mean 'demo'" in capsys.readouterr().err


def test_what_ended_a_command_is_said_whatever_else_broke_with_it() -> None:
    async def links_that_are_cut_when_the_pages_fail() -> None:
        async def link() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise RuntimeError("the handler is closed")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(link())
            await asyncio.sleep(0)
            raise ServeError("The pages can't be served.")

    with pytest.raises(ServeError, match="can't be served"):
        until_stopped(links_that_are_cut_when_the_pages_fail())


@pytest.mark.parametrize("option", ["--truth", "--config-out", "--state"])
def test_a_file_that_a_simulator_can_t_write_is_one_sentence(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "not-there" / "file"

    assert main(["simulate", "six", "--free-ports", option, str(file)]) == 1

    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{file}" in said


def test_a_simulator_s_state_does_not_overwrite_another_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sprue.toml"
    file.write_text('[site]\nname = "Plant 2"\n', encoding="utf-8")

    assert main(["simulate", "six", "--free-ports", "--state", str(file)]) == 2

    assert "line 1 is no state" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == '[site]\nname = "Plant 2"\n'


def test_an_order_that_no_simulator_would_understand_is_misuse(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["fault", "IMM-01", "blak_hole"]) == 2

    assert "did you mean 'black_hole'" in capsys.readouterr().err


def test_a_fleet_prints_the_configuration_that_fits_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["simulate", "demo", "--machines", "14", "--print-config"]) == 0

    file = tmp_path / "sprue.toml"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["check", str(file)]) == 0
    assert "Machines: 14" in capsys.readouterr().out


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Commands set up logging; tests that follow have their own."""
    import logging

    handlers = logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = handlers
