"""What an agent that was away has missed is filled in, where the machine has kept it."""

import asyncio
from pathlib import Path

from simulators.fleet import Fleet
from simulators.plant import open_plant
from tests.line.harness import (
    Comparison,
    an_agent,
    read_truth,
    same_shot,
    stand_still,
    unobserved,
    until_all_seen,
    until_caught_up,
)

FLEET = {
    "press": [
        {"name": "KEEPS", "protocol": "euromap77", "mold": "A-1", "event_history": 500},
        {
            "name": "BY-JOB",
            "protocol": "euromap77",
            "mold": "A-2",
            "event_history": 500,
            "machine_counter": False,
        },
        {"name": "FORGETS", "protocol": "euromap77", "mold": "A-3"},
    ],
    "mold": [{"id": "A-1"}, {"id": "A-2"}, {"id": "A-3"}],
}


async def test_an_agent_that_was_killed_has_every_shot_of_a_machine_that_keeps_its_past(
    tmp_path: Path,
) -> None:
    truth = tmp_path / "truth.jsonl"
    fleet = Fleet.model_validate(FLEET)
    async with (
        open_plant(fleet, speed=60, seed=5, truth=truth, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        await stand_still(plant)
        before = len(read_truth(truth))
        await agent.start()
        await until_all_seen(agent, plant)
        for press in plant.presses.values():
            press.resume()
        await asyncio.sleep(3.0)
        await agent.kill()
        await asyncio.sleep(3.0)
        await agent.start()
        await until_all_seen(agent, plant)
        await stand_still(plant)
        await until_caught_up(agent, plant)
        await agent.stop()
        rows, cycles, runs = read_truth(truth)[before:], agent.cycles(), agent.runs()

    true = {(row["machine"], row["counter"]): row for row in rows}
    kept = [(booked.cycle.machine, booked.cycle.counter) for booked in cycles]
    assert len(kept) == len(set(kept)), "a shot is in the record twice"
    missing = unobserved(runs)
    assert len(missing["FORGETS"]) > 2, "it was away for some shots"
    assert not missing["KEEPS"]
    for booked in (each for each in cycles if each.cycle.machine == "KEEPS"):
        comparison = Comparison()
        same_shot(booked, true.pop(("KEEPS", booked.cycle.counter)), comparison, 0.05)
        assert comparison.wrong == []
    assert not [key for key in true if key[0] == "KEEPS"], "every shot is there"
    flags = [b.cycle.flags for b in cycles if b.cycle.machine == "KEEPS"]
    assert sum("backfilled" in each for each in flags) > 2
    assert sum(b.cycle.machine == "BY-JOB" for b in cycles) == sum(
        row["machine"] == "BY-JOB" for row in rows
    )
