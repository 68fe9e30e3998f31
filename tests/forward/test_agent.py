"""The agent itself, with a sink in its configuration: what simulated presses made is there."""

from pathlib import Path

from simulators.fleet import load
from simulators.plant import open_plant
from tests.forward.forwarded import Influx, until
from tests.line.harness import an_agent, stand_still, until_all_seen, until_caught_up


async def arrived(database: Influx, n: int) -> bool:
    rows = await database.ask("SELECT count(counter) FROM sprue_cycle")
    return bool(rows and rows[0]["count"] >= n)


async def test_every_shot_of_the_record_is_in_the_sink_through_a_kill_of_the_agent(
    tmp_path: Path, influx_v2: str, database: Influx
) -> None:
    async with (
        open_plant(load("six"), speed=60, seed=3, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        with agent.config.open("a", encoding="utf-8") as config:
            config.write(
                f'\n[[forward]]\nkind = "influxdb"\nurl = "{influx_v2}"\norg = "plant"\n'
                f'bucket = "{database.database}"\ncurves = ["*"]\ncurve_points = 20\n'
            )
        await stand_still(plant)
        await agent.start()
        await until_all_seen(agent, plant)
        for press in plant.presses.values():
            press.resume()
        await until("some shots are there", lambda: arrived(database, 20))
        await agent.kill()
        await agent.start()
        await until_all_seen(agent, plant)
        await stand_still(plant)
        await until_caught_up(agent, plant)
        kept = {(each.cycle.machine, each.cycle.counter) for each in agent.cycles()}
        await until("everything has arrived", lambda: arrived(database, len(kept)))
        await agent.stop()

    rows = await database.ask("SELECT counter, machine FROM sprue_cycle")
    assert len(rows) == len(kept)
    assert {(row["machine"], row["counter"]) for row in rows} == kept
    shots = await database.ask("SELECT sum(shots) FROM sprue_ledger GROUP BY machine")
    assert sum(row["sum"] for row in shots) >= len(kept)
