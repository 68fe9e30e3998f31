"""How requests are cut out of a stream of bytes, and how answers are framed: as TCP or RTU has it.

Source:
    MODBUS Messaging on TCP/IP V1.0b for the header; MODBUS over Serial Line V1.02 for RTU frames,
    which RTU-over-TCP carries as they are.
"""

import struct
from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

FramingName = Literal["tcp", "rtu"]

HEADER = struct.Struct(">HHHB")
LONGEST_FRAME = 256
SHORTEST_FRAME = 4
REQUEST_SIZES: Mapping[int, int] = {
    **dict.fromkeys((0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x08), 8),
    **dict.fromkeys((0x07, 0x0B, 0x0C, 0x11), 4),
    0x16: 10,
    0x18: 6,
    0x2B: 7,
}
"""Bytes of an RTU request, by its function."""
COUNTED_REQUESTS: Mapping[int, int] = {0x0F: 6, 0x10: 6, 0x14: 2, 0x15: 2, 0x17: 10}
"""By function: where in an RTU request the count of the bytes that follow is."""


class NotModbusError(Exception):
    """What came in is no Modbus, and there is no way to find the next request."""


class Request(NamedTuple):
    """One request, without its frame."""

    transaction: int
    """0 in RTU frames, which have none."""
    unit: int
    pdu: bytes
    """Function code and data."""


class Framing(Protocol):
    """One way to frame."""

    def first(self, stream: bytes) -> tuple[Request | None, int]:
        """The first request, if it is complete, and how many bytes are done with.

        Raises:
            NotModbusError: the stream is none.
        """

    def frame(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """An answer as it goes out."""


class TcpFraming:
    """A header with transaction id and length."""

    def first(self, stream: bytes) -> tuple[Request | None, int]:
        """The first request, if it is complete, and how many bytes are done with."""
        if len(stream) < HEADER.size:
            return None, 0
        transaction, protocol, length, unit = HEADER.unpack_from(stream)
        if protocol != 0 or not 2 <= length <= 254:
            raise NotModbusError
        end = HEADER.size - 1 + length
        if len(stream) < end:
            return None, 0
        return Request(transaction, unit, stream[HEADER.size : end]), end

    def frame(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """An answer as it goes out."""
        return HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


class RtuFraming:
    """Unit, request and checksum, without transaction ids.

    On a serial line silence ends a frame; TCP keeps no silence. So a frame is as long as its
    function says, and is one if its checksum is right. Whatever comes before a right one is
    dropped. A function that we don't know has to come alone.
    """

    def first(self, stream: bytes) -> tuple[Request | None, int]:
        """The first request, if it is complete, and how many bytes are done with."""
        for start in range(len(stream) - SHORTEST_FRAME + 1):
            end = start + _request_size(stream, start)
            if end <= len(stream) and crc16(stream[start:end]) == 0:
                return Request(0, stream[start], stream[start + 1 : end - 2]), end
        return None, max(0, len(stream) - LONGEST_FRAME)

    def frame(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """An answer as it goes out."""
        data = bytes((unit,)) + pdu
        return data + struct.pack("<H", crc16(data))


FRAMINGS: Mapping[FramingName, Framing] = {"tcp": TcpFraming(), "rtu": RtuFraming()}


def _request_size(stream: bytes, start: int) -> int:
    """Bytes of the frame that starts there, by its function; too many where it can't be told."""
    function = stream[start + 1]
    counted = COUNTED_REQUESTS.get(function)
    if counted is not None:
        at = start + counted
        return counted + 3 + stream[at] if at < len(stream) else len(stream) + 1
    left = len(stream) - start
    return REQUEST_SIZES.get(function, left if left <= LONGEST_FRAME else left + 1)


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ 0xA001 if byte & 1 else byte >> 1
    return byte


CRC_TABLE = tuple(map(_crc_of_byte, range(256)))


def crc16(data: bytes) -> int:
    """The checksum of RTU frames; goes out low byte first. 0 over a frame with its own.

    >>> hex(crc16(bytes((0x02, 0x07))))
    '0x1241'
    >>> crc16(bytes((0x02, 0x07, 0x41, 0x12)))
    0
    """
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc
