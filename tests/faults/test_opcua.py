"""Faults of an OPC UA server's values and address space, as plain asyncua shows them."""

import math
from collections.abc import AsyncGenerator

import pytest
from asyncua import Client, ua

from simulators.flat.face import NAMESPACE, TWIN_NUMBER, FlatFace
from simulators.press import Press
from tests.faults.uaclients import node, reconnected, subscribed, ua_client, until_known, value
from tests.simulators.makers import a_press

SOON = {"down_s": 0.05}


@pytest.fixture
async def press() -> Press:
    press = a_press(counter=500)
    await press.mold(cooling_time_s=13.5)
    return press


@pytest.fixture
async def face(press: Press) -> AsyncGenerator[FlatFace]:
    face = FlatFace(press, twin=True)
    await face.start()
    yield face
    await face.stop()


@pytest.fixture
async def client(face: FlatFace) -> AsyncGenerator[Client]:
    async with ua_client(face) as client:
        yield client


# Values


@pytest.mark.fault("bad_status")
async def test_a_bad_value_is_none_to_who_does_not_look_at_the_status(
    press: Press, client: Client
) -> None:
    async with subscribed(client, "ActTimCool") as heard:
        await press.faults.on("bad_status")

        assert await value(client, "ActTimCool") is None
        assert await heard.next() is None
        assert await heard.statuses.get() == "BadSensorFailure"
        with pytest.raises(ua.UaStatusCodeError, match="BadSensorFailure"):
            await node(client, "ActTimCool").read_value()
        assert await value(client, "ActCntCyc") == 501
        assert await value(client, "SetTimCool") is not None

        await press.faults.off("bad_status")
        assert await heard.next() == 13.5
        assert await value(client, "ActTimCool") == 13.5


@pytest.mark.fault("bad_status")
async def test_what_is_molded_while_the_sensors_are_bad_shows_when_they_are_good_again(
    press: Press, client: Client
) -> None:
    await press.faults.on("bad_status")
    await press.mold(cooling_time_s=14.5)
    assert await value(client, "ActTimCool") is None

    await press.faults.off("bad_status")

    assert await value(client, "ActTimCool") == 14.5


@pytest.mark.fault("uncertain_status")
async def test_an_uncertain_value_looks_like_any_other(press: Press, client: Client) -> None:
    async with subscribed(client, "ActTmpMld[1]") as heard:
        await press.faults.on("uncertain_status")

        assert await value(client, "ActTmpMld[1]") == press.levels["mold_temp_c"]
        assert await heard.next() == press.levels["mold_temp_c"]
        assert await heard.statuses.get() == "UncertainLastUsableValue"

        await press.faults.off("uncertain_status")
        await heard.next()
        assert await heard.statuses.get() == "Good"


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param("not_a_number", math.nan, marks=pytest.mark.fault("not_a_number")),
        pytest.param("infinity", math.inf, marks=pytest.mark.fault("infinity")),
        pytest.param("sentinel", -999.0, marks=pytest.mark.fault("sentinel")),
    ],
)
async def test_another_number_stands_in_a_values_place_with_a_good_status(
    press: Press, client: Client, name: str, number: float
) -> None:
    async with subscribed(client, "ActTimCool") as heard:
        await press.faults.on(name)

        assert await heard.next() == pytest.approx(number, nan_ok=True)
        assert await heard.statuses.get() == "Good"
        for token in ("ActTimCool", "ActTmpMld[1]", "ActPrsInj"):
            assert await node(client, token).read_value() == pytest.approx(number, nan_ok=True)
        assert await value(client, "ActCntCyc") == 501

        await press.faults.off(name)
        assert await heard.next() == 13.5
        assert await value(client, "ActTmpMld[1]") == press.levels["mold_temp_c"]


@pytest.mark.fault("not_a_number")
async def test_one_bad_number_makes_an_average_none(press: Press, client: Client) -> None:
    read = []
    for cooling_s in (13.0, 14.0):
        await press.mold(cooling_time_s=cooling_s)
        read.append(await value(client, "ActTimCool"))
    await press.faults.on("not_a_number")
    read.append(await value(client, "ActTimCool"))

    assert math.isnan(sum(read) / len(read))


@pytest.mark.fault("frozen_values")
async def test_a_frozen_control_answers_and_says_that_nothing_happens(
    press: Press, face: FlatFace, client: Client
) -> None:
    clock = client.get_node(ua.NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime))
    tokens = ("ActCntCyc", "ActTimCool", "ActPrsInj", "StsPhase")
    async with subscribed(client, "ActCntCyc") as heard:
        before = [await value(client, token) for token in tokens]
        time_before = await clock.read_value()
        await press.faults.on("frozen_values")

        await press.mold(cooling_time_s=14.5)
        await press.step()
        await press.step()
        await face.tick()

        assert press.live.injection_pressure_bar > 0
        assert [await value(client, token) for token in tokens] == before
        assert await clock.read_value() > time_before  # so it is no dead server
        assert await heard.nothing(0.1)

        await press.faults.off("frozen_values")
        assert await heard.next() == 502
        assert await value(client, "ActTimCool") == 14.5
        assert await value(client, "StsPhase") == press.phase


@pytest.mark.fault("frozen_values", "not_a_number")
async def test_a_frozen_control_loses_no_sensor_until_it_starts_anew(
    press: Press, face: FlatFace
) -> None:
    tokens = ("ActTimCool", "ActPrsInj")
    async with ua_client(face) as client:
        await press.faults.on("frozen_values")
        before = [await value(client, token) for token in tokens]
        await press.faults.on("not_a_number")
        assert [await value(client, token) for token in tokens] == before

    await press.faults.on("server_restart", {"down_s": 0.01})
    await face.listens()
    async with ua_client(face) as client:
        assert [str(await value(client, token)) for token in tokens] == ["nan", "nan"]


