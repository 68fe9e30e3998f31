"""The gap that an outage leaves is filled from what the machine has kept, where it keeps that."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncua import ua

from agent.assembly import Assembly
from agent.entry import Entry
from agent.ledger import Ledger
from agent.stages import Stages
from agent.standing import Standing
from drivers import Frame, Notice, Observation, Report, immpast, pastevents
from drivers.euromap77 import open_press
from drivers.memory import Memory
from simulators.euromap77.face import Euromap77Face
from simulators.euromap77.options import Options
from simulators.modes import Mode
from simulators.mold import Job, Mold
from simulators.press import Press
from tests.drivers.press77 import Stream, hand_press, serving, settings


@asynccontextmanager
async def keeping(press: Press, **more: Any) -> AsyncGenerator[Euromap77Face]:
    options = Options(**({"event_history": 1000} | more))
    async with serving(Euromap77Face(press, options=options)) as face:
        yield face


async def seen(face: Euromap77Face, memory: Memory, press: Press, shots: int) -> list[Observation]:
    """What a connection tells, with some shots molded in it."""
    async with open_press(settings(face.address), memory) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        known = len(stream.reports)
        for _ in range(shots):
            await press.mold()
        for _ in range(known + shots):
            await stream.report()
        await stream.frame()
    return stream.seen


def counters(observations: list[Observation], *, backfilled: bool) -> list[int]:
    return [
        each.counter
        for each in observations
        if isinstance(each, Report) and each.backfilled is backfilled
    ]


async def test_shots_of_an_outage_come_first_in_order_and_once() -> None:
    press, memory = hand_press(), Memory()
    async with keeping(press) as face:
        before = await seen(face, memory, press, 2)
        for _ in range(3):
            await press.mold(cooling_time_s=12.5)
        after = await seen(face, memory, press, 1)
        again = await seen(face, memory, press, 0)

    assert counters(before, backfilled=True) == [], "what was before we came is no gap"
    assert counters(after, backfilled=True) == [3, 4, 5]
    assert counters(after, backfilled=False) == [6]
    assert counters(again, backfilled=True) == []
    filled = [each for each in after if isinstance(each, Report) and each.backfilled]
    assert {each.values["cooling_time_s"] for each in filled} == {12.5}
    assert {each.states["mold"] for each in filled} == {"M-17"}
    kinds = [type(each) for each in after]
    assert kinds.index(Frame) > kinds.index(Report), "the past comes before the present"


async def test_cycles_of_a_mold_change_nobody_saw_belong_to_the_mold_of_their_job() -> None:
    press, memory = hand_press(), Memory()
    async with keeping(press) as face:
        await seen(face, memory, press, 2)
        await press.mold()
        press.pause()
        await press.set_mode(Mode.MANUAL, who="Ada")
        await press.change_mold(Mold(id="M-18"), Job(name="J-5"), who="Ada")
        await press.set_mode(Mode.AUTOMATIC, who="Ada")
        for _ in range(2):
            await press.mold()
        after = await seen(face, memory, press, 1)

    molds = [each.states["mold"] for each in after if isinstance(each, Report)]
    assert molds == ["M-17", "M-18", "M-18", "M-18"]
    notices = [each for each in after if isinstance(each, Notice) and each.backfilled]
    assert ("mode", "MANUAL", "Ada") in [(n.name, n.new, n.who) for n in notices]
    assert "production_dataset" in [n.name for n in notices]
    times = [
        each.at if isinstance(each, Notice) else each.ended_at
        for each in after
        if isinstance(each, Report | Notice) and each.backfilled
    ]
    assert times == sorted(times)


async def test_the_ledger_counts_them_as_seen_and_on_the_right_mold() -> None:
    press, memory = hand_press(), Memory()
    stages = Stages(Assembly("IMM-07"), Ledger("IMM-07", Standing(), lambda _mold: "A"))
    entries: list[Entry] = []
    async with keeping(press) as face:
        for shots in (2, 2):
            stages.connected(reports=True, modulus=None)
            for each in await seen(face, memory, press, shots):
                entries += stages.take(each).entries
            await press.mold()
            press.pause()
            await press.change_mold(Mold(id=f"M-{17 + shots}"), Job(name=f"J-{shots}"))
            await press.mold()

    booked = [entry.booked for entry in entries if entry.booked]
    assert [each.cycle.counter for each in booked] == [1, 2, 3, 4, 5, 6]
    assert [each.mold for each in booked] == ["M-17", "M-17", "M-17", "M-19", "M-19", "M-19"]
    assert ["backfilled" in each.cycle.flags for each in booked] == [
        False, False, True, True, False, False,
    ]  # fmt: skip
    assert booked[2].cycle.provenance["cycle_time_s"] == "reported"
    assert "oil_temp_c" not in booked[2].cycle.values
    assert [run.kind for entry in entries for run in entry.runs if run.unobserved] == []


async def test_a_machine_that_keeps_no_past_is_not_asked() -> None:
    press, memory = hand_press(), Memory()
    async with keeping(press, event_history=0) as face:
        await seen(face, memory, press, 2)
        await press.mold()
        after = await seen(face, memory, press, 1)

    assert counters(after, backfilled=True) == []
    assert counters(after, backfilled=False) == [4]


@pytest.mark.parametrize("code", ["BadHistoryOperationUnsupported", "BadServiceUnsupported"])
async def test_a_server_that_refuses_is_asked_once_and_heard_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    asked = []

    def refuse(*_: Any) -> ua.HistoryReadResult:
        asked.append(1)
        return ua.HistoryReadResult(StatusCode=ua.StatusCode(getattr(ua.StatusCodes, code)))

    press, memory = hand_press(), Memory()
    async with keeping(press) as face:
        await seen(face, memory, press, 2)
        await press.mold()
        monkeypatch.setattr(face.history, "read", refuse)
        after = await seen(face, memory, press, 1)

    assert counters(after, backfilled=False) == [4]
    assert len(asked) == 1
    assert f"past events are not to be had: {code}" in caplog.text


async def test_a_long_past_comes_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pastevents, "PAGE", 4)
    press, memory = hand_press(), Memory()
    async with keeping(press) as face:
        await seen(face, memory, press, 2)
        for _ in range(10):
            await press.mold()
        whole = await seen(face, memory, press, 0)

    assert counters(whole, backfilled=True) == [*range(3, 13)]


async def test_a_past_that_is_too_long_comes_late_and_does_not_hold_up_the_present(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pastevents, "PAGE", 4)
    press, memory = hand_press(), Memory()
    stages = Stages(Assembly("IMM-07"), Ledger("IMM-07", Standing(), lambda _mold: "A"))
    stages.connected(reports=True, modulus=None)
    entries: list[Entry] = []
    async with keeping(press) as face:
        for each in await seen(face, memory, press, 6):
            entries += stages.take(each).entries
        for _ in range(10):
            await press.mold()
        monkeypatch.setattr(immpast, "BUDGET_S", -1.0)
        stages.connected(reports=True, modulus=None)
        async with open_press(settings(face.address), memory) as opened:
            stream = Stream(opened.observations())
            first = await stream.frame()
            for _ in range(10):
                await stream.report()
            await press.mold()
            await stream.report()
    for each in stream.seen:
        entries += stages.take(each).entries

    assert stream.seen[0] is first, "the present goes before"
    assert memory.behind is None
    assert counters(stream.seen, backfilled=True) == [*range(7, 17)]
    assert counters(stream.seen, backfilled=False) == [17]
    booked = [entry.booked.cycle.counter for entry in entries if entry.booked]
    assert booked == [*range(1, 18)]
    runs = [run for entry in entries for run in entry.runs]
    assert sum(run.unobserved for run in runs) == 0, "what was not observed came late"


@pytest.mark.parametrize("fault", ["event_lost", "event_queue_overflow"])
async def test_events_that_were_lost_on_the_way_are_filled_in_too(fault: str) -> None:
    press, memory = hand_press(), Memory()
    async with keeping(press) as face, open_press(settings(face.address), memory) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.mold()
        await stream.report()
        await press.faults.on(fault, {"count": 2})
        for _ in range(3):
            await press.mold()
        for _ in range(3):
            await stream.report()
        await press.mold()
        await stream.report()

    assert [report.counter for report in stream.reports] == [1, 2, 3, 4, 5]
    assert [report.backfilled for report in stream.reports] == [False, True, True, False, False]
    assert [report.values.get("parts_good") for report in stream.reports[1:]] == [2, 2, 2, 2]


async def test_a_past_that_was_cut_off_is_taken_up_where_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pastevents, "PAGE", 4)
    press, memory = hand_press(), Memory()
    async with keeping(press) as face:
        await seen(face, memory, press, 2)
        for _ in range(10):
            await press.mold()
        with monkeypatch.context() as hurry:
            hurry.setattr(immpast, "BUDGET_S", -1.0)
            async with open_press(settings(face.address), memory) as opened:
                cut = Stream(opened.observations())
                await cut.report()
        after = await seen(face, memory, press, 1)

    first = counters(cut.seen, backfilled=True)
    assert first + counters(after, backfilled=True) == [*range(3, 13)]
    assert len(first) < 10


async def test_a_client_that_only_watches_calls_no_method_and_writes_nothing() -> None:
    press, memory = hand_press(), Memory()
    async with keeping(press, injection_units=2, production_datasets=True) as face:
        for _ in range(2):
            await seen(face, memory, press, 2)
            press.pause()
            await press.change_mold(Mold(id=f"M-{press.counters.machine}"))
            await press.mold()
        server = face._server
        assert server is not None
        counted = server.calls, server.writes

    assert counted == (0, 0)
