"""Plain clients read presses that speak OPC UA: asyncua, and node-opcua as it comes from npm.

What they see is compared with what the press itself remembers.
"""

import re
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from simulators.fleet import Fleet, load
from simulators.plant import Plant, open_plant
from tests.foreign import truth
from tests.foreign.conftest import CLIENT
from tests.foreign.listener import Listener, Value, listening

HERE = Path(__file__).parent
OFFICIAL_CYCLES = "CycleParametersEventType"
CYCLES = "SprueSimCycleParametersEventType"
"""The maker's, derived from the official one."""
ROOT = "IMM_SprueSim_IMM-05"
COUNTER = f"{ROOT}/Jobs/ActiveJobValues/JobCycleCounter"

SMALL = {"nodes_per_browse": 1, "nodes_per_translate": 1, "monitored_items_per_call": 1}
"""No limit for reads: asyncua loads all data type definitions in one, whatever the limit."""

Listen = Callable[..., AbstractAsyncContextManager[Listener]]


@pytest.fixture(params=["asyncua", "node-opcua"])
def listen(request: pytest.FixtureRequest, tmp_path: Path) -> Listen:
    """Starts the client: port, start, and what else is asked of it."""
    if request.param == "asyncua":
        command = [sys.executable, str(HERE / "asyncua_client.py")]
    else:
        command = ["node", str(request.getfixturevalue("node_opcua") / "client.mjs")]
    return partial(listening, command, tmp_path)


def among(found: Mapping[str, Any], expected: Collection[str]) -> dict[str, Any]:
    """Those that are expected; what is missing is left out."""
    return {name: found[name] for name in expected if name in found}


def by_path(values: Collection[Value], below: str = "") -> dict[str, Any]:
    return {each.path.removeprefix(below): each.value for each in values}


@pytest.mark.parametrize("types", ["built-in", "official"])
async def test_a_machine_of_opc_40077_is_browsed_read_and_listened_to(
    types: str, request: pytest.FixtureRequest, listen: Listen
) -> None:
    nodesets = request.getfixturevalue("nodesets") if types == "official" else None
    async with open_plant(load("six"), speed=None, free_ports=True, nodesets=nodesets) as plant:
        press = plant.presses["IMM-05"]
        await press.mold()
        port = plant.ports["IMM-05"]
        async with listen(port, "DeviceSet", watch=[COUNTER], source=ROOT, event=CYCLES) as client:
            await reads_everything(client, truth.machine(press), f"{ROOT}/")
            assert await client.change() == (COUNTER, 1)
            for _ in range(3):
                await press.mold()
                event = await client.event()
                expected = truth.cycle_event(press)
                assert among(event, expected) == expected
                assert await client.change() == (COUNTER, press.counters.job)
            assert await client.end() == (0, "")
    assert client.complaints == []


async def reads_everything(client: Listener, expected: Mapping[str, Any], below: str = "") -> None:
    variables = {path for path, kind in client.nodes.items() if kind == "Variable"}
    assert {each.path for each in client.values} == variables
    assert [each for each in client.values if not each.as_declared] == []
    assert among(by_path(client.values, below), expected) == expected


async def test_a_flat_press_is_browsed_read_and_listened_to(plant: Plant, listen: Listen) -> None:
    press = plant.presses["IMM-03"]
    async with listen(plant.ports["IMM-03"], "Machine", watch=["ActCntCyc"]) as client:
        await reads_everything(client, truth.tokens(press))
        assert await client.change() == ("ActCntCyc", 1)
        await press.mold()
        assert await client.change() == ("ActCntCyc", 2)
        assert await client.end() == (0, "")
    assert client.complaints == []


async def test_who_changed_a_timer_is_told_to_who_listens_to_the_logbook(
    plant: Plant, listen: Listen
) -> None:
    press = plant.presses["IMM-05"]
    what = {"source": ROOT, "event": "LogbookEventType"}
    async with listen(plant.ports["IMM-05"], "DeviceSet", **what) as client:
        await press.mold()
        await press.set_point("cooling_time_set_s", 12.5, who="M. Ortiz")
        event = await client.event()
        assert await client.end() == (0, "")
    assert event["EventType"].endswith("s=SprueSimParameterChangeLogType")
    assert (event["User/Name"], event["EventOriginator"]) == ("M. Ortiz", 2)
    assert client.complaints == []


