"""A control with a wrong clock, as a client sees it that believes in timestamps: plain asyncua."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncua import Client, ua

from drivers.plainanswer import decode
from simulators.faults import Faults
from simulators.flat.face import FlatFace
from simulators.menu import MENU
from simulators.opcua.conditions import CENTURY_S, Conditions
from simulators.press import Press
from tests.faults.uaclients import node, ua_client
from tests.simulators.makers import a_press

HOUR = timedelta(hours=1)
A_WHILE = timedelta(seconds=10)
"""How far apart two moments of one test are at most."""

CURRENT_TIME = ua.NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime)
START_TIME = ua.NodeId(ua.ObjectIds.Server_ServerStatus_StartTime)
STATUS = ua.NodeId(ua.ObjectIds.Server_ServerStatus)


@pytest.fixture
def press() -> Press:
    return a_press(counter=500)


@pytest.fixture
async def face(press: Press) -> AsyncGenerator[FlatFace]:
    face = FlatFace(press)
    await face.start()
    yield face
    await face.stop()


@pytest.fixture
async def client(face: FlatFace) -> AsyncGenerator[Client]:
    async with ua_client(face) as client:
        yield client


def aware(told: Any) -> datetime:
    assert isinstance(told, datetime)
    return told if told.tzinfo else told.replace(tzinfo=UTC)


async def shot_at(client: Client, press: Press) -> datetime:
    """The time of a new shot, as a client files it: the counter's source timestamp."""
    await press.mold()
    return aware((await node(client, "ActCntCyc").read_data_value()).SourceTimestamp)


async def read_at(client: Client, node_id: ua.NodeId) -> datetime:
    return aware(await client.get_node(node_id).read_value())


@pytest.mark.fault("clock_forward")
async def test_a_shot_from_the_future_sorts_after_those_of_the_next_hour(
    press: Press, client: Client
) -> None:
    first = await shot_at(client, press)
    await press.faults.on("clock_forward")
    second = await shot_at(client, press)
    await press.faults.off("clock_forward")
    third = await shot_at(client, press)

    assert HOUR <= second - first < HOUR + A_WHILE
    assert first < third < second


@pytest.mark.fault("clock_back")
async def test_a_shot_falls_among_those_of_an_hour_ago(press: Press, client: Client) -> None:
    first = await shot_at(client, press)
    await press.faults.on("clock_back", {"by_s": 1800})
    second = await shot_at(client, press)

    assert timedelta(0) <= second - (first - HOUR / 2) < A_WHILE


@pytest.mark.fault("clock_1970")
async def test_a_control_that_lost_its_clock_counts_from_1970(press: Press, client: Client) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    await press.faults.on("clock_1970")

    first, second = await shot_at(client, press), await shot_at(client, press)

    assert epoch <= first < second < epoch + A_WHILE
    await press.faults.off("clock_1970")
    assert datetime.now(UTC) - await shot_at(client, press) < A_WHILE


@pytest.mark.fault("clock_forward")
async def test_the_server_tells_the_controls_time_everywhere(
    press: Press, face: FlatFace, client: Client
) -> None:
    started = await read_at(client, START_TIME)
    await press.faults.on("clock_forward")
    ahead = datetime.now(UTC) + HOUR

    assert timedelta(0) <= await read_at(client, CURRENT_TIME) - ahead < A_WHILE
    status = await client.get_node(STATUS).read_value()
    assert timedelta(0) <= aware(status.CurrentTime) - ahead < A_WHILE
    live = await node(client, "ActPrsInj").read_data_value()
    assert timedelta(0) <= aware(live.SourceTimestamp) - ahead < A_WHILE
    assert timedelta(0) <= aware(live.ServerTimestamp) - ahead < A_WHILE
    assert await read_at(client, START_TIME) == started  # it did start then


@pytest.mark.fault("clock_forward")
async def test_answers_carry_the_controls_time_as_well(press: Press, client: Client) -> None:
    await press.faults.on("clock_forward")
    ahead = datetime.now(UTC) + HOUR
    wanted = ua.ReadParameters(NodesToRead=[ua.ReadValueId(STATUS, ua.AttributeIds.Value)])

    body = await client.uaclient.session._send_request(ua.ReadRequest(Parameters=wanted))
    said = decode(bytes(body)).ResponseHeader.Timestamp

    assert timedelta(0) <= said - ahead < A_WHILE


@pytest.mark.fault("clock_back")
async def test_a_server_that_restarts_with_a_wrong_clock_started_in_the_past(
    press: Press, face: FlatFace
) -> None:
    await press.faults.on("clock_back")
    await press.faults.on("server_restart", {"down_s": 0})
    await face.listens()
    behind = datetime.now(UTC) - HOUR

    async with ua_client(face) as client:
        assert abs(await read_at(client, START_TIME) - behind) < A_WHILE
        for token in ("ActCntCyc", "SetDescMld", "CrvPrsInj"):
            data = await node(client, token).read_data_value()
            assert abs(aware(data.SourceTimestamp) - behind) < A_WHILE, token


@pytest.mark.fault("clock_back", "clock_forward")
async def test_no_clock_is_so_wrong_that_the_server_breaks(press: Press, client: Client) -> None:
    for name in ("clock_back", "clock_forward"):
        await press.faults.on(name, {"by_s": MENU[name].parameters["by_s"].most})
        await shot_at(client, press)
        await press.faults.off(name)


@pytest.mark.fault("clock_back", "clock_forward")
async def test_clocks_that_are_wrong_together_behind_one_server_stay_among_the_dates() -> None:
    machines = [Faults(machine=f"IMM-{number:02}") for number in range(1, 6)]
    conditions = Conditions(machines)

    now = datetime.now(UTC)
    ends = {
        "clock_back": datetime(1970, 1, 1, tzinfo=UTC),
        "clock_forward": now + timedelta(seconds=CENTURY_S),
    }
    for name, end in ends.items():
        for faults in machines:
            await faults.on(name, {"by_s": 1e9})
        shown = now + timedelta(seconds=conditions.clock_offset_s())
        assert abs(shown - end) < A_WHILE
        for faults in machines:
            await faults.off(name)
