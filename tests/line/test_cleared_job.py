"""A job that somebody clears on the control is on no shot any more, over whatever protocol."""

from pathlib import Path

from simulators.fleet import Fleet
from simulators.orders import Order
from simulators.plant import open_plant
from tests.line.harness import an_agent, stand_still, until_all_seen, until_caught_up

FACES = ("modbus", "flat", "euromap77")


async def test_shots_after_a_job_was_cleared_have_no_job(tmp_path: Path) -> None:
    fleet = Fleet.model_validate(
        {
            "press": [
                {
                    "name": f"IMM-0{n}",
                    "protocol": face,
                    "mold": f"A-{n}",
                    "job": "J-1",
                    "lot": "L-1",
                }
                for n, face in enumerate(FACES)
            ],
            "mold": [{"id": f"A-{n}", "expected_cycle_s": 12.0} for n, _ in enumerate(FACES)],
        }
    )
    async with (
        open_plant(fleet, speed=20, seed=3, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        await stand_still(plant)
        await agent.start()
        await until_all_seen(agent, plant)
        cleared_at = {}
        for job in ("J-1", ""):
            for name, press in plant.presses.items():
                cleared_at[name] = press.counter
                if not job:
                    await plant.order(name, Order(what="job", given={"job": job, "lot": job}))
                press.resume()
            for name, press in plant.presses.items():
                await press.until(cleared_at[name] + 3)
            await stand_still(plant)
            await until_caught_up(agent, plant)
        await agent.stop()
        cycles = [booked.cycle for booked in agent.cycles()]

    for name in cleared_at:
        mine = [each for each in cycles if each.machine == name]
        before = [each.job for each in mine if each.counter <= cleared_at[name]]
        after = [each.job for each in mine if each.counter > cleared_at[name]]
        assert len(before) >= 2, name
        assert set(before) == {"J-1"}, name
        assert len(after) >= 2, name
        assert set(after) == {None}, name
