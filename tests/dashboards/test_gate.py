"""Who is let in, how somebody logs in, and what keeps others out."""

import asyncio
import re
import ssl
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agent.audit import Author, change
from agent.live import Plant
from agent.making import change_or_make
from agent.users.people import add_person, remove_person, set_password, set_role
from agent.users.tokens import add_token, revoke_token
from agent.web import TlsFiles, WebSettings
from dashboards import gate
from dashboards.attempts import NAME
from dashboards.server import ServeError, serve
from tests.dashboards.browsing import GOOD, PAGE, Browsing, hidden
from tests.dashboards.client import get, post, serving, until
from tests.dashboards.recorded import recorded
from tests.dashboards.story import AT, story

BY = Author(who="installer", at=AT)

ROLES = {"Ada": "admin", "Quentin": "qa", "Mary": "maintenance", "Vera": "viewer"}


@dataclass(slots=True)
class House:
    """Pages with users, and the record behind them."""

    address: str
    url: str
    plant: Plant
    clock: "Clock"


@dataclass(slots=True)
class Clock:
    """The story's, which stands still unless it is put ahead."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return AT + self.ahead


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[House]:
    """The story's record with a user of every role, served."""
    url = await recorded(tmp_path_factory.mktemp("house"))
    with change(url) as connection:
        for name, role in ROLES.items():
            add_person(connection, BY, name, role, GOOD)
    clock = Clock()
    plant = story(12, clock)
    async with serving(plant, record=url) as address:
        yield House(address=address, url=url, plant=plant, clock=clock)


pytestmark = pytest.mark.asyncio(loop_scope="module")


def bare_record(folder: Path) -> str:
    """A record with nothing in it."""
    url = f"sqlite:///{folder}/bare.db"
    with change_or_make(url):
        pass
    return url


async def inside(house: House, name: str) -> Browsing:
    """A browser that is logged in."""
    browser = Browsing(house.address)
    answer = await browser.log_in(name)
    assert answer.status == 303, answer.text
    return browser


async def test_without_log_in_nothing_of_the_plant_is_shown(house: House) -> None:
    for path in ("/", "/molds", "/anomalies/1", "/press/IMM-07", "/health", "/no/such"):
        answer = await get(f"{house.address}{path}", **PAGE)
        assert (answer.status, answer.headers["location"].partition("=")[0]) == (303, "/login?next")
        assert "A-2217" not in answer.text
    for path in ("/api/snapshot", "/molds", "/metrics"):
        answer = await get(f"{house.address}{path}", authorization="Bearer sprue_no")
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await get(f"{house.address}/healthz")).status == 200
    with pytest.raises(InvalidStatus, match="401"):
        await connect(f"{house.address.replace('http', 'ws')}/live")


async def test_who_logs_in_comes_to_the_page_that_they_wanted(house: House) -> None:
    browser = Browsing(house.address)
    sent = await browser.open("/molds?show=service")
    page = await browser.open(sent.headers["location"])
    assert "Log in" in page.text

    answer = await browser.send("/login", hidden(page) | {"name": " Vera ", "password": GOOD})

    assert (answer.status, answer.headers["location"]) == (303, "/molds?show=service")
    (kept,) = (each for each in answer.cookies if "Max-Age=0" not in each)
    assert re.search(r"HttpOnly; Path=/; SameSite=strict$", kept)
    assert (await browser.open("/molds?show=service")).status == 200
    again = await browser.open("/login?next=/health")
    assert (again.status, again.headers["location"]) == (303, "/health")


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example/", "/\\evil", "x"])
async def test_nobody_is_sent_elsewhere(house: House, elsewhere: str) -> None:
    browser = Browsing(house.address)
    answer = await browser.log_in("Vera", next=elsewhere)

    assert answer.headers["location"] == "/"


