"""A temperature control device at a press is a second source, and never a way to be blind."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua

from agent.attached import Attached
from agent.config import Loaded, load
from agent.devices import ModbusDevice
from agent.machine import opener
from agent.place import ConfigError
from drivers import Change, Column, Frame, Quality
from simulators.euromap77.face import Euromap77Face
from simulators.modbus.server import ModbusServer
from simulators.modbus.tcu import tcu_unit
from simulators.press import Press
from tests.drivers.officialserver import official_server
from tests.drivers.press77 import Stream, hand_press, serving


def written(folder: Path, text: str) -> Loaded:
    file = folder / "sprue.toml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def machine(url: str, *devices: str) -> str:
    head = f'[[machine]]\nname = "IMM-07"\ndriver = "euromap77"\nurl = "{url}"\npoll_s = 0.05\n'
    return head + "".join(f"\n[[machine.tcd]]\n{device}\n" for device in devices)


def tcu(server: ModbusServer, **more: Any) -> str:
    keys = {"host": server.host, "port": server.port, "unit": 9, "map": "tcu-9", "poll_s": 0.05}
    keys |= {"max_age_s": 0.5, "timeout_s": 0.3} | more
    return "\n".join(f"{key} = {value!r}" for key, value in keys.items())


@asynccontextmanager
async def opened(loaded: Loaded) -> AsyncGenerator[Any]:
    async with opener(loaded.config.machine[0], loaded)() as press:
        yield press


async def until(stream: Stream, signal: str, quality: Quality) -> Frame:
    """The first frame in which a signal is so."""
    async with asyncio.timeout(10):
        while True:
            frame = await stream.frame()
            names = [column.signal for column in frame.columns]
            if signal in names and frame.qualities[names.index(signal)] is quality:
                return frame


@pytest.fixture
async def press() -> Press:
    press = hand_press()
    await press.mold()
    return press


async def test_the_water_joins_the_presss_frames_and_its_loss_blinds_nobody(
    press: Press, tmp_path: Path
) -> None:
    water = ModbusServer({9: tcu_unit(press)})
    await water.start()
    async with serving(Euromap77Face(press)) as face:
        loaded = written(tmp_path, machine(face.address, tcu(water)))
        async with opened(loaded) as both:
            stream = Stream(both.observations())
            there = await until(stream, "coolant_in_c", Quality.GOOD)
            await water.stop()
            gone = await until(stream, "coolant_in_c", Quality.MISSING)
            lost, condition = await stream.notice(), both.condition
            shot = await press.mold()
            report = await stream.report()
            again = ModbusServer({9: tcu_unit(press)}, port=water.port)
            await again.start()
            await until(stream, "coolant_in_c", Quality.GOOD)
            back = await stream.notice()
        await again.stop()

    for signal in ("coolant_in_c", "coolant_out_c", "coolant_flow_l_min"):
        assert there.value(signal) == pytest.approx(press.levels[signal], abs=1)
    assert there.value("coolant_pressure_difference_bar") == pytest.approx(1.2, abs=0.1)
    assert there.value("mold_temp_set_c") == press.program.mold_temp_set_c, "the press's own"
    assert there.value("circuit_1_mold_temp_set_c") == press.program.coolant_in_c
    assert there.value("TCU/mode") == "regulating"
    assert gone.value("coolant_flow_l_min") is None
    assert gone.value("counter") == 1, "the press goes on"
    assert report.counter == shot.counter
    assert (lost.machine, lost.change, lost.name) == ("IMM-07", Change.MESSAGE, "IMM-07 TCD")
    assert str(lost.new).startswith("lost: ")
    assert any(why.startswith("IMM-07 TCD: ") for why in condition.unavailable)
    assert (back.old, back.new) == ("lost", "connected")


async def test_a_device_that_was_never_there_is_said_to_be_missing(
    press: Press, tmp_path: Path, free_port: int
) -> None:
    absent = ModbusServer({}, port=free_port)
    async with serving(Euromap77Face(press)) as face:
        loaded = written(tmp_path, machine(face.address, tcu(absent)))
        async with opened(loaded) as both:
            frame = await both.read()
            unavailable = both.condition.unavailable

    assert frame.value("counter") == 1
    assert [why for why in unavailable if why.startswith("IMM-07 TCD: ")]


async def test_circuits_have_numbers(press: Press, tmp_path: Path) -> None:
    water = ModbusServer({9: tcu_unit(press), 10: tcu_unit(press, name="two")})
    await water.start()
    async with serving(Euromap77Face(press)) as face:
        devices = tcu(water), tcu(water, unit=10, zone=2)
        async with opened(written(tmp_path, machine(face.address, *devices))) as both:
            frame = await both.read()
    await water.stop()

    assert frame.value("circuit_2_coolant_in_c") == frame.value("coolant_in_c") is not None
    assert frame.value("TCU_2/mode") == "regulating"
    sources = {column.signal: column.source for column in frame.columns}
    assert sources["circuit_2_coolant_in_c"].startswith("IMM-07 TCD 2 ")


async def test_a_device_of_the_official_types_on_the_presss_own_server(
    nodesets: Path, tmp_path: Path
) -> None:
    async with official_server(nodesets, jobs=True, water=True) as server:
        await server.set_water("DeviceZone/TemperatureMainLine", 104.0)
        await server.set_water("DeviceZone/TemperatureReturnLine", 113.0)
        await server.set_water("DeviceZone/FlowRate/ActualValue", 11.5)
        await server.set_water("DeviceZone/Temperature/SetValue", 104.0)
        await server.set_water("Operation/OperatingMode", 2, ua.VariantType.Int32)
        await server.set_water("Operation/HighestActiveAlarmSeverity", 0, ua.VariantType.UInt16)
        await server.raise_water()
        loaded = written(tmp_path, machine(server.url, "poll_s = 0.05\nmax_age_s = 1"))
        async with opened(loaded) as both:
            stream = Stream(both.observations())
            await both.read()
            frame = await until(stream, "coolant_in_c", Quality.GOOD)
            await server.switch_water_to_celsius(TemperatureMainLine=40.0)
            notice = await stream.notice()
            await server.set_water("Operation/OperatingMode", 7, ua.VariantType.Int32)
            mode = await stream.notice()
            await server.set_water(
                "Operation/HighestActiveAlarmSeverity", 500, ua.VariantType.UInt16
            )
            alarm = await stream.notice()
            await server.raise_water(("E7", 300, "Filter dirty"), ("E21", 500, "Flow too low"))
            errors = await stream.notice()
            await server.raise_water()
            cleared = await stream.notice()
            after = (await stream.frames(3))[-1]

    assert frame.value("coolant_in_c") == pytest.approx(40.0)
    assert frame.value("coolant_out_c") == pytest.approx(45.0)
    assert frame.value("coolant_flow_l_min") == 11.5
    assert frame.value("mold_temp_set_c") == pytest.approx(40.0)
    assert frame.value("TCD/OperatingMode") == "NORMAL_OPERATION"
    assert (notice.change, notice.name, notice.old, notice.new) == (
        Change.UNIT,
        "coolant_in_c",
        "°F",
        "°C",
    )
    assert after.value("coolant_in_c") == pytest.approx(40.0)
    assert (mode.machine, mode.name) == ("IMM-07", "TCD/OperatingMode")
    assert (mode.old, mode.new) == ("NORMAL_OPERATION", "SAFETY_COOLING")
    assert (alarm.name, alarm.new) == ("TCD/HighestActiveAlarmSeverity", 500)
    assert (errors.name, errors.old) == ("TCD/ActiveErrors", "")
    assert errors.new == "Flow too low (E21); Filter dirty (E7)"
    assert (cleared.old, cleared.new) == (errors.new, "")


class Once:
    """A device that shows something once, and then says nothing more and does not go away."""

    async def observations(self) -> AsyncIterator[Frame]:
        columns = (Column(signal="coolant_in_c", source="holding 4000"),)
        yield Frame(
            machine="TCU",
            columns=columns,
            values=(40.0,),
            qualities=(Quality.GOOD,),
            received_at=datetime.now(UTC),
        )
        await asyncio.Event().wait()


@asynccontextmanager
async def once() -> AsyncGenerator[Any]:
    yield Once()


async def test_a_value_is_never_older_than_stated() -> None:
    keys = {"driver": "modbus", "name": "TCU", "host": "h", "map": "tcu-9", "max_age_s": 4}
    device = Attached(ModbusDevice.model_validate(keys), "IMM-07", once)
    before = device.shown(0.0), [*device.unavailable(0.0)]
    follower = asyncio.create_task(device.follow())
    await device.tried.wait()
    now_s = asyncio.get_running_loop().time()
    fresh, old = device.shown(now_s + 3.5), device.shown(now_s + 4.5)
    why = [*device.unavailable(now_s + 3.5)], [*device.unavailable(now_s + 4.5)]
    follower.cancel()
    await asyncio.wait([follower])

    assert before == (([], []), ["TCU: not connected yet"])
    assert fresh == ((40.0,), (Quality.GOOD,))
    assert old == ([None], [Quality.MISSING])
    assert why == ([], ["TCU: nothing new for over 4 s"])
    assert [*device.notices()] == [], "it is as it should be"


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        ("zone = 0", "machine[1].tcd[1].zone: found 0; it should be greater than or equal to 1"),
        ("cooling = 'edges'", "should have no 'cooling', which is for a machine"),
        ("driver = 'snmp'", "machine[1].tcd[1].driver: found 'snmp'; it should be one of tcd, "),
        ("sreial = 'x'", "machine[1].tcd[1].sreial: no such key; did you mean 'serial'?"),
        ("max_age_s = 1", "'max_age_s' is 1, and a value comes every 1 s; it should be at least 2"),
        ("host = 'h'\nmap = 'nope'", "machine[1].tcd[1].map (IMM-07 TCD): "),
        ("zone = 2\n[[machine.tcd]]\nzone = 2", "'tcd' has zone 2 more than once"),
        ("name = 'IMM-07'", "machine[1] and machine[1].tcd[1]: found the name 'IMM-07' 2 times"),
    ],
)
def test_a_table_that_is_wrong_is_told_with_file_and_key(
    tmp_path: Path, device: str, sentence: str
) -> None:
    with pytest.raises(ConfigError) as error:
        written(tmp_path, machine("opc.tcp://192.0.2.7", device))

    assert str(error.value).startswith(f"{tmp_path / 'sprue.toml'}: ")
    assert sentence in str(error.value)
