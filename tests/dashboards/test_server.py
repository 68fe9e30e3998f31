"""How the pages start and stop."""

import asyncio
import contextlib
import signal

import pytest

from agent.live import Plant
from dashboards.server import ServeError, serve
from tests.dashboards.client import flood, frozen_page, get, serving, until, viewing
from tests.dashboards.story import crowd


async def test_the_address_to_open_is_told_once_pages_are_answered(demo_plant: Plant) -> None:
    async with serving(demo_plant) as address:
        assert address.startswith("http://127.0.0.1:")
        assert (await get(f"{address}/healthz")).status == 200


async def test_an_address_in_use_is_an_error_that_names_it(demo_plant: Plant) -> None:
    async with serving(demo_plant) as address:
        port = int(address.rpartition(":")[2])

        with pytest.raises(ServeError, match=rf"127\.0\.0\.1:{port}: Address already in use"):
            await serve(demo_plant, "127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-name.invalid", "nonsense name"])
async def test_an_address_that_is_not_ours_is_an_error_that_names_it(
    demo_plant: Plant, host: str
) -> None:
    with pytest.raises(ServeError, match=host):
        await serve(demo_plant, host, 0)


async def test_signals_stay_the_agents(demo_plant: Plant) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]

    async with serving(demo_plant):
        during = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]

    assert during == before


async def test_a_stop_takes_less_than_a_second_with_open_and_frozen_pages() -> None:
    plant = crowd(200)
    clock = asyncio.get_running_loop().time
    async with contextlib.AsyncExitStack() as pages, asyncio.TaskGroup() as tasks:
        async with serving(plant) as address:
            page = await pages.enter_async_context(viewing(address))
            reading = tasks.create_task(page.closed())
            await pages.enter_async_context(frozen_page(address))
            await until(lambda: plant.viewers == 2, within_s=2)
            full_at = clock() + 1.0
            await flood(plant, lambda: clock() > full_at, within_s=5)
            assert plant.viewers == 2
            stopped_at = clock()
        took_s = clock() - stopped_at
        code, _reason = await reading

    assert took_s < 1.0
    assert plant.viewers == 0
    assert code == 1012


async def test_a_stop_while_a_viewer_is_just_leaving_is_no_error() -> None:
    plant = crowd(200)
    clock = asyncio.get_running_loop().time
    async with contextlib.AsyncExitStack() as pages, asyncio.TaskGroup() as tasks:
        async with serving(plant) as address:
            page = await pages.enter_async_context(viewing(address))
            reading = tasks.create_task(page.closed())
            leave = await pages.enter_async_context(frozen_page(address))
            await until(lambda: plant.viewers == 2, within_s=5)
            full_at = clock() + 1.0  # what it never takes keeps its connection from ending
            await flood(plant, lambda: clock() > full_at, within_s=10)
            leave()
            await until(lambda: plant.viewers == 1, within_s=5)
        code, _reason = await reading

    assert code == 1012


async def test_the_same_address_serves_again_at_once(demo_plant: Plant) -> None:
    async with serving(demo_plant) as address:
        pass
    async with serving(demo_plant, port=int(address.rpartition(":")[2])) as again:
        assert again == address
