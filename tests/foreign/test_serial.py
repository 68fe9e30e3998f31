"""The Modbus driver at a serial port: a pty that socat makes, with simulated presses behind it."""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers import Frame, GarbledError, MachineError, Report, UnreachableError
from drivers.modbus import ModbusSettings, line_of, open_press
from drivers.registers import load_map
from simulators.modbus.gateway import Gateway
from simulators.modbus.plc import press_unit
from simulators.press import Press
from tests.foreign.serialport import serial_port
from tests.simulators.makers import a_press

REGISTERS = load_map("retrofit-plc", Path())


@pytest.fixture
def presses() -> dict[int, Press]:
    return {1: a_press(name="IMM-01", counter=100), 7: a_press(name="IMM-07", counter=700)}


@pytest.fixture
async def device(presses: dict[int, Press], socat: str, tmp_path: Path) -> AsyncGenerator[str]:
    units = {unit: press_unit(press) for unit, press in presses.items()}
    gateway = Gateway(units, framing="rtu")
    await gateway.start()
    async with serial_port(socat, tmp_path, gateway.port) as opened:
        with held(opened):
            yield opened
    await gateway.stop()


@contextmanager
def held(device: str) -> Iterator[None]:
    """Keep a pty in use: socat ends with its last user."""
    handle = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        yield
    finally:
        os.close(handle)


def settings(device: str, unit: int, **keys: Any) -> ModbusSettings:
    given = {
        "name": f"IMM-0{unit}",
        "driver": "modbus",
        "serial": device,
        "parity": "N",
        "unit": unit,
        "map": "retrofit-plc",
        "poll_s": 0.05,
        "timeout_s": 0.4,
    }
    return ModbusSettings.model_validate(given | keys)


async def test_presses_on_one_serial_line_are_read_and_their_shots_reported(
    presses: dict[int, Press], device: str
) -> None:
    async with (
        open_press(settings(device, 1), REGISTERS) as one,
        open_press(settings(device, 7), REGISTERS) as seven,
    ):
        frames = await asyncio.gather(one.read(), seven.read())
        observations = seven.observations()
        first = [await anext(observations) for _ in range(2)]
        await presses[7].mold(cooling_time_s=13.5)
        async with asyncio.timeout(10):
            async for item in observations:
                if isinstance(item, Report):
                    report = item
                    break

    assert [frame.value("counter") for frame in frames] == [100, 700]
    assert isinstance(first[0], Frame)
    assert (report.counter, report.fresh) == (701, True)
    assert report.values["cooling_time_s"] == 13.5


async def test_after_a_late_answer_the_port_is_opened_anew_and_no_value_is_anothers(
    presses: dict[int, Press], device: str
) -> None:
    chosen = settings(device, 1)
    line = line_of(chosen)
    counts: list[object] = []
    failures: list[MachineError] = []
    await presses[1].faults.on("late_replies", {"delay_s": 0.6, "every": 6})
    while len(counts) < 20:
        try:
            async with open_press(chosen, REGISTERS, line) as press:
                while len(counts) < 20:
                    counts.append((await press.read()).value("counter"))
        except (UnreachableError, GarbledError) as error:
            failures.append(error)

    assert set(counts) == {100}
    assert any("no answer within" in str(error) for error in failures)


async def test_a_port_that_goes_away_is_noticed_at_once(
    presses: dict[int, Press], socat: str, tmp_path: Path
) -> None:
    gateway = Gateway({1: press_unit(presses[1])}, framing="rtu")
    await gateway.start()
    async with (
        serial_port(socat, tmp_path, gateway.port) as device,
        open_press(settings(device, 1, timeout_s=30), REGISTERS) as press,
    ):
        await press.read()
        await gateway.stop()  # socat ends with its TCP link, and the port with socat
        async with asyncio.timeout(10):
            with pytest.raises(UnreachableError):
                await press.read()


async def test_a_port_that_is_not_there_is_named() -> None:
    with pytest.raises(UnreachableError, match="can't connect to /dev/ttyNone: no such file"):
        async with open_press(settings("/dev/ttyNone", 1), REGISTERS):
            pass
