"""A press that speaks OPC 40077: cycles as events, states and counters as variables."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.server.monitored_item_service import MonitoredItemService
from pydantic import ValidationError

from drivers import (
    Change,
    Frame,
    Link,
    Notice,
    Observation,
    Origin,
    Quality,
    RefusedError,
    Report,
    StaleError,
    UnreachableError,
)
from drivers.euromap77 import open_press
from simulators.euromap77.face import Euromap77Face, Options
from simulators.euromap77.maker import INJECTION_UNIT
from simulators.euromap77.types import MAKER
from simulators.modes import Mode
from simulators.mold import Job, Mold
from simulators.opcua.nodes import double, number, text, uint64
from simulators.press import Press
from tests.drivers.press77 import FIELDS, Stream, fire, hand_press, serving, settings, write
from tests.drivers.relay import wire

UNIT = INJECTION_UNIT


@pytest.fixture
async def served() -> AsyncGenerator[tuple[Press, Euromap77Face]]:
    press = hand_press()
    async with serving(Euromap77Face(press)) as face:
        yield press, face


def eu(code: str) -> ua.Variant:
    """EngineeringUnits of a UNECE code."""
    number = int.from_bytes(code.encode("ascii"), "big")
    return ua.Variant(ua.EUInformation(UnitId=number), ua.VariantType.ExtensionObject)


def named(name: str) -> ua.QualifiedName:
    """A browse name in the general types' namespace."""
    return ua.QualifiedName(name, 3)


async def test_each_shot_is_one_report_with_the_values_of_that_shot(
    served: tuple[Press, Euromap77Face],
) -> None:
    press, face = served
    async with open_press(settings(face.address, fields=FIELDS)) as opened:
        stream = Stream(opened.observations())
        first = await stream.frame()
        shot = await press.mold(cooling_time_s=12.34, cushion_mm=4.5)
        report = await stream.report()

    assert stream.seen[0] is first
    assert opened.identity == {
        "manufacturer": "SprueSim", "model": "Sim 80", "serial": "IMM-07",
        "controller": "SprueSim C1", "software": "1.0",
    }  # fmt: skip
    assert opened.reports
    assert opened.counter_modulus is None
    assert report.origin is Origin.REPORTED
    assert report.fresh
    assert report.counter == shot.counter
    assert report.ended_at == shot.ended_at
    for signal, value in shot.values.items():
        if signal not in (
            "melt_temp_c",
            "oil_temp_c",
            "mold_temp_set_c",
            "parts_good",
            "parts_bad",
        ):
            assert report.values.get(signal, value) == pytest.approx(value, abs=1e-9), signal
    assert report.values["cooling_time_s"] == 12.34
    assert report.values["cushion_mm"] == 4.5
    assert report.values["machine_counter"] == shot.counter
    assert report.values["job_counter"] == shot.job_counter
    assert report.values["CavityCycleQuality"] == "GOOD_PART, GOOD_PART"
    assert report.values["PartId"] == "IMM-07-1-1, IMM-07-1-2"
    assert report.units["cooling_time_s"] == "ms"
    assert report.units["cushion_mm"] == "mm"
    assert report.states == {
        "quality": "GOOD_CYCLE",
        "job": "J-4",
        "lot": "L-9",
        "mold": "M-17",
        "mode": "AUTOMATIC",
        "production_status": "PRODUCTION",
    }
    assert {c.signal for c in opened.report_columns} >= report.values.keys() - {
        "machine_counter",
        "job_counter",
        "parts_counter",
    }


