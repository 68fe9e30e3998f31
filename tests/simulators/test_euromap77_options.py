"""What an OPC 40077 machine may offer or leave out, as a plain client sees it."""

import doctest
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua

from simulators.euromap77 import options
from simulators.euromap77.face import Euromap77Face, Options
from simulators.modes import Mode
from simulators.mold import Mold
from simulators.opcua import units
from simulators.opcua.limits import Limits
from simulators.opcua.security import Security
from simulators.opcua.units import Pressure
from simulators.physics.program import program
from simulators.press import Press
from simulators.troubles import Troubles
from tests.simulators.makers import MOLD, a_press
from tests.simulators.plain77 import (
    CYCLE_TYPE,
    UNIT,
    Heard,
    at,
    hearing_cycles,
    machines,
    maker_type,
    names,
    read,
    serving,
    subscribed,
    unit_of,
    watching,
)

BARREL = "InjectionUnits/InjectionUnit_1/TemperatureZones/TemperatureZone_4/ActualTemperature"
PEAK = f"{UNIT}/SpecificPressureMaximum"
BARREL_FIELD = f"{UNIT}/BarrelTemperatureZoneCycleParameters_4/ActualTemperature"


@pytest.fixture
def press() -> Press:
    press = a_press(counter=600, job_counter=40)
    Troubles(press)
    return press


@asynccontextmanager
async def connected(press: Press, **options: Any) -> AsyncGenerator[Client]:
    """A client of a machine with some options."""
    face = Euromap77Face(press, options=Options(**options))
    async with serving(face), Client(face.address) as client:
        yield client


async def hearing(client: Client, kind: str) -> Heard:
    """A subscription to one of the maker's events."""
    root = (await machines(client))[0]
    return await subscribed(client, root, await maker_type(client, kind))


# Branches


async def test_a_machine_has_no_more_branches_than_it_must_unless_told(press: Press) -> None:
    async with connected(press) as client:
        branches = await names((await machines(client))[0])
        units = await names(await at(client, "InjectionUnits"))

    assert {"ProductionDatasetManagement", "ProcessCurves"}.isdisjoint(branches)
    assert units == ["NodeVersion", "InjectionUnit_1"]


async def test_the_active_data_set_says_for_which_mold_it_is(press: Press) -> None:
    path = "ProductionDatasetManagement/ActiveProductionDatasetStatus/Information"
    async with connected(press, production_datasets=True, jobs=False) as client:
        await client.load_data_type_definitions()
        before = await read(client, path)
        await press.change_mold(Mold(id="A-2231", revision="B", part="Lid", cavities=4))
        after = await read(client, path)
        profiles = await client.get_node(ua.NodeId(2269)).read_value()

    assert (before.Name, before.MouldId, before.NumCavities) == ("A-2188 A", "A-2188", 2)
    assert (after.Name, after.MouldId, after.NumCavities) == ("A-2231 B", "A-2231", 4)
    assert (after.ProductName, after.SerialNumber) == (["Lid"], "IMM-01")
    assert profiles[1].endswith("/ProductionDatasetManagement")


async def test_who_does_not_load_types_gets_the_data_set_as_bytes(press: Press) -> None:
    path = "ProductionDatasetManagement/ActiveProductionDatasetStatus/Information"
    async with connected(press, production_datasets=True) as client:
        node = await at(client, path)
        data_type = await node.read_data_type()
        name = await client.get_node(data_type).read_browse_name()

    assert name.Name == "ProductionDatasetInformationType"


async def test_a_loaded_program_is_another_data_set_on_the_same_mold(press: Press) -> None:
    async with connected(press) as client:
        heard = await hearing(client, "SprueSimProductionDatasetChangeLogType")
        await press.load(program(replace(MOLD, resin="PC"), 80), "A-2105 PC", who="M. Ortiz")
        event = await heard.next()

        assert event["OldProductionDatasetName"] == "A-2188 A"
        assert event["NewProductionDatasetName"] == "A-2105 PC"
        assert event["User/Name"] == "M. Ortiz"
        assert await read(client, "Jobs/ActiveJob/ProductionDatasetName") == "A-2105 PC"
        assert await read(client, "Jobs/ActiveJob/MouldId") == "A-2188"


