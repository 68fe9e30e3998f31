"""A machine that is switched to other units mid-run is told of, and read in ours all the while."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from drivers import Change, Quality
from drivers.nodes import load_map
from drivers.opcua import OpcUaSettings, open_press
from tests.drivers.flatserver import FlatServer, flat_server
from tests.drivers.press77 import Stream

BAR, PSI, CELSIUS, FAHRENHEIT, KILOPASCAL = 4342098, 20563, 4408652, 4604232, 4935745
MAP = """
namespace = "urn:test:flat"
[[node]]
signal = "counter"
id = "s=Count"
[[node]]
signal = "oil_temp_c"
id = "s=Oil"
[[node]]
signal = "injection_pressure_peak_bar"
id = "s=Peak"
unit = "bar"
[[node]]
signal = "Charge"
id = "s=Charge"
latched = false
"""


@pytest.fixture
async def server() -> AsyncGenerator[FlatServer]:
    async with flat_server(Count=7, Oil=50.0, Peak=850.0, Charge=6.5) as server:
        server.add_unit("Oil", CELSIUS, "°C")
        server.add_unit("Peak", BAR, "bar")
        server.add_unit("Charge", BAR, "bar")
        yield server


async def opened(server: FlatServer, folder: Path, text: str = MAP, **more: Any) -> Any:
    (folder / "m.toml").write_text(text)
    keys: dict[str, Any] = {"name": "IMM-15", "driver": "opcua", "url": server.url}
    settings = OpcUaSettings(**keys, map="m.toml", poll_s=0.05, timeout_s=1, **more)
    return open_press(settings, load_map("m.toml", folder))


@pytest.mark.parametrize("read", ["poll", "subscribe"])
async def test_a_level_stays_in_our_unit_through_a_switch(
    server: FlatServer, tmp_path: Path, read: str
) -> None:
    async with await opened(server, tmp_path, read=read) as press:
        stream = Stream(press.observations())
        await stream.frame()
        await server.switch(FAHRENHEIT, "°F", Oil=122.0)
        notice = await stream.notice()
        await stream.frames(3)
        await server.switch(CELSIUS, "°C", Oil=50.0)
        back = await stream.notice()
        await stream.frames(3)

    assert {frame.value("oil_temp_c") for frame in stream.frames_seen} == {50.0}
    assert (notice.change, notice.name, notice.old, notice.new) == (
        Change.UNIT,
        "oil_temp_c",
        "°C",
        "°F",
    )
    assert (back.old, back.new) == ("°F", "°C")
    assert {column.unit for column in press.columns if column.signal == "oil_temp_c"} == {"°C"}


async def test_the_last_cycles_values_stay_in_our_unit(server: FlatServer, tmp_path: Path) -> None:
    async with await opened(server, tmp_path) as press:
        stream = Stream(press.observations())
        before = await stream.report()
        await server.switch(PSI, "psi", Peak=14503.8)
        await server.write(Count=8)
        after = await stream.report()

    assert before.values["injection_pressure_peak_bar"] == 850.0
    assert before.units["injection_pressure_peak_bar"] == "bar"
    assert after.values["injection_pressure_peak_bar"] == pytest.approx(1000.0, abs=0.01)
    assert after.units["injection_pressure_peak_bar"] == "psi"
    assert [(n.name, n.old, n.new) for n in stream.notices] == [
        ("injection_pressure_peak_bar", "bar", "psi")
    ]


async def test_a_makers_own_value_stays_in_its_first_unit(
    server: FlatServer, tmp_path: Path
) -> None:
    async with await opened(server, tmp_path) as press:
        stream = Stream(press.observations())
        await stream.frame()
        await server.switch(KILOPASCAL, "kPa", Charge=650.0)
        notice = await stream.notice()
        await stream.frames(2)

    assert {frame.value("Charge") for frame in stream.frames_seen} == {6.5}
    assert (notice.old, notice.new) == ("bar", "kPa")


async def test_a_unit_that_nobody_knows_makes_no_value(server: FlatServer, tmp_path: Path) -> None:
    async with await opened(server, tmp_path) as press:
        stream = Stream(press.observations())
        await stream.frame()
        await server.switch(99, "Grad", Oil=77.0)
        notice = await stream.notice()
        frame = await stream.frame()

    assert (notice.old, notice.new) == ("°C", "Grad")
    assert frame.value("oil_temp_c") is None
    at = [column.signal for column in frame.columns].index("oil_temp_c")
    assert frame.qualities[at] is Quality.BAD


@pytest.mark.parametrize(("whose", "shown"), [("machine", 50.0), ("map", 122.0)])
async def test_a_machine_that_was_switched_before_we_came_is_believed_unless_the_map_says_no(
    server: FlatServer, tmp_path: Path, whose: str, shown: float
) -> None:
    await server.switch(FAHRENHEIT, "°F", Oil=122.0)
    text = MAP.replace('id = "s=Oil"', f'id = "s=Oil"\nunit = "degC"\nunit_from = "{whose}"')
    async with await opened(server, tmp_path, text) as press:
        frame = await press.read()

    assert frame.value("oil_temp_c") == shown


async def test_a_scale_that_made_our_unit_goes_on_from_the_first_word(
    server: FlatServer, tmp_path: Path
) -> None:
    text = MAP.replace(
        'id = "s=Peak"\nunit = "bar"', 'id = "s=Peak"\nscale = 0.01\nlatched = false'
    )
    await server.switch(KILOPASCAL, "kPa", Peak=85000.0)
    async with await opened(server, tmp_path, text) as press:
        stream = Stream(press.observations())
        await stream.frame()
        await server.switch(BAR, "bar", Peak=850.0)
        await stream.notice()
        await stream.frames(2)

    peaks = [frame.value("injection_pressure_peak_bar") for frame in stream.frames_seen]
    assert peaks == pytest.approx([850.0] * len(peaks))
