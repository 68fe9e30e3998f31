"""Faults of an OPC 40077 machine's cycle events, as a plain subscription shows them."""

import math
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncua import Client, Node, ua

from simulators.euromap77.face import Euromap77Face, Options
from simulators.fleet import Fleet
from simulators.plant import open_plant
from simulators.press import Press
from tests.simulators.makers import a_press
from tests.simulators.plain77 import (
    SERVER,
    UNIT,
    Heard,
    at,
    hearing_cycles,
    machines,
    maker_type,
    read,
    serving,
    subscribed,
)

OVERFLOW = ua.NodeId(ua.ObjectIds.EventQueueOverflowEventType)
HOURS = timedelta(hours=2)
CURVE = "ProcessCurves/InjectionPressure"
BARREL = "InjectionUnits/InjectionUnit_1/TemperatureZones/TemperatureZone_1/ActualTemperature"
COUNTER = "Jobs/ActiveJobValues/MachineCycleCounter"


@pytest.fixture
def press() -> Press:
    return a_press(counter=600, job_counter=40)


@pytest.fixture
async def client(press: Press) -> AsyncGenerator[Client]:
    async with serving(Euromap77Face(press)) as face, Client(face.address) as client:
        yield client


async def temperature(client: Client, root: Node) -> tuple[float, str]:
    """Of the barrel, with the unit that it is said to be in."""
    node = await at(client, BARREL, root)
    unit = await (await at(client, "EngineeringUnits", node)).read_value()
    return await node.read_value(), unit.DisplayName.Text


async def counters(heard: Heard, count: int) -> list[int | None]:
    """The machine's counters of the next events."""
    return [(await heard.next())["MachineCycleCounter"] for _ in range(count)]


@pytest.mark.fault("duplicate_event")
async def test_who_counts_events_counts_a_duplicate_as_a_shot(press: Press, client: Client) -> None:
    heard = await hearing_cycles(client)
    await press.faults.on("duplicate_event")

    await press.mold()
    first, second = await heard.next(), await heard.next()
    await press.mold()

    assert first == second, "its EventId is the same too"
    assert first["MachineCycleCounter"] == 601
    assert await counters(heard, 1) == [602], "once is enough"
    assert heard.events.empty()


@pytest.mark.fault("events_out_of_order")
async def test_who_takes_events_as_they_come_sees_the_counter_fall(
    press: Press, client: Client
) -> None:
    heard = await hearing_cycles(client)
    await press.faults.on("events_out_of_order", {"count": 2})

    for _ in range(5):
        await press.mold()

    assert await counters(heard, 5) == [602, 601, 604, 603, 605]


@pytest.mark.fault("events_out_of_order")
async def test_an_event_that_is_held_back_keeps_the_time_and_values_of_its_shot(
    press: Press, client: Client
) -> None:
    heard = await hearing_cycles(client)
    await press.faults.on("events_out_of_order")

    held = await press.mold(cooling_time_s=13.0)
    await press.mold(cooling_time_s=12.0)
    await heard.next()
    late = await heard.next()

    assert late["CoolingTime"] == 13_000
    assert abs(late["Time"] - held.ended_at) < timedelta(milliseconds=1)


@pytest.mark.fault("event_lost")
async def test_who_counts_events_counts_one_too_few(press: Press, client: Client) -> None:
    heard = await hearing_cycles(client)
    await press.faults.on("event_lost")

    for _ in range(3):
        await press.mold()

    assert await counters(heard, 2) == [602, 603]
    assert heard.events.empty()
    assert await read(client, COUNTER) == 603


@pytest.mark.fault("event_lost")
async def test_events_come_again_when_they_are_lost_no_more(press: Press, client: Client) -> None:
    heard = await hearing_cycles(client)
    await press.faults.on("event_lost", {"count": 100})

    await press.mold()
    await press.mold()
    await press.faults.off("event_lost")
    await press.mold()

    assert await counters(heard, 1) == [603]


@pytest.mark.fault("event_queue_overflow")
@pytest.mark.parametrize("at_the_server", [False, True])
async def test_a_queue_that_runs_over_gives_an_event_without_the_fields_that_were_asked_for(
    press: Press, client: Client, at_the_server: bool
) -> None:
    heard = await hearing_cycles(client, SERVER if at_the_server else None)
    await press.faults.on("event_queue_overflow")

    for _ in range(5):
        await press.mold()
    overflow = await heard.next()

    assert overflow["EventType"] == OVERFLOW, "whatever types it had asked for"
    assert overflow["SourceNode"] == SERVER
    assert overflow["MachineCycleCounter"] is None
    assert overflow["CycleTime"] is None
    assert await counters(heard, 2) == [604, 605], "three shots are lost"
    assert heard.events.empty()


@pytest.mark.fault("event_lost")
async def test_a_machine_loses_its_own_events_and_none_of_its_neighbors(press: Press) -> None:
    other = a_press(name="IMM-02", counter=900)
    async with serving(Euromap77Face([press, other])) as face, Client(face.address) as client:
        first, second = await machines(client)
        heard = await hearing_cycles(client, second)
        nothing = await hearing_cycles(client, first)
        await press.faults.on("event_lost")

        await press.mold()
        await other.mold()

        assert await counters(heard, 1) == [901]
        assert nothing.events.empty()


@pytest.mark.fault("frozen_values")
async def test_a_frozen_machine_fires_no_event_and_stands_still_to_who_polls(
    press: Press, client: Client
) -> None:
    heard = await hearing_cycles(client)
    await press.faults.on("frozen_values")

    await press.mold()
    await press.set_point("cooling_time_set_s", 14.0)
    assert await read(client, COUNTER) == 600

    await press.faults.off("frozen_values")
    assert await read(client, COUNTER) == 601
    await press.mold()
    assert await counters(heard, 1) == [602]


