"""A press whose maker's own OPC UA server shows it as plain nodes."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from pydantic import ValidationError

from drivers import (
    Frame,
    GarbledError,
    Observation,
    Origin,
    Quality,
    RefusedError,
    Report,
    StaleError,
    UnreachableError,
    latch,
)
from drivers import opcua as opcua_module
from drivers import subscribed as subscribed_module
from drivers.mappednode import MappedNode
from drivers.nodeid import parse_address
from drivers.nodes import NodeMap, load_map
from drivers.opcua import OpcUaSettings, open_press
from drivers.uastream import PART_S
from simulators.clock import Clock
from simulators.flat.face import FlatFace
from simulators.mold import Job, Mold
from simulators.press import Press
from simulators.setup import Setup
from tests.drivers.flatserver import NAMESPACE, FlatServer, flat_server
from tests.drivers.relay import wire

EM63 = load_map("flat-em63", Path())


def settings(url: str, **more: Any) -> OpcUaSettings:
    keys: dict[str, Any] = {"name": "IMM-15", "driver": "opcua", "url": url, "map": "a-map.toml"}
    return OpcUaSettings(**(keys | {"poll_s": 0.02, "timeout_s": 1} | more))


def mapped(**signals: str | tuple[str, dict[str, Any]]) -> NodeMap:
    """A map of ids in the test server's namespace, with more of `MappedNode`'s where given."""
    nodes = []
    for signal, found in signals.items():
        text, more = found if isinstance(found, tuple) else (found, {})
        is_whole = "=" in text or "/" in text
        address = parse_address(text if is_whole else f"s={text}", NAMESPACE)
        nodes.append(MappedNode(signal=signal, address=address, **more))
    return NodeMap(name="test", nodes=tuple(nodes), namespace=NAMESPACE)


LATCHED: dict[str, Any] = {"latched": True}


async def until_report(stream: Any) -> Report:
    async with asyncio.timeout(5):
        async for observation in stream:
            if isinstance(observation, Report):
                return observation
    raise AssertionError("the stream ended")


async def until_frame(stream: Any, signal: str, wanted: object) -> Frame:
    async with asyncio.timeout(5):
        async for observation in stream:
            if isinstance(observation, Frame) and observation.value(signal) == wanted:
                return observation
    raise AssertionError("the stream ended")


async def follow(told: OpcUaSettings, then: Callable[[], None]) -> None:
    """Watch one temperature; do something after the first frame, and watch on."""
    async with asyncio.timeout(5), open_press(told, mapped(mold_temp_c="A")) as press:
        stream = press.observations()
        await anext(stream)
        then()
        async for _ in stream:
            pass


@pytest.fixture(autouse=True)
def settles_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server just made has set its counter before its values: don't wait long for more."""
    monkeypatch.setattr(latch, "SETTLE_S", 0.05)


@pytest.fixture
async def press() -> AsyncGenerator[tuple[Press, FlatFace]]:
    """A simulated press that molds by hand, on the flat server."""
    mold = Mold(id="M-17", cavities=2)
    press = Press(Setup(name="IMM-15", mold=mold, job=Job(name="J-4")), Clock(None), 1)
    face = FlatFace(press)
    await press.mold()
    await face.start()
    yield press, face
    await face.stop()


@pytest.mark.parametrize("read", ["poll", "subscribe"])
async def test_each_shot_is_one_report_with_the_values_of_that_shot(
    press: tuple[Press, FlatFace], read: str
) -> None:
    machine, face = press
    async with open_press(settings(face.address, read=read), EM63) as opened:
        stream = opened.observations()
        first = await anext(stream)
        before = await until_report(stream)
        shot = await machine.mold(cooling_time_s=12.34, cushion_mm=4.5)
        report = await until_report(stream)

    assert isinstance(first, Frame)
    assert first.columns is opened.columns
    assert first.value("counter") == 1
    assert first.value("mode") == "AUTOMATIC"
    assert first.value("mold") == "M-17"
    assert first.value("job") == "J-4"
    assert first.source_time is not None
    assert first.source_time == max(time for time in first.source_times if time is not None)
    assert len(first.source_times) == len(first.columns)
    assert not before.fresh
    assert before.counter == 1
    assert report.fresh
    assert report.counter == shot.counter == 2
    assert report.origin is Origin.LATCHED
    assert report.values["cooling_time_s"] == 12.34
    for signal, value in report.values.items():
        assert value == shot.values[signal], signal
    assert report.states == {"closing": "shot"}
    assert report.units["clamp_force_kn"] == "kN"
    assert abs(report.ended_at - shot.ended_at) < timedelta(seconds=0.1)
    assert {c.signal for c in opened.report_columns} >= report.values.keys()
    assert opened.reports


