"""Requests are cut out of streams of bytes, whichever way they come."""

import struct
from random import Random

import pytest
from pymodbus.framer.rtu import FramerRTU

from simulators.modbus.framing import (
    FRAMINGS,
    LONGEST_FRAME,
    FramingName,
    NotModbusError,
    Request,
    crc16,
)

READ = Request(0, 1, bytes.fromhex("0300000024"))
WRITE_MANY = Request(0, 1, bytes.fromhex("100000000204000a0102"))
SHORT = Request(0, 9, bytes((0x11,)))
IDENTIFY = Request(0, 2, bytes.fromhex("2b0e0100"))


def requests_of(framing: FramingName, pieces: list[bytes]) -> list[Request]:
    """What a server hears of a stream that arrives in pieces."""
    heard, stream = [], b""
    for piece in pieces:
        stream += piece
        while stream:
            request, done = FRAMINGS[framing].first(stream)
            stream = stream[done:]
            if request is None:
                break
            heard.append(request)
    return heard


def rtu(request: Request) -> bytes:
    return FRAMINGS["rtu"].frame(0, request.unit, request.pdu)


def test_the_checksum_is_the_librarys() -> None:
    for size in (1, 5, 200):
        data = Random(size).randbytes(size)
        assert struct.pack("<H", crc16(data)) == FramerRTU.compute_CRC(data).to_bytes(2, "big")


@pytest.mark.parametrize("framing", ["tcp", "rtu"])
def test_requests_may_come_in_any_pieces(framing: FramingName) -> None:
    requests = [READ, WRITE_MANY, SHORT, IDENTIFY, READ]
    stream = b"".join(FRAMINGS[framing].frame(0, each.unit, each.pdu) for each in requests)

    for size in (1, 3, 7, len(stream)):
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert requests_of(framing, pieces) == requests, size


def test_after_noise_the_next_request_is_found() -> None:
    noise = bytes.fromhex("ff00 0103 0000")

    assert requests_of("rtu", [noise, rtu(READ)[:3], rtu(READ)[3:] + rtu(SHORT)]) == [READ, SHORT]


def test_half_a_request_is_forgotten_when_a_whole_one_comes() -> None:
    assert requests_of("rtu", [rtu(READ)[:5], rtu(IDENTIFY)]) == [IDENTIFY]


def test_a_frame_with_a_wrong_checksum_is_none() -> None:
    wrong = rtu(READ)[:-1] + bytes((rtu(READ)[-1] ^ 1,))

    assert requests_of("rtu", [wrong, rtu(SHORT)]) == [SHORT]


def test_a_function_that_nobody_knows_is_heard_when_it_comes_alone() -> None:
    strange = Request(0, 1, bytes((0x41, 1, 2, 3)))

    assert requests_of("rtu", [rtu(strange), rtu(READ)]) == [strange, READ]


def test_noise_without_end_does_not_fill_the_memory() -> None:
    request, done = FRAMINGS["rtu"].first(bytes(100 * LONGEST_FRAME))

    assert request is None
    assert done == 99 * LONGEST_FRAME


def test_what_is_no_modbus_is_said_to_be_none() -> None:
    with pytest.raises(NotModbusError):
        FRAMINGS["tcp"].first(b"GET / HTTP/1.1\r\n")
