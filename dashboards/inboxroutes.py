"""Addresses of the anomalies page, and what its forms do."""

from collections.abc import Mapping
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from sqlalchemy import Connection

from agent.anomalies import Deed, act, find
from agent.anomaly import AnomalyError
from agent.audit import Author, login_name
from agent.files import RecordError
from agent.muting import end_mute, mute_like
from dashboards.changing import answered
from dashboards.face import shown
from dashboards.inbox import SHELVES, SPANS, Choice, Inbox, look
from dashboards.recordaccess import RecordAccess, new_key
from dashboards.rendering import Renderer
from dashboards.visitor import visitor

DEEDS: Mapping[str, Deed] = {
    "acknowledge": "ack",
    "give": "give",
    "undo": "undo",
    "comment": "comment",
    "resolve": "close",
    "no_fault": "not_a_fault",
}

PICK = "pick-"
"""Begins the names of the boxes in the list; a number of the record follows."""

WORDS_MOST = 2000
"""Characters of a comment, cause or reason; the page shows no more."""


def add(app: FastAPI, draw: Renderer, access: RecordAccess) -> None:
    """Add the routes to an application."""

    async def page(
        request: Request,
        name: str | None,
        *,
        status: int = 200,
        complaint: str = "",
        text: str = "",
    ) -> Response:
        query = request.query_params
        shelf = next((each for each in SHELVES if each == query.get("show", "open")), None)
        if shelf is None:
            right = ", ".join(SHELVES)
            return draw.sorry(400, f"show is {shown(query['show'])!r}; right would be {right}.")
        choice = Choice(
            shelf=shelf,
            machine=query.get("machine") or None,
            mold=query.get("mold") or None,
            me=visitor().name or login_name(),
        )
        now = access.now()
        try:
            found = await access.ask(lambda history, at: look(history, at, choice, name))
            head = await access.head()
        except AnomalyError:
            return draw.sorry(404, f"No anomaly of this record is called {shown(name)!r}.")
        except RecordError as error:
            return draw.sorry(503, str(error))
        return draw.page(
            "anomalies.html",
            now=now,
            status=status,
            page=Inbox(found, choice, now, draw.strings, draw.zone),
            alone=name is not None,
            spans=list(SPANS),
            who=login_name(),
            key=new_key(),
            **head,
            complaint=complaint,
            text=text,
        )

    @app.api_route("/anomalies", methods=["GET", "HEAD"])
    async def inbox(request: Request) -> Response:
        return await page(request, None)

    @app.post("/anomalies")
    async def several(request: Request) -> Response:
        def deed(connection: Connection, author: Author, form: Mapping[str, str]) -> None:
            chosen = [key.removeprefix(PICK) for key in form if key.startswith(PICK)]
            if not chosen:
                raise AnomalyError("choose some of the list first")
            if form.get("deed") not in ("acknowledge", "give"):
                raise AnomalyError("only to acknowledge and to give goes for several at once")
            for name in chosen:
                _do(connection, author, name, form)

        async def again(words: str, _said: Mapping[str, str]) -> Response:
            return await page(request, None, status=409, complaint=words)

        query = f"?{request.url.query}" if request.url.query else ""
        return await answered(
            request, draw, access, deed,
            group="anomaly", refuses=AnomalyError, again=again, then=f"/anomalies{query}",
        )  # fmt: skip

    @app.post("/anomalies/mutes/{number}")
    async def one_mute(request: Request, number: str) -> Response:
        def deed(connection: Connection, author: Author, form: Mapping[str, str]) -> None:
            if form.get("deed") != "unmute" or not number.isdecimal() or len(number) > 17:
                raise AnomalyError(f"there is no mute {shown(number)!r} to end")
            end_mute(connection, author, int(number))

        async def again(words: str, _said: Mapping[str, str]) -> Response:
            return await page(request, None, status=409, complaint=words)

        return await answered(
            request, draw, access, deed,
            group="anomaly", refuses=AnomalyError, again=again, then="/anomalies?show=muted",
        )  # fmt: skip

    @app.api_route("/anomalies/{name}", methods=["GET", "HEAD"])
    async def one(request: Request, name: str) -> Response:
        return await page(request, name)

    @app.post("/anomalies/{name}")
    async def change(request: Request, name: str) -> Response:
        def deed(connection: Connection, author: Author, form: Mapping[str, str]) -> None:
            _do(connection, author, name, form)

        async def again(words: str, said: Mapping[str, str]) -> Response:
            text = said.get("text", "")
            return await page(request, name, status=409, complaint=words, text=text)

        query = f"?{request.url.query}" if request.url.query else ""
        back = request.query_params.get("back", "")
        if not back.startswith("/press/"):  # the only pages beside this one that have such forms
            back = ""
        return await answered(
            request, draw, access, deed,
            group="anomaly", refuses=AnomalyError, again=again,
            then=quote(back) or f"{request.url.path}{query}",
        )  # fmt: skip


def _do(connection: Connection, author: Author, name: str, form: Mapping[str, str]) -> None:
    """What one form asks for.

    Raises:
        AnomalyError: it can't be done; says why.
    """
    deed, text = form.get("deed", ""), form.get("text", "").strip()
    if len(text) > WORDS_MOST:
        raise AnomalyError(f"the words should be at most {WORDS_MOST} characters; {len(text)} came")
    if deed == "mute":
        span = SPANS.get(form.get("span", ""))
        if span is None:
            raise AnomalyError(f"a mute lasts one of {', '.join(SPANS)}")
        like = find(connection, name, now=author.at).anomaly
        mute_like(connection, author, like, until=author.at + span, reason=text)
        return
    if deed not in DEEDS:
        raise AnomalyError(f"{deed!r} should be one of {', '.join([*DEEDS, 'mute'])}")
    if deed == "resolve" and not text:
        raise AnomalyError("to resolve takes the cause that was found, in words")
    act(connection, author, name, DEEDS[deed], text)
