"""What a cycle event's fields are called, whatever its maker made of them; no server needed."""

from datetime import UTC, datetime, timedelta

import pytest
from asyncua import ua

from drivers import Change, Notice, RefusedError
from drivers.changes import HOLD_S, Changes
from drivers.cycleevent import HEAD, CycleData, CycleEvents, Mapped
from drivers.eventfilter import of_types
from drivers.eventtype import EventType, Field
from drivers.imm import number_of
from drivers.session import Session
from drivers.timeline import KEPT, Timeline
from drivers.units import Unit, unit_named

BASE, MAKER = ua.NodeId(1038, 3), ua.NodeId(1, 5)
START = datetime(2026, 3, 2, 6, tzinfo=UTC)


class Nobody:
    """A session that nothing is asked of."""

    machine = "IMM-07"


def field(
    name: str, *, standard: bool = False, ms: bool = False, unit: Unit | None = None
) -> Field:
    return Field(
        path=tuple(ua.QualifiedName(step, 3 if standard else 5) for step in name.split("/")),
        declared_by=BASE if standard else MAKER,
        is_standard=standard,
        is_duration=ms,
        has_unit=unit is not None,
        unit=unit,
    )


def events(*fields: Field, mapped: list[Mapped] | None = None) -> CycleEvents:
    counters = [field(name, standard=True) for name in ("JobCycleCounter", "CycleTime")]
    kind = EventType(types=(MAKER,), base=MAKER, fields=(*counters, *fields))
    session: Session = Nobody()  # type: ignore[assignment]  # only its machine's name is used
    return CycleEvents(session, kind, mapped or [], {})


def read(made: CycleEvents, **values: object) -> CycleData:
    """An event with some values, two underscores in a name standing for a slash."""
    by_name = {name.replace("__", "/"): value for name, value in values.items()}
    names = ["/".join(step.Name for step in clause.BrowsePath) for clause in made.clauses]
    head = dict(zip(HEAD, (MAKER, b"id", ua.NodeId(1), START), strict=True))
    found = [by_name.get(name, head.get(name)) for name in names]
    data = made.read([ua.Variant(value) for value in found])
    assert data is not None
    return data


def at(path: str, signal: str = "cooling_time_s", unit: str | None = None) -> list[Mapped]:
    return [Mapped(where="cooling.event_field", name=path, signal=signal, unit=unit)]


def test_a_bare_name_is_the_field_at_the_top_if_there_is_one() -> None:
    made = events(field("Cool", ms=True), field("A/Cool", ms=True), mapped=at("Cool"))

    data = read(made, Cool=9000.0, A__Cool=1000.0)

    assert data.values == {"cooling_time_s": 9.0, "A/Cool": 1000.0}


def test_a_bare_name_is_the_only_nested_one_if_none_is_at_the_top() -> None:
    made = events(field("A/Cool", ms=True), mapped=at("Cool"))

    assert read(made, A__Cool=9000.0).values == {"cooling_time_s": 9.0}


def test_a_whole_name_is_that_one() -> None:
    made = events(field("Cool", ms=True), field("A/Cool", ms=True), mapped=at("A/Cool"))

    assert read(made, Cool=9000.0, A__Cool=1000.0).values["cooling_time_s"] == 1.0


def test_several_nested_ones_are_an_error_that_lists_them() -> None:
    with pytest.raises(RefusedError, match="'Cool' could be any of A/Cool, B/Cool; name one"):
        events(field("A/Cool"), field("B/Cool"), mapped=at("Cool"))


def test_none_is_an_error_that_lists_the_makers_fields() -> None:
    with pytest.raises(RefusedError, match="no field 'Cool'; the maker's own are Kuehlzeit, A/X"):
        events(field("Kuehlzeit"), field("A/X"), mapped=at("Cool"))


def test_a_unit_in_the_configuration_goes_before_what_the_type_says() -> None:
    made = events(field("Cool"), mapped=at("Cool", unit="min"))

    assert read(made, Cool=0.25).values == {"cooling_time_s": 15.0}


def test_a_number_without_any_unit_is_ours_already() -> None:
    data = read(events(field("Cool"), mapped=at("Cool")), Cool=9.5)

    assert data.values == {"cooling_time_s": 9.5}
    assert data.units == {}


