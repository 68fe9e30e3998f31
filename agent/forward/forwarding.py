"""All sinks of a configuration at once, none of which can hold up another."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from agent.forward import outbox
from agent.forward.outbox import SinkRow
from agent.forward.settings import AnySink
from agent.record import Record


async def forward(
    sinks: Sequence[AnySink], record: Record, path: Path, now: Callable[[], datetime]
) -> None:
    """Deliver to every sink until cancelled.

    Args:
        sinks: From the configuration; each has a name of its own.
        record: Open for writing.
        path: Its main file.
        now: Our clock.
    """
    rows = [SinkRow(name=each.name, kind=each.kind, place=each.place) for each in sinks]
    await (await record.change(lambda connection: outbox.configure(connection, rows)))
    if not sinks:
        return
    # Their libraries take a while to load, and most plants have no sink.
    from agent.forward.forwarder import Forwarder
    from agent.forward.lineserver import open_sink

    async with asyncio.TaskGroup() as tasks:
        for settings in sinks:
            forwarder = Forwarder(settings, partial(open_sink, settings), record, path, now)
            tasks.create_task(forwarder.run(), name=f"forward to {settings.name}")
