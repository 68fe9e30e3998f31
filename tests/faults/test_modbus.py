"""Faults of what a Modbus device says, as plain pymodbus sees them."""

import asyncio
import math
import struct
import time
from collections.abc import AsyncGenerator

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from simulators.menu import EXCEPTIONS
from simulators.modbus.face import ModbusFace
from simulators.modbus.gateway import Gateway
from simulators.modbus.plc import press_unit
from simulators.modbus.tcu import tcu_unit
from simulators.modes import Phase
from simulators.press import Press
from tests.faults.clients import COOLING_TIME, modbus_client, registers, shots
from tests.simulators.makers import a_press

INJECTION_PRESSURE, SCREW, MOLD_TEMP, FLOW, CAVITY_PEAK = 5, 9, 10, 13, 115


@pytest.fixture
async def press() -> Press:
    press = a_press(counter=5000)
    await press.mold(cooling_time_s=13.5)
    return press


@pytest.fixture
async def face(press: Press) -> AsyncGenerator[ModbusFace]:
    face = ModbusFace(press)
    await face.start()
    yield face
    await face.stop()


@pytest.fixture
async def client(face: ModbusFace) -> AsyncGenerator[AsyncModbusTcpClient]:
    async with modbus_client(face) as client:
        yield client


def low_first(words: list[int]) -> float:
    """A float as the PLC has it."""
    number: float = struct.unpack(">f", struct.pack(">HH", *reversed(words)))[0]
    return number


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        pytest.param(
            code, f"exception_{code:02x}", marks=pytest.mark.fault(f"exception_{code:02x}")
        )
        for code in EXCEPTIONS
    ],
)
async def test_a_refusal_is_returned_and_not_raised_and_has_no_registers(
    press: Press, client: AsyncModbusTcpClient, code: int, fault: str
) -> None:
    await press.faults.on(fault)

    answer = await client.read_holding_registers(0, count=2)

    assert answer.isError()
    assert answer.exception_code == code
    assert answer.registers == []
    await press.faults.off(fault)
    assert await shots(client) == 5001