async def test_no_cycle_of_a_press_that_molds_by_itself_is_missed(listen: Listen) -> None:
    async with open_plant(load("six"), speed=100, free_ports=True) as plant:
        press = plant.presses["IMM-05"]
        port = plant.ports["IMM-05"]
        async with listen(port, "DeviceSet", source=ROOT, event=OFFICIAL_CYCLES) as client:
            events = [await client.event() for _ in range(10)]
            assert await client.end() == (0, "")
    counters = [event["MachineCycleCounter"] for event in events]
    assert counters == list(range(counters[0], counters[0] + 10))
    times = {shot.counter: shot.values["cycle_time_s"] for shot in press.shots}
    heard = [event["CycleTime"] / 1000 for event in events]
    assert heard == pytest.approx([times[counter] for counter in counters])
    assert client.complaints == []


def cell(**more: Any) -> Fleet:
    """Two machines of OPC 40077 on one small server, set to psi and Fahrenheit."""
    press = {"protocol": "euromap77", "server": "cell-1", **more}
    press |= {"pressure_unit": "psi", "temperature_unit": "F", "limits": SMALL}
    molds = [{"id": "A-1"}, {"id": "A-2"}]
    presses = [{"name": f"IMM-{n}", "mold": f"A-{n}", "counter": 100 * n, **press} for n in (1, 2)]
    return Fleet.model_validate({"mold": molds, "press": presses})


async def test_machines_on_one_small_server_are_told_apart(listen: Listen) -> None:
    async with open_plant(cell(), speed=None, free_ports=True) as plant:
        first, second = plant.presses.values()
        source = "IMM_SprueSim_IMM-2"
        what = {"watch": [], "source": source, "event": CYCLES}
        async with listen(plant.ports["IMM-2"], "DeviceSet", **what) as client:
            assert [each for each in client.values if not each.as_declared] == []
            for press in (first, second):
                root = f"IMM_SprueSim_{press.name}/"
                serial = {"MachineInformation/SerialNumber": press.name}
                assert among(by_path(client.values, root), serial) == serial
            await first.mold()
            shot = await second.mold()
            event = await client.event()
            assert await client.end() == (0, "")
    assert (event["SourceName"], event["MachineCycleCounter"]) == (source, 201)
    pressure = f"{truth.UNIT}/SpecificPressureMaximum"
    psi = shot.values["injection_pressure_peak_bar"] * 14.5038
    assert event[pressure] == pytest.approx(psi, rel=1e-3)
    assert client.complaints == []


def secured() -> Fleet:
    return cell(security={"user": "mes", "password": "Tr0ub4dor"})


async def test_a_secured_machine_is_read_by_who_has_the_password(listen: Listen) -> None:
    async with open_plant(secured(), speed=None, free_ports=True) as plant:
        press = plant.presses["IMM-1"]
        what = {"source": "IMM_SprueSim_IMM-1", "event": CYCLES}
        log_in = {"user": "mes", "password": "Tr0ub4dor"}
        async with listen(plant.ports["IMM-1"], "DeviceSet", **what, **log_in) as client:
            await press.mold()
            event = await client.event()
            assert await client.end() == (0, "")
    assert event["MachineCycleCounter"] == 101
    assert client.complaints == []


@pytest.mark.parametrize(
    ("log_in", "refusal"),
    [
        ({"user": "mes", "password": "hunter2"}, "BadUserAccessDenied"),
        ({}, "BadSecurityPolicyRejected|End point must exist"),
    ],
    ids=["a wrong password", "no security at all"],
)
async def test_a_secured_machine_is_read_by_nobody_else(
    listen: Listen, log_in: dict[str, str], refusal: str
) -> None:
    async with open_plant(secured(), speed=None, free_ports=True) as plant:
        with pytest.raises(EOFError, match=refusal):
            async with listen(plant.ports["IMM-1"], "DeviceSet", **log_in):
                pass


def test_node_opcua_is_locked_by_hash_and_the_lock_names_no_place_to_get_it_from() -> None:
    lock = (CLIENT / "package-lock.json").read_text()
    packages = re.findall(r'^    "node_modules/', lock, re.M)

    assert packages
    assert len(re.findall(r'^      "integrity": "sha512-', lock, re.M)) == len(packages)
    assert "resolved" not in lock
    assert "hasInstallScript" not in lock
