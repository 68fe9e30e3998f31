"""A press behind a retrofit PLC: a Modbus TCP server with one block of live and one of last values.

The registers are made from the press when a request comes, in one go, so that every answer is
consistent in itself and nothing is spent on registers that nobody reads. Function 3 (holding) and 4
(input) give the same registers; 2 (discrete inputs) and 1 (coils) give a few contacts.

Source:
    MODBUS Application Protocol V1.1b3; MODBUS Messaging on TCP/IP V1.0b for the MBAP header.
"""

import asyncio
import struct
from collections.abc import Callable, Sequence
from typing import cast

from simulators.modes import MOLDING, Phase
from simulators.press import Press

FUNCTIONS_BITS, FUNCTIONS_WORDS = (1, 2), (3, 4)
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
TARGET_SILENT = 0x0B
"""What a gateway answers for a unit that is not there."""

MAX_WORDS, MAX_BITS = 125, 2000
LIVE_AT, LIVE_WORDS = 0, 36
LAST_AT, LAST_WORDS = 100, 25
CONTACTS = 8
TEXT_WORDS = 8
NO_SENSOR = -0x8000
HEADER = struct.Struct(">HHHB")

LAST_CYCLE: tuple[tuple[str, float, str], ...] = (
    ("cycle_time_s", 0.01, "H"),
    ("cooling_time_s", 0.01, "H"),
    ("fill_time_s", 0.001, "H"),
    ("hold_time_s", 0.01, "H"),
    ("recovery_time_s", 0.01, "H"),
    ("mold_open_time_s", 0.01, "H"),
    ("mold_close_time_s", 0.01, "H"),
    ("ejection_time_s", 0.01, "H"),
    ("pause_time_s", 0.01, "H"),
    ("injection_pressure_peak_bar", 0.1, "H"),
    ("transfer_pressure_bar", 0.1, "H"),
    ("hold_pressure_bar", 0.1, "H"),
    ("back_pressure_bar", 0.1, "H"),
    ("cushion_mm", 0.01, "h"),
    ("clamp_force_kn", 1, "H"),
    ("cavity_pressure_peak_bar", 0.1, "H"),
    ("transfer_position_mm", 0.01, "H"),
    ("shot_volume_cm3", 0.01, "H"),
    ("cooling_time_set_s", 0.01, "H"),
    ("mold_temp_set_c", 0.1, "h"),
)
"""Signal, units per count and type of the registers from 100 on."""