async def test_a_dry_cycle_is_told_as_one(press: tuple[Press, FlatFace]) -> None:
    machine, face = press
    async with open_press(settings(face.address), EM63) as opened:
        stream = opened.observations()
        await until_report(stream)
        await machine.mold(dry=True)

        assert (await until_report(stream)).states["closing"] == "dry"


@pytest.mark.parametrize("before", [(), ("urn:one", "urn:two")])
async def test_a_namespace_is_found_by_its_uri_wherever_it_stands(before: tuple[str, ...]) -> None:
    nodes = mapped(mold_temp_c="Machine/Temp", counter=f"nsu={NAMESPACE};s=Count")
    async with (
        flat_server(*before, Temp=55.5, Count=3) as server,
        open_press(settings(server.url), nodes) as press,
    ):
        frame = await press.read()

    assert frame.values == (55.5, 3)
    assert press.columns[0].source == "Machine/Temp"


async def test_a_bad_or_uncertain_value_keeps_its_status_as_quality() -> None:
    nodes = mapped(mold_temp_c="A", melt_temp_c="B", oil_temp_c="C", coolant_in_c="D")
    async with flat_server(A=50.0, B=230.0, C=45.0, D=999.0) as server:
        await server.doubt("B", 231.0, ua.StatusCodes.UncertainLastUsableValue)
        server.insist("C", ua.StatusCodes.BadSensorFailure)
        async with open_press(settings(server.url), nodes) as press:
            frame = await press.read()

    assert frame.values == (50.0, 231.0, None, 999.0)
    assert frame.qualities == (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD, Quality.UNCERTAIN)


async def test_a_value_has_the_machines_time_and_an_answer_the_servers() -> None:
    set_at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=90)
    async with flat_server(A=50.0, B=230.0) as server:
        await server.write(set_at, A=51.0)
        await server.write_undated(B=231.0)
        nodes = mapped(mold_temp_c="A", melt_temp_c="B")
        async with open_press(settings(server.url), nodes) as press:
            frame = await press.read()
            clock = press.condition.server_clock

    assert frame.source_times == (set_at, None)
    assert clock is not None
    assert abs(clock.ahead_s) < 1


async def test_all_nodes_are_one_request() -> None:
    names = [f"N{n}" for n in range(40)]
    async with flat_server() as server:
        server.add(**dict.fromkeys(names, 1.0))
        nodes = mapped(**{f"n{n}": name for n, name in enumerate(names)})
        async with open_press(settings(server.url), nodes) as press:
            await server.limit_reads(1000, stated=False)  # notes how many each Read asks for
            await press.read()
            await press.read()

    assert server.reads == [40, 40]


@pytest.mark.parametrize("read", ["poll", "subscribe"])
async def test_a_missing_node_is_named_and_taken_up_when_it_returns(
    read: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(subscribed_module, "CHECK_S", 0.1)
    nodes = mapped(mold_temp_c="A", melt_temp_c="Gone", oil_temp_c="nsu=urn:nobody;s=C")
    async with (
        flat_server(A=50.0) as server,
        open_press(settings(server.url, read=read), nodes) as press,
    ):
        stream = press.observations()
        first = await anext(stream)
        server.add(Gone=230.0)
        frame = await until_frame(stream, "melt_temp_c", 230.0)
        await server.write(A=51.0)
        again = await until_frame(stream, "mold_temp_c", 51.0)

    assert isinstance(first, Frame)
    assert first.values == (50.0, None, None)
    assert first.qualities == (Quality.GOOD, Quality.MISSING, Quality.MISSING)
    assert frame.value("oil_temp_c") is None
    assert again.value("melt_temp_c") == 230.0
    assert "not found: melt_temp_c at s=Gone, oil_temp_c at nsu=urn:nobody;s=C" in caplog.text
    assert "found again: melt_temp_c" in caplog.text


async def test_a_node_that_is_known_by_its_path_is_looked_for_until_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opcua_module, "FIND_S", 0.2)
    async with (
        flat_server(A=50.0) as server,
        open_press(settings(server.url), mapped(mold_temp_c="A", melt_temp_c="Machine/B")) as press,
    ):
        stream = press.observations()
        first = await anext(stream)
        missing = press.condition.unavailable
        server.add(B=230.0)
        await until_frame(stream, "melt_temp_c", 230.0)

    assert isinstance(first, Frame)
    assert first.values == (50.0, None)
    assert missing == ("melt_temp_c at Machine/B: the server has no such node",)


