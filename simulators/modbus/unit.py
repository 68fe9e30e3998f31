"""One Modbus device: what it answers to a request, from its blocks of registers.

Registers are made when a request comes, in one go, so that every answer is consistent in itself
and nothing is spent on registers that nobody reads. Function 3 (holding) and 4 (input) give the
same registers; 2 (discrete inputs) and 1 (coils) give the contacts; 17 and 43/14 say what it is.

Source:
    MODBUS Application Protocol V1.1b3.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from simulators.faults import Active, Faults
from simulators.menu import EXCEPTIONS
from simulators.modbus.registers import Block

READ_BITS, READ_WORDS = (1, 2), (3, 4)
REPORT_ID, ENCAPSULATED = 0x11, 0x2B
DEVICE_IDENTIFICATION = 0x0E
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
TARGET_SILENT = 0x0B
"""What a gateway answers for a unit that is not there."""

MAX_WORDS, MAX_BITS = 125, 2000
REFUSALS: Mapping[str, int] = {f"exception_{code:02x}": code for code in EXCEPTIONS}
"""Faults that refuse every request, with their code."""
ONE_OBJECT = 4
LAST_OBJECTS: Mapping[int, int] = {1: 0x02, 2: 0x06, 3: 0xFF}
"""The last object of each way to read the identification: basic, regular, extended."""
CONFORMITY = 0x83
"""Extended identification, read as a stream or one object at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a device says of itself."""

    product: str
    model: str
    serial: str
    vendor: str = "Sprue Simulated Machines"
    revision: str = "1.4"

    @property
    def objects(self) -> Mapping[int, bytes]:
        """As the objects of function 43/14; the serial number is a private one, 0x80."""
        texts = {
            0x00: self.vendor,
            0x01: self.product,
            0x02: self.revision,
            0x04: self.product,
            0x05: self.model,
            0x06: self.serial,
            0x80: self.serial,
        }
        return {number: text.encode("ascii", "replace")[:32] for number, text in texts.items()}


class Unit:
    """One device on a line.

    Args:
        faults: Of its machine.
        blocks: Its registers.
        identity: What it is.
        contacts: Its discrete inputs.
        max_words: Registers that one request may read.
    """

    def __init__(
        self,
        faults: Faults,
        blocks: Sequence[Block],
        *,
        identity: Identity,
        contacts: Callable[[], Sequence[bool]] = tuple,
        max_words: int = MAX_WORDS,
    ) -> None:
        self.faults = faults
        self.identity = identity
        self.max_words = max_words
        self._blocks = self._live = tuple(blocks)
        self._contacts = self._live_contacts = contacts
        faults.followers.append(self)

    async def fault_changed(self, active: Active, *, on: bool) -> None:
        """Freeze all registers at once, and let them go."""
        if active.name != "frozen_values":
            return
        self._blocks, self._contacts = self._live, self._live_contacts
        if on:
            contacts = tuple(self._contacts())
            self._blocks = tuple(map(_frozen, self._live))
            self._contacts = lambda: contacts

    def answer(self, request: bytes) -> bytes:
        """The answer to one request: function code and data, without the frame."""
        function = request[0]
        for name in self.faults.names:
            if name in REFUSALS:
                return refusal(function, REFUSALS[name])
        if function in READ_WORDS:
            return self._words(request)
        if function in READ_BITS:
            return self._bits(request)
        if function == REPORT_ID:
            said = f"{self.identity.product} {self.identity.serial}".encode("ascii", "replace")
            return bytes((function, len(said) + 1)) + said + b"\xff"  # it runs
        if function == ENCAPSULATED:
            return self._identification(request)
        return refusal(function, ILLEGAL_FUNCTION)

    def _words(self, request: bytes) -> bytes:
        function = request[0]
        if len(request) != 5:
            return refusal(function, ILLEGAL_VALUE)
        first, count = struct.unpack(">HH", request[1:])
        if not 1 <= count <= self.max_words:
            return refusal(function, ILLEGAL_VALUE)
        for block in self._blocks:
            if block.has(first, count):
                data = block.read(first - block.at, count)
                return bytes((function, len(data))) + data
        return refusal(function, ILLEGAL_ADDRESS)

    def _bits(self, request: bytes) -> bytes:
        function = request[0]
        if len(request) != 5:
            return refusal(function, ILLEGAL_VALUE)
        first, count = struct.unpack(">HH", request[1:])
        if not 1 <= count <= MAX_BITS:
            return refusal(function, ILLEGAL_VALUE)
        contacts = self._contacts()
        if first + count > len(contacts):
            return refusal(function, ILLEGAL_ADDRESS)
        packed = bytearray((count + 7) // 8)
        for index, closed in enumerate(contacts[first : first + count]):
            packed[index // 8] |= closed << index % 8
        return bytes((function, len(packed))) + bytes(packed)

    def _identification(self, request: bytes) -> bytes:
        function = request[0]
        if len(request) != 4 or request[1] != DEVICE_IDENTIFICATION:
            return refusal(function, ILLEGAL_FUNCTION)
        _, kind, way, wanted = request
        known = self.identity.objects
        if way == ONE_OBJECT:
            if wanted not in known:
                return refusal(function, ILLEGAL_ADDRESS)
            chosen = {wanted: known[wanted]}
        elif way in LAST_OBJECTS:
            first = wanted if wanted in known else 0
            chosen = {n: text for n, text in known.items() if first <= n <= LAST_OBJECTS[way]}
        else:
            return refusal(function, ILLEGAL_VALUE)
        objects = b"".join(bytes((n, len(text))) + text for n, text in chosen.items())
        return bytes((function, kind, way, CONFORMITY, 0, 0, len(chosen))) + objects


def refusal(function: int, code: int) -> bytes:
    """An answer that says no."""
    return bytes((function | 0x80, code))


def _frozen(block: Block) -> Block:
    image = block.read(0, block.words)
    return Block.of(block.at, block.words, lambda: image)
