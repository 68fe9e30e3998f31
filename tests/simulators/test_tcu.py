"""A temperature control unit as a bare Modbus client sees it, and what it says of water faults."""

import struct
from collections.abc import AsyncGenerator, Mapping

import pytest
from pymodbus.client import AsyncModbusTcpClient

from simulators.modbus.server import ModbusServer
from simulators.modbus.tcu import (
    FLOATS_AT,
    FLOW_ALARM,
    PARAMETERS,
    PRESSURE_ALARM,
    TEMPERATURE_ALARM,
    tcu_unit,
    tcu_values,
)
from simulators.press import Press
from tests.simulators.makers import a_press


@pytest.fixture
async def press() -> Press:
    press = a_press()
    await press.mold()
    return press


@pytest.fixture
async def client(press: Press) -> AsyncGenerator[AsyncModbusTcpClient]:
    server = ModbusServer({9: tcu_unit(press)})
    await server.start()
    async with AsyncModbusTcpClient(server.host, port=server.port, retries=0) as client:
        yield client
    await server.stop()


async def values(client: AsyncModbusTcpClient) -> dict[str, float]:
    """All values, from the floats."""
    count = 2 * len(PARAMETERS)
    answer = await client.read_holding_registers(FLOATS_AT, count=count, device_id=9)
    pairs = zip(answer.registers[::2], answer.registers[1::2], strict=True)
    floats = [struct.unpack(">f", struct.pack(">HH", high, low))[0] for low, high in pairs]
    return dict(zip((each.name for each in PARAMETERS), floats, strict=True))


async def test_it_shows_the_coolant_of_its_press(
    press: Press, client: AsyncModbusTcpClient
) -> None:
    shown = await values(client)

    assert shown["main_line_c"] == pytest.approx(press.levels["coolant_in_c"])
    assert shown["return_c"] == pytest.approx(press.levels["coolant_out_c"])
    assert shown["flow_l_min"] == pytest.approx(press.levels["coolant_flow_l_min"])
    assert shown["set_c"] == pytest.approx(press.program.coolant_in_c)
    assert shown["power_kw"] < 0  # the melt heats, so the unit cools
    assert shown["alarms"] == 0


async def test_integers_and_floats_are_the_same_in_both_register_areas(
    client: AsyncModbusTcpClient,
) -> None:
    shown = await values(client)

    holding = await client.read_holding_registers(0, count=len(PARAMETERS), device_id=9)
    inputs = await client.read_input_registers(0, count=len(PARAMETERS), device_id=9)

    assert holding.registers == inputs.registers
    for parameter, word in zip(PARAMETERS, holding.registers, strict=True):
        number = word - 0x10000 if word & 0x8000 else word
        assert number * parameter.step == pytest.approx(
            shown[parameter.name], abs=parameter.step / 2 + 1e-6
        ), parameter.name


async def test_one_request_reads_forty_registers_at_most(press: Press) -> None:
    unit = tcu_unit(press)

    assert unit.answer(struct.pack(">BHH", 3, 4000, 41)) == bytes((0x83, 3))
    assert unit.answer(struct.pack(">BHH", 3, 4000, 20))[0] == 3


async def molded(press: Press, shots: int = 30) -> list[Mapping[str, float]]:
    """What it shows after each of some shots."""
    shown = []
    for _ in range(shots):
        await press.mold()
        shown.append(tcu_values(press))
    return shown


def mean(shown: list[Mapping[str, float]]) -> Mapping[str, float]:
    """Of what it shows over several shots; single temperatures are rounded to 0.1 K."""
    return {name: sum(each[name] for each in shown) / len(shown) for name in shown[0]}


async def test_a_blocked_circuit_shows_less_flow_more_pressure_and_a_warmer_return(
    press: Press,
) -> None:
    before = (await molded(press, 5))[-1]

    await press.faults.on("coolant_flow_low", {"share": 0.5, "over": 5})
    now = (await molded(press))[-1]

    assert now["flow_l_min"] == pytest.approx(before["flow_l_min"] / 2, rel=0.05)
    assert now["pressure_difference_bar"] > before["pressure_difference_bar"] + 0.3
    assert now["return_c"] > before["return_c"] + 1
    assert now["main_line_c"] == pytest.approx(before["main_line_c"], abs=0.5)
    assert int(now["alarms"]) == FLOW_ALARM | PRESSURE_ALARM


async def test_scale_shows_in_nothing_but_a_little_less_heat(press: Press) -> None:
    before = mean(await molded(press))

    await press.faults.on("fouling", {"scale_mm": 0.5, "over": 5})
    await molded(press)
    now = mean(await molded(press))

    assert now["flow_l_min"] == pytest.approx(before["flow_l_min"], rel=0.05)
    assert now["return_c"] == pytest.approx(before["return_c"], abs=0.5)
    assert now["pressure_difference_bar"] == pytest.approx(
        before["pressure_difference_bar"], rel=0.1
    )
    assert 0.8 < now["power_kw"] / before["power_kw"] < 0.99
    assert now["alarms"] == 0


async def test_a_warm_supply_shows_in_both_lines_alike(press: Press) -> None:
    before = (await molded(press, 5))[-1]

    await press.faults.on("coolant_supply_warm", {"by_k": 5, "over": 5})
    now = (await molded(press))[-1]

    for line in ("main_line_c", "return_c"):
        assert now[line] == pytest.approx(before[line] + 5, abs=0.6)
    assert int(now["alarms"]) == TEMPERATURE_ALARM


async def test_a_unit_that_hunts_swings_around_its_set_value(press: Press) -> None:
    await press.faults.on("temperature_control_fault", {"swing_k": 4, "period": 12})

    main_line = [shown["main_line_c"] for shown in await molded(press)]

    assert max(main_line) - min(main_line) > 6
    assert sum(main_line) / len(main_line) == pytest.approx(press.program.coolant_in_c, abs=1)


async def test_water_that_is_lost_shows_less_flow_and_less_pressure(press: Press) -> None:
    before = tcu_values(press)

    press.levels = {**press.levels, "coolant_flow_l_min": press.program.coolant_flow_l_min / 2}

    now = tcu_values(press)
    assert now["pressure_difference_bar"] < before["pressure_difference_bar"] / 2
    assert int(now["alarms"]) == FLOW_ALARM


@pytest.mark.parametrize(("off_k", "mode"), [(0, 1), (-6, 2), (6, 3)])
async def test_it_says_whether_it_heats_up_or_cools_down(
    press: Press, off_k: float, mode: int
) -> None:
    press.levels = {**press.levels, "coolant_in_c": press.program.coolant_in_c + off_k}

    shown = tcu_values(press)

    assert shown["mode"] == mode
    assert bool(shown["alarms"]) == (off_k != 0)


async def test_its_faults_are_its_own(press: Press) -> None:
    unit = tcu_unit(press)
    await press.faults.on("exception_04")
    assert unit.answer(struct.pack(">BHH", 3, 0, 1))[0] == 3

    await unit.faults.on("sentinel")

    main_line, _, set_value = struct.unpack(">hhh", unit.answer(struct.pack(">BHH", 3, 0, 3))[2:])
    assert main_line == -32_768
    assert set_value == round(press.program.coolant_in_c * 10)
