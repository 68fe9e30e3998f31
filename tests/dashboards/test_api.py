"""The API: what it gives is what it says, its parts never skip or repeat, and errors are words."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from pydantic import BaseModel

from agent.audit import change
from agent.batch import Batch
from agent.history import open_history
from agent.ledger import Ledger
from agent.record import open_record
from agent.users.people import add_person
from agent.users.tokens import add_token
from dashboards.api import shapes
from dashboards.api.app import describing
from tests.agent.makers import cycle
from tests.dashboards.browsing import GOOD
from tests.dashboards.client import Answer, get, serving
from tests.dashboards.recorded import MACHINES, MOLDS, SHOTS, recorded
from tests.dashboards.story import AT, story
from tests.dashboards.test_gate import BY

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(slots=True)
class Api:
    """The API of the story's record, as a program with an admin's token sees it."""

    address: str
    url: str
    token: str

    async def ask(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
        """One request."""
        content = b"" if body is None else json.dumps(body).encode()
        if content:
            headers |= {"content_type": "application/json"}
        return await get(
            f"{self.address}/api{path}", method, content, authorization=f"Bearer {self.token}",
            content_length=str(len(content)), **headers,
        )  # fmt: skip

    async def json(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> Any:
        """Its answer, which should be a good one."""
        answer = await self.ask(path, method, body, **headers)
        assert answer.status == 200, answer.text
        return json.loads(answer.text)

    async def ended(self, path: str) -> Any:
        """An export that nothing more comes of."""
        for _ in range(600):
            job = await self.json(path)
            if job["state"] not in ("waiting", "writing"):
                break
            await asyncio.sleep(0.05)
        return job

    async def walk(self, path: str, limit: int) -> list[Any]:
        """A whole list, part by part."""
        found: list[Any] = []
        cursor = ""
        while True:
            mark = "&" if "?" in path else "?"
            part = await self.json(f"{path}{mark}limit={limit}{cursor}")
            found += part["items"]
            if part["next"] is None:
                return found
            assert len(part["items"]) == limit
            cursor = f"&cursor={part['next']}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Api]:
    """The story's record, served to a program."""
    url = await recorded(tmp_path_factory.mktemp("api"))
    with change(url) as connection:
        add_person(connection, BY, "Ada", "admin", GOOD)
        _found, token = add_token(connection, BY, "program", "admin", AT + timedelta(days=30))
    async with serving(story(12), record=url) as address:
        yield Api(address=address, url=url, token=token)


GIVEN: Mapping[str, type[BaseModel]] = {
    "/status": shapes.Status,
    "/signals": shapes.Signals,
    "/cycles?limit=3": shapes.Page[shapes.Cycle],
    "/cycles/IMM-07/1/140": shapes.Cycle,
    "/cycles/IMM-07/1/140/curves": shapes.Curves,
    "/anomalies": shapes.Page[shapes.Anomaly],
    "/anomalies/1": shapes.Anomaly,
    "/mutes": shapes.Page[shapes.Mute],
    "/molds": shapes.Page[shapes.MoldLine],
    "/molds/A-2217": shapes.MoldDetail,
}


@pytest.mark.parametrize("path", GIVEN)
async def test_what_is_given_is_what_the_document_says(api: Api, path: str) -> None:
    answer = await api.ask(path)

    assert answer.status == 200
    GIVEN[path].model_validate_json(answer.text)


async def test_the_document_names_units_rights_and_errors(api: Api) -> None:
    document = await api.json("/openapi.json")

    assert document == json.loads(json.dumps(describing()))
    shapes_of = document["components"]["schemas"]
    assert shapes_of["Values"]["properties"]["cooling_time_s"]["x-unit"] == "s"
    assert shapes_of["Values"]["properties"]["injection_pressure_peak_bar"]["x-unit"] == "bar"
    for path, methods in document["paths"].items():
        for method, each in methods.items():
            assert (method == "get") == ("x-right" not in each), path
            assert "application/problem+json" in each["responses"]["404"]["content"]
    gets = {path for path, methods in document["paths"].items() if "get" in methods}
    assert len(gets - {"/exports/{key}", "/exports/{key}/{part}"}) == len(GIVEN)


