"""One connection to a Modbus device: requests go out, checked bytes come back.

The library (pymodbus) frames and matches requests and answers. What it leaves to its user is here:
a limit of our own for connecting, a look at each answer before the library takes it, one request
at a time, and a connection that is closed as soon as an answer is late or odd, because the next
answer might then be another request's. Who waits when the connection ends is told at once. Nothing
is tried again here. The library's names stop at this file.

Source:
    MODBUS Application Protocol V1.1b3; MODBUS Messaging on TCP/IP V1.0b for the header.
"""

import asyncio
import logging
import os
import re
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from drivers.blocks import Block
from drivers.errors import GarbledError, MachineError, RefusedError, UnreachableError

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


class BlockRefusedError(Exception):
    """The device will not answer this block; it may well answer a part of it."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code} ({EXCEPTIONS[code]})")


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
    """A device we are connected to; `open_link` makes one.

    Args:
        machine: For errors.
        unit: Modbus unit id.
        timeout_s: How long one answer may take.
        pause_s: Rest between an answer and the next request.
    """

    def __init__(
        self, machine: str, host: str, port: int, *, unit: int, timeout_s: float, pause_s: float
    ) -> None:
        self.machine = machine
        self._unit = unit
        self._timeout_s = timeout_s
        self._pause_s = pause_s
        self._client = AsyncModbusTcpClient(
            host,
            port=port,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._look,
            trace_connect=self._connected,
        )
        for answer in (_Coils, _DiscreteInputs, _HoldingRegisters, _InputRegisters):
            self._client.register(answer)
        self._lock = asyncio.Lock()
        self._requests: dict[Block, ModbusPDU] = {}
        self._asked: tuple[ModbusPDU, int] | None = None
        """The request that waits for its answer, and how many bytes that must have."""
        self._answered_at = float("-inf")

    async def connect(self, within_s: float) -> None:
        """Connect, once.

        Raises:
            UnreachableError: nobody answers at the address, or not in time.
        """
        where = f"{self._client.comm_params.host}:{self._client.comm_params.port}"
        try:
            async with asyncio.timeout(within_s):
                # The client's own `connect` swallows the reason, and has `timeout_s` for a limit.
                await self._client.ctx.call_create()
        except TimeoutError as error:
            what = f"no connection with {where} within {within_s:g} s"
            raise UnreachableError(self.machine, what) from error
        except OSError as error:
            what = f"can't connect to {where}: {_reason(error)}"
            raise UnreachableError(self.machine, what) from error

    def close(self) -> None:
        """Close the connection; whoever waits for an answer is told that it is lost."""
        self._give_up(UnreachableError(self.machine, "the connection was closed"))
        self._client.close()

    async def read(self, block: Block) -> bytes:
        """The data of one answer, exactly as long as asked for.

        However it fails, the connection is closed, unless the device merely refused the block.

        Raises:
            BlockRefusedError: the device says that it has no such registers.
            RefusedError: the device says that it can't answer at all.
            UnreachableError: no answer in time, or the connection is lost.
            GarbledError: the answer is not one to this request.
        """
        async with self._lock:
            if self._pause_s:
                await self._rest()
            request = self._requests.get(block)
            if request is None:
                request = REQUESTS[block.function](
                    address=block.first, count=block.length, dev_id=self._unit
                )
                self._requests[block] = request
            answer = await self._exchange(request, block.size)
        if isinstance(answer, _Answer):
            return answer.data
        raise self._refusal(answer.exception_code)

    async def _exchange(self, request: ModbusPDU, size: int) -> ModbusPDU:
        self._asked = request, size
        answer: ModbusPDU | None = None
        try:
            answer = await self._client.execute(False, request)
            return answer
        except ConnectionException as error:
            raise UnreachableError(self.machine, "the connection is lost") from error
        except ModbusException as error:
            late = f"no answer within {self._timeout_s:g} s"
            raise UnreachableError(self.machine, late) from error
        finally:
            self._asked = None
            if answer is None:
                self._client.close()

    async def _rest(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._answered_at + self._pause_s - loop.time()))

    def _connected(self, connected: bool) -> None:
        if not connected:
            self._give_up(UnreachableError(self.machine, "the machine closed the connection"))

    def _give_up(self, fault: MachineError) -> None:
        """End the waiting for an answer now, with this as the reason."""
        waiting = self._client.ctx.response_future
        if self._asked is not None and not waiting.done():
            waiting.set_exception(fault)

    def _look(self, sending: bool, data: bytes) -> bytes:
        """See every packet before the library does; what is not the answer never gets there."""
        if sending:
            return data
        if self._asked is None:
            return b""
        request, size = self._asked
        fault = fault_of(data, request.transaction_id, self._unit, request.function_code, size)
        if fault:
            self._give_up(GarbledError(self.machine, fault))
            return b""
        self._answered_at = asyncio.get_running_loop().time()
        return data

    def _refusal(self, code: int) -> Exception:
        said = f"exception {code} ({EXCEPTIONS.get(code, 'unknown')})"
        if code in ABOUT_THE_BLOCK:
            return BlockRefusedError(code)
        if code in BEHIND_A_GATEWAY:
            what = f"the gateway can't reach unit {self._unit}: it answered {said}"
            return UnreachableError(self.machine, what)
        if code in FOR_NOW:
            return UnreachableError(self.machine, f"the device is not ready: it answered {said}")
        return RefusedError(self.machine, f"the device answered {said}")


HEADER = 7
"""Bytes of transaction, protocol, length and unit, before the function."""


def fault_of(data: bytes, transaction: int, unit: int, function: int, size: int) -> str | None:
    """What is wrong with an answer, for a person; None where nothing is, or more has to come.

    Args:
        data: What has arrived.
        transaction: Of the request. An answer to another one is left to the library, which skips
            it; 0 is accepted, since some gateways always say 0.
        unit: That was asked.
        function: That was asked for.
        size: Bytes of data that the answer must have.

    >>> fault_of(bytes.fromhex("0001 0000 0005 01 03 02 002a"), 1, 1, 3, 2)
    >>> fault_of(bytes.fromhex("0001 0000 0003 01 83 02"), 1, 1, 3, 2)
    >>> fault_of(bytes.fromhex("0001 0000 0005 01 03 02 002a"), 1, 1, 3, 8)
    'the answer has 2 bytes of data, and 8 were asked for'
    >>> fault_of(bytes.fromhex("0001 0000 0005 01 04 02 002a"), 1, 1, 3, 2)
    'the answer is one to function 4, and 3 was asked for'
    >>> fault_of(b"HTTP/1.1 400 Bad Request", 1, 1, 3, 2)
    "the answer is not Modbus TCP: b'HTTP/1.1 400 Ba'..."
    """
    if data[2:4].strip(b"\0"):
        return f"the answer is not Modbus TCP: {data[:15]!r}{'...' if len(data) > 15 else ''}"
    if len(data) < HEADER + 2:
        return None
    if int.from_bytes(data[:2], "big") not in (0, transaction):
        return None
    if unit and data[6] != unit:
        return f"unit {data[6]} answered, and unit {unit} was asked"
    if data[HEADER] & 0x7F != function:
        return f"the answer is one to function {data[HEADER] & 0x7F}, and {function} was asked for"
    length = int.from_bytes(data[4:6], "big")
    if data[HEADER] & 0x80:
        return None if length == 3 else f"an exception of {length} bytes, and 3 are right"
    if data[HEADER + 1] != size:
        return f"the answer has {data[HEADER + 1]} bytes of data, and {size} were asked for"
    return None if length == size + 3 else f"the answer's length is {length}, and {size + 3} right"


def _reason(error: OSError) -> str:
    """Why a connection failed, in the system's words, without addresses and numbers."""
    if isinstance(error, socket.gaierror):
        return "no such host"
    number = re.search(r"\[Errno (\d+)\]", str(error))
    return os.strerror(int(number[1])).lower() if number else str(error)


@asynccontextmanager
async def open_link(
    machine: str,
    host: str,
    port: int,
    *,
    unit: int,
    timeout_s: float,
    connect_timeout_s: float,
    pause_s: float,
) -> AsyncGenerator[ModbusLink]:
    """Connect, hand out the link, and close it whatever happens.

    Raises:
        UnreachableError: nobody answers at the address, or not in time.
    """
    link = ModbusLink(machine, host, port, unit=unit, timeout_s=timeout_s, pause_s=pause_s)
    try:
        await link.connect(connect_timeout_s)
        yield link
    finally:
        link.close()
