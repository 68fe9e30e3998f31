"""What a process record says beside its rows: header, summary, limits, events, and its gaps."""

import asyncio
import csv
import json
import random
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.audit import Author, change
from agent.batch import Batch, MachineRow, MoldRow
from agent.context.book import Book
from agent.context.entry import Said
from agent.export.survey import survey
from agent.export.writing import Order, export
from agent.history import Filter, open_history
from agent.identified import identify
from agent.record import open_record
from agent.watchwords import set_limit
from drivers import Change, Notice
from tests.agent.makers import at, cycle, ledger

ADA = Author(who="Ada", at=at(0))
STOPPED = 700
"""Seconds for which the press stood before shot 61."""


@dataclass(frozen=True)
class Made:
    url: str
    values: dict[int, float]
    """Cushion by shot; neighbors have nothing in common."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A hundred shots, with a stop after sixty; one of them failed, one was a test."""
    return asyncio.run(a_record(tmp_path_factory.mktemp("content")))


async def a_record(folder: Path) -> Made:
    url = f"sqlite:///{folder}/plant.db"
    book, dice = ledger(), random.Random(7)
    values: dict[int, float] = {}
    molds = [MoldRow(name="A-1", fields={})]
    async with open_record(url, [MachineRow(name="IMM-01", driver="modbus")], molds) as record:
        drift = 12.0
        for n in range(1, 101):
            values[n] = round(dice.gauss(5.0, 0.1), 2)
            drift += dice.gauss(0, 0.01)
            one = cycle(
                n,
                20 * n + (STOPPED if n > 60 else 0),
                job="J-1",
                state={50: "failed", 51: "test"}.get(n, "production"),
                values={
                    "cushion_mm": values[n],
                    "cooling_time_s": drift,
                    "cycle_time_s": 20.0,
                    "parts_good": 2,
                },
            )
            kept = await record.keep(Batch(machine="IMM-01", entries=[book.take(one)]))
        told = Notice(
            machine="IMM-01", change=Change.PARAMETER, name="cooling_time_set_s", old=11.5,
            new=12.0, at=at(500), received_at=at(500), who="Ben",
        )  # fmt: skip
        alarm = Notice(
            machine="IMM-01", change=Change.MESSAGE, name="A17", old=None, new=None,
            at=at(1195), received_at=at(1195), text="ejector blocked",
        )  # fmt: skip
        kept = await record.keep(Batch(machine="IMM-01", notices=[told, alarm]))
        for seconds, serial in ((0, "4711"), (1, "4711"), (1800, "4712")):
            shown = {"manufacturer": "Maker", "serial": serial, "software": "7.1"}
            said = partial(identify, machine="IMM-01", shown=shown, at=at(seconds))
            kept = await record.change(said)
        await kept
    with change(url) as connection:
        for signal, low, high in (("cushion_mm", 4.5, 5.6), ("cooling_time_s", 11.0, 13.0)):
            set_limit(connection, ADA, "A-1", signal, low=low, high=high, since=at(0))
        sheet = Book(connection, ADA)
        sheet.enter(Said(kind="lot", label="L-1", machine="IMM-01", since=at(0)))
        sheet.enter(Said(kind="lot", label="L-2", machine="IMM-01", first=91))
        sheet.enter(Said(kind="sheet", label="S-3", mold="A-1", since=at(0)))
        sheet.enter(
            Said(kind="part", label="4711", mold="A-1", since=at(0), details={"part_revision": "c"})
        )
    return Made(url, values)