async def test_a_node_that_is_deleted_takes_no_other_with_it() -> None:
    nodes = mapped(mold_temp_c="A", melt_temp_c="B")
    async with (
        flat_server(A=50.0, B=230.0) as server,
        open_press(settings(server.url), nodes) as press,
    ):
        server.delete("A")
        frame = await press.read()

    assert frame.values == (None, 230.0)
    assert frame.qualities == (Quality.MISSING, Quality.GOOD)


async def test_a_server_without_the_counter_is_refused_by_name() -> None:
    nodes = mapped(mold_temp_c="A", counter="Shots")
    async with flat_server(A=50.0) as server:
        with pytest.raises(RefusedError, match="IMM-15: the server has no counter at s=Shots"):
            async with open_press(settings(server.url), nodes):
                pass


async def test_a_server_with_nothing_of_the_map_is_refused() -> None:
    async with flat_server(A=50.0) as server:
        with pytest.raises(RefusedError, match="none of the nodes of the map"):
            async with open_press(settings(server.url), mapped(mold_temp_c="Other")):
                pass


@pytest.mark.parametrize("stated", [True, False])
async def test_a_server_that_takes_few_nodes_a_read_is_read_whole(stated: bool) -> None:
    names = [f"T{n}" for n in range(24)]
    nodes = mapped(**{f"n{n}": name for n, name in enumerate(names)})
    async with flat_server() as server:
        server.add(**{name: 200.0 + n for n, name in enumerate(names)})
        await server.limit_reads(10, stated=stated)
        async with open_press(settings(server.url), nodes) as press:
            await press.read()
            largest = max(server.reads)
            server.reads.clear()
            frame = await press.read()

    assert frame.values == tuple(200.0 + n for n in range(24))
    assert max(server.reads) <= 10
    assert len(server.reads) <= 4
    assert (largest > 10) is not stated, "what a server states is never tried"


async def test_nobody_at_the_address_is_unreachable(free_port: int) -> None:
    url = f"opc.tcp://127.0.0.1:{free_port}"

    with pytest.raises(UnreachableError, match=f"IMM-15: connecting to {url}"):
        async with open_press(settings(url), EM63):
            pass


@pytest.mark.parametrize("read", ["poll", "subscribe"])
async def test_a_server_that_goes_away_is_unreachable(read: str) -> None:
    async with (
        flat_server(A=50.0) as server,
        wire(server.port) as line,
    ):
        told = settings(f"opc.tcp://127.0.0.1:{line.port}", read=read)
        with pytest.raises(UnreachableError, match=r"dropped|closed|lost|reset"):
            await follow(told, line.cut)


@pytest.mark.parametrize("read", ["poll", "subscribe"])
async def test_a_server_that_falls_silent_is_stale(read: str) -> None:
    async with (
        flat_server(A=50.0) as server,
        wire(server.port) as line,
    ):
        address = f"opc.tcp://127.0.0.1:{line.port}"
        told = settings(address, read=read, stale_s=1, timeout_s=0.7)
        with pytest.raises(StaleError, match=r"IMM-15: (no answer for|.* silent for) \d s"):
            await follow(told, line.hold)


@pytest.mark.parametrize("read", ["poll", "subscribe"])
async def test_a_dead_link_is_noticed_long_before_silence_is_stale(read: str) -> None:
    async with (
        flat_server(A=50.0) as server,
        wire(server.port) as line,
    ):
        address = f"opc.tcp://127.0.0.1:{line.port}"
        told = settings(address, read=read, stale_s=60, timeout_s=0.7)
        with pytest.raises(StaleError, match=r"IMM-15: no answer for"):
            async with asyncio.timeout(30):
                await follow(told, line.hold)