async def test_a_second_injection_unit_stands_by(press: Press) -> None:
    second = "InjectionUnitCycleParameters_2"
    async with connected(press, injection_units=2) as client:
        heard = await hearing_cycles(client)
        shot = await press.mold()
        event = await heard.next()
        first = await read(client, "InjectionUnits/InjectionUnit_1/InProduction")
        idle = await read(client, "InjectionUnits/InjectionUnit_2/InProduction")
        zone = "InjectionUnits/InjectionUnit_2/TemperatureZones/TemperatureZone_4"
        warm = await read(client, f"{zone}/ActualTemperature")

    assert (first, idle) == (True, False)
    assert event[f"{UNIT}/Index"] == 1
    assert event[f"{UNIT}/InjectionTime"] == pytest.approx(shot.values["fill_time_s"] * 1000)
    assert (event[f"{second}/Index"], event[f"{second}/InjectionTime"]) == (2, 0)
    assert event[f"{second}/SpecificPressureMaximum/EngineeringUnits"].UnitId == 4342098  # BAR
    assert (
        warm == 120 == event[f"{second}/BarrelTemperatureZoneCycleParameters_4/ActualTemperature"]
    )


async def test_curves_of_the_last_closing_are_there_before_its_event(press: Press) -> None:
    async with connected(press, curves=True, pressure_unit="MPa") as client:
        heard = await hearing_cycles(client)
        curve = await watching(client, "ProcessCurves/InjectionPressure")
        shot = await press.mold()
        event = await heard.next()
        injection = await read(client, "ProcessCurves/InjectionPressure")
        cavity = await read(client, "ProcessCurves/CavityPressure")
        screw = await read(client, "ProcessCurves/ScrewPosition")
        told, _ = await curve.value()
        number = await read(client, "ProcessCurves/JobCycleCounter")
        interval_ms = await read(client, "ProcessCurves/SampleInterval")
        unit = await unit_of(client, "ProcessCurves/CavityPressure")

    assert len(injection) == len(cavity) == len(screw)
    assert len(injection) * interval_ms == pytest.approx(event["CycleTime"], abs=2 * interval_ms)
    assert (unit, number) == ("MPa", event["JobCycleCounter"])
    assert max(injection) == pytest.approx(event[PEAK], rel=0.05)
    assert max(cavity) * 10 == pytest.approx(shot.values["cavity_pressure_peak_bar"], rel=0.05)
    assert min(screw) == pytest.approx(shot.values["cushion_mm"], abs=0.5)
    assert told == injection


# Units


@pytest.mark.parametrize(("unit", "of_a_bar"), [("MPa", 0.1), ("psi", 14.5038)])
async def test_who_takes_every_pressure_for_bar_is_off_by_a_factor(
    press: Press, unit: Pressure, of_a_bar: float
) -> None:
    async with connected(press, pressure_unit=unit) as client:
        heard = await hearing_cycles(client)
        shot = await press.mold()
        event = await heard.next()
        kind = await at(client, f"{PEAK}/EngineeringUnits", await maker_type(client, CYCLE_TYPE))
        declared = await kind.read_value()

    bar = shot.values["injection_pressure_peak_bar"]
    assert event[PEAK] == pytest.approx(bar * of_a_bar, rel=1e-4)
    assert round(event[PEAK] / of_a_bar, 1) == bar, "no digit of the machine's own is lost"
    assert event[f"{PEAK}/EngineeringUnits"].DisplayName.Text == unit
    assert declared.DisplayName.Text == unit
    assert event[f"{UNIT}/CushionStroke"] == shot.values["cushion_mm"]


async def test_who_takes_every_temperature_for_celsius_sees_a_hot_machine(press: Press) -> None:
    async with connected(press, temperature_unit="F") as client:
        heard = await hearing_cycles(client)
        shot = await press.mold()
        event = await heard.next()

        celsius = shot.values["barrel_zone_4_c"]
        assert event[BARREL_FIELD] == pytest.approx(celsius * 1.8 + 32, abs=0.05)
        assert event[f"{BARREL_FIELD}/EngineeringUnits"].UnitId == 4604232  # FAH
        assert await read(client, BARREL) == pytest.approx(celsius * 1.8 + 32, abs=0.05)
        assert await unit_of(client, BARREL) == "°F"


async def test_a_control_that_is_set_to_other_units_shows_them_all_at_once(press: Press) -> None:
    face = Euromap77Face(press)
    async with serving(face), Client(face.address) as client:
        heard = await hearing_cycles(client)
        log = await hearing(client, "SprueSimParameterChangeLogType")
        value = await watching(client, BARREL)
        unit = await watching(client, f"{BARREL}/EngineeringUnits")

        await face.set_units(pressure="psi", temperature="F")
        shown = press.levels["barrel_zone_4_c"] * 1.8 + 32
        assert (await value.value())[0] == pytest.approx(shown, abs=0.05)
        assert (await unit.value())[0].DisplayName.Text == "°F"
        span = await read(client, f"{BARREL}/EURange")
        assert (span.Low, span.High) == (32, 932)

        shot = await press.mold()
        event = await heard.next()
        assert event[PEAK] == pytest.approx(
            shot.values["injection_pressure_peak_bar"] * 14.5038, rel=1e-4
        )
        assert event[f"{PEAK}/EngineeringUnits"].UnitId == 20563  # PS
        assert event[f"{PEAK}/EURange"].High == pytest.approx(3000 * 14.5038, rel=1e-4)
        kind = await at(client, f"{PEAK}/EngineeringUnits", await maker_type(client, CYCLE_TYPE))
        assert (await kind.read_value()).UnitId == 4342098, "the type is as it was declared"

        await press.set_point("hold_pressure_bar", 400.0)
        entered = await log.next()
        assert (entered["NewValue"], entered["NewValueUnit"].DisplayName.Text) == (5801.5, "psi")


