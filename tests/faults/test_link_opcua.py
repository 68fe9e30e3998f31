"""Faults of the link, as a plain asyncua client sees them on a flat server."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

import pytest
from asyncua import Client

from simulators.flat.face import FlatFace
from simulators.press import Press
from tests.faults.clients import ua_client, ua_shots
from tests.simulators.makers import a_press


@pytest.fixture
async def press() -> Press:
    press = a_press(counter=5000)
    await press.mold()
    return press


@pytest.fixture
async def face(press: Press) -> AsyncGenerator[FlatFace]:
    face = FlatFace(press)
    await face.start()
    yield face
    await face.stop()


@pytest.fixture
async def client(face: FlatFace) -> AsyncGenerator[Client]:
    async with ua_client(face) as client:
        assert await ua_shots(client) == 5001
        yield client


async def outcomes_of(read: Callable[[], Awaitable[object]], times: int) -> list[str]:
    """What reads one after the other come to: the value, or the error's name."""
    outcomes = []
    for _ in range(times):
        try:
            outcomes.append(str(await read()))
        except TimeoutError:
            outcomes.append("TimeoutError")
    return outcomes


@pytest.mark.fault("link_dropped")
async def test_after_a_dropped_link_the_client_object_is_dead(
    press: Press, face: FlatFace, client: Client
) -> None:
    await press.faults.on("link_dropped")

    for _ in range(3):
        with pytest.raises(ConnectionError):
            await ua_shots(client)
    async with ua_client(face) as other:
        assert await ua_shots(other) == 5001


@pytest.mark.fault("half_open")
async def test_reads_on_a_forgotten_link_time_out_while_new_ones_are_answered(
    press: Press, face: FlatFace, client: Client
) -> None:
    await press.faults.on("half_open")

    with pytest.raises(TimeoutError):
        await ua_shots(client)
    async with ua_client(face) as other:
        assert await ua_shots(other) == 5001
        await press.faults.off("half_open")
        assert await ua_shots(other) == 5001
    with pytest.raises(TimeoutError):
        await ua_shots(client)


@pytest.mark.fault("black_hole")
async def test_reads_into_a_black_hole_time_out_until_it_closes(
    press: Press, client: Client
) -> None:
    await press.faults.on("black_hole")
    with pytest.raises(TimeoutError):
        await ua_shots(client)

    await press.faults.off("black_hole")

    assert await ua_shots(client) == 5001


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be told to drop what comes in")
@pytest.mark.fault("black_hole")
async def test_a_connect_into_a_black_hole_hangs(press: Press, face: FlatFace) -> None:
    await press.faults.on("black_hole")

    with pytest.raises(TimeoutError):
        async with ua_client(face):
            pass

    await press.faults.off("black_hole")
    async with ua_client(face) as client:
        assert await ua_shots(client) == 5001


@pytest.mark.fault("slow_answers")
async def test_slow_answers_make_reads_slow_or_time_them_out(
    press: Press, face: FlatFace, client: Client
) -> None:
    await press.faults.on("slow_answers", {"delay_s": 0.4})

    with pytest.raises(TimeoutError):
        await ua_shots(client)
    async with ua_client(face, timeout=5) as patient:
        start = time.monotonic()
        await patient.nodes.server_state.read_value()
        assert time.monotonic() - start >= 0.4
        await press.faults.off("slow_answers")
        assert await ua_shots(patient) == 5001


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
    "fault",
    [
        pytest.param(name, marks=pytest.mark.fault(name))
        for name in ("garbage_bytes", "truncated_frame")
    ],
)
async def test_after_one_broken_answer_nothing_on_that_link_can_be_read_any_more(
    press: Press, face: FlatFace, client: Client, fault: str
) -> None:
    await press.faults.on(fault)

    for _ in range(3):
        with pytest.raises(TimeoutError):
            await ua_shots(client)

    assert press.faults.names == []
    async with ua_client(face) as other:
        assert await ua_shots(other) == 5001


@pytest.mark.fault("server_restart")
async def test_after_a_restart_the_session_is_gone_and_a_new_one_is_to_be_had(
    press: Press, face: FlatFace, client: Client
) -> None:
    await press.faults.on("server_restart", {"down_s": 0.2})

    with pytest.raises(ConnectionError):
        await ua_shots(client)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(face.host, face.port)
    await face.listens()
    with pytest.raises(ConnectionError):
        await ua_shots(client)
    async with ua_client(face) as other:
        assert await ua_shots(other) == 5001