def test_a_unit_of_another_kind_keeps_the_value_under_the_makers_name() -> None:
    path = "InjectionUnitCycleParameters_1/CushionStroke"
    made = events(field(path, unit=unit_named("cm3")))

    data = read(made, InjectionUnitCycleParameters_1__CushionStroke=3.1)

    assert data.values == {path: 3.1}
    assert data.units == {path: "cm³"}


def test_a_makers_own_value_stays_in_the_unit_that_the_type_declares() -> None:
    made = events(field("Charge/Pressure", unit=unit_named("bar")))
    psi = ua.EUInformation(UnitId=20563, DisplayName=ua.LocalizedText("psi"))

    before = read(made, Charge__Pressure=6.5)
    after = read(made, Charge__Pressure=94.2745, Charge__Pressure__EngineeringUnits=psi)

    assert before.values == {"Charge/Pressure": 6.5}
    assert after.values["Charge/Pressure"] == pytest.approx(6.5, abs=1e-4)
    assert after.units == {"Charge/Pressure": "psi"}


def test_the_first_injection_unit_is_the_one_of_lowest_number() -> None:
    made = events(
        field("InjectionUnitCycleParameters_010/DosingTime", ms=True),
        field("InjectionUnitCycleParameters_002/DosingTime", ms=True),
    )

    data = read(
        made,
        InjectionUnitCycleParameters_010__DosingTime=4000.0,
        InjectionUnitCycleParameters_002__DosingTime=5000.0,
    )

    assert data.values == {
        "recovery_time_s": 5.0,
        "injection_unit_10_recovery_time_s": 4.0,
    }


def test_every_zone_of_every_unit_and_mold_has_a_name_of_its_own() -> None:
    paths = [
        "InjectionUnitCycleParameters_1/TemperatureZoneCycleParameters_13",
        "InjectionUnitCycleParameters_2/TemperatureZoneCycleParameters_1",
        "MouldCycleParameters_1/TemperatureZoneCycleParameters_1",
        "MouldCycleParameters_1/TemperatureZoneCycleParameters_2",
        "MouldCycleParameters_2/TemperatureZoneCycleParameters_4",
        "MouldCycleParameters_2/TemperatureZoneCycleParameters_5",
    ]
    made = events(*(field(f"{path}/ActualTemperature", unit=unit_named("degF")) for path in paths))

    data = read(
        made,
        **{f"{path}/ActualTemperature": 122.0 + 9 * at for at, path in enumerate(paths)},
    )

    assert data.values == {
        "barrel_zone_13_c": 50.0,
        "injection_unit_2_barrel_zone_1_c": 55.0,
        "mold_temp_c": 60.0,
        "mold_zone_2_c": 65.0,
        "mold_2_mold_temp_c": 70.0,
        "mold_2_mold_zone_5_c": 75.0,
    }
    assert set(data.units.values()) == {"°F"}


def test_nothing_that_an_event_says_is_dropped() -> None:
    made = events(
        field("BoxId", standard=True),
        field("BoxPartsCounter", standard=True),
        field("JobStatus", standard=True),
        field("AverageCycleTime", standard=True),
        field("CavityCycleQuality", standard=True),
        field("Charge/Name"),
        field("Charge/Opened"),
        field("Charge/Seal"),
        field("MouldCycleParameters_1/Index"),
    )

    data = read(
        made,
        BoxId="B-9",
        BoxPartsCounter=40,
        JobStatus=6,
        AverageCycleTime=24000.0,
        CavityCycleQuality=[1, 2, 0, 9],
        Charge__Name="PP 17",
        Charge__Opened=datetime(2026, 11, 2, 6, tzinfo=UTC),
        Charge__Seal=b"\x01\xff",
        MouldCycleParameters_1__Index=1,
    )

    assert data.values == {
        "BoxId": "B-9",
        "BoxPartsCounter": 40,
        "JobStatus": "JOB_IN_PRODUCTION",
        "AverageCycleTime": 24000.0,
        "CavityCycleQuality": "GOOD_PART, BAD_PART, NO_PART, 9",
        "Charge/Name": "PP 17",
        "Charge/Opened": "2026-11-02T06:00:00+00:00",
        "Charge/Seal": "01ff",
    }
    assert data.units == {"AverageCycleTime": "ms"}


def test_a_field_that_a_person_gave_a_signal_leaves_the_standards_its_own_name() -> None:
    standard = "InjectionUnitCycleParameters_1/InjectionTime"
    made = events(
        field("RealFill", ms=True), field(standard, ms=True), mapped=at("RealFill", "fill_time_s")
    )

    data = read(made, RealFill=700.0, InjectionUnitCycleParameters_1__InjectionTime=800.0)

    assert data.values == {"fill_time_s": 0.7, standard: 800.0}


