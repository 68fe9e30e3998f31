"""What a Modbus device offers, found by asking gently: small blocks, one request at a time.

Only reading functions are used. Where a device refuses a range it is not asked for more of it, and
where a unit does not answer it is not asked again. A connection on which an answer did not come is
not trusted with another question; in RTU frames, which do not say whose answer they are, what may
come late is let pass before the next one is opened.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from drivers.errors import GarbledError, UnreachableError
from drivers.modbuslink import FRAMERS, UNSETTABLE
from drivers.modbusplace import Port, Serial

BLOCK = 16
"""Registers in one request."""
PAUSE_S = 0.02
"""Between two requests."""
STARTS = (0, 100, 200, 300, 400, 500, *range(1000, 6000, 1000), 8000, *range(10000, 50000, 10000))
"""Where makers begin their tables."""
MOST = 512
"""Registers read from one start on."""
USUAL = tuple(range(start, start + MOST) for start in STARTS)
NOT_THERE = (10, 11)
"""What a gateway answers for a unit that is not there."""
WORDS = (3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Registers that can be read, one after the other."""

    function: int
    first: int
    before: tuple[int, ...]
    """What they showed."""
    after: tuple[int, ...]
    """And a little later."""

    def moves(self, at: int) -> bool:
        """Whether the register at an address has changed meanwhile."""
        return self.before[at - self.first] != self.after[at - self.first]


@dataclass(slots=True, kw_only=True)
class FoundUnit:
    """A unit that answers."""

    unit: int
    says: list[str] = field(default_factory=list)
    """What it says of itself, if anything."""
    stretches: list[Stretch] = field(default_factory=list)


class Probe:
    """A connection to ask on; `open_probe` makes one."""

    def __init__(self, machine: str, place: Port | Serial, timeout_s: float) -> None:
        self.machine = machine
        self._place = place
        self._pause_s = max(PAUSE_S, place.silence_s)
        self._late_s = timeout_s if place.framing == "rtu" else 0.0
        self._is_silent = False
        self._client = _client(place, timeout_s)

    async def connect(self) -> None:
        """Connect.

        Raises:
            UnreachableError: nobody answers.
        """
        try:
            is_there = await self._client.connect()
        except UNSETTABLE as error:
            what = f"{self._place} does not take that speed or parity: {error}"
            raise UnreachableError(self.machine, what) from error
        if not is_there:
            what = "can't be opened" if isinstance(self._place, Serial) else ""
            what = f"{self._place} {what}" if what else f"nobody answers at {self._place}"
            raise UnreachableError(self.machine, what)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    async def is_there(self, unit: int) -> bool:
        """Whether a unit answers, be it that it refuses."""
        answer = await self._ask(
            lambda: self._client.read_holding_registers(0, count=1, device_id=unit)
        )
        return answer is not None and getattr(answer, "exception_code", 0) not in NOT_THERE

    async def identification(self, unit: int) -> list[str]:
        """What a unit says of itself by functions 43/14 and 17; empty where it does not."""
        says = []
        told = await self._ask(lambda: self._client.read_device_information(device_id=unit))
        if told is not None and not told.isError():
            texts = [_text(found) for found in told.information.values()]
            says.append(", ".join(filter(None, texts)))
        told = await self._ask(lambda: self._client.report_device_id(device_id=unit))
        if told is not None and not told.isError():
            says.append(_text(told.identifier))
        return [word for word in says if word]

    async def stretches(
        self, unit: int, ranges: Sequence[range], progress: Callable[[], None]
    ) -> list[tuple[int, int, list[int]]]:
        """Function, first address and words of what can be read from the start of each range.

        Raises:
            UnreachableError: the connection is lost and not to be had again.
        """
        found: list[tuple[int, int, list[int]]] = []
        for function in WORDS:
            known = -1
            for each in ranges:
                if each.start <= known:
                    continue
                words = await self._run(unit, function, each.start, len(each))
                if words:
                    found.append((function, each.start, words))
                    known = each.start + len(words) - 1
                progress()
        return found

    async def words(self, unit: int, function: int, first: int, count: int) -> list[int] | None:
        """Some registers; None where they are refused or do not come."""
        read = (
            self._client.read_holding_registers
            if function == WORDS[0]
            else self._client.read_input_registers
        )
        answer = await self._ask(lambda: read(first, count=count, device_id=unit))
        if answer is None or answer.isError() or len(answer.registers) != count:
            return None
        return list(answer.registers)

    async def again(self, unit: int, function: int, first: int, count: int) -> list[int] | None:
        """A whole stretch, read once more in small blocks."""
        words: list[int] = []
        while len(words) < count:
            size = min(BLOCK, count - len(words))
            found = await self.words(unit, function, first + len(words), size)
            if found is None:
                return None
            words += found
        return words

    async def _run(self, unit: int, function: int, start: int, most: int) -> list[int]:
        """Words from a start on, up to the first that is refused."""
        words: list[int] = []
        size = BLOCK
        while size and len(words) < most:
            size = min(size, most - len(words), 65536 - start - len(words))
            found = await self.words(unit, function, start + len(words), size) if size else None
            if found is not None:
                words += found
            elif self._is_silent:
                break
            else:
                size //= 2
        return words

    async def _ask(self, request: Callable[[], Awaitable[Any]]) -> Any:
        """One answer; None where none came, or one that can't be understood."""
        await asyncio.sleep(self._pause_s)
        try:
            answer = await request()
        except (ModbusException, ValueError, LookupError):
            self._client.close()
            await asyncio.sleep(self._late_s)
            await self.connect()
            self._is_silent = True
            return None
        self._is_silent = False
        return answer


