"""Addresses of the golden reference of a mold, and what its forms do."""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request, Response
from sqlalchemy import Connection

from agent.audit import Author, login_name
from agent.files import RecordError, main_path
from agent.history import open_history
from agent.watchwords import WatchError, approve, set_limit
from dashboards.changing import answered
from dashboards.face import shown
from dashboards.goldenpage import Asked, GoldenPage, look_at_golden
from dashboards.recordaccess import RecordAccess, new_key
from dashboards.recordspage import ChoiceError, instant
from dashboards.rendering import Renderer

VERSION = re.compile(r"(?P<mold>.+)/v(?P<n>\d{1,6})")
NOTE_MOST = 2000


def add(app: FastAPI, draw: Renderer, access: RecordAccess) -> None:
    """Add the routes to an application."""
    zone = ZoneInfo(draw.plant.site.timezone)

    async def page(
        asked: Asked,
        *,
        status: int = 200,
        complaint: str = "",
        said: Mapping[str, str] | None = None,
    ) -> Response:
        try:
            found = await access.ask(lambda history, at: look_at_golden(history, at, asked, zone))
            head = await access.head()
        except WatchError as error:
            return draw.sorry(404, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        except RecordError as error:
            return draw.sorry(503, str(error))
        now = access.now()
        return draw.page(
            "golden.html", now=now, status=status, key=new_key(), who=login_name(),
            page=GoldenPage(found, asked, now, draw.strings, draw.zone),
            complaint=complaint, said=said or {}, **head,
        )  # fmt: skip

    def asked_for(request: Request, path: str) -> Asked:
        named = VERSION.fullmatch(path)
        if named is not None:
            return Asked(mold=named["mold"], version=int(named["n"]))
        query = request.query_params
        first, last = (_whole(query.get(key, "")) for key in ("first", "last"))
        return Asked(mold=path, machine=query.get("machine") or None, first=first, last=last)

    @app.api_route("/golden/{path:path}", methods=["GET", "HEAD"])
    async def golden(request: Request, path: str) -> Response:
        return await page(asked_for(request, path))

    @app.post("/golden/{path:path}")
    async def change(request: Request, path: str) -> Response:
        asked = asked_for(request, path)

        def deed(connection: Connection, author: Author, form: Mapping[str, str]) -> None:
            if form.get("deed") == "approve":
                _approve(connection, author, access.url, form)
            else:
                _limit(connection, author, asked.mold, zone, form)

        async def again(words: str, said: Mapping[str, str]) -> Response:
            return await page(asked, status=409, complaint=words, said=said)

        return await answered(
            request, draw, access, deed, group="golden", refuses=WatchError, again=again,
            then=f"/golden/{quote(asked.mold, safe='')}",
        )  # fmt: skip


def _approve(connection: Connection, author: Author, url: str, form: Mapping[str, str]) -> None:
    first, last = _whole(form.get("first", "")), _whole(form.get("last", ""))
    if first is None or last is None:
        raise WatchError("say which shots are golden, by the first and the last one's number")
    main_path(url)  # which a plant record has not: no watch runs over one
    words = form.get("note", "").strip()
    if len(words) > NOTE_MOST:
        raise WatchError(f"the note should be at most {NOTE_MOST} characters; {len(words)} came")
    with open_history(url) as history:
        approve(
            connection, author, form.get("machine", ""), cycles=(first, last), history=history,
            words=words,
        )  # fmt: skip


def _limit(
    connection: Connection, author: Author, mold: str, zone: ZoneInfo, form: Mapping[str, str]
) -> None:
    low, high = (_number(form, key) for key in ("low", "high"))
    lift = form.get("deed") == "lift"
    if not lift and low is None and high is None:
        raise WatchError("a limit has a low or a high value; to end one, lift it")
    since: datetime | None
    try:
        since = instant(form.get("since", ""), "since", zone)
    except ChoiceError as error:
        raise WatchError(str(error)) from error
    set_limit(
        connection, author, mold, form.get("signal", ""), since=since,
        revision=form.get("revision", "").strip() or None,
        low=None if lift else low, high=None if lift else high,
    )  # fmt: skip


def _number(form: Mapping[str, str], key: str) -> float | None:
    text = form.get(key, "").strip().replace(",", ".")
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not -1e12 < found < 1e12:
        raise WatchError(f"{key} is {shown(text)!r}; right would be a number, such as 11.8")
    return found


def _whole(text: str) -> int | None:
    text = "".join(text.split())
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None
