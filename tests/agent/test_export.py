"""Process records as files: what is in them, what is missing, and that they are whole."""

import asyncio
import csv
import hashlib
import json
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from sqlalchemy import select

from agent.__main__ import main
from agent.audit import Author, change
from agent.batch import Batch, Blind, MachineRow, MoldRow
from agent.cycle import Curve
from agent.export.survey import survey
from agent.export.table import table
from agent.export.writing import FORMATS, Order, export
from agent.export.xlsxfile import write_xlsx
from agent.history import Filter, open_history
from agent.molds.desk import Desk
from agent.record import open_record
from agent.schema import audit
from agent.watchwords import set_limit
from bench.exporting import made
from drivers import Origin
from tests.agent.dfqreading import read_dfq
from tests.agent.makers import at, cycle, ledger
from tests.molds.test_molds import author, counted

NOW = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """A record with ten shots, three of them not observed, and one blind interval."""
    url = f"sqlite:///{tmp_path}/plant.db"
    book = ledger()
    machines = [MachineRow(name="IMM-01", driver="modbus"), MachineRow(name="IMM-02", driver="x")]
    molds = [MoldRow(name="A-1", fields={"part": "Lid", "planned_shots": 1000})]
    async with open_record(url, machines, molds) as record:
        for n in (1, 2, 3, 7, 8, 9, 10):
            values: dict[str, Any] = {"cooling_time_s": 11.5 + n / 100, "parts_good": 2}
            values["=Maker"] = "@x" if n == 1 else n
            made = cycle(
                n,
                20 * n,
                job="=SUM(A1)",
                state="failed" if n == 9 else "production",
                values=values,
                provenance=dict.fromkeys(values, Origin.REPORTED),
            )
            await record.keep(Batch(machine="IMM-01", entries=[book.take(made)]))
        gap = Blind(
            machine="IMM-01", since=at(60), until=at(140), cause="unreachable", why="cable out"
        )
        await (await record.keep(Batch(machine="IMM-01", blinds=[gap])))
    return url


def order(folder: Path, form: str = "csv", **more: Any) -> Order:
    who = Author(who="Ada", at=NOW)
    return Order(form=form, folder=folder, zone=ZoneInfo("Europe/Berlin"), author=who, **more)


def exported(url: str, folder: Path, form: str = "csv", wanted: Filter | None = None) -> Path:
    with open_history(url) as opened, opened.held() as history:
        return export(history, url, survey(history, wanted or Filter(), NOW), order(folder, form))


def manifest_of(path: Path) -> dict[str, Any]:
    beside = path.with_name(f"{path.name}.manifest.json")
    body: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8"))
    return body


