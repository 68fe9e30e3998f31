"""A line: everything behind one port, over one connection, one request at a time.

Several machines may be units behind one gateway, whose serial line serves one request after the
other anyway. They take turns, request by request, in the order in which they ask. One that fails is
told so and has to join anew; the others go on, on a new connection if the old one can't be trusted,
once they have shown there who they are.
Only where the other side ended it, all are told.

Where late answers can't be told from others (RTU frames, gateways without transaction ids), a new
connection is not made before the line has been still for longer than its slowest answer took.

For a dead unit a gateway waits as long as it likes. With RTU frames nothing waits but we, so that a
failing unit is given less time than a healthy one, by how fast it was.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NoReturn
from weakref import WeakValueDictionary

from drivers.blocks import Block
from drivers.breaker import Breaker, lost_s
from drivers.errors import MachineError, RefusedError, UnreachableError
from drivers.modbuslink import Asker, BlockRefusedError, ModbusLink
from drivers.modbusplace import Port, Serial

STILL_S = 0.1
"""How much longer than the slowest answer a line is left still."""
LOOK_S = 0.5
"""How often a failing unit that waits looks whether anybody is left to be spared."""
SHORT_LEAST_S = 0.2
SLOWER = 4.0
"""How much slower than it ever was a failing unit may answer, when nothing waits but we."""
PATIENT_EVERY = 32
"""One in so many such probes waits the whole time: the unit may have become slow for good."""


class _UnprovedError(Exception):
    """The connection is not the one on which a station has shown who it is."""


class Line:
    """A line, for as long as the agent runs; `line_at` gives the one of an address.

    Args:
        place: Where the device is, or the gateway before several.
    """

    def __init__(self, place: Port | Serial) -> None:
        self._place = place
        self._tells_late_ones = place.framing == "tcp"
        self._link: ModbusLink | None = None
        self._stations: set[Station] = set()
        self._turn = asyncio.Lock()
        """Asyncio's locks are fair: first come, first served."""
        self._breaker = Breaker()
        self._probe = asyncio.Lock()
        """Failing units are asked one at a time."""
        self._slowest_s: dict[int, float] = {}
        """Each unit's slowest answer."""
        self._owed_until: dict[int, float] = {}
        """Until when an answer that we did not wait for may come, by unit."""
        self._answered_at = self._still_until = float("-inf")
        self._failure: tuple[float, str] = (float("-inf"), "")
        """When connecting last failed, and why."""

    @asynccontextmanager
    async def join(self, asker: Asker) -> AsyncGenerator["Station"]:
        """Take part, and connect if nobody has; whoever leaves last closes the connection.

        Raises:
            UnreachableError: nobody answers at the address, or not in time.
            RefusedError: a secured machine is not the one that is trusted, or refuses us.
        """
        station = Station(self, asker)
        self._stations.add(station)
        try:
            asked_at = asyncio.get_running_loop().time()
            async with self._turn:
                station.link = await self._connected(asker, asked_at)
            yield station
        finally:
            self._stations.discard(station)
            if not self._stations and self._link is not None:
                self._tells_late_ones = self._link.tells_late_ones
                self._link.close()
                self._link = None

    def is_failing(self, unit: int) -> bool:
        """Whether a unit's last exchange failed, so that it has to wait for its turn."""
        return self._breaker.is_failing(unit)

    async def probe(self, station: "Station", block: Block) -> bytes:
        """An exchange with a failing unit, when its time has come; see `Station.read`."""
        async with self._probe:
            while True:
                rest_s = self._rest_s(station.unit)
                if rest_s <= 0:
                    return await self.exchange(station, block)
                await asyncio.sleep(min(rest_s, LOOK_S))

    async def exchange(self, station: "Station", block: Block) -> bytes:
        """An exchange in turn; see `Station.read`."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        asker = station.asker
        async with self._turn:
            if station.lost:
                raise UnreachableError(asker.machine, station.lost)
            link = self._link
            if link is None or not link.is_open:
                link = await self._connected(asker, asked_at)
            if asker.proves and link is not station.link:
                self._to_be_proved(station, link)
            if asker.pause_s:
                await asyncio.sleep(max(0.0, self._answered_at + asker.pause_s - loop.time()))
            began_at, short_s = loop.time(), self._short_s(asker)
            hurried = asker
            if short_s is not None and self._breaker.failures(asker.unit) % PATIENT_EVERY:
                hurried = replace(asker, timeout_s=short_s)
            try:
                data = await link.exchange(hurried, block)
            except BlockRefusedError:
                self._answered(asker.unit, began_at, loop.time())
                raise
            except MachineError:
                station.lost = "the connection is lost"
                still_s = self._see_to(link)
                now = loop.time()
                if hurried is not asker:
                    self._owed_until[asker.unit] = began_at + asker.timeout_s + still_s
                took_s = now - began_at + still_s
                # A patient probe is rare enough to be charged like the others.
                charged_s = took_s if short_s is None else min(took_s, short_s + still_s)
                self._breaker.failed(
                    asker.unit,
                    took_s=charged_s,
                    cost_s=self._cost_s(asker.unit, charged_s),
                    now=now,
                    alone=self._is_alone(asker.unit),
                )
                raise
            except asyncio.CancelledError:
                station.lost = "the connection is lost"
                self._see_to(link)
                raise
            self._answered(asker.unit, began_at, loop.time())
            return data

    def _to_be_proved(self, station: "Station", link: ModbusLink) -> NoReturn:
        """See to a station that stands on another connection than the one where it was proved."""
        if station.prove is None or station.is_proving:
            station.lost = "the connection was made anew"
            raise UnreachableError(station.machine, station.lost)
        try:
            link.admit(station.asker)
        except RefusedError as error:
            station.lost = error.what
            raise
        station.link = link
        raise _UnprovedError

    async def _connected(self, asker: Asker, asked_at: float) -> ModbusLink:
        """The open connection; a new one where there is none. It is the caller's turn.

        Whoever waited while another one failed to connect has failed too.
        """
        if self._link is not None:
            if self._link.is_open:
                self._link.admit(asker)
                return self._link
            self._see_to(self._link)
        loop = asyncio.get_running_loop()
        failed_at, why = self._failure
        if failed_at >= asked_at:
            raise UnreachableError(asker.machine, why)
        await asyncio.sleep(max(0.0, self._still_until - loop.time()))
        link = ModbusLink(self._place, self._lost, tells_late_ones=self._tells_late_ones)
        try:
            await link.connect(asker)
            link.admit(asker)
        except UnreachableError as error:
            self._failure = loop.time(), error.what
            raise
        except RefusedError:
            link.close()
            raise
        self._link = link
        return link

    def _answered(self, unit: int, began_at: float, now: float) -> None:
        self._answered_at = now
        self._slowest_s[unit] = max(self._slowest_s.get(unit, 0.0), now - began_at)
        self._breaker.answered(unit)

    def _see_to(self, link: ModbusLink) -> float:
        """Forget a connection that is closed; how long the line is to be left still."""
        self._tells_late_ones = link.tells_late_ones
        if link.is_open:
            return 0.0
        if self._link is link:
            self._link = None
        if link.tells_late_ones:
            return 0.0
        still_s = max(self._slowest_s.values(), default=0.0) + STILL_S
        self._still_until = asyncio.get_running_loop().time() + still_s
        return still_s

    def _lost(self) -> None:
        """The other side has ended the connection."""
        for station in self._stations:
            station.lost = station.lost or "the machine closed the connection"

    def _rest_s(self, unit: int) -> float:
        """How long a failing unit has to wait: not at all where it keeps nobody waiting."""
        now = asyncio.get_running_loop().time()
        owed_s = self._owed_until.get(unit, now) - now
        return max(owed_s, 0.0 if self._is_alone(unit) else self._breaker.rest_s(now))

    def _short_s(self, asker: Asker) -> float | None:
        """How long a failing unit is waited for; None for as long as any other.

        A short wait may leave its answer owed, so it is not asked again before that is past.
        """
        if not self._breaker.is_failing(asker.unit) or self._place.framing != "rtu":
            return None
        slowest_s = self._slowest_s.get(asker.unit)
        if slowest_s is None or self._is_alone(asker.unit):
            return None
        return min(asker.timeout_s, max(SHORT_LEAST_S, SLOWER * slowest_s + STILL_S))

    def _cost_s(self, unit: int, took_s: float) -> float:
        """What a wait costs the machine that loses most by it."""
        others = (each for each in self._stations if each.unit != unit and not each.lost)
        return max((lost_s(took_s, each.asker.poll_s) for each in others), default=0.0)

    def _is_alone(self, unit: int) -> bool:
        """Whether no other unit answers, as far as we know."""
        others = {each.unit for each in self._stations if not each.lost} - {unit}
        return all(self._breaker.is_failing(other) for other in others)


class Station:
    """A machine's place on a line; `Line.join` makes one."""

    def __init__(self, line: Line, asker: Asker) -> None:
        self.asker = asker
        self.lost = ""
        """Why it can ask no more; empty as long as it can."""
        self.link: ModbusLink | None = None
        """The connection on which it joined, or showed anew who it is."""
        self.prove: Callable[[], Awaitable[None]] | None = None
        """Shows by reading that it is the machine that is meant, or raises a `MachineError`. None:
        on another connection the place is lost."""
        self.is_proving = False
        self._line = line

    @property
    def machine(self) -> str:
        """Whose place it is."""
        return self.asker.machine

    @property
    def unit(self) -> int:
        """Which unit it asks."""
        return self.asker.unit

    async def read(self, block: Block) -> bytes:
        """The data of one answer, exactly as long as asked for.

        After any failure but a refused block the place is lost: whoever wants to go on joins anew.

        Raises:
            BlockRefusedError: the device says that it has no such registers.
            RefusedError: the device says that it can't answer at all.
            UnreachableError: no answer in time, or the connection is lost.
            GarbledError: the answer is not one to this request.
        """
        while True:
            try:
                if self._line.is_failing(self.asker.unit):
                    return await self._line.probe(self, block)
                return await self._line.exchange(self, block)
            except _UnprovedError:
                await self._prove()

    async def _prove(self) -> None:
        """Show who it is on the connection that others have made anew."""
        assert self.prove is not None
        self.is_proving = True
        try:
            await self.prove()
        except MachineError as error:
            self.lost = self.lost or error.what
            raise
        finally:
            self.is_proving = False


_lines: WeakValueDictionary[tuple[object, Port | Serial], Line] = WeakValueDictionary()


def line_at(place: Port | Serial) -> Line:
    """The line at a place: the same one for everybody, as long as anybody keeps it."""
    key = (asyncio.get_running_loop(), place)
    line = _lines.get(key)
    if line is None:
        line = _lines[key] = Line(place)
    return line
