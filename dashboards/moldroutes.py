"""Addresses of the molds' pages, and what their forms do."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from sqlalchemy import Connection

from agent.audit import Author, login_name
from agent.files import RecordError
from agent.molds.desk import Desk, MoldError
from agent.molds.mold import COMPONENTS
from agent.molds.servicelog import Service
from dashboards.changing import answered
from dashboards.face import shown
from dashboards.moldpage import MoldPage, look_at
from dashboards.recordaccess import RecordAccess, new_key
from dashboards.rendering import Renderer
from dashboards.shelfpage import CHOICES, ShelfPage, standings

YEARS_BACK = 50
"""Older mounts and revisions are misspelt, and no record can hold much older ones."""


def add(app: FastAPI, draw: Renderer, access: RecordAccess) -> None:
    """Add the routes to an application."""

    @app.api_route("/molds", methods=["GET", "HEAD"])
    async def shelf(request: Request) -> Response:
        query = request.query_params
        choice = next((each for each in CHOICES if each == (query.get("show") or "all")), None)
        if choice is None:
            right = ", ".join(CHOICES)
            return draw.sorry(400, f"show is {shown(query['show'])!r}; right would be {right}.")
        try:
            found = await access.read(standings)
            head = await access.head()
        except RecordError as error:
            return draw.sorry(503, str(error))
        now, search = access.now(), query.get("q", "")[:64].strip()
        page = ShelfPage(found, choice, search, now, draw.strings, draw.zone)
        return draw.page("molds.html", now=now, page=page, **head)

    async def one_page(
        name: str, *, status: int = 200, complaint: str = "", said: Mapping[str, str] | None = None
    ) -> Response:
        try:
            found = await access.read(lambda record, at: look_at(record, at, name))
            head = await access.head()
        except MoldError:
            return draw.sorry(404, f"No mold of this record is called {shown(name)!r}.")
        except RecordError as error:
            return draw.sorry(503, str(error))
        now = access.now()
        return draw.page(
            "mold.html",
            now=now,
            status=status,
            page=MoldPage(found, now, draw.strings, draw.zone),
            who=login_name(),
            key=new_key(),
            **head,
            complaint=complaint,
            said=said or {},
        )

    @app.api_route("/molds/{name:path}", methods=["GET", "HEAD"])
    async def mold(name: str) -> Response:
        return await one_page(name)

    @app.post("/molds/{name:path}")
    async def change(request: Request, name: str) -> Response:
        def deed(connection: Connection, author: Author, form: Mapping[str, str]) -> None:
            _do(connection, author, name, form)

        async def again(words: str, said: Mapping[str, str]) -> Response:
            return await one_page(name, status=409, complaint=words, said=said)

        return await answered(
            request, draw, access, deed,
            group="mold", refuses=MoldError, again=again, then=f"/molds/{quote(name, safe='')}",
        )  # fmt: skip


def _do(connection: Connection, author: Author, name: str, form: Mapping[str, str]) -> None:
    """What one form asks for.

    Raises:
        MoldError: it can't be done; says why.
    """
    desk, text = Desk(connection, author), form.get("what", "").strip()
    match form.get("deed"):
        case "log":
            if not text:
                raise MoldError("an entry needs words: what was done")
            desk.service(
                Service(
                    mold=name,
                    at=author.at,
                    kind=form.get("kind", "service"),
                    level=_whole(form, "level"),
                    what=text,
                    done_by=author.who,
                    hours=_number(form, "hours"),
                    replaced=form.get("replaced", "").strip() or None,
                    cavity=form.get("cavity", "").strip() or None,
                )
            )
        case "mount":
            desk.mold(name)
            desk.mount(
                form.get("machine", ""), name, since=_instant(form, author), reason=text,
                resin=form.get("resin", "").strip() or None,
            )  # fmt: skip
        case "unmount":
            desk.unmount(form.get("machine", ""), name, since=_instant(form, author), reason=text)
        case "revise":
            restarts = {"inserts": COMPONENTS[:1], "both": COMPONENTS, "none": ()}
            if (which := form.get("restarts", "inserts")) not in restarts:
                raise MoldError(f"{which!r} should be one of {', '.join(restarts)}")
            if not text:
                raise MoldError("a revision needs words: what was changed")
            desk.revise(name, since=_instant(form, author), restarts=restarts[which], reason=text)
        case other:
            raise MoldError(f"{other!r} should be one of log, mount, unmount, revise")


def _whole(form: Mapping[str, str], key: str) -> int | None:
    text = form.get(key, "").strip()
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise MoldError(f"{key} {text[:40]!r} should be a whole number")
    return int(text)


def _number(form: Mapping[str, str], key: str) -> float | None:
    text = form.get(key, "").strip().replace(",", ".")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 10_000:
        raise MoldError(f"{key} {text[:40]!r} should be a number from 0 to 10,000")
    return value


def _instant(form: Mapping[str, str], author: Author) -> datetime:
    """A time with its offset, or now."""
    text = form.get("since", "").strip()
    if not text:
        return author.at
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None and abs(at.year - author.at.year) <= YEARS_BACK:
            return at.astimezone(author.at.tzinfo)
    except ValueError:
        pass
    raise MoldError(f"since {text[:40]!r} should be like 2026-11-23T06:00+01:00, or empty for now")
