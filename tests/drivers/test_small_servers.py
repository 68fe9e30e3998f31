"""Servers that take little: few event fields, few monitored items, few subscriptions."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncua import ua
from asyncua.server.monitored_item_service import MonitoredItemService

from drivers import RefusedError
from drivers.euromap77 import open_press
from drivers.immpress import ImmPress
from drivers.opcua import open_press as open_flat
from simulators.euromap77.face import Euromap77Face
from simulators.flat.face import NAMESPACE, FlatFace
from simulators.opcua.limits import Limits
from simulators.press import Press
from tests.drivers.press77 import Stream, hand_press, serving, settings
from tests.drivers.test_opcua import mapped
from tests.drivers.test_opcua import settings as flat_settings
from tests.simulators.makers import a_press

LEFT_OUT = "event fields; left out: "


@asynccontextmanager
async def small(limits: Limits) -> AsyncGenerator[tuple[Press, ImmPress, Euromap77Face]]:
    press = hand_press()
    face = Euromap77Face(press, limits=limits)
    async with serving(face), open_press(settings(face.address)) as opened:
        yield press, opened, face


def items_of(face: Euromap77Face | FlatFace) -> int:
    """Monitored items that the server keeps for its clients."""
    assert face._server is not None
    subscriptions = face._server._iserver.subscription_service.subscriptions.values()
    return sum(len(each.monitored_item_srv._monitored_items) for each in subscriptions)


@pytest.mark.parametrize("said", [True, False], ids=["said", "unsaid"])
async def test_a_server_that_selects_few_fields_gives_those_that_matter(
    said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    limits = Limits(select_clauses=21, said=said)
    async with small(limits) as (press, opened, _):
        stream = Stream(opened.observations())
        await stream.frame()
        await press.set_point("cooling_time_set_s", 14.5)
        shot = await press.mold()
        report, notice = await stream.report(), await stream.notice()
        signals = {column.signal for column in opened.report_columns}

    assert report.counter == 1
    assert report.values["cycle_time_s"] == pytest.approx(shot.values["cycle_time_s"])
    assert report.values["cooling_time_s"] == pytest.approx(shot.values["cooling_time_s"])
    assert (notice.name, notice.new) == ("cooling_time_set_s", 14.5)
    assert LEFT_OUT in caplog.text
    assert "injection_pressure_peak_bar" in signals
    assert "back_pressure_bar" not in signals, "no column for what never comes"


async def test_no_value_is_taken_whose_unit_was_left_out() -> None:
    """With clauses in pairs, every other limit falls between a value and its unit."""
    for most in (22, 23):
        async with small(Limits(select_clauses=most)) as (press, opened, _):
            stream = Stream(opened.observations())
            await stream.frame()
            shot = await press.mold()
            report = await stream.report()

        for signal, value in report.values.items():
            if signal in shot.values and isinstance(value, float):
                assert value == pytest.approx(shot.values[signal], rel=1e-3), signal
                assert signal in report.units, signal


async def test_a_server_that_filters_by_few_types_is_asked_for_a_broader_one() -> None:
    async with small(Limits(where_elements=1)) as (press, opened, _):
        stream = Stream(opened.observations())
        await stream.frame()
        await press.set_point("cooling_time_set_s", 14.5)
        await press.mold()
        notice, report = await stream.notice(), await stream.report()
        filters = [opened._watch.cycle_filter, opened._watch.log_filter]

    assert [len(each.WhereClause.Elements) for each in filters if each is not None] == [1, 1]
    assert notice.name == "cooling_time_set_s"
    assert report.counter == 1
    assert len(stream.reports) == 1


async def test_events_have_room_before_states_which_are_read_instead() -> None:
    async with small(Limits(monitored_items=3)) as (press, opened, face):
        stream = Stream(opened.observations())
        await stream.frame()
        await press.set_point("cooling_time_set_s", 14.5)
        await press.mold()
        notice, report = await stream.notice(), await stream.report()
        held = items_of(face)

    assert notice.name == "cooling_time_set_s"
    assert report.counter == 1
    assert held == 3, "one state fits beside the two kinds of events"


async def test_a_server_without_room_for_its_cycle_events_says_so() -> None:
    async with small(Limits(subscriptions=1)) as (_, _, face):
        with pytest.raises(RefusedError, match="subscribing: BadTooManySubscriptions"):
            async with open_press(settings(face.address)):
                pass


async def test_parts_that_come_and_go_leave_no_monitored_items_behind() -> None:
    async with small(Limits()) as (_, opened, face):
        stream = Stream(opened.observations())
        await stream.frame()
        before = items_of(face)
        for _ in range(3):
            await opened._grow()
        await stream.frame()

        assert items_of(face) == before


@asynccontextmanager
async def flat(limits: Limits) -> AsyncGenerator[tuple[Press, FlatFace]]:
    press = a_press()
    face = FlatFace(press, limits=limits)
    await face.start()
    try:
        yield press, face
    finally:
        await face.stop()


@pytest.mark.parametrize(
    "limits",
    [Limits(monitored_items=1), Limits(monitored_items=1, said=False), Limits(subscriptions=1)],
    ids=["items", "items unsaid", "subscriptions"],
)
async def test_what_a_server_takes_no_subscription_to_is_read_as_often(
    limits: Limits, caplog: pytest.LogCaptureFixture
) -> None:
    ids = {"cycle_time_s": "ActTimCyc", "cooling_time_s": "ActTimCool", "hold_time_s": "ActTimHld"}
    nodes = mapped(**{signal: f"nsu={NAMESPACE};s={token}" for signal, token in ids.items()})
    async with flat(limits) as (press, face):
        told = flat_settings(face.address, read="subscribe", poll_s=0.05)
        async with open_flat(told, nodes) as first, open_flat(told, nodes) as second:
            streams = [Stream(each.observations()) for each in (first, second)]
            for stream in streams:
                await stream.frame()
            shot = await press.mold()
            wanted = {signal: shot.values[signal] for signal in ids}
            for stream in streams:
                async with asyncio.timeout(10):
                    frame = await stream.frame()
                    while {signal: frame.value(signal) for signal in ids} != wanted:
                        frame = await stream.frame()

    assert "instead" in caplog.text


async def test_fields_that_a_server_names_as_wrong_are_left_out_and_no_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    create = MonitoredItemService._create_events_monitored_item

    def strict(self: Any, params: ua.MonitoredItemCreateRequest) -> Any:
        clauses = params.RequestedParameters.Filter.SelectClauses
        is_wrong = ["InjectionTime" in [step.Name for step in c.BrowsePath] for c in clauses]
        if not any(is_wrong):
            return create(self, params)
        codes = [
            ua.StatusCode(ua.StatusCodes.BadNodeIdUnknown if wrong else ua.StatusCodes.Good)
            for wrong in is_wrong
        ]
        bad = ua.StatusCode(ua.StatusCodes.BadEventFilterInvalid)
        said = ua.EventFilterResult(SelectClauseResults=codes)
        return ua.MonitoredItemCreateResult(StatusCode=bad, FilterResult=said)

    monkeypatch.setattr(MonitoredItemService, "_create_events_monitored_item", strict)
    async with small(Limits()) as (press, opened, _):
        stream = Stream(opened.observations())
        await stream.frame()
        shot = await press.mold()
        report = await stream.report()

    assert "64 of 65 event fields; left out: InjectionUnitCycleParameters_1/InjectionTime" in (
        caplog.text
    )
    assert "fill_time_s" not in report.values
    for signal in ("recovery_time_s", "cycle_time_s", "cooling_time_s", "transfer_pressure_bar"):
        assert report.values[signal] == pytest.approx(shot.values[signal], rel=1e-3), signal
