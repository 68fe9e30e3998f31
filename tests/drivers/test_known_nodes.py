"""Ids that a server gives anew, or to another quantity: found by their paths, never misread."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers import Change, Frame, Notice, Quality, RefusedError
from drivers.knownnodes import KnownNodes
from drivers.nodes import NodeMap
from drivers.observations import Value
from drivers.opcua import OpcUaPress, open_press
from tests.drivers.flatserver import NAMESPACE, FlatServer, flat_server
from tests.drivers.test_opcua import mapped, settings

MAP = mapped(counter="Shots", melt_temp_c="Melt", mold_temp_c="Mold")
VALUES: dict[str, Any] = {"Shots": 7, "Melt": 230.0, "Mold": 40.0}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "nodes" / "IMM-15.json"


@asynccontextmanager
async def connected(
    flat: FlatServer, known: KnownNodes, nodes: NodeMap = MAP, **keys: Any
) -> AsyncGenerator[OpcUaPress]:
    async with open_press(settings(flat.url, **keys), nodes, known) as press:
        yield press


async def learned(file: Path) -> None:
    """As a first connection leaves it."""
    known = KnownNodes("IMM-15", file, keep=True)
    async with flat_server(**VALUES) as flat, connected(flat, known):
        assert len(known) == len(VALUES)


async def first_notice(press: OpcUaPress) -> tuple[Notice | None, Frame]:
    notice = None
    async with asyncio.timeout(10):
        async for item in press.observations():
            if isinstance(item, Notice):
                notice = item
            if isinstance(item, Frame):
                return notice, item
    raise AssertionError("the stream ended")


async def test_nodes_with_new_ids_are_found_by_their_paths_and_told(file: Path) -> None:
    await learned(file)

    async with flat_server() as flat:
        for name, value in VALUES.items():
            flat.add_as(f"v2.{name}", name, value)
        async with connected(flat, KnownNodes("IMM-15", file, keep=True)) as press:
            notice, frame = await first_notice(press)
        async with connected(flat, KnownNodes("IMM-15", file, keep=True)) as press:
            again, _ = await first_notice(press)

    assert frame.values == (7, 230.0, 40.0)
    assert notice is not None
    assert (notice.change, notice.name) == (Change.MESSAGE, "node_ids")
    assert f"s=Shots is nsu={NAMESPACE};s=v2.Shots" in (notice.text or "")
    assert again is None


async def test_an_id_that_is_given_to_another_quantity_is_not_read(file: Path) -> None:
    await learned(file)

    async with flat_server(Shots=7, Mold=40.0) as flat:
        flat.add_as("Melt", "OilTemperature", 55.0)
        async with connected(flat, KnownNodes("IMM-15", file, keep=True)) as press:
            frame = await press.read()
            said = press.condition.unavailable

    assert frame.values == (7, None, 40.0)
    assert frame.qualities[1] is Quality.MISSING
    [why] = said
    assert "melt_temp_c at s=Melt" in why
    assert "called 'OilTemperature' now, and was 'Melt'" in why
    assert 'sprue trust "IMM-15"' in why


async def test_ids_that_are_swapped_are_read_each_under_its_own_name(file: Path) -> None:
    await learned(file)

    async with flat_server(Shots=7) as flat:
        flat.add_as("Melt", "Mold", 40.0)
        flat.add_as("Mold", "Melt", 230.0)
        async with connected(flat, KnownNodes("IMM-15", file)) as press:
            frame = await press.read()

    assert frame.values == (7, 230.0, 40.0)


async def test_a_counter_under_another_name_is_refused_in_words(file: Path) -> None:
    await learned(file)

    async with flat_server(Melt=230.0, Mold=40.0) as flat:
        flat.add_as("Shots", "PartsGood", 3)
        with pytest.raises(RefusedError, match=r"no counter at s=Shots.*called 'PartsGood' now"):
            async with connected(flat, KnownNodes("IMM-15", file)):
                pass


async def test_what_comes_back_under_an_id_is_looked_up_anew_before_it_counts(file: Path) -> None:
    await learned(file)

    async with (
        flat_server(**VALUES) as flat,
        connected(flat, KnownNodes("IMM-15", file)) as press,
    ):
        flat.delete("Melt", "Mold")
        assert (await press.read()).values == (7, None, None)
        flat.add(Melt=231.0)
        flat.add_as("Mold", "OilTemperature", 55.0)
        values: list[tuple[Value | None, ...]] = []
        async with asyncio.timeout(10):
            while not values or values[-1][1] is None:
                values.append((await press.read()).values)
                await asyncio.sleep(0.1)

    assert values[-1] == (7, 231.0, None)
    assert all(each[2] is None for each in values)


async def test_subscribed_nodes_are_found_by_their_paths_too(file: Path) -> None:
    await learned(file)

    async with flat_server() as flat:
        for name, value in VALUES.items():
            flat.add_as(f"v2.{name}", name, value)
        async with connected(flat, KnownNodes("IMM-15", file), read="subscribe") as press:
            _, frame = await first_notice(press)

    assert frame.values == (7, 230.0, 40.0)


async def test_a_server_that_does_not_say_names_is_read_by_its_ids() -> None:
    async with flat_server(**VALUES) as flat:
        flat.hide_names()
        known = KnownNodes("IMM-15")
        async with connected(flat, known) as press:
            frame = await press.read()

    assert frame.values == (7, 230.0, 40.0)
    assert len(known) == 0


async def test_one_node_that_a_server_does_not_give_does_not_hide_the_others_names(
    file: Path,
) -> None:
    nodes = mapped(counter="Shots", melt_temp_c="Melt", oil_temp_c="Nowhere")
    async with flat_server(**VALUES) as flat:
        known = KnownNodes("IMM-15", file, keep=True)
        async with connected(flat, known, nodes) as press:
            assert (await press.read()).values == (7, 230.0, None)
            flat.add(Nowhere=44.0)
            async with asyncio.timeout(10):
                async for item in press.observations():
                    if isinstance(item, Frame) and item.values == (7, 230.0, 44.0):
                        break

    assert len(known) == 3


async def test_a_file_that_is_none_is_refused_by_name(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"machine": "IMM-15", "nodes": {"nsu=urn:x;s=a": {"name": 3}}}')

    async with flat_server(**VALUES) as flat:
        with pytest.raises(RefusedError, match=r"IMM-15\.json: "):
            async with connected(flat, KnownNodes("IMM-15", file)):
                pass


async def test_a_file_that_is_removed_is_learned_anew(file: Path) -> None:
    await learned(file)
    known = KnownNodes("IMM-15", file, keep=True)
    async with flat_server(Mold=40.0, Melt=1.0) as flat:
        flat.add_as("Shots", "PartsGood", 3)
        file.unlink()
        async with connected(flat, known) as press:
            assert (await press.read()).values[0] == 3
    assert "PartsGood" in file.read_text()


async def test_names_are_known_by_their_namespace_and_not_by_its_number(file: Path) -> None:
    await learned(file)

    async with (
        flat_server("urn:another", "urn:and-another", **VALUES) as flat,
        connected(flat, KnownNodes("IMM-15", file)) as press,
    ):
        notice, frame = await first_notice(press)

    assert frame.values == (7, 230.0, 40.0)
    assert notice is None
