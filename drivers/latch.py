"""Last-cycle values of a server that overwrites them: taken so that they belong to one shot.

A flat server shows the values of the last shot, one node each, and changes them just before its
counter rises. One Read is no snapshot on every server, so values count only when the counter stood
before and after them, two readings in a row agree, and none of them was set after the counter was.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from drivers.curvearrays import CurveArrays
from drivers.knownnodes import KnownNodes
from drivers.mappednode import MappedNode
from drivers.nodeunits import UnitChange
from drivers.observations import Origin, Quality, Report, Value
from drivers.points import Points, Shown, columns_of
from drivers.session import Session
from drivers.signals import Kind, kind_of, plausible

TRIES = 4
PAUSE_S = 0.02
"""Between tries, while the machine is writing."""
SETTLE_S = 2.0
"""Values that were set after the counter and then stand this long are taken after all: there are
servers that set the counter first, and set-points are changed in the middle of a cycle."""


@dataclass(slots=True)
class _Taken:
    counter: int
    shown: Shown

    def same(self, other: "_Taken") -> bool:
        return self.counter == other.counter and self.shown.values == other.shown.values

    def is_dated(self, other: "_Taken") -> bool:
        """Whether the machine's times tell when values changed, not when they were read."""
        return self.shown.times[0] is not None and self.shown.times == other.shown.times

    def is_restamped(self, other: "_Taken") -> bool:
        """Whether the times are those of the reading, or there are none; else something is being
        written whose value stays as it was."""
        at = self.shown.times[0]
        return at is None or at != other.shown.times[0]

    def is_torn(self) -> bool:
        """Whether some value was set after the counter: the next shot's values are coming in."""
        counted_at = self.shown.times[0]
        return counted_at is not None and any(
            at is not None and at > counted_at for at in self.shown.times[1:-1]
        )


