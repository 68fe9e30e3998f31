"""Curves as a plain Modbus client reads them."""

import asyncio
from collections.abc import AsyncGenerator

import numpy as np
import pytest
from numpy.typing import NDArray
from pymodbus.client import AsyncModbusTcpClient

from simulators.modbus.curveblocks import RING_SAMPLES
from simulators.modbus.face import ModbusFace
from simulators.modes import Phase
from simulators.mold import Mold
from simulators.molding import Molding
from simulators.press import Press
from tests.simulators.makers import a_press

NO_SAMPLE = -0x8000
RINGS = {
    "injection_pressure_bar": (1000, 0.1),
    "cavity_pressure_bar": (1200, 0.1),
    "screw_position_mm": (1400, 0.01),
}
PAGES = {
    "injection_pressure_bar": (2000, 0.1),
    "cavity_pressure_bar": (12000, 0.1),
    "screw_position_mm": (22000, 0.01),
}
QUICK = Mold(id="A-1", expected_cycle_s=5.0)


@pytest.fixture
async def press() -> Press:
    return a_press(counter=70_000)


@pytest.fixture
async def client(press: Press) -> AsyncGenerator[AsyncModbusTcpClient]:
    face = ModbusFace(press)
    await face.start()
    async with AsyncModbusTcpClient(face.host, port=face.port, retries=0) as client:
        yield client
    await face.stop()


async def words(client: AsyncModbusTcpClient, first: int, count: int) -> list[int]:
    answer = await client.read_holding_registers(first, count=count)
    assert not answer.isError()
    return list(answer.registers)


def signed(registers: list[int]) -> NDArray[np.int16]:
    return np.array(registers, np.uint16).astype(np.int16)


async def ring(client: AsyncModbusTcpClient, at: int) -> tuple[list[int], NDArray[np.int16]]:
    """Header, and the samples that there are."""
    registers = await words(client, at, 3 + RING_SAMPLES)
    samples = signed(registers[3:])
    nothing = RING_SAMPLES - registers[2]
    assert (samples[:nothing] == NO_SAMPLE).all()
    return registers[:3], samples[nothing:]


async def whole_curve(client: AsyncModbusTcpClient, at: int) -> NDArray[np.int16]:
    """A page after the other, as long as the device says that the curve is."""
    _, _, count, interval_ms = await words(client, 1600, 4)
    assert interval_ms == 10
    pages = [
        await words(client, at + first, min(125, count - first)) for first in range(0, count, 125)
    ]
    return signed([word for page in pages for word in page])


async def test_the_last_closings_curves_are_there_as_a_whole(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.mold()

    high, low, count, _ = await words(client, 1600, 4)
    assert press.last_curves is not None
    assert (high << 16 | low, count) == (70_001, press.last_curves.count)
    for signal, (at, step) in PAGES.items():
        counts = await whole_curve(client, at)
        truth = getattr(press.last_curves, signal)
        assert counts * step == pytest.approx(truth, abs=step / 2 + 1e-3), signal
        beyond = signed(await words(client, at + count, 2))
        assert list(beyond) == [NO_SAMPLE, NO_SAMPLE]


async def test_a_ring_shows_the_newest_samples_of_the_closing_that_runs(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    while await press.step() is not Phase.HOLD:
        pass
    press.clock.advance(0.5)
    assert press.curves is not None
    block = press.curves.newest(press.seconds, RING_SAMPLES)

    for signal, (at, step) in RINGS.items():
        (counter, newest, count), counts = await ring(client, at)
        truth = getattr(block, signal)
        assert counter == 70_000 & 0xFFFF
        assert (newest, count) == (block.first + len(truth) - 1, len(truth))
        assert counts * step == pytest.approx(truth, abs=step / 2 + 1e-3), signal
    assert counts[-1] == round(press.live.screw_position_mm * 100)


async def test_a_ring_goes_on_from_one_closing_to_the_next(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.mold()
    await press.step()
    press.clock.advance(0.3)
    assert press.last_curves is not None

    (counter, newest, count), counts = await ring(client, 1400)

    assert (counter, newest, count) == (70_001 & 0xFFFF, 30, RING_SAMPLES)
    before = press.last_curves.screw_position_mm[newest + 1 - RING_SAMPLES :]
    assert counts[: -newest - 1] * 0.01 == pytest.approx(before, abs=0.006)


async def test_a_machine_that_has_not_molded_has_no_curves(client: AsyncModbusTcpClient) -> None:
    (_, newest, count), counts = await ring(client, 1000)

    assert (newest, count, len(counts)) == (0, 0, 0)
    assert (await words(client, 1600, 4))[2] == 0
    assert set(signed(await words(client, 2000, 125))) == {NO_SAMPLE}


async def test_a_client_that_polls_often_enough_sees_every_sample() -> None:
    press = a_press(speed=4, mold=QUICK)
    face = ModbusFace(press)
    await face.start()
    run = asyncio.create_task(Molding(press).run())
    closings: list[dict[int, int]] = [{}]

    async with AsyncModbusTcpClient(face.host, port=face.port, retries=0) as client:
        while len(closings) < 3:
            (_, newest, _), counts = await ring(client, 1000)
            if closings[-1] and newest < max(closings[-1]):
                whole = press.last_curves
                closings.append({})
            for back, value in enumerate(reversed(counts.tolist())):
                if newest - back >= 0:
                    closings[-1][newest - back] = value
                elif len(closings) > 1 and whole is not None:
                    closings[-2][whole.count + newest - back] = value
            await asyncio.sleep(0.02)
    run.cancel()
    await face.stop()

    assert whole is not None
    seen = closings[-2]
    assert sorted(seen) == list(range(whole.count))
    assert [seen[number] * 0.1 for number in range(whole.count)] == pytest.approx(
        whole.injection_pressure_bar, abs=0.051
    )


async def test_curves_of_absent_sensors_are_no_samples(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    await press.mold()

    await press.faults.on("sentinel")

    assert set(signed(await words(client, 2000, 125))) == {NO_SAMPLE}
    (_, _, count), counts = await ring(client, 1000)
    assert count == RING_SAMPLES
    assert set(counts) == {NO_SAMPLE}
