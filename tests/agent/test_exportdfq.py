"""Q-DAS files are read by who did not write them: a strict reader, and a library."""

import json
import random
import warnings
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.__main__ import main
from agent.audit import Author, change
from agent.batch import Batch, MachineRow, MoldRow
from agent.context.book import Book
from agent.context.entry import Said
from agent.cycle import Cycle
from agent.export import ExportError
from agent.export.survey import survey
from agent.export.writing import Order, export
from agent.history import Filter, open_history
from agent.record import open_record
from agent.watchwords import set_limit
from tests.agent.dfqreading import INVALID, PLACEHOLDER, VALID, read_dfq
from tests.agent.makers import at, cycle, ledger

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it takes a library's class from where that was once
    from aqdefreader import DfqFile  # type: ignore[import-untyped]

ADA = Author(who="Ada", at=datetime(2026, 3, 3, tzinfo=UTC))
BERLIN = ZoneInfo("Europe/Berlin")


def shots() -> list[Cycle]:
    dice = random.Random(3)
    found = []
    for n in range(1, 41):
        values = {"cooling_time_s": round(dice.gauss(12, 0.01), 2), "cushion_mm": 4.0 + n / 1000}
        if n == 30:
            del values["cushion_mm"]
        flags = ("implausible:cushion_mm",) if n == 31 else ()
        state = "test" if n == 32 else "production"
        closing = "dry" if n == 33 else "shot"
        job = "J \x0f1\x14\r\n"
        found.append(
            cycle(n, 20 * n, values=values, flags=flags, state=state, closing=closing, job=job)
        )
    return found


async def written(folder: Path, mold: str) -> tuple[str, Path]:
    url = f"sqlite:///{folder}/plant.db"
    book = ledger()
    machines = [MachineRow(name="IMM-01", driver="modbus")]
    async with open_record(url, machines, [MoldRow(name=mold, fields={})]) as record:
        for each in shots():
            changed = cycle(
                each.counter, 20 * each.counter, mold=mold, values=each.values, job=each.job,
                flags=each.flags, state=each.state, closing=each.closing,
            )  # fmt: skip
            kept = await record.keep(Batch(machine="IMM-01", entries=[book.take(changed)]))
        await kept
    with change(url) as connection:
        set_limit(connection, ADA, mold, "cooling_time_s", low=11.5, high=12.5, since=at(0))
        book_ = Book(connection, ADA)
        book_.enter(Said(kind="lot", label="L\u00e4-1", machine="IMM-01", since=at(0)))
        book_.enter(Said(kind="id", label="SN 7", machine="IMM-01", first=35))
        part = {"part_revision": "c"}
        book_.enter(Said(kind="part", label="4711", mold=mold, since=at(0), details=part))
    return url, dfq(url, folder)


def dfq(url: str, folder: Path, wanted: Filter | None = None) -> Path:
    order = Order(form="dfq", folder=folder, zone=BERLIN, author=ADA)
    with open_history(url) as opened, opened.held() as history:
        return export(history, url, survey(history, wanted or Filter(), ADA.at), order)


@pytest.mark.parametrize("mold", ["A-1", "Werkzeug \u00d8 9", "\u6a21\u5177 \u0394"])
async def test_a_strict_reader_finds_what_was_recorded(tmp_path: Path, mold: str) -> None:
    _, path = await written(tmp_path, mold)
    found = read_dfq(path)
    made = [each for each in shots() if each.closing == "shot"]

    assert found.part["K1001"] == "4711"
    assert found.part["K1004"] == "c"
    assert found.part["K1002"] == f"{mold} A"
    assert (found.part["K1081"], found.part["K1110"]) == ("IMM-01", "J  1")
    cushion, cooling = sorted(found.characteristics, key=lambda each: each["K2002"], reverse=True)
    assert (cooling["K2002"], cooling["K2142"], cooling["K2022"]) == ("cooling_time_s", "s", "2")
    assert (cooling["K2110"], cooling["K2111"]) == ("11.5", "12.5")
    assert (cushion["K2002"], cushion["K2022"]) == ("cushion_mm", "3")
    assert "K2110" not in cushion

    assert len(found.shots) == len(made) == 39
    names = [each["K2002"] for each in found.characteristics]
    for shot, cycle_ in zip(found.shots, made, strict=True):
        for name, value in zip(names, shot.values, strict=True):
            expected = cycle_.values.get(name)
            if expected is None:
                assert value.attribute == PLACEHOLDER
                continue
            assert value.number == expected
            invalid = f"implausible:{name}" in cycle_.flags
            assert value.attribute == (INVALID if invalid else VALID)
            local = cycle_.time.astimezone(BERLIN)
            assert value.at == local.replace(tzinfo=None, microsecond=0)
        assert shot.about["K0009"].split()[0] == (
            cycle_.time.astimezone(BERLIN).isoformat(timespec="microseconds")
        )
        assert shot.about["K0006"] == "L\u00e4-1"
        assert shot.about["K0016"] == f"IMM-01/1/{cycle_.counter}"
        warm = cycle_.counter <= 20 or cycle_.state == "test"
        assert shot.about.get("K0015") == ("50" if warm else None)
    ids = [shot.about["K0014"] for shot in found.shots]
    assert ids[33] == "SN 7"
    assert ids[0] == "IMM-01/1/1"


async def test_a_library_reads_the_same(tmp_path: Path) -> None:
    _, path = await written(tmp_path, "A-1")
    lines = path.read_text(encoding="cp1252").splitlines()  # its own guess at that is none
    part = DfqFile(lines).get_part(0)
    strict = read_dfq(path)

    assert part.get_data("K1004") == "c"
    assert str(part.get_data("K1001")) == "4711"
    for n, described in enumerate(strict.characteristics, 1):
        one = part.get_characteristic_by_index(n)
        assert one.get_data("K2002") == described["K2002"]
        assert one.get_data("K2022") == int(described["K2022"])
        known = [shot.values[n - 1] for shot in strict.shots]
        known = [value for value in known if value.attribute != PLACEHOLDER]
        read = one.get_measurements()
        assert [each.value for each in read] == [value.number for value in known]
        # It takes 02.03. for the third of February; the strict reader has looked at the dates.
        assert [each.datetime.time() for each in read] == [value.at.time() for value in known]


async def test_a_file_is_of_one_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url, path = await written(tmp_path, "A-1")
    again = dfq(url, tmp_path / "again")
    assert again.read_bytes() == path.read_bytes()
    manifest = json.loads((tmp_path / f"{path.name}.manifest.json").read_text(encoding="utf-8"))
    assert manifest["rows"] == 40
    assert manifest["said"][0]["rows"] == 40

    async with open_record(url, [MachineRow(name="IMM-02", driver="x")]) as record:
        other = cycle(1, 20, machine="IMM-02", mold="B-2", values={"cooling_time_s": 3.0})
        book = ledger()
        await (await record.keep(Batch(machine="IMM-02", entries=[book.take(other)])))
    with pytest.raises(ExportError, match=r"--mold and --revision; found A-1 A, B-2 A"):
        dfq(url, tmp_path / "two")
    argv = ["export", "--record", url, "--format", "dfq", "--mold", "B-2", "--out", str(tmp_path)]
    assert main(argv) == 0
    assert read_dfq(Path(capsys.readouterr().out.strip())).part["K1001"] == "B-2"
