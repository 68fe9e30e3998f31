"""A Modbus TCP device whose registers a test sets, and whose answers it can spoil."""

import asyncio
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from drivers.blocks import Block

ILLEGAL_ADDRESS = 2


@dataclass(eq=False)
class Device:
    """What the device holds, and how it behaves."""

    registers: dict[int, int] = field(default_factory=dict)
    """By address, the same for functions 3 and 4; reading any other is an illegal address."""
    unit: int = 1
    port: int = 0
    refuse: int | None = None
    """The exception code that every request gets."""
    silent: bool = False
    spoil: Callable[[bytes], bytes] | None = None
    """Makes something else of an answer."""
    before: Callable[[Block], Awaitable[None]] | None = None
    """Called with each request before it is answered."""
    asked: list[Block] = field(default_factory=list)
    """Every request so far."""
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with each request."""
    links: set[asyncio.StreamWriter] = field(default_factory=set)

    def put(self, address: int, *words: int) -> None:
        """Set registers from an address on."""
        for at, word in enumerate(words, address):
            self.registers[at] = word & 0xFFFF

    def put_number(self, address: int, form: str, number: float) -> None:
        """Set a number, high word first; `form` as in `struct`."""
        data = struct.pack(">" + form, number)
        self.put(address, *struct.unpack(f">{len(data) // 2}H", data))

    def drop(self) -> None:
        """End every connection."""
        for writer in self.links:
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it goes away."""
        self.links.add(writer)
        try:
            while True:
                header = await reader.readexactly(7)
                transaction, _, length, unit = struct.unpack(">HHHB", header)
                request = await reader.readexactly(length - 1)
                answer = await self.answer(unit, request)
                if answer is not None:
                    head = struct.pack(">HHHB", transaction, 0, len(answer) + 1, self.unit)
                    whole = head + answer
                    writer.write(self.spoil(whole) if self.spoil else whole)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.links.discard(writer)
            writer.close()

    async def answer(self, unit: int, request: bytes) -> bytes | None:
        """Function and data of the answer to one request; None for silence."""
        function, first, count = struct.unpack(">BHH", request)
        block = Block(function, first, count)
        self.asked.append(block)
        self.heard.set()
        if self.before:
            await self.before(block)
        if self.silent:
            return None
        if self.refuse is not None:
            return bytes((function | 0x80, self.refuse))
        words = [self.registers.get(at) for at in range(first, first + count)]
        known = [word for word in words if word is not None]
        if len(known) < count:
            return bytes((function | 0x80, ILLEGAL_ADDRESS))
        if function in (1, 2):
            return bytes((function, block.size)) + packed(known)
        return bytes((function, block.size)) + struct.pack(f">{count}H", *known)


def packed(bits: Sequence[int]) -> bytes:
    """Bits as functions 1 and 2 send them."""
    number = sum(bool(bit) << at for at, bit in enumerate(bits))
    return number.to_bytes((len(bits) + 7) // 8, "little")


@asynccontextmanager
async def open_device(registers: dict[int, int] | None = None) -> AsyncGenerator[Device]:
    """A device that listens on a free port."""
    device = Device(registers=dict(registers or {}))
    server = await asyncio.start_server(device.serve, "127.0.0.1", 0)
    device.port = server.sockets[0].getsockname()[1]
    try:
        yield device
    finally:
        server.close()
        device.drop()
        await server.wait_closed()