class Latch:
    """Takes the last cycle's values whenever the counter has changed."""

    def __init__(
        self,
        session: Session,
        counter: MappedNode,
        nodes: Sequence[MappedNode],
        curves: CurveArrays | None = None,
        known: KnownNodes | None = None,
    ) -> None:
        self.columns = (*columns_of(nodes), *(curves.columns if curves else ()))
        self._curves = curves
        self._machine = session.machine
        self._modulus = counter.modulus
        self._nodes = tuple(nodes)
        self._points = Points(session, [counter, *nodes, counter], known)
        self._first: int | None = None
        self._last: int | None = None
        self._torn: tuple[_Taken, float] | None = None
        self._due: tuple[int, datetime, datetime | None] | None = None
        """A counter that is not reported yet, when it was seen first, and the sample before."""

    async def find(self) -> None:
        """Look the nodes up; see `Points.find`."""
        await self._points.find()
        if self._curves is not None:
            await self._curves.find()

    @property
    def absent(self) -> tuple[MappedNode, ...]:
        """Nodes that were not there when last read."""
        return self._points.absent

    @property
    def unavailable(self) -> tuple[str, ...]:
        """What of the last cycle is not there, and why; the counter shows elsewhere."""
        counter = self._points.nodes[0].signal
        return tuple(x for x in self._points.unavailable if not x.startswith(f"{counter} at "))

    async def take(
        self, counter: Value | None, seen_at: datetime, before: datetime | None
    ) -> Report | None:
        """The report of the last shot, once for each counter.

        Args:
            counter: As just sampled; None where it could not be read.
            seen_at: When it was sampled, our clock.
            before: When the sample before it was taken; None where there was none.

        Returns:
            None where there is no other shot than the one already reported, and where the values
            do not stand still; the next call tries again.
        """
        if not isinstance(counter, int) or counter == self._last:
            return None
        if self._first is None:
            self._first = counter
        if self._due is None or self._due[0] != counter:
            self._due = counter, seen_at, before
        _, seen_at, before = self._due
        taken = await self._settled()
        if taken is None or taken.counter == self._last:
            return None
        fresh = self._last is not None or taken.counter != self._first
        zeroed = taken.counter == 0 and not self._wraps()
        self._last = taken.counter
        if zeroed:
            return None  # set back, or never run: no shot has this number
        received_at = datetime.now(UTC)
        if taken.counter != counter:
            seen_at = received_at  # it ended after the sample
        report = self._report(taken, received_at, _end(taken, seen_at, before), fresh=fresh)
        if self._curves is None or not fresh:
            return report
        return replace(report, curves=await self._curves.take(taken.counter))

    def _wraps(self) -> bool:
        """Whether the counter's next step leads to 0."""
        return bool(self._modulus and self._last and self._last > 0.9 * self._modulus)

    async def _settled(self) -> _Taken | None:
        """Read until two readings agree and nothing was set after the counter."""
        last, since = await self._taken(), time.monotonic()
        for _ in range(TRIES):
            now = await self._taken()
            if now is None or last is None or not now.same(last):
                last, since = now, time.monotonic()
                continue
            if now.is_dated(last):
                if not now.is_torn() or self._stood_long(now):
                    self._torn = None
                    return now
            elif now.is_restamped(last):
                if time.monotonic() - since >= PAUSE_S:
                    return now
            elif self._stood_long(now):
                return now
            last = now
            await asyncio.sleep(PAUSE_S)
        return None

    def _stood_long(self, torn: _Taken) -> bool:
        now = time.monotonic()
        if self._torn is None or not torn.same(self._torn[0]):
            self._torn = (torn, now)
        return now - self._torn[1] >= SETTLE_S

    async def _taken(self) -> _Taken | None:
        """One reading; None where the counter moved in it, or could not be read."""
        shown = await self._points.read()
        before, after = shown.values[0], shown.values[-1]
        if not isinstance(before, int) or before != after:
            return None
        return _Taken(before, shown)

    def unit_changes(self) -> Iterator[UnitChange]:
        """Switches of units since the last call."""
        yield from self._points.units.changes()
        if self._curves is not None:
            yield from self._curves.unit_changes()

    def _units(self) -> Iterator[tuple[str, str]]:
        """The unit that the machine uses now, by signal."""
        for slot, mapped in enumerate(self._nodes, 1):
            node = self._points.units.node(slot)
            if node is not None and node.unit:
                yield mapped.signal, node.unit

    def _report(
        self, taken: _Taken, received_at: datetime, ended_at: datetime, *, fresh: bool
    ) -> Report:
        values: dict[str, Value] = {}
        states: dict[str, str] = {}
        rows = zip(self._nodes, taken.shown.values[1:-1], taken.shown.qualities[1:-1], strict=True)
        for node, value, quality in rows:
            if value is None or _is_doubted(node, value, quality):
                continue
            if kind_of(node.signal) is Kind.STATE:
                states[node.signal] = str(value)
            else:
                values[node.signal] = value
        stamped_at = taken.shown.times[0] if fresh else None
        return Report(
            machine=self._machine,
            counter=taken.counter,
            ended_at=ended_at if fresh else received_at,
            received_at=received_at,
            stamped_at=None if stamped_at == ended_at else stamped_at,
            origin=Origin.LATCHED,
            fresh=fresh,
            values=values,
            units={signal: unit for signal, unit in self._units() if signal in values},
            resolutions={
                c.signal: c.resolution for c in self.columns if c.resolution and c.signal in values
            },
            states=states,
        )


def _is_doubted(node: MappedNode, value: Value, quality: Quality) -> bool:
    """Whether the machine doubts its own value; one that only we find odd is passed on."""
    odd = isinstance(value, float) and not plausible(node.signal, value)
    return quality is Quality.UNCERTAIN and not odd


def _end(taken: _Taken, seen_at: datetime, before: datetime | None) -> datetime:
    """When the shot ended: when the machine set the counter, if its clock agrees with ours."""
    at = taken.shown.times[0]
    if at is not None and before is not None and before <= at <= datetime.now(UTC):
        return at
    return seen_at
