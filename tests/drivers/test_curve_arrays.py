"""Curves that a press keeps of its last shot come whole, at its own rate, and of that shot."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from agent.assembly import Assembly
from agent.cycle import Cycle
from drivers import MapError, RefusedError, Report
from drivers.euromap77 import open_press
from drivers.modbus import ModbusSettings
from drivers.modbus import open_press as open_plc
from drivers.nodes import load_map
from drivers.opcua import OpcUaSettings
from drivers.opcua import open_press as open_flat
from drivers.registers import SHIPPED
from drivers.registers import load_map as load_registers
from simulators.euromap77.face import Euromap77Face
from simulators.euromap77.options import Options
from simulators.flat.face import FlatFace
from simulators.modbus.plc import press_unit
from simulators.modbus.server import ModbusServer
from simulators.press import Press
from tests.drivers.press77 import Stream, hand_press, serving, settings

CURVES = {
    "at": "ProcessCurves",
    "interval": "SampleInterval",
    "signals": {
        "InjectionPressure": "injection_pressure_bar",
        "CavityPressure": "cavity_pressure_bar",
        "ScrewPosition": "screw_position_mm",
    },
}
NAMES = set(CURVES["signals"].values())  # type: ignore[attr-defined]


def same(report: Report, press: Press) -> bool:
    """Whether a report's curves are those of the press's last closing, sample by sample."""
    assert press.last_curves is not None
    for name in NAMES:
        true = getattr(press.last_curves, name).astype(float)
        found = np.array(report.curves[name].values, dtype=float)
        assert report.curves[name].step_s == pytest.approx(0.01)
        if len(found) != len(true) or not np.allclose(found, true, atol=0.06):
            return False
    return True


async def test_arrays_of_a_euromap_machine_come_with_their_cycle() -> None:
    press = hand_press()
    face = Euromap77Face(press, options=Options(curves=True, pressure_unit="psi"))
    async with serving(face), open_press(settings(face.address, curves=CURVES)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        for _ in range(2):
            await press.mold()
            report = await stream.report()
            assert same(report, press)
        columns = {c.signal: c for c in opened.report_columns}

    assert columns.keys() >= NAMES
    assert columns["cavity_pressure_bar"].source == "array ProcessCurves/CavityPressure"


async def test_arrays_stay_in_our_unit_through_a_switch() -> None:
    press = hand_press()
    face = Euromap77Face(press, options=Options(curves=True))
    async with serving(face), open_press(settings(face.address, curves=CURVES)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.mold()
        assert same(await stream.report(), press)
        await face.set_units(pressure="psi")
        await press.mold()
        assert same(await stream.report(), press)


async def test_arrays_of_another_shot_are_left_out() -> None:
    press = hand_press()
    face = Euromap77Face(press, options=Options(curves=True))
    async with serving(face), open_press(settings(face.address, curves=CURVES)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.mold()
        await press.mold()  # the arrays are of this one by the time that anybody reads
        reports = [await stream.report(), await stream.report()]

    assert reports[0].curves == {} or same(reports[1], press)
    assert reports[1].curves.keys() == NAMES


async def test_a_machine_without_the_arrays_is_refused_by_their_name() -> None:
    async with serving(Euromap77Face(hand_press(), options=Options(curves=True))) as face:
        wrong = CURVES | {"signals": {"Pressure": "injection_pressure_bar"}}
        with pytest.raises(RefusedError, match="no variable ProcessCurves/Pressure"):
            async with open_press(settings(face.address, curves=wrong)):
                pass


async def test_arrays_of_a_flat_server_come_with_the_last_cycle(tmp_path: Path) -> None:
    press = hand_press()
    face = FlatFace(press)
    await face.start()
    keys: dict[str, Any] = {"name": "IMM-15", "driver": "opcua", "url": face.address}
    asked = OpcUaSettings(**keys, map="flat-em63", poll_s=0.05, timeout_s=2, curves=True)
    async with open_flat(asked, load_map("flat-em63", tmp_path)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.mold()
        report = await stream.report()
        while not report.fresh:
            report = await stream.report()
    await face.stop()

    assert same(report, press)


async def test_a_cycle_has_the_machines_own_curve_instead_of_a_sampled_one() -> None:
    press = hand_press()
    face = Euromap77Face(press, options=Options(curves=True))
    assembly = Assembly("IMM-07")
    assembly.connected(reports=True)
    made = []
    async with serving(face), open_press(settings(face.address, curves=CURVES)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.mold()
        await stream.report()
    for each in stream.seen:
        made += [cycle for cycle in assembly.take(each) if isinstance(cycle, Cycle)]

    assert press.last_curves is not None
    curve = made[0].curves["injection_pressure_bar"]
    assert len(curve.values) == press.last_curves.count
    assert curve.t_s[1] - curve.t_s[0] == pytest.approx(0.01)
    ends = curve.started_at.timestamp() + curve.t_s[-1]
    assert ends == pytest.approx(made[0].time.timestamp(), abs=0.001)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"interval": None}, "either 'interval' or 'interval_ms'"),
        ({"counter": "Number"}, "should end in JobCycleCounter or MachineCycleCounter"),
        ({"signals": {"A": "oil_temp_c"}}, "should give each array another one of"),
    ],
)
def test_curves_that_can_not_be_are_refused(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        settings("opc.tcp://192.0.2.7", curves=CURVES | keys)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"should say 'curve_interval'"),
        ('curve_interval = "ns=2;s=X"', r"curve_interval: "),
        ("curve_interval_ms = 10", r"curve\[1\]\.signal: found 'oil_temp_c'"),
    ],
)
def test_a_map_with_wrong_curves_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    map_ = f"""
        namespace = "urn:x"
        {text}
        [[node]]
        signal = "counter"
        id = "s=C"
        [[curve]]
        signal = "oil_temp_c"
        id = "s=Oil"
    """
    (tmp_path / "m.toml").write_text(map_)
    with pytest.raises(MapError, match=sentence):
        load_map("m.toml", tmp_path)


async def opened_plc(press: Press, **more: Any) -> tuple[ModbusServer, ModbusSettings]:
    server = ModbusServer({1: press_unit(press)})
    await server.start()
    keys: dict[str, Any] = {"name": "IMM-12", "driver": "modbus", "host": server.host}
    keys |= {"port": server.port, "unit": 1, "map": "retrofit-plc", "poll_s": 0.05}
    return server, ModbusSettings.model_validate(keys | {"curves": True} | more)


async def test_blocks_of_a_plc_come_with_the_last_cycle(tmp_path: Path) -> None:
    press = hand_press()
    await press.mold()
    server, asked = await opened_plc(press)
    async with open_plc(asked, load_registers("retrofit-plc", tmp_path)) as opened:
        stream = Stream(opened.observations())
        await stream.report()  # of the shot before we came
        await press.mold()
        report = await stream.report()
        assert same(report, press)
        columns = [column.signal for column in opened.report_columns]
    await server.stop()

    assert report.curves["screw_position_mm"].resolution == 0.01
    assert set(columns) >= NAMES


async def test_blocks_that_change_while_they_are_read_are_left_out(tmp_path: Path) -> None:
    press = hand_press()
    await press.mold()
    server, asked = await opened_plc(press)
    registers = load_registers("retrofit-plc", tmp_path)
    async with open_plc(asked, registers) as opened:
        stream = Stream(opened.observations())
        await stream.report()
        blocks = opened._last_cycle._curves  # type: ignore[union-attr]
        assert blocks is not None
        values = blocks._values

        async def slow(*words: Any) -> Any:
            found = await values(*words)
            await press.mold()
            return found

        blocks._values = slow  # type: ignore[method-assign]
        await press.mold()
        report = await stream.report()
    await server.stop()

    assert report.curves == {}


async def test_blocks_are_not_read_where_nobody_asks(tmp_path: Path) -> None:
    press = hand_press()
    await press.mold()
    server, asked = await opened_plc(press, curves=False)
    async with open_plc(asked, load_registers("retrofit-plc", tmp_path)) as opened:
        stream = Stream(opened.observations())
        await stream.report()
        await press.mold()
        report = await stream.report()
    await server.stop()

    assert report.curves == {}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("interval = 1603", "", "either 'interval' or 'interval_ms'"),
        ('"cavity_pressure_bar"\naddress = 12000', '"oil_temp_c"\naddress = 12000', r"curve\[2\]"),
        ('12000\ntype = "int16"', '12000\ntype = "int32"', "one int16 or uint16 a sample"),
        ("[curves]\ncounter = 1600\nsamples = 1602\ninterval = 1603", "", "both be there"),
    ],
)
def test_a_register_map_with_wrong_curves_is_refused(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    text = (SHIPPED / "retrofit-plc.toml").read_text()
    assert old in text
    (tmp_path / "m.toml").write_text(text.replace(old, new))
    with pytest.raises(MapError, match=sentence):
        load_registers("m.toml", tmp_path)
