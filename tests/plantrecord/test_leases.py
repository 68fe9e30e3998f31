"""Two agents with one machine between them: one follows it, and the other when that is gone."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.files import RecordError
from agent.history import Filter, open_history
from agent.plantrecord.sharing import uncovered
from bench.postgres import Postgres
from simulators.fleet import load
from simulators.plant import Plant, open_plant
from simulators.printedconfig import print_config
from tests.line.harness import Agent, read_truth, stand_still, until

PRESS = "IMM-01"


@asynccontextmanager
async def sharing(plant: Plant, folder: Path, url: str) -> AsyncGenerator[list[Agent]]:
    """Two agents that share every press; not started yet, and gone in the end."""
    agents = []
    for name in ("a", "b"):
        home = folder / name
        home.mkdir()
        printed = print_config(plant.fleet, plant.ports)
        printed = printed.replace("poll_s = 0.1", "poll_s = 0.1\nshared = true")
        (home / "sprue.toml").write_text(
            '[record]\nurl = "sqlite:///plant.db"\n[web]\nlisten = "127.0.0.1:0"\n'
            f'[[forward]]\nkind = "postgresql"\nurl = "{url}"\n{printed}',
            encoding="utf-8",
        )
        agents.append(Agent(home / "sprue.toml", home / "agent.log"))
    try:
        yield agents
    finally:
        for agent in agents:
            if agent.process is not None:
                await agent.kill()


def follows(agent: Agent) -> bool:
    """Whether an agent has the press in sight, by its own record."""
    now = datetime.now(UTC)
    with suppress(RecordError), open_history(agent.url) as history:
        for sums in history.sums(now):
            at = sums.seen_at
            return sums.link == "up" and at is not None and now - at < timedelta(seconds=3)
    return False


async def test_another_agent_goes_on_with_a_machine_and_no_shot_counts_twice(
    tmp_path: Path, postgres: Postgres, plant_url: str
) -> None:
    truth = tmp_path / "truth.jsonl"
    async with (
        open_plant(load("six").first(1), speed=30, seed=3, free_ports=True, truth=truth) as plant,
        sharing(plant, tmp_path, plant_url) as agents,
    ):
        press = plant.presses[PRESS]
        await stand_still(plant)
        await agents[0].start()
        await until("one follows it", lambda: follows(agents[0]))
        await agents[1].start()
        press.resume()
        await until("shots are told", lambda: told(plant_url) >= 5)
        assert not agents[1].cycles()

        await asyncio.to_thread(postgres.stop)  # it can't renew, and stops in time
        await until("it stops", lambda: "the lease is lost" in agents[0].log.read_text())
        before = told_by(agents)
        await asyncio.to_thread(postgres.start)
        await until("either follows it again", lambda: told_by(agents) >= before + 3)

        holder = next(agent for agent in agents if follows(agent))
        (other,) = (agent for agent in agents if agent is not holder)
        await holder.kill()
        killed = time.monotonic()
        await until("the other follows it", lambda: follows(other))
        print(f"taken over {time.monotonic() - killed:.1f} s after a kill")
        await holder.start()  # with what it had not told, and a ledger that is out of date
        await stand_still(plant)
        await until("every closing is counted", lambda: told(plant_url) == press.counter)
        await until("every cycle is told", lambda: cycles_told(plant_url, agents))
        for agent in agents:
            await agent.stop()

    with open_history(plant_url) as history:
        runs = history.runs()
        seen = Counter((each.segment, each.cycle.counter) for each in history.cycles(Filter()))
        assert history.blinds()
    assert sum(run.closings for run in runs) == press.counter
    assert sum(run.shots for run in runs) == sum(
        row["closing"] == "shot" for row in read_truth(truth)
    )
    assert max(seen.values()) == 1
    assert sum(run.unobserved for run in runs) == press.counter - len(seen)


def told(url: str) -> int:
    """Closings that the plant record counts."""
    with suppress(RecordError), open_history(url) as history:
        return sum(run.closings for run in history.runs())
    return 0


def told_by(agents: Iterable[Agent]) -> int:
    """Cycles on the agents' disks."""
    return sum(len(agent.cycles()) for agent in agents)


def cycles_told(url: str, agents: Iterable[Agent]) -> bool:
    own = {(each.segment, each.cycle.counter) for agent in agents for each in agent.cycles()}
    with suppress(RecordError), open_history(url) as history:
        return history.count(Filter()) == len(own)
    return False


def test_what_is_left_of_a_stretch() -> None:
    assert list(uncovered(1, 10, [])) == [(1, 10)]
    assert list(uncovered(1, 10, [(0, 10)])) == []
    assert list(uncovered(1, 10, [(8, 12), (1, 2)])) == [(3, 7)]
