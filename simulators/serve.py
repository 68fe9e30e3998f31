"""A simulated plant that runs until it is told to stop."""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from simulators.control import listening, typed
from simulators.fleet import Fleet
from simulators.plant import Plant, open_plant
from simulators.printedconfig import print_config


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
    certificates: Path | None = None,
    control: int | None = None,
) -> None:
    """Mold until cancelled.

    When every press listens, one line for each is printed, and the tables of a sprue.toml that
    watches them are written to `config_out`.

    Args (besides those of `open_plant`):
        config_out: File for the tables of a sprue.toml.
        control: Port on loopback that takes orders, 0 for any free one; None: no orders.

    Raises:
        FleetError: a port is taken.
        OSError: a file can't be written.
    """
    async with AsyncExitStack() as stack:
        plant = await stack.enter_async_context(
            open_plant(
                fleet,
                speed=speed,
                seed=seed,
                truth=truth,
                free_ports=free_ports,
                state=state,
                nodesets=nodesets,
                certificates=certificates,
            )
        )
        lines = _lines(plant)
        if control is not None:
            lines.append(f"orders at {await stack.enter_async_context(listening(plant, control))}")
        if config_out is not None:
            text = print_config(fleet, plant.ports, speed=speed, certificates=certificates)
            _write(config_out, text)
        print("\n".join(lines), flush=True)
        if control is not None and sys.stdin.isatty():
            await typed(plant)
        await asyncio.get_running_loop().create_future()


def _lines(plant: Plant) -> list[str]:
    kinds = {press.name: press.protocol for press in plant.fleet.press}
    return [
        f"{name:<10} {kinds.get(name, 'tcu'):<10} {face.address}"
        for name, face in plant.faces.items()
    ]


def _write(path: Path, text: str) -> None:
    """Whole or not at all: who waits for the file never reads half of it."""
    if path.exists() and not path.is_file():  # a pipe or a terminal, which is not to be replaced
        path.write_text(text, encoding="utf-8")
        return
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