async def test_a_wrong_password_and_a_name_that_nobody_has_look_the_same(house: House) -> None:
    texts, spent = [], []
    for name in ("Mary", "Nobody"):
        began = time.perf_counter()
        answer = await Browsing(house.address).log_in(name, "a wrong one")
        spent.append(time.perf_counter() - began)
        assert answer.status == 401
        assert not [each for each in answer.cookies if "before" not in each]
        texts.append(re.sub(r'value="[^"]*"', "", answer.text))

    assert texts[0] == texts[1]
    assert max(spent) < 10 * min(spent), "a hash is computed for both"


async def test_a_log_in_form_that_no_page_of_this_browser_sent_is_refused(house: House) -> None:
    fields = {"name": "Vera", "password": GOOD}
    other = hidden(await Browsing(house.address).open("/login"))
    for forged in (fields, fields | other, fields | {"csrf": "x" * 64}):
        browser = Browsing(house.address)
        await browser.open("/login")
        answer = await browser.send("/login", forged)
        assert answer.status == 403
        assert (await browser.open("/")).status == 303
    browser = Browsing(house.address)
    page = hidden(await browser.open("/login"))
    answer = await browser.send("/login", page | fields, origin="http://evil.example")
    assert answer.status == 403


async def test_too_many_attempts_have_to_wait(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bare.db"
    with change_or_make(url) as connection:
        add_person(connection, BY, "Ada", "admin", GOOD)
    async with serving(story(1), record=url) as address:
        browser = Browsing(address)
        seen = [(await browser.log_in("Ada", "a wrong one")).status for _ in range(NAME.burst + 1)]
        right = await browser.log_in("Ada")
        other = await browser.log_in("Nobody", "a wrong one")

    assert seen == [401] * NAME.burst + [429]
    assert right.status == 429, "even the right one has to wait"
    assert 0 < int(right.headers["retry-after"]) <= NAME.period_s
    assert other.status == 401, "others need not"


async def test_logging_out_ends_it_on_the_server_too(house: House) -> None:
    browser = await inside(house, "Vera")
    kept = dict(browser.cookies)
    csrf = await browser.csrf()
    refused = await browser.send("/logout", {"deed": "log_out"})
    assert refused.status == 403

    answer = await browser.send("/logout", {"deed": "log_out", "csrf": csrf})

    assert (answer.status, answer.headers["location"], browser.cookies) == (303, "/login", {})
    browser.cookies = kept
    assert (await browser.open("/")).status == 303


async def test_a_link_from_elsewhere_opens_its_page(house: House) -> None:
    browser = await inside(house, "Vera")
    bare = await get(f"{house.address}/molds", **PAGE, sec_fetch_site="cross-site")

    assert bare.status == 200
    assert '<meta http-equiv="refresh" content="0">' in bare.text
    assert "A-2217" not in bare.text
    assert (await browser.open("/molds", sec_fetch_site="same-origin")).status == 200


async def test_what_a_page_fetches_by_itself_keeps_nobody_logged_in(house: House) -> None:
    busy, idle = await inside(house, "Mary"), await inside(house, "Mary")
    fetch = {"sec_fetch_mode": "cors", "accept": "*/*"}
    try:
        house.clock.ahead = timedelta(minutes=59)
        assert (await idle.open("/molds", **fetch)).status == 200
        assert (await busy.open("/molds")).status == 200
        house.clock.ahead = timedelta(minutes=61)
        assert (await idle.open("/molds", **fetch)).status == 401
        assert (await busy.open("/molds", **fetch)).status == 200
        for minutes in range(90, 720, 45):
            house.clock.ahead = timedelta(minutes=minutes)
            assert (await busy.open("/molds")).status == 200, minutes
        house.clock.ahead = timedelta(hours=12)
        assert (await busy.open("/molds")).status == 303, "a shift is over"
    finally:
        house.clock.ahead = timedelta()


async def test_a_screen_on_the_wall_stays_and_may_only_look(house: House) -> None:
    browser = Browsing(house.address)
    answer = await browser.log_in("Ada", wall="1")
    (kept,) = (each for each in answer.cookies if "Max-Age=0" not in each)
    assert f"Max-Age={400 * 86400}" in kept

    refused = await browser.send(
        "/anomalies/1", {"deed": "acknowledge", "csrf": await browser.csrf()}
    )

    assert refused.status == 403
    assert "it takes one of: maintenance, qa, admin" in refused.text


async def test_a_live_page_is_closed_when_its_person_is_logged_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "LOOK_AGAIN_S", 0.2)
    with change(house.url) as connection:
        add_person(connection, BY, "Leaving", "viewer", GOOD)
    browser = await inside(house, "Leaving")
    where = f"{house.address.replace('http', 'ws')}/live"
    async with connect(where, additional_headers={"Cookie": browser.cookie()["cookie"]}) as socket:
        await socket.send('{"sub": ["plant"], "seq": 0}')
        assert '"hello"' in str(await socket.recv())
        with change(house.url) as connection:
            remove_person(connection, BY, "Leaving")
        with pytest.raises(ConnectionClosed) as closed:
            await _drained(socket)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (gate.OUT, "Logged out.")
    await until(lambda: house.plant.viewers == 0, within_s=5)


