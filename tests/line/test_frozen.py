"""A link that goes on showing an old picture of the press is told from a press that stands."""

import asyncio
from pathlib import Path

from agent.history import open_history
from simulators.fleet import load
from simulators.modes import Phase
from simulators.plant import open_plant
from tests.line.harness import (
    an_agent,
    gaps_are_blind,
    read_truth,
    shots_by_mold,
    stand_still,
    true_shots_by_mold,
    until,
    until_all_seen,
    until_caught_up,
)

FROZEN = ("IMM-01", "IMM-03")
"""One over Modbus, one over a flat OPC UA server."""
NO_PHASE = "IMM-05"
"""Over Euromap 77, where an old picture and a press that waits look alike while they last."""


async def test_frozen_values_are_a_blind_interval_and_cost_no_shot(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    async with (
        open_plant(load("six"), speed=40, seed=5, truth=truth, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        await stand_still(plant)
        before = len(read_truth(truth))
        await agent.start()
        await until_all_seen(agent, plant)
        for press in plant.presses.values():
            press.resume()
        for press in plant.presses.values():
            await press.until(press.counter + 8)

        def stale() -> set[str]:
            with open_history(agent.url) as history:
                return {each.machine for each in history.blinds() if each.cause == "stale"}

        for name in FROZEN:
            press = plant.presses[name]
            while press.phase is not Phase.COOL:  # noqa: ASYNC110 - a simulator has no event for it
                await asyncio.sleep(0.01)
            await plant.inject(name, "frozen_values")
        await plant.inject(NO_PHASE, "frozen_values")
        frozen_at = plant.presses[NO_PHASE].counter
        await until("the frozen ones are stale", lambda: stale() == set(FROZEN), 40)
        await plant.presses[NO_PHASE].until(frozen_at + 4)
        for name in (*FROZEN, NO_PHASE):
            await plant.clear(name, "frozen_values")
        await until_all_seen(agent, plant)
        for press in plant.presses.values():
            await press.until(press.counter + 4)
        await stand_still(plant)
        await until_caught_up(agent, plant)
        await agent.stop()

        rows = read_truth(truth)[before:]
        assert shots_by_mold(agent.runs()) == true_shots_by_mold(rows)
        with open_history(agent.url) as history:
            blinds = [each for each in history.blinds() if each.cause == "stale"]
            unseen = [each for each in history.blinds() if each.cause == "unseen"]
    assert {each.machine for each in blinds} == set(FROZEN), "nobody else was"
    assert all(each.until is not None and each.until > each.since for each in blinds)
    assert all("same values" in each.why for each in blinds)
    assert {each.machine for each in unseen} >= {NO_PHASE}, "it shows when it moves again"
    assert all(each.machine in (*FROZEN, NO_PHASE) for each in unseen)
    assert gaps_are_blind(agent) == []
