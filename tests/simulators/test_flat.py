"""A flat OPC UA server as a bare client sees it."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from asyncua import Client, Node, ua

from simulators.flat.face import NAMESPACE, TWIN_NAMESPACE, TWIN_NUMBER, TWIN_TEXT, FlatFace
from simulators.flat.tokens import ALL, CURVES, LAST_CYCLE, LEVELS
from simulators.modes import Mode
from simulators.press import Press
from tests.simulators.makers import a_press


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
    async with Client(face.address) as client:
        yield client


async def node(client: Client, token: str) -> Node:
    index = await client.get_namespace_index(NAMESPACE)
    return client.get_node(ua.NodeId(token, index))


async def read(client: Client, token: str) -> Any:
    return await (await node(client, token)).read_value()


class Heard:
    """A subscription's handler that puts values on a queue."""

    def __init__(self) -> None:
        self.values: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    def datachange_notification(self, node: Node, value: Any, _data: object) -> None:
        self.values.put_nowait((node.nodeid.Identifier, value))


async def test_the_last_cycle_is_in_its_nodes(press: Press, client: Client) -> None:
    shot = await press.mold()

    for token, signal in {**LAST_CYCLE, **LEVELS}.items():
        assert await read(client, token) == shot.values[signal], token
    assert await read(client, "ActCntCyc") == 501


async def test_every_number_is_a_double_and_texts_are_strings(client: Client) -> None:
    machine = await node(client, "Machine")
    for child in await machine.get_children():
        value = await child.read_data_value()
        text = child.nodeid.Identifier in ("SetDescMld", "SetDescJob")
        wanted = ua.VariantType.String if text else ua.VariantType.Double
        assert value.Value.VariantType is wanted, child


async def test_the_last_closings_curves_are_there_as_a_whole(press: Press, client: Client) -> None:
    assert await read(client, "CrvPrsInj") == []
    await press.mold(injection_pressure_peak_bar=873.0)

    curves = press.last_curves
    assert curves is not None
    for token, signal in CURVES.items():
        points = await read(client, token)
        assert len(points) == curves.count
        assert points == pytest.approx(getattr(curves, signal), abs=0.01), token
    assert max(await read(client, "CrvPrsInj")) == pytest.approx(873.0, abs=5)
    assert await read(client, "CrvIntv") == 10


async def test_subscribers_get_each_curve_before_the_counter(press: Press, client: Client) -> None:
    heard = Heard()
    subscription = await client.create_subscription(5, heard)
    for token in ("ActCntCyc", "CrvPrsCav"):
        await subscription.subscribe_data_change(await node(client, token))
        await heard.values.get()

    await press.mold()
    async with asyncio.timeout(20):
        changed = dict([await heard.values.get() for _ in range(2)])

    assert press.last_curves is not None
    assert len(changed["CrvPrsCav"]) == press.last_curves.count
    times = [
        (await (await node(client, token)).read_data_value()).SourceTimestamp
        for token in ("ActPrsCavMax", "CrvPrsCav", "ActCntCyc")
    ]
    assert times == sorted(times)
    await subscription.delete()


async def test_a_twin_has_the_same_names_and_foreign_values(press: Press) -> None:
    face = FlatFace(press, twin=True)
    await face.start()
    async with Client(face.address) as client:
        index = await client.get_namespace_index(TWIN_NAMESPACE)
        for token in ALL:
            own, twins = await node(client, token), client.get_node(ua.NodeId(token, index))
            value = await twins.read_data_value()
            assert value.Value.VariantType is (await own.read_data_value()).Value.VariantType
            assert value.Value.Value in (TWIN_NUMBER, [TWIN_NUMBER], TWIN_TEXT)
        machines = await client.nodes.objects.get_children_descriptions()
        names = [machine.BrowseName for machine in machines]
        assert ua.QualifiedName("Machine", index) in names
    await face.stop()


async def test_the_mode_is_a_bit_mask(press: Press, client: Client) -> None:
    assert await read(client, "ModMach") == 16
    await press.set_mode(Mode.SEMI_AUTOMATIC)
    assert await read(client, "ModMach") == 8
    await press.set_mode(Mode.SETUP)
    assert await read(client, "ModMach") == 4
    assert await read(client, "StsProd") == 1


async def test_mold_and_job_are_as_the_press_has_them(client: Client) -> None:
    assert await read(client, "SetDescMld") == "A-2188"
    assert await read(client, "SetDescJob") == "J-4711"


async def test_live_values_are_as_they_are_when_they_are_read(press: Press, client: Client) -> None:
    await press.step()
    await press.step()
    press.clock.advance(0.7)

    assert await read(client, "ActPrsInj") == press.live.injection_pressure_bar > 600
    assert await read(client, "StsPhase") == 2


async def test_the_counter_is_the_last_to_change(press: Press, client: Client) -> None:
    heard = Heard()
    subscription = await client.create_subscription(5, heard)
    for token in ("ActCntCyc", "ActTimCyc"):
        await subscription.subscribe_data_change(await node(client, token), queuesize=10)
        await heard.values.get()

    await press.mold(cycle_time_s=25.0)
    async with asyncio.timeout(20):
        changed = [await heard.values.get() for _ in range(2)]

    assert set(changed) == {("ActTimCyc", 25.0), ("ActCntCyc", 501.0)}
    times = [
        (await (await node(client, token)).read_data_value()).SourceTimestamp
        for token in ("ActTimCyc", "ActCntPrtBad", "ActCntCyc")
    ]
    assert times == sorted(times)
    await subscription.delete()


async def test_subscribers_hear_of_live_values(
    press: Press, face: FlatFace, client: Client
) -> None:
    heard = Heard()
    subscription = await client.create_subscription(5, heard)
    await subscription.subscribe_data_change(await node(client, "ActPrsInj"))
    await heard.values.get()

    await press.step()
    await press.step()
    press.clock.advance(0.7)
    await face.tick()
    async with asyncio.timeout(20):
        _, pressure = await heard.values.get()

    assert pressure == press.live.injection_pressure_bar
    await subscription.delete()


async def test_a_restarted_server_shows_the_press_as_it_is_now(
    press: Press, face: FlatFace
) -> None:
    port = face.port
    await face.stop()
    shot = await press.mold()
    await face.start()

    assert face.port == port
    async with Client(face.address) as client:
        assert await read(client, "ActCntCyc") == 501
        assert await read(client, "ActTimCyc") == shot.values["cycle_time_s"]
        started = await client.get_node(ua.NodeId(2257)).read_value()
        assert started is not None


async def test_the_servers_clock_runs(client: Client) -> None:
    now = client.get_node(ua.NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime))

    assert await now.read_value() < await now.read_value()