class ModbusFace:
    """Publishes one press on one TCP port."""

    def __init__(
        self, press: Press, *, host: str = "127.0.0.1", port: int = 0, unit: int = 1
    ) -> None:
        self.press = press
        self.host = host
        self.port = port
        """0 until it has started, if it was not given."""
        self.unit = unit
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Transport] = set()

    @property
    def address(self) -> str:
        """Where it listens, for a person."""
        return f"modbus://{self.host}:{self.port}?unit={self.unit}"

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._link, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop every link; the press molds on."""
        if self._server is None:
            return
        self._server.close()
        for link in tuple(self._links):
            link.abort()
        await self._server.wait_closed()
        self._server = None

    async def tick(self) -> None:
        """Nothing to do: requests compute their answer."""

    def _link(self) -> "_Link":
        return _Link(self.answer, self._links)

    def answer(self, unit: int, request: bytes) -> bytes:
        """The answer to one request, function code and data, without the header."""
        function = request[0]
        if unit != self.unit:
            return _refusal(function, TARGET_SILENT)
        if function not in FUNCTIONS_BITS + FUNCTIONS_WORDS:
            return _refusal(function, ILLEGAL_FUNCTION)
        if len(request) != 5:
            return _refusal(function, ILLEGAL_VALUE)
        first, count = struct.unpack(">HH", request[1:])
        if function in FUNCTIONS_BITS:
            return self._bits(function, first, count)
        if not 1 <= count <= MAX_WORDS:
            return _refusal(function, ILLEGAL_VALUE)
        data = self._words(first, count)
        if data is None:
            return _refusal(function, ILLEGAL_ADDRESS)
        return bytes((function, len(data))) + data

    def _words(self, first: int, count: int) -> bytes | None:
        for at, words, image in (
            (LIVE_AT, LIVE_WORDS, live_image),
            (LAST_AT, LAST_WORDS, last_image),
        ):
            if at <= first and first + count <= at + words:
                return image(self.press)[2 * (first - at) : 2 * (first - at + count)]
        return None

    def _bits(self, function: int, first: int, count: int) -> bytes:
        if not 1 <= count <= MAX_BITS:
            return _refusal(function, ILLEGAL_VALUE)
        contacts = _contacts(self.press)
        if first + count > len(contacts):
            return _refusal(function, ILLEGAL_ADDRESS)
        packed = bytearray((count + 7) // 8)
        for index, closed in enumerate(contacts[first : first + count]):
            packed[index // 8] |= closed << index % 8
        return bytes((function, len(packed))) + bytes(packed)


def live_image(press: Press) -> bytes:
    """Registers 0 to 35 as they stand now."""
    live, levels = press.live, press.levels
    tenths = [
        _count(levels.get(name), 0.1, signed=signed)
        for name, signed in (
            ("mold_temp_c", True),
            ("coolant_in_c", True),
            ("coolant_out_c", True),
            ("coolant_flow_l_min", False),
            ("barrel_zone_1_c", True),
            ("barrel_zone_2_c", True),
            ("barrel_zone_3_c", True),
            ("barrel_zone_4_c", True),
            ("melt_temp_c", True),
        )
    ]
    return (
        struct.pack(">IHHH", press.counter & 0xFFFFFFFF, press.phase, press.mode, press.status)
        + _swapped_float(live.injection_pressure_bar)
        + _swapped_float(live.cavity_pressure_bar)
        + struct.pack(">h", _count(live.screw_position_mm, 0.01))
        + struct.pack(">hhhHhhhhhxx", *tenths)
        + _text(press.mold_shown.id)
        + _text(press.job.name)
    )


def last_image(press: Press) -> bytes:
    """Registers 100 to 124: the last closing; zeros before the first."""
    shot = press.last
    if shot is None:
        return bytes(2 * LAST_WORDS)
    numbers = b"".join(
        struct.pack(">" + kind, _count(shot.values[name], step, signed=kind == "h"))
        for name, step, kind in LAST_CYCLE
    )
    dry = shot.closing == "dry"
    return numbers + struct.pack(">HHHxxxx", dry, shot.parts_good, shot.parts_bad)


def _contacts(press: Press) -> Sequence[bool]:
    """Discrete inputs: mold closed, injecting, ejector out, automatic; the rest is open."""
    shut = press.phase in (Phase.FILL, Phase.HOLD, Phase.COOL)
    wired = (
        shut,
        press.phase in (Phase.FILL, Phase.HOLD),
        press.phase is Phase.EJECT,
        press.mode in MOLDING,
    )
    return wired + (False,) * (CONTACTS - len(wired))


def _count(value: float | None, step: float, *, signed: bool = True) -> int:
    """The register's number, held at the ends of its range as a PLC does."""
    if value is None:
        return NO_SENSOR if signed else 0xFFFF
    low, high = (-0x7FFF, 0x7FFF) if signed else (0, 0xFFFF)
    return min(high, max(low, round(value / step)))


def _swapped_float(value: float) -> bytes:
    """Low word first (CDAB).

    >>> _swapped_float(21.5).hex()
    '000041ac'
    """
    high_first = struct.pack(">f", value)
    return high_first[2:] + high_first[:2]


def _text(text: str) -> bytes:
    return text.encode("ascii", "replace")[: 2 * TEXT_WORDS].ljust(2 * TEXT_WORDS, b"\0")


def _refusal(function: int, code: int) -> bytes:
    return bytes((function | 0x80, code))


class _Link(asyncio.Protocol):
    """One client's connection: cuts the stream into requests."""

    def __init__(
        self, answer: Callable[[int, bytes], bytes], links: set[asyncio.Transport]
    ) -> None:
        self._answer = answer
        self._links = links
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._links.add(self._transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._transport is not None:
            self._links.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            transaction, protocol, length, unit = HEADER.unpack_from(self._buffer)
            if protocol != 0 or not 2 <= length <= 254:
                self._drop()
                return
            end = HEADER.size - 1 + length
            if len(self._buffer) < end:
                return
            request, self._buffer = self._buffer[HEADER.size : end], self._buffer[end:]
            answer = self._answer(unit, request)
            if self._transport is not None:
                header = HEADER.pack(transaction, 0, len(answer) + 1, unit)
                self._transport.write(header + answer)

    def _drop(self) -> None:
        """What is no Modbus request ends the link: there is no way to find the next one."""
        if self._transport is not None:
            self._transport.abort()
