"""Names that are out to harm, of molds, jobs, anomalies and people: on pages, in lists and logs."""

import asyncio
import re
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from agent.anomalies import act
from agent.audit import Author, change
from agent.batch import Batch, MachineRow
from agent.ledger import Ledger, Standing
from agent.live import Call, News, Plant
from agent.record import open_record
from tests.agent.makers import cycle
from tests.dashboards.client import get, post, serving, viewing
from tests.dashboards.recorded import anomaly
from tests.dashboards.story import AT, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"
TURNED = "a\u202egnp.exe \u2067\u200f\u2066left"
NUL = "nul\0nul\r\n\x1b[2J\x9b31m"
LONG = "x" * 10_000
NAMES = (MARKUP, TURNED, NUL, LONG)

ACTING = "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"

BAD = re.compile(f"<script>alert|<img src=x|{ACTING}")
"""What no page, list or log may have in it: live markup, and what acts on the text around it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A record in which everything is called what nothing should be."""
    url = f"sqlite:///{tmp_path_factory.mktemp('hostile')}/plant.db"
    async with open_record(url, [MachineRow(name="IMM-07", driver="x")]) as record:
        book = Ledger("IMM-07", Standing(), lambda _mold: "A", None)
        for n, name in enumerate(NAMES * 3, 1):
            values = {"cycle_time_s": 24.0, "cooling_time_s": 12.0, name: name}
            one = cycle(n, 30 * n, machine="IMM-07", mold=name, job=name, values=values)
            one = replace(one, resin=name)
            await record.keep(Batch(machine="IMM-07", entries=[book.take(one)]))
        said = [
            anomaly(
                str(n), mold=name, revision="A", message=name, short=name[:26], likely=name,
                advice=name, evidence={name: name},
            )
            for n, name in enumerate(NAMES)
        ]  # fmt: skip
        await (await record.keep(Batch(machine="IMM-07", anomalies=said)))
    with change(url) as connection:
        for n, name in enumerate(NAMES):
            act(connection, Author(who=name, at=AT), str(n), "comment", name)
    return url


@pytest.fixture(scope="module")
def plant() -> Plant:
    """The story, where tiles and news have such names as well."""
    plant = story(12)
    machines = plant.machines
    for n, name in enumerate(NAMES):
        plant.set(machines[n], mold=name, part=name, job=name, reason=name, short=name, priority=2)
    calls = [
        Call(number=n, machine=machines[n], mold=name, priority=1, taken=name, short=name,
             text=name, likely=name, at=AT)
        for n, name in enumerate(NAMES)
    ]  # fmt: skip
    plant.hear(News(version=1, waiting=4, counts=(4, 0, 0), calls=tuple(calls)))
    return plant


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(plant: Plant, url: str) -> AsyncGenerator[str]:
    """Where it is served."""
    async with serving(plant, record=url) as address:
        yield address


def paths() -> list[str]:
    """Every page, with each name where one can stand in its address."""
    fixed = ["/", "/?wall=1", "/anomalies", "/molds", "/records", "/health", "/settings"]
    fixed += ["/press/IMM-07", "/press/IMM-07/compare", "/records/verify"]
    fixed += [f"/press/IMM-07/cycle/1/{n}" for n in (1, 2, 3, 4)]
    fixed += [f"/anomalies/{n}" for n in (1, 2, 3, 4)]
    for name in NAMES:
        text = quote(name[:2000], safe="")
        fixed += [f"/molds/{text}", f"/golden/{text}", f"/records?mold={text}&job={text}"]
        fixed += [f"/anomalies?mold={text}&machine={text}", f"/molds?q={text}", f"/press/{text}"]
    return fixed


async def test_no_page_has_more_of_a_name_than_its_letters(address: str) -> None:
    for path in paths():
        answer = await get(f"{address}{path}", accept="text/html")
        assert answer.status in (200, 404), (path[:80], answer.status)
        found = BAD.search(answer.text)
        assert found is None, (path[:80], answer.text[max(0, found.start() - 80) : found.end()])
        shown = re.sub(r' (href|action|value|data-source)="[^"]*"', "", answer.text)
        assert "x" * 2001 not in shown, path[:80]


async def test_no_program_gets_what_would_break_its_text(address: str) -> None:
    for path in ("cycles", "molds", "anomalies", "snapshot", "status"):
        answer = await get(f"{address}/api/{path}", accept="application/json")
        assert answer.status == 200, path
        assert not re.search("[\0-\x08\x0b\x0c\x0e-\x1f]", answer.text), path


async def test_the_live_channel_carries_letters_only(address: str) -> None:
    async with viewing(address) as viewer:
        text = str(await viewer.hear("snapshot"))
    assert not re.search("[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|x{2001}", text)


@pytest.mark.parametrize("command", ["cycles", "molds", "anomalies", "status"])
async def test_no_list_on_a_terminal_acts_on_it(url: str, command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent", command, "--record", url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()

    assert process.returncode == 0, said.decode()
    assert b"Traceback" not in said
    found = re.search(ACTING, said.decode())
    assert found is None, said.decode()[max(0, found.start() - 40) : found.end() + 40]


async def test_no_log_line_is_forged(
    address: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    for name in NAMES:
        for form in (
            {"deed": "comment", "text": name, "who": name},
            {"deed": name, "text": name},
            {"deed": "mute", "text": name, "span": name},
        ):
            assert (await post(f"{address}/anomalies/1", form)).status in (303, 409)
        await post(f"{address}/molds/{quote(name[:200], safe='')}", {"deed": "log", "what": name})
    for each in caplog.records:
        assert BAD.search(each.getMessage()) is None, each.getMessage()[:200]
        assert "\n" not in each.getMessage()
