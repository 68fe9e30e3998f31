"""Presses with an OPC UA server of their maker's own design, read by a node map.

Such servers show live values and the last cycle's values as plain nodes, and a shot counter. The
map (`drivers.nodes`) says which node is which signal.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal, Protocol

from pydantic import Field, field_validator

from drivers.condition import Condition
from drivers.curvearrays import CurveArrays
from drivers.errors import RefusedError
from drivers.identity import KEY, NodeIdentity, proved
from drivers.knownnodes import KnownNodes
from drivers.latch import Latch
from drivers.mappednode import MappedNode
from drivers.nodeid import parse_address
from drivers.nodes import NodeMap
from drivers.observations import (
    OVERFLOW,
    Change,
    Column,
    Frame,
    Link,
    Notice,
    Observation,
    Quality,
    Report,
)
from drivers.points import Points, Shown
from drivers.polling import Ticks
from drivers.session import Session, SessionSettings, open_session
from drivers.settings import Cooling
from drivers.subscribed import Subscribed
from drivers.uaerrors import LateError, status_text

log = logging.getLogger(__name__)

NAMED = 3
"""Nodes that a notice names; the others are counted."""
FIND_S = 30.0
"""How often nodes that were not there are looked for."""


class OpcUaSettings(SessionSettings):
    """A machine with `driver = "opcua"`."""

    driver: Literal["opcua"]
    map: Annotated[str, Field(min_length=1)]
    """A node map: the name of a shipped one, or a file."""
    identity: NodeIdentity | None = None
    """What tells this machine from all others."""
    curves: bool = False
    """Whether the last shot's curves are read as arrays, where the map says that there are any."""
    read: Literal["poll", "subscribe"] = "poll"
    """Whether we ask at `poll_s`, or the server publishes at that rate."""

    @field_validator("cooling")
    @classmethod
    def _readable(cls, cooling: Cooling | None) -> Cooling | None:
        if cooling is None:
            return None
        if cooling.event_field is not None:
            raise ValueError("'event_field' is for driver 'euromap77'; here it is 'node'")
        if cooling.register_ is not None:
            raise ValueError("'register' is for driver 'modbus'; here it is 'node'")
        if cooling.node is not None:
            parse_address(cooling.node, "urn:the-map's")
        return cooling

    @field_validator("identity")
    @classmethod
    def _addressed(cls, identity: NodeIdentity | None) -> NodeIdentity | None:
        if identity is not None:
            parse_address(identity.node, "urn:the-map's")
        return identity


class _Source(Protocol):
    """Where frames come from: our asking, or the server's publishing."""

    @property
    def gap(self) -> str: ...

    @property
    def condition(self) -> tuple[float | None, float | None, int]: ...

    @property
    def missed(self) -> int: ...

    async def next(self) -> list[tuple[Shown, datetime]]: ...


