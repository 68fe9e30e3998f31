"""Faults of the link to an OPC UA server, and its going away, as plain asyncua shows them."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import NoReturn

import pytest
from asyncua import Client, ua

from simulators.flat.face import FlatFace
from simulators.press import Press
from tests.faults.uaclients import node, reconnected, subscribed, ua_client, value
from tests.simulators.makers import a_press


@pytest.fixture
async def press() -> Press:
    press = a_press(counter=500)
    await press.mold(cooling_time_s=13.5)
    return press


@pytest.fixture
async def face(press: Press) -> AsyncGenerator[FlatFace]:
    face = FlatFace(press)
    await face.start()
    yield face
    await face.stop()


@pytest.fixture
async def client(face: FlatFace) -> AsyncGenerator[Client]:
    """One that soon gives up, and does not ask for the server's state behind our back."""
    async with ua_client(face, timeout=0.3, watchdog_intervall=60) as client:
        yield client


async def seconds_to_read(client: Client) -> float:
    start = time.monotonic()
    await value(client, "ActCntCyc")
    return time.monotonic() - start


async def poll_for_ever(client: Client) -> NoReturn:
    while True:
        await value(client, "ActCntCyc")


async def outcomes_of(read: Callable[[], Awaitable[object]], times: int) -> list[str]:
    """What reads one after the other come to: the value, or the error's name."""
    outcomes = []
    for _ in range(times):
        try:
            outcomes.append(str(await read()))
        except TimeoutError:
            outcomes.append("TimeoutError")
    return outcomes


@pytest.mark.fault("server_restart")
async def test_after_a_restart_session_and_subscription_are_gone(
    press: Press, face: FlatFace
) -> None:
    async with ua_client(face) as client, subscribed(client, "ActCntCyc") as heard:
        await press.faults.on("server_restart", {"down_s": 0.1})
        with pytest.raises(ConnectionError):
            await value(client, "ActCntCyc")
        with pytest.raises(ConnectionRefusedError):
            await Client(face.address).connect()
        await press.mold()
        await face.listens()

        with pytest.raises(ConnectionError):
            await value(client, "ActCntCyc")
        assert await heard.nothing(0.1)
    async with ua_client(face) as again:
        assert await value(again, "ActCntCyc") == 502


@pytest.mark.fault("server_restart")
async def test_a_client_that_reconnects_never_hears_of_what_happened_meanwhile(
    press: Press, face: FlatFace
) -> None:
    async with (
        ua_client(face, auto_reconnect=True) as client,
        subscribed(client, "ActTimCool") as heard,
    ):
        await press.faults.on("server_restart", {"down_s": 0.1})
        for cooling_s in (14.1, 14.2, 14.3):
            await press.mold(cooling_time_s=cooling_s)

        assert await heard.next() == 14.3
        assert await heard.nothing(0.1)


@pytest.mark.fault("server_restart")
async def test_a_restart_within_a_restart_is_one(press: Press, face: FlatFace) -> None:
    await press.faults.on("server_restart", {"down_s": 60})
    await press.faults.on("server_restart", {"down_s": 0.05})
    await face.listens()

    async with ua_client(face) as client:
        assert await value(client, "ActCntCyc") == 501


@pytest.mark.fault("server_restart")
async def test_a_server_that_is_stopped_while_it_restarts_stays_away(
    press: Press, face: FlatFace
) -> None:
    await press.faults.on("server_restart", {"down_s": 0.05})
    await face.stop()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await face.listens()


@pytest.mark.fault("power_off")
async def test_without_power_there_is_no_link_until_it_is_back(
    press: Press, face: FlatFace, client: Client
) -> None:
    await press.faults.on("power_off")

    with pytest.raises(ConnectionError):
        await value(client, "ActCntCyc")
    await press.faults.on("server_restart", {"down_s": 0})
    with pytest.raises(ConnectionRefusedError):
        await Client(face.address).connect()

    await press.faults.off("power_off")
    await face.listens()
    async with ua_client(face) as again:
        assert await value(again, "ActCntCyc") == 501


@pytest.mark.fault("link_dropped")
async def test_a_dropped_link_ends_a_client_that_does_not_reconnect(
    press: Press, face: FlatFace, client: Client
) -> None:
    await press.faults.on("link_dropped")

    with pytest.raises(ConnectionError):
        await value(client, "ActCntCyc")
    async with ua_client(face) as again:
        assert await value(again, "ActCntCyc") == 501


@pytest.mark.fault("half_open")
async def test_a_forgotten_link_times_out_while_new_ones_are_answered(
    press: Press, face: FlatFace, client: Client
) -> None:
    await press.faults.on("half_open")

    with pytest.raises(TimeoutError):
        await value(client, "ActCntCyc")
    async with ua_client(face) as other:
        assert await value(other, "ActCntCyc") == 501
        await press.faults.off("half_open")
        assert await value(other, "ActCntCyc") == 501
    with pytest.raises(TimeoutError):
        await value(client, "ActCntCyc")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be told to drop what comes in")