async def test_units_that_were_set_outlive_a_restart(press: Press) -> None:
    face = Euromap77Face(press, options=Options(pressure_unit="MPa"))
    async with serving(face):
        await face.set_units(temperature="F")
        await face.stop()
        await face.start()
        async with Client(face.address) as client:
            assert await unit_of(client, BARREL) == "°F"
            heard = await hearing_cycles(client)
            await press.mold()
            assert (await heard.next())[f"{PEAK}/EngineeringUnits"].DisplayName.Text == "MPa"


# What people do


async def test_a_stop_that_has_a_reason_tells_it_and_forgets_it_when_production_goes_on(
    press: Press,
) -> None:
    reason = "MachineMESStatus/StandstillReasonId"
    async with connected(press) as client:
        heard = await hearing(client, "SprueSimStandstillReasonLogType")
        messages = await hearing(client, "SprueSimMessageLogType")

        await press.faults.on("cycle_interrupted")
        event, message = await heard.next(), await messages.next()
        assert event["StandstillReasonId"] == await read(client, reason) == "DOOR"
        assert (message["Id"], message["IsStandstillMessage"]) == ("DOOR", True)
        assert message["Message"].Text == "Guard door open"
        said = await read(client, "MachineMESStatus/StandstillMessage/Message")
        assert said.Text == "Guard door open"

        await press.mold()
        assert (await heard.next())["StandstillReasonId"] == ""
        assert await read(client, reason) == ""
        assert messages.events.empty()


async def test_the_control_knows_its_reasons_to_stand(press: Press) -> None:
    async with connected(press) as client:
        await client.load_data_type_definitions()
        reasons = await read(client, "MachineMESConfiguration/StandstillReasons")

    assert [each.Id for each in reasons] == ["DOOR", "BREAK", "SETUP"]
    assert reasons[0].Text.Text == "Guard door open"


async def test_a_set_up_is_a_reason_to_stand_and_a_status_of_the_job(press: Press) -> None:
    async with connected(press) as client:
        heard = await hearing(client, "SprueSimStandstillReasonLogType")

        await press.set_mode(Mode.SETUP, who="M. Ortiz")
        event = await heard.next()

        assert (event["StandstillReasonId"], event["User/Name"]) == ("SETUP", "M. Ortiz")
        assert await read(client, "Jobs/ActiveJobValues/JobStatus") == 2
        await press.set_mode(Mode.AUTOMATIC)
        await press.mold()
        assert await read(client, "Jobs/ActiveJobValues/JobStatus") == 6


async def test_blocked_cavities_make_no_part(press: Press) -> None:
    press.open_cavities = 1
    async with connected(press) as client:
        heard = await hearing_cycles(client)
        await press.mold()
        event = await heard.next()

    assert event["CavityCycleQuality"] == [1, 0]
    assert event["PartId"] == ["IMM-01-601-1"]


# Small and secured servers


async def test_a_small_server_refuses_a_read_of_too_much(press: Press) -> None:
    face = Euromap77Face(press, limits=Limits(nodes_per_read=5))
    async with serving(face), Client(face.address) as client:
        zone = await at(client, BARREL)

        assert await client.read_values([zone] * 5) == [press.levels["barrel_zone_4_c"]] * 5
        with pytest.raises(ua.UaStatusCodeError, match="BadTooManyOperations"):
            await client.read_values([zone] * 6)


async def test_a_secured_server_takes_nobody_in_clear(press: Press, tmp_path: Path) -> None:
    face = Euromap77Face(press, security=Security(folder=tmp_path))
    async with serving(face):
        with pytest.raises(ua.UaError):
            async with Client(face.address):
                pass


@pytest.mark.parametrize("module", [options, units])
def test_the_examples_in_docstrings_are_true(module: object) -> None:
    results = doctest.testmod(module)  # type: ignore[arg-type]

    assert results.attempted > 0
    assert results.failed == 0
