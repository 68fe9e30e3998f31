"""Clocks that are set, against the agent: counted on by number, told, and nothing mended."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from agent.history import open_history
from agent.recordpast import record_past
from agent.watchwords import Words
from drivers import Change, Notice
from simulators.fleet import Fleet
from simulators.plant import open_plant
from tests.line.harness import (
    Agent,
    an_agent,
    read_truth,
    stand_still,
    until,
    until_all_seen,
    until_caught_up,
)
from tests.line.test_status import status

HOUR_S = 3600.0
OFF_S = 120.0
"""What is left of an hour however slow the computer is."""
FLEET = {
    "press": [
        {"name": "EVENTS", "protocol": "euromap77", "mold": "A-1"},
        {"name": "NODES", "protocol": "flat", "mold": "A-2"},
    ],
    "mold": [{"id": "A-1"}, {"id": "A-2"}],
}
FAULTS = {"EVENTS": ("clock_forward", HOUR_S), "NODES": ("clock_back", -HOUR_S)}


def told(agent: Agent) -> dict[str, list[tuple[Any, Any]]]:
    """By machine: what every notice says of the machine's clock, before and after."""
    with open_history(agent.url) as history:
        past = [*record_past(history, Words())]
    jumps: dict[str, list[tuple[Any, Any]]] = {name: [] for name in FAULTS}
    for each in past:
        if isinstance(each, Notice) and each.change is Change.CLOCK and each.name == "clock":
            jumps[each.machine].append((each.old, each.new))
    return jumps


def has_told(agent: Agent, count: int) -> Callable[[], bool]:
    return lambda: all(len(each) >= count for each in told(agent).values())


async def test_clocks_that_are_set_are_told_and_cost_no_shot(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    fleet = Fleet.model_validate(FLEET)
    async with (
        open_plant(fleet, speed=40, seed=3, truth=truth, free_ports=True) as plant,
        an_agent(plant, tmp_path, poll_s=0.1) as agent,
    ):
        await stand_still(plant)
        before = len(read_truth(truth))
        await agent.start()
        await until_all_seen(agent, plant)
        for press in plant.presses.values():
            press.resume()
            await press.until(press.counter + 3)
        for name, (fault, _) in FAULTS.items():
            await plant.inject(name, fault)
        for press in plant.presses.values():
            await press.until(press.counter + 3)
        await until("both jumps are told", has_told(agent, 1))
        rows = [json.loads(line) for line in (await status(agent, "--format", "json")).splitlines()]
        words = await status(agent)
        for name, (fault, _) in FAULTS.items():
            await plant.clear(name, fault)
        for press in plant.presses.values():
            await press.until(press.counter + 3)
        await until("both are told to be right again", has_told(agent, 2))
        await stand_still(plant)
        await until_caught_up(agent, plant)
        await agent.stop()
        shots, cycles, jumps = read_truth(truth)[before:], agent.cycles(), told(agent)

    skews = {row["machine"]: row for row in rows if "machine" in row}
    for name, (_, ahead_s) in FAULTS.items():
        assert abs(skews[name]["clock"]["ahead_s"] - ahead_s) < OFF_S
        assert abs(skews[name]["server_clock"]["ahead_s"] - ahead_s) < OFF_S
        (old, new), (again, after) = jumps[name]
        assert abs(old) < OFF_S
        assert abs(new - ahead_s) < OFF_S
        assert abs(again - ahead_s) < OFF_S
        assert abs(after) < OFF_S

        booked = sorted(
            (each for each in cycles if each.cycle.machine == name),
            key=lambda each: each.cycle.counter,
        )
        assert len({each.segment for each in booked}) == 1
        made = sorted(row["counter"] for row in shots if row["machine"] == name)
        assert set(made) <= {each.cycle.counter for each in booked}
        moved = [each.cycle for each in booked if "clock_off" in each.cycle.flags]
        assert moved
        # An event has the machine's own stamp, as it gave it; nodes have ours instead.
        stamped_s = ahead_s if name == "EVENTS" else 0.0
        for cycle in moved:
            off = cycle.time - cycle.received_at
            assert abs(off - timedelta(seconds=stamped_s)) < timedelta(seconds=OFF_S)
        for cycle in (each.cycle for each in booked if each.cycle not in moved):
            assert abs(cycle.time - cycle.received_at) < timedelta(seconds=OFF_S)
        heard = [each.cycle.received_at for each in booked]
        assert heard == sorted(heard)
    assert "EVENTS: its clock is 36" in words
    assert "ahead of ours" in words
    assert "NODES: its clock is 3" in words
    assert "behind ours" in words