@pytest.mark.parametrize("limit", [1, 7, 70, 139, 140, 1000])
async def test_parts_of_a_list_neither_skip_nor_repeat(api: Api, limit: int) -> None:
    if limit < 7:
        found = await api.walk("/anomalies", limit)
        assert [each["number"] for each in found] == [1, 2, 3, 4]
        molds = await api.walk("/molds", limit)
        assert [each["mold"] for each in molds] == ["A-2118", "A-2149", "A-2217"]
        return
    oldest = await api.walk("/cycles?machine=IMM-07", limit)
    newest = await api.walk("/cycles?machine=IMM-07&order=newest", limit)

    assert [each["counter"] for each in oldest][:SHOTS] == list(range(1, SHOTS + 1))
    assert oldest == newest[::-1]


async def test_a_list_that_grows_meanwhile_neither_skips_nor_repeats(api: Api) -> None:
    first = await api.json("/cycles?machine=IMM-12&limit=5")
    assert (first["items"], first["next"], first["last"]) == ([], None, None)
    last = ""
    seen: list[int] = []
    async with open_record(api.url, MACHINES, MOLDS) as record:
        book = Ledger("IMM-12", record.before["IMM-12"].standing, lambda _mold: "A", None)
        for n in range(1, 13):
            shot = cycle(n, 20 * n, machine="IMM-12", mold="A-2149")
            await (await record.keep(Batch(machine="IMM-12", entries=[book.take(shot)])))
            if n % 5 == 0 or n == 12:
                part = await api.json(f"/cycles?machine=IMM-12&limit=3{last}")
                seen += [each["counter"] for each in part["items"]]
                last = f"&cursor={part['last']}"
    while part["items"]:
        part = await api.json(f"/cycles?machine=IMM-12&limit=3{last}")
        seen += [each["counter"] for each in part["items"]]
        last = f"&cursor={part['last']}"

    assert seen == list(range(1, 13))


async def test_cycles_are_chosen_by_what_a_program_says(api: Api) -> None:
    since = quote((AT - timedelta(minutes=10)).isoformat())
    found = await api.walk(f"/cycles?mold=A-2217&job=48211&since={since}", 100)

    assert 20 < len(found) < 30
    assert {each["mold"] for each in found} == {"A-2217"}
    assert (await api.json("/cycles?mold=A-9"))["items"] == []
    assert (await api.json("/anomalies?state=closed"))["items"][0]["id"] == "d"
    assert len((await api.json("/anomalies?state=open&state=closed"))["items"]) == 3


async def test_a_curve_has_its_unit_and_its_hole(api: Api) -> None:
    curves = (await api.json("/cycles/IMM-07/1/140/curves"))["curves"]

    curve = curves["injection_pressure_bar"]
    assert (curve["unit"], len(curve["t_s"]), len(curve["values"])) == ("bar", 950, 950)
    assert max(b - a for a, b in zip(curve["t_s"], curve["t_s"][1:], strict=False)) > 0.5


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/nope", 404, "Not Found"),
        ("/anomalies/99", 404, "no anomaly in the record has the id or number '99'"),
        ("/molds/A-9", 404, "there is no mold A-9"),
        ("/cycles/IMM-07/1/999", 404, "no cycle 999 in segment 1 of IMM-07"),
        ("/cycles/IMM-07/1/" + "9" * 30, 404, "no cycle"),
        ("/cycles/IMM-07/x/1", 422, "path.segment: input should be a valid integer"),
        ("/cycles?limit=0", 422, "query.limit: input should be greater than or equal to 1"),
        ("/cycles?limit=1001", 422, "query.limit"),
        ("/cycles?since=yesterday", 422, "query.since"),
        ("/cycles?since=2026-11-23T06:00", 422, "should have timezone info"),
        ("/cycles?since=0001-01-01T00:00%2B14:00", 422, "should be from 1970 to 2200"),
        ("/cycles?cursor=nonsense", 400, "this is not what `next` of an answer said"),
        ("/cycles?cursor=dHJ1ZQ", 400, "this is not what `next`"),
        ("/cycles?cursor=" + "OTk5" * 20, 400, "this is not what `next`"),
        ("/molds?cursor=MTc", 400, "this is not what `next`"),
        ("/anomalies?state=odd", 422, "query.state.0: input should be 'open'"),
    ],
)
async def test_an_error_is_a_problem_in_words(api: Api, path: str, status: int, says: str) -> None:
    answer = await api.ask(path, accept="text/html")

    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = json.loads(answer.text)
    assert says in problem["detail"]
    assert problem["status"] == status
    assert "Traceback" not in answer.text


