"""A machine made of the official NodeSet files alone, with nothing of our simulator in it."""

from pathlib import Path

import pytest
from asyncua import ua

from drivers.euromap77 import open_press
from tests.drivers.officialserver import UNIT, OfficialServer, official_server
from tests.drivers.press77 import Stream, settings

DOUBLE, COUNT, WORD, TEXT = (
    ua.VariantType.Double,
    ua.VariantType.UInt64,
    ua.VariantType.Int32,
    ua.VariantType.String,
)
COOLING = {"event_field": "Kuehlzeit"}


async def fire(server: OfficialServer, job_cycle: int) -> None:
    await server.fire(
        JobCycleCounter=(job_cycle, COUNT),
        MachineCycleCounter=(job_cycle + 1000, COUNT),
        JobName=("\n      ", TEXT),
        CycleTime=(24500.0, DOUBLE),
        CycleQuality=(1, WORD),
        **{
            f"{UNIT}__InjectionTime": (810.0, DOUBLE),
            f"{UNIT}__CushionStroke": (4.25, DOUBLE),
            "InjectionUnitCycleParameters_02__InjectionTime": (1900.0, DOUBLE),
            "Ablauf__Kuehlzeit": (11250.0, DOUBLE),
        },
    )


@pytest.mark.parametrize("jobs", [True, False])
async def test_a_machine_of_the_official_types_is_read(nodesets: Path, jobs: bool) -> None:
    async with official_server(nodesets, jobs=jobs) as server:
        await server.set("MachineInformation/SerialNumber", "0815", TEXT)
        await server.set("MachineStatus/MachineMode", 1, WORD)
        if jobs:
            await server.set("Jobs/ActiveJobValues/JobCycleCounter", 6, COUNT)
            await server.set("Jobs/ActiveJobValues/MachineCycleCounter", 1006, COUNT)
            await server.set("Jobs/ActiveJob/MouldId", "\n      ", TEXT)
            await server.set("Jobs/ActiveJob/JobName", "J-7", TEXT)
        async with open_press(settings(server.url, cooling=COOLING)) as opened:
            stream = Stream(opened.observations())
            frame = await stream.frame()
            await fire(server, 7)
            report = await stream.report()

    assert opened.identity == {"serial": "0815"}
    assert frame.value("mode") == "AUTOMATIC"
    assert frame.value("counter") == (1006 if jobs else None)
    assert frame.value("job") == ("J-7" if jobs else None)
    assert frame.value("mold") is None, "blank text is no mold"
    assert report.counter == 1007
    assert report.values["cycle_time_s"] == 24.5
    assert report.values["fill_time_s"] == 0.81
    assert report.values["cushion_mm"] == 4.25
    assert "cushion_mm" not in report.units, "the machine does not say its unit"
    assert report.values["cooling_time_s"] == 11.25
    assert report.values["injection_unit_2_fill_time_s"] == 1.9
    assert report.units["injection_unit_2_fill_time_s"] == "ms"
    assert report.states["quality"] == "BAD_CYCLE"
    assert ("job" in report.states) is False


async def test_a_machine_counter_that_was_never_set_is_none(nodesets: Path) -> None:
    async with official_server(nodesets, jobs=True) as server:
        await server.set("Jobs/ActiveJobValues/JobCycleCounter", 6, COUNT)
        await server.set("Jobs/ActiveJobValues/MachineCycleCounter", 0, COUNT)
        async with open_press(settings(server.url, cooling=COOLING)) as opened:
            stream = Stream(opened.observations())
            frame = await stream.frame()
            await fire(server, 7)
            report = await stream.report()

    assert frame.value("counter") == 6
    assert report.counter == 7