async def test_a_second_injection_unit_has_all_of_its_values_under_its_number() -> None:
    press = hand_press()
    face = Euromap77Face(press, options=Options(injection_units=2, temperature_unit="F"))
    async with serving(face), open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        frame = await stream.frame()
        await press.mold()
        report = await stream.report()

    for values in (
        dict(zip([c.signal for c in frame.columns], frame.values, strict=True)),
        report.values,
    ):
        for zone in range(1, 5):
            assert values[f"injection_unit_2_barrel_zone_{zone}_c"] == pytest.approx(120.0)
        assert values["barrel_zone_1_c"] == pytest.approx(press.levels["barrel_zone_1_c"], abs=1)
    assert report.values["injection_unit_2_fill_time_s"] == 0.0
    assert float(report.values["fill_time_s"]) > 0
    left = {name.partition("/")[2] for name in report.values if name.startswith("InjectionUnit")}
    assert left == {"TransferStroke"}, "the second of two fields for the transfer position"
    assert {c.signal for c in opened.report_columns} >= {"injection_unit_2_cushion_mm"}


async def test_a_frame_shows_job_counters_states_and_temperatures(
    served: tuple[Press, Euromap77Face],
) -> None:
    press, face = served
    await press.mold()
    async with open_press(settings(face.address)) as opened:
        frame = await opened.read()

    shown = dict(zip([c.signal for c in frame.columns], frame.values, strict=True))
    assert frame.columns is opened.columns
    assert set(frame.qualities) == {Quality.GOOD}
    assert frame.source_time is not None
    assert frame.source_time >= max(time for time in frame.source_times if time is not None)
    assert len(frame.source_times) == len(frame.columns)
    temperatures = {name: press.levels[name] for name in shown if name in press.levels}
    assert shown == temperatures | {
        "counter": 1,
        "machine_counter": 1,
        "job_counter": 1,
        "parts_counter": 2,
        "mode": "AUTOMATIC",
        "production_status": "PRODUCTION",
        "job": "J-4",
        "lot": "L-9",
        "mold": "M-17",
        "resin": "ABS",
        "expected_cycle_s": 24.0,
        "parts_planned": 5000.0,
        "cavities_open": 2.0,
        "mold_temp_set_c": press.program.mold_temp_set_c,
    }
    assert {"barrel_zone_1_c", "barrel_zone_4_c", "mold_temp_c"} <= temperatures.keys()


async def test_without_the_jobs_branch_the_counter_comes_from_the_events_only() -> None:
    press = hand_press(counter=41, job_counter=6)
    face = Euromap77Face(press, options=Options(jobs=False))
    async with serving(face), open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        frame = await stream.frame()
        await press.mold()
        report = await stream.report()

    assert {"counter", "job_counter", "job"}.isdisjoint(c.signal for c in frame.columns)
    assert frame.value("mold") == "M-17", "of the mold that is present"
    assert report.counter == 42
    assert report.values["job_counter"] == 7
    assert report.states["job"] == "J-4"


async def test_without_a_machine_counter_the_job_counter_numbers_the_shots() -> None:
    press = hand_press(counter=41, job_counter=6)
    face = Euromap77Face(press, options=Options(machine_counter=False))
    async with serving(face), open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        frame = await stream.frame()
        await press.mold()
        report = await stream.report()

    assert frame.value("counter") == 6
    assert report.counter == 7
    assert "machine_counter" not in report.values


async def test_an_event_without_the_machine_counter_is_numbered_by_it_all_the_same(
    served: tuple[Press, Euromap77Face],
) -> None:
    press, face = served
    async with open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        for _ in range(3):
            await press.mold()
        for _ in range(3):
            await stream.report()
        nothing = ua.Variant(None, ua.VariantType.Null)
        await fire(face, press, {"MachineCycleCounter": nothing, "JobCycleCounter": uint64(2)})
        report = await stream.report()

    assert report.counter == 2