@pytest.mark.parametrize("read", ["poll", "subscribe"])
async def test_a_server_that_is_merely_slow_keeps_its_link(read: str) -> None:
    """Its answers come after their time, and prove that it lives."""
    mold = Mold(id="A-1")
    press = Press(Setup(name="IMM-15", mold=mold, job=Job(name="J-1"), tonnage=80), Clock(None), 0)
    face = FlatFace(press)
    await face.start()
    try:
        told = settings(face.address, read=read, poll_s=0.2, timeout_s=0.7, stale_s=60)
        async with open_press(told, EM63) as opened, asyncio.timeout(20):
            stream = opened.observations()
            await anext(stream)
            await press.faults.on("slow_answers", {"delay_s": 1.3})
            waiting = asyncio.ensure_future(anext(stream))
            done, _ = await asyncio.wait([waiting], timeout=5)
            assert not done or not waiting.exception()
            await press.faults.off("slow_answers")
            await waiting
    finally:
        await face.stop()


async def test_a_server_whose_every_answer_is_late_is_stale_in_the_end() -> None:
    """It gives signs of life, and not one value."""
    mold = Mold(id="A-1")
    press = Press(Setup(name="IMM-15", mold=mold, job=Job(name="J-1"), tonnage=80), Clock(None), 0)
    face = FlatFace(press)
    await face.start()
    try:
        told = settings(face.address, poll_s=0.1, timeout_s=0.4, stale_s=2)
        async with open_press(told, EM63) as opened, asyncio.timeout(10):
            stream = opened.observations()
            await anext(stream)
            await press.faults.on("slow_answers", {"delay_s": 0.6})
            with pytest.raises(StaleError, match=r"IMM-15: no answer for \d s"):
                async for _ in stream:
                    pass
    finally:
        await face.stop()


async def test_an_answer_that_is_late_once_does_not_end_the_link() -> None:
    async with (
        flat_server(A=50.0) as server,
        wire(server.port) as line,
        open_press(
            settings(f"opc.tcp://127.0.0.1:{line.port}", timeout_s=0.4), mapped(mold_temp_c="A")
        ) as press,
    ):
        stream = press.observations()
        await anext(stream)
        line.hold()
        waiting = asyncio.ensure_future(anext(stream))
        done, _ = await asyncio.wait([waiting], timeout=0.7)
        line.let_go()
        async with asyncio.timeout(2):
            frame = await waiting

    assert not done
    assert isinstance(frame, Frame)
    assert frame.value("mold_temp_c") == 50.0


@pytest.mark.parametrize(
    ("fault", "within_s"), [("garbage_bytes", 1.0), ("truncated_frame", PART_S + 1.0)]
)
async def test_an_answer_that_comes_only_in_part_ends_the_link_at_once(
    fault: str, within_s: float
) -> None:
    mold = Mold(id="A-1")
    press = Press(Setup(name="IMM-15", mold=mold, job=Job(name="J-1"), tonnage=80), Clock(None), 0)
    face = FlatFace(press)
    await face.start()
    try:
        told = settings(face.address, timeout_s=10, stale_s=60)
        async with open_press(told, EM63) as opened, asyncio.timeout(20):
            stream = opened.observations()
            await anext(stream)
            await press.faults.on(fault)
            loop = asyncio.get_running_loop()
            began = loop.time()
            with pytest.raises(GarbledError, match="BadDecodingError"):
                await anext(stream)
            took_s = loop.time() - began
    finally:
        await face.stop()
    assert took_s < within_s + told.poll_s


async def test_bytes_that_begin_no_message_end_the_link_without_waiting() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"\x00\xff\x13\x37 no message")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        told, began = settings(f"opc.tcp://127.0.0.1:{port}", timeout_s=60), time.monotonic()
        with pytest.raises(GarbledError):
            async with open_press(told, EM63):
                pass
    assert time.monotonic() - began < 30


async def test_a_dead_peer_does_not_hold_up_the_end() -> None:
    loop = asyncio.get_running_loop()
    async with (
        flat_server(A=50.0) as server,
        wire(server.port) as line,
    ):
        address = f"opc.tcp://127.0.0.1:{line.port}"
        async with open_press(settings(address, timeout_s=30), mapped(mold_temp_c="A")) as press:
            await press.read()
            line.hold()
            started = loop.time()
        assert loop.time() - started < 1.0


async def test_a_live_server_gets_its_session_back_when_we_are_cancelled() -> None:
    async with flat_server(A=50.0) as server:
        reading = asyncio.Event()
        task = asyncio.create_task(follow(settings(server.url), reading.set))
        await reading.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await server.empty()