def _client(
    place: Port | Serial, timeout_s: float
) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
    if isinstance(place, Port):
        return AsyncModbusTcpClient(
            place.host,
            port=place.port,
            framer=FRAMERS[place.framing],
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
        )
    return AsyncModbusSerialClient(
        place.device,
        framer=FRAMERS[place.framing],
        baudrate=place.baud,
        parity=place.parity,
        stopbits=place.stop_bits,
        timeout=timeout_s,
        retries=0,
        reconnect_delay=0,
    )


@asynccontextmanager
async def open_probe(machine: str, place: Port | Serial, timeout_s: float) -> AsyncGenerator[Probe]:
    """Connect, hand out the probe, and close whatever happens.

    Args:
        machine: For errors.
        place: Where the line is.
        timeout_s: How long one answer may take.

    Raises:
        UnreachableError: nobody answers at the address, or the serial port can't be opened.
    """
    probe = Probe(machine, place, timeout_s)
    try:
        await probe.connect()
        yield probe
    finally:
        probe.close()


async def look(
    probe: Probe,
    units: Sequence[int],
    ranges: Sequence[range],
    wait_s: float,
    progress: Callable[[], None],
) -> list[FoundUnit]:
    """Find the units that answer, and what can be read of them.

    Args:
        probe: The connection.
        units: Unit ids to try.
        ranges: Where to begin to look, and where to end at the latest.
        wait_s: Between the two readings that tell what moves.
        progress: Called at every step.

    Raises:
        UnreachableError: the connection is lost and not to be had again.
        GarbledError: no unit answers at all.
    """
    found = []
    for unit in units:
        progress()
        if await probe.is_there(unit):
            found.append(FoundUnit(unit=unit, says=await probe.identification(unit)))
    if not found:
        tried = ", ".join(map(str, units))
        what = f"it takes the connection, but no unit of {tried} answers"
        raise GarbledError(probe.machine, what)
    for each in found:
        first = await probe.stretches(each.unit, ranges, progress)
        await asyncio.sleep(wait_s)
        for function, at, words in first:
            later = await probe.again(each.unit, function, at, len(words))
            stretch = Stretch(
                function=function, first=at, before=tuple(words), after=tuple(later or words)
            )
            each.stretches.append(stretch)
    return found


def _text(found: object) -> str:
    """Text of a device's own, in one line; function 17 may begin with numbers."""
    if isinstance(found, list):
        return ", ".join(filter(None, map(_text, found)))
    text = found.decode("ascii", "replace") if isinstance(found, bytes) else str(found)
    return "".join(each for each in text if each.isprintable() and each != "\ufffd").strip()