@pytest.mark.parametrize("jobs", [True, False])
async def test_official_and_built_types_are_read_alike(nodesets: Path, jobs: bool) -> None:
    press = hand_press()
    options = Options(jobs=jobs)
    built = Euromap77Face(press, options=options)
    official = Euromap77Face(press, options=options, nodesets=nodesets)
    told: list[list[Observation]] = []
    async with (
        serving(built),
        serving(official),
        open_press(settings(built.address, fields=FIELDS)) as one,
        open_press(settings(official.address, fields=FIELDS)) as other,
    ):
        streams = [Stream(opened.observations()) for opened in (one, other)]
        for stream in streams:
            await stream.frame()
        await press.mold()
        await press.set_mode(Mode.MANUAL, who="Ada")
        for stream in streams:
            frame, report = (await stream.frames(2))[1], await stream.report()
            notices = [plain(await stream.notice()), plain(await stream.notice())]
            told.append([plain(frame), plain(report), *notices])

        assert one.columns == other.columns
        assert one.report_columns == other.report_columns
        assert one.identity == other.identity
    assert told[0] == told[1]
    assert ("counter" in {c.signal for c in one.columns}) is jobs


def plain(observation: Frame | Report | Notice) -> Observation:
    """The same without our clock's times, and without those that a face sets itself."""
    then = datetime(2026, 1, 1, tzinfo=UTC)
    match observation:
        case Frame():
            bare = replace(observation, source_time=None, source_times=())
            return replace(bare, asked_at=None, received_at=then)
        case Report():
            return replace(observation, received_at=then)
        case Notice():
            return replace(observation, received_at=then, at=then)


async def test_several_machines_in_one_server_want_a_word_which() -> None:
    presses = [hand_press("IMM-07"), hand_press("IMM-08")]
    async with serving(Euromap77Face(presses)) as face:
        with pytest.raises(RefusedError) as raised:
            async with open_press(settings(face.address)):
                pass
        with pytest.raises(RefusedError, match=r"has none of that \(4711\)"):
            async with open_press(settings(face.address, serial="4711")):
                pass

    said = str(raised.value)
    assert "the server has several machines; say which" in said
    assert "browse_name = 'IMM_SprueSim_IMM-07', serial = 'IMM-07'" in said
    assert "browse_name = 'IMM_SprueSim_IMM-08', serial = 'IMM-08'" in said


@pytest.mark.parametrize("which", [{"serial": "IMM-08"}, {"browse_name": "IMM_SprueSim_IMM-08"}])
@pytest.mark.parametrize("at_the_machine", [True, False])
async def test_of_several_machines_only_the_one_that_is_meant_is_heard(
    which: dict[str, str], at_the_machine: bool
) -> None:
    presses = [hand_press("IMM-07"), hand_press("IMM-08", counter=500)]
    async with serving(Euromap77Face(presses)) as face:
        if not at_the_machine:
            await silence_roots(face)
        async with open_press(settings(face.address, **which)) as opened:
            stream = Stream(opened.observations())
            await stream.frame()
            await presses[0].mold()
            await presses[1].mold()
            report = await stream.report()
            await stream.frames(3)

    assert report.counter == 501
    assert len(stream.reports) == 1, "a subscription at the server hears the others too"


async def silence_roots(face: Euromap77Face) -> None:
    """Let the machines be no event notifiers, so that only the server gives their events."""
    assert face._server is not None
    server = face._server._server
    for press in face.presses:
        node = server.get_node(ua.NodeId(f"IMM_SprueSim_{press.name}", MAKER))
        await node.write_attribute(
            ua.AttributeIds.EventNotifier, ua.DataValue(ua.Variant(0, ua.VariantType.Byte))
        )
    notifies = ua.EventNotifier.SubscribeToEvents
    await server.get_node(ua.ObjectIds.Server).set_event_notifier([notifies])


async def test_an_event_that_comes_twice_is_one_report(
    served: tuple[Press, Euromap77Face],
) -> None:
    press, face = served
    async with open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.mold()
        await fire(face, press, {"MachineCycleCounter": uint64(77)}, times=2)
        await press.mold()
        counters = [(await stream.report()).counter for _ in range(3)]

    assert counters == [1, 77, 2]


async def test_events_that_came_before_the_first_frame_are_not_lost(
    served: tuple[Press, Euromap77Face],
) -> None:
    press, face = served
    async with open_press(settings(face.address)) as opened:
        await press.mold()
        await press.mold()
        await asyncio.sleep(0.1)  # the server publishes
        stream = Stream(opened.observations())
        counters = [(await stream.report()).counter for _ in range(2)]

    assert isinstance(stream.seen[0], Frame)
    assert counters == [1, 2]