async def test_a_program_does_what_people_do_on_the_pages(api: Api) -> None:
    said = await api.json("/anomalies/1/acknowledge", "POST", accept="application/json")
    assert (said["state"], said["actions"][-1]["who"]) == ("acknowledged", "token program")
    assert (await api.json("/anomalies/1/undo", "POST"))["state"] == "open"
    given = await api.json("/anomalies/1/give", "POST", {"to": "J. Ortiz"})
    assert (given["state"], given["actions"][-1]["text"]) == ("acknowledged", "J. Ortiz")
    until = (AT + timedelta(hours=8)).isoformat()
    muted = await api.json("/anomalies/3/mute", "POST", {"until": until, "reason": "trial"})
    number = muted["muted"]["number"]
    assert (await api.json(f"/mutes/{number}", "DELETE"))["until"] < until
    assert (await api.json("/anomalies/3"))["muted"] is None
    told = {"text": "timer set back"}
    assert (await api.json("/anomalies/1/resolve", "POST", told))["state"] == "closed"

    new = {"mold": "B-1 /#?", "part": "Lid", "cavities": 2, "planned_shots": 1000}
    added = await api.json("/molds", "POST", new)
    path = f"/molds/{quote('B-1 /#?', safe='')}"
    assert (added["name"], added["part"], added["revision"]) == ("B-1 /#?", "Lid", "A")
    assert (await api.json(path, "PATCH", {"part": None, "alloy": "qc10"}))["alloy"] == "QC-10"
    mounted = await api.json(f"{path}/mount", "POST", {"machine": "IMM-15", "resin": "ABS"})
    assert mounted["machine"] == "IMM-15"
    assert (await api.json(f"{path}/unmount", "POST", {"machine": "IMM-15"}))["machine"] is None
    revised = await api.json(f"{path}/revise", "POST", {"reason": "re-cut"})
    assert revised["revision"] == "B"
    logged = await api.json(f"{path}/services", "POST", {"what": "greased", "level": 1})
    assert (logged["log"][-1]["what"], logged["log"][-1]["done_by"]) == ("greased", "token program")
    right = {"shots": 120, "reason": "before Sprue"}
    corrected = await api.json(f"{path}/corrections", "POST", right)
    assert corrected["life"]["took"]["shots"] == 120
    retired = await api.json(f"{path}/retire", "POST", {"reason": "scrapped"})
    assert retired["retired"] is True


