"""The addresses at which somebody logs in and out."""

import asyncio
import logging
import math
import time
from collections.abc import Mapping

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from agent.audit import Author
from agent.files import RecordError
from agent.users.people import Person, checked, renew_hash
from agent.users.secret import new_secret
from agent.users.visits import WALL, Terms, begin_visit, end_old_visits, end_visit
from dashboards.attempts import Attempts
from dashboards.gate import cookie_name, csrf_of, is_local
from dashboards.recordaccess import RecordAccess
from dashboards.refusing import RefusedError, allowed_form, read_form, refuse_strangers
from dashboards.rendering import Renderer
from dashboards.visitor import visitor

log = logging.getLogger(__name__)


class _LogIn:
    """Answers the log-in page's form."""

    def __init__(self, draw: Renderer, access: RecordAccess, terms: Terms, *, secure: bool) -> None:
        self._draw = draw
        self._access = access
        self._terms = terms
        self._secure = secure
        self._attempts = Attempts(time.monotonic)
        self._one_by_one = asyncio.Lock()
        self.cookie = cookie_name(access.url, secure=secure)
        self._before = f"{self.cookie}-before"

    def page(
        self, request: Request, *, status: int = 200, complaint: str = "", name: str = "",
        wanted: str | None = None,
    ) -> Response:  # fmt: skip
        """The form; its token belongs to a cookie of this browser, so that nobody logs it in."""
        before = request.cookies.get(self._before) or new_secret()
        answer = self._draw.page(
            "login.html",
            now=self._access.now(),
            status=status,
            complaint=complaint,
            name=name,
            wanted=_inside(request.query_params.get("next") if wanted is None else wanted),
            token=csrf_of(before),
            clear=not self._secure and not is_local(request.scope),
        )
        self._keep(answer, self._before, before, most_s=None)
        return answer

    async def answer(self, request: Request) -> Response:
        """Somebody sent the form."""
        try:
            refuse_strangers(request, self._access.origins)
            form = await read_form(request)
        except RefusedError as error:
            return self._draw.sorry(error.status, str(error))
        name = " ".join(form.get("name", "").split())[:64]
        wanted = _inside(form.get("next"))
        say = self._draw.strings.say
        before = request.cookies.get(self._before)
        if not before or form.get("csrf", "") != csrf_of(before):
            return self.page(
                request, status=403, complaint=say("login.anew"), name=name, wanted=wanted
            )
        address = visitor().address
        wait_s = self._attempts.take(name, address)
        if wait_s > 0:
            log.warning("too many attempts to log in as %r from %s", name, address)
            wait = say("login.wait", n=math.ceil(wait_s))
            answer = self.page(request, status=429, complaint=wait, name=name, wanted=wanted)
            answer.headers["retry-after"] = str(math.ceil(wait_s))
            return answer
        try:
            who = await self._who(name, form.get("password", ""))
            if who is None:
                log.warning("refused to log in %r from %s", name, address)
                return self.page(
                    request, status=401, complaint=say("login.wrong"), name=name, wanted=wanted
                )
            self._attempts.worked(name, address)
            return await self._let_in(who, form, address, wanted)
        except RecordError as error:
            return self._draw.sorry(503, str(error))

    async def _who(self, name: str, password: str) -> Person | None:
        async with self._one_by_one:  # each takes 19 MiB for as long as it takes
            return await self._access.read(
                lambda connection, _now: checked(connection, name, password)
            )

    async def _let_in(
        self, who: Person, form: Mapping[str, str], address: str, wanted: str
    ) -> Response:
        wall = form.get("wall") == "1"
        author = Author(who=who.name, origin=f"page, {address}", at=self._access.now())

        def deed(connection: Connection, author: Author) -> str:
            end_old_visits(connection, author.at, self._terms)
            renew_hash(connection, who.name, form.get("password", ""))
            return begin_visit(connection, author, who, wall=wall)

        token = await self._access.do(author, deed)
        assert token is not None
        answer = RedirectResponse(wanted, 303)
        self._keep(answer, self.cookie, token, most_s=int(WALL.total_seconds()) if wall else None)
        self._drop(answer, self._before)
        return answer

    async def out(self, request: Request) -> Response:
        """Log a browser out."""
        who = visitor()
        try:
            await allowed_form(request, self._access.origins, "own")
            author = Author(who=who.name, origin=f"page, {who.address}", at=self._access.now())
            await self._access.do(
                author, lambda connection, author: end_visit(connection, author, who.session)
            )
        except RefusedError as error:
            return self._draw.sorry(error.status, str(error))
        except RecordError as error:
            return self._draw.sorry(503, str(error))
        answer = RedirectResponse("/login", 303)
        self._drop(answer, self.cookie)
        return answer

    def _keep(self, answer: Response, name: str, value: str, *, most_s: int | None) -> None:
        answer.set_cookie(
            name, value, max_age=most_s, path="/", secure=self._secure, httponly=True,
            samesite="strict",
        )  # fmt: skip

    def _drop(self, answer: Response, name: str) -> None:
        answer.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="strict")


def add(app: FastAPI, draw: Renderer, access: RecordAccess, terms: Terms, *, secure: bool) -> None:
    """Add the routes to an application."""
    login = _LogIn(draw, access, terms, secure=secure)

    @app.api_route("/login", methods=["GET", "HEAD"])
    async def page(request: Request) -> Response:
        if visitor().may("own.log_out"):
            return RedirectResponse(_inside(request.query_params.get("next")), 303)
        return login.page(request)

    @app.post("/login")
    async def log_in(request: Request) -> Response:
        return await login.answer(request)

    @app.post("/logout")
    async def log_out(request: Request) -> Response:
        return await login.out(request)


def _inside(wanted: str | None) -> str:
    """An address of ours that somebody is sent on to; never one elsewhere.

    >>> _inside("/molds?q=a"), _inside("//evil.example"), _inside("/\\\\evil"), _inside(None)
    ('/molds?q=a', '/', '/', '/')
    """
    if not wanted or not wanted.startswith("/") or wanted[1:2] in ("/", "\\"):
        return "/"
    return wanted if wanted.isprintable() and wanted.isascii() else "/"