async def test_a_server_whose_event_queue_ran_over_is_told_of_and_heard_on(
    served: tuple[Press, Euromap77Face], caplog: pytest.LogCaptureFixture
) -> None:
    press, face = served
    async with open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await fire(face, press, {}, kind=ua.NodeId(ua.ObjectIds.EventQueueOverflowEventType))
        await press.mold()
        report = await stream.report()

    (gap,) = [each for each in stream.seen if isinstance(each, Link)]
    assert report.counter == 1
    assert "IMM-07: the server's event queue ran over" in caplog.text
    assert (gap.up, gap.cause) == (False, "overflow")


async def test_units_of_the_machine_are_converted_and_kept(
    served: tuple[Press, Euromap77Face],
) -> None:
    press, face = served
    zone = f"{UNIT}/BarrelTemperatureZoneCycleParameters_1/ActualTemperature"
    async with open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.mold()
        before = await stream.report()
        await fire(
            face,
            press,
            {
                f"{UNIT}/SpecificPressureMaximum": double(85.5),
                f"{UNIT}/SpecificPressureMaximum/EngineeringUnits": eu("MPA"),
                f"{UNIT}/CushionStroke": double(0.25),
                f"{UNIT}/CushionStroke/EngineeringUnits": eu("INH"),
                zone: double(392.0),
                f"{zone}/EngineeringUnits": eu("FAH"),
            },
        )
        changed = [await stream.notice() for _ in range(3)]
        after = await stream.report()

    assert before.units["injection_pressure_peak_bar"] == "bar"
    assert after.values["injection_pressure_peak_bar"] == 855.0
    assert after.values["cushion_mm"] == 6.35
    assert after.values["barrel_zone_1_c"] == 200.0
    assert after.units["injection_pressure_peak_bar"] == "MPa"
    assert after.units["barrel_zone_1_c"] == "°F"
    told = {(notice.name, notice.old, notice.new) for notice in changed}
    assert ("injection_pressure_peak_bar", "bar", "MPa") in told
    assert {notice.change for notice in changed} == {Change.UNIT}


async def test_a_temperature_in_fahrenheit_is_read_in_celsius_from_the_switch_on(
    served: tuple[Press, Euromap77Face],
) -> None:
    _, face = served
    zone = "InjectionUnits/InjectionUnit_1/TemperatureZones/TemperatureZone_2/ActualTemperature"
    async with open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await write(face, f"{zone}/EngineeringUnits", eu("FAH"))
        await write(face, zone, double(428.0))
        notice = await stream.notice()
        frame = await stream.frame()

    assert (notice.change, notice.name, notice.new) == (Change.UNIT, "barrel_zone_2_c", "°F")
    assert frame.value("barrel_zone_2_c") == 220.0
    assert {column.unit for column in opened.columns if column.signal.endswith("_c")} == {"°C"}


async def test_a_mode_change_is_told_once_and_with_who_made_it(
    served: tuple[Press, Euromap77Face],
) -> None:
    press, face = served
    async with open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.mold()
        await stream.report()
        await press.set_mode(Mode.MANUAL, who="Ada")
        notices = [await stream.notice(), await stream.notice()]
        frame = (await stream.frames(3))[-1]
        await asyncio.sleep(0)

    mode = next(n for n in notices if n.change is Change.MODE)
    assert (mode.name, mode.old, mode.new, mode.who) == ("mode", "AUTOMATIC", "MANUAL", "Ada")
    status = next(n for n in notices if n.change is Change.PRODUCTION)
    assert (status.old, status.new, status.who) == ("PRODUCTION", "NO_PRODUCTION", "MACHINE")
    assert len(stream.notices) == 2
    assert frame.value("mode") == "MANUAL"


