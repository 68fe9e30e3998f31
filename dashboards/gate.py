"""Lets in who may come in: by a browser that is logged in, a token, or this computer itself.

While there are no users, whoever sits at this computer may do everything, and nobody else sees
anything. As soon as there is one, everybody has to log in, on this computer too.
"""

import asyncio
import ipaddress
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from agent.files import RecordError
from agent.users.people import is_anybody
from agent.users.secret import derived, digest
from agent.users.taste import Taste
from agent.users.tokens import ApiToken, find_token, touch_token
from agent.users.visits import Terms, Visit, find_visit, touch_visit
from dashboards.manner import manner_of, speak
from dashboards.problem import problem, wants_page
from dashboards.recordaccess import RecordAccess
from dashboards.refusing import PASSED_ON
from dashboards.rights import SIGHT
from dashboards.visitor import LOCAL, Visitor, answer_to, stranger

OPEN = ("/assets/", "/healthz", "/login")
"""What anybody may ask for: none of it says anything about the plant."""

FOR_METRICS = ("/metrics",)
"""What a program on this computer, or with a token for nothing else, may ask for."""

LOOK_AGAIN_S = 10.0
"""How soon a live page notices that its person was logged out."""

OUT = 4401
"""Code with which its connection is closed then."""

CSRF = "csrf"
"""Name of the field of every form; what is derived from the browser's token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the record says of who asks."""

    anybody: bool
    visit: Visit | None
    token: ApiToken | None


class Gate:
    """Middleware before all routes.

    Args:
        app: What lies behind.
        access: The record that knows the users; None where there is no record, and so no users.
        terms: How long one stays logged in.
        secure: Whether browsers come by TLS.
        nobody: Whether there were no users when it was last looked.
        site: How numbers and words look to who has not chosen otherwise.
        again: The page that a browser gets that came by a link from elsewhere: it keeps the cookie
            to itself then, and sends it when the page asks for itself.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: RecordAccess | None,
        terms: Terms,
        secure: bool,
        nobody: bool,
        site: Taste,
        again: Callable[[], Response],
    ) -> None:
        self._app = app
        self._access = access
        self._terms = terms
        self._again = again
        self._site = site
        self.cookie = cookie_name(access.url if access else "", secure=secure)
        self._nobody = nobody

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        speak(manner_of(None, self._site, Headers(scope=scope).get("accept-language", "")))
        if self._access is None:
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith(OPEN[0]) or scope["path"] == OPEN[1]:
            await self._app(scope, receive, send)
            return
        try:
            who = await self._who(scope)
        except RecordError as error:
            await _refuse(scope, receive, send, problem(503, str(error)))
            return
        if who is None and scope["path"] == OPEN[2]:
            answer_to(stranger(_address(scope)))
            await self._app(scope, receive, send)
        elif who is None:
            await _refuse(scope, receive, send, self._stranger(scope))
        elif who.scope not in SIGHT and scope["path"] not in FOR_METRICS:
            await _refuse(scope, receive, send, problem(403, "This token is for /metrics alone."))
        else:
            answer_to(who)
            accepted = Headers(scope=scope).get("accept-language", "")
            speak(manner_of(who.taste, self._site, accepted))
            if scope["type"] == "websocket":
                receive = _Looking(self._still(scope), receive, send).receive
            await self._app(scope, receive, send)

    async def _who(self, scope: Scope) -> Visitor | None:
        """Who asks; None for nobody whom we know.

        Raises:
            RecordError: the record does not answer, and there are users in it.
        """
        assert self._access is not None
        headers = Headers(scope=scope)
        bearer = _bearer(headers)
        session = _cookie(headers, self.cookie)
        try:
            found = await self._access.look(
                (bearer, session),
                lambda connection, now: self._look(connection, now, bearer, session),
            )
            self._nobody = not found.anybody
        except RecordError:
            if not self._nobody:
                raise
            found = Found(anybody=False, visit=None, token=None)
        address, now = _address(scope), self._access.now()
        if bearer is not None:
            if found.token is None:
                return None
            if found.token.is_due(now):
                await self._note(_touching_token(found.token.id, now))
            return Visitor(
                name=f"token {found.token.name}", scope=found.token.scope, way="token",
                address=address,
            )  # fmt: skip
        if not found.anybody:
            return LOCAL if _is_loopback(scope) else None
        if found.visit is not None and session is not None:
            if found.visit.is_due(now) and _is_persons(scope, headers):
                await self._note(_touching_visit(session, now))
            return Visitor(
                name=found.visit.person.name,
                scope="viewer" if found.visit.wall else found.visit.person.role,
                way="session",
                address=address,
                csrf=csrf_of(session),
                wall=found.visit.wall,
                taste=found.visit.person.taste,
                session=session,
            )
        if scope["path"] in FOR_METRICS and is_local(scope):
            return Visitor(name="", scope="metrics", way="local", address=address)
        return None

    def _look(
        self, connection: Connection, now: datetime, bearer: str | None, session: str | None
    ) -> Found:
        return Found(
            anybody=is_anybody(connection),
            visit=find_visit(connection, session, now, self._terms) if session else None,
            token=find_token(connection, bearer, now) if bearer else None,
        )

    async def _note(self, deed: Callable[[Connection], None]) -> None:
        assert self._access is not None
        with suppress(RecordError):  # a disk that is full locks nobody out
            await self._access.note(deed)

    def _still(self, scope: Scope) -> Callable[[], Coroutine[Any, Any, bool]]:
        async def still() -> bool:
            try:
                return await self._who(scope) is not None
            except RecordError:
                return True  # a page that shows its last values is better than none

        return still

    def _stranger(self, scope: Scope) -> Response:
        headers = Headers(scope=scope)
        if self._nobody:
            words = (
                "There are no users, so only this computer may see the plant. "
                "`sprue users add NAME --role admin` makes the first one."
            )
            return problem(403, words)
        if not wants_page(scope) or headers.get("sec-fetch-mode", "navigate") != "navigate":
            words = "Log in first, or send a token: Authorization: Bearer sprue_..."
            return problem(401, words, {"www-authenticate": "Bearer"})
        if scope["method"] in ("GET", "HEAD") and headers.get("sec-fetch-site") == "cross-site":
            return self._again()
        path = scope["path"]
        if query := scope["query_string"].decode("latin-1"):
            path = f"{path}?{query}"
        wanted = path if scope["method"] in ("GET", "HEAD") else "/"
        return RedirectResponse(f"/login?next={quote(wanted, safe='')}", 303)


class _Looking:
    """What a live page says; from time to time it is looked whether it may still listen."""

    def __init__(
        self, still: Callable[[], Coroutine[Any, Any, bool]], receive: Receive, send: Send
    ) -> None:
        self._still = still
        self._receive = receive
        self._send = send
        self._next = asyncio.get_running_loop().time() + LOOK_AGAIN_S

    async def receive(self) -> Message:
        """The next message; a disconnection once the person is logged out."""
        loop = asyncio.get_running_loop()
        said: asyncio.Future[Message] = asyncio.ensure_future(self._receive())
        try:
            while True:
                await asyncio.wait((said,), timeout=max(0.0, self._next - loop.time()))
                if loop.time() >= self._next:
                    if not await self._still():
                        reason = "Logged out."
                        await self._send({"type": "websocket.close", "code": OUT, "reason": reason})
                        return {"type": "websocket.disconnect", "code": OUT}
                    self._next = loop.time() + LOOK_AGAIN_S
                if said.done():
                    return said.result()
        finally:
            if not said.done():
                said.cancel()
                with suppress(asyncio.CancelledError):
                    await said


def cookie_name(url: str, *, secure: bool) -> str:
    """Of the browser's token; two Sprues on one computer don't overwrite each other's."""
    name = f"sprue-{digest(url)[:8]}"
    return f"__Host-{name}" if secure else name


