"""Past cycles from a file: what is understood, what is told, and what the ledger answers."""

import json
import os
import random
import threading
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.__main__ import main
from agent.recorded import Reader
from agent.recording import Recording
from bench.watch import drawn
from bench.watch.drawn import clean
from bench.watch.molded import CASES, MOLDS, faulty
from bench.watch.stream import Stream
from bench.watch.written import write_csv
from drivers import Origin, Report
from tests.agent.makers import at

CAPTURED = pytest.CaptureFixture[str]


def stamp(seconds: float) -> str:
    return at(seconds).isoformat()


def rows(n: int, *, first: int = 1, start: float = 0.0, machine: str = "IMM-01") -> list[str]:
    return [
        f"{stamp(start + 24 * i)},{machine},A-1,{first + i - 1},24.{i % 10:02d}"
        for i in range(1, n + 1)
    ]


HEAD = "time,machine,mold,counter,cycle_time_s"


def write(tmp_path: Path, *lines: str, name: str = "past.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def ledger(path: Path, captured: CAPTURED, *options: str) -> list[dict[str, Any]]:
    assert main(["replay", str(path), "--ledger", *options]) == 0
    return [json.loads(line) for line in captured.readouterr().out.splitlines()]


def line(mold: str | None, shots: int, revision: str | None = "A", **more: int) -> dict[str, Any]:
    sums = {"shots": shots, "closings": shots, "unobserved": 0}
    sums |= {"shots_min": shots, "shots_max": shots}
    return {"mold": mold, "revision": revision} | sums | more


def read(path: Path, machine: str | None = None, zone: str = "UTC") -> list[Report]:
    """The reports of a file; nothing in it may be wrong."""

    def refuse(sentence: str) -> None:
        pytest.fail(sentence)

    with Recording(path, ZoneInfo(zone), refuse) as recording:
        reader = Reader(recording, machine)
        found = [reader.read(row) for row in recording.rows()]
    return [each.report for each in found if each is not None]


def test_every_row_is_a_shot_of_its_mold(tmp_path: Path, capsys: CAPTURED) -> None:
    path = write(tmp_path, HEAD, *rows(10))

    assert ledger(path, capsys) == [line("A-1", 10)]


def test_columns_stand_in_any_order(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "cushion_mm,counter,note,time,mold,machine,mode,parts_counter,cavities_open,resin",
        f"4.1,7,late shift,{stamp(0)},A-1,IMM-01,AUTOMATIC,14,2,ABS",
    )

    (report,) = read(path)

    assert report.counter == 7
    assert report.machine == "IMM-01"
    assert report.values == {
        "cushion_mm": 4.1, "note": "late shift", "parts_counter": 14, "cavities_open": 2
    }  # fmt: skip
    assert report.states == {"mold": "A-1", "mode": "AUTOMATIC", "resin": "ABS"}
    assert report.ended_at == report.received_at == at(0)


def test_an_empty_cell_is_no_value(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + ",cushion_mm,mode", f"{stamp(0)},IMM-01,,5,, ,")

    (report,) = read(path)

    assert report.values == {}
    assert report.states == {}


def test_rows_are_taken_in_order_of_time(tmp_path: Path, capsys: CAPTURED) -> None:
    shuffled = rows(50)
    random.Random(3).shuffle(shuffled)

    assert ledger(write(tmp_path, HEAD, *shuffled), capsys) == [line("A-1", 50)]


def test_a_repeated_row_changes_nothing(tmp_path: Path, capsys: CAPTURED) -> None:
    past = rows(30)
    path = write(tmp_path, HEAD, *past, past[-1], past[4], past[4])

    assert ledger(path, capsys) == [line("A-1", 30)]


def test_machines_may_be_mixed_or_one_after_the_other(tmp_path: Path, capsys: CAPTURED) -> None:
    one, other = rows(20), rows(20, machine="IMM-02", first=500, start=7.0)
    other = [row.replace("A-1", "B-2") for row in other]
    mixed = [row for pair in zip(one, other, strict=True) for row in pair]
    wanted = [line("A-1", 20), line("B-2", 20)]

    assert ledger(write(tmp_path, HEAD, *mixed), capsys) == wanted
    assert ledger(write(tmp_path, HEAD, *other, *one), capsys) == wanted


def test_a_gap_in_the_counter_is_unobserved(tmp_path: Path, capsys: CAPTURED) -> None:
    past = rows(20)
    path = write(tmp_path, HEAD, *past[:10], *past[14:])

    assert ledger(path, capsys) == [line("A-1", 20, unobserved=4)]


def test_a_dry_closing_is_no_shot(tmp_path: Path, capsys: CAPTURED) -> None:
    past = [f"{row},shot" for row in rows(9)]
    path = write(tmp_path, HEAD + ",closing", *past, f"{rows(10)[9]},dry")

    assert ledger(path, capsys) == [line("A-1", 9, closings=10)]


def test_a_row_says_the_revision_of_its_mold(tmp_path: Path, capsys: CAPTURED) -> None:
    past = rows(12)
    path = write(
        tmp_path,
        HEAD + ",revision",
        *(f"{row},B" for row in past[:5]),
        *(f"{row},C" for row in past[5:]),
    )

    assert ledger(path, capsys) == [line("A-1", 5, "B"), line("A-1", 7, "C")]


def test_closings_that_no_known_mold_made_are_counted_too(tmp_path: Path, capsys: CAPTURED) -> None:
    path = write(tmp_path, "time,machine,counter", *(f"{stamp(24 * i)},X,{i}" for i in range(5)))

    assert ledger(path, capsys) == [line(None, 5, None)]


def test_a_time_without_offset_is_read_in_the_zone_that_is_said(
    tmp_path: Path, capsys: CAPTURED
) -> None:
    path = write(
        tmp_path, HEAD, "2026-03-02T07:00:00,IMM-01,A-1,1,24", "2026-03-02 07:00:24,IMM-01,A-1,2,24"
    )

    assert [report.ended_at for report in read(path, zone="Europe/Berlin")] == [at(0), at(24)]
    assert main(["replay", str(path), "--zone", "Europe/Berlin"]) == 0
    told = capsys.readouterr().err
    assert "2 times have no offset" in told
    assert "Europe/Berlin" in told
    assert main(["replay", str(write(tmp_path, HEAD, *rows(2)))]) == 0
    assert capsys.readouterr().err == ""


def test_semicolons_decimal_commas_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    head = "\ufefftime;machine;mold;counter;cycle_time_s;parts_good"
    path.write_bytes(f"{head}\r\n{stamp(0)};IMM-01;A-1;1;24,05;2\r\n".encode())

    (report,) = read(path)

    assert report.values == {"cycle_time_s": 24.05, "parts_good": 2}


def test_a_quoted_cell_may_hold_the_delimiter(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + ",job", f'{stamp(0)},IMM-01,A-1,1,24,"caps, ""red"""')

    (report,) = read(path)

    assert report.states["job"] == 'caps, "red"'


def test_json_lines_are_read_with_their_origins(tmp_path: Path) -> None:
    cycle = {
        "machine": "IMM-01", "segment": 3, "counter": 12, "mold": "A-1", "revision": "B",
        "job": None, "time": stamp(0), "closing": "shot", "state": "failed",
        "values": {"cycle_time_s": 24.25, "vendor": "x", "parts_good": 2},
        "provenance": {"cycle_time_s": "latched"}, "flags": ["clock_off"],
    }  # fmt: skip
    path = write(tmp_path, json.dumps(cycle), name="cycles.jsonl")

    (report,) = read(path)

    assert report.counter == 12
    assert report.values == {"cycle_time_s": 24.25, "vendor": "x", "parts_good": 2}
    assert report.origins == {"cycle_time_s": Origin.LATCHED}
    assert report.states == {"mold": "A-1", "closing": "shot", "quality": "FAILED_CYCLE"}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("yesterday,IMM-01,A-1,3,24", "line 4: column time: 'yesterday'"),
        (",IMM-01,A-1,3,24", "line 4: column time: nothing"),
        (f"{stamp(70)},,A-1,3,24", "line 4: names no machine"),
        (f"{stamp(70)},IMM-01,A-1,,24", "line 4: has no counter"),
        (f"{stamp(70)},IMM-01,A-1,-2147483649,24", "line 4: column counter: '-2147"),
        (f"{stamp(70)},IMM-01,A-1,3.5,24", "line 4: column counter: '3.5'"),
        (f"{stamp(70)},IMM-01,A-1,99999999999999999999,24", "line 4: column counter"),
        (f"{stamp(70)},IMM-01,A-1,3", "line 4: has 4 cells, the line of names 5"),
        (f"{stamp(70)},IMM-01,A-1,3,24,5", "line 4: has 6 cells, the line of names 5"),
        (f'{stamp(70)},IMM-01,"A-1,3,24', "line 4: unexpected end of data"),
        ("0001-01-01T00:00:00+14:00,IMM-01,A-1,3,24", "line 4: column time"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_and_the_rest_is_counted(
    tmp_path: Path, capsys: CAPTURED, bad: str, words: str
) -> None:
    past = rows(2)
    path = write(tmp_path, HEAD, *past, bad, *rows(1, first=4, start=72))

    assert main(["replay", str(path), "--ledger"]) == 0
    said = capsys.readouterr()
    assert [json.loads(text)["closings"] for text in said.out.splitlines()] == [4]
    assert words in said.err
    assert "1 of 4 lines left out" in said.err


def test_a_cell_that_is_no_number_costs_only_itself(tmp_path: Path, capsys: CAPTURED) -> None:
    bad = f"{stamp(72)},IMM-01,A-1,3,fast"
    path = write(tmp_path, HEAD, *rows(2), bad)

    assert main(["replay", str(path), "--ledger"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["shots"] == 3
    assert f"{path}, line 4, column cycle_time_s: 'fast' is no number" in said.err


def test_many_bad_lines_are_told_by_number(tmp_path: Path, capsys: CAPTURED) -> None:
    path = write(tmp_path, HEAD, *rows(3), *["broken"] * 500)

    assert main(["replay", str(path), "--ledger"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) < 30
    assert "480 more" in said[-2]
    assert "500 of 503 lines left out" in said[-1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"a,b,c\n1,2,3\n", "no time and no counter"),
        (b"time,counter,time\n", "two columns are called 'time'"),
        (b"time,counter\n\xff\xfe,1\n", "no line of it could be used"),
        (b"{}\n", "no line of it could be used"),
        (b"\x50\x4b\x03\x04\xff\xff", "not UTF-8"),
    ],
)
def test_a_file_that_is_none_of_ours_is_misuse(
    tmp_path: Path, capsys: CAPTURED, content: bytes, words: str
) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content)

    assert main(["replay", str(path)]) == 2
    assert words in capsys.readouterr().err


def test_a_file_of_names_alone_is_told(tmp_path: Path, capsys: CAPTURED) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("time,counter\n")

    assert main(["replay", str(path)]) == 0
    assert f"{path}: holds no cycles" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_misuse(tmp_path: Path, capsys: CAPTURED) -> None:
    assert main(["replay", str(tmp_path / "none.csv")]) == 2
    assert "none.csv: No such file or directory" in capsys.readouterr().err


def test_a_pipe_is_read_too(tmp_path: Path, capsys: CAPTURED) -> None:
    path, shuffled = tmp_path / "pipe", rows(40)
    random.Random(5).shuffle(shuffled)
    os.mkfifo(path)
    text = "\n".join([HEAD, *shuffled]) + "\n"
    feeder = threading.Thread(target=path.write_text, args=(text,))
    feeder.start()
    try:
        assert ledger(path, capsys) == [line("A-1", 40)]
    finally:
        feeder.join()


def test_a_machine_may_be_named_for_rows_that_name_none(tmp_path: Path) -> None:
    path = write(tmp_path, "time,counter", f"{stamp(0)},4")

    (report,) = read(path, machine="IMM-09")

    assert report.machine == "IMM-09"


def test_replay_is_deterministic(tmp_path: Path, capsys: CAPTURED) -> None:
    rng = random.Random(11)
    past = [row for row in rows(300) if rng.random() > 0.1]
    path = write(tmp_path, HEAD, *past)

    assert ledger(path, capsys) == ledger(path, capsys)


def case(fault: str, size: float) -> Stream:
    found = next(each for each in CASES if (each.fault, each.size) == (fault, size))
    return faulty(MOLDS[0], 1, found)


def anomalies(path: Path, captured: CAPTURED, *options: str) -> list[dict[str, Any]]:
    assert main(["replay", str(path), *options]) == 0
    return [json.loads(text) for text in captured.readouterr().out.splitlines()]


def test_a_changed_timer_is_one_line_of_json(tmp_path: Path, capsys: CAPTURED) -> None:
    stream = case("timer_changed", 0.5)
    write_csv(stream, tmp_path / "past.csv")
    assert stream.trouble is not None

    (found,) = anomalies(tmp_path / "past.csv", capsys)

    assert (found["kind"], found["cause"]) == ("cooling_time", "timer_changed")
    assert (found["machine"], found["mold"], found["revision"]) == ("IMM-01", "W-1", "A")
    assert found["since_counter"] == stream.trouble.first
    assert stream.trouble.first <= found["counter"] <= stream.trouble.first + 1
    assert found["signal"] == "cooling_time_s"
    assert found["value"] == pytest.approx(12.5, abs=0.02)
    assert found["expected"] == pytest.approx(12.0, abs=0.02)
    assert set(found) >= {"id", "time", "limit", "severity", "message"}


def test_all_prints_changes_of_state_too(tmp_path: Path, capsys: CAPTURED) -> None:
    write_csv(case("cooling_cut_short", 0.4), tmp_path / "past.csv")

    openings = anomalies(tmp_path / "past.csv", capsys)
    changes = anomalies(tmp_path / "past.csv", capsys, "--all")

    assert {each["id"] for each in changes} == {each["id"] for each in openings}
    assert {each["state"] for each in changes} <= {"opened", "changed", "closed"}
    assert any(each["state"] == "closed" and each["closed_at"] for each in changes)


def test_an_anomaly_makes_the_status_1_only_where_that_is_asked_for(
    tmp_path: Path, capsys: CAPTURED
) -> None:
    write_csv(case("timer_changed", 0.5), tmp_path / "past.csv")
    write_csv(clean(drawn.MOLDS[0], 1, 300), tmp_path / "calm.csv")

    assert main(["replay", str(tmp_path / "past.csv")]) == 0
    assert main(["replay", str(tmp_path / "past.csv"), "--fail-on-anomaly"]) == 1
    capsys.readouterr()
    assert main(["replay", str(tmp_path / "calm.csv"), "--fail-on-anomaly"]) == 0
    assert capsys.readouterr().out == ""


def test_the_order_of_lines_in_the_file_changes_no_anomaly(
    tmp_path: Path, capsys: CAPTURED
) -> None:
    write_csv(case("mold_temperature_drift", 5), tmp_path / "past.csv")
    head, *lines = (tmp_path / "past.csv").read_text().splitlines()
    random.Random(2).shuffle(lines)
    shuffled = write(tmp_path, head, *lines, *lines[:40], name="shuffled.csv")

    told = [
        each
        for each in anomalies(shuffled, capsys)
        if (each["kind"], each["cause"]) != ("shot_count", "duplicate")
    ]

    assert told
    assert told == anomalies(tmp_path / "past.csv", capsys)