def exported(
    made: Made, folder: Path, wanted: Filter | None = None
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    who = Author(who="Ada", at=datetime(2026, 3, 3, tzinfo=UTC))
    order = Order(form="csv", folder=folder, zone=ZoneInfo("UTC"), author=who, site="Plant 2")
    with open_history(made.url) as opened, opened.held() as history:
        path = export(history, made.url, survey(history, wanted or Filter(), who.at), order)
    manifest = path.with_name(f"{path.name}.manifest.json")
    with path.open(encoding="utf-8", newline="") as file:
        return json.loads(manifest.read_text(encoding="utf-8")), list(csv.DictReader(file))


def test_warm_up_is_what_comes_first_and_after_a_stop(made: Made, tmp_path: Path) -> None:
    _, rows = exported(made, tmp_path)
    expected = {*range(1, 21), *range(61, 71)}

    assert {int(row["counter"]) for row in rows if row["warm_up"] == "1"} == expected
    _, some = exported(made, tmp_path, Filter(machine="IMM-01", counters=(15, 65)))
    found = {int(row["counter"]) for row in some if row["warm_up"] == "1"}
    assert found == {n for n in expected if 15 <= n <= 65}, "a part of a run is as the whole is"


def test_a_row_says_what_people_said(made: Made, tmp_path: Path) -> None:
    manifest, rows = exported(made, tmp_path)

    assert [row["resin_lot"] for row in rows] == ["L-1"] * 90 + ["L-2"] * 10
    assert {(row["sheet_version"], row["part_number"], row["part_revision"]) for row in rows} == {
        ("S-3", "4711", "c")
    }
    header = manifest["header"]
    assert header["Lots of the resin"] == "L-1: IMM-01 1 to 90; L-2: IMM-01 91 to 100"
    assert header["Set-up sheet"] == "S-3: IMM-01 1 to 100"
    assert header["Part"] == "4711 (c): IMM-01 1 to 100"
    assert (header["Job"], header["Mold"], header["Site"]) == ("J-1", "A-1 A", "Plant 2")
    assert header["Golden reference"] == "not known", "a gap is stated"


def test_a_cpk_is_of_good_shots_and_says_so(made: Made, tmp_path: Path) -> None:
    manifest, _ = exported(made, tmp_path)
    signals = {each["signal"]: each for each in manifest["summary"]["signals"]}
    good = [
        value for n, value in made.values.items()
        if n > 20 and n not in (50, 51) and not 61 <= n <= 70
    ]  # fmt: skip
    mean, s = statistics.fmean(good), statistics.stdev(good)

    cushion = signals["cushion_mm"]
    assert cushion["n"] == len(good) == 68
    assert (cushion["least"], cushion["most"]) == (min(good), max(good))
    assert cushion["mean"] == pytest.approx(mean, rel=1e-8)
    assert cushion["s"] == pytest.approx(s, rel=1e-8)
    assert cushion["cpk"] == pytest.approx(min(mean - 4.5, 5.6 - mean) / (3 * s), rel=1e-8)
    pairs = list(pairwise(good))
    alike = sum((a - mean) * (b - mean) for a, b in pairs) / sum((a - mean) ** 2 for a in good)
    assert cushion["alike"] == pytest.approx(alike, abs=1e-6)
    assert "s of all n shots" in manifest["summary"]["method"]

    assert signals["cooling_time_s"]["cpk"] is None
    assert signals["cooling_time_s"]["note"].startswith("neighboring shots are alike (r = 0.")
    assert (signals["cycle_time_s"]["cpk"], signals["cycle_time_s"]["low"]) == (None, None)


def test_few_shots_and_limits_that_changed_have_no_cpk(made: Made, tmp_path: Path) -> None:
    few, _ = exported(made, tmp_path, Filter(machine="IMM-01", counters=(25, 40)))
    cushion = next(e for e in few["summary"]["signals"] if e["signal"] == "cushion_mm")
    assert (cushion["cpk"], cushion["note"]) == (None, "16 shots are too few")

    with change(made.url) as connection:
        set_limit(connection, ADA, "A-1", "fill_time_s", low=0.1, since=at(0))
        set_limit(connection, ADA, "A-1", "cycle_time_s", high=30, since=at(0))
        set_limit(connection, ADA, "A-1", "cycle_time_s", high=40, since=at(900))
    all_, _ = exported(made, tmp_path)
    one = next(e for e in all_["summary"]["signals"] if e["signal"] == "cycle_time_s")
    assert (one["cpk"], one["high"]) == (None, 40)
    assert one["note"] == "its limits changed within these shots"
    assert [(each["signal"], each["by"]) for each in all_["limits"]][:1] == [("cushion_mm", "Ada")]


def test_what_happened_meanwhile_is_told(made: Made, tmp_path: Path) -> None:
    manifest, _ = exported(made, tmp_path)
    told = [each for each in manifest["events"] if each["kind"] == "parameter"]

    assert told == [
        {
            "at": "2026-03-02T06:08:20+00:00", "machine": "IMM-01", "kind": "parameter",
            "name": "cooling_time_set_s", "old": "11.5", "new": "12.0", "who": "Ben",
        }
    ]  # fmt: skip
    counts = manifest["counts"]
    assert (counts["cycles"], counts["shots while warming up"], counts["good parts"]) == (
        100, 30, 200,
    )  # fmt: skip
    few, _ = exported(made, tmp_path, Filter(machine="IMM-01", counters=(40, 45)))
    assert not few["events"]


def test_a_row_says_when_it_began_and_how_far_it_may_be_relied_on(tmp_path: Path) -> None:
    made = asyncio.run(a_record(tmp_path))
    with change(made.url) as connection:
        set_limit(connection, ADA, "A-1", "cushion_mm", low=4.9, high=5.1, since=at(10))
    manifest, rows = exported(made, tmp_path)

    for row in rows:
        end = datetime.fromisoformat(row["time"])
        assert datetime.fromisoformat(row["time_utc"]) == end
        assert end - datetime.fromisoformat(row["started"]) == timedelta(seconds=20)
    assert [row["mold_shot"] for row in rows] == [str(n) for n in range(1, 101)]
    assert {(row["mold_shot_min"], row["quality"]) for row in rows} == {("", "good")}
    outside = {n for n, value in made.values.items() if not 4.9 <= value <= 5.1}
    assert {int(row["counter"]) for row in rows if row["limits"] == "outside"} == outside
    assert {row["limits"] for row in rows} == {"inside", "outside"}
    counts = manifest["counts"]
    assert counts["shots inside all limits"] == 100 - len(outside)
    assert counts["shots of which a limited value is missing"] == 0


def test_what_was_not_judged_is_not_called_inside(tmp_path: Path) -> None:
    """A signal with limits that no shot has a value of; and shots before any limit."""
    made = asyncio.run(a_record(tmp_path))
    with change(made.url) as connection:
        set_limit(connection, ADA, "A-1", "melt_temp_c", high=240, since=at(1000))
        for signal in ("cushion_mm", "cooling_time_s"):
            set_limit(connection, ADA, "A-1", signal, low=0, high=99, since=at(500))
    manifest, rows = exported(made, tmp_path)

    assert {row["limits"] for row in rows[50:]} == {"incomplete"}
    assert {row["limits"] for row in rows[30:48]} == {"inside"}
    assert manifest["counts"]["shots of which a limited value is missing"] == 51
    assert manifest["counts"]["shots without limits in force"] == 0


def test_a_stop_is_told_with_what_was_said_before_it(made: Made, tmp_path: Path) -> None:
    manifest, _ = exported(made, tmp_path)

    stops = [each for each in manifest["events"] if each["kind"] == "stop"]
    assert [(each["name"], each["new"], each["words"]) for each in stops] == [
        ("before shot 1/61", "11.7 min", "ejector blocked")
    ]
    assert manifest["counts"]["stops of a minute and more"] == 1
    later, _ = exported(made, tmp_path, Filter(machine="IMM-01", counters=(61, 70)))
    assert not [each for each in later["events"] if each["kind"] == "stop"], "it was before"


def test_a_header_says_which_press_had_the_name_then(made: Made, tmp_path: Path) -> None:
    name = "Makers and serial numbers"
    first, _ = exported(made, tmp_path, Filter(machine="IMM-01", counters=(1, 60)))
    both, _ = exported(made, tmp_path, Filter(machine="IMM-01", counters=(50, 80)))

    was = "IMM-01: Maker, serial number 4711, software 7.1 (since 2026-03-02 06:00 UTC)"
    now = "IMM-01: Maker, serial number 4712, software 7.1 (since 2026-03-02 06:30 UTC)"
    assert (first["header"][name], both["header"][name]) == (was, f"{was}; {now}")