# The address space


@pytest.mark.fault("namespace_reordered")
async def test_after_namespaces_were_reordered_kept_ids_read_another_machine_as_good(
    press: Press, face: FlatFace
) -> None:
    async with ua_client(face, auto_reconnect=True) as client:
        cooling = node(client, "ActTimCool")
        assert await cooling.read_value() == 13.5
        await press.faults.on("namespace_reordered", SOON)
        await reconnected(client)

        data = await cooling.read_data_value()

        assert data.Value.Value == TWIN_NUMBER
        assert data.StatusCode.is_good()
        own = await client.get_namespace_index(NAMESPACE)
        assert await client.get_node(ua.NodeId("ActTimCool", own)).read_value() == 13.5


@pytest.mark.fault("namespace_reordered")
async def test_reordered_nodes_are_found_by_uri_kept_up_to_date_and_told_to_subscribers(
    press: Press, face: FlatFace
) -> None:
    await press.faults.on("namespace_reordered", SOON)
    await face.listens()

    async with ua_client(face) as client:
        own = await client.get_namespace_index(NAMESPACE)
        machine = await client.nodes.objects.get_child(f"{own}:Machine")
        cooling = await machine.get_child(f"{own}:ActTimCool")
        await press.mold(cooling_time_s=14.5)

        assert own == 3
        assert await cooling.read_value() == 14.5
        assert (await cooling.read_browse_name()).NamespaceIndex == own
        pressure = client.get_node(ua.NodeId("ActPrsInj", own))
        await press.step()
        await press.step()
        press.clock.advance(0.7)
        assert await pressure.read_value() == press.live.injection_pressure_bar > 600

    await press.faults.on("namespace_reordered", SOON)
    await face.listens()
    async with ua_client(face) as client:
        assert await client.get_namespace_index(NAMESPACE) == 2


@pytest.mark.fault("namespace_reordered")
async def test_without_a_twin_kept_ids_point_nowhere(press: Press) -> None:
    face = FlatFace(press)
    await face.start()
    await press.faults.on("namespace_reordered", SOON)
    await face.listens()

    async with ua_client(face) as client:
        with pytest.raises(ua.UaStatusCodeError, match="BadNodeIdUnknown"):
            await node(client, "ActTimCool").read_value()
    await face.stop()


@pytest.mark.fault("node_ids_changed")
async def test_after_a_software_update_no_configured_id_is_known(
    press: Press, face: FlatFace
) -> None:
    await press.faults.on("node_ids_changed", SOON)
    await face.listens()

    async with ua_client(face) as client:
        with pytest.raises(ua.UaStatusCodeError, match="BadNodeIdUnknown"):
            await node(client, "ActTimCool").read_value()
        machine = await client.nodes.objects.get_child("2:Machine")
        cooling = await machine.get_child("2:ActTimCool")
        await press.mold(cooling_time_s=14.5)
        assert await cooling.read_value() == 14.5


@pytest.mark.fault("nodes_missing")
async def test_a_node_that_was_not_there_at_the_start_is_dropped_for_good(
    press: Press, face: FlatFace
) -> None:
    async with (
        ua_client(face, auto_reconnect=True) as client,
        subscribed(client, "ActCntCyc") as there,
        subscribed(client, "ActTimCool") as late,
    ):
        await press.faults.on("nodes_missing", SOON | {"after_s": 2})
        assert await there.next() == 501
        assert await value(client, "ActTimCool") is None

        await until_known(client, "ActTimCool")
        await press.mold(cooling_time_s=14.5)

        assert await value(client, "ActTimCool") == 14.5
        assert await there.next() == 502
        assert await late.nothing(0.2)


@pytest.mark.fault("node_deleted")
async def test_a_deleted_node_is_one_none_among_good_values(press: Press, client: Client) -> None:
    nodes = [node(client, token) for token in ("ActTimCyc", "ActTimCool", "ActTimHld")]
    async with subscribed(client, "ActTimCool") as heard:
        await press.faults.on("node_deleted")

        values = await client.read_values(nodes)
        assert [read is None for read in values] == [False, True, False]
        assert await heard.next() is None
        assert await heard.statuses.get() == "BadNodeIdUnknown"
        with pytest.raises(ua.UaStatusCodeError, match="BadNodeIdUnknown"):
            await nodes[1].read_value()
        names = [await each.read_browse_name() for each in await nodes[0].get_referenced_nodes()]
        assert names

        await press.mold(cooling_time_s=14.5)
        await press.faults.off("node_deleted")

        assert await nodes[1].read_value() == 14.5
        await press.mold()
        assert await heard.nothing(0.1)  # its subscription does not come back by itself


@pytest.mark.fault("session_limit")
async def test_no_session_is_left_for_who_comes_or_comes_back(press: Press, face: FlatFace) -> None:
    async with ua_client(face) as first:
        await press.faults.on("session_limit", {"sessions": 1})
        with pytest.raises(ua.UaStatusCodeError, match="BadTooManySessions"):
            await Client(face.address).connect()
        assert await value(first, "ActCntCyc") == 501

    async with ua_client(face) as next_one:
        assert await value(next_one, "ActCntCyc") == 501
    await press.faults.on("session_limit")
    with pytest.raises(ua.UaStatusCodeError, match="BadTooManySessions"):
        await Client(face.address).connect()

    await press.faults.off("session_limit")
    async with ua_client(face) as again:
        assert await value(again, "ActCntCyc") == 501
