"""The Modbus driver against the simulated press: what was molded is what is read."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from drivers import Frame, Observation, Quality, Report, UnreachableError
from drivers.modbus import ModbusSettings, open_press
from drivers.registers import RegisterMap, load_map
from simulators.modbus.face import ModbusFace
from simulators.modes import Mode, Phase
from simulators.press import Press
from tests.simulators.makers import a_press


@pytest.fixture
async def face(request: pytest.FixtureRequest) -> AsyncGenerator[ModbusFace]:
    opened = ModbusFace(a_press(counter=getattr(request, "param", 180_400)))
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
def press(face: ModbusFace) -> Press:
    return face.press


@pytest.fixture
def settings(face: ModbusFace) -> ModbusSettings:
    keys: dict[str, Any] = {
        "name": "IMM-01",
        "driver": "modbus",
        "host": "127.0.0.1",
        "port": face.port,
        "map": "retrofit-plc",
        "poll_s": 0.02,
    }
    return ModbusSettings.model_validate(keys)


@pytest.fixture
def registers(tmp_path: Path) -> RegisterMap:
    return load_map("retrofit-plc", tmp_path)


def a_frame(item: Observation) -> Frame:
    assert isinstance(item, Frame)
    return item


def a_report(item: Observation) -> Report:
    assert isinstance(item, Report)
    return item


async def test_every_shot_is_reported_as_it_was_molded(
    press: Press, settings: ModbusSettings, registers: RegisterMap
) -> None:
    async with open_press(settings, registers) as machine:
        observations = machine.observations()
        a_frame(await anext(observations))
        assert not a_report(await anext(observations)).fresh
        for number in range(1, 11):
            shot = await press.mold(dry=number == 5)
            frame = a_frame(await anext(observations))
            report = a_report(await anext(observations))

            assert frame.value("counter") == report.counter == shot.counter == 180_400 + number
            assert report.states == {"closing": shot.closing}
            assert report.values["parts_good"] == shot.parts_good
            for signal, value in report.values.items():
                if not signal.startswith("parts"):
                    step = report.resolutions[signal]
                    assert value == pytest.approx(shot.values[signal], abs=step / 2 + 1e-9)


@pytest.mark.parametrize("face", [0], indirect=True)
async def test_before_the_first_shot_there_is_nothing_to_report(
    settings: ModbusSettings, registers: RegisterMap
) -> None:
    async with open_press(settings, registers) as machine:
        observations = machine.observations()
        seen = [await anext(observations) for _ in range(3)]

    assert all(isinstance(item, Frame) for item in seen)


async def test_a_frame_shows_what_the_press_is_doing(
    press: Press, settings: ModbusSettings, registers: RegisterMap
) -> None:
    async with open_press(settings, registers) as machine:
        while await press.step() is not Phase.COOL:
            pass
        frame = await machine.read()

    assert frame.value("phase") == "cool"
    assert frame.value("mode") == "AUTOMATIC"
    assert frame.value("production_status") == "PRODUCTION"
    assert frame.value("mold") == press.mold_on.id
    assert frame.value("job") == press.job.name
    assert frame.value("coolant_flow_l_min") == pytest.approx(
        press.levels["coolant_flow_l_min"], abs=0.051
    )
    assert set(frame.qualities) == {Quality.GOOD}


async def test_a_mode_is_named_as_opc_40083_names_it(
    press: Press, settings: ModbusSettings, registers: RegisterMap
) -> None:
    async with open_press(settings, registers) as machine:
        await press.set_mode(Mode.MANUAL)
        frame = await machine.read()

    assert frame.value("mode") == "MANUAL"


async def test_a_mold_without_a_sensor_has_no_temperature(
    press: Press, settings: ModbusSettings, registers: RegisterMap
) -> None:
    press.levels = {k: v for k, v in press.levels.items() if k != "mold_temp_c"}

    async with open_press(settings, registers) as machine:
        frame = await machine.read()

    at = [column.signal for column in frame.columns].index("mold_temp_c")
    assert (frame.values[at], frame.qualities[at]) == (None, Quality.BAD)
    assert frame.value("coolant_in_c") is not None


async def test_live_values_take_one_request_and_a_shot_two_more(
    press: Press, settings: ModbusSettings, registers: RegisterMap, face: ModbusFace
) -> None:
    asked: list[bytes] = []
    plc = face.units[face.unit]
    answer = plc.answer

    def note(request: bytes) -> bytes:
        asked.append(request)
        return answer(request)

    plc.answer = note  # type: ignore[method-assign]
    async with open_press(settings, registers) as machine:
        observations = machine.observations()
        await anext(observations)
        await anext(observations)
        await press.mold()
        await anext(observations)
        await anext(observations)
        asked.clear()
        await anext(observations)
        live = list(asked)
        asked.clear()
        await press.mold()
        await anext(observations)
        await anext(observations)

    assert [request.hex() for request in live] == ["0300000024"]
    assert [request.hex() for request in asked] == ["0300000024", "0300640017", "0300000002"]


async def test_a_stopped_server_is_unreachable_and_a_new_connection_goes_on(
    press: Press, settings: ModbusSettings, registers: RegisterMap, face: ModbusFace
) -> None:
    async with open_press(settings, registers) as machine:
        observations = machine.observations()
        await anext(observations)
        await face.stop()
        with pytest.raises(UnreachableError):
            await anext(observations)
    with pytest.raises(UnreachableError, match="connection refused"):
        async with open_press(settings, registers):
            pass

    await press.mold()
    await press.mold()
    await face.start()
    async with open_press(settings, registers) as machine:
        observations = machine.observations()
        frame = a_frame(await anext(observations))
        report = a_report(await anext(observations))

    assert frame.value("counter") == report.counter == 180_402
    assert not report.fresh


async def test_a_unit_that_is_not_behind_the_gateway_is_unreachable(
    settings: ModbusSettings, registers: RegisterMap
) -> None:
    other = settings.model_copy(update={"unit": 7})

    with pytest.raises(UnreachableError, match="the gateway can't reach unit 7"):
        async with open_press(other, registers) as machine:
            await machine.read()
