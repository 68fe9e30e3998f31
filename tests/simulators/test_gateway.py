"""A gateway and the units on its line, as plain pymodbus sees them."""

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient

from simulators.modbus.face import ModbusFace
from simulators.modbus.gateway import Gateway
from simulators.modbus.plc import press_unit
from simulators.modbus.tcu import tcu_unit
from tests.simulators.makers import a_press


@pytest.fixture
async def gateway() -> AsyncGenerator[Gateway]:
    press = a_press(name="IMM-01", counter=10)
    units = {
        1: press_unit(press),
        2: press_unit(a_press(name="IMM-02", counter=20)),
        11: tcu_unit(press),
    }
    gateway = Gateway(units, patience_s=0.1)
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
async def client(gateway: Gateway) -> AsyncGenerator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient(gateway.host, port=gateway.port, reconnect_delay=0, retries=0)
    assert await client.connect()
    yield client
    client.close()


async def test_each_unit_answers_for_itself(client: AsyncModbusTcpClient) -> None:
    counters = [
        (await client.read_holding_registers(1, count=1, device_id=unit)).registers
        for unit in (1, 2)
    ]

    assert counters == [[10], [20]]


async def test_a_unit_that_is_not_there_costs_the_gateways_patience(
    client: AsyncModbusTcpClient,
) -> None:
    start = time.monotonic()
    answer = await client.read_holding_registers(0, count=1, device_id=3)

    assert answer.exception_code == 0x0B
    assert time.monotonic() - start >= 0.1


async def test_requests_of_all_clients_share_the_line_and_its_time(gateway: Gateway) -> None:
    slow = Gateway(gateway.units, bits_per_s=38_400)
    await slow.start()
    clients = [AsyncModbusTcpClient(slow.host, port=slow.port) for _ in range(3)]
    for each in clients:
        assert await each.connect()

    start = time.monotonic()
    answers = await asyncio.gather(*(each.read_holding_registers(0, count=36) for each in clients))
    took_s = time.monotonic() - start
    for each in clients:
        each.close()
    await slow.stop()

    assert not any(answer.isError() for answer in answers)
    assert took_s >= 3 * (5 + 74 + 13) * 11 / 38_400


async def test_a_client_that_has_gone_is_answered_no_more(gateway: Gateway) -> None:
    gone = AsyncModbusTcpClient(gateway.host, port=gateway.port)
    assert await gone.connect()
    read = asyncio.ensure_future(gone.read_holding_registers(0, count=1, device_id=3))
    await asyncio.sleep(0.02)
    gone.close()
    read.cancel()

    async with AsyncModbusTcpClient(gateway.host, port=gateway.port) as other:
        assert not (await other.read_holding_registers(0, count=1)).isError()


async def test_a_gateway_that_stops_while_it_waits_leaves_nothing_behind(gateway: Gateway) -> None:
    _, writer = await asyncio.open_connection(gateway.host, gateway.port)
    writer.write(bytes.fromhex("0001 0000 0006 03 03 0000 0001"))
    await writer.drain()
    await gateway.stop()
    writer.close()

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(gateway.host, gateway.port)


async def test_over_rtu_only_the_unit_that_is_meant_says_something() -> None:
    face = ModbusFace(a_press(counter=10), framing="rtu", unit=5)
    await face.start()

    async with AsyncModbusTcpClient(
        face.host, port=face.port, framer=FramerType.RTU, timeout=0.1, retries=0
    ) as client:
        heard = await client.read_holding_registers(1, count=1, device_id=5)
        with pytest.raises(Exception, match="No response"):
            await client.read_holding_registers(1, count=1, device_id=6)
        contacts = await client.read_discrete_inputs(0, count=8, device_id=5)
    await face.stop()

    assert heard.registers == [10]
    assert contacts.bits[:4] == [False, False, False, True]
