"""Debian's mbpoll reads presses that speak Modbus.

mbpoll has no RTU over TCP. A plant that wants it makes a serial port of the link, and so do we.
"""

import asyncio
import re
from pathlib import Path

import pytest

from simulators.fleet import Fleet
from simulators.plant import Plant, open_plant
from simulators.press import Press
from tests.foreign import truth
from tests.foreign.serialport import serial_port

ONCE = ("-1", "-0")
"""Poll once; registers are counted from 0."""


@pytest.fixture
def press(plant: Plant) -> Press:
    return plant.presses["IMM-01"]


@pytest.fixture
def port(plant: Plant) -> int:
    return plant.ports["IMM-01"]


async def said(*command: str) -> str:
    """What a command prints; it must not complain."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(10):
        printed, complaints = await process.communicate()
    assert (process.returncode, complaints.decode()) == (0, "")
    return printed.decode()


def values(printed: str) -> dict[int, str]:
    """Values by register, as mbpoll writes them."""
    return {int(at): value for at, value in re.findall(r"^\[(\d+)\]:\s+(\S+)", printed, re.M)}


async def polled(mbpoll: str, port: int, *what: str) -> dict[int, str]:
    return values(await said(mbpoll, *ONCE, "-p", str(port), *what, "127.0.0.1"))


async def test_the_counter_is_a_number_of_32_bits_high_word_first(
    mbpoll: str, press: Press, port: int
) -> None:
    press.counters.machine = 70_000
    await press.mold()

    read = await polled(mbpoll, port, "-t", "4:int", "-B", "-r", "0")

    assert read == {0: "70001"}


async def test_pressures_are_floats_low_word_first(mbpoll: str, press: Press, port: int) -> None:
    await press.step()
    await press.step()
    press.clock.advance(0.7)

    read = await polled(mbpoll, port, "-t", "4:float", "-r", "5", "-c", "2")

    live = press.live
    assert live.injection_pressure_bar > 100
    assert float(read[5]) == pytest.approx(live.injection_pressure_bar, abs=0.1)
    assert float(read[7]) == pytest.approx(live.cavity_pressure_bar, abs=0.1)


@pytest.mark.parametrize("table", ["3", "4"], ids=["input registers", "holding registers"])
async def test_the_last_cycle_is_in_its_registers(
    mbpoll: str, press: Press, port: int, table: str
) -> None:
    read = await polled(mbpoll, port, "-t", table, "-r", "100", "-c", "25")

    expected = truth.registers(press)
    assert {at: int(read[at]) for at in expected} == expected
    assert read[121] == str(press.mold_on.cavities)


async def test_mold_and_job_are_text_of_two_characters_a_register(
    mbpoll: str, press: Press, port: int
) -> None:
    read = await polled(mbpoll, port, "-t", "4:hex", "-r", "20", "-c", "16")

    text = bytes.fromhex("".join(word.removeprefix("0x") for word in read.values()))
    assert text[:16].rstrip(b"\0").decode() == press.mold_shown.id
    assert text[16:].rstrip(b"\0").decode() == press.job.name


async def test_contacts_are_discrete_inputs(mbpoll: str, press: Press, port: int) -> None:
    mold_open = await polled(mbpoll, port, "-t", "1", "-r", "0", "-c", "4")
    await press.step()
    await press.step()
    injecting = await polled(mbpoll, port, "-t", "1", "-r", "0", "-c", "4")

    assert list(mold_open.values()) == ["0", "0", "0", "1"]
    assert list(injecting.values()) == ["1", "1", "0", "1"]


def on_a_line(framing: str) -> Fleet:
    """Two presses on one serial line behind a gateway."""
    line = {"protocol": "modbus", "gateway": "line-1", "framing": framing}
    return Fleet.model_validate(
        {
            "mold": [{"id": "A-1"}, {"id": "A-2"}],
            "press": [
                {"name": "IMM-01", "mold": "A-1", "unit": 1, "counter": 100, **line},
                {"name": "IMM-02", "mold": "A-2", "unit": 7, "counter": 200, **line},
            ],
        }
    )


async def test_a_gateway_has_several_units(mbpoll: str) -> None:
    async with open_plant(on_a_line("tcp"), speed=None, free_ports=True) as plant:
        port = plant.ports["IMM-01"]

        first = await polled(mbpoll, port, "-a", "1", "-t", "4:int", "-B", "-r", "0")
        second = await polled(mbpoll, port, "-a", "7", "-t", "4:int", "-B", "-r", "0")

    assert (first, second) == ({0: "100"}, {0: "200"})


async def test_rtu_frames_over_tcp_are_read_through_a_serial_port(
    mbpoll: str, socat: str, tmp_path: Path
) -> None:
    async with (
        open_plant(on_a_line("rtu"), speed=None, free_ports=True) as plant,
        serial_port(socat, tmp_path, plant.ports["IMM-01"]) as device,
    ):
        rtu = (mbpoll, *ONCE, "-m", "rtu", "-b", "115200", "-P", "none")
        printed = await said(*rtu, "-a", "1,7", "-t", "4:int", "-B", "-r", "0", device)

    first, second = printed.split("-- Polling slave 7...")
    assert (values(first), values(second)) == ({0: "100"}, {0: "200"})