class OpcUaPress:
    """A press we are connected to; `open_press` makes one."""

    def __init__(
        self,
        session: Session,
        settings: OpcUaSettings,
        nodes: NodeMap,
        known: KnownNodes,
        known_by: str | None = None,
    ) -> None:
        by_signal = {node.signal: node for node in nodes.nodes}
        counter = by_signal.get("counter")
        latched = [node for node in nodes.nodes if node.latched and node is not counter]
        sampled = [node for node in nodes.nodes if not node.latched or node is counter]
        self._session = session
        self._settings = settings
        self._known = known
        self._points = Points(session, sampled, known)
        wanted = nodes.curves if settings.curves else None
        curves = CurveArrays(session, wanted, known) if wanted is not None else None
        takes = counter is not None and bool(latched or curves)
        self._latch = None
        if counter and takes:
            self._latch = Latch(session, counter, latched, curves, known)
        self._counter_at = sampled.index(counter) if counter else None
        self._source: _Source | None = None
        self._columns = self._points.columns
        self._modulus = counter.modulus if counter else None
        self._identity = {} if known_by is None else {KEY: known_by}

    @property
    def columns(self) -> tuple[Column, ...]:
        """The signals of its frames."""
        return self._columns

    @property
    def report_columns(self) -> tuple[Column, ...]:
        """The signals of its reports."""
        return self._latch.columns if self._latch else ()

    @property
    def reports(self) -> bool:
        """Whether the map has a counter and last-cycle values."""
        return self._latch is not None

    @property
    def counter_modulus(self) -> int | None:
        """What the counter counts modulo, by the map."""
        return self._modulus

    @property
    def identity(self) -> Mapping[str, str]:
        """The value that is configured to be it; a flat server has no agreed place."""
        return self._identity

    @property
    def absent(self) -> tuple[MappedNode, ...]:
        """Nodes of the map that the server does not have now."""
        return (*self._points.absent, *(self._latch.absent if self._latch else ()))

    @property
    def condition(self) -> Condition:
        """Which nodes are not there, how fast the server publishes, which polls were left out."""
        publishing_s, sampling_s, lost = self._source.condition if self._source else (None, None, 0)
        per_cycle = self._latch.unavailable if self._latch else ()
        return Condition(
            unavailable=(*self._points.unavailable, *per_cycle),
            publishing_s=publishing_s,
            sampling_s=sampling_s,
            lost=lost,
            missed=self._source.missed if self._source else 0,
            clock=self._session.machine_clock.skew,
            server_clock=self._session.server_clock.skew,
        )

    async def read(self) -> Frame:
        """Every sampled signal once, now."""
        shown = await self._points.read()
        return self._frame(shown, datetime.now(UTC))

    async def observations(self) -> AsyncIterator[Observation]:
        """A frame a sample, and a report after each shot."""
        source = self._source = await self._open_source()
        before: datetime | None = None
        while True:
            samples = await source.next()
            if source.gap and before is not None:
                yield Link(
                    machine=self._session.machine,
                    up=False,
                    at=before,
                    cause=OVERFLOW,
                    why=source.gap,
                )
            for shown, at in samples:
                for notice in (*self._moves(at), *self._unit_changes(at)):
                    yield notice
                yield self._frame(shown, at)
                report = await self._report(shown, at, before)
                for notice in self._unit_changes(at):
                    yield notice
                if report:
                    yield report
                before = shown.asked_at or at

    async def _report(self, shown: Shown, at: datetime, before: datetime | None) -> Report | None:
        """The last shot's report, if the counter has changed; a late answer is asked for again."""
        if self._latch is None or self._counter_at is None:
            return None
        try:
            return await self._latch.take(shown.values[self._counter_at], at, before)
        except LateError as error:
            await self._session.check_life(self._settings.silent_most_s, error)
            return None

    def _unit_changes(self, at: datetime) -> Iterator[Notice]:
        """Signals that the machine shows in another unit than before."""
        latched = self._latch.unit_changes() if self._latch else ()
        for change in (*self._points.units.changes(), *latched):
            self._columns = self._points.columns
            yield change.told(self._session.machine, at)

    def _moves(self, at: datetime) -> Iterator[Notice]:
        """Nodes that the machine has under other ids than before."""
        moved = self._known.moved()
        if not moved:
            return
        named = ", ".join(f"{each.address} is {each.new}" for each in moved[:NAMED])
        more = f" and {len(moved) - NAMED} more" if len(moved) > NAMED else ""
        yield Notice(
            machine=self._session.machine,
            change=Change.MESSAGE,
            name="node_ids",
            old=None,
            new=None,
            text=f"the server has other ids for its nodes, found by their paths: {named}{more}",
            at=at,
            received_at=at,
        )

    async def find(self) -> None:
        """Look all nodes up.

        Raises:
            RefusedError: the counter is not there, or nothing is.
        """
        await self._points.find()
        if self._latch:
            await self._latch.find()
        shown = await self._points.read()
        self._columns = self._points.columns
        machine = self._session.machine
        if self._counter_at is not None:
            if shown.qualities[self._counter_at] is Quality.MISSING:
                where = self._points.nodes[self._counter_at].address.text
                why = self._known.faults.get(where)
                what = f"the server has no counter at {where}"
                raise RefusedError(machine, f"{what}: {why}" if why else what)
        elif all(quality is Quality.MISSING for quality in shown.qualities):
            raise RefusedError(machine, "the server has none of the nodes of the map")

    def _frame(self, shown: Shown, at: datetime) -> Frame:
        return Frame(
            machine=self._session.machine,
            columns=self._columns,
            values=tuple(shown.values),
            qualities=tuple(shown.qualities),
            source_time=shown.time,
            source_times=tuple(shown.times),
            asked_at=shown.asked_at,
            received_at=at,
        )

    async def _open_source(self) -> _Source:
        if self._settings.read == "poll":
            return Polled(self._session, self._settings, self._points, self._latch)
        try:
            return await Subscribed.open(self._session, self._settings, self._points, self._latch)
        except RefusedError as error:
            log.warning("%s; its values are polled instead", error)
            return Polled(self._session, self._settings, self._points, self._latch)


