"""An OPC 40077 machine as a bare client sees it."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, Node, ua

from simulators.euromap77.face import Euromap77Face, Options
from simulators.modes import Mode
from simulators.mold import Job, Mold
from simulators.press import Press
from tests.simulators.makers import a_press
from tests.simulators.plain77 import (
    CYCLE_TYPE,
    GT,
    IMM,
    at,
    machines,
    maker_type,
    read,
    subscribed,
)


@pytest.fixture
def press() -> Press:
    return a_press(counter=600, job_counter=40)


@pytest.fixture
async def face(press: Press) -> AsyncGenerator[Euromap77Face]:
    face = Euromap77Face(press)
    await face.start()
    yield face
    await face.stop()


@pytest.fixture
async def client(face: Euromap77Face) -> AsyncGenerator[Client]:
    async with Client(face.address) as client:
        yield client


async def test_the_machine_says_what_it_is(client: Client) -> None:
    (root,) = await machines(client)

    assert (await root.read_browse_name()).Name == "IMM_SprueSim_IMM-01"
    assert await read(client, "MachineInformation/SerialNumber") == "IMM-01"
    assert await read(client, "MachineInformation/DeviceClass") == "Injection Moulding Machine"
    maker = await read(client, "MachineInformation/Manufacturer")
    assert maker.Text == "SprueSim"
    assert ua.EventNotifier.SubscribeToEvents in await root.read_event_notifier()


async def test_job_mold_and_units_are_as_the_press_has_them(press: Press, client: Client) -> None:
    assert await read(client, "Jobs/ActiveJob/JobName") == "J-4711"
    assert await read(client, "Jobs/ActiveJob/MouldId") == "A-2188"
    assert await read(client, "Jobs/ActiveJob/NumCavities") == 2
    assert await read(client, "Jobs/ActiveJob/NominalParts") == 5000
    assert await read(client, "Jobs/ActiveJob/ExpectedCycleTime") == 24_000
    assert await read(client, "Moulds/Mould_1/Id") == "A-2188"
    zone = "InjectionUnits/InjectionUnit_1/TemperatureZones/TemperatureZone_4/ActualTemperature"
    assert await read(client, zone) == press.levels["barrel_zone_4_c"]
    unit = await read(client, f"{zone}/EngineeringUnits")
    assert unit.UnitId == 4408652  # CEL


async def test_enumerations_are_int32_and_counters_uint64(client: Client) -> None:
    mode = await (await at(client, "MachineStatus/MachineMode")).read_data_value()
    counter = await (await at(client, "Jobs/ActiveJobValues/JobCycleCounter")).read_data_value()

    assert mode.Value.VariantType is ua.VariantType.Int32
    assert counter.Value.VariantType is ua.VariantType.UInt64
    assert (mode.Value.Value, counter.Value.Value) == (1, 40)


async def test_the_profiles_tell_of_jobs(client: Client) -> None:
    profiles = await client.get_node(ua.NodeId(2269)).read_value()

    assert [profile.rpartition("/")[2] for profile in profiles] == ["Basic", "Jobs"]


async def test_a_finished_cycle_is_an_event_with_everything_in_it(
    press: Press, client: Client
) -> None:
    (root,) = await machines(client)
    heard = await subscribed(client, root, await maker_type(client, CYCLE_TYPE))

    shot = await press.mold()
    event = await heard.next()

    unit = "InjectionUnitCycleParameters_1"
    assert event["Time"] - shot.ended_at < timedelta(milliseconds=1)
    assert event["SourceNode"] == root.nodeid
    assert (event["MachineCycleCounter"], event["JobCycleCounter"]) == (601, 41)
    assert event["CycleTime"] == pytest.approx(shot.values["cycle_time_s"] * 1000)
    assert event["CoolingTime"] == 12_000
    assert event["CoolingTimeSet"] == 12_000
    assert event["PauseTime"] == pytest.approx(shot.values["pause_time_s"] * 1000)
    assert event["ClampForce"] == shot.values["clamp_force_kn"]
    assert event["CycleQuality"] == 0
    assert event["CavityCycleQuality"] == [1, 1]
    assert event["PartId"] == ["IMM-01-601-1", "IMM-01-601-2"]
    assert event["JobGoodPartsCounter"] == 82
    assert event[f"{unit}/InjectionTime"] == pytest.approx(shot.values["fill_time_s"] * 1000)
    assert event[f"{unit}/CushionStroke"] == shot.values["cushion_mm"]
    assert event[f"{unit}/CushionVolume"] == shot.values["cushion_cm3"]
    assert event[f"{unit}/SpecificPressureMaximum/EngineeringUnits"].UnitId == 4342098  # BAR
    zone = f"{unit}/BarrelTemperatureZoneCycleParameters_3/ActualTemperature"
    assert event[zone] == shot.values["barrel_zone_3_c"]
    mold = "MouldCycleParameters_1/MouldTemperatureZone_1/ActualTemperature"
    assert event[mold] == shot.values["mold_temp_c"]
    assert await read(client, "Jobs/ActiveJobValues/MachineCycleCounter") == 601
    assert await read(client, "Jobs/ActiveJobValues/LastCycleTime") == event["CycleTime"]


async def test_every_number_of_an_event_that_has_a_unit_has_a_range_around_it(
    press: Press, client: Client
) -> None:
    (root,) = await machines(client)
    heard = await subscribed(client, root, await maker_type(client, CYCLE_TYPE))

    await press.mold()
    event = await heard.next()

    measured = [name.rpartition("/")[0] for name in event if name.endswith("/EngineeringUnits")]
    assert len(measured) == 16
    for name in measured:
        assert event[f"{name}/EURange"].Low <= event[name] < event[f"{name}/EURange"].High


async def test_a_subscription_to_events_of_a_node_that_is_not_there_is_refused(
    client: Client,
) -> None:
    (root,) = await machines(client)
    nowhere = ua.NodeId("IMM_SprueSim_IMM-99", root.nodeid.NamespaceIndex)

    with pytest.raises(ua.UaStatusCodeError, match="BadNodeIdUnknown"):
        await subscribed(client, nowhere, await maker_type(client, CYCLE_TYPE))


async def test_a_dry_closing_is_told_by_the_production_status(press: Press, client: Client) -> None:
    (root,) = await machines(client)
    heard = await subscribed(client, root, await maker_type(client, CYCLE_TYPE))

    await press.mold(dry=True)
    event = await heard.next()

    assert event["CavityCycleQuality"] == [0, 0]
    assert event["InjectionUnitCycleParameters_1/InjectionTime"] == 0
    assert await read(client, "MachineMESStatus/ProductionControl/ProductionStatus") == 5


async def test_who_subscribes_at_the_server_hears_of_cycles_too(
    press: Press, client: Client
) -> None:
    server = ua.NodeId(ua.ObjectIds.Server)
    heard = await subscribed(client, server, await maker_type(client, CYCLE_TYPE))

    await press.mold()

    assert (await heard.next())["JobCycleCounter"] == 41


async def test_a_changed_timer_is_in_the_logbook_with_who_did_it(
    press: Press, client: Client
) -> None:
    (root,) = await machines(client)
    kind = await maker_type(client, "SprueSimParameterChangeLogType")
    heard = await subscribed(client, root, kind)

    await press.set_point("cooling_time_set_s", 12.5, who="M. Ortiz")
    event = await heard.next()

    assert event["ParameterId"] == "cooling_time_set_s"
    assert (event["OldValue"], event["NewValue"]) == (12.0, 12.5)
    assert event["NewValueUnit"].UnitId == 5457219  # SEC
    assert event["User/Name"] == "M. Ortiz"
    assert event["EventOriginator"] == 2


async def test_a_changed_mode_is_in_the_logbook(press: Press, client: Client) -> None:
    (root,) = await machines(client)
    kind = await maker_type(client, "SprueSimMachineModeChangeLogType")
    heard = await subscribed(client, root, kind)

    await press.set_mode(Mode.SETUP, who="M. Ortiz")
    event = await heard.next()

    assert (event["OldMachineMode"], event["NewMachineMode"]) == (1, 4)
    assert await read(client, "MachineStatus/MachineMode") == 4
    assert await read(client, "MachineMESStatus/ProductionControl/ProductionStatus") == 1


async def test_a_changed_mold_is_in_the_logbook_and_below_moulds(
    press: Press, client: Client
) -> None:
    (root,) = await machines(client)
    kind = await maker_type(client, "SprueSimProductionDatasetChangeLogType")
    heard = await subscribed(client, root, kind)

    await press.change_mold(Mold(id="A-2231", revision="B", resin="PC"), Job(name="J-9"))
    event = await heard.next()

    assert event["OldProductionDatasetName"] == "A-2188 A"
    assert event["NewProductionDatasetName"] == "A-2231 B"
    assert await read(client, "Moulds/Mould_1/Id") == "A-2231"
    assert await read(client, "Jobs/ActiveJob/MouldId") == "A-2231"
    assert await read(client, "Jobs/ActiveJob/JobName") == "J-9"
    assert await read(client, "Jobs/ActiveJobValues/JobCycleCounter") == 0


async def test_event_types_derive_from_the_standards(client: Client) -> None:
    for name, number in (
        (CYCLE_TYPE, 1038),
        ("SprueSimMachineModeChangeLogType", 1014),
        ("SprueSimProductionStatusChangeLogType", 1044),
        ("SprueSimProductionDatasetChangeLogType", 1012),
        ("SprueSimParameterChangeLogType", 1010),
        ("SprueSimStandstillReasonLogType", 1013),
        ("SprueSimMessageLogType", 1042),
    ):
        parent = await (await maker_type(client, name)).get_parent()
        assert parent.nodeid == ua.NodeId(number, await client.get_namespace_index(GT)), name


async def test_a_machine_without_jobs_still_tells_of_cycles(press: Press) -> None:
    face = Euromap77Face(press, options=Options(jobs=False, machine_counter=False))
    await face.start()
    async with Client(face.address) as client:
        (root,) = await machines(client)
        names = [(await child.read_browse_name()).Name for child in await root.get_children()]
        heard = await subscribed(client, root, await maker_type(client, CYCLE_TYPE))
        await press.mold()
        event = await heard.next()
        profiles = await client.get_node(ua.NodeId(2269)).read_value()
    await face.stop()

    assert "Jobs" not in names
    assert "Moulds" in names
    assert event["JobCycleCounter"] == 41
    assert event.get("MachineCycleCounter") is None
    assert len(profiles) == 1


async def test_a_gateway_holds_several_machines(press: Press) -> None:
    other = a_press(name="IMM-02")
    face = Euromap77Face([press, other])
    await face.start()
    async with Client(face.address) as client:
        first, second = await machines(client)
        heard = await subscribed(client, second, await maker_type(client, CYCLE_TYPE))
        await press.mold()
        await other.mold()
        event = await heard.next()
        serial = await (await at(client, "MachineInformation/SerialNumber", first)).read_value()
    await face.stop()

    assert serial == "IMM-01"
    assert event["SourceName"] == "IMM_SprueSim_IMM-02"
    assert heard.events.empty()


async def test_a_restarted_server_shows_the_press_as_it_is_now(
    press: Press, face: Euromap77Face
) -> None:
    port = face.port
    await face.stop()
    await press.mold()
    await face.start()

    assert face.port == port
    async with Client(face.address) as client:
        assert await read(client, "Jobs/ActiveJobValues/MachineCycleCounter") == 601


Seen = dict[str, tuple[Any, ...]]


async def browsed(client: Client, node: Node, path: str = "") -> Seen:
    """Everything below a node: class, type, data type and value, by qualified path."""
    seen: Seen = {}
    for reference in await node.get_children_descriptions():
        name = f"{path}/{reference.BrowseName.NamespaceIndex}:{reference.BrowseName.Name}"
        child = client.get_node(reference.NodeId)
        shown: tuple[Any, ...] = (reference.NodeClass, reference.TypeDefinition, reference.NodeId)
        if reference.NodeClass is ua.NodeClass.Variable:
            data = await child.read_data_value()
            shown += (await child.read_data_type(), data.Value.VariantType, data.Value.Value)
        seen[name] = shown
        seen |= await browsed(client, child, name)
    return seen


async def fields_of(client: Client, number: int, uri: str) -> Seen:
    """The variables of a type that the standard defines: ids, data types, modelling rules."""
    kind = client.get_node(ua.NodeId(number, await client.get_namespace_index(uri)))
    seen: Seen = {}
    for child in await kind.get_children():
        if await child.read_node_class() is not ua.NodeClass.Variable:
            continue
        rules = await child.get_referenced_nodes(ua.NodeId(ua.ObjectIds.HasModellingRule))
        name = await child.read_browse_name()
        data_type = await child.read_data_type()
        if data_type.is_null():  # the files leave the default out, and the library's import too
            data_type = ua.NodeId(ua.ObjectIds.BaseDataType)
        seen[name.Name] = (
            name.NamespaceIndex,
            child.nodeid,
            data_type,
            await child.read_type_definition(),
            [rule.nodeid for rule in rules],
        )
    return seen


async def looked_at(face: Euromap77Face, press: Press) -> tuple[Any, ...]:
    """All that a client can see of a machine: its tree, its types and a cycle event."""
    async with Client(face.address) as client:
        await client.load_data_type_definitions()
        (root,) = await machines(client)
        tree = await browsed(client, root)
        types = {
            number: await fields_of(client, number, uri)
            for number, uri in (
                (1038, GT), (1011, GT), (1014, GT), (1044, GT), (1012, GT), (1010, GT),
                (1013, GT), (1042, GT), (1005, GT), (1047, GT), (1039, IMM),
            )
        }  # fmt: skip
        maker = await browsed(client, await maker_type(client, CYCLE_TYPE))
        heard = await subscribed(client, root, await maker_type(client, CYCLE_TYPE))
        await press.mold()
        event = await heard.next()
    for varying in ("EventId", "Time", "ReceiveTime"):
        del event[varying]
    return tree, types, maker, event


EVERYTHING = Options(
    production_datasets=True,
    mold_number=42,
    mold_digits=3,
    injection_units=2,
    curves=True,
    pressure_unit="psi",
    temperature_unit="F",
)


@pytest.mark.parametrize("options", [Options(), EVERYTHING], ids=["usual", "everything"])
async def test_built_types_and_official_nodesets_look_alike(
    nodesets: Path, options: Options
) -> None:
    views = []
    for folder in (None, nodesets):
        press = a_press()
        face = Euromap77Face(press, options=options, nodesets=folder)
        await face.start()
        views.append(await looked_at(face, press))
        await face.stop()

    built, official = views
    for ours, theirs in zip(built, official, strict=True):
        assert ours == theirs


async def test_a_folder_without_nodesets_is_named(tmp_path: Path) -> None:
    face = Euromap77Face(a_press(), nodesets=tmp_path)

    with pytest.raises(FileNotFoundError, match="the official NodeSet"):
        await face.start()
