"""Agent and machines come and go; what the counters can prove is counted once, on its mold."""

import asyncio
import random
from pathlib import Path

import pytest

from simulators.fleet import load
from simulators.plant import Plant, open_plant
from tests.line.harness import (
    Agent,
    Comparison,
    an_agent,
    gaps_are_blind,
    read_truth,
    same_shot,
    shots_by_mold,
    stand_still,
    true_shots_by_mold,
    unobserved,
    until_all_seen,
    until_caught_up,
)

KILLS = 30


async def kill_again_and_again(agent: Agent, rng: random.Random) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(rng.uniform(0.2, 6.0))
        await agent.kill()
        await asyncio.sleep(rng.uniform(0.0, 1.0))
        await agent.start()


async def stop_every_server_once(plant: Plant, rng: random.Random) -> None:
    for face in plant.faces.values():
        await asyncio.sleep(rng.uniform(5.0, 10.0))
        await face.stop()
        await asyncio.sleep(rng.uniform(0.5, 4.0))
        await face.start()


@pytest.mark.slow
async def test_thirty_kills_and_every_server_restarted_lose_and_double_nothing(
    tmp_path: Path,
) -> None:
    truth = tmp_path / "truth.jsonl"
    rng = random.Random(11)
    async with (
        open_plant(load("six"), speed=60, seed=3, truth=truth, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        await stand_still(plant)
        before = len(read_truth(truth))
        await agent.start()
        await until_all_seen(agent, plant)
        for press in plant.presses.values():
            press.resume()

        async with asyncio.TaskGroup() as faults:
            faults.create_task(kill_again_and_again(agent, rng))
            faults.create_task(stop_every_server_once(plant, rng))
        await until_all_seen(agent, plant)
        await stand_still(plant)
        await until_caught_up(agent, plant)
        await agent.stop()

        rows = read_truth(truth)[before:]
        cycles, runs = agent.cycles(), agent.runs()
        not_blind = gaps_are_blind(agent)

    true = {(row["machine"], row["counter"]): row for row in rows}
    kept = [(booked.cycle.machine, booked.cycle.counter) for booked in cycles]
    missing = {(name, n) for name, numbers in unobserved(runs).items() for n in numbers}
    assert len(kept) == len(set(kept)), "a shot is in the record twice"
    assert set(kept) | missing == set(true), "every shot is seen or counted as not observed"
    assert not set(kept) & missing, "no shot is both"
    assert missing, "thirty kills hide some shots"

    comparison = Comparison()
    for booked in cycles:
        same_shot(booked, true[booked.cycle.machine, booked.cycle.counter], comparison, 0.05)
    assert comparison.wrong == []
    assert shots_by_mold(runs) == true_shots_by_mold(rows)
    assert not_blind == []


async def test_a_press_whose_control_lost_its_counter_goes_on_in_a_new_segment(
    tmp_path: Path,
) -> None:
    truth = tmp_path / "truth.jsonl"
    async with (
        open_plant(load("six"), speed=60, seed=5, truth=truth, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        await stand_still(plant)
        before = len(read_truth(truth))
        await agent.start()
        await until_all_seen(agent, plant)
        for press in plant.presses.values():
            press.resume()
        for press in plant.presses.values():
            await press.until(before // 6 + 12)
        await stand_still(plant)
        await until_caught_up(agent, plant)
        for press in plant.presses.values():
            await press.reset_counter()
            press.resume()
        for press in plant.presses.values():
            await press.until(10)
        await stand_still(plant)
        await until_caught_up(agent, plant)
        await agent.stop()

        rows = read_truth(truth)[before:]
        runs, cycles = agent.runs(), agent.cycles()
    assert {run.segment for run in runs} == {1, 2}
    assert shots_by_mold(runs) == true_shots_by_mold(rows)
    missing = sum(len(numbers) for numbers in unobserved(runs).values())
    assert len(cycles) + missing == len(rows), "every shot is seen or counted as not observed"
    assert missing <= len(rows) // 10, "a busy computer hides some at sixty times the speed"
