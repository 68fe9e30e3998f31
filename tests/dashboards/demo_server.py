"""The story's plant in a process of its own, to be frozen, killed and started again.

python -m tests.dashboards.demo_server PRESSES PORT [RECORD]

With a record its pages are there too, and press 07 makes one shot after the other.
"""

import asyncio
import sys
from typing import NoReturn

from agent.live import Plant
from agent.shotnow import ShotNow
from dashboards.server import serve
from drivers import Column, Frame, Quality
from tests.dashboards.story import story

COLUMNS = tuple(
    Column(signal=name, source=name) for name in ("injection_pressure_bar", "cavity_pressure_bar")
)
PHASES = ("fill",) * 14 + ("hold",) * 50 + ("cool",) * 120 + ("open",) * 24 + ("eject",) * 34
STEP_S = 0.1


def say(address: str) -> None:
    """Tell whoever started this where the pages are."""
    print(address, flush=True)


async def mold(plant: Plant, machine: str = "IMM-07", step_s: float = STEP_S) -> NoReturn:
    """Make shots on one press for ever."""
    shot, n = ShotNow(), 0
    while True:
        phase = PHASES[n % len(PHASES)]
        pressure = {"fill": 60.0 * (n % len(PHASES)), "hold": 540.0}.get(phase, 0.0)
        frame = Frame(
            machine=machine, columns=COLUMNS, values=(pressure, pressure / 2),
            qualities=(Quality.GOOD,) * 2, received_at=plant.clock(),
        )  # fmt: skip
        if shot.take(frame, {"phase": phase}):
            plant.draw(machine, shot)
        n += 1
        await asyncio.sleep(step_s)


async def main(presses: int, port: int, record: str | None) -> None:
    """Serve until killed."""
    plant = story(presses)
    async with asyncio.TaskGroup() as tasks:
        if record is not None:
            tasks.create_task(mold(plant))
        tasks.create_task(serve(plant, "127.0.0.1", port, say, record=record))


if __name__ == "__main__":
    record = sys.argv[3] if len(sys.argv) > 3 else None
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), record))
