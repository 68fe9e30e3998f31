"""A closed batch comes out the same next month, elsewhere, and is read by programs not ours."""

import asyncio
import csv
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from agent.audit import Author, change
from agent.backup import back_up, restore
from agent.batch import Batch, Blind, MachineRow
from agent.context.book import Book
from agent.context.entry import Said
from agent.export.survey import survey
from agent.export.writing import FORMATS, Order, export
from agent.history import Filter, open_history
from agent.record import open_record
from agent.watchwords import set_limit
from tests.agent.makers import at, cycle, ledger
from tests.agent.test_exportcontent import a_record

BOX = Filter(box="B-1")
TIME = datetime(2026, 3, 3, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    url: str
    folder: Path
    files: dict[str, Path]
    """The box, by format."""


def exported(url: str, folder: Path, form: str, now: datetime) -> Path:
    who = Author(who="Ada" if now == TIME else "Ben", at=now)
    zone = ZoneInfo("Europe/Berlin")
    order = Order(form=form, folder=folder, zone=zone, author=who, site="Plant 2")
    with open_history(url) as opened, opened.held() as history:
        return export(history, url, survey(history, BOX, now), order)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A box of shots 15 to 90, of a run with a gap of five shots, exported in every format."""
    folder = tmp_path_factory.mktemp("again")
    url = asyncio.run(a_record(folder)).url
    hidden = Blind(machine="IMM-01", since=at(400), until=at(460), cause="refused", why="busy")
    asyncio.run(more(url, [], [hidden]))
    with change(url) as connection:
        book = Book(connection, Author(who="Ada", at=TIME))
        details = {"note": '=HYPERLINK("x")', "customer": "<b>\u6a21&"}
        book.enter(
            Said(kind="box", label="B-1", machine="IMM-01", first=15, last=90, details=details)
        )
        set_limit(connection, book._author, "A-1", "cushion_mm", low=4.9, since=at(0))
    files = {form: exported(url, folder / "first", form, TIME) for form in FORMATS}
    return Made(url, folder, files)


async def more(url: str, cycles: list[int], blinds: list[Blind]) -> None:
    async with open_record(url, [MachineRow(name="IMM-01", driver="modbus")]) as record:
        before = record.before["IMM-01"]
        book = ledger(standing=before.standing)
        for n in cycles:
            late = cycle(
                n, 3_000_000 + 20 * n, job="J-2", flags=("backfilled",),
                values={"cushion_mm": 1.0, "fill_time_s": 0.5, "Vendor": "x"},
            )  # fmt: skip
            await record.keep(Batch(machine="IMM-01", entries=[book.take(late)]))
        await (await record.keep(Batch(machine="IMM-01", blinds=blinds)))


def test_it_is_the_same_a_month_later_from_a_restored_backup(made: Made) -> None:
    backup = back_up(made.url, made.folder / "backups", TIME)
    url = f"sqlite:///{made.folder}/elsewhere/plant.db"
    (made.folder / "elsewhere").mkdir()
    restore(backup, url)
    later = TIME + timedelta(days=31)
    asyncio.run(more(url, list(range(101, 140)), []))
    with change(url) as connection:
        book = Book(connection, Author(who="Ben", at=later))
        book.enter(Said(kind="lot", label="L-9", machine="IMM-01", since=later))
        book.enter(Said(kind="sheet", label="S-4", mold="A-1", since=later))
        set_limit(connection, book._author, "A-1", "cushion_mm", low=1.0, since=later)

    for form, first in made.files.items():
        again = exported(url, made.folder / "again", form, later)
        assert again.name == first.name
        assert again.read_bytes() == first.read_bytes(), form
        old, new = (
            json.loads(path.with_name(f"{path.name}.manifest.json").read_text(encoding="utf-8"))
            for path in (first, again)
        )
        assert (old["by"], new["by"]) == ("Ada", "Ben")
        for each in (old, new):
            for name in ("by", "at", "previous", "chain", "seal"):
                del each[name]
        assert old == new


def test_it_is_the_same_on_a_computer_that_is_set_up_otherwise(made: Made, tmp_path: Path) -> None:
    """Another zone, locale, encoding, user, umask, home, folder and order of hashes; as a command.

    What is not another here is the processor, and zlib.
    """
    home = tmp_path / "another home"
    home.mkdir()
    place = home / "sprue.toml"
    place.write_text(
        f'record = {{ url = "{made.url}" }}\n[site]\nname = "Plant 2"\ntimezone = "Europe/Berlin"\n'
    )
    script = (
        "from agent.__main__ import main\n"
        f"for form in {FORMATS}:\n"
        "    assert not main(['export', '--box', 'B-1', '--format', form, '--out', 'out',"
        f" '--config', {str(place)!r}, '--who', 'Cleo'])\n"
    )
    here = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2]),
        "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0",
        "PYTHONHASHSEED": "4711", "HOME": str(home), "LOGNAME": "cleo",
    }  # fmt: skip
    subprocess.run(
        [sys.executable, "-c", script], cwd=home, env=here, umask=0o077, check=True,
        capture_output=True,
    )  # fmt: skip

    for form, first in made.files.items():
        again = home / "out" / first.name
        assert again.read_bytes() == first.read_bytes(), form


def test_parquet_is_read_by_three(made: Made) -> None:
    path = made.files["parquet"]
    rows = pq.read_table(path).to_pylist()
    assert [row["counter"] for row in rows] == list(range(15, 91))

    frame = pd.read_parquet(path)
    assert list(frame["counter"]) == list(range(15, 91))
    assert list(frame["cushion_mm"]) == [row["cushion_mm"] for row in rows]
    assert frame["time"].dt.tz is not None
    query = "SELECT counter, cushion_mm, box, outside_limits FROM read_parquet(?) ORDER BY counter"
    with duckdb.connect() as connection:
        found = connection.execute(query, [str(path)]).fetchall()
    assert found == [
        (row["counter"], row["cushion_mm"], "B-1", row["outside_limits"]) for row in rows
    ]


def test_a_spreadsheet_program_opens_it_and_finds_the_same(made: Made, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    plain = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
    ended = subprocess.run(
        [
            office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless",
            "--convert-to", plain, "--outdir", str(tmp_path), str(made.files["xlsx"]),
        ],
        capture_output=True, text=True, check=True, timeout=240,
    )  # fmt: skip
    told = (ended.stdout + ended.stderr).casefold()
    assert "error" not in told
    assert "repair" not in told

    sheets = {path.stem.rpartition("-")[2]: path for path in tmp_path.glob("*.csv")}
    assert sheets.keys() == {
        "cycles", "coverage", "limits", "header", "summary", "said", "events"
    }  # fmt: skip
    with sheets["cycles"].open(encoding="utf-8", newline="") as file:
        heads, _units, *cells = csv.reader(file)
    theirs = [dict(zip(heads, row, strict=True)) for row in cells]
    with made.files["csv"].open(encoding="utf-8", newline="") as file:
        ours = list(csv.DictReader(file))
    assert len(theirs) == len(ours) == 76
    for one, other in zip(theirs, ours, strict=True):
        exact = datetime.fromisoformat(other["time"])
        assert datetime.fromisoformat(one["time_utc"]) == exact
        for name in ("machine", "job", "resin_lot", "box", "outside_limits", "provenance"):
            assert one[name] == other[name]
        for name in ("counter", "cushion_mm", "cooling_time_s", "warm_up"):
            assert float(one[name]) == pytest.approx(float(other[name]), rel=1e-12)
    said = sheets["said"].read_text(encoding="utf-8")
    assert "=HYPERLINK" in said, "a text, which is shown and not run"
    assert "<b>\u6a21&" in said


def test_paper_says_what_people_sign(made: Made, tmp_path: Path) -> None:
    path = made.files["pdf"]
    ended = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True
    )
    face, *others = ended.stdout.split("\f")
    manifest = json.loads(path.with_name(f"{path.name}.manifest.json").read_text(encoding="utf-8"))

    for words in ("Process record", "box B-1", "Plant 2", "4711 (c)", "L-1: IMM-01 15 to 90",
                  manifest["header"]["SHA-256 of its rows"], "released by", "cushion_mm",
                  "could not be seen", "minutes blind"):  # fmt: skip
        assert words in face, words
    rest = "\n".join(others)
    assert "\\u6a21&" in rest, "what the font lacks is written as its number"
    shots = [f"1/{n}" for n in range(15, 91)]
    assert [word for word in rest.split() if word in shots][-76:] == shots
    picture = tmp_path / "face"
    subprocess.run(
        ["pdftoppm", "-r", "40", "-png", "-f", "1", "-l", "1", "-singlefile", str(path),
         str(picture)],
        check=True,
    )  # fmt: skip
    with Image.open(io.BytesIO(picture.with_suffix(".png").read_bytes())) as image:
        colors = image.convert("RGB").getcolors(1 << 24) or []
    shades = [color for _, color in colors if isinstance(color, tuple)]
    assert [shade for shade in shades if shade[0] > shade[1] + 60], "limits are red"
    white = sum(n for n, color in colors if color == (255, 255, 255)) / sum(n for n, _ in colors)
    assert 0.6 < white < 0.98
