"""Faults of the link, as a client sees them that trusts the network: plain pymodbus, a socket."""

import asyncio
import struct
import sys
import time
from collections.abc import AsyncGenerator, Awaitable

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusIOException

from simulators.modbus.face import ModbusFace
from simulators.press import Press
from tests.faults.clients import COOLING_TIME, modbus_client, registers, shots
from tests.simulators.makers import a_press

READ_COUNTER = struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 0, 2)
ANSWER = 13
"""Bytes of the answer to it."""


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
    async with modbus_client(face, reconnect_delay=0) as client:
        assert await shots(client) == 5001
        yield client


class Socket:
    """A client that counts bytes, and takes them for what it has asked for."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def ask(self, request: bytes = READ_COUNTER) -> None:
        self.writer.write(request)

    async def answer(self, size: int = ANSWER) -> bytes:
        async with asyncio.timeout(10):
            return await self.reader.readexactly(size)


@pytest.fixture
async def raw(face: ModbusFace) -> AsyncGenerator[Socket]:
    client = Socket(*await asyncio.open_connection(face.host, face.port))
    client.ask()
    await client.answer()
    yield client
    client.writer.close()


async def times_out(read: Awaitable[object]) -> bool:
    with pytest.raises(ModbusIOException, match="No response"):
        await read
    return True


async def seconds(work: Awaitable[object]) -> float:
    start = time.monotonic()
    await work
    return time.monotonic() - start


@pytest.mark.fault("link_dropped")
async def test_a_dropped_link_is_a_reset_and_the_client_is_dead_until_it_connects_anew(
    press: Press, face: ModbusFace, client: AsyncModbusTcpClient, raw: Socket
) -> None:
    await press.faults.on("link_dropped")

    with pytest.raises(ConnectionResetError):
        await raw.answer()
    with pytest.raises(ConnectionException):
        await shots(client)
    with pytest.raises(ConnectionException):
        await shots(client)
    assert await client.connect()
    assert await shots(client) == 5001


@pytest.mark.fault("link_dropped")
async def test_the_read_that_runs_fails_when_its_link_is_dropped(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.faults.on("slow_answers", {"delay_s": 60})
    read = asyncio.create_task(shots(client))
    await asyncio.sleep(0)
    await press.faults.on("link_dropped")

    with pytest.raises(ModbusIOException):
        await read


@pytest.mark.fault("half_open")
async def test_a_forgotten_link_stays_silent_while_new_ones_are_answered(
    press: Press, face: ModbusFace, client: AsyncModbusTcpClient
) -> None:
    await press.faults.on("half_open")

    assert await times_out(shots(client))
    async with modbus_client(face) as other:
        assert await shots(other) == 5001
    await press.faults.off("half_open")
    assert await times_out(shots(client))
    assert client.connected  # nothing tells it


@pytest.mark.fault("black_hole")
async def test_a_black_hole_answers_nothing_and_closes_nothing(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.faults.on("black_hole")

    assert await times_out(shots(client))
    assert client.connected

    await press.faults.off("black_hole")
    assert await shots(client) == 5001


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be told to drop what comes in")
@pytest.mark.fault("black_hole")
async def test_a_connect_into_a_black_hole_hangs(press: Press, face: ModbusFace) -> None:
    await press.faults.on("black_hole")

    client = AsyncModbusTcpClient(face.host, port=face.port, timeout=0.3, reconnect_delay=0)
    took = await seconds(client.connect())

    assert not client.connected
    assert took >= 0.25
    client.close()


@pytest.mark.fault("black_hole")
async def test_what_was_asked_into_a_black_hole_is_answered_when_it_closes(
    press: Press, raw: Socket
) -> None:
    await press.faults.on("black_hole")
    raw.ask()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await raw.reader.readexactly(1)
    await press.mold()

    await press.faults.off("black_hole")

    assert (await raw.answer())[-4:] == struct.pack(">I", 5002)


@pytest.mark.fault("slow_answers")
async def test_slow_answers_are_late_by_their_delay_and_time_out_a_hasty_client(
    press: Press, face: ModbusFace, client: AsyncModbusTcpClient
) -> None:
    await press.faults.on("slow_answers", {"delay_s": 0.6})

    assert await times_out(shots(client))
    async with modbus_client(face, timeout=3) as patient:
        assert await seconds(shots(patient)) >= 0.6

    await press.faults.off("slow_answers")
    async with modbus_client(face) as hasty:
        assert await shots(hasty) == 5001


@pytest.mark.fault("slow_answers")
async def test_polls_pile_up_behind_slow_answers_which_come_in_order(
    press: Press, raw: Socket
) -> None:
    await press.faults.on("slow_answers", {"delay_s": 0.1})
    for transaction in (1, 2, 3):
        raw.ask(struct.pack(">H", transaction) + READ_COUNTER[2:])

    answers = [await raw.answer() for _ in range(3)]

    assert [int.from_bytes(answer[:2], "big") for answer in answers] == [1, 2, 3]


@pytest.mark.fault("late_reply")
async def test_a_late_reply_costs_one_read_where_ids_are_checked(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.faults.on("late_reply", {"delay_s": 0.5})

    assert await times_out(shots(client))
    assert await registers(client, COOLING_TIME) == [1350]
    assert await shots(client) == 5001
    assert press.faults.names == []


@pytest.mark.fault("late_reply")
async def test_over_rtu_every_read_after_one_late_reply_gets_the_answer_to_the_one_before(
    press: Press,
) -> None:
    face = ModbusFace(press, framing="rtu")
    await face.start()
    low_word, cooling_time = 5001, 1350

    async with modbus_client(face, framer=FramerType.RTU) as client:
        await press.faults.on("late_reply", {"delay_s": 0.5})
        assert await times_out(registers(client, COOLING_TIME))
        seen = [
            (await registers(client, 1), await registers(client, COOLING_TIME)) for _ in range(20)
        ]
    await face.stop()

    assert press.faults.names == []
    assert seen == [([cooling_time], [low_word])] * 20  # swapped, for ever, without an error


@pytest.mark.fault("late_replies")
async def test_late_replies_come_back_again_and_again(press: Press, face: ModbusFace) -> None:
    await press.faults.on("late_replies", {"delay_s": 0.5, "every": 3})

    outcomes: list[int | None] = []
    async with modbus_client(face) as client:
        for _ in range(6):
            try:
                outcomes.append(await shots(client))
            except ModbusIOException:
                outcomes.append(None)

        assert outcomes.count(None) == 2
        assert set(outcomes) == {5001, None}
        await press.faults.off("late_replies")
        assert [await shots(client) for _ in range(6)] == [5001] * 6


@pytest.mark.fault("garbage_bytes")
async def test_noise_before_an_answer_makes_it_unreadable(
    press: Press, client: AsyncModbusTcpClient, raw: Socket
) -> None:
    await press.faults.on("garbage_bytes", {"bytes": 5, "count": 2})

    assert await times_out(shots(client))
    raw.ask()
    noise = await raw.answer()

    assert noise[5:12] == READ_COUNTER[:5] + b"\x07\x01"
    assert await shots(client) == 5001


@pytest.mark.fault("truncated_frame")
async def test_what_follows_half_a_frame_is_taken_for_the_rest_of_it(
    press: Press, client: AsyncModbusTcpClient, raw: Socket
) -> None:
    await press.faults.on("truncated_frame")
    raw.ask()
    raw.ask()

    mixed = await raw.answer()

    assert mixed == READ_COUNTER[:4] + b"\0\7" + READ_COUNTER[:4] + b"\0\7\1"
    await press.faults.on("truncated_frame")
    assert await times_out(shots(client))
    assert await shots(client) == 5001


@pytest.mark.fault("server_restart")
async def test_a_restarting_server_refuses_connects_and_is_there_again_a_little_later(
    press: Press, face: ModbusFace, raw: Socket
) -> None:
    await press.faults.on("server_restart", {"down_s": 0.2})

    with pytest.raises(ConnectionResetError):
        await raw.answer()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(face.host, face.port)
    await press.mold()
    await face.listens()
    async with modbus_client(face) as client:
        assert await shots(client) == 5002


@pytest.mark.fault("server_restart")
async def test_a_server_that_is_stopped_while_it_restarts_does_not_come_back(
    press: Press, face: ModbusFace
) -> None:
    await press.faults.on("server_restart", {"down_s": 0.05})
    await face.stop()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await face.listens()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(face.host, face.port)
