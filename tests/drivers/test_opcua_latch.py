"""Last-cycle values that a machine overwrites belong to one shot, or are left out."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncua import ua

from drivers import Report, latch
from drivers.latch import Latch
from drivers.mappednode import MappedNode
from drivers.nodeid import parse_address
from drivers.opcua import OpcUaSettings
from drivers.session import open_session
from tests.drivers.flatserver import NAMESPACE, FlatServer, flat_server


def node(signal: str, name: str, **more: Any) -> MappedNode:
    return MappedNode(signal=signal, address=parse_address(f"s={name}", NAMESPACE), **more)


class Line:
    """A latch on a flat server with a counter and two last-cycle values."""

    def __init__(self, server: FlatServer, latch: Latch) -> None:
        self.server = server
        self.latch = latch

    async def take(self, counter: int, before: datetime | None = None) -> Report | None:
        return await self.latch.take(counter, datetime.now(UTC), before)

    async def mold(self, counter: int, value: float) -> None:
        """One shot, written as such servers write it: the counter last."""
        await self.server.write(Fill=value, Hold=value, Count=counter)


@pytest.fixture
async def line() -> AsyncGenerator[Line]:
    """The counter stands at 65534, and the last report is that of 65534."""
    nodes = [node("fill_time_s", "Fill", resolution=0.001), node("hold_time_s", "Hold")]
    async with flat_server(Fill=1.0, Hold=1.0, Count=0) as server:
        settings = OpcUaSettings(name="IMM-15", driver="opcua", url=server.url, map="a.toml")
        async with open_session(settings) as session:
            made = Line(server, Latch(session, node("counter", "Count", modulus=65536), nodes))
            await made.latch.find()
            await made.mold(65534, 1.0)
            assert await made.take(65534) is not None
            yield made


async def test_a_shot_is_reported_once(line: Line) -> None:
    before = datetime.now(UTC)
    await line.mold(65535, 2.0)

    report = await line.take(65535, before)

    assert report is not None
    assert report.fresh
    assert report.counter == 65535
    assert report.values == {"fill_time_s": 2.0, "hold_time_s": 2.0}
    assert report.resolutions == {"fill_time_s": 0.001}
    assert before <= report.ended_at <= report.received_at
    assert await line.take(65535) is None
    assert await line.take(65534) is None, "a sample taken before the report says nothing new"


async def test_values_of_the_next_shot_are_never_given_to_this_one(line: Line) -> None:
    await line.mold(65535, 2.0)
    await line.server.write(Fill=3.0)

    assert await line.take(65535) is None

    await line.server.write(Hold=3.0, Count=0)
    report = await line.take(65535)
    assert report is not None
    assert report.counter == 0, "65535 was not seen; what stands now is the shot after it"
    assert report.values == {"fill_time_s": 3.0, "hold_time_s": 3.0}


async def test_a_value_that_is_written_again_as_it_was_does_not_hide_that_others_are_the_next_shots(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that writes slowly is at a set-point, which is the same in every shot."""
    await line.mold(65535, 2.0)
    await line.server.write(Fill=3.0)
    read = line.latch._points.read

    async def while_it_writes() -> Any:
        await line.server.write(Hold=2.0)
        return await read()

    monkeypatch.setattr(line.latch._points, "read", while_it_writes)
    assert await line.take(65535) is None


async def test_values_set_after_the_counter_are_taken_once_they_have_stood(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latch, "SETTLE_S", 0.05)
    await line.server.write(Count=65535, Fill=2.0, Hold=2.0)

    reports = [await line.take(65535) for _ in range(3)]

    taken = [report for report in reports if report]
    assert len(taken) == 1
    assert taken[0].values == {"fill_time_s": 2.0, "hold_time_s": 2.0}


async def test_a_server_without_times_is_believed_when_nothing_moved_for_a_while(
    line: Line,
) -> None:
    await line.server.write_undated(Fill=2.0, Hold=2.0, Count=65535)
    started = asyncio.get_running_loop().time()

    report = await line.take(65535)

    assert report is not None
    assert report.values == {"fill_time_s": 2.0, "hold_time_s": 2.0}
    assert asyncio.get_running_loop().time() - started >= latch.PAUSE_S


async def test_values_that_never_stand_still_are_no_report(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    await line.mold(65535, 2.0)
    sleep, number = asyncio.sleep, 2.0
    read = line.latch._points.read

    async def restless() -> Any:
        nonlocal number
        number += 1
        await line.server.write(Fill=number)
        return await read()

    monkeypatch.setattr(line.latch._points, "read", restless)
    assert await line.take(65535) is None

    monkeypatch.setattr(line.latch._points, "read", read)
    await line.server.write(Hold=number, Count=65535)
    await sleep(0)
    report = await line.take(65535)
    assert report is not None
    assert report.values["fill_time_s"] == report.values["hold_time_s"]


async def test_a_counter_set_back_to_0_is_no_shot(line: Line) -> None:
    await line.mold(7, 2.0)
    assert (await line.take(7)) is not None

    await line.server.write(Count=0)

    assert await line.take(0) is None
    await line.mold(1, 3.0)
    report = await line.take(1)
    assert report is not None
    assert report.fresh


async def test_a_counter_that_wraps_to_0_is_a_shot(line: Line) -> None:
    await line.mold(65535, 2.0)
    await line.take(65535)
    await line.mold(0, 3.0)

    report = await line.take(0)

    assert report is not None
    assert report.values["fill_time_s"] == 3.0


async def test_what_the_machine_doubts_itself_is_not_in_the_report(line: Line) -> None:
    await line.server.write(Fill=2.0, Hold=2.0)
    await line.server.doubt("Hold", 2.0, ua.StatusCodes.UncertainSensorNotAccurate)
    await line.server.write(Count=65535)

    report = await line.take(65535)

    assert report is not None
    assert report.values == {"fill_time_s": 2.0}


async def test_the_end_is_ours_where_the_clocks_do_not_agree(line: Line) -> None:
    day_before = datetime.now(UTC) - timedelta(days=1)
    await line.server.write(day_before, Fill=2.0, Hold=2.0, Count=65535)
    seen_at = datetime.now(UTC)

    report = await line.latch.take(65535, seen_at, seen_at - timedelta(seconds=1))

    assert report is not None
    assert report.ended_at == seen_at
