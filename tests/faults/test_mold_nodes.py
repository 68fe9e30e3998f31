"""What becomes of an OPC 40077 machine's nodes: at mold changes, updates, restarts."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from asyncua import Client, Node, ua

from simulators.euromap77.face import Euromap77Face, Options
from simulators.mold import Job, Mold
from simulators.molding import Molding
from simulators.press import Press
from simulators.runs import Run
from simulators.troubles import Troubles
from tests.simulators.makers import MOLD, a_press
from tests.simulators.plain77 import (
    CYCLE_TYPE,
    MAKER,
    SERVER,
    appears,
    at,
    hearing_cycles,
    machines,
    maker_type,
    names,
    read,
    serving,
    subscribed,
    unit_of,
    watching,
)

REPLACE = Options(mold_number=42, mold_digits=3, mold_nodes="replace")
OTHER = Mold(id="A-2231", resin="PC", cavities=4)
MODEL_CHANGE = ua.NodeId(ua.ObjectIds.GeneralModelChangeEventType)
SOON = {"down_s": 0.05}


@pytest.fixture
def press() -> Press:
    press = a_press(counter=600, job_counter=40)
    Troubles(press)
    return press


@pytest.fixture
async def face(press: Press) -> AsyncGenerator[Euromap77Face]:
    async with serving(Euromap77Face(press, options=REPLACE)) as face:
        yield face


@pytest.fixture
async def client(face: Euromap77Face) -> AsyncGenerator[Client]:
    async with Client(face.address) as client:
        yield client


async def molds(client: Client) -> list[str]:
    """Names of the molds' nodes."""
    return [name for name in await names(await at(client, "Moulds")) if name != "NodeVersion"]


async def test_who_kept_a_molds_node_id_reads_nothing_after_a_mold_change(
    press: Press, client: Client
) -> None:
    known = await at(client, "Moulds/Mould_042/Id")
    counter = await at(client, "Jobs/ActiveJobValues/JobCycleCounter")
    assert await known.read_value() == "A-2188"

    await press.change_mold(OTHER)

    assert await client.read_values([known, counter]) == [None, 40], "without a word"
    with pytest.raises(ua.UaStatusCodeError, match="BadNodeIdUnknown"):
        await known.read_value()
    assert await molds(client) == ["Mould_043"]
    assert await read(client, "Moulds/Mould_043/Id") == "A-2231"
    assert await read(client, "Moulds/Mould_043/Index") == 43
    assert await read(client, "Moulds/NodeVersion") == "2"


async def test_who_kept_the_node_id_of_a_molds_temperature_reads_nothing_either(
    press: Press, client: Client
) -> None:
    zone = "TemperatureZones/TemperatureZone_1/ActualTemperature"
    known = await at(client, f"Moulds/Mould_042/{zone}")

    await press.change_mold(OTHER)
    await press.mold()

    assert await client.read_values([known]) == [None]
    assert await read(client, f"Moulds/Mould_043/{zone}") == press.levels["mold_temp_c"]


async def test_subscribers_of_a_molds_node_are_told_that_it_is_gone_and_hear_no_more(
    press: Press, client: Client
) -> None:
    heard = await watching(client, "Moulds/Mould_042/Id")

    await press.change_mold(OTHER)
    await press.change_mold(MOLD)

    assert await heard.value() == (None, "BadNodeIdUnknown")
    assert heard.values.empty()
    assert await molds(client) == ["Mould_044"], "no number comes again"


@pytest.mark.parametrize("where", ["Moulds", "", "server"])
async def test_a_mold_change_is_a_model_change_event(
    press: Press, client: Client, where: str
) -> None:
    root = (await machines(client))[0]
    source: Node | ua.NodeId = {"Moulds": await at(client, "Moulds"), "": root}.get(where, SERVER)
    old = await at(client, "Moulds/Mould_042")
    heard = await subscribed(client, source, client.get_node(MODEL_CHANGE))

    await press.change_mold(OTHER)
    event = await heard.next()

    new = await at(client, "Moulds/Mould_043")
    kind = await new.read_type_definition()
    changes = [(each.Affected, each.AffectedType, each.Verb) for each in event["Changes"]]
    assert changes == [(old.nodeid, kind, 2), (new.nodeid, kind, 1)]
    assert event["SourceName"] == "Moulds"
    assert heard.events.empty()


