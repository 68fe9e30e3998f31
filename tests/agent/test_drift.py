"""What a timer that was changed costs is reported by day, against what a person approved."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.__main__ import main
from agent.assembly import Assembly
from agent.batch import Batch, MachineRow, MoldRow
from agent.drift import Drift, parts_lost, read_drifts
from agent.history import open_history
from agent.ledger import Ledger, Standing
from agent.record import open_record
from agent.stages import Stages
from bench.watch.drawn import MOLDS, SHIFTS, shifted
from bench.watch.stream import Stream
from drivers import Report

UTC = ZoneInfo("UTC")
MOLD = MOLDS[0].mold
LONGER = next(each for each in SHIFTS if (each.signal, each.by) == ("cooling_time_s", 1.0))


def stream() -> Stream:
    return shifted(MOLDS[0], 3, LONGER, 200)


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """A record of a mold that was approved and then had its timer set a second longer."""
    url = f"sqlite:///{tmp_path}/plant.db"
    walk = Stages(Assembly("IMM-01"), Ledger("IMM-01", Standing(), lambda mold: "A"))
    walk.connected(reports=True, modulus=None)
    told = stream()
    assert told.trouble is not None
    machines = [MachineRow(name="IMM-01", driver="modbus")]
    async with open_record(url, machines, [MoldRow(name=MOLD)]) as record:
        n = 0
        for seen in told.observations():
            outcome = walk.take(seen)
            n += isinstance(seen, Report)
            if n == told.trouble.first - 1:
                walk.watch.approve("Kim", seen.received_at)  # type: ignore[union-attr]
            done = await record.keep(
                Batch(
                    machine="IMM-01",
                    entries=outcome.entries,
                    anomalies=outcome.anomalies,
                    saved=walk.memory(),
                )
            )
        await done
    return url


def drifts(url: str, days: int = 2) -> list[Drift]:
    last = max(seen.received_at for seen in stream().observations())  # type: ignore[union-attr]
    with open_history(url) as history:
        return list(read_drifts(history, last + timedelta(seconds=1), days, UTC))


async def test_a_longer_timer_is_told_in_seconds_percent_and_parts(url: str) -> None:
    found = {each.signal: each for each in drifts(url)}

    cooling, cycle = found["cooling_time_s"], found["cycle_time_s"]
    assert cooling.approved_by == "Kim"
    assert 0.1 < cooling.off < 1.0  # the day has good shots and longer ones
    assert cycle.off == pytest.approx(cooling.off, abs=0.03)
    assert cycle.percent == pytest.approx(100 * cycle.off / cycle.golden)
    assert cooling.parts_lost is None
    assert cycle.parts_lost == pytest.approx(parts_lost(cycle.golden, cycle.mean, 1))
    assert cycle.parts_lost is not None
    assert cycle.parts_lost > 0


async def test_a_day_without_shots_has_no_line(url: str) -> None:
    assert {each.day for each in drifts(url, 30)} == {each.day for each in drifts(url, 2)}


async def test_the_command_prints_it(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "drift", "--mold", MOLD, "--days", "3", "--record", url]) == 0
    assert main(["watch", "drift", "--mold", "none", "--record", url]) == 0

    assert "parts lost" in capsys.readouterr().out
