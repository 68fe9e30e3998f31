"""Two tasks that ask the record, so that no page has to: what is open, and how its disk does."""

import asyncio
from dataclasses import replace
from typing import NoReturn

from agent.calls import Counter, count_changes, read_calls
from agent.files import RecordError
from agent.live import Plant
from dashboards.recordaccess import RecordAccess

TROUBLE_S = 1.0

LOOK_S = 2.0
"""From one look to the next; a look at a record that has not changed takes a millisecond."""


async def follow_news(plant: Plant, access: RecordAccess, look_s: float = LOOK_S) -> NoReturn:
    """Tell the plant whatever changes in the record: anomalies, and what people enter.

    A record that does not answer is news once: open pages ask it themselves, and say how old they
    are. What was told stays.
    """
    before: Counter | None = None
    while True:
        try:
            counter = await access.read(count_changes)
            if counter != before:
                news, first = await access.read(read_calls)
                plant.tell(replace(news, version=plant.news.version + 1), first)
                before = counter
        except RecordError:
            if before is not None:
                plant.hear(replace(plant.news, version=plant.news.version + 1))
            before = None  # whatever comes back may be another one
        await asyncio.sleep(look_s)


async def follow_trouble(plant: Plant, access: RecordAccess) -> NoReturn:
    """Tell the plant why the record's disk takes nothing, also while it answers no question."""
    while True:
        plant.trouble = await access.trouble()
        await asyncio.sleep(TROUBLE_S)
