"""The pages over a plant record: what agents tell is there, and what people say counts."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from agent.batch import MoldRow
from agent.history import open_history
from agent.molds.shelf import read_shelf
from agent.plantrecord.alerts import judge_lives
from tests.forward.forwarded import until
from tests.plantrecord.agents import a_teller

MOLD = MoldRow(name="A-1", fields={"cavities": 2, "planned_shots": 100})


@asynccontextmanager
async def pages(url: str, port: int) -> AsyncGenerator[str]:
    """`sprue serve` as people run it; where its pages are."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "serve", "--record", url, "--listen", f"127.0.0.1:{port}",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        yield line.removeprefix("Sprue: ").strip()
    finally:
        process.terminate()
        assert await process.wait() == 0


async def test_the_pages_show_all_agents_machines_and_one_life_of_a_mold(
    tmp_path: Path, plant_url: str, free_port: int
) -> None:
    ended = datetime.now(UTC) - timedelta(hours=1)
    async with (
        a_teller(tmp_path / "1", ["IMM-1"], [MOLD]) as one,
        a_teller(tmp_path / "2", ["IMM-2"], [MOLD]) as two,
        one.to(plant_url, {"IMM-1": False}),
    ):
        await one.mold("IMM-1", range(1, 41), time=ended, received_at=ended)
        await until("the first agent has told", one.is_told)
        async with pages(plant_url, free_port) as address, aiohttp.ClientSession() as session:

            async def snapshot() -> dict[str, Any]:
                async with session.get(f"{address}api/snapshot") as answer:
                    assert answer.status == 200
                    return dict(json.loads(await answer.text()))

            assert "IMM-1" in json.dumps(await snapshot())
            async with two.to(plant_url, {"IMM-2": False}):
                await two.mold("IMM-2", range(1, 51))

            async def both() -> bool:
                try:
                    return "IMM-2" in json.dumps(await snapshot())
                except aiohttp.ClientError:  # they begin anew when a machine has come
                    return False

            await until("the second agent's machine is shown", both)
            for page in ("molds", "molds/A-1", "press/IMM-1", "anomalies", "health"):
                async with session.get(f"{address}{page}") as answer:
                    assert answer.status == 200, page
                    text = await answer.text()
                    assert page != "molds/A-1" or "90" in text
                    assert "No sink is configured" not in text
            form = {
                "who": "M. Ortiz",
                "key": "1",
                "deed": "log",
                "what": "vents",
                "kind": "repair",
            }
            async with session.post(f"{address}molds/A-1", data=form) as answer:
                assert answer.status == 200

            async def alerted() -> bool:
                async with session.get(f"{address}anomalies") as answer:
                    return "A-1" in await answer.text()

            await until("its life is nearly used up, by both agents' shots", alerted)
    assert judge_lives(plant_url, datetime.now(UTC)) == 0  # the pages have raised it
    with open_history(plant_url) as history, history.connect() as connection:
        shelf = read_shelf(connection)
    assert sum(each.shots for each in shelf.took["A-1"].values()) == 90
    assert [(each.what, each.shots) for each in shelf.services["A-1"]] == [("vents", 90)]
