"""The whole line against the simulators' truth: the same shots, the same values, once each."""

import asyncio
from pathlib import Path

import pytest

from agent.history import open_history
from simulators.fleet import load
from simulators.plant import open_plant
from tests.line.harness import (
    an_agent,
    compare,
    read_truth,
    shots_by_mold,
    stand_still,
    true_shots_by_mold,
    unobserved,
    until_all_seen,
    until_caught_up,
)

SHOTS = 3000


@pytest.mark.slow
async def test_three_thousand_shots_are_in_the_record_as_they_were(tmp_path: Path) -> None:
    """Six presses, two a protocol, at sixty times their speed."""
    truth = tmp_path / "truth.jsonl"
    async with (
        open_plant(load("six"), speed=60, seed=7, truth=truth, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        await stand_still(plant)
        before = len(read_truth(truth))
        await agent.start()
        await until_all_seen(agent, plant)

        for press in plant.presses.values():
            press.resume()
        async with asyncio.timeout(600), asyncio.TaskGroup() as presses:
            for press in plant.presses.values():
                presses.create_task(press.until(press.counter + SHOTS // len(plant.presses)))
        await stand_still(plant)
        await until_caught_up(agent, plant)
        status, seconds = await agent.stop()

        rows = read_truth(truth)[before:]
        # At this speed two closings are a quarter of a second apart: a computer that gives the
        # agent no time for so long costs a polled shot, which must then be counted as such.
        missing = {(name, n) for name, many in unobserved(agent.runs()).items() for n in many}
        observed = [row for row in rows if (row["machine"], row["counter"]) not in missing]
        result = compare(agent.cycles(), observed, poll_s=0.05)
        with open_history(agent.url) as history:
            curves = [history.curves(booked) for booked in agent.cycles()[-6:]]
    assert result.wrong == []
    assert result.compared > 10 * SHOTS
    assert shots_by_mold(agent.runs()) == true_shots_by_mold(rows)
    assert len(missing) <= SHOTS // 100, missing
    assert any("injection_pressure_bar" in each for each in curves)
    assert (status, seconds < 2) == (0, True)