@pytest.mark.fault("transaction_id_zero", "late_reply")
async def test_with_id_0_every_read_after_one_late_reply_gets_the_answer_to_the_one_before(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.faults.on("transaction_id_zero")
    assert await shots(client) == 5001
    await press.faults.on("late_reply", {"delay_s": 0.5})

    with pytest.raises(ModbusIOException):
        await registers(client, COOLING_TIME)
    seen = [(await registers(client, 1), await registers(client, COOLING_TIME)) for _ in range(10)]

    assert seen == [([1350], [5001])] * 10


@pytest.mark.fault("transaction_id_zero")
async def test_ids_are_right_again_when_the_gateway_has_been_replaced(
    press: Press, face: ModbusFace
) -> None:
    reader, writer = await asyncio.open_connection(face.host, face.port)
    request = struct.pack(">HHHBBHH", 0x1234, 0, 6, 1, 3, 0, 1)

    await press.faults.on("transaction_id_zero")
    writer.write(request)
    zero = await reader.readexactly(11)
    await press.faults.off("transaction_id_zero")
    writer.write(request)
    right = await reader.readexactly(11)
    writer.close()

    assert zero == b"\0\0" + right[2:]
    assert right[:2] == b"\x12\x34"


@pytest.mark.fault("wrong_transaction_id")
async def test_answers_with_a_wrong_id_are_thrown_away_and_every_read_times_out(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.faults.on("wrong_transaction_id")

    for _ in range(3):
        with pytest.raises(ModbusIOException, match="No response"):
            await shots(client)

    await press.faults.off("wrong_transaction_id")
    assert await shots(client) == 5001


@pytest.fixture
async def gateway(press: Press) -> AsyncGenerator[Gateway]:
    """Two presses, and the temperature control unit of the first, on one line."""
    neighbor = a_press(name="IMM-02", counter=70_000)
    units = {1: press_unit(press), 2: press_unit(neighbor), 11: tcu_unit(press)}
    gateway = Gateway(units, patience_s=0.2)
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.mark.fault("dead_unit")
async def test_a_dead_unit_takes_the_gateways_patience_and_its_neighbor_waits_behind_it(
    press: Press, gateway: Gateway
) -> None:
    await press.faults.on("dead_unit", {"wait_s": 0.3})

    async with (
        modbus_client(gateway, timeout=3) as client,
        modbus_client(gateway, timeout=3) as other,
    ):
        start = time.monotonic()
        dead = asyncio.ensure_future(client.read_holding_registers(0, count=2, device_id=1))
        await asyncio.sleep(0.05)
        neighbor = await other.read_holding_registers(0, count=2, device_id=2)
        waited_s = time.monotonic() - start

        assert (await dead).exception_code == 0x0B
        assert neighbor.registers == [1, 70_000 & 0xFFFF]
        assert waited_s >= 0.3
        await press.faults.off("dead_unit")
        assert await shots(client) == 5001


@pytest.mark.fault("dead_unit")
async def test_a_gateway_may_say_nothing_for_a_dead_unit(press: Press, gateway: Gateway) -> None:
    await press.faults.on("dead_unit", {"wait_s": 0.05, "silent": 1})

    async with modbus_client(gateway) as client:
        with pytest.raises(ModbusIOException, match="No response"):
            await shots(client)
        neighbor = await client.read_holding_registers(0, count=2, device_id=2)

    assert not neighbor.isError()


@pytest.mark.fault("torn_word")
async def test_a_torn_counter_is_65536_shots_ahead_in_one_answer(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.faults.on("torn_word")

    seen = [await shots(client) for _ in range(3)]

    assert seen == [5001 + 65_536, 5001, 5001]


@pytest.mark.fault("not_a_number")
async def test_floats_are_nan_and_integers_are_as_ever(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    before = await registers(client, MOLD_TEMP)
    await press.faults.on("not_a_number")

    assert math.isnan(low_first(await registers(client, INJECTION_PRESSURE, 2)))
    assert await registers(client, MOLD_TEMP) == before
    await press.faults.off("not_a_number")
    assert low_first(await registers(client, INJECTION_PRESSURE, 2)) == 0


@pytest.mark.fault("infinity")
async def test_floats_are_infinite(press: Press, client: AsyncModbusTcpClient) -> None:
    await press.faults.on("infinity")

    assert low_first(await registers(client, INJECTION_PRESSURE, 2)) == math.inf
    await press.faults.off("infinity")
    assert low_first(await registers(client, INJECTION_PRESSURE, 2)) == 0


@pytest.mark.fault("sentinel")
async def test_the_number_for_no_sensor_looks_like_a_measurement(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.faults.on("sentinel")

    assert client.convert_from_registers(
        await registers(client, MOLD_TEMP), client.DATATYPE.INT16
    ) == pytest.approx(-32_768)
    assert await registers(client, FLOW) == [0xFFFF]
    assert await registers(client, CAVITY_PEAK) == [0xFFFF]
    assert low_first(await registers(client, INJECTION_PRESSURE, 2)) == -999
    assert await registers(client, COOLING_TIME) == [1350]  # a timer needs no sensor
    assert await shots(client) == 5001
    await press.faults.off("sentinel")
    assert await registers(client, MOLD_TEMP) == [round(press.levels["mold_temp_c"] * 10)]


@pytest.mark.fault("frozen_values")
async def test_frozen_values_answer_as_ever_while_the_press_molds_on(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.step()
    await press.faults.on("frozen_values")
    before = await registers(client, 0, 36), await registers(client, 100, 25)
    contacts = (await client.read_discrete_inputs(0, count=4)).bits

    while await press.step() is not Phase.IDLE:
        pass
    for _ in range(3):
        await press.mold()

    assert (await registers(client, 0, 36), await registers(client, 100, 25)) == before
    assert (await client.read_discrete_inputs(0, count=4)).bits == contacts
    await press.faults.off("frozen_values")
    assert await shots(client) == 5005


@pytest.mark.fault("frozen_values", "torn_word")
async def test_a_counter_that_is_frozen_is_torn_when_it_counts_again(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.faults.on("torn_word")
    await press.faults.on("frozen_values")

    assert [await shots(client) for _ in range(2)] == [5001, 5001]
    await press.faults.off("frozen_values")
    assert [await shots(client) for _ in range(2)] == [5001 + 65_536, 5001]


@pytest.mark.fault("power_off")
async def test_a_press_without_power_drops_its_links_and_refuses_connects(
    press: Press, face: ModbusFace, client: AsyncModbusTcpClient
) -> None:
    await press.faults.on("power_off")

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(face.host, face.port)
    await press.faults.on("server_restart", {"down_s": 0.01})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await face.listens()

    await press.faults.off("power_off")
    async with modbus_client(face) as again:
        assert await shots(again) == 5001


@pytest.mark.fault("power_off")
async def test_a_press_without_power_is_a_dead_unit_behind_its_gateway(
    press: Press, gateway: Gateway
) -> None:
    await press.faults.on("power_off")

    async with modbus_client(gateway, timeout=3) as client:
        dead = await client.read_holding_registers(0, count=2, device_id=1)
        neighbor = await client.read_holding_registers(0, count=2, device_id=2)
        unit = await client.read_holding_registers(0, count=4, device_id=11)

    assert dead.exception_code == 0x0B
    assert not neighbor.isError()
    assert not unit.isError()