async def test_job_mold_data_set_and_parameters_are_told_with_old_and_new(
    served: tuple[Press, Euromap77Face],
) -> None:
    press, face = served
    async with open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.mold()
        await stream.report()
        press.pause()
        await press.set_point("cooling_time_set_s", 14.5, who="Ada")
        await press.change_mold(Mold(id="M-18", revision="B"), Job(name="J-5"), who="Ada")
        wanted = {"cooling_time_set_s", "production_dataset", "mold", "job"}
        while wanted - {notice.name for notice in stream.notices}:
            await stream.notice()
        await press.mold()
        report = await stream.report()

    told = {notice.name: notice for notice in stream.notices}
    assert told["cooling_time_set_s"].change is Change.PARAMETER
    assert told["cooling_time_set_s"].new == 14.5
    assert told["cooling_time_set_s"].unit == "s"
    assert told["cooling_time_set_s"].who == "Ada"
    assert told["cooling_time_set_s"].originator == "OPERATOR"
    assert told["cooling_time_set_s"].job_counter == 1
    assert (told["cooling_time_set_s"].text or "").startswith("cooling_time_set_s: 1")
    assert told["production_dataset"].new == "M-18 B"
    assert (told["mold"].old, told["mold"].new) == ("M-17", "M-18")
    assert (told["job"].old, told["job"].new) == ("J-4", "J-5")
    assert sum(notice.name == "mold" for notice in stream.notices) == 1
    assert report.states["mold"] == "M-18"
    assert report.states["job"] == "J-5"


async def test_a_set_point_of_a_machine_in_other_units_is_told_in_ours() -> None:
    press = hand_press()
    face = Euromap77Face(press, options=Options(temperature_unit="F"))
    async with serving(face), open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        before = press.program.mold_temp_set_c
        await press.set_point("mold_temp_set_c", before + 10, who="Ada")
        notice = await stream.notice()

    assert notice.name == "mold_temp_set_c"
    assert (notice.old, notice.new) == pytest.approx((before, before + 10))
    assert notice.unit == "°C"


async def test_an_event_belongs_to_the_mold_of_its_instant_even_if_it_comes_late(
    served: tuple[Press, Euromap77Face],
) -> None:
    press, face = served
    async with open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.mold()
        await stream.report()
        ended_at = datetime.now(UTC)
        press.pause()
        await press.change_mold(Mold(id="M-18"))
        while "mold" not in {notice.name for notice in stream.notices}:
            await stream.notice()
        await fire(face, press, {"MachineCycleCounter": uint64(2)}, at=ended_at)
        report = await stream.report()

    assert report.states["mold"] == "M-17"


async def test_a_dry_cycle_has_the_status_of_its_instant(
    served: tuple[Press, Euromap77Face],
) -> None:
    press, face = served
    async with open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.mold(dry=True)
        await press.mold()
        statuses = [(await stream.report()).states["production_status"] for _ in range(2)]

    assert statuses == ["DRY_RUN", "PRODUCTION"]


async def test_parts_are_the_difference_of_two_cycles_that_follow_each_other(
    served: tuple[Press, Euromap77Face],
) -> None:
    press, face = served
    async with open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.mold()
        await press.mold()
        first, second = await stream.report(), await stream.report()
        await fire(face, press, {"JobCycleCounter": uint64(5), "MachineCycleCounter": uint64(5)})
        after_a_gap = await stream.report()

    assert "parts_good" not in first.values
    assert (second.values["parts_good"], second.values["parts_bad"]) == (2, 0)
    assert "parts_good" not in after_a_gap.values


async def test_blank_and_missing_fields_are_no_values(
    served: tuple[Press, Euromap77Face],
) -> None:
    press, face = served
    async with open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.mold()
        await stream.report()
        nothing = ua.Variant(None, ua.VariantType.Null)
        refused = ua.Variant(ua.StatusCode(ua.StatusCodes.BadNoData), ua.VariantType.StatusCode)
        await fire(
            face,
            press,
            {
                "MachineCycleCounter": uint64(9),
                "CurrentLotName": text("\n      "),
                "CycleQuality": number(99),
                "CoolingTime": nothing,
                f"{UNIT}/CushionStroke": refused,
                f"{UNIT}/BackPressure": double(float("nan")),
                f"{UNIT}/VPChangeOverPosition": nothing,
                f"{UNIT}/TransferStroke": double(12.5),
            },
        )
        report = await stream.report()

    assert {"cooling_time_s", "cushion_mm", "back_pressure_bar"}.isdisjoint(report.values)
    assert {"lot", "quality"}.isdisjoint(report.states)
    assert report.values["transfer_position_mm"] == 12.5, "of TransferStroke"


