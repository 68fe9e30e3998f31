"""Notices, in the writer's thread, what people changed while the agent runs.

Another process writes to the record beside it; the newest audit id says whether anybody did. Then
closings are attributed anew, once at once and once more when what was under way has been booked.
"""

import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DatabaseError

from agent import schema
from agent.audit import Author
from agent.chain import cover
from agent.molds.attributing import attribute
from agent.molds.shelf import Shelf, newest_audit, read_shelf

LOOK_EVERY_S = 0.5
AGAIN_AFTER_S = 3.0
"""By then the ledgers have the new word, and what they booked before it is on the disk."""

ATTRIBUTED = "attributed"
"""Under this name the record keeps up to which audit row all is attributed."""

GAPS_DONE = "gaps_done"
"""And up to which row of the ledger this was done with closings that were booked late."""


class News:
    """What is new to the agent.

    Args:
        connection: The writer's own.
        clock: Now, UTC.
    """

    def __init__(self, connection: Connection, clock: Callable[[], datetime]) -> None:
        self._connection = connection
        self._clock = clock
        self._next_look = 0.0
        self._again_at: float | None = None
        self._gaps: dict[int, int] = {}
        with connection.begin():
            self._done = self._kept(ATTRIBUTED) or 0
            self._gaps = self._left()
            self._attribute()
            self._keep(GAPS_DONE, self._newest_row())
            self.shelf = read_shelf(connection)
            self._seen = self.shelf.audit
            self._settle()

    def gap(self, machine: int, since_ns: int) -> None:
        """Note that closings of a time gone by were booked on a machine.

        They were booked on what sits there now; somebody may have said what sat there then.
        """
        self._gaps[machine] = min(since_ns, self._gaps.get(machine, since_ns))

    def look(self) -> Shelf | None:
        """The molds anew, where anything has changed since the last look; mostly None.

        Raises:
            DatabaseError: the disk takes nothing; the next look does what this one had to.
        """
        now = time.monotonic()
        if now < self._next_look:
            return None
        self._next_look = now + LOOK_EVERY_S
        before = self._gaps, self._again_at, self._done, self._seen, self.shelf
        try:
            return self._look(now)
        except DatabaseError:
            self._gaps, self._again_at, self._done, self._seen, self.shelf = before
            raise

    def _look(self, now: float) -> Shelf | None:
        again = self._again_at is not None and now >= self._again_at
        with self._connection.begin():
            newest = newest_audit(self._connection)
            if newest == self._seen and not again and not self._gaps:
                return None
            late = bool(self._gaps)
            moved = self._attribute()
            if late:
                self._keep(GAPS_DONE, self._newest_row())
            if again:
                self._again_at = None
                self._settle()
            if newest != self._seen:
                self._again_at = now + AGAIN_AFTER_S
            elif not moved:
                return None
            self.shelf = read_shelf(self._connection)
            self._seen = self.shelf.audit
            return self.shelf

    def _attribute(self) -> int:
        gaps, self._gaps = self._gaps, {}
        author = Author(who="sprue", origin="agent", at=self._clock())
        cover(self._connection, found=True)
        moved = attribute(self._connection, author, self._done, gaps)
        cover(self._connection)
        return moved

    def _left(self) -> dict[int, int]:
        """Closings booked late that whoever ran before noted, and ended before it could look."""
        done, row = self._kept(GAPS_DONE), schema.run.c
        if done is None:  # the first start, or the first by one that keeps this
            return {}
        query = (
            select(row.machine_id, func.min(row.since_ns).label("since_ns"))
            .where(row.id > done, row.kind != "seen")
            .group_by(row.machine_id)
        )
        return {each.machine_id: each.since_ns for each in self._connection.execute(query)}

    def _newest_row(self) -> int:
        return self._connection.execute(select(func.max(schema.run.c.id))).scalar() or 0

    def _settle(self) -> None:
        """All that was said up to the last look is attributed, whatever was under way."""
        if self._done != self._seen:
            self._done = self._seen
            self._keep(ATTRIBUTED, self._done)

    def _kept(self, name: str) -> int | None:
        table = schema.identity
        value = self._connection.execute(select(table.c.value).where(table.c.name == name)).scalar()
        return None if value is None else int(value)

    def _keep(self, name: str, value: int) -> None:
        table = schema.identity
        self._connection.execute(table.delete().where(table.c.name == name))
        self._connection.execute(table.insert().values(name=name, value=str(value)))