@pytest.mark.fault("frozen_values")
async def test_behind_a_gateway_one_machine_freezes_and_its_neighbors_do_not(press: Press) -> None:
    other = a_press(name="IMM-02", counter=900)
    face = Euromap77Face([press, other], options=Options(curves=True))
    async with serving(face), Client(face.address) as client:
        first, second = await machines(client)
        heard = await hearing_cycles(client, second)
        nothing = await hearing_cycles(client, first)
        before = await temperature(client, first)
        await press.faults.on("frozen_values")

        await press.mold()
        await other.mold()
        await face.set_units(temperature="F")

        assert await counters(heard, 1) == [901]
        assert nothing.events.empty()
        assert await (await at(client, COUNTER, first)).read_value() == 600
        assert await (await at(client, CURVE, first)).read_value() == []
        assert await (await at(client, CURVE, second)).read_value() != []
        assert await temperature(client, first) == before
        await press.faults.off("frozen_values")
        assert await (await at(client, COUNTER, first)).read_value() == 601
        assert await (await at(client, CURVE, first)).read_value() != []
        assert (await temperature(client, first))[1] == "°F"


@pytest.mark.parametrize(
    ("name", "ahead"),
    [
        pytest.param("clock_forward", HOURS, marks=pytest.mark.fault("clock_forward")),
        pytest.param("clock_back", -HOURS, marks=pytest.mark.fault("clock_back")),
    ],
)
async def test_events_carry_the_time_of_a_control_whose_clock_is_wrong(
    press: Press, client: Client, name: str, ahead: timedelta
) -> None:
    heard = await hearing_cycles(client)
    await press.faults.on(name, {"by_s": HOURS.total_seconds()})

    shot = await press.mold()
    event = await heard.next()
    await press.faults.off(name)
    right = await press.mold()

    assert abs(event["Time"] - ahead - shot.ended_at) < timedelta(seconds=1)
    assert abs(event["ReceiveTime"] - ahead - shot.ended_at) < timedelta(seconds=1)
    assert abs((await heard.next())["Time"] - right.ended_at) < timedelta(milliseconds=1)


@pytest.mark.fault("clock_1970")
async def test_a_shot_of_a_control_without_a_clock_is_half_a_century_old(
    press: Press, client: Client
) -> None:
    heard = await hearing_cycles(client)
    root = (await machines(client))[0]
    logbook = await subscribed(
        client, root, await maker_type(client, "SprueSimParameterChangeLogType")
    )
    await press.faults.on("clock_1970")

    await press.mold()
    await press.set_point("cooling_time_set_s", 14.0)

    for event in (await heard.next(), await logbook.next()):
        assert event["Time"] - datetime(1970, 1, 1, tzinfo=UTC) < timedelta(minutes=1)


def is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


@pytest.mark.parametrize(
    ("name", "is_it"),
    [
        pytest.param("not_a_number", is_nan, marks=pytest.mark.fault("not_a_number")),
        pytest.param("infinity", math.isinf, marks=pytest.mark.fault("infinity")),
        pytest.param("sentinel", lambda v: v == -999, marks=pytest.mark.fault("sentinel")),
    ],
)
async def test_an_event_holds_numbers_that_are_none(
    press: Press, client: Client, name: str, is_it: Any
) -> None:
    heard = await hearing_cycles(client)
    await press.faults.on(name)

    await press.mold()
    event = await heard.next()

    assert is_it(event["CoolingTime"])
    assert is_it(event[f"{UNIT}/SpecificPressureMaximum"])
    assert event["MachineCycleCounter"] == 601
    assert event["CoolingTimeSet"] == 12_000, "what people enter is no measurement"
    await press.faults.off(name)
    await press.mold(cooling_time_s=12.5)
    assert (await heard.next())["CoolingTime"] == 12_500


@pytest.mark.fault("bad_status")
async def test_in_the_place_of_a_bad_value_an_event_has_a_status_code(
    press: Press, client: Client
) -> None:
    heard = await hearing_cycles(client)
    await press.faults.on("bad_status")

    await press.mold()
    event = await heard.next()

    for name in ("CoolingTime", f"{UNIT}/CushionStroke"):
        assert event[name] == ua.StatusCode(ua.StatusCodes.BadSensorFailure), "who adds it up fails"
    assert event["MachineCycleCounter"] == 601


@pytest.mark.fault("uncertain_status")
async def test_an_event_says_nothing_of_an_uncertain_value(press: Press, client: Client) -> None:
    heard = await hearing_cycles(client)
    await press.faults.on("uncertain_status")

    shot = await press.mold()

    assert (await heard.next())[f"{UNIT}/CushionStroke"] == shot.values["cushion_mm"]


@pytest.mark.fault("duplicate_event", "event_lost", "events_out_of_order", "event_queue_overflow")
@pytest.mark.parametrize(
    ("fault", "count"),
    [
        ("duplicate_event", 1),
        ("event_lost", 2),
        ("events_out_of_order", 1),
        ("event_queue_overflow", 3),
    ],
)
async def test_the_truth_names_the_closings_whose_events_went_wrong_and_no_other(
    fault: str, count: int
) -> None:
    fleet = Fleet.model_validate(
        {
            "press": [{"name": "IMM-01", "protocol": "euromap77", "mold": "A-1"}],
            "mold": [{"id": "A-1"}],
        }
    )
    async with open_plant(fleet, speed=None, free_ports=True) as plant:
        await plant.inject("IMM-01", fault, count=count)
        shots = [await plant.presses["IMM-01"].mold() for _ in range(count + 2)]

    assert [shot.injected for shot in shots] == [(fault,)] * count + [()] * 2