async def test_a_server_that_takes_the_call_and_says_nothing_is_given_up_in_time() -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UnreachableError, match="no answer in time"):
            async with open_press(
                settings(f"opc.tcp://127.0.0.1:{port}", connect_timeout_s=0.2), EM63
            ):
                pass


async def test_what_answers_but_is_no_opc_ua_server_is_an_error_in_words() -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(GarbledError, match="IMM-15: connecting to"):
            async with open_press(settings(f"opc.tcp://127.0.0.1:{port}"), EM63):
                pass


async def samples_of_a_curve(server: FlatServer, samples: int) -> list[datetime]:
    start = datetime.now(UTC)
    times = [start + timedelta(milliseconds=5 * n) for n in range(samples)]
    for n, at in enumerate(times):
        await server.write(at, Pressure=100.0 + n)
    return times


async def test_a_subscribed_curve_keeps_the_samples_between_two_publish_responses() -> None:
    nodes = mapped(injection_pressure_bar="Pressure", mold_temp_c="A")
    async with (
        flat_server(A=50.0, Pressure=0.0) as server,
        open_press(settings(server.url, read="subscribe", poll_s=0.1), nodes) as press,
    ):
        stream = press.observations()
        for _ in range(2):
            await anext(stream)
        times = await samples_of_a_curve(server, 8)
        frames: list[Frame] = []
        async with asyncio.timeout(3):
            async for observation in stream:
                assert isinstance(observation, Frame)
                if observation.value("injection_pressure_bar") != 0.0:
                    frames.append(observation)
                if observation.value("injection_pressure_bar") == 107.0:
                    break

    assert [f.value("injection_pressure_bar") for f in frames] == [100.0 + n for n in range(8)]
    spans = [b.received_at - a.received_at for a, b in pairwise(frames)]
    wanted = [b - a for a, b in pairwise(times)]
    assert spans == wanted


async def test_frames_come_while_nothing_changes_because_the_server_says_so() -> None:
    observed: list[Observation] = []
    async with (
        flat_server(A=50.0) as server,
        open_press(
            settings(server.url, read="subscribe", poll_s=0.05), mapped(mold_temp_c="A")
        ) as press,
    ):
        async with asyncio.timeout(3):
            async for observation in press.observations():
                observed.append(observation)
                if len(observed) == 5:
                    break

    assert all(isinstance(o, Frame) and o.value("mold_temp_c") == 50.0 for o in observed)


async def test_the_cooling_time_is_read_where_the_machine_says() -> None:
    nodes = mapped(
        counter="Count", cycle_time_s=("Cycle", LATCHED), cooling_time_s=("Else", LATCHED)
    )
    async with flat_server(Count=5, Cycle=24.0, Else=1.0, Cool=11.5) as server:
        told = settings(server.url, cooling={"node": "s=Cool"})
        async with open_press(told, nodes) as press:
            report = await until_report(press.observations())

    assert report.values == {"cycle_time_s": 24.0, "cooling_time_s": 11.5}


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"url": "http://x"}, "should be like opc.tcp://192.168.1.20:4840"),
        ({"url": "opc.tcp://u:p@host:4840"}, "should hold no user or password"),
        ({"url": "opc.tcp://host:notaport"}, "should be like opc.tcp://"),
        ({"cooling": {"event_field": "X"}}, "'event_field' is for driver 'euromap77'"),
        ({"cooling": {"register": "X"}}, "'register' is for driver 'modbus'"),
        ({"cooling": {"node": "ns=2;s=X"}}, "by index"),
        ({"security": {"policy": "None"}}, "should be 'Basic256Sha256', 'Aes128_Sha256_RsaOaep'"),
        ({"securty": {"policy": "None"}}, "Extra inputs are not permitted"),
    ],
)
def test_settings_that_can_not_work_are_refused(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        settings(**({"url": "opc.tcp://host:4840"} | keys))


def test_the_usual_port_need_not_be_written() -> None:
    assert settings("opc.tcp://press-7/Arburg").url == "opc.tcp://press-7:4840/Arburg"


def test_the_library_keeps_quiet_about_what_we_tell_in_our_words() -> None:
    assert not logging.getLogger("asyncua.client.ua_client").isEnabledFor(logging.ERROR)
