"""Machines that several agents are configured with: one at a time has the lease, and follows it.

A lease is a row in the plant record, with an end by its server's clock. Who holds it renews it; who
can't renew it in time has stopped following the machine before it ends, by a clock of its own that
is never set, and only then may another take it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from agent.files import RecordError
from agent.forward.settings import PlantSettings
from agent.plantrecord.address import words
from agent.plantrecord.making import make
from agent.plantrecord.pulse import CLOCK
from agent.plantrecord.tables import lease
from agent.plantrecord.taking import Ids, Taking
from drivers.errors import RefusedError as NoSecretError

log = logging.getLogger(__name__)

LEASE_S = 7.0
"""From one renewal on; with a second until another asks, a takeover is done within ten."""

MARGIN_S = 1.5
"""So long before its end, whoever could not renew it stops."""

ASK_S = 1.0

LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Taken:
    """A lease that the server gave or renewed."""

    term: int
    from_other: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """A machine that is ours for a while."""

    term: int
    """The same as long as no other agent had it in between."""
    ends_s: float
    """By the event loop's clock."""
    from_other: bool
    """Another agent had it before this term, so that our own record does not know how it stands."""


class Leases:
    """Asks for the leases of machines, and renews them.

    Args:
        settings: Of the plant record.
        agent: Who we are.
        machines: Those that are configured, and whether each is shared.
    """

    def __init__(self, settings: PlantSettings, agent: str, machines: Mapping[str, bool]) -> None:
        self._settings = settings
        self._agent = agent
        self._machines = machines
        self._names = [name for name, shared in machines.items() if shared]
        self._grants: dict[str, Grant] = {}
        self._from_others: set[tuple[str, int]] = set()
        self._trouble = ""

    async def run(self) -> NoReturn:
        """Ask until cancelled; a server that is away is waited for."""
        loop = asyncio.get_running_loop()
        while True:
            asked_s = loop.time()
            try:
                taken = await asyncio.to_thread(self._ask)
            except (DBAPIError, RecordError, NoSecretError) as error:
                self._tell(words(error) if isinstance(error, DBAPIError) else str(error))
            else:
                self._tell("")
                ends_s = asked_s + LEASE_S - MARGIN_S
                self._from_others |= {(n, t.term) for n, t in taken.items() if t.from_other}
                self._grants = {
                    name: Grant(each.term, ends_s, (name, each.term) in self._from_others)
                    for name, each in taken.items()
                }
            await asyncio.sleep(ASK_S)

    async def granted(self, machine: str) -> Grant:
        """Wait until a machine is ours."""
        while (grant := self._now(machine)) is None:  # noqa: ASYNC110 - a grant ends by itself
            await asyncio.sleep(LOOK_S)
        return grant

    async def lost(self, machine: str, grant: Grant) -> None:
        """Wait until a machine is no longer ours, or was another's in between."""
        while (now := self._now(machine)) is not None and now.term == grant.term:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)

    def _now(self, machine: str) -> Grant | None:
        grant = self._grants.get(machine)
        if grant is None or grant.ends_s <= asyncio.get_running_loop().time():
            return None
        return grant

    def _ask(self) -> dict[str, Taken]:
        address = self._settings.address
        engine = address.engine()
        try:
            with engine.begin() as connection:
                make(connection, address)
                taking = Taking(connection, Ids(), self._agent, self._machines)
                keys = {taking.machine(name): name for name in sorted(self._names)}
                return _taken(connection, self._agent, keys)
        finally:
            engine.dispose()

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.warning("%s: %s; shared machines wait for it", self._settings.name, trouble)
        elif self._trouble and not trouble:
            log.warning("%s: leases are to be had again", self._settings.name)
        self._trouble = trouble


def _taken(connection: Connection, agent: str, keys: Mapping[int, str]) -> dict[str, Taken]:
    """Take or renew what is free or ours; by machine."""
    now = int(connection.execute(select(CLOCK)).scalar_one())
    query = (
        select(lease)
        .where(lease.c.machine_id.in_(keys), lease.c.shared == 1)
        .order_by(lease.c.machine_id)
        .with_for_update()
    )
    found = {}
    for row in connection.execute(query).all():
        ours = row.agent == agent
        if not ours and row.until_ns >= now:
            continue
        term = row.term if ours else row.term + 1
        connection.execute(
            lease.update()
            .where(lease.c.machine_id == row.machine_id)
            .values(agent=agent, term=term, until_ns=now + round(LEASE_S * 1e9))
        )
        found[keys[row.machine_id]] = Taken(term, from_other=not ours)
    return found


async def in_turn(
    leases: Leases,
    machine: str,
    follow: Callable[[], Coroutine[Any, Any, NoReturn]],
    begin: Callable[[bool], Awaitable[None]],
    end: Callable[[], None],
) -> NoReturn:
    """Follow a machine while it is ours, again and again.

    Args:
        leases: Of this agent.
        machine: Its name.
        follow: Follows it until cancelled.
        begin: Called before, with whether another agent may have had it since we did.
        end: Called after.
    """
    last: int | None = None
    while True:
        grant = await leases.granted(machine)
        log.warning("%s: this agent has the lease, term %d", machine, grant.term)
        try:
            await begin(grant.from_other if last is None else grant.term != last)
        except RecordError as error:
            log.warning("%s: %s; it is not followed yet", machine, error)
            await asyncio.sleep(ASK_S)
            continue
        last = grant.term
        work = asyncio.ensure_future(follow())
        losing = asyncio.ensure_future(leases.lost(machine, grant))
        try:
            done, _ = await asyncio.wait((work, losing), return_when=asyncio.FIRST_COMPLETED)
            if work in done:
                await work
        finally:
            for each in (work, losing):
                each.cancel()
            await asyncio.gather(work, losing, return_exceptions=True)
        log.warning("%s: the lease is lost; another agent may follow it", machine)
        end()