async def test_the_cycle_event_says_which_molds_node_it_is_of(press: Press, client: Client) -> None:
    heard = await hearing_cycles(client)

    await press.mold()
    await press.change_mold(OTHER)
    await press.mold()

    indexes = [(await heard.next())["MouldCycleParameters_1/Index"] for _ in range(2)]
    assert indexes == [42, 43]


async def test_a_recut_mold_keeps_its_node(press: Press, client: Client) -> None:
    known = await at(client, "Moulds/Mould_042/Id")

    await press.change_mold(Mold(id="A-2188", revision="B"))

    assert await known.read_value() == "A-2188"


async def test_another_server_keeps_the_node_and_gives_it_another_id(press: Press) -> None:
    options = Options(mold_number=42, mold_digits=3)
    face = Euromap77Face(press, options=options)
    async with serving(face), Client(face.address) as client:
        known = await at(client, "Moulds/Mould_042/Id")
        heard = await watching(client, "Moulds/Mould_042/Id")

        await press.change_mold(OTHER)

        assert await known.read_value() == "A-2231"
        assert await heard.value() == ("A-2231", "Good")
        assert await read(client, "Moulds/NodeVersion") == "1"


async def test_a_mold_that_is_being_changed_is_not_present() -> None:
    run = Run(mold=OTHER, job=Job(name="J-9", parts=100), set_up_s=60.0, set_up_closings=1)
    job = Job(name="J-4711", parts=2)
    press = a_press(speed=300.0, job=job, runs=(run,))
    async with serving(Euromap77Face(press)) as face, Client(face.address) as client:
        heard = await watching(client, "Moulds/Mould_1/IsPresent")
        status = await watching(client, "Moulds/Mould_1/MouldStatus")

        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(Molding(press).run())
            seen = [await heard.value() for _ in range(2)]
            running.cancel()

        assert seen == [(False, "Good"), (True, "Good")]
        assert (await status.value())[0] == 2
        assert await read(client, "Moulds/Mould_1/Id") == "A-2231"


async def test_a_mold_change_while_the_server_is_down_shows_afterwards(
    press: Press, face: Euromap77Face
) -> None:
    await face.stop()
    await press.change_mold(OTHER)
    await face.start()

    async with Client(face.address) as client:
        assert await molds(client) == ["Mould_043"]
        assert await read(client, "Moulds/NodeVersion") == "2"


async def test_a_restart_keeps_the_numbers(press: Press, face: Euromap77Face) -> None:
    await press.change_mold(OTHER)
    await face.stop()
    await face.start()

    async with Client(face.address) as client:
        assert await molds(client) == ["Mould_043"]


@pytest.mark.fault("mold_id_late")
async def test_the_old_molds_node_stays_for_as_long_as_its_id_is_shown(
    press: Press, client: Client
) -> None:
    await press.faults.on("mold_id_late", {"shots": 2})

    await press.change_mold(OTHER)
    await press.mold()
    shown = await molds(client), await read(client, "Jobs/ActiveJob/MouldId")
    await press.mold()

    assert shown == (["Mould_042"], "A-2188"), "and its shots go on the old mold"
    assert await molds(client) == ["Mould_043"]


@pytest.mark.fault("mold_id_never")
async def test_nobody_hears_of_a_mold_that_nobody_entered(press: Press, client: Client) -> None:
    await press.faults.on("mold_id_never")

    await press.change_mold(OTHER)
    await press.mold()

    assert await molds(client) == ["Mould_042"]
    assert await read(client, "Moulds/Mould_042/Id") == "A-2188"
    await press.faults.off("mold_id_never")
    assert await molds(client) == ["Mould_043"]


@pytest.mark.fault("frozen_values")
async def test_a_frozen_machine_keeps_the_old_molds_node_until_it_thaws(
    press: Press, client: Client
) -> None:
    await press.faults.on("frozen_values")
    await press.change_mold(OTHER)
    assert await molds(client) == ["Mould_042"]
    assert await read(client, "Jobs/ActiveJob/MouldId") == "A-2188"

    await press.faults.off("frozen_values")

    assert await molds(client) == ["Mould_043"]
    assert await read(client, "Jobs/ActiveJob/MouldId") == "A-2231"