async def _drained(socket: ClientConnection) -> None:
    """Take messages until the server closes."""
    async with asyncio.timeout(10):
        while True:
            await socket.recv()


async def test_another_role_or_password_counts_from_the_next_click_on(house: House) -> None:
    with change(house.url) as connection:
        add_person(connection, BY, "Moving", "maintenance", GOOD)
    browser = await inside(house, "Moving")
    form = {"deed": "comment", "text": "seen", "csrf": await browser.csrf()}
    assert (await browser.send("/anomalies/1", form)).status == 303
    with change(house.url) as connection:
        set_role(connection, BY, "Moving", "viewer")
    assert (await browser.send("/anomalies/1", form | {"text": "2"})).status == 403
    assert 'class="deeds"' not in (await browser.open("/anomalies/1")).text
    with change(house.url) as connection:
        set_password(connection, BY, "Moving", "another sentence")
    assert (await browser.open("/")).status == 303


async def test_a_token_lets_a_program_in_until_it_is_revoked(house: House) -> None:
    with change(house.url) as connection:
        _, viewer = add_token(connection, BY, "wall", "viewer", AT + timedelta(days=2))
        _, metrics = add_token(connection, BY, "prometheus", "metrics", AT + timedelta(days=2))
        _, short = add_token(connection, BY, "short", "viewer", AT + timedelta(days=1))
    path = f"{house.address}/api/snapshot"
    assert (await get(path, authorization=f"Bearer {viewer}")).status == 200
    assert (await get(path, authorization=f"Bearer {metrics}")).status == 403
    house.clock.ahead = timedelta(days=1)
    for wrong in (f"Basic {viewer}", f"Bearer {viewer}x", f"Bearer {short}", "Bearer ", "x"):
        assert (await get(path, authorization=wrong)).status == 401, wrong
    house.clock.ahead = timedelta()
    with change(house.url) as connection:
        revoke_token(connection, BY, "wall")
    assert (await get(path, authorization=f"Bearer {viewer}")).status == 401


async def test_whose_name_is_under_a_change_is_the_one_who_logged_in(house: House) -> None:
    browser = await inside(house, "Mary")
    form = {"deed": "comment", "text": "mine", "who": "Somebody else", "key": "k"}

    await browser.send("/anomalies/1", form | {"csrf": await browser.csrf()})

    page = (await browser.open("/anomalies/1")).text
    assert "<b>Mary</b>" in page
    assert "Somebody else" not in page
    assert 'name="who"' not in page


async def test_people_get_a_page_and_programs_a_problem(house: House) -> None:
    browser = await inside(house, "Vera")

    page = await browser.open("/nope<b>")
    problem = await browser.open("/nope", accept="application/json")

    assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no page at /nope&lt;b&gt;." in page.text
    assert (problem.status, problem.headers["content-type"]) == (404, "application/problem+json")
    assert (await browser.send("/molds", {})).status == 405


async def test_others_are_served_only_where_there_are_users(tmp_path: Path) -> None:
    url = bare_record(tmp_path)
    with pytest.raises(ServeError, match=r"there are no users\. `sprue users add"):
        await serve(story(1), "0.0.0.0", 0, record=url)
    with pytest.raises(ServeError, match="there are no users"):
        await serve(story(1), "::", 0)


