"""What the driver relies on in pymodbus, against the library's own server.

Its minor releases change bit order, names and what is raised; these tests fail when one does.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from importlib.metadata import version
from pathlib import Path

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers import MachineError, UnreachableError
from drivers.blocks import Block
from drivers.modbus import ModbusSettings, open_press
from drivers.modbusline import Station, line_at
from drivers.modbuslink import Asker, BlockRefusedError
from drivers.modbusplace import Port
from tests.drivers.registermakers import a_map

FLOATS = [21.5, -3.25]
BITS = [True, False, False, True, False, False, False, False, True, False, True]


@pytest.fixture
async def server() -> AsyncGenerator[ModbusTcpServer]:
    device = SimDevice(
        id=1,
        simdata=(
            [SimData(0, values=BITS, datatype=DataType.BITS)],
            [SimData(0, values=BITS, datatype=DataType.BITS)],
            [
                SimData(0, values=[7, 0xFF9C], datatype=DataType.REGISTERS),
                SimData(10, values=FLOATS, datatype=DataType.FLOAT32),
            ],
            [SimData(0, values=[8, 9], datatype=DataType.REGISTERS)],
        ),
    )
    opened = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await opened.serve_forever(background=True)
    yield opened
    await opened.shutdown()  # type: ignore[no-untyped-call]


@pytest.fixture
async def station(server: ModbusTcpServer) -> AsyncGenerator[Station]:
    line = line_at(Port("127.0.0.1", port_of(server), "tcp"))
    asker = Asker(machine="IMM-12", unit=1, timeout_s=2, connect_timeout_s=2)
    async with line.join(asker) as opened:
        yield opened


def port_of(server: ModbusTcpServer) -> int:
    transport = server.transport
    assert isinstance(transport, asyncio.Server)
    port: int = transport.sockets[0].getsockname()[1]
    return port


def test_the_library_is_the_one_that_these_tests_know() -> None:
    assert version("pymodbus").startswith("3.16.")


async def test_data_comes_as_it_is_on_the_wire(station: Station) -> None:
    assert (await station.read(Block(3, 0, 2))).hex() == "0007ff9c"
    assert (await station.read(Block(4, 0, 2))).hex() == "00080009"
    assert (await station.read(Block(3, 10, 4))).hex() == "41ac0000c0500000"
    assert await station.read(Block(1, 0, 11)) == bytes([0b0000_1001, 0b101])
    assert await station.read(Block(2, 3, 8)) == bytes([0b1010_0001])


async def test_an_exception_is_raised_and_the_link_stays(station: Station) -> None:
    with pytest.raises(BlockRefusedError, match="illegal data address"):
        await station.read(Block(3, 500, 1))

    assert (await station.read(Block(3, 0, 1))).hex() == "0007"


async def test_reads_at_the_same_time_wait_for_each_other(station: Station) -> None:
    words = await asyncio.gather(*(station.read(Block(3, n % 2, 1)) for n in range(20)))

    assert [word.hex() for word in words] == ["0007", "ff9c"] * 10


async def test_a_cancelled_read_stays_cancelled_and_the_link_is_not_used_again(
    station: Station, server: ModbusTcpServer
) -> None:
    task = asyncio.create_task(station.read(Block(3, 0, 1)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    with pytest.raises(UnreachableError):
        await station.read(Block(3, 0, 1))


async def test_a_server_that_goes_away_tells_who_waits(
    station: Station, server: ModbusTcpServer
) -> None:
    task = asyncio.create_task(station.read(Block(3, 0, 1)))
    await asyncio.sleep(0)
    await server.shutdown()  # type: ignore[no-untyped-call]

    with pytest.raises(MachineError):
        await task


async def test_the_library_logs_nothing_of_what_is_raised(
    station: Station, server: ModbusTcpServer, caplog: pytest.LogCaptureFixture
) -> None:
    await server.shutdown()  # type: ignore[no-untyped-call]

    with caplog.at_level(logging.DEBUG), pytest.raises(UnreachableError):
        await station.read(Block(3, 0, 1))

    assert [record for record in caplog.records if record.name.startswith("pymodbus")] == []


async def test_a_map_reads_the_librarys_own_server(server: ModbusTcpServer, tmp_path: Path) -> None:
    text = """
        gap = 20
        [[register]]
        signal = "oil_temp_c"
        address = 10
        type = "float32"
        [[register]]
        signal = "coolant_in_c"
        address = 12
        type = "float32"
        [[register]]
        signal = "screw_position_mm"
        address = 1
        type = "int16"
        scale = 0.01
        """
    settings = ModbusSettings(
        name="IMM-12", driver="modbus", host="127.0.0.1", port=port_of(server), map="map.toml"
    )

    async with open_press(settings, a_map(tmp_path, text)) as press:
        frame = await press.read()

    assert frame.values == (21.5, -3.25, -1.0)