def test_a_server_that_gives_every_number_as_double_counts_too() -> None:
    data = read(events(), JobCycleCounter=41.0, CycleTime=24000)

    assert data.counts == {"JobCycleCounter": 41}
    assert data.values == {"cycle_time_s": 24.0}


@pytest.mark.parametrize(("count", "elements"), [(1, 1), (2, 3), (5, 9)])
def test_any_of_several_types_is_asked_for_by_ors(count: int, elements: int) -> None:
    types = [ua.NodeId(number, 2) for number in range(count)]

    made = of_types(types).Elements

    assert len(made) == elements
    reached, open_ = set(), [0]
    while open_:
        element = made[open_.pop()]
        operands = element.FilterOperands
        if element.FilterOperator is ua.FilterOperator.OfType:
            reached.add(operands[0].Value.Value)
        else:
            open_ += [operand.Index for operand in operands]
    assert reached == set(types)


def test_a_childs_number_may_have_zeros_before_it() -> None:
    assert [number_of(name) for name in ("Mould_042", "Mould_1", "Mould_<Nr>")] == [42, 1, 0]


def test_a_state_is_what_it_was_at_an_instant() -> None:
    timeline = Timeline()
    timeline.set("mold", "A", START)
    timeline.set("mold", "C", START + timedelta(minutes=10))
    timeline.set("mold", "B", START + timedelta(minutes=5))

    def at_minute(minute: float) -> object:
        return timeline.at("mold", START + timedelta(minutes=minute))

    assert [at_minute(minute) for minute in (-1, 0, 4.9, 5, 9, 10, 60)] == list("AAABBCC")
    assert timeline.at("mold", None) == "C"
    assert timeline.at("job", START) is None


def test_a_timeline_forgets_the_oldest() -> None:
    timeline = Timeline()
    for minute in range(KEPT + 5):
        timeline.set("mold", minute, START + timedelta(minutes=minute))

    assert timeline.at("mold", START) == 5
    assert timeline.at("mold", None) == KEPT + 4


def logged(name: str, old: str, new: str, who: str | None = None) -> Notice:
    return Notice(
        machine="IMM-07",
        change=Change.MODE,
        name=name,
        old=old,
        new=new,
        who=who,
        at=START,
        received_at=START,
    )


def watched(changes: Changes, value: str, now: float, minute: float = 0) -> list[Notice]:
    since = START + timedelta(minutes=minute)
    return [*changes.watched("mode", value, since, since, now)]


def test_a_change_waits_for_the_event_that_says_who() -> None:
    changes = Changes("IMM-07", ["mode"])
    assert watched(changes, "AUTOMATIC", 0.0) == []
    assert watched(changes, "MANUAL", 1.0, 1) == []

    told = [*changes.logged(logged("mode", "AUTOMATIC", "MANUAL", "Ada"))]

    assert [notice.who for notice in told] == ["Ada"]
    assert [*changes.due(99.0)] == []


def test_a_change_whose_event_never_comes_is_told_without() -> None:
    changes = Changes("IMM-07", ["mode"])
    watched(changes, "AUTOMATIC", 0.0)
    watched(changes, "MANUAL", 1.0, 1)

    assert [*changes.due(1.0 + HOLD_S / 2)] == []
    told = [*changes.due(changes.due_at)]

    assert [(notice.old, notice.new, notice.who) for notice in told] == [
        ("AUTOMATIC", "MANUAL", None)
    ]
    assert [*changes.logged(logged("mode", "AUTOMATIC", "MANUAL", "Ada"))] == [], "once"


def test_a_change_that_the_machine_does_not_announce_is_told_at_once() -> None:
    changes = Changes("IMM-07", [])
    watched(changes, "AUTOMATIC", 0.0)

    assert [notice.new for notice in watched(changes, "MANUAL", 1.0, 1)] == ["MANUAL"]
    assert watched(changes, "MANUAL", 2.0, 2) == []


def test_there_and_back_are_two_changes() -> None:
    changes = Changes("IMM-07", ["mode"])
    told = [
        notice
        for minute, mode in enumerate(["AUTOMATIC", "MANUAL", "AUTOMATIC"])
        for notice in watched(changes, mode, 0.0, minute)
    ]
    told += changes.due(99.0)

    assert [notice.new for notice in told] == ["MANUAL", "AUTOMATIC"]