def csrf_of(session: str) -> str:
    """What a form carries: only a page of ours, asked for by this browser, knows it."""
    return derived(session, CSRF)


def is_local(scope: Scope) -> bool:
    """Whether a request was made on this computer; what a proxy passes on comes from anywhere."""
    if not PASSED_ON.isdisjoint(name.decode("latin-1") for name, _value in scope["headers"]):
        return False
    return _is_loopback(scope)


def _is_loopback(scope: Scope) -> bool:
    try:
        return ipaddress.ip_address(_address(scope)).is_loopback
    except ValueError:
        return False


async def _refuse(scope: Scope, receive: Receive, send: Send, answer: Response) -> None:
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(answer)
    else:
        await answer(scope, receive, send)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _bearer(headers: Headers) -> str | None:
    given = headers.get("authorization")
    if given is None:
        return None
    kind, _, token = given.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _cookie(headers: Headers, name: str) -> str | None:
    for line in headers.getlist("cookie"):
        try:
            found = SimpleCookie(line).get(name)
        except CookieError:
            continue
        if found is not None:
            return found.value
    return None


def _is_persons(scope: Scope, headers: Headers) -> bool:
    """Whether somebody opened a page or sent a form; what a page fetches by itself is no sign."""
    if scope["type"] == "websocket":
        return False
    return scope["method"] == "POST" or headers.get("sec-fetch-mode", "navigate") == "navigate"


def _touching_visit(session: str, now: datetime) -> Callable[[Connection], None]:
    return lambda connection: touch_visit(connection, session, now)


def _touching_token(ident: int, now: datetime) -> Callable[[Connection], None]:
    return lambda connection: touch_token(connection, ident, now)
