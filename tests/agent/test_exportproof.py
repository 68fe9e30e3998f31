"""An exported file is proved, and the first row that differs is named; people sign it off."""

import asyncio
import csv
import io
import json
import random
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.__main__ import main
from agent.audit import Author, change
from agent.context.book import Book, read_entries
from agent.context.entry import Said
from agent.export.proof import verify_file
from agent.export.survey import survey
from agent.export.writing import FORMATS, Order, beside_of, export
from agent.history import Filter, open_history
from agent.users.people import add_person
from tests.agent.test_exportcontent import a_record

TIME = datetime(2026, 3, 3, 6, tzinfo=UTC)
ADA = Author(who="Ada", at=TIME)
BOX = Filter(box="B-1")


@dataclass(frozen=True)
class Made:
    url: str
    folder: Path
    files: dict[str, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("proof")
    url = asyncio.run(a_record(folder)).url
    zone = ZoneInfo("Europe/Berlin")
    with change(url) as connection:
        Book(connection, ADA).enter(
            Said(kind="box", label="B-1", machine="IMM-01", first=15, last=90)
        )
    files = {}
    for form, wanted in (*((form, Filter(mold="A-1")) for form in FORMATS), ("box", BOX)):
        csv = "csv" if form == "box" else form
        order = Order(form=csv, folder=folder, zone=zone, author=ADA, site="Plant 2")
        with open_history(url) as opened, opened.held() as history:
            files[form] = export(history, url, survey(history, wanted, TIME), order)
    return Made(url, folder, files)


def copied(made: Made, form: str, folder: Path) -> Path:
    path = made.files[form]
    folder.mkdir(exist_ok=True)
    shutil.copy(beside_of(path), folder)
    return Path(shutil.copy(path, folder))


def flip(path: Path, at: int, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_that_nobody_touched_is_proved(made: Made, form: str) -> None:
    alone = verify_file(made.files[form], None)
    proof = verify_file(beside_of(made.files[form]), made.url)

    assert not alone.differences
    assert not proof.differences
    told = "\n".join(proof.proved)
    assert "is the file of its manifest" in told
    assert "is what Ada exported on 2026-03-03" in told
    assert "the record has the same 100 rows today" in told
    assert "rows of the record are as they were written" in told


@pytest.mark.parametrize("form", ["csv", "jsonl", "dfq"])
def test_any_flipped_byte_is_named_by_its_line(made: Made, form: str, tmp_path: Path) -> None:
    dice = random.Random(form)
    whole = made.files[form].read_bytes()
    for n in range(40):
        path = copied(made, form, tmp_path)
        at = dice.randrange(len(whole)) if n else len(whole) - 1
        flip(path, at, dice)
        (words,) = verify_file(path, None).differences
        assert words.startswith(f"{path.name}: is not as it was written: line"), words
        lines = whole[:at].count(b"\n") + 1
        assert f"line {lines} " in words or f"line {lines + 1} " in words, (at, words)


@pytest.mark.parametrize("form", ["xlsx", "parquet", "pdf"])
def test_any_flipped_byte_of_what_has_no_lines_is_found(
    made: Made, form: str, tmp_path: Path
) -> None:
    dice = random.Random(form)
    size = made.files[form].stat().st_size
    for n in range(12):
        path = copied(made, form, tmp_path)
        flip(path, dice.randrange(size), dice)
        first = verify_file(path, made.url if n < 4 else None).differences
        assert f"{path.name}: is not as it was written" in first[0]
        assert n >= 4 or len(first) == 2, "and where, as the record tells"


def test_a_changed_value_is_named_by_its_row(made: Made, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = copied(made, "parquet", tmp_path)
    table = pq.read_table(path)
    column = table.column("cushion_mm").to_pylist()
    column[41] += 0.01
    at = table.schema.get_field_index("cushion_mm")
    changed = pa.array(column, type=pa.float64())
    pq.write_table(table.set_column(at, table.schema.field(at), changed), path)

    proof = verify_file(path, made.url)
    assert proof.differences[1].endswith("row 42 is the first that is not as it was written")


def test_lines_that_are_gone_swapped_or_new_are_named(made: Made, tmp_path: Path) -> None:
    path = copied(made, "csv", tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    for changed, words in (
        ([*lines[:30], *lines[31:]], "line 31 was removed"),
        ([*lines[:30], lines[31], lines[30], *lines[32:]], "lines 31 and 32 were swapped"),
        ([*lines[:30], lines[20], *lines[30:]], "line 31 was added"),
        (lines[:-2], "line 100 and what comes after it were removed"),
        ([*lines, lines[-1]], "line 102 was added"),
        ([*lines[:30], lines[70], *lines[31:70], lines[30], *lines[71:]], "line 31 was line 71"),
    ):
        path.write_bytes(b"".join(changed))
        (found,) = verify_file(path, None).differences
        assert words in found


def test_any_flipped_byte_of_a_manifest_is_found(made: Made, tmp_path: Path) -> None:
    dice = random.Random(1)
    path = copied(made, "csv", tmp_path)
    manifest = beside_of(path)
    whole = manifest.read_bytes()
    for n in range(60):
        manifest.write_bytes(whole)
        flip(manifest, dice.randrange(len(whole)) if n else len(whole) - 1, dice)
        differences = verify_file(path, None).differences
        assert f"{manifest.name}: is not as it was written" in differences
    flip(manifest, 5, dice)
    told = "\n".join(verify_file(path, made.url).differences)
    assert "row" in told
    assert "of the record's audit log has another hash of it" in told


def test_a_manifest_made_anew_is_not_in_the_record(made: Made, tmp_path: Path) -> None:
    from agent.export.seal import sealed

    path = copied(made, "csv", tmp_path)
    body = json.loads(beside_of(path).read_text(encoding="utf-8"))
    del body["seal"]
    body["by"] = "Eve"
    beside_of(path).write_text(sealed(json.dumps(body, indent=1) + "\n"), encoding="utf-8")

    assert not verify_file(path, None).differences
    (words,) = verify_file(path, made.url).differences
    assert "audit log has another hash" in words


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE cycle SET cushion_mm = cushion_mm + 0.01 WHERE counter = 60", "cycle: row 60"),
        ("DELETE FROM cycle WHERE counter = 60", "cycle: row 60 is missing"),
        ("UPDATE ledger SET shots = shots + 1", "ledger: row 1"),
        ("UPDATE audit SET who = 'Eve' WHERE action = 'exported'", "audit: row"),
        ("UPDATE audit SET new = 'x' WHERE action = 'exported'", "audit: row"),
        ("DELETE FROM context WHERE kind = 'box'", "context: row"),
        ("UPDATE context SET machine_id = NULL WHERE kind = 'box'", "context: row"),
        ("UPDATE context SET label = 'L-9' WHERE label = 'L-2'", "context: row"),
        ("UPDATE cycle SET counter = 1000 WHERE counter = 60", "cycle: row 60"),
    ],
)
def test_a_record_that_was_changed_is_named(
    made: Made, tmp_path: Path, statement: str, words: str
) -> None:
    url = copied_record(made, tmp_path)
    with closing(sqlite3.connect(tmp_path / "plant.db")) as database:
        database.execute(statement)
        database.commit()

    for form in ("csv", "box"):
        proof = verify_file(made.files[form], url)
        assert any(each.startswith(f"record: {words}") for each in proof.differences)


def test_a_box_that_was_withdrawn_since_is_no_difference(made: Made, tmp_path: Path) -> None:
    url = copied_record(made, tmp_path)
    with change(url) as connection:
        (number,) = (each.number for each in read_entries(connection, kinds=["box"]))
        Book(connection, ADA).withdraw(number, "another box")

    proof = verify_file(made.files["box"], url)
    assert not proof.differences
    assert "the record was corrected since: no box 'B-1' was entered" in "".join(proof.notes)


def copied_record(made: Made, folder: Path) -> str:
    for end in ("", "-wal"):
        file = made.folder / f"plant.db{end}"
        if file.exists():
            shutil.copy(file, folder)
    return f"sqlite:///{folder}/plant.db"


def test_a_signature_is_checked_by_any_tool(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "plant.key"
    assert main(["keys", "make", "--key", str(key), "--record", made.url]) == 0
    assert main(["keys", "make", "--key", str(key), "--record", made.url]) == 1
    assert "is there already" in capsys.readouterr().err
    argv = ["export", "--record", made.url, "--mold", "A-1", "--out", str(tmp_path / "o")]
    assert main([*argv, "--sign", str(key)]) == 0
    path = Path(capsys.readouterr().out.split()[-1])
    assert "is the signature of the key" in "\n".join(verify_file(path, made.url).proved)
    public = tmp_path / "plant.key.pub"
    assert main(["verify", str(path), "--key", str(public), "--config", "none.toml"]) == 0
    manifest = beside_of(path)
    subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin", "-in",
         str(manifest), "-sigfile", f"{manifest}.sig"],
        check=True, capture_output=True,
    )  # fmt: skip

    other = tmp_path / "other.key"
    assert main(["keys", "make", "--key", str(other), "--record", made.url]) == 0
    proof = verify_file(path, None, Path(f"{other}.pub"))
    assert proof.differences == [
        f"{manifest.name}.sig: is no signature of the key over this manifest"
    ]
    key.chmod(0o644)
    assert main([*argv, "--sign", str(key)]) == 1
    assert "others may read it" in capsys.readouterr().err
    Path(f"{manifest}.sig").unlink()
    assert "has no signature" in verify_file(path, None, public).differences[0]


def test_people_sign_what_is_proved_and_correct_it_by_another(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copied(made, "pdf", tmp_path)
    argv = ["sign", str(path), "--record", made.url, "--who", "Ada", "--meaning"]
    assert main([*argv, "reviewed"]) == 0
    number = int(capsys.readouterr().out.split("row ")[1].split()[0])
    assert main([*argv, "released", "--corrects", str(number)]) == 0
    assert main([*argv, "released", "--corrects", "1"]) == 1
    capsys.readouterr()

    assert main(["verify", str(path), "--record", made.url]) == 0
    told = capsys.readouterr().out
    assert f": reviewed (row {number}) (corrected by " in told
    assert ": released (row " in told

    flip(path, 100, random.Random(1))
    assert main([*argv, "released"]) == 1
    assert "nothing was signed" in capsys.readouterr().err


def test_where_people_log_in_a_name_alone_is_no_signature(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for end in ("", "-wal"):
        file = made.folder / f"plant.db{end}"
        if file.exists():
            shutil.copy(file, tmp_path)
    url = f"sqlite:///{tmp_path}/plant.db"
    word = "correct horse battery"
    with change(url) as connection:
        add_person(connection, ADA, "Ada", "admin", word)
        add_person(connection, ADA, "Vi", "viewer", word)
    path = str(made.files["csv"])

    for who, typed, status, told in (
        ("Ada", word, 0, "signed by Ada"),
        ("Ada", "wrong horse battery", 1, "not Ada's password"),
        ("Vi", word, 1, "qa or admin may sign"),
        ("Eve", word, 1, "no user is called 'Eve'"),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
        argv = ["sign", path, "--record", url, "--who", who, "--meaning", "released"]
        assert main(argv) == status
        captured = capsys.readouterr()
        assert told in captured.out + captured.err


def test_the_audit_log_is_exported_and_proved_too(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with change(made.url) as connection:
        said = Said(kind="lot", label="=1+1", machine="IMM-01", since=TIME)
        Book(connection, ADA).enter(said)
    argv = ["audit", "--record", made.url, "--kind", "context"]
    assert main([*argv, "--format", "json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main([*argv, "--out", str(tmp_path)]) == 0
    path = Path(capsys.readouterr().out.strip())
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert [row["subject"] for row in rows][-1] == "'=1+1"
    assert [int(row["id"]) for row in rows] == [line["id"] for line in lines]
    assert {line["who"] for line in lines} == {"Ada"}
    assert not verify_file(path, made.url).differences
    manifest = json.loads(beside_of(path).read_text(encoding="utf-8"))
    assert manifest["previous"]["name"].endswith(".manifest.json")
    flip(path, 200, random.Random(2))
    assert "line 2 is not as it was written" in verify_file(path, made.url).differences[0]