async def test_the_same_key_with_the_same_body_is_done_once(api: Api) -> None:
    said = {"text": "once"}
    answers = await asyncio.gather(
        *(api.ask("/anomalies/2/comment", "POST", said, idempotency_key="k") for _ in range(4))
    )
    other = await api.ask("/anomalies/2/comment", "POST", {"text": "2"}, idempotency_key="k")

    assert [answer.status for answer in answers] == [200] * 4
    assert sorted(answer.headers.get("idempotent-replayed", "") for answer in answers) == [
        "", "true", "true", "true",
    ]  # fmt: skip
    texts = [each["text"] for each in json.loads(other.text)["actions"]]
    assert texts == ["once", "2"]


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/anomalies/2/comment", {"text": ""}, 422, "body.text"),
        ("/anomalies/2/comment", {"text": "x" * 2001}, 422, "body.text"),
        ("/anomalies/2/comment", {"text": "x" * 70_000}, 413, "longer than 65536 bytes"),
        ("/anomalies/2/comment", {"text": "a", "who": "b"}, 422, "body.who: extra inputs"),
        ("/anomalies/2/comment", {"text": "\ud800"}, 422, "body.text"),
        ("/anomalies/4/acknowledge", {}, 409, "closed already"),
        ("/anomalies/99/comment", {"text": "a"}, 409, "no anomaly in the record"),
        ("/anomalies/2/mute", {"until": "2020-01-01T00:00Z", "reason": "a"}, 409, "lie ahead"),
        ("/molds/A-2217/mount", {"machine": "IMM-99"}, 409, "there is no machine IMM-99"),
        ("/molds/A-2217/unmount", {"machine": "IMM-12"}, 409, "is not on IMM-12"),
        ("/molds/A-2217/corrections", {"shots": -(2**52), "reason": "a"}, 409, "can't take"),
        ("/molds/A-2217/corrections", {"shots": 2**60, "reason": "a"}, 422, "body.shots"),
        ("/molds/A-9/services", {"what": "a"}, 409, "there is no mold A-9"),
    ],
)
async def test_what_can_not_be_done_is_said_and_changes_nothing(
    api: Api, path: str, body: Any, status: int, says: str
) -> None:
    with open_history(api.url) as history, history.connect() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM audit").scalar()

    answer = await api.ask(path, "POST", body)

    assert answer.status == status, answer.text
    assert says in json.loads(answer.text)["detail"]
    with open_history(api.url) as history, history.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM audit").scalar() == before


async def test_an_export_is_asked_for_watched_and_fetched(api: Api) -> None:
    wanted = {"format": "csv", "machine": "IMM-07", "mold": "A-2217"}
    asked = await api.json("/exports", "POST", wanted, idempotency_key="e")
    again = await api.json("/exports", "POST", wanted, idempotency_key="e")
    assert asked["key"] == again["key"]
    path = f"/exports/{asked['key']}"
    job = await api.ended(path)

    assert (job["state"], job["rows"], job["written"]) == ("done", SHOTS, SHOTS), job
    file = await api.ask(f"{path}/file")
    assert file.status == 200
    assert job["name"] in file.headers["content-disposition"]
    body = gzip.decompress(file.body) if "content-encoding" in file.headers else file.body
    assert hashlib.sha256(body).hexdigest() == job["sha256"]
    assert (await api.json(f"{path}/manifest"))["rows"] == SHOTS
    assert (await api.json(path, "DELETE"))["state"] == "done", "what is done stays"


async def test_what_can_not_be_exported_is_said(api: Api) -> None:
    none = await api.json("/exports", "POST", {"mold": "A-9"})
    job = await api.ended(f"/exports/{none['key']}")

    assert job["state"] == "failed"
    assert "no cycle in the record matches" in job["why"]
    for path, status in ((f"/exports/{none['key']}/file", 404), ("/exports/x", 404)):
        assert (await api.ask(path)).status == status
    for wrong in (
        {"format": "doc"}, {"shots": [1, 2]}, {"machine": "IMM-07", "shots": [1]},
        {"revision": "C"}, {"lot": "L-1", "box": "B-1"}, {"segment": 1},
    ):  # fmt: skip
        assert (await api.ask("/exports", "POST", wrong)).status == 422, wrong
    box = await api.json("/exports", "POST", {"box": "B-1"})
    assert "no box 'B-1' was entered" in (await api.ended(f"/exports/{box['key']}"))["why"]


async def test_an_export_is_of_some_shots_alone(api: Api) -> None:
    wanted = {"machine": "IMM-07", "segment": 1, "shots": [101, 103], "format": "jsonl"}
    asked = await api.json("/exports", "POST", wanted)
    job = await api.ended(f"/exports/{asked['key']}")

    assert (job["rows"], job["name"]) == (3, "sprue-IMM-07-segment-1-shots-101-103.jsonl")
