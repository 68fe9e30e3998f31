"""VictoriaMetrics: numbers only, and what it lost in a kill it is told again."""

import asyncio
import re

import aiohttp
import pytest
from aiohttp import web

from agent.batch import Batch, Blind
from agent.forward import forwarder
from agent.forward.settings import VictoriaSettings
from drivers import Change, Notice
from tests.agent.makers import at, cycle
from tests.forward.forwarded import PATIENCE_S, Forwarded, until, victoria_samples
from tests.forward.servers import Server
from tests.forward.test_influxdb import told
from tests.forward.v2 import serving


def victoriametrics(url: str, hold_s: float) -> VictoriaSettings:
    fields = {"kind": "victoriametrics", "url": url, "hold_s": hold_s, "curves": ["*"]}
    return VictoriaSettings.model_validate(fields)


async def test_numbers_are_there_words_are_labels_and_texts_are_left_out(
    plant: Forwarded, victoria: Server
) -> None:
    victoria.start()
    await (await plant.keep(cycle(7, 140, job="J 7", values={"cycle_time_s": 24.01, "x": "ok"})))
    blind = Blind(machine="IMM-01", since=at(5), until=at(65), cause="stale", why="silent")
    notice = Notice(
        machine="IMM-01", change=Change.MODE, name="mode", old="MANUAL", new="AUTOMATIC", who=None,
        at=at(1), received_at=at(1),
    )  # fmt: skip
    await (await plant.record.keep(Batch(machine="IMM-01", blinds=[blind], notices=[notice])))
    async with plant.to(victoriametrics(victoria.url, 0)):
        await told(plant)

    ((labels, values, times_ms),) = await victoria_samples(victoria.url, "sprue_cycle_cycle_time_s")
    assert labels == {
        "__name__": "sprue_cycle_cycle_time_s", "machine": "IMM-01", "mold": "A-1",
        "revision": "A", "closing": "shot", "state": "production", "mode": "none",
    }  # fmt: skip
    assert (values, times_ms) == ([24.01], [at(140).timestamp() * 1000])
    ((labels, values, times_ms),) = await victoria_samples(victoria.url, "sprue_blind_open")
    assert (labels["cause"], values) == ("stale", [1, 0])
    assert times_ms[1] - times_ms[0] == 60_000
    ((labels, values, _),) = await victoria_samples(victoria.url, "sprue_notice_n")
    assert (labels["name"], values) == ("mode", [1])
    assert await victoria_samples(victoria.url, "sprue_cycle_job") == []


@pytest.mark.slow
async def test_what_a_kill_of_the_server_cost_it_is_told_again(
    plant: Forwarded, victoria: Server
) -> None:
    """It has said 204 to seconds of data that it did not have on disk yet."""
    victoria.start()
    async with plant.to(victoriametrics(victoria.url, 15)):
        for begin in (1, 301, 601):
            for n in range(begin, begin + 300):
                done = await plant.keep(cycle(n, 20 * n, values={"cycle_time_s": 20 + n / 100}))
            await done

            async def acknowledged() -> bool:
                found = await victoria_samples(victoria.url, "sprue_cycle_counter")
                return sum(len(values) for _, values, _ in found) > 0

            if begin == 1:
                await until("something has arrived", acknowledged)
            victoria.kill()
            victoria.start()

        async def whole() -> bool:
            found = await victoria_samples(victoria.url, "sprue_cycle_counter")
            return sum(len(values) for _, values, _ in found) == 900

        await until("all cycles are there again", whole)
        victoria.kill()
        victoria.start()
        await until("and once more", whole)

    ((_, values, times_ms),) = await victoria_samples(victoria.url, "sprue_cycle_counter")
    assert values == list(range(1, 901))
    assert times_ms == [int(at(20 * n).timestamp() * 1000) for n in range(1, 901)]


async def test_a_kill_within_the_second_of_its_start_loses_nothing(
    plant: Forwarded, victoria: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy tells one start for both processes, and hides that one of them died."""
    monkeypatch.setattr(forwarder, "SURE_S", 4.0)
    victoria.start()
    await plant.mold(range(1, 301))
    written = asyncio.Event()
    async with aiohttp.ClientSession() as session:

        async def handle(request: web.Request) -> web.Response:
            body = await request.read()
            while True:
                try:
                    url = f"{victoria.url}{request.path_qs}"
                    async with session.request(request.method, url, data=body) as answer:
                        text, status = await answer.text(), answer.status
                    break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
            if status == 204 and body:
                written.set()
            told = re.sub(r"(?m)^(\S*_start_time(?:stamp|_seconds)) \S+$", r"\1 1795624528", text)
            return web.Response(status=status, body=told.encode())

        async with serving(handle) as proxy, plant.to(victoriametrics(proxy, 30)):
            async with asyncio.timeout(PATIENCE_S):
                await written.wait()
            victoria.kill()
            victoria.start()

            async def whole() -> bool:
                found = await victoria_samples(victoria.url, "sprue_cycle_counter")
                return sum(len(values) for _, values, _ in found) == 300

            assert not await whole(), "it had all of it on its disk"
            await until("all cycles are there again", whole)
