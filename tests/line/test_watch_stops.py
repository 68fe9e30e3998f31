"""Stops over a real connection: what a press molds when it starts again is no fault.

The press lives in its own time, and its control's clock is set on by as much as it stood there, so
that its stamps are those of a press that stood so long; only we did not wait for it.
"""

import json
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from simulators.modes import Mode
from simulators.plant import Plant, open_plant
from tests.line.harness import an_agent, until_all_seen, until_caught_up
from tests.line.test_watch import FLEET, found, mold, replay, sprue

MINUTES = (5, 30, 300)
BEFORE, AFTER = 100, 40


async def stand(plant: Plant, minutes: int, before: int) -> None:
    """Let the press stand, in manual mode where it is for long, with the mold getting cold."""
    press = plant.presses["IMM-01"]
    by_hand = minutes > MINUTES[0]
    if by_hand:
        await press.set_mode(Mode.MANUAL, "Ada")
    press.stand(60 * minutes)
    press.catch_up()
    if before:
        await plant.clear("IMM-01", "clock_forward")
    await plant.inject("IMM-01", "clock_forward", by_s=60 * (before + minutes))
    if by_hand:
        await press.set_mode(Mode.AUTOMATIC, "Ada")


def closed_up(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same shots as if the press had never stood: one second apart."""
    first = datetime.fromisoformat(rows[0]["time"])
    return [
        row | {"time": (first + timedelta(seconds=n)).isoformat()} for n, row in enumerate(rows)
    ]


@pytest.mark.slow
async def test_a_stop_raises_nothing(tmp_path: Path) -> None:
    async with (
        open_plant(FLEET, speed=None, seed=11, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        press = plant.presses["IMM-01"]
        await agent.start()
        await until_all_seen(agent, plant)
        await mold(press, BEFORE)
        stood = 0
        for minutes in MINUTES:
            await until_caught_up(agent, plant)
            await stand(plant, minutes, stood)
            stood += minutes
            await mold(press, AFTER)
        await until_caught_up(agent, plant)
        assert found(agent) == []
        await plant.inject("IMM-01", "timer_changed", by_s=0.5)
        await mold(press, 4)
        await until_caught_up(agent, plant)
        await agent.stop()
        live = found(agent)
        rows = [
            json.loads(line)
            for line in (
                await sprue("cycles", "--record", agent.url, "--limit", "0", "--format", "json")
            ).splitlines()
        ]

    assert [each.anomaly.cause for each in live] == ["timer_changed"]
    assert [line["id"] for line in await replay(agent.url)] == [live[0].anomaly.id]
    ends = sorted(datetime.fromisoformat(row["time"]) for row in rows)
    gaps = [b - a for a, b in pairwise(ends)]
    long = [gap // timedelta(minutes=1) for gap in gaps if gap > timedelta(minutes=4)]
    assert long == list(MINUTES)
    # What the press molds first would be told, had it not stood.
    past = tmp_path / "closed_up.jsonl"
    shots = sorted(rows, key=lambda row: str(row["time"]))
    past.write_text("".join(f"{json.dumps(row)}\n" for row in closed_up(shots)))
    causes = {line["cause"] for line in await replay(str(past))}
    assert causes > {"timer_changed"}, causes
