"""A retrofit PLC as a bare Modbus client sees it."""

import asyncio
import struct
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient

from simulators.modbus.face import ModbusFace
from simulators.modbus.plc import LAST_CYCLE, last_image
from simulators.modes import Mode
from simulators.press import Press
from tests.simulators.makers import a_press


@pytest.fixture
def press() -> Press:
    return a_press(counter=70_000, mode=Mode.AUTOMATIC)


@pytest.fixture
async def face(press: Press) -> AsyncGenerator[ModbusFace]:
    face = ModbusFace(press)
    await face.start()
    yield face
    await face.stop()


@pytest.fixture
async def client(face: ModbusFace) -> AsyncGenerator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient(face.host, port=face.port, reconnect_delay=0, retries=0)
    assert await client.connect()
    yield client
    client.close()


async def words(client: AsyncModbusTcpClient, first: int, count: int) -> list[int]:
    answer = await client.read_holding_registers(first, count=count, device_id=1)
    assert not answer.isError()
    return list(answer.registers)


def signed(word: int) -> int:
    return word - 0x10000 if word & 0x8000 else word


async def test_the_last_cycle_is_in_its_registers(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    shot = await press.mold()

    registers = await words(client, 100, 25)

    for (name, step, kind), word in zip(LAST_CYCLE, registers, strict=False):
        number = signed(word) if kind == "h" else word
        assert number * step == pytest.approx(shot.values[name], abs=step / 2 + 1e-9), name
    assert registers[20:23] == [0, 2, 0]


async def test_the_counter_has_32_bits_and_rises_with_the_values(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.mold(cooling_time_s=13.5)

    high, low = await words(client, 0, 2)
    (cooling,) = await words(client, 101, 1)

    assert (high << 16 | low, cooling) == (70_001, 1350)


async def test_live_values_are_as_they_are_when_they_are_read(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.step()
    await press.step()
    press.clock.advance(0.7)

    registers = await words(client, 0, 36)

    low_first = struct.pack(">HH", registers[6], registers[5])
    (pressure,) = struct.unpack(">f", low_first)
    assert pressure == pytest.approx(press.live.injection_pressure_bar, abs=0.1)
    assert registers[2:5] == [2, 1, 4]
    assert signed(registers[9]) == round(press.live.screw_position_mm * 100)
    assert registers[10] == round(press.levels["mold_temp_c"] * 10)
    assert registers[13] == round(press.levels["coolant_flow_l_min"] * 10)


async def test_mold_and_job_are_text(press: Press, client: AsyncModbusTcpClient) -> None:
    registers = await words(client, 20, 16)

    text = struct.pack(">16H", *registers)
    assert text[:16] == b"A-2188".ljust(16, b"\0")
    assert text[16:] == b"J-4711".ljust(16, b"\0")


async def test_a_dry_closing_is_marked(press: Press, client: AsyncModbusTcpClient) -> None:
    await press.mold(dry=True)

    registers = await words(client, 100, 25)

    assert registers[20:23] == [1, 0, 0]
    assert registers[1:4] == [0, 0, 0]


async def test_input_registers_hold_the_same(press: Press, client: AsyncModbusTcpClient) -> None:
    await press.mold()

    answer = await client.read_input_registers(100, count=25, device_id=1)

    assert list(answer.registers) == await words(client, 100, 25)


async def test_a_new_machine_shows_zeros(face: ModbusFace) -> None:
    fresh = ModbusFace(a_press())

    assert fresh.answer(1, struct.pack(">BHH", 3, 100, 25)) == bytes((3, 50)) + bytes(50)


async def test_contacts_tell_of_the_mold(press: Press, client: AsyncModbusTcpClient) -> None:
    open_mold = await client.read_discrete_inputs(0, count=4, device_id=1)
    await press.step()
    await press.step()
    shut = await client.read_discrete_inputs(0, count=4, device_id=1)

    assert open_mold.bits[:4] == [False, False, False, True]
    assert shut.bits[:4] == [True, True, False, True]


@pytest.mark.parametrize(
    ("unit", "request_", "code"),
    [
        (1, struct.pack(">BHH", 3, 36, 1), 2),
        (1, struct.pack(">BHH", 3, 30, 10), 2),
        (1, struct.pack(">BHH", 3, 0, 101), 2),
        (1, struct.pack(">BHH", 3, 0, 0), 3),
        (1, struct.pack(">BHH", 3, 0, 126), 3),
        (1, struct.pack(">BHH", 6, 0, 1), 1),
        (1, struct.pack(">BHH", 1, 0, 9), 2),
        (1, struct.pack(">BH", 3, 0), 3),
        (7, struct.pack(">BHH", 3, 0, 1), 0x0B),
    ],
)
def test_what_is_not_there_is_refused(unit: int, request_: bytes, code: int) -> None:
    answer = ModbusFace(a_press()).answer(unit, request_)

    assert answer == bytes((request_[0] | 0x80, code))


async def test_it_says_which_machine_it_is(client: AsyncModbusTcpClient) -> None:
    registers = struct.pack(">16H", *await words(client, 200, 16))
    told: dict[int, Any] = {
        code: await client.read_device_information(read_code=code, object_id=0)
        for code in (1, 2, 3)
    }
    serial: Any = await client.read_device_information(read_code=4, object_id=0x80)
    report: Any = await client.report_device_id()

    assert registers.split(b"\0")[0] == b"IMM-01"
    assert registers[16:].rstrip(b"\0") == b"Retrofit PLC"
    assert sorted(told[1].information) == [0, 1, 2]
    assert told[2].information[6] == b"IMM-01"
    assert told[3].information | serial.information == told[3].information
    assert report.identifier == b"Retrofit PLC IMM-01"
    assert report.status


@pytest.mark.parametrize(
    ("read_code", "object_id", "code"), [(4, 0x70, 2), (4, 0x03, 2), (9, 0, 3)]
)
async def test_what_it_does_not_say_of_itself_is_refused(
    client: AsyncModbusTcpClient, read_code: int, object_id: int, code: int
) -> None:
    answer = await client.read_device_information(read_code=read_code, object_id=object_id)

    assert answer.exception_code == code


async def test_a_small_device_refuses_long_reads(press: Press) -> None:
    face = ModbusFace(press, max_words=20)

    assert face.answer(1, struct.pack(">BHH", 3, 100, 21)) == bytes((0x83, 3))
    assert face.answer(1, struct.pack(">BHH", 4, 100, 20)) != bytes((0x84, 3))


async def test_over_rtu_frames_a_plain_client_reads_the_same(press: Press) -> None:
    await press.mold()
    face = ModbusFace(press, framing="rtu")
    await face.start()

    async with AsyncModbusTcpClient(
        face.host, port=face.port, framer=FramerType.RTU, retries=0
    ) as client:
        high, low = await words(client, 0, 2)
        registers = await words(client, 100, 25)
        told: Any = await client.read_device_information(read_code=2, object_id=0)
    await face.stop()

    assert high << 16 | low == 70_001
    assert struct.pack(">25H", *registers) == last_image(press)
    assert told.information[6] == b"IMM-01"


async def test_requests_may_come_in_pieces_and_together(face: ModbusFace) -> None:
    reader, writer = await asyncio.open_connection(face.host, face.port)
    first = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 0, 2)
    second = struct.pack(">HHHBBHH", 2, 0, 6, 1, 3, 3, 1)

    writer.write(first[:5])
    await writer.drain()
    writer.write(first[5:] + second)
    answers = await reader.readexactly(9 + 4 + 9 + 2)
    writer.close()
    await writer.wait_closed()

    assert answers[:2] == b"\0\1"
    assert answers[13:15] == b"\0\2"


async def test_what_is_not_modbus_ends_the_link(face: ModbusFace) -> None:
    reader, writer = await asyncio.open_connection(face.host, face.port)

    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    with suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()

    assert reader.at_eof() or reader.exception() is not None


async def test_a_stopped_server_drops_its_clients_and_comes_back_where_it_was(
    press: Press, face: ModbusFace
) -> None:
    _, writer = await asyncio.open_connection(face.host, face.port)
    port = face.port

    await face.stop()
    with pytest.raises(OSError):  # noqa: PT011 - whichever way the system says it
        await asyncio.open_connection(face.host, port)
    writer.close()
    await press.mold()
    await face.start()

    assert face.port == port
    client = AsyncModbusTcpClient(face.host, port=port, reconnect_delay=0, retries=0)
    assert await client.connect()
    assert await words(client, 1, 1) == [70_001 & 0xFFFF]
    client.close()
