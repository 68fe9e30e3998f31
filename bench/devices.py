"""Cheap devices to poll, in a process of their own: `python -m bench.devices modbus|opcua N S`.

Each serves 40 registers or nodes; those of OPC UA change every S seconds, where that is not 0. The
ports are printed as one line of JSON; the devices end when
standard input does.
"""

import asyncio
import json
import struct
import sys
from itertools import count
from typing import cast

from asyncua import ua

from simulators.opcua.nodes import DATA_VARIABLE, OBJECTS
from simulators.opcua.server import UaServer
from simulators.opcua.sharednodes import standard_nodes

VALUES = 40
"""Registers of a Modbus device, nodes of an OPC UA server."""

MOMENTS = 64
"""So many different contents a device's registers go through."""

NAMESPACE = "urn:sprue:bench"
NODE = "Value{:02}"

_changing: set[asyncio.Task[None]] = set()
"""What has to be held, lest it end."""


def registers(moment: int) -> bytes:
    """What follows the counter: two floats (low word first), 34 of tenths (int16)."""
    floats = struct.pack(">2f", 850.5 + moment, 340.25 - moment)
    swapped = b"".join(floats[at + 2 : at + 4] + floats[at : at + 2] for at in (0, 4))
    tenths = struct.pack(">34h", *(400 + 10 * n + (moment * (n + 3)) % 17 for n in range(34)))
    return swapped + tenths


CONTENTS = [registers(moment) for moment in range(MOMENTS)]


class ModbusDevice(asyncio.Protocol):
    """Answers function 3, and nothing else, as quickly as can be."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """One request at a time, which is how both of our clients ask."""
        unit, function, first, count = struct.unpack_from(">BBHH", data, 6)
        self._asked += 1
        whole = struct.pack(">I", self._asked // 20) + CONTENTS[self._asked % MOMENTS]
        answer = whole[2 * first : 2 * (first + count)]
        head = struct.pack(">2sHHBBB", data[:2], 0, len(answer) + 3, unit, function, len(answer))
        if self._transport is not None:
            self._transport.write(head + answer)


async def open_modbus() -> int:
    """One device on a port of its own."""
    server = await asyncio.get_running_loop().create_server(ModbusDevice, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def open_opcua(change_s: float = 0.0) -> int:
    """One server on a port of its own; all its values change every so often, or never where 0."""
    server = UaServer(standard_nodes(), [NAMESPACE], name="bench", uri="urn:sprue:bench:server")
    await server.init()
    for number in range(VALUES):
        node = ua.NodeId(NODE.format(number), 2)
        value = ua.Variant(20.0 + number / 8, ua.VariantType.Double)
        server.nodes.variable(
            node,
            ua.QualifiedName(NODE.format(number), 2),
            OBJECTS,
            value,
            ua.NodeId(ua.ObjectIds.Double),
            DATA_VARIABLE,
        )
        await server.write(node, value)
    await server.listen("127.0.0.1", 0)
    if change_s:
        _changing.add(asyncio.create_task(change(server, change_s)))
    return server.port


async def change(server: UaServer, every_s: float) -> None:
    """Give all values of a server another content, for ever."""
    for moment in count():
        for number in range(VALUES):
            value = ua.Variant(20.0 + number / 8 + moment % MOMENTS, ua.VariantType.Double)
            await server.write(ua.NodeId(NODE.format(number), 2), value)
        await asyncio.sleep(every_s)


async def main(kind: str, devices: int, change_s: float) -> None:
    """Serve until standard input ends."""
    ports = [
        await (open_modbus() if kind == "modbus" else open_opcua(change_s)) for _ in range(devices)
    ]
    print(json.dumps(ports), flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.read()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
