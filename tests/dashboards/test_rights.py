"""Every way to change something, and who is refused it; and names that are out to harm."""

import re
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from sqlalchemy import select
from starlette.routing import Mount

from agent import schema
from agent.audit import change
from agent.history import open_history
from agent.users.people import add_person
from agent.users.roles import ROLES, SCOPES
from agent.users.tokens import add_token
from dashboards.api.app import describing
from dashboards.app import create_app
from dashboards.rights import RIGHTS, deeds_of
from tests.dashboards.browsing import GOOD, Browsing
from tests.dashboards.client import get, serving
from tests.dashboards.recorded import recorded
from tests.dashboards.story import AT, story
from tests.dashboards.test_gate import BY, Clock

SAFE = {"GET", "HEAD", "OPTIONS"}

GROUPS: Mapping[str, str] = {
    "/logout": "own",
    "/anomalies": "anomaly",
    "/anomalies/mutes/{number}": "anomaly",
    "/anomalies/{name}": "anomaly",
    "/molds/{name:path}": "mold",
    "/records/exports/{key}": "export",
    "/golden/{path:path}": "golden",
    "/settings/own": "own",
    "/settings/users": "user",
    "/settings/tokens": "token",
}
"""Addresses that change something, and the group of rights that each goes by."""

OPEN = {"/login"}
"""What a stranger may send; tests/dashboards/test_gate.py is about it."""

REAL = {
    "/anomalies/mutes/{number}": "/anomalies/mutes/1",
    "/anomalies/{name}": "/anomalies/1",
    "/molds/{name:path}": "/molds/A-2217",
    "/records/exports/{key}": f"/records/exports/{'0' * 32}",
    "/golden/{path:path}": "/golden/A-2217",
}

DEEDS = [
    (path, deed) for path, group in GROUPS.items() for deed in deeds_of(group) if path != "/logout"
] + [("/logout", "log_out")]


def writes(routes: Iterable[Any], prefix: str = "") -> Iterator[str]:
    """Every address of an application that takes more than questions, wherever it was added."""
    for route in routes:
        if isinstance(route, Mount):
            yield from writes(route.routes, f"{prefix}{route.path}")
        elif hasattr(route, "original_router"):  # FastAPI's own, of a router that was included
            yield from writes(route.original_router.routes, prefix)
        elif not set(getattr(route, "methods", None) or ()) <= SAFE:
            yield f"{prefix}{route.path}"


API = {
    (method.upper(), path, each["x-right"])
    for path, methods in describing()["paths"].items()
    for method, each in methods.items()
    if method != "get"
}
"""Every change that a program can ask for: method, address and right."""