@pytest.mark.parametrize(
    ("words", "counters", "said"),
    [
        ("", [1, 2, 3, 7, 8, 9, 10], "7 cycles recorded (7 shots), 3 shots not observed, blind"),
        ("--machine IMM-01 --shots 5-8", [7, 8], "2 shots not observed, blind for 1.3"),
        ("--machine IMM-01 --segment 1 --shots 1-4", [1, 2, 3], "1 shots not observed"),
        ("--machine IMM-01 --shots 8-10", [8, 9, 10], "0 shots not observed, blind for 0.0"),
        ("--state failed", [9], "1 cycles recorded"),
        ("--mold A-1 --revision A", [1, 2, 3, 7, 8, 9, 10], "3 shots not observed, blind for 1.3"),
        ("--since 2026-03-02T07:01:30+01:00", [7, 8, 9, 10], "up to 3 at its boundaries, blind"),
        ("--until 2026-03-02T06:01:01Z", [1, 2, 3], "and up to 3 at its boundaries, blind for 0.0"),
        ("--since 2026-03-02T06:02:30Z --until 2026-03-02T06:03:00Z", [8], "IMM-02: 0 cycles"),
    ],
)  # fmt: skip
def test_what_is_chosen_and_what_is_missing_in_it_is_said_and_written(
    url: str,
    tmp_path: Path,
    words: str,
    counters: list[int],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    argv = ["export", "--record", url, "--out", str(tmp_path / "out"), *shlex.split(words)]
    assert main([*argv, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert said in told
    assert not (tmp_path / "out").exists()

    assert main(argv) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith(told)
    path = Path(captured.out.strip())
    with path.open(encoding="utf-8", newline="") as file:
        assert [int(row["counter"]) for row in csv.DictReader(file)] == counters
    manifest = manifest_of(path)
    assert manifest["rows"] == len(counters)
    assert sum(each["cycles"] for each in manifest["coverage"]) == len(counters)


@pytest.mark.parametrize("words", [["--shots", "1-4"], ["--segment", "1"], ["--revision", "A"]])
def test_a_counter_without_its_machine_is_misuse(
    url: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--record", url, *words]) == 2

    assert "add --m" in capsys.readouterr().err


async def test_a_mold_is_only_missed_while_it_was_on(tmp_path: Path) -> None:
    url = await counted(tmp_path)
    with change(url) as connection:
        Desk(connection, author()).mount("IMM-01", "B-2", since=at(210))
    with open_history(url) as history:
        first = survey(history, Filter(mold="A-1"), NOW).coverage
        second = survey(history, Filter(mold="B-2"), NOW).coverage

    assert [(each.cycles, each.until <= at(210)) for each in first] == [(10, True)]
    assert [(each.cycles, each.since >= at(210)) for each in second] == [(10, True)]


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_selection_is_the_same_file_and_its_manifest_proves_it(
    url: str, tmp_path: Path, form: str
) -> None:
    first, again = exported(url, tmp_path / "a", form), exported(url, tmp_path / "b", form)

    assert first.read_bytes() == again.read_bytes()
    manifest = manifest_of(first)
    assert manifest["files"] == [
        {
            "name": first.name,
            "bytes": first.stat().st_size,
            "sha256": hashlib.sha256(first.read_bytes()).hexdigest(),
        }
    ]
    assert (manifest["by"], manifest["at"], manifest["previous"]) == ("Ada", NOW.isoformat(), None)
    beside = first.with_name(f"{first.name}.manifest.json").read_bytes()
    assert manifest_of(again)["previous"]["sha256"] == hashlib.sha256(beside).hexdigest()
    with open_history(url) as history, history.connect() as connection:
        rows = connection.execute(select(audit).where(audit.c.kind == "export")).all()
    assert [(row.who, row.action, row.subject) for row in rows] == [
        ("Ada", "exported", f"sprue.{form}")
    ] * 2
    assert json.loads(rows[0].new)["sha256"] == manifest["files"][0]["sha256"]


def test_units_stand_in_a_second_row_by_choice(url: str, tmp_path: Path) -> None:
    with open_history(url) as opened, opened.held() as history:
        found = survey(history, Filter(), NOW)
        path = export(history, url, found, order(tmp_path, units=True))

    heads, units, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    assert dict(zip(heads, units, strict=True))["cooling_time_s"] == "s"
    assert len(rows) == 7


def limited(url: str) -> None:
    """A limit that two shots lie beyond, and one that begins after them."""
    with change(url) as connection:
        set_limit(connection, author(), "A-1", "cooling_time_s", high=11.585, since=at(0))
        set_limit(connection, author(), "A-1", "cooling_time_s", low=11, since=at(190))


def test_json_lines_are_cycles_as_they_are_listed(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limited(url)
    path = exported(url, tmp_path, "jsonl")
    main(["cycles", "--record", url, "--format", "json", "--limit", "0"])

    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    outside = {line["counter"]: line.pop("outside_limits", []) for line in found}
    assert all(line.pop("warm_up") == 1 for line in found), "the first ones of all"
    said = [
        {name: line.pop(name, None) for name in ("mold_shot", "quality", "limits")}
        for line in found
    ]
    assert found == listed
    assert [each["mold_shot"] for each in said] == [1, 2, 3, 7, 8, 9, 10]
    assert {each["quality"] for each in said} == {"good"}
    assert [each["limits"] for each in said] == ["inside"] * 5 + ["outside", "inside"]
    assert outside == {n: ["cooling_time_s:high"] if n == 9 else [] for n in outside}
    assert manifest_of(path)["rows_outside_limits"] == 1


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_can_be_replayed(
    url: str, tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(exported(url, tmp_path, form)), "--ledger"]) == 0

    line = json.loads(capsys.readouterr().out)
    assert (line["mold"], line["revision"], line["shots"]) == ("A-1", "A", 10)


def test_no_cell_is_a_formula(url: str, tmp_path: Path) -> None:
    rows = list(csv.reader(exported(url, tmp_path).read_text(encoding="utf-8").splitlines()))

    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert "'=Maker" in rows[0]
    assert {"'=SUM(A1)", "'@x"} <= set(rows[1])


def test_parquet_is_typed_and_says_its_units(url: str, tmp_path: Path) -> None:
    limited(url)
    found = pq.read_table(exported(url, tmp_path, "parquet"))
    rows = found.to_pylist()

    assert found.schema.field("cooling_time_s").metadata == {b"unit": b"s"}
    assert {name: str(found.schema.field(name).type) for name in ("time", "counter", "job")} == {
        "time": "timestamp[us, tz=UTC]", "counter": "int64", "job": "string",
    }  # fmt: skip
    assert [
        (row["time"], row["counter"], row["cooling_time_s"], row["=Maker"]) for row in rows
    ] == [
        (at(20 * n), n, 11.5 + n / 100, "@x" if n == 1 else str(n)) for n in (1, 2, 3, 7, 8, 9, 10)
    ]
    assert [row["counter"] for row in rows if row["outside_limits"]] == [9]
    assert rows[0]["mode"] is None


def test_a_spreadsheet_is_typed_colored_and_says_what_is_missing(url: str, tmp_path: Path) -> None:
    limited(url)
    book = load_workbook(exported(url, tmp_path, "xlsx"))
    sheet = book["cycles"]
    heads, units, *rows = sheet.iter_rows()
    at_name = {cell.value: cell.column - 1 for cell in heads}
    values = [{name: row[n].value for name, n in at_name.items()} for row in rows]

    assert book.sheetnames[:3] == ["cycles", "coverage", "limits"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B3", f"A2:{heads[-1].column_letter}9")
    assert units[at_name["cooling_time_s"]].value == "s"
    assert units[at_name["time"]].value == "Europe/Berlin"
    assert values[0]["time"] == datetime(2026, 3, 2, 7, 0, 20)  # noqa: DTZ001 - as a sheet has it
    assert values[0]["time_utc"] == "2026-03-02T06:00:20.000000+00:00"
    assert [row["cooling_time_s"] for row in values] == [
        11.5 + n / 100 for n in (1, 2, 3, 7, 8, 9, 10)
    ]
    assert {cell.data_type for row in rows for cell in row if cell.value is not None} <= set("nsd")
    assert (values[0]["job"], values[0]["=Maker"]) == ("=SUM(A1)", "@x"), "texts as they are"
    red = [
        (row[at_name["counter"]].value, heads[n].value)
        for row in rows
        for n, cell in enumerate(row)
        if cell.fill.fgColor.rgb == "FFF4B6B6"
    ]
    assert red == [(9, "cooling_time_s"), (9, "limits"), (9, "outside_limits")]
    said = [[cell.value for cell in row] for row in book["coverage"].iter_rows()]
    assert next(row[3:8] for row in said if row[0] == "IMM-01") == [7, 7, 3, 0, 1.33]
    limits = [[cell.value for cell in row] for row in book["limits"].iter_rows(min_row=2)]
    assert [row[:5] for row in limits] == [
        ["A-1", "A", "cooling_time_s", None, 11.585], ["A-1", "A", "cooling_time_s", 11, None],
    ]  # fmt: skip


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(url: str, tmp_path: Path) -> None:
    with open_history(url) as opened, opened.held() as history:
        whole = table(history, survey(history, Filter(), NOW))
        write_xlsx(whole, tmp_path / "x.xlsx", zone=ZoneInfo("UTC"), most_rows=5)

    book = load_workbook(tmp_path / "x.xlsx")
    at = [cell.value for cell in book["cycles"][1]].index("counter")
    found = [
        [row[at] for row in book[name].iter_rows(min_row=3, values_only=True)]
        for name in book.sheetnames[:3]
    ]
    assert found == [[1, 2, 3], [7, 8, 9], [10]]


FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("x")', "%s|cmd")
ODD = "a\x00b\x1b[31m<b>&\"'\n,c\x0f\x14]]>\u202e\ufffe"


async def odd_record(folder: Path) -> str:
    """A record in which machines, molds, jobs and values are called what nothing should be."""
    url, book = f"sqlite:///{folder}/plant.db", ledger()
    async with open_record(url, [MachineRow(name="IMM-01", driver="x")]) as record:
        for n, word in enumerate((*FORMULAS, ODD), 1):
            values = {"<i>\x07": word, "=x": n, "cushion_mm": 5.0}
            one = cycle(n, 20 * n, values=values, job=word, mold="=A<b>\x07", resin=word)
            kept = await record.keep(Batch(machine="IMM-01", entries=[book.take(one)]))
        await kept
    return url


def test_formulas_markup_and_control_characters_harm_no_format(tmp_path: Path) -> None:
    url = asyncio.run(odd_record(tmp_path))
    files = {form: exported(url, tmp_path, form) for form in FORMATS}

    with files["csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert not [c for row in rows for c in row if c.startswith(("=", "+", "-", "@", "\t", "\r"))]
    jobs = [row[rows[0].index("job")] for row in rows[1:]]
    assert [job.removeprefix("'") for job in jobs] == [*FORMULAS, ODD]
    lines = [json.loads(line) for line in files["jsonl"].read_bytes().split(b"\n")[:-1]]
    assert [line["job"] for line in lines] == [*FORMULAS, ODD]
    table_ = pq.read_table(files["parquet"]).to_pylist()
    assert [(row["job"], row["<i>\x07"]) for row in table_] == [(w, w) for w in (*FORMULAS, ODD)]

    book = load_workbook(files["xlsx"])
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink]
    heads, _, *xlsx = book["cycles"].iter_rows(values_only=True)
    found = [unescape(str(row[list(heads).index("job")])) for row in xlsx]
    assert found[:4] == list(FORMULAS[:4])
    assert found[-1].replace("\ufffd", "\ufffe") == ODD

    dfq = read_dfq(files["dfq"])  # refuses control characters that the format does not have
    assert [shot.about["K0053"] for shot in dfq.shots][:2] == ["=1+1", "+1"]
    text = subprocess.run(
        ["pdftotext", str(files["pdf"]), "-"], capture_output=True, text=True, check=True
    ).stdout
    assert "\x1b" not in text
    assert "=A<b>" in text
    assert b"/JavaScript" not in files["pdf"].read_bytes()
    for path in files.values():
        assert path.parent == tmp_path, "names of files stay in their folder"
        assert path.name.isprintable()


async def test_curves_are_lists_across_months_and_segments(tmp_path: Path) -> None:
    url, book = f"sqlite:///{tmp_path}/plant.db", ledger()
    t_s = np.arange(5) / 50
    month_s = 30 * 86400
    async with open_record(url, [MachineRow(name="IMM-01", driver="x")]) as record:
        for n, seconds in ((1, 20), (2, 40), (3, 2 * month_s), (1, 2 * month_s + 20)):
            curve = Curve(
                started_at=at(seconds - 10), t_s=t_s, values=n * np.ones(5), resolution=0.5
            )
            curves = {} if n == 2 else {"injection_pressure_bar": curve}
            entry = book.take(cycle(n, seconds, curves=curves))
            await (await record.keep(Batch(machine="IMM-01", entries=[entry])))

    argv = ["export", "--record", url, "--format", "parquet", "--out", str(tmp_path), "--curves"]
    assert main(argv) == 0

    found = pq.read_table(tmp_path / "sprue.parquet")
    assert found.schema.field("curve_injection_pressure_bar").metadata == {b"unit": b"bar"}
    assert [
        (row["segment"], row["counter"], row["curve_injection_pressure_bar"])
        for row in found.to_pylist()
    ] == [(1, 1, [1.0] * 5), (1, 2, None), (1, 3, [3.0] * 5), (2, 1, [1.0] * 5)]
    assert found["curve_injection_pressure_bar_t_s"][0].as_py() == pytest.approx(t_s.tolist())


async def test_an_export_is_of_one_instant_whatever_is_written_meanwhile(tmp_path: Path) -> None:
    url = await counted(tmp_path)
    with change(url) as connection:
        set_limit(connection, author(), "A-1", "cycle_time_s", high=1.0, since=at(0))

    def everything_changes(_: int) -> None:
        with change(url) as connection:
            Desk(connection, author()).mount("IMM-01", "B-2", since=at(210))
            set_limit(connection, author(), "A-1", "cycle_time_s", high=99.0, since=at(0))

    wanted = Filter(mold="A-1")
    before = exported(url, tmp_path / "before", wanted=wanted)
    with open_history(url) as opened, opened.held() as history:
        found = survey(history, wanted, NOW)
        async with open_record(url) as record:
            late = ledger().take(cycle(1, 9000, machine="IMM-02"))
            await (await record.keep(Batch(machine="IMM-02", entries=[late])))
        path = export(history, url, found, order(tmp_path / "out"), everything_changes)

    assert path.read_bytes() == before.read_bytes()
    assert manifest_of(path)["limits"] == manifest_of(before)["limits"]
    after = exported(url, tmp_path / "after", wanted=wanted)
    assert after.read_bytes() != before.read_bytes()


def test_an_export_that_is_cancelled_leaves_nothing(url: str, tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def cancel(_: int) -> None:
        raise EnoughError

    with open_history(url) as opened, opened.held() as history:
        found = survey(history, Filter(), NOW)
        with pytest.raises(EnoughError):
            export(history, url, found, order(tmp_path / "out"), cancel)

    assert list((tmp_path / "out").iterdir()) == []
    with open_history(url) as history, history.connect() as connection:
        assert not connection.execute(select(audit.c.id).where(audit.c.kind == "export")).all()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_pages_that_are_read_on_skip_and_repeat_nothing(url: str, size: int) -> None:
    with open_history(url) as history:
        up_to = survey(history, Filter(), NOW).up_to
        found: list[int] = []
        while True:
            after = found[-1] if found else 0
            page = next(history.pages(Filter(), up_to=up_to, size=size, after=after), ())
            found += [row.id for row in page]
            if len(page) < size:
                break
        assert found == [row.id for row in next(history.pages(Filter(), up_to=up_to))]


@pytest.mark.parametrize(("form", "library"), [("parquet", "pyarrow"), ("xlsx", "xlsxwriter")])
def test_a_library_that_is_not_installed_is_named(
    url: str,
    tmp_path: Path,
    form: str,
    library: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    for name in [name for name in sys.modules if name.startswith(f"agent.export.{form}file")]:
        monkeypatch.delitem(sys.modules, name)

    assert main(["export", "--record", url, "--out", str(tmp_path / "o"), "--format", form]) == 1

    assert f"{library} is not installed: 'make records'" in capsys.readouterr().err
    assert list((tmp_path / "o").iterdir()) == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_disk_that_fills_leaves_no_half_file(tmp_path: Path, form: str) -> None:
    made(tmp_path / "year.db", 2000)
    url, out = f"sqlite:///{tmp_path}/year.db", tmp_path / "out"
    mold = {"dfq": "M-01", "pdf": "M-01"}.get(form)
    whole = exported(url, out, form, Filter(mold=mold)).read_bytes()
    argv = [sys.executable, "-m", "agent", "export", "--record", url, "--format", form]
    argv += ["--mold", mold] if mold else []
    command = shlex.join([*argv, "--out", str(out)])

    # No file may grow beyond 50 kB: the system itself refuses the rest, as a full disk does.
    ended = subprocess.run(
        ["sh", "-c", f"ulimit -f 100; exec {command}"], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1, ended.stderr
    assert "can't be written" in ended.stderr
    assert "Traceback" not in ended.stderr
    name = f"sprue-{mold}.{form}" if mold else f"sprue.{form}"
    assert sorted(file.name for file in out.iterdir()) == [name, f"{name}.manifest.json"]
    assert (out / name).read_bytes() == whole, "the one before stays as it was"
