"""The past as a record has it: booked cycles, notices, and what people told the watch.

A file of cycles knows nothing of a logbook: who changed a timer, when the press left automatic. A
record does, so that the watch comes to what the running agent came to.
"""

import heapq
import json
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select

from agent.cycle import Booked
from agent.history import Filter, History
from agent.rows import from_ns
from agent.schema import machine, notice
from agent.watchwords import Golden, Words
from drivers import Change, Notice

Past = Booked | Notice | Golden
PAGE = 1000


def record_past(history: History, words: Words) -> Iterator[Past]:
    """Everything that the watch was told, in the order in which the agent heard it.

    What came in one answer was heard at one instant; then the machine's clock says what was first.
    """
    cycles = history.cycles(Filter(), as_booked=True)
    return heapq.merge(words.golden, _notices(history), cycles, key=_heard)


def _heard(past: Past) -> tuple[datetime, datetime]:
    match past:
        case Booked(cycle=cycle):
            return cycle.received_at, cycle.time
        case Notice():
            return past.received_at, past.at
        case Golden():
            return past.at, past.at


def _notices(history: History) -> Iterator[Notice]:
    after = 0
    query = select(notice, machine.c.name.label("machine_name")).join(machine)
    while True:
        page = query.where(notice.c.id > after).order_by(notice.c.id).limit(PAGE)
        with history.connect() as connection:
            rows = connection.execute(page).all()
        for row in rows:
            yield Notice(
                machine=row.machine_name,
                change=Change(row.change),
                name=row.name,
                old=json.loads(row.old) if row.old else None,
                new=json.loads(row.new) if row.new else None,
                who=row.who,
                at=from_ns(row.time_ns),
                received_at=from_ns(row.received_ns),
            )
        if len(rows) < PAGE:
            return
        after = rows[-1].id