@pytest.mark.fault("black_hole")
async def test_a_connect_into_a_black_hole_hangs(press: Press, face: FlatFace) -> None:
    await press.faults.on("black_hole")

    with pytest.raises(TimeoutError):
        async with ua_client(face, timeout=0.3):
            pass

    await press.faults.off("black_hole")
    async with ua_client(face) as client:
        assert await value(client, "ActCntCyc") == 501


@pytest.mark.fault("black_hole")
async def test_in_a_black_hole_a_subscription_is_silent_and_nobody_says_so(
    press: Press, face: FlatFace
) -> None:
    async with (
        ua_client(face, timeout=0.3, watchdog_intervall=60) as client,
        subscribed(client, "ActCntCyc") as heard,
    ):
        await press.faults.on("black_hole")
        await press.mold()

        assert await heard.nothing(0.2)
        with pytest.raises(TimeoutError):
            await value(client, "ActCntCyc")

        await press.faults.off("black_hole")
        assert await heard.next() == 502
        assert await value(client, "ActCntCyc") == 502


@pytest.mark.fault("slow_answers")
async def test_slow_answers_end_a_client_that_watches_its_server(
    press: Press, face: FlatFace
) -> None:
    async with ua_client(face) as client:
        await press.faults.on("slow_answers", {"delay_s": 0.2})
        assert await seconds_to_read(client) >= 0.2

        await press.faults.on("slow_answers", {"delay_s": 1.3})  # its watchdog has 1 s of patience
        async with asyncio.timeout(20):
            with pytest.raises(ConnectionError):
                await poll_for_ever(client)
        await press.faults.off("slow_answers")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        pytest.param("late_reply", {"delay_s": 0.45}, marks=pytest.mark.fault("late_reply")),
        pytest.param(
            "late_replies", {"delay_s": 0.45, "every": 1}, marks=pytest.mark.fault("late_replies")
        ),
    ],
)
async def test_a_late_reply_costs_one_read_and_is_never_taken_for_another(
    press: Press, client: Client, name: str, given: Mapping[str, float]
) -> None:
    await press.faults.on(name, given)

    with pytest.raises(TimeoutError):
        await value(client, "ActCntCyc")
    await press.faults.off(name)

    assert await value(client, "ActTimCool") == 13.5  # it comes right behind the late one


@pytest.mark.parametrize(
    ("fault", "given", "lost"),
    [
        pytest.param("late_reply", {}, 1, marks=pytest.mark.fault("late_reply")),
        pytest.param("late_replies", {"every": 3}, 2, marks=pytest.mark.fault("late_replies")),
    ],
)
async def test_late_replies_cost_their_reads_and_no_other(
    press: Press, client: Client, fault: str, given: Mapping[str, float], lost: int
) -> None:
    state = client.nodes.server_state
    await press.faults.on(fault, {"delay_s": 0.4, **given})

    outcomes = await outcomes_of(state.read_value, 6)

    assert outcomes.count("TimeoutError") == lost
    await press.faults.off(fault)
    assert await outcomes_of(state.read_value, 6) == ["0"] * 6


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("garbage_bytes", marks=pytest.mark.fault("garbage_bytes")),
        pytest.param("truncated_frame", marks=pytest.mark.fault("truncated_frame")),
    ],
)
async def test_a_spoiled_answer_costs_more_than_one_read(
    press: Press, face: FlatFace, client: Client, name: str
) -> None:
    await press.faults.on(name)
    lost = []
    for _ in range(2):
        try:
            await node(client, "ActTimCool").read_value()
        except (ConnectionError, TimeoutError, ua.UaError) as error:
            lost.append(error)

    assert len(lost) == 2
    assert press.faults.names == []
    async with ua_client(face) as again:
        assert await value(again, "ActCntCyc") == 501


@pytest.mark.fault("link_dropped", "server_restart", "session_limit", "node_deleted")
async def test_what_is_meant_is_not_told_on_the_console(
    press: Press, face: FlatFace, caplog: pytest.LogCaptureFixture
) -> None:
    async with ua_client(face, auto_reconnect=True) as client, subscribed(client, "ActTimCool"):
        await press.faults.on("node_deleted")
        await press.faults.on("link_dropped")
        await reconnected(client)
        await press.faults.on("session_limit")
        with pytest.raises(ua.UaStatusCodeError, match="BadTooManySessions"):
            await Client(face.address).connect()
        await press.faults.off("session_limit")
        await press.faults.on("server_restart", {"down_s": 0})
        await reconnected(client)

    ours = ("asyncua.server", "asyncua.crypto", "asyncio", "simulators")
    told = [record for record in caplog.records if record.name.startswith(ours)]
    assert [(record.name, record.getMessage()) for record in told] == []
