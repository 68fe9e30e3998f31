"""Answers looked at before they are believed: whose they are, to what, how long, and undamaged.

Modbus TCP numbers its requests, and an answer says which one it is to. RTU frames, which device
servers send over TCP as they are on the serial line, have a checksum in place of a number: an
answer can only be told from another request's by its unit, function and length.

Source:
    MODBUS Messaging on TCP/IP V1.0b; MODBUS over Serial Line V1.02.
"""

from typing import Literal, NamedTuple

from pymodbus.framer.rtu import FramerRTU

FramingName = Literal["tcp", "rtu"]

HEADER = 7
"""Bytes of transaction, protocol, length and unit, before the function."""
TLS_ALERT = b"\x15\x03"
"""How a TLS server answers who asks in clear: an alert record, of a version 3.x."""
RTU_AROUND = 5
"""Bytes of unit, function, count and checksum around an RTU answer's data; an exception has as
many, with its code in place of the count."""


class Asked(NamedTuple):
    """What an answer is waited for."""

    transaction: int
    """0 in RTU frames, which have none."""
    unit: int
    function: int
    size: int
    """Bytes of data that the answer must have."""


def tcp_fault(data: bytes, asked: Asked, *, owed: bool = False) -> str | None:
    """What is wrong with an answer, for a person; None where nothing is, or more has to come.

    An answer to another transaction is left to the library, which skips it.

    Args:
        data: What has arrived since the request.
        asked: The request.
        owed: An earlier answer is still to come, so 0, which some gateways always say, may be it.

    >>> asked = Asked(transaction=1, unit=1, function=3, size=2)
    >>> tcp_fault(bytes.fromhex("0001 0000 0005 01 03 02 002a"), asked)
    >>> tcp_fault(bytes.fromhex("0001 0000 0003 01 83 02"), asked)
    >>> tcp_fault(bytes.fromhex("0000 0000 0005 01 03 02 002a"), asked)
    >>> tcp_fault(bytes.fromhex("0000 0000 0005 01 03 02 002a"), asked, owed=True)
    'the answer carries no transaction id, so it may be a late one to an earlier request'
    >>> tcp_fault(bytes.fromhex("0001 0000 0005 01 03 02 002a"), asked._replace(size=8))
    'the answer has 2 bytes of data, and 8 were asked for'
    >>> tcp_fault(bytes.fromhex("0001 0000 0005 01 04 02 002a"), asked)
    'the answer is one to function 4, and 3 was asked for'
    >>> tcp_fault(bytes.fromhex("15 0303 0002 02 46"), asked)
    "the port speaks TLS, and the machine is configured without the key 'tls'"
    >>> tcp_fault(bytes.fromhex("1503 0000 0005 01 03 02 002a"), asked._replace(transaction=0x1503))
    >>> tcp_fault(b"HTTP/1.1 400 Bad Request", asked)
    "the answer is not Modbus TCP: b'HTTP/1.1 400 Ba'..."
    """
    if data.startswith(TLS_ALERT) and data[2:3].strip(b"\0"):  # 0x1503 is a transaction as well
        return "the port speaks TLS, and the machine is configured without the key 'tls'"
    if data[2:4].strip(b"\0"):
        return f"the answer is not Modbus TCP: {data[:15]!r}{'...' if len(data) > 15 else ''}"
    if len(data) < HEADER + 2:
        return None
    transaction, length = int.from_bytes(data[:2], "big"), int.from_bytes(data[4:6], "big")
    if transaction not in (0, asked.transaction):
        return tcp_fault(data[HEADER - 1 + length :], asked, owed=owed)
    if transaction == 0 and owed:
        return "the answer carries no transaction id, so it may be a late one to an earlier request"
    unit, function = data[HEADER - 1], data[HEADER]
    if asked.unit and unit != asked.unit:
        return f"unit {unit} answered, and unit {asked.unit} was asked"
    if function & 0x7F != asked.function:
        return _other_function(function, asked)
    if function & 0x80:
        return None if length == 3 else f"an exception of {length} bytes, and 3 are right"
    if data[HEADER + 1] != asked.size:
        return _other_size(data[HEADER + 1], asked)
    right = asked.size + 3
    return None if length == right else f"the answer's length is {length}, and {right} right"


def rtu_fault(data: bytes, asked: Asked) -> str | None:
    """The same for RTU frames.

    >>> asked = Asked(transaction=0, unit=1, function=3, size=2)
    >>> rtu_fault(bytes.fromhex("01 03 02 002a 399b"), asked)
    >>> rtu_fault(bytes.fromhex("01 83 02 c0f1"), asked)
    >>> rtu_fault(bytes.fromhex("01 03 02 00"), asked)
    >>> rtu_fault(bytes.fromhex("01 03 02 002b 399b"), asked)
    "the answer's checksum is wrong"
    >>> rtu_fault(bytes.fromhex("01 03 02 002a 399b 01"), asked)
    'more has come than the answer to one request'
    >>> rtu_fault(bytes.fromhex("09 03"), asked)
    'the answer begins with 09, and unit 1 was asked'
    """
    if data[:1] != bytes((asked.unit,)):
        return f"the answer begins with {data[:1].hex()}, and unit {asked.unit} was asked"
    if len(data) < 3:
        return None
    function = data[1]
    if function & 0x7F != asked.function:
        return _other_function(function, asked)
    whole = RTU_AROUND
    if not function & 0x80:
        if data[2] != asked.size:
            return _other_size(data[2], asked)
        whole += asked.size
    if len(data) < whole:
        return None
    if len(data) > whole:
        return "more has come than the answer to one request"
    if not FramerRTU.check_CRC(data[:-2], int.from_bytes(data[-2:], "big")):
        return "the answer's checksum is wrong"
    return None


def _other_function(function: int, asked: Asked) -> str:
    return f"the answer is one to function {function & 0x7F}, and {asked.function} was asked for"


def _other_size(size: int, asked: Asked) -> str:
    return f"the answer has {size} bytes of data, and {asked.size} were asked for"
