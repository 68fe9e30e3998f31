"""The watch over a real connection, over kills and over the past: the same anomalies."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from agent.anomalies import Known, Wanted, anomalies
from agent.anomalylisting import anomaly_line
from agent.history import open_history
from agent.run import now
from simulators.fleet import Fleet
from simulators.plant import Plant, open_plant
from simulators.press import Press
from tests.line.harness import Agent, an_agent, until, until_all_seen, until_caught_up

FLEET = Fleet.model_validate(
    {
        "press": [{"name": "IMM-01", "protocol": "euromap77", "mold": "A-1", "job": "J-1"}],
        "mold": [{"id": "A-1", "part": "lid", "resin": "ABS"}],
    }
)
EVERY_S = 0.03
"""From shot to shot: as fast as a busy computer follows."""

SAID = ("id", "time", "kind", "cause", "signal", "counter", "since_counter", "value", "expected",
        "limit", "severity")  # fmt: skip


async def mold(press: Press, shots: int) -> None:
    for _ in range(shots):
        await press.mold()
        await asyncio.sleep(EVERY_S)


async def killed(agent: Agent, plant: Plant) -> None:
    """Kill the agent with everything on the disk, let a shot pass unseen, and start it again."""
    await until_caught_up(agent, plant)
    await agent.kill()
    await mold(plant.presses["IMM-01"], 1)
    await agent.start()
    absences = agent.starts - 1
    await until("the agent follows the press again", lambda: seen_again(agent) == absences)


def seen_again(agent: Agent) -> int:
    """How many absences of the agent are over."""
    with open_history(agent.url) as history:
        return sum(blind.until is not None for blind in history.blinds())


def found(agent: Agent) -> list[Known]:
    with open_history(agent.url) as history, history.connect() as connection:
        known = anomalies(connection, Wanted(), now=now())
    return [each for each in known if each.anomaly.kind not in ("blind", "shot_count")]


async def sprue(*words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", *words, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_kills_and_replay_come_to_the_same_anomalies(tmp_path: Path) -> None:
    async with (
        open_plant(FLEET, speed=None, seed=2, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        press = plant.presses["IMM-01"]
        await agent.start()
        await until_all_seen(agent, plant)
        await mold(press, 45)
        await killed(agent, plant)  # while it learns
        await mold(press, 60)
        await plant.inject("IMM-01", "timer_changed", by_s=0.5)
        await mold(press, 1)
        await killed(agent, plant)  # between the first affected shot and its confirmation
        await mold(press, 8)
        await until("the timer is told", lambda: bool(found(agent)))
        await killed(agent, plant)  # with an anomaly open
        await mold(press, 30)
        await plant.clear("IMM-01", "timer_changed")
        await mold(press, 12)
        await until_caught_up(agent, plant)
        await until("it is over", lambda: found(agent)[0].state == "closed")
        await agent.stop()
        live = found(agent)
        past = tmp_path / "past.jsonl"
        past.write_text(
            await sprue("cycles", "--record", agent.url, "--limit", "0", "--format", "json")
        )

    replayed = await replay(agent.url)
    of_cycles_alone = await replay(str(past))
    twice = await replay(agent.url)

    assert [(each.anomaly.kind, each.anomaly.cause) for each in live] == [
        ("cooling_time", "timer_changed")
    ]
    assert [said(line) for line in replayed] == [said(of(each)) for each in live]
    assert replayed == twice
    # Who changed the timer stands in the logbook, of which a file of cycles knows nothing.
    without = [said(line) | {"severity": None} for line in of_cycles_alone]
    assert without == [said(of(each)) | {"severity": None} for each in live]


async def test_the_running_agent_hears_of_a_limit(tmp_path: Path) -> None:
    async with (
        open_plant(FLEET, speed=None, seed=3, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        press = plant.presses["IMM-01"]
        await agent.start()
        await until_all_seen(agent, plant)
        await mold(press, 5)
        await until_caught_up(agent, plant)
        said = ("limit", "A-1", "cushion_mm", "--high", "1.0", "--who", "Kim")
        await sprue("watch", *said, "--record", agent.url)
        began = asyncio.get_running_loop().time()
        while not found(agent):  # until a shot comes after it was heard
            assert asyncio.get_running_loop().time() - began < 30, "it was never heard"
            await press.mold()
            await asyncio.sleep(0.2)
        await sprue("anomalies", "ack", "1", "we know", "--who", "Lee", "--record", agent.url)
        await agent.stop()
        (known,) = found(agent)

    assert (known.anomaly.kind, known.anomaly.signal) == ("process", "cushion_mm")
    assert known.anomaly.limit == 1.0
    assert known.state == "acknowledged"


async def replay(*words: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (await sprue("replay", *words)).splitlines()]
    return [line for line in lines if line["kind"] != "shot_count"]


def said(line: dict[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in SAID}


def of(known: Known) -> dict[str, Any]:
    line = anomaly_line(known.anomaly)
    return line | {"time": known.anomaly.time.isoformat(timespec="microseconds")}
