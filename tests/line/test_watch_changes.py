"""What people do to a press in an ordinary day, over a real connection: none of it is a fault."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from simulators.fleet import Fleet
from simulators.modes import Mode
from simulators.mold import Job, Mold
from simulators.plant import open_plant
from simulators.press import Press
from tests.line.harness import an_agent, until_all_seen, until_caught_up
from tests.line.test_watch import found, mold, replay, sprue

FLEET = Fleet.model_validate(
    {
        "press": [{"name": "IMM-01", "protocol": "euromap77", "mold": "A-1", "job": "J-1"}],
        "mold": [
            {"id": "A-1", "part": "lid", "resin": "ABS"},
            {"id": "A-2", "part": "box", "resin": "PP", "wall_mm": 3.0},
        ],
    }
)
SEEN = {("A-1", "A", "ABS"), ("A-2", "A", "PP"), ("A-1", "A", "PP"), ("A-1", "B", "ABS")}
HEARD_S = 1.5
"""Until the agent has heard of it: much less than a cycle, were these not molded by the dozen."""
BEFORE, EACH = 100, 45


async def set_up(press: Press, mold_on: Mold) -> None:
    """Put a mold on, or the same with another resin or revision, in an hour without a shot."""
    await press.set_mode(Mode.SETUP, "Ada")
    press.stand(3600)
    press.catch_up()
    await press.change_mold(mold_on, Job(name=f"J-{press.counter}"), "Ada")
    await press.set_mode(Mode.AUTOMATIC, "Ada")


@pytest.mark.slow
async def test_other_molds_resins_and_a_re_cut_raise_nothing(tmp_path: Path) -> None:
    async with (
        open_plant(FLEET, speed=None, seed=6, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        press = plant.presses["IMM-01"]
        await agent.start()
        await until_all_seen(agent, plant)
        await mold(press, BEFORE)
        lid, box = plant.fleet.molds["A-1"], plant.fleet.molds["A-2"]
        recut = replace(lid, revision="B")
        for mold_on in (box, lid, replace(lid, resin="PP"), lid, recut):
            await until_caught_up(agent, plant)
            await set_up(press, mold_on)
            if mold_on is recut:
                await sprue("molds", "revise", "A-1", "--who", "Ada", "--record", agent.url)
            await asyncio.sleep(HEARD_S)
            await mold(press, EACH)
        await until_caught_up(agent, plant)
        assert found(agent) == []
        assert {b.cycle.state for b in agent.cycles()} == {"production"}
        await plant.inject("IMM-01", "timer_changed", by_s=0.5)
        await mold(press, 4)
        await until_caught_up(agent, plant)
        await agent.stop()
        live = found(agent)

    assert [each.anomaly.cause for each in live] == ["timer_changed"]
    assert [line["id"] for line in await replay(agent.url)] == [live[0].anomaly.id]
