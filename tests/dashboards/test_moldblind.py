"""Where a mold's water could fail unseen, its own page says so."""

from pathlib import Path

from agent.assembly import Assembly
from agent.batch import Batch, MachineRow, MoldRow
from agent.history import open_history
from agent.ledger import Ledger, Standing
from agent.record import open_record
from agent.stages import Stages
from dashboards.moldpage import CYCLES_TOLD, look_at
from drivers import Origin, Report
from tests.agent.makers import at

MACHINES = ("IMM-01", "IMM-02")
TIMES = {"cycle_time_s": 25.0, "cooling_time_s": 12.0}


def shot(machine: str, n: int) -> Report:
    """One of a machine; only the second one has a sensor in the mold."""
    ended = at(25.0 * n)
    return Report(
        machine=machine,
        counter=n,
        ended_at=ended,
        received_at=ended,
        origin=Origin.REPORTED,
        values=TIMES if machine == "IMM-01" else {**TIMES, "mold_temp_c": 40.0},
        states={"mold": "A-1", "mode": "AUTOMATIC"},
    )


async def walked(folder: Path, shots: int) -> list[str]:
    """On which machines the page says that the mold is blind, after so many shots on each."""
    url = f"sqlite:///{folder}/sprue.db"
    rows = [MachineRow(name=name, driver="modbus") for name in MACHINES]
    async with open_record(url, rows, [MoldRow(name="A-1")]) as record:
        for name in MACHINES:
            stages = Stages(Assembly(name), Ledger(name, Standing(), lambda _mold: "A"))
            stages.connected(reports=True, modulus=None)
            for n in range(1, shots + 1):
                found = stages.take(shot(name, n))
                saved = stages.memory()
                done = await record.keep(Batch(machine=name, entries=found.entries, saved=saved))
            await done
    with open_history(url) as history, history.connect() as connection:
        return list(look_at(connection, at(0), "A-1").blind)


async def test_a_mold_that_shows_nothing_of_its_water_is_blind_to_it(tmp_path: Path) -> None:
    assert await walked(tmp_path, shots=4 * CYCLES_TOLD) == ["IMM-01"]


async def test_of_few_shots_nothing_is_said(tmp_path: Path) -> None:
    assert await walked(tmp_path, shots=CYCLES_TOLD - 1) == []
