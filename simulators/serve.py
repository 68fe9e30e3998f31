"""A simulated plant that runs until it is told to stop."""

import asyncio
import sys
from pathlib import Path

from simulators.fleet import Fleet, print_config
from simulators.plant import Plant, open_plant


async def serve(
    fleet: Fleet,
    *,
    speed: float = 1.0,
    seed: int = 0,
    truth: Path | None = None,
    free_ports: bool = False,
    config_out: Path | None = None,
    state: Path | None = None,
    nodesets: Path | None = None,
) -> None:
    """Mold until cancelled.

    When every press listens, one line for each is printed, and the tables of a sprue.toml that
    watches them are written to `config_out`.

    Raises:
        FleetError: a port is taken.
        OSError: a file can't be written.
    """
    async with open_plant(
        fleet,
        speed=speed,
        seed=seed,
        truth=truth,
        free_ports=free_ports,
        state=state,
        nodesets=nodesets,
    ) as plant:
        if config_out is not None:
            _write(config_out, print_config(fleet, plant.ports, speed=speed))
        for line in _lines(plant):
            print(line)
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


def _lines(plant: Plant) -> list[str]:
    return [
        f"{press.name:<10} {press.protocol:<10} {plant.faces[press.name].address}"
        for press in plant.fleet.press
    ]


def _write(path: Path, text: str) -> None:
    """Whole or not at all: who waits for the file never reads half of it."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