class Polled:
    """Asks for all points at an even rate."""

    gap = ""
    condition: tuple[None, None, int] = (None, None, 0)

    def __init__(
        self, session: Session, settings: OpcUaSettings, points: Points, latch: Latch | None
    ) -> None:
        self._session = session
        self._points = points
        self._latch = latch
        self._ticks = Ticks(settings.name, settings.poll_s)
        self._silent_most_s = settings.silent_most_s
        self._find_at = asyncio.get_running_loop().time() + FIND_S

    @property
    def missed(self) -> int:
        """Ticks that no poll was made for."""
        return self._ticks.missed

    async def next(self) -> list[tuple[Shown, datetime]]:
        """The next sample; one that is late is left out, until there are too many."""
        while True:
            await self._ticks.next()
            try:
                await self._look_for_absent()
                shown = await self._points.read()
            except LateError as error:
                await self._session.check_life(self._silent_most_s, error)
                continue
            return [(shown, datetime.now(UTC))]

    async def _look_for_absent(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._find_at:
            return
        self._find_at = now + FIND_S
        if self._points.absent:
            await self._points.find()
        if self._latch and self._latch.absent:
            await self._latch.find()


@asynccontextmanager
async def open_press(
    settings: OpcUaSettings, nodes: NodeMap, known: KnownNodes | None = None
) -> AsyncGenerator[OpcUaPress]:
    """Connect, hand out the press, and close whatever happens.

    Args:
        settings: The machine.
        nodes: Its map.
        known: What its nodes are called; whoever connects again and again keeps it.

    Raises:
        UnreachableError: nobody answers, or not in time.
        RefusedError: it says no, or has neither the counter nor anything else of the map.
        MistakenError: it is another machine than the one whose `identity` is configured.
    """
    async with open_session(settings) as session:
        known = KnownNodes(settings.name) if known is None else known
        known.load()
        known_by = await _read_identity(session, settings, nodes, known)
        press = OpcUaPress(session, settings, with_cooling(settings, nodes), known, known_by)
        await press.find()
        yield press


async def _read_identity(
    session: Session, settings: OpcUaSettings, nodes: NodeMap, known: KnownNodes
) -> str | None:
    """What the machine is known by; None where nothing is configured."""
    if settings.identity is None:
        return None
    text = settings.identity.node
    try:
        address = parse_address(text, nodes.namespace)
    except ValueError as error:
        raise RefusedError(settings.name, f"identity.node: {error}") from error
    node_id = (await known.find(session, [address]))[0][0]
    if node_id is None:
        why = known.faults.get(text, "the server has no such node")
        raise RefusedError(settings.name, f"identity.node: {text}: {why}")
    answer = (await session.read([node_id]))[0]
    if not answer.StatusCode.is_good():
        code = answer.StatusCode.value
        raise RefusedError(settings.name, f"identity.node: {text}: {status_text(code)}")
    raw = answer.Value.Value if answer.Value else None
    value = getattr(raw, "Text", raw)  # of a LocalizedText
    found = value if isinstance(value, str | int | float) else None
    return proved(settings.name, text, found, settings.identity.value)


def with_cooling(settings: OpcUaSettings, nodes: NodeMap) -> NodeMap:
    """The map, with the cooling time read where the machine's own configuration says.

    Raises:
        RefusedError: the address names no namespace, and the map has none either; or the map has
            no counter.
    """
    if settings.cooling is None or settings.cooling.node is None:
        return nodes
    if all(node.signal != "counter" for node in nodes.nodes):
        raise RefusedError(settings.name, "cooling.node: the map has no counter to read it after")
    try:
        address = parse_address(settings.cooling.node, nodes.namespace)
    except ValueError as error:
        raise RefusedError(settings.name, f"cooling.node: {error}") from error
    others = [node for node in nodes.nodes if node.signal != "cooling_time_s"]
    mine = next((n for n in nodes.nodes if n.signal == "cooling_time_s"), None)
    node = MappedNode(signal="cooling_time_s", address=address, latched=True)
    if mine is not None and mine.address == address:
        node = mine
    return replace(nodes, nodes=(*others, node))