@dataclass(slots=True)
class House:
    """Pages with a user of every role who is logged in."""

    address: str
    url: str
    clock: Clock
    inside: dict[str, Browsing]
    csrf: dict[str, str]

    def audit(self) -> list[dict[str, Any]]:
        """Who changed what."""
        with open_history(self.url) as history, history.connect() as connection:
            rows = connection.execute(select(schema.audit).order_by(schema.audit.c.id))
            return [dict(row) for row in rows.mappings()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[House]:
    """The story's record, served to a user of every role."""
    url = await recorded(tmp_path_factory.mktemp("rights"))
    with change(url) as connection:
        for role in reversed(ROLES):
            add_person(connection, BY, role, role, GOOD)
    clock = Clock()
    async with serving(story(12, clock), record=url) as address:
        inside: dict[str, Browsing] = {role: Browsing(address) for role in ROLES}
        csrf: dict[str, str] = {}
        for name, browser in inside.items():
            assert (await browser.log_in(name)).status == 303
            csrf[name] = await browser.csrf()
        yield House(address=address, url=url, clock=clock, inside=inside, csrf=csrf)


aio = pytest.mark.asyncio(loop_scope="module")


def test_every_address_that_changes_something_is_in_the_table() -> None:
    app = create_app(story(1), record="sqlite:///none.db")

    of_programs = {f"/api{path}" for _method, path, _right in API}
    found = {path.replace(":path", "") for path in writes(app.routes)}
    assert found == {path.replace(":path", "") for path in GROUPS} | OPEN | of_programs
    assert {right for _method, _path, right in API} <= set(RIGHTS)
    assert {right.partition(".")[0] for right in RIGHTS} == set(GROUPS.values())


def test_every_form_of_every_page_carries_its_token() -> None:
    for template in (files("dashboards") / "templates").iterdir():
        text = template.read_text("utf-8")
        for form in re.findall(r'<form[^>]*method="post".*?</form>', text, flags=re.DOTALL):
            assert re.search(r'wish\(|name="csrf"|signed\(', form), (template.name, form[:100])


@aio
@pytest.mark.parametrize(("path", "deed"), DEEDS)
async def test_who_may_not_is_refused_and_nothing_changes(
    house: House, path: str, deed: str
) -> None:
    right = f"{GROUPS[path]}.{deed}"
    form = {"deed": deed, "text": "no", "what": "no", "name": "new", "password": GOOD}
    where = REAL.get(path, path)
    before = house.audit()

    for role, browser in house.inside.items():
        kept = dict(browser.cookies)
        others = next(csrf for name, csrf in house.csrf.items() if name != role)
        for csrf in ({}, {"csrf": ""}, {"csrf": "x" * 64}, {"csrf": others}):
            answer = await browser.send(where, form | csrf)
            assert answer.status == 403, (role, csrf)
            assert "Traceback" not in answer.text
        if role not in RIGHTS[right]:
            answer = await browser.send(where, form | {"csrf": house.csrf[role]})
            assert answer.status == 403
            assert f"{role} may not do this" in answer.text
        foreign = form | {"csrf": house.csrf[role]}
        assert (await browser.send(where, foreign, origin="http://evil.example")).status == 403
        assert (await browser.send(where, foreign, sec_fetch_site="cross-site")).status == 403
        browser.cookies = kept
    stranger = Browsing(house.address)
    answer = await stranger.send(where, form | {"csrf": house.csrf["admin"]})
    assert (answer.status, answer.headers["location"]) == (303, "/login?next=%2F")

    assert house.audit() == before


@aio
@pytest.mark.parametrize(("path", "deed"), DEEDS)
async def test_nothing_is_changed_over_a_log_in_or_token_that_has_expired(
    house: House, path: str, deed: str
) -> None:
    with change(house.url) as connection:
        name = f"short {path} {deed}"
        _found, secret = add_token(connection, BY, name, "admin", AT + timedelta(hours=1))
    form = {"deed": deed, "csrf": house.csrf["admin"], "text": "no", "what": "no", "name": "new"}
    before = house.audit()
    house.clock.ahead = timedelta(hours=13)
    try:
        answer = await house.inside["admin"].send(REAL.get(path, path), form)
        assert (answer.status, answer.headers["location"]) == (303, "/login?next=%2F")
        bearer = {"authorization": f"Bearer {secret}", "accept": "application/json"}
        over = Browsing(house.address)
        assert (await over.send(REAL.get(path, path), form, **bearer)).status == 401
    finally:
        house.clock.ahead = timedelta()

    assert house.audit() == before


@aio
@pytest.mark.parametrize(("method", "path", "right"), sorted(API))
async def test_a_program_or_browser_that_may_not_is_refused(
    house: House, method: str, path: str, right: str
) -> None:
    where = f"{house.address}/api{path.format(name='1', number='1', key='1')}"
    with change(house.url) as connection:
        tokens = {
            scope: add_token(connection, BY, f"{method} {path} {scope}", scope, until)[1]
            for scope, until in ((scope, AT + timedelta(hours=1)) for scope in SCOPES)
        }
    before = house.audit()

    async def status(**headers: str) -> int:
        answer = await get(where, method, b"{}", content_length="2", **headers)
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.status

    assert await status() == 401
    for scope, token in tokens.items():
        if scope not in RIGHTS[right]:
            assert await status(authorization=f"Bearer {token}") == 403, scope
    for role, browser in house.inside.items():
        own, origin = house.csrf[role], house.address
        others = next(csrf for name, csrf in house.csrf.items() if name != role)
        for csrf in ("", "x" * 64, others):
            assert await status(**browser.cookie(), origin=origin, x_csrf_token=csrf) == 403
        kept = browser.cookie() | {"x_csrf_token": own}
        assert await status(**kept, origin="http://evil.example") == 403
        if role not in RIGHTS[right]:
            assert await status(**kept, origin=origin) == 403
    house.clock.ahead = timedelta(hours=13)
    try:
        assert await status(authorization=f"Bearer {tokens['admin']}") == 401
        kept = house.inside["admin"].cookie() | {"x_csrf_token": house.csrf["admin"]}
        assert await status(**kept, origin=house.address) == 401
    finally:
        house.clock.ahead = timedelta()

    assert house.audit() == before


@aio
async def test_who_may_can_and_is_named(house: House) -> None:
    form = {"deed": "comment", "text": "may", "csrf": house.csrf["qa"], "key": "may"}
    assert (await house.inside["qa"].send("/anomalies/1", form)).status == 303
    assert (await house.inside["qa"].send("/anomalies/1", form)).status == 303, "and once"

    newest = house.audit()[-1]
    assert (newest["who"], newest["action"], newest["origin"]) == (
        "qa",
        "comment",
        "page, 127.0.0.1",
    )
    assert newest["wish"]
    assert [row["wish"] for row in house.audit()].count(newest["wish"]) == 1


HOSTILE = [
    "<script>alert(1)</script>\"><img src=x onerror=alert(1)>{{ 7 * 7 }}{% raw %}'; DROP TABLE x",
    "a\u202egnp.exe \u2067\u2066left nul\0nul\r\nSet-Cookie: evil=1\x1b[2J",
    "x" * 10_000,
    '=HYPERLINK("http://evil.example")\ud7ff\uffff\U0010ffff',
]


@aio
@pytest.mark.parametrize("text", HOSTILE)
async def test_words_that_are_out_to_harm_are_only_words(
    house: House, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    csrf = house.csrf["admin"]
    browser = house.inside["admin"]
    for where, form in (
        ("/anomalies/1", {"deed": "comment", "text": text}),
        ("/molds/A-2217", {"deed": "log", "kind": "repair", "what": text, "replaced": text}),
        ("/molds/A-2217", {"deed": "revise", "restarts": "none", "what": text}),
        ("/molds/A-2149", {"deed": "mount", "machine": text, "what": text}),
        ("/molds/" + quote(text[:200], safe=""), {"deed": "log", "what": "x"}),
        ("/settings/users", {"deed": "add", "name": text, "role": "viewer", "password": GOOD}),
        ("/settings/tokens", {"deed": "revoke", "name": text}),
        ("/anomalies/1", {"deed": text, "text": text}),
    ):
        answer = await browser.send(where, form | {"csrf": csrf})
        assert answer.status in (303, 404, 409), (where, answer.status)
        _harmless(answer.text, text)
    for path in ("/", "/anomalies/1", "/molds", "/molds/A-2217", "/press/IMM-07", "/settings"):
        answer = await browser.open(path)
        assert answer.status == 200
        _harmless(answer.text, text)
    for path in ("/molds?q=", "/anomalies?machine=", "/anomalies/", "/press/", "/login?next="):
        answer = await browser.open(f"{path}{quote(text[:2000], safe='')}")
        assert answer.status in (200, 303, 404), path
        assert "evil" not in answer.headers.get("set-cookie", "")
        _harmless(answer.text, text)
    await Browsing(house.address).log_in(text[:50], text[:50])
    for record in caplog.records:
        assert not re.search(
            r"[\0-\x08\x0a-\x1f\x7f\u202a-\u202e\u2066-\u2069]", record.getMessage()
        )


def _harmless(page: str, text: str) -> None:
    for bad in (
        "<script>alert",
        "<img src=x",
        "\0",
        "\u202e",
        "\u2067",
        "\x1b",
        "49{%",
        "Traceback",
    ):
        assert bad not in page, bad
