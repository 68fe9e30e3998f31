"""The page on the simulated Modbus devices says what they have."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.modbus import ModbusSettings, open_press
from drivers.registers import load_map
from simulators.modbus.curveblocks import CURVES_APART, CURVES_AT, RING_APART, RING_AT, SIGNALS
from simulators.modbus.plc import LAST_AT, LAST_CYCLE, LEVELS
from simulators.modbus.server import ModbusServer
from simulators.modbus.tcu import FLOATS_AT, PARAMETERS, tcu_unit
from tests.simulators.makers import a_press

PAGE = (Path(__file__).parents[2] / "docs/reference/simulators-modbus.md").read_text("utf-8")
TYPES = {"h": "int16", "H": "uint16"}
LEVELS_AT = 10


def rows(after: str) -> Iterator[list[str]]:
    """Cells of the table that follows, up to the next heading."""
    section = PAGE.split(after)[1].split("\n#")[0]
    for line in section.splitlines():
        if re.match(r"\| [0-9]", line):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_live_levels_stand_on_it() -> None:
    wanted = [
        [str(LEVELS_AT + number), TYPES[kind], "0.1", f"`{signal}`"]
        for number, (signal, kind) in enumerate(LEVELS)
    ]

    assert [row for row in rows("### Live") if row in wanted] == wanted


def test_the_last_cycle_stands_on_it() -> None:
    wanted = [
        [str(LAST_AT + number), TYPES[kind], f"{step:g}", f"`{signal}`"]
        for number, (signal, step, kind) in enumerate(LAST_CYCLE)
    ]

    assert list(rows("### The last closing"))[: len(wanted)] == wanted


def test_curves_stand_on_it() -> None:
    wanted = [
        [
            str(RING_AT + RING_APART * number),
            str(CURVES_AT + CURVES_APART * number),
            f"{step:g}",
            f"`{signal}`",
        ]
        for number, (signal, step) in enumerate(SIGNALS.items())
    ]

    assert list(rows("### Curves"))[: len(wanted)] == wanted


def test_the_temperature_control_unit_stands_on_it() -> None:
    found = [[*row[:3], row[3].split("`")[1]] for row in rows("## Temperature control unit")]

    assert found == [
        [str(number), f"{each.step:g}", str(FLOATS_AT + 2 * number), each.name]
        for number, each in enumerate(PARAMETERS)
    ]


async def test_the_shipped_map_reads_a_temperature_control_unit(tmp_path: Path) -> None:
    press = a_press()
    server = ModbusServer({9: tcu_unit(press)})
    await server.start()
    settings = ModbusSettings.model_validate(
        {
            "name": "TCU-1",
            "driver": "modbus",
            "host": server.host,
            "port": server.port,
            "unit": 9,
            "map": "tcu-9",
        }
    )

    async with open_press(settings, load_map("tcu-9", tmp_path)) as machine:
        frame = await machine.read()
    await server.stop()

    for signal in ("coolant_in_c", "coolant_out_c", "coolant_flow_l_min"):
        assert frame.value(signal) == pytest.approx(press.levels[signal])
    assert frame.value("coolant_pressure_difference_bar") == pytest.approx(1.2, abs=0.1)
    assert frame.value("mold_temp_set_c") == press.program.coolant_in_c
    assert frame.value("TCU/mode") == "regulating"
