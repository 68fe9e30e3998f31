"""One connection to a Modbus device or gateway: requests go out, checked bytes come back.

The library (pymodbus) frames and matches requests and answers. What it leaves to its user is here:
a limit of our own for connecting, a look at each answer before the library takes it, and a
connection that is closed as soon as an answer may be another request's. Who waits when the
connection ends is told at once. Nothing is tried again here. The library's names stop at this file,
`modbusframe` and `modbusprobe`.

Source:
    MODBUS Application Protocol V1.1b3.
"""

import asyncio
import logging
import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from cryptography import x509
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from drivers.blocks import Block
from drivers.errors import GarbledError, MachineError, RefusedError, UnreachableError
from drivers.modbusframe import Asked, rtu_fault, tcp_fault
from drivers.modbusplace import Port, Serial
from drivers.modbustls import Tls, admit
from drivers.modbustls import connect as connect_tls

logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # what it would say, we raise

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, not ready",
    6: "busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}
ABOUT_THE_BLOCK = (1, 2, 3)
"""Exceptions that blame what was asked, so that asking for less may help."""
BEHIND_A_GATEWAY = (10, 11)
FOR_NOW = (5, 6)

REQUESTS = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
FRAMERS = {"tcp": FramerType.SOCKET, "rtu": FramerType.RTU}
NO_ID = b"\0\0"
"""How the answers of a gateway begin that returns no transaction ids."""
CLOSED = "the machine closed the connection"
SILENCES = 2
"""Answers in a row that may be late, where late ones can be told, before nobody is there."""


UNSETTABLE: type[Exception]
"""What a serial port raises that does not take its speed or parity."""
try:
    import termios
except ImportError:
    UNSETTABLE = OSError  # Windows, where it is one
else:
    UNSETTABLE = termios.error


class BlockRefusedError(Exception):
    """The device will not answer this block; it may well answer a part of it."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code} ({EXCEPTIONS[code]})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks which unit, and how patiently."""

    machine: str
    """For errors."""
    unit: int
    timeout_s: float
    """How long one answer may take."""
    connect_timeout_s: float
    poll_s: float = 0.0
    """How often it asks; 0 where that is not known."""
    pause_s: float = 0.0
    """Rest between the last answer and the next request."""
    proves: bool = False
    """Whether it shows who it is on each connection, before anything else is read there."""
    tls: Tls | None = None
    """What a secured connection rests on; with it, a machine proves who it is by that, too."""


class _Answer(ModbusPDU):
    """An answer whose data is kept as it came."""

    rtu_byte_count_pos = 2
    data = b""

    def decode(self, data: bytes) -> None:
        """Keep the data, without the byte count."""
        self.data = data[1:]

    def __str__(self) -> str:
        """Short: the library makes this for a debug line that is never written."""
        return "answer"


class _Coils(_Answer):
    function_code = 1


class _DiscreteInputs(_Answer):
    function_code = 2


class _HoldingRegisters(_Answer):
    function_code = 3


class _InputRegisters(_Answer):
    function_code = 4


