"""All sinks of a configuration at once, none of which can hold up another."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from agent.files import reader
from agent.forward import outbox
from agent.forward.kinds import opener_of
from agent.forward.outbox import SinkRow
from agent.forward.settings import AnySink, PlantSettings
from agent.molds.shelf import agent_id
from agent.record import Record


async def forward(
    sinks: Sequence[AnySink],
    record: Record,
    path: Path,
    now: Callable[[], datetime],
    machines: Mapping[str, bool] = MappingProxyType({}),
    site: str = "Plant",
) -> None:
    """Deliver to every sink until cancelled.

    Args:
        sinks: From the configuration; each has a name of its own.
        record: Open for writing.
        path: Its main file.
        now: Our clock.
        machines: Those that are configured, and whether each is shared with other agents.
        site: What people call the site.
    """
    rows = [SinkRow(name=each.name, kind=each.kind, place=each.place) for each in sinks]
    await (await record.change(lambda connection: outbox.configure(connection, rows)))
    if not sinks:
        return
    agent = await asyncio.to_thread(agent_of, path)
    # It takes a while to load, and most plants have no sink.
    from agent.forward.forwarder import Forwarder

    async with asyncio.TaskGroup() as tasks:
        for settings in sinks:
            opener = opener_of(settings, agent, machines)
            forwarder = Forwarder(settings, opener, record, path, now)
            tasks.create_task(forwarder.run(), name=f"forward to {settings.name}")
            if isinstance(settings, PlantSettings):
                from agent.plantrecord.pulse import pulse

                beating = pulse(settings, agent, path, machines, site)
                tasks.create_task(beating, name=f"pulse of {settings.name}")
            else:
                from agent.forward.vitals import tell_vitals

                telling = tell_vitals(settings, path, site, now)
                tasks.create_task(telling, name=f"vitals for {settings.name}")


def agent_of(path: Path) -> str:
    """Who counts in the record of a main file."""
    engine = reader(path)
    try:
        with engine.connect() as connection:
            return agent_id(connection)
    finally:
        engine.dispose()