async def test_users_that_come_and_go_change_at_once_who_may_come_in(tmp_path: Path) -> None:
    url = bare_record(tmp_path)
    async with serving(story(1), record=url) as address:
        assert (await get(f"{address}/molds", **PAGE)).status == 200
        with change(url) as connection:
            add_person(connection, BY, "Ada", "admin", GOOD)
        assert (await get(f"{address}/molds", **PAGE)).status == 303
        with change(url) as connection:
            remove_person(connection, BY, "Ada")
        assert (await get(f"{address}/molds", **PAGE)).status == 200


async def test_a_trusted_proxy_says_who_asks_and_under_which_name(tmp_path: Path) -> None:
    url = bare_record(tmp_path)
    web = WebSettings(origin="https://sprue.plant/", trusted_proxy=("127.0.0.1",))
    asked = PAGE | {"host": "sprue.plant", "x_forwarded_for": "192.0.2.7"}
    async with serving(story(1), record=url, web=web) as address:
        assert (await get(f"{address}/molds", **asked)).status == 403, "it is not this computer"
        assert (await get(f"{address}/molds", **(PAGE | {"host": "other.plant"}))).status == 421
        with change(url) as connection:
            add_person(connection, BY, "Ada", "admin", GOOD)
        page = await get(f"{address}/login", **asked)
        (cookie,) = page.cookies
        assert cookie.startswith("__Host-sprue-")
        assert "; Secure" in cookie
        fields = hidden(page) | {"name": "Ada", "password": GOOD}
        kept = asked | {"cookie": cookie.partition(";")[0], "origin": "https://sprue.plant"}
        assert (await post(f"{address}/login", fields, **kept)).status == 303
        evil = kept | {"origin": "https://evil.example"}
        assert (await post(f"{address}/login", fields, **evil)).status == 403


async def test_pages_are_served_by_tls_with_the_files_that_are_configured(tmp_path: Path) -> None:
    web = WebSettings(tls=TlsFiles(**made_certificate(tmp_path)))
    async with serving(story(1), record=bare_record(tmp_path), web=web) as address:
        assert address.startswith("https://127.0.0.1:")
        port = int(address.rpartition(":")[2])
        trusting = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=trusting, server_hostname="127.0.0.1"
        )
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert b'"status":"ok"' in await reader.read()
        writer.close()


async def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    files = made_certificate(tmp_path)
    files["key"].chmod(0o644)
    with pytest.raises(ServeError, match=r"key.pem: others can read it"):
        await serve(story(1), "127.0.0.1", 0, web=WebSettings(tls=TlsFiles(**files)))
    files["key"].chmod(0o600)
    files["cert"].write_text("no certificate")
    with pytest.raises(ServeError, match=r"web\.tls: certificate and key can't be used"):
        await serve(story(1), "127.0.0.1", 0, web=WebSettings(tls=TlsFiles(**files)))


def made_certificate(folder: Path) -> dict[str, Path]:
    """A certificate of this computer, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sprue")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1)).add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    files = {"cert": folder / "cert.pem", "key": folder / "key.pem"}
    files["cert"].write_bytes(signed.public_bytes(Encoding.PEM))
    files["key"].touch(0o600)
    bare = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files["key"].write_bytes(bare)
    return files


async def test_who_is_removed_by_another_process_is_out_with_the_next_request(
    house: House,
) -> None:
    with change(house.url) as connection:
        add_person(connection, BY, "Zoe", "viewer", GOOD)
    browser = Browsing(house.address)
    assert (await browser.log_in("Zoe")).status == 303
    for _ in range(3):  # so that the answer is known
        assert (await browser.open("/molds")).status == 200

    program = """
import sys
from datetime import UTC, datetime
from agent.audit import Author, change
from agent.users.people import remove_person

with change(sys.argv[1]) as connection:
    remove_person(connection, Author(who="admin", at=datetime.now(UTC)), "Zoe")
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, house.url)
    assert await process.wait() == 0

    assert (await browser.open("/molds")).status == 303