class ModbusLink:
    """A connection, good for one request at a time; once closed, it stays so.

    Args:
        place: Where it leads.
        lost: Called when the other side ends the connection.
        tells_late_ones: Whether a late answer can be told from the one that is waited for: by its
            transaction id, so never in RTU frames.
    """

    def __init__(
        self,
        place: Port | Serial,
        lost: Callable[[], None],
        *,
        tells_late_ones: bool,
    ) -> None:
        self.tells_late_ones = tells_late_ones
        """No longer once an answer has come without an id."""
        self._place = place
        self._lost = lost
        self._client = self._made(place)
        for answer in (_Coils, _DiscreteInputs, _HoldingRegisters, _InputRegisters):
            self._client.register(answer)
        self._requests: dict[tuple[int, Block], ModbusPDU] = {}
        """Made already, by unit."""
        self._waiting: tuple[Asker, ModbusPDU, int] | None = None
        """Who waits for the answer to what, and how many bytes of data that must have."""
        self._silences = 0
        self._owed = False
        self._ended: tuple[str, type[MachineError]] | None = None
        """Why, and how it is to be told, where TLS said it."""
        self._has_answered = False
        self._certificate: x509.Certificate | None = None
        """What the machine showed, where the connection is secured."""

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return self._client.ctx.transport is not None

    async def connect(self, asker: Asker) -> None:
        """Connect, once.

        Raises:
            UnreachableError: nobody answers at the address, or not in time.
        """
        within_s = asker.connect_timeout_s
        try:
            async with asyncio.timeout(within_s):
                await self._open(asker)
        except TimeoutError as error:
            what = f"no connection with {self._place} within {within_s:g} s"
            raise UnreachableError(asker.machine, what) from error
        except OSError as error:
            what = f"can't connect to {self._place}: {_reason(error)}"
            raise UnreachableError(asker.machine, what) from error
        except UNSETTABLE as error:
            what = f"{self._place} can't be set to the speed, parity and stop bits that are given"
            raise UnreachableError(asker.machine, what) from error

    async def _open(self, asker: Asker) -> None:
        ctx = self._client.ctx
        if asker.tls is not None and isinstance(self._place, Port):
            protocol = cast(asyncio.Protocol, ctx)
            where = asker.tls, self._place, protocol, self._ended_by
            self._certificate = await connect_tls(asker.machine, *where)
            return
        # The client's own `connect` swallows the reason, and its limit is the answer's.
        ctx.transport, _ = await ctx.call_create()
        await asyncio.sleep(0)  # in which a serial port begins to be read

    def admit(self, asker: Asker) -> None:
        """Let a machine be asked over this connection only if it is the one that is trusted.

        Raises:
            RefusedError: its certificate is not trusted, has changed or expired.
        """
        if asker.tls is not None and self._certificate is not None:
            admit(asker.machine, asker.tls, self._certificate)

    def close(self) -> None:
        """Close the connection; whoever waits for an answer is told that it is lost."""
        self._give_up("the connection was closed")
        self._client.close()

    async def exchange(self, asker: Asker, block: Block) -> bytes:
        """The data of one answer, exactly as long as asked for.

        The connection is closed if a later answer could no longer be trusted: at once, or where
        late answers can be told, at the second silence in a row.

        Raises:
            BlockRefusedError: the device says that it has no such registers.
            RefusedError: the device says that it can't answer at all.
            UnreachableError: no answer in time, or the connection is lost.
            GarbledError: the answer is not one to this request.
        """
        request = self._request(asker.unit, block)
        self._waiting = asker, request, block.size
        self._client.ctx.comm_params.timeout_connect = asker.timeout_s  # the answer's limit, too
        late = keep = False
        try:
            answer = await self._client.execute(False, request)
            keep = self._has_answered = True
        except ConnectionException as error:
            raise UnreachableError(asker.machine, "the connection is lost") from error
        except ModbusException as error:
            late = True
            what = f"no answer within {asker.timeout_s:g} s"
            raise UnreachableError(asker.machine, what) from error
        finally:
            self._waiting = None
            self._silences = self._silences + 1 if late else 0
            if late and self.tells_late_ones and self._silences < SILENCES:
                self._owed = True
            elif not keep:
                self._client.close()
        if isinstance(answer, _Answer):
            return answer.data
        raise _refusal(asker, answer.exception_code)

    def _made(self, place: Port | Serial) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
        if isinstance(place, Serial):
            return AsyncModbusSerialClient(
                place.device,
                framer=FRAMERS[place.framing],
                baudrate=place.baud,
                parity=place.parity,
                stopbits=place.stop_bits,
                retries=0,
                reconnect_delay=0,
                trace_packet=self._look,
                trace_connect=self._connected,
            )
        return AsyncModbusTcpClient(
            place.host,
            port=place.port,
            framer=FRAMERS[place.framing],
            retries=0,
            reconnect_delay=0,
            trace_packet=self._look,
            trace_connect=self._connected,
        )

    def _request(self, unit: int, block: Block) -> ModbusPDU:
        request = self._requests.get((unit, block))
        if request is None:
            request = REQUESTS[block.function](address=block.first, count=block.length, dev_id=unit)
            self._requests[unit, block] = request
        return request

    def _connected(self, connected: bool) -> None:
        if not connected:
            self._give_up(*(self._ended or (self._closed(), UnreachableError)))
            self._lost()

    def _closed(self) -> str:
        """What can be said of a connection that ended without a word."""
        if self._has_answered or self._waiting is None or not isinstance(self._place, Port):
            return CLOSED
        if self._certificate is not None:
            return f"{CLOSED} at the first request; it may not trust our certificate"
        return f"{CLOSED} at the first request; a port for TLS does that (key 'tls')"

    def _ended_by(self, why: str) -> None:
        """The machine has said why it is about to end the connection."""
        self._ended = why, RefusedError

    def _give_up(self, why: str, error: type[MachineError] = UnreachableError) -> None:
        """End the waiting for an answer now."""
        answer = self._client.ctx.response_future
        if self._waiting is not None and not answer.done():
            answer.set_exception(error(self._waiting[0].machine, why))

    def _look(self, sending: bool, data: bytes) -> bytes:
        """See every packet before the library does; what is not the answer never gets there."""
        if sending:
            return data
        if self._waiting is None or self._client.ctx.response_future.done():
            if not self.tells_late_ones:
                self._client.close()  # something is late, and would be taken for the next answer
            return b""
        _, request, size = self._waiting
        asked = Asked(request.transaction_id, request.dev_id, request.function_code, size)
        if self._place.framing == "rtu":
            fault = rtu_fault(data, asked)
        else:
            fault = tcp_fault(data, asked, owed=self._owed)
            if data[:2] == NO_ID:
                self.tells_late_ones = False
        if fault:
            self._give_up(fault, GarbledError)
            return b""
        return data


def _refusal(asker: Asker, code: int) -> Exception:
    said = f"exception {code} ({EXCEPTIONS.get(code, 'unknown')})"
    if code in ABOUT_THE_BLOCK:
        return BlockRefusedError(code)
    if code in BEHIND_A_GATEWAY:
        what = f"the gateway can't reach unit {asker.unit}: it answered {said}"
        return UnreachableError(asker.machine, what)
    if code in FOR_NOW:
        return UnreachableError(asker.machine, f"the device is not ready: it answered {said}")
    return RefusedError(asker.machine, f"the device answered {said}")


def _reason(error: OSError) -> str:
    """Why a connection failed, in the system's words, without addresses and numbers."""
    if isinstance(error, socket.gaierror):
        return "no such host"
    number = re.search(r"\[Errno (\d+)\]", str(error))
    return os.strerror(int(number[1])).lower() if number else str(error)
