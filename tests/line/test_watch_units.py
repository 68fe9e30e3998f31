"""A control that is set to other units in the middle of a run: nothing is wrong with the mold."""

from pathlib import Path

from agent.history import Filter, open_history
from agent.recordpast import record_past
from agent.watchwords import Words
from drivers import Change, Notice, Value
from simulators.orders import Order
from simulators.plant import open_plant
from tests.line.harness import Agent, an_agent, until_all_seen, until_caught_up
from tests.line.test_watch import FLEET, found, mold, replay

SETTLED = 130
"""Shots until slow signals are judged too."""
PRESSURE = "injection_pressure_peak_bar"


async def test_other_units_in_the_middle_of_a_run_are_no_fault(tmp_path: Path) -> None:
    async with (
        open_plant(FLEET, speed=None, seed=4, free_ports=True) as plant,
        an_agent(plant, tmp_path) as agent,
    ):
        press = plant.presses["IMM-01"]
        await agent.start()
        await until_all_seen(agent, plant)
        await mold(press, SETTLED)
        for pressure, temperature, shots in (("psi", "F", 30), ("MPa", "C", 20), ("bar", "C", 20)):
            units = {"pressure": pressure, "temperature": temperature, "who": "Ada"}
            await plant.order("IMM-01", Order(what="units", given=units))
            await mold(press, shots)
        await until_caught_up(agent, plant)
        assert found(agent) == []
        await plant.inject("IMM-01", "pressure_drift", share=0.15, over=1)
        await mold(press, 30)
        await until_caught_up(agent, plant)
        await agent.stop()
        live = found(agent)

    peaks, units_told = kept(agent)
    assert units_told == {"bar", "psi", "MPa"}
    assert max(peaks[:-30]) < 1.1 * min(peaks[-100:-30]), "in bar, whatever the control is set to"
    # What the units did not hide is told: the signals whose units changed were being judged.
    assert [each.anomaly.cause for each in live] == ["pressure_shift"]
    assert [line["id"] for line in await replay(agent.url)] == [live[0].anomaly.id]


def kept(agent: Agent) -> tuple[list[float], set[Value | None]]:
    """Peak pressures in the record, and to which units they are noted to have changed."""
    with open_history(agent.url) as history:
        peaks = [float(b.cycle.values[PRESSURE] or 0) for b in history.cycles(Filter())]
        told = {
            past.new
            for past in record_past(history, Words())
            if isinstance(past, Notice) and past.change is Change.UNIT and past.name == PRESSURE
        }
    return peaks, told