@pytest.mark.fault("node_deleted")
async def test_one_node_can_go_while_the_others_stay(press: Press, client: Client) -> None:
    heard = await watching(client, "Jobs/ActiveJobValues/JobCycleCounter")
    known = await at(client, "Jobs/ActiveJobValues/JobCycleCounter")
    await press.faults.on("node_deleted")

    assert await heard.value() == (None, "BadNodeIdUnknown")
    assert await client.read_values([known]) == [None]
    assert "JobCycleCounter" not in await names(await at(client, "Jobs/ActiveJobValues"))

    await press.mold()
    await press.faults.off("node_deleted")
    assert await known.read_value() == 41


@pytest.mark.fault("nodes_missing")
async def test_branches_that_are_not_there_at_first_come_later(
    press: Press, face: Euromap77Face
) -> None:
    await press.faults.on("nodes_missing", SOON | {"after_s": 0.3})
    await face.listens()

    async with Client(face.address) as client:
        root = (await machines(client))[0]
        assert "Jobs" not in await names(root)
        assert "InjectionUnit_1" not in await names(await at(client, "InjectionUnits"))
        await press.mold()
        await appears(root, "Jobs")
        assert await read(client, "Jobs/ActiveJobValues/JobCycleCounter") == 41


@pytest.mark.fault("node_ids_changed")
async def test_after_an_update_what_was_configured_by_id_is_unknown(
    press: Press, face: Euromap77Face
) -> None:
    async with Client(face.address) as client:
        counter = (await at(client, "Jobs/ActiveJobValues/JobCycleCounter")).nodeid
        root = (await machines(client))[0].nodeid
    await press.faults.on("node_ids_changed", SOON)
    await face.listens()

    async with Client(face.address) as client:
        assert await client.read_values([client.get_node(counter)]) == [None]
        with pytest.raises(ua.UaStatusCodeError):
            await subscribed(client, root, await maker_type(client, CYCLE_TYPE))
        assert await read(client, "Jobs/ActiveJobValues/JobCycleCounter") == 40
        heard = await hearing_cycles(client)
        await press.mold()
        assert (await heard.next())["JobCycleCounter"] == 41, "types keep their ids"


@pytest.mark.fault("namespace_reordered")
async def test_after_a_restart_with_other_namespaces_the_old_indexes_lead_nowhere(
    press: Press, face: Euromap77Face
) -> None:
    async with Client(face.address) as client:
        counter = (await at(client, "Jobs/ActiveJobValues/JobCycleCounter")).nodeid
        before = await client.get_namespace_index(MAKER)
    await press.faults.on("namespace_reordered", SOON)
    await face.listens()

    async with Client(face.address) as client:
        assert await client.get_namespace_index(MAKER) != before
        assert await client.read_values([client.get_node(counter)]) == [None]
        heard = await hearing_cycles(client)
        changes = await subscribed(client, SERVER, client.get_node(MODEL_CHANGE))
        await press.change_mold(OTHER)
        await press.mold()
        event, change = await heard.next(), await changes.next()
        root = (await machines(client))[0]
        assert event["SourceNode"] == root.nodeid
        assert event["EventType"] == (await maker_type(client, CYCLE_TYPE)).nodeid
        assert event["JobCycleCounter"] == 41
        new = await at(client, "Moulds/Mould_043")
        assert change["Changes"][1].Affected == new.nodeid
        assert await read(client, "Moulds/Mould_043/Id") == "A-2231"
        zone = "Moulds/Mould_043/TemperatureZones/TemperatureZone_1/ActualTemperature"
        assert await unit_of(client, zone) == "°C"


async def test_molds_are_replaced_among_the_official_types_too(
    press: Press, nodesets: Path
) -> None:
    face = Euromap77Face(press, options=REPLACE, nodesets=nodesets)
    async with serving(face), Client(face.address) as client:
        changes = await subscribed(
            client, await at(client, "Moulds"), client.get_node(MODEL_CHANGE)
        )
        await press.change_mold(OTHER)

        assert len((await changes.next())["Changes"]) == 2
        assert await read(client, "Moulds/Mould_043/Id") == "A-2231"
