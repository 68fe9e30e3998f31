"""A Modbus machine is known by a register, read again on each connection before anything counts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.canary import Canary, proven
from drivers import MachineError, MistakenError, RefusedError, UnreachableError
from drivers.errors import MapError
from drivers.modbus import ModbusSettings, line_of, open_press
from drivers.registers import RegisterMap, load_map
from simulators.modbus.face import ModbusFace
from simulators.modbus.gateway import Gateway
from simulators.modbus.plc import press_unit
from tests.drivers.registermakers import a_map
from tests.simulators.makers import a_press

MAP = """
[[register]]
signal = "counter"
address = 0
type = "uint32"

[[register]]
signal = "serial"
address = 200
type = "text"
length = 8
latched = false

[[register]]
signal = "nothing"
address = 216
type = "text"
length = 4
latched = false
"""

EMPTY = MAP.replace("216", "214").replace("length = 4", "length = 2")


@pytest.fixture
def registers(tmp_path: Path) -> RegisterMap:
    return a_map(tmp_path, MAP)


@asynccontextmanager
async def a_plc(name: str, port: int = 0) -> AsyncGenerator[ModbusFace]:
    face = ModbusFace(a_press(name=name, counter=500), port=port)
    await face.start()
    try:
        yield face
    finally:
        await face.stop()


def settings(port: int, **keys: Any) -> ModbusSettings:
    given = {
        "name": "IMM-12",
        "driver": "modbus",
        "host": "127.0.0.1",
        "port": port,
        "map": "map.toml",
        "poll_s": 0.05,
        "timeout_s": 0.5,
        "identity": {"register": "serial", "value": "IMM-12"},
    }
    return ModbusSettings.model_validate(given | keys)


async def test_the_right_machine_is_read_and_its_name_with_it_once(registers: RegisterMap) -> None:
    async with (
        a_plc("IMM-12") as face,
        open_press(settings(face.port), registers) as press,
    ):
        assert press.identity == {"identity": "IMM-12"}
        assert [column.signal for column in press.columns] == ["counter", "nothing"]
        assert (await press.read()).values[0] == 500


async def test_another_machine_at_the_same_address_is_named(registers: RegisterMap) -> None:
    async with a_plc("IMM-12") as face:
        port = face.port
        async with open_press(settings(port), registers):
            pass

    async with a_plc("IMM-13", port):
        with pytest.raises(
            MistakenError, match=r"serial at holding 200 is 'IMM-13'; it should be 'IMM-12'"
        ):
            async with open_press(settings(port), registers):
                pass
        open_ended = settings(port, identity={"register": "serial"})
        async with open_press(open_ended, registers) as press:
            assert press.identity == {"identity": "IMM-13"}


async def test_a_register_that_holds_no_name_proves_nothing(registers: RegisterMap) -> None:
    async with a_plc("IMM-12") as face:
        empty = settings(face.port, identity={"register": "nothing"})
        with pytest.raises(RefusedError, match="identity: nothing at holding 216: refused"):
            async with open_press(empty, registers):
                pass


def of_its_map(port: int) -> ModbusSettings:
    return settings(port).model_copy(update={"identity": None})


async def test_a_map_may_say_what_each_machine_of_its_model_is_known_by(tmp_path: Path) -> None:
    registers = a_map(tmp_path, 'identity = "serial"\n' + MAP)
    async with a_plc("IMM-12") as face, open_press(of_its_map(face.port), registers) as press:
        assert press.identity == {"identity": "IMM-12"}
        assert [column.signal for column in press.columns] == ["counter", "nothing"]


async def test_the_shipped_map_has_a_serial_number_that_no_poll_reads() -> None:
    registers = load_map("retrofit-plc", Path())
    async with a_plc("IMM-12") as face, open_press(of_its_map(face.port), registers) as press:
        assert press.identity == {"identity": "IMM-12"}
        columns = [*press.columns, *press.report_columns]
        assert "serial_number" not in [column.signal for column in columns]


async def test_a_device_in_which_nobody_has_put_its_models_number_is_taken_as_it_is(
    tmp_path: Path,
) -> None:
    registers = a_map(tmp_path, 'identity = "nothing"\n' + EMPTY)
    async with a_plc("IMM-12") as face, open_press(of_its_map(face.port), registers) as press:
        assert press.identity == {}


async def test_a_device_without_its_models_number_is_read_and_what_it_lacks_is_said(
    tmp_path: Path,
) -> None:
    registers = a_map(tmp_path, 'identity = "nothing"\n' + MAP)
    async with a_plc("IMM-12") as face, open_press(of_its_map(face.port), registers) as press:
        assert press.identity == {}
        assert press.condition.unavailable == (
            "nothing at holding 216: refused; nothing tells this device from another one",
        )
        assert (await press.read()).values[0] == 500


async def test_who_had_a_number_and_refuses_it_now_is_another_machine(tmp_path: Path) -> None:
    """Whoever once has told who it is has to tell it each time; a neighbor's plug may be in."""
    named = a_map(tmp_path, 'identity = "serial"\n' + MAP)
    canary = Canary(tmp_path, "IMM-12")
    async with a_plc("IMM-12") as face:
        async with proven(lambda: open_press(of_its_map(face.port), named), canary, remember=True):
            pass
        lacking = a_map(tmp_path, 'identity = "nothing"\n' + MAP)
        with pytest.raises(MistakenError, match="it does not show what it is known by"):
            async with proven(
                lambda: open_press(of_its_map(face.port), lacking), canary, remember=True
            ):
                pass


def test_a_map_is_known_by_a_register_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(MapError, match=r"identity: found 'number'; map 'map' has counter, nothing"):
        a_map(tmp_path, 'identity = "number"\n' + MAP)


async def test_who_shares_a_line_proves_itself_again_when_another_one_has_it_made_anew(
    registers: RegisterMap,
) -> None:
    """In RTU frames a unit's silence closes the connection that everybody uses."""
    units = {1: press_unit(a_press(name="IMM-12", counter=500))}
    gateway = Gateway(units, framing="rtu", patience_s=0.1)
    await gateway.start()
    try:
        known = settings(gateway.port, unit=1, framing="rtu")
        plain = known.model_copy(update={"name": "IMM-13", "identity": None})
        dead = known.model_copy(update={"name": "IMM-14", "identity": None, "unit": 9})
        line = line_of(known)
        async with (
            open_press(known, registers, line) as proven,
            open_press(plain, registers, line) as other,
        ):

            async def break_the_connection() -> None:
                async with open_press(dead, registers, line) as silent:
                    with pytest.raises(MachineError):
                        await silent.read()

            assert (await proven.read()).values[0] == 500
            await break_the_connection()
            assert (await proven.read()).values[0] == 500, "it need not join anew"
            units[1] = press_unit(a_press(name="IMM-15", counter=900))
            assert (await proven.read()).values[0] == 900, "nothing shows it on this connection"
            await break_the_connection()
            with pytest.raises(MistakenError, match="is 'IMM-15'; it should be 'IMM-12'"):
                await proven.read()
            with pytest.raises(UnreachableError, match="another machine answers"):
                await proven.read()
            assert (await other.read()).values[0] == 900, "nobody asked who that is"
    finally:
        await gateway.stop()
