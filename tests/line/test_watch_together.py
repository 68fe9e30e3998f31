"""The second opinion of the watch, asked for in the configuration of a running agent."""

from pathlib import Path

import pytest

from simulators.plant import open_plant
from tests.line.harness import Agent, an_agent, until_all_seen, until_caught_up
from tests.line.test_watch import FLEET, found, killed, mold, of, replay, said

KNOWN = 880
"""Shots until the second opinion says something."""


@pytest.mark.slow
async def test_what_no_signal_tells_alone_is_told_live_as_in_replay(tmp_path: Path) -> None:
    async with (
        open_plant(FLEET, speed=None, seed=5, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        ask_for_it(agent)
        press = plant.presses["IMM-01"]
        await agent.start()
        await until_all_seen(agent, plant)
        await mold(press, 400)
        await killed(agent, plant)  # between the components and what they scatter
        await mold(press, KNOWN - 400)
        await until_caught_up(agent, plant)
        assert found(agent) == []
        await plant.inject("IMM-01", "mold_temperature_drift", by_k=1.0, over=1)
        await mold(press, 40)
        await until_caught_up(agent, plant)
        await agent.stop()
        live = found(agent)

    assert [(each.anomaly.kind, each.anomaly.cause) for each in live] == [
        ("process", "unexplained")
    ]
    assert live[0].anomaly.evidence["t2"] is not None
    assert [said(line) for line in await replay(agent.url, "--together")] == [said(of(live[0]))]
    assert await replay(agent.url) == []


def ask_for_it(agent: Agent) -> None:
    text = agent.config.read_text(encoding="utf-8")
    agent.config.write_text(text + "\n[watch]\ntogether = true\n", encoding="utf-8")