async def test_the_cooling_time_may_stand_in_a_variable(
    served: tuple[Press, Euromap77Face],
) -> None:
    press, face = served
    path = "Jobs/ActiveJobValues/LastCycleTime"  # a Duration that follows the press
    node = f"nsu=urn:sprue:simulated:imm;s=IMM_SprueSim_IMM-07.{path.replace('/', '.')}"
    async with open_press(settings(face.address, cooling={"node": node})) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        shot = await press.mold()
        report = await stream.report()
        await fire(face, press, {"JobCycleCounter": uint64(40), "MachineCycleCounter": uint64(40)})
        of_another = await stream.report()

    assert report.values["cooling_time_s"] == pytest.approx(shot.values["cycle_time_s"])
    assert report.origins == {"cooling_time_s": Origin.LATCHED}
    assert "cooling_time_s" not in of_another.values


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {"cooling": {"event_field": "CoolTime"}},
            "cooling.event_field: the cycle event has no field 'CoolTime'; the maker's own are "
            "CoolingTime, HoldTime, MouldOpenTime, MouldCloseTime, EjectionTime, PauseTime, "
            "CoolingTimeSet, ClampForce",
        ),
        (
            {"cooling": {"event_field": "ActualTemperature"}},
            "cooling.event_field: 'ActualTemperature' could be any of "
            f"{UNIT}/BarrelTemperatureZoneCycleParameters_1/ActualTemperature, ",
        ),
        (
            {"fields": {"Hold": "hold_time_s"}},
            "fields.Hold: the cycle event has no field 'Hold'",
        ),
        (
            {"cooling": {"node": "nsu=urn:sprue:simulated:imm;s=Nowhere"}},
            "cooling.node: nsu=urn:sprue:simulated:imm;s=Nowhere: BadNodeIdUnknown",
        ),
        (
            {"cooling": {"node": "nsu=urn:nobody;s=X"}},
            "cooling.node: the server has no nsu=urn:nobody;s=X",
        ),
    ],
)
async def test_a_configured_field_that_is_not_there_is_refused_with_those_that_are(
    served: tuple[Press, Euromap77Face], keys: dict[str, Any], sentence: str
) -> None:
    _, face = served
    with pytest.raises(RefusedError) as raised:
        async with open_press(settings(face.address, **keys)):
            pass

    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"cooling": {"register": "X"}}, "'register' is for driver 'modbus'"),
        ({"cooling": {"node": "s=X"}}, "names no namespace"),
        ({"fields": {"X": "hold_tme_s"}}, "did you mean 'hold_time_s'"),
        ({"fields": {"X": "mode"}}, "should be a signal that a cycle has"),
        ({"fields": {"X": {"signal": "hold_time_s", "unit": "bar"}}}, "bar can't become s"),
        ({"fields": {"X": "hold_time_s", "Y": "hold_time_s"}}, "to one field only"),
        ({"fields": {"X": "cooling_time_s"}}, "both 'cooling' and 'fields.X'"),
    ],
)
def test_settings_that_can_not_work_are_refused(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        settings("opc.tcp://host:4840", **keys)


async def test_a_server_that_can_not_filter_by_type_is_asked_without(
    served: tuple[Press, Euromap77Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    create = MonitoredItemService._create_events_monitored_item

    def simple(self: Any, params: ua.MonitoredItemCreateRequest) -> Any:
        if params.RequestedParameters.Filter.WhereClause.Elements:
            bad = ua.StatusCode(ua.StatusCodes.BadFilterOperatorUnsupported)
            return ua.MonitoredItemCreateResult(StatusCode=bad)
        return create(self, params)

    monkeypatch.setattr(MonitoredItemService, "_create_events_monitored_item", simple)
    press, face = served
    async with open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        await stream.frame()
        await press.set_point("cooling_time_set_s", 14.5)
        await press.mold()
        notice, report = await stream.notice(), await stream.report()

    assert notice.name == "cooling_time_set_s"
    assert report.counter == 1
    assert len(stream.reports) == 1
    assert sum(n.name == "cooling_time_set_s" for n in stream.notices) == 1


async def test_a_mold_that_is_taken_out_and_another_put_in_is_followed() -> None:
    press = hand_press()
    face = Euromap77Face(press, options=Options(jobs=False))
    async with serving(face), open_press(settings(face.address)) as opened:
        stream = Stream(opened.observations())
        assert (await stream.frame()).value("mold") == "M-17"
        assert face._server is not None
        root = face._server._server.get_node(ua.NodeId("IMM_SprueSim_IMM-07.Moulds", MAKER))
        mold = await root.add_object(ua.NodeId("M2", MAKER), named("Mould_042"))
        await mold.add_property(ua.NodeId("M2.Id", MAKER), named("Id"), "M-42")
        await mold.add_property(ua.NodeId("M2.IsPresent", MAKER), named("IsPresent"), True)
        zones = await mold.add_object(ua.NodeId("Z", MAKER), named("TemperatureZones"))
        zone = await zones.add_object(ua.NodeId("Z1", MAKER), named("TemperatureZone_007"))
        await zone.add_variable(ua.NodeId("T", MAKER), named("ActualTemperature"), 71.5)
        absent = ua.Variant(False, ua.VariantType.Boolean)
        await write(face, "Moulds/Mould_1/IsPresent", absent)
        await write(face, "Moulds/NodeVersion", text("2"))
        notice = await stream.notice()
        frame = await stream.frame()

    assert frame.value("mold") == "M-42"
    assert frame.value("mold_temp_c") == 71.5, "of the mold that is present"
    assert (notice.name, notice.old, notice.new) == ("mold", "M-17", "M-42")


async def test_a_flat_server_is_refused_with_a_word_about_the_other_driver() -> None:
    from tests.drivers.flatserver import flat_server

    async with flat_server(A=1.0) as server:
        with pytest.raises(RefusedError, match="there is driver 'opcua'"):
            async with open_press(settings(server.url)):
                pass


async def test_a_server_that_goes_away_is_unreachable(
    served: tuple[Press, Euromap77Face],
) -> None:
    _, face = served
    async with wire(face.port) as line:
        address = f"opc.tcp://127.0.0.1:{line.port}"
        async with open_press(settings(address)) as opened:
            stream = Stream(opened.observations())
            await stream.frame()
            line.cut()
            with pytest.raises(UnreachableError):
                await stream.report()


async def test_a_server_that_falls_silent_is_stale(served: tuple[Press, Euromap77Face]) -> None:
    _, face = served
    async with wire(face.port) as line:
        address = f"opc.tcp://127.0.0.1:{line.port}"
        async with open_press(settings(address, stale_s=1, timeout_s=0.7)) as opened:
            stream = Stream(opened.observations())
            await stream.frame()
            line.hold()
            with pytest.raises(StaleError):
                await stream.report()


async def test_cancelling_gives_the_session_back_at_once(
    served: tuple[Press, Euromap77Face],
) -> None:
    _, face = served
    assert face._server is not None
    sessions = face._server._server.iserver._external_sessions
    seen = asyncio.Event()

    async def follow() -> None:
        async with open_press(settings(face.address)) as opened:
            async for _ in opened.observations():
                seen.set()

    task = asyncio.create_task(follow())
    await seen.wait()
    assert len(sessions) == 1
    started = asyncio.get_running_loop().time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not sessions
    assert asyncio.get_running_loop().time() - started < 0.5
