"""What runs beside the machines, each started anew when what it was made of has changed."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.certificates import watch_certificates
from agent.config import Loaded
from agent.forward.forwarding import forward
from agent.housekeeping import keep_house
from agent.record import Record


@dataclass(frozen=True, slots=True)
class Service:
    """One of them, as a configuration wants it."""

    name: str
    made_of: object
    """What it reads of the configuration."""
    work: Callable[[], Coroutine[Any, Any, None]]


def services(
    loaded: Loaded,
    record: Record,
    path: Path,
    clock: Callable[[], datetime],
) -> list[Service]:
    """What a configuration wants to run.

    Args:
        loaded: The configuration.
        record: Open for writing.
        path: Its main file.
        clock: Our clock.
    """
    config = loaded.config

    return [
        Service("certificates", config.machine, lambda: watch_certificates(loaded, clock)),
        Service(
            "house", (config.history, config.retention), lambda: keep_house(config, loaded.path)
        ),
        Service(
            "forward",
            (config.forward, loaded.shared, config.site.name),
            lambda: forward(
                config.forward, record, path, clock, loaded.shared, site=config.site.name
            ),
        ),
    ]


class Running:
    """The services that run now.

    Args:
        tasks: Where their work goes on.
    """

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._now: dict[str, tuple[object, asyncio.Task[None]]] = {}

    async def run(self, wanted: list[Service]) -> None:
        """Start what is not as wanted; what is, goes on."""
        for service in wanted:
            made_of, task = self._now.get(service.name, (None, None))
            if task is not None and made_of == service.made_of:
                continue
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
            task = self._tasks.create_task(service.work(), name=service.name)
            self._now[service.name] = service.made_of, task
