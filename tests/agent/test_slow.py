"""What a machine shows between shots too: gathered, written, read back."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agent.__main__ import main
from agent.files import curve_files
from agent.record import open_record
from agent.slow import SlowSamples, Stretch
from agent.slowpast import slow_past
from drivers import Column, Frame, Quality
from tests.agent.makers import ledger
from tests.agent.test_record import keep, whole

BEGIN = datetime(2026, 3, 31, 23, 50, tzinfo=UTC)
COLUMNS = (
    Column(signal="mold_temp_c", source="holding 1", resolution=0.1),
    Column(signal="injection_pressure_bar", source="holding 2"),
    Column(signal="circuit_2_coolant_in_c", source="holding 3"),
    Column(signal="Vendor temp", source="holding 4"),
)


def frame(s: float, *, quality: Quality = Quality.GOOD) -> Frame:
    mold = round(60 + s / 600, 1) if quality is Quality.GOOD else None
    return Frame(
        machine="IMM-01", columns=COLUMNS, values=(mold, 850.0, 24.3, 3.0),
        qualities=(quality, Quality.GOOD, Quality.GOOD, Quality.GOOD),
        received_at=BEGIN + timedelta(seconds=s),
    )  # fmt: skip


def gathered(slow: SlowSamples, frames: Iterator[Frame]) -> list[Stretch]:
    return [each for one in frames for each in slow.take(one)]


def samples(stretches: Sequence[Stretch], signal: str) -> dict[datetime, float]:
    """By time; a later one of the same stretch replaces the earlier."""
    found = {}
    for each in stretches:
        if each.signal == signal:
            for t_s, value in zip(each.curve.t_s, each.curve.values, strict=True):
                found[each.curve.started_at + timedelta(seconds=float(t_s))] = float(value)
    return found


def test_levels_are_gathered_every_ten_seconds_and_handed_on_every_minute() -> None:
    slow = SlowSamples("IMM-01", 10)
    handed = [len(slow.take(frame(s))) for s in range(0, 700)]

    assert [s for s, n in enumerate(handed) if n] == list(range(60, 700, 60))
    found = gathered(SlowSamples("IMM-01", 10), (frame(s) for s in range(0, 3601)))
    assert {each.signal for each in found} == {"mold_temp_c", "circuit_2_coolant_in_c"}
    kept = samples(found, "mold_temp_c")
    assert len(kept) == 361
    assert kept[BEGIN + timedelta(seconds=1200)] == 62.0
    assert max(len(each.curve.values) for each in found) < 70


def test_what_is_not_good_and_what_nobody_saw_is_left_out() -> None:
    slow = SlowSamples("IMM-01", 10)
    bad = gathered(slow, (frame(s, quality=Quality.BAD) for s in range(0, 121, 10)))
    assert {each.signal for each in bad} == {"circuit_2_coolant_in_c"}
    ended = slow.take(frame(1000))
    after = gathered(slow, (frame(s) for s in range(1010, 1070, 10)))
    assert all(each.curve.started_at == BEGIN for each in ended)
    assert {each.curve.started_at for each in after} == {BEGIN + timedelta(seconds=1000)}


def test_none_is_gathered_where_nobody_wants_any() -> None:
    assert gathered(SlowSamples("IMM-01", 0), (frame(s) for s in range(0, 600))) == []


async def test_they_come_back_over_the_turn_of_a_month(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plant.db"
    url = f"sqlite:///{path}"
    slow = SlowSamples("IMM-01", 10)
    async with open_record(url) as record:
        for s in range(0, 1801, 10):  # from 23:50 to 0:20
            record.sampled(slow.take(frame(s)))
            if s % 600 == 300:
                await keep(record, ledger(), [whole(1, 20)])

    since, until = BEGIN + timedelta(seconds=100), BEGIN + timedelta(seconds=1500)
    found = slow_past(path, "IMM-01", since, until)
    assert list(found) == ["circuit_2_coolant_in_c", "mold_temp_c"]
    mold = found["mold_temp_c"]
    assert mold.started_at == since
    assert len(mold.values) == 140
    assert np.allclose(mold.values, 60 + (100 + mold.t_s) / 600, atol=0.051)
    assert len(curve_files(path)) == 2
    assert slow_past(path, "IMM-02", since, until) == {}

    span = ["--since", since.isoformat(), "--until", until.isoformat(), "--record", url]
    assert main(["levels", "IMM-01", *span, "--format", "json", "--signal", "mold_temp_c"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 140
    assert lines[0] == {
        "time": "2026-03-31T23:51:40.000000+00:00",
        "machine": "IMM-01",
        "values": {"mold_temp_c": 60.2},
    }
    assert main(["levels", "IMM-01", *span, "--format", "csv"]) == 0
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert head == "time,machine,circuit_2_coolant_in_c,mold_temp_c"
    assert first == "2026-03-31T23:51:40.000000+00:00,IMM-01,24.3,60.2"
    assert main(["levels", "IMM-09", *span]) == 1


async def test_a_month_of_an_older_sprue_has_none_and_gets_some(tmp_path: Path) -> None:
    path = tmp_path / "plant.db"
    async with open_record(f"sqlite:///{path}") as record:
        await keep(record, ledger(), [whole(1, 20)])
    (month,) = curve_files(path)
    with closing(sqlite3.connect(month)) as database, database:
        database.execute("DROP TABLE slow")
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    assert slow_past(path, "IMM-01", BEGIN, BEGIN + timedelta(hours=1)) == {}

    slow = SlowSamples("IMM-01", 10)
    async with open_record(f"sqlite:///{path}") as record:
        for s in range(0, 121, 10):
            record.sampled(slow.take(frame(s)))
        await keep(record, ledger(), [whole(2, 40)])
    found = slow_past(path, "IMM-01", BEGIN, BEGIN + timedelta(hours=1))
    assert len(found["mold_temp_c"].values) == 13
    assert list(tmp_path.glob("*.schema-*")) == []
