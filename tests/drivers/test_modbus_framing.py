"""RTU frames over TCP, and gateways without transaction ids: no answer is taken for another's.

Each fault of the link is played on a simulated press. A plain client shows what it does to whoever
does not look; then our driver reads on through it. All blocks read are of one length, so that
nothing but the driver's care tells one answer from another.
"""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pymodbus import FramerType
from pymodbus.exceptions import ModbusIOException

from drivers import Frame, GarbledError, MachineError, UnreachableError
from drivers.modbus import ModbusSettings, line_of, open_press
from drivers.modbusline import Line
from drivers.registers import RegisterMap
from simulators.modbus.face import ModbusFace
from simulators.press import Press
from tests.drivers.registermakers import a_map
from tests.faults.clients import COOLING_TIME, modbus_client, registers
from tests.simulators.makers import a_press

COUNTER_HIGH = 0
MAP = f"""
gap = 0
max_block = 1
[[register]]
signal = "counter_high"
address = {COUNTER_HIGH}
latched = false
[[register]]
signal = "counter_low"
address = {COUNTER_HIGH + 1}
latched = false
[[register]]
signal = "cooling_time"
address = {COOLING_TIME}
latched = false
"""
GARBLING: list[tuple[str, dict[str, float]]] = [
    ("late_reply", {"delay_s": 0.3}),
    ("late_replies", {"delay_s": 0.3, "every": 4}),
    ("garbage_bytes", {"bytes": 5, "count": 3}),
    ("truncated_frame", {"count": 2}),
]


@pytest.fixture
async def press() -> Press:
    press = a_press(counter=5000)
    await press.mold(cooling_time_s=13.5)
    return press


@pytest.fixture(params=["tcp", "rtu"])
async def face(press: Press, request: pytest.FixtureRequest) -> AsyncGenerator[ModbusFace]:
    face = ModbusFace(press, framing=request.param)
    await face.start()
    if request.param == "tcp":
        await press.faults.on("transaction_id_zero")
    yield face
    await face.stop()


@pytest.fixture
def rows(tmp_path: Path) -> RegisterMap:
    return a_map(tmp_path, MAP)


def settings(face: ModbusFace, **keys: Any) -> ModbusSettings:
    given = {
        "name": "IMM-01",
        "driver": "modbus",
        "host": face.host,
        "port": face.port,
        "framing": "tcp" if face._has_ids else "rtu",
        "map": "map.toml",
        "poll_s": 0.02,
        "timeout_s": 0.15,
    }
    return ModbusSettings.model_validate(given | keys)


def framer(face: ModbusFace) -> FramerType:
    return FramerType.SOCKET if face._has_ids else FramerType.RTU


async def followed(
    chosen: ModbusSettings, rows: RegisterMap, line: Line, frames: int
) -> tuple[list[Frame], list[MachineError]]:
    """As many frames, connecting anew after each failure, as an agent does; and the failures."""
    seen: list[Frame] = []
    failures: list[MachineError] = []
    while len(seen) < frames:
        try:
            async with open_press(chosen, rows, line) as opened:
                async for item in opened.observations():
                    assert isinstance(item, Frame)
                    seen.append(item)
                    if len(seen) == frames:
                        break
        except MachineError as error:
            failures.append(error)
            await asyncio.sleep(0.02)
    return seen, failures


async def test_registers_are_read_with_both_framings(face: ModbusFace, rows: RegisterMap) -> None:
    async with open_press(settings(face), rows) as opened:
        frame = await opened.read()

    assert frame.values == (0, 5001, 1350)


@pytest.mark.parametrize(("fault", "parameters"), GARBLING)
async def test_no_value_of_another_request_is_booked(
    fault: str, parameters: dict[str, float], face: ModbusFace, press: Press, rows: RegisterMap
) -> None:
    line = line_of(settings(face))
    await followed(settings(face), rows, line, 3)
    await press.faults.on(fault, parameters)
    molding = asyncio.create_task(_molding(press))

    seen, failures = await followed(settings(face), rows, line, 30)

    molding.cancel()
    await press.faults.off(fault)
    healed, late = await followed(settings(face), rows, line, 5)
    counts = [frame.values[1] for frame in seen + healed]
    assert all(frame.values[0] == 0 for frame in seen + healed)
    assert all(frame.values[2] == 1350 for frame in seen + healed)
    assert all(isinstance(count, int) and 5001 <= count < 6000 for count in counts)
    assert counts == sorted(counts, key=lambda count: count if isinstance(count, int) else -1)
    assert failures
    assert all(isinstance(error, UnreachableError | GarbledError) for error in failures)
    assert len(late) <= 1


async def _molding(press: Press) -> None:
    while True:
        await press.mold(cooling_time_s=13.5)
        await asyncio.sleep(0.05)


async def test_a_plain_client_books_wrong_values_for_ever(face: ModbusFace, press: Press) -> None:
    async with modbus_client(face, framer=framer(face), timeout=0.15) as client:
        await press.faults.on("late_reply", {"delay_s": 0.2})
        with pytest.raises(ModbusIOException):
            await registers(client, COOLING_TIME)
        seen = [
            (await registers(client, 1), await registers(client, COOLING_TIME)) for _ in range(20)
        ]

    assert seen == [([1350], [5001])] * 20


async def test_after_a_silence_the_line_is_still_for_longer_than_its_slowest_answer(
    face: ModbusFace, press: Press, rows: RegisterMap
) -> None:
    chosen = settings(face, timeout_s=0.6)
    line = line_of(chosen)
    loop = asyncio.get_running_loop()
    await press.faults.on("slow_answers", {"delay_s": 0.4})
    await followed(chosen, rows, line, 1)
    await press.faults.off("slow_answers")
    await press.faults.on("late_reply", {"delay_s": 0.9})

    with pytest.raises(UnreachableError, match="no answer within"):
        async with open_press(chosen, rows, line) as opened:
            await opened.read()
    closed_at = loop.time()
    async with open_press(chosen, rows, line) as opened:
        opened_at = loop.time()
        frame = await opened.read()

    assert opened_at - closed_at >= 0.4
    assert frame.values == (0, 5001, 1350)


async def test_over_rtu_a_device_refuses_as_over_tcp(
    face: ModbusFace, press: Press, tmp_path: Path
) -> None:
    lacking = a_map(tmp_path, MAP.replace(f"address = {COOLING_TIME}", "address = 60000"))

    async with open_press(settings(face), lacking) as opened:
        frame = await opened.read()
        names = [register.signal for register in opened.refused]

    assert (frame.values, names) == ((0, 5001, None), ["cooling_time"])


@pytest.mark.parametrize("unit", [0, 255])
def test_with_rtu_frames_a_unit_has_a_number_of_its_own(unit: int) -> None:
    keys = {"name": "IMM-01", "driver": "modbus", "host": "h", "map": "m", "framing": "rtu"}
    with pytest.raises(ValidationError, match="'unit' of 1 to 247"):
        ModbusSettings.model_validate(keys | {"unit": unit})
