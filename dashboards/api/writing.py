"""What programs may change: the same deeds as on the pages, by the same functions."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import Field
from sqlalchemy import Connection

from agent.anomalies import Deed, act, find
from agent.audit import Author, login_name
from agent.molds.desk import Desk
from agent.molds.fields import MoldFields, Name, RevisionName
from agent.molds.mold import INSERTS
from agent.molds.servicelog import Service
from agent.muting import end_mute, mute_like
from dashboards.api import shapes
from dashboards.api.moment import Moment
from dashboards.api.paging import answer
from dashboards.api.reading import anomaly_body, described, mold_body, mute_body
from dashboards.recordaccess import RecordAccess, wish_of
from dashboards.refusing import refuse_forged, refuse_strangers, refuse_unauthorized
from dashboards.visitor import visitor
from drivers.checked import Checked

Words = Annotated[str, Field(max_length=2000)]
Reason = Annotated[str, Field(min_length=1, max_length=2000)]
Text = Annotated[str | None, Field(max_length=2000)]
Key = Annotated[
    str | None,
    Header(max_length=200, description="The same for the same wish: it is done once."),
]


class Said(Checked):
    """Words that may go with a deed."""

    text: Words = ""


class Told(Checked):
    """Words without which it is no deed: a comment, or the cause that was found."""

    text: Reason


class Giving(Checked):
    """To whom it is given."""

    to: Annotated[str, Field(min_length=1, max_length=64)]


class MuteBody(Checked):
    """Until when, and why."""

    until: Moment
    reason: Reason


class MoldBody(MoldFields):
    """A mold that is registered."""

    mold: Name
    revision: RevisionName = "A"


class Mounting(Checked):
    """On which machine, since when; since now where it is not said."""

    machine: Name
    since: Moment | None = None
    revision: RevisionName | None = None
    resin: Annotated[str | None, Field(max_length=64)] = None
    cavities_open: Annotated[int | None, Field(ge=1, le=1024)] = None
    reason: Words = ""


class Unmounting(Checked):
    """From which machine, since when."""

    machine: Name
    since: Moment | None = None
    reason: Words = ""


class Revising(Checked):
    """A re-cut, or other inserts."""

    reason: Reason
    revision: RevisionName | None = None
    since: Moment | None = None
    restarts: tuple[str, ...] = (INSERTS,)


class Retiring(Checked):
    """Out of lists and alerts; its record stays."""

    reason: Reason
    back: bool = False


class Servicing(Checked):
    """An entry of the log; with `corrects` in place of another."""

    what: Reason
    at: Moment | None = None
    kind: Annotated[str, Field(max_length=16)] = "service"
    level: int | None = None
    done_by: Annotated[str, Field(max_length=64)] = ""
    defect: Text = None
    cavity: Annotated[str | None, Field(max_length=64)] = None
    action: Text = None
    replaced: Text = None
    hours: Annotated[float | None, Field(ge=0, lt=10_000)] = None
    cost: Annotated[float | None, Field(ge=0)] = None
    corrects: int | None = None


class Correcting(Checked):
    """Shots that are added to the count; below 0: taken away."""

    shots: Annotated[int, Field(gt=-(2**53), lt=2**53)]
    reason: Reason
    revision: RevisionName | None = None
    resin: Annotated[str | None, Field(max_length=64)] = None
    closings: Annotated[int | None, Field(gt=-(2**53), lt=2**53)] = None


def allowed(access: RecordAccess, right: str) -> Callable[[Request], Awaitable[None]]:
    """A dependency that lets only those go on who may do something."""

    async def check(request: Request) -> None:
        if visitor().way != "token":  # a browser: it sends its cookie for whoever asks it to
            refuse_strangers(request, access.origins)
            refuse_forged(request.headers.get("x-csrf-token", ""))
        refuse_unauthorized(right)

    return check


class Writes:
    """Makes a router's routes that change something; each names its right in OpenAPI."""

    def __init__(self, access: RecordAccess) -> None:
        self.router = APIRouter()
        self._access = access

    def now(self) -> datetime:
        """UTC."""
        return self._access.now()

    def route(self, method: str, path: str, right: str, shape: Any, tag: str) -> Callable[..., Any]:
        """A decorator, like FastAPI's own."""
        return self.router.api_route(
            path,
            methods=[method],
            dependencies=[Depends(allowed(self._access, right))],
            openapi_extra={"x-right": right},
            responses=described(shape),
            tags=[tag],
        )

    def author(self, wish: str | None) -> Author:
        """Whose deed it is."""
        who = visitor()
        origin = f"api, {who.address}" if who.address else "api"
        return Author(who=who.name or login_name(), origin=origin, at=self.now(), wish=wish)

    async def done(
        self,
        request: Request,
        key: str | None,
        deed: Callable[[Connection, Author], Any],
        then: Callable[[Connection, Any], bytes],
    ) -> Response:
        """Do it once, and answer with the thing as it is then."""
        wish = None
        if key:
            body = (await request.body()).hex()
            wish = wish_of(visitor().name, request.method, request.url.path, key, body)
        author = self.author(wish)
        made = await self._access.do(author, lambda *at: (deed(*at),))
        found = await self._access.read(lambda connection, now: then(connection, now))
        answered = answer(found)
        if made is None:
            answered.headers["idempotent-replayed"] = "true"
        return answered


def writing(writes: Writes) -> None:
    """Add the routes that change something."""
    _anomalies(writes)
    _molds(writes)


def _anomalies(writes: Writes) -> None:
    async def said(request: Request, key: str | None, name: str, deed: Deed, text: str) -> Response:
        return await writes.done(
            request, key,
            lambda connection, author: act(connection, author, name, deed, text),
            lambda connection, now: anomaly_body(connection, now, name),
        )  # fmt: skip

    def route(word: str) -> Callable[..., Any]:
        path, right = f"/anomalies/{{name}}/{word}", f"anomaly.{word}"
        return writes.route("POST", path, right, shapes.Anomaly, "anomalies")

    @route("acknowledge")
    async def acknowledge(
        request: Request, name: str, body: Said | None = None, idempotency_key: Key = None
    ) -> Response:
        """Say that somebody has seen to it."""
        return await said(request, idempotency_key, name, "ack", body.text if body else "")

    @route("give")
    async def give(
        request: Request, name: str, body: Giving, idempotency_key: Key = None
    ) -> Response:
        """Give it to somebody, by name."""
        return await said(request, idempotency_key, name, "give", body.to)

    @route("undo")
    async def undo(request: Request, name: str, idempotency_key: Key = None) -> Response:
        """Take the last acknowledgement or giving back."""
        return await said(request, idempotency_key, name, "undo", "")

    @route("comment")
    async def comment(
        request: Request, name: str, body: Told, idempotency_key: Key = None
    ) -> Response:
        """Add words to it."""
        return await said(request, idempotency_key, name, "comment", body.text)

    @route("resolve")
    async def resolve(
        request: Request, name: str, body: Told, idempotency_key: Key = None
    ) -> Response:
        """Say that it is over, with the cause that was found."""
        return await said(request, idempotency_key, name, "close", body.text)

    @route("no_fault")
    async def no_fault(
        request: Request, name: str, body: Said | None = None, idempotency_key: Key = None
    ) -> Response:
        """Say that it should not have been raised."""
        text = body.text if body else ""
        return await said(request, idempotency_key, name, "not_a_fault", text)

    @route("mute")
    async def mute(
        request: Request, name: str, body: MuteBody, idempotency_key: Key = None
    ) -> Response:
        """Call nobody for what is of the same machine, mold, kind, cause and signal."""

        def deed(connection: Connection, author: Author) -> None:
            like = find(connection, name, now=author.at).anomaly
            mute_like(connection, author, like, until=body.until, reason=body.reason)

        return await writes.done(
            request, idempotency_key, deed,
            lambda connection, now: anomaly_body(connection, now, name),
        )  # fmt: skip

    @writes.route("DELETE", "/mutes/{number}", "anomaly.unmute", shapes.Mute, "anomalies")
    async def unmute(request: Request, number: int, idempotency_key: Key = None) -> Response:
        """End a mute before its time."""
        return await writes.done(
            request, idempotency_key,
            lambda connection, author: end_mute(connection, author, number),
            lambda connection, _now: mute_body(connection, number),
        )  # fmt: skip


def _molds(writes: Writes) -> None:
    async def done(
        request: Request, key: str | None, name: str, deed: Callable[[Desk], Any]
    ) -> Response:
        return await writes.done(
            request, key,
            lambda connection, author: deed(Desk(connection, author)),
            lambda connection, now: mold_body(connection, now, name),
        )  # fmt: skip

    def route(method: str, path: str, right: str) -> Callable[..., Any]:
        return writes.route(method, path, f"mold.{right}", shapes.MoldDetail, "molds")

    @route("POST", "/molds", "add")
    async def add(request: Request, body: MoldBody, idempotency_key: Key = None) -> Response:
        """Register a mold; one that only a machine has named so far keeps its shots."""
        fields = {k: v for k, v in body.said().items() if k not in ("mold", "revision")}
        return await done(
            request, idempotency_key, body.mold.strip(),
            lambda desk: desk.add(body.mold, fields, revision=body.revision),
        )  # fmt: skip

    @route("PATCH", "/molds/{name:path}", "edit")
    async def edit(
        request: Request, name: str, body: MoldFields, idempotency_key: Key = None
    ) -> Response:
        """Change what is known of a mold; fields that are not named stay, null empties one."""
        return await done(request, idempotency_key, name, lambda desk: desk.edit(name, body.said()))

    @route("POST", "/molds/{name:path}/mount", "mount")
    async def mount(
        request: Request, name: str, body: Mounting, idempotency_key: Key = None
    ) -> Response:
        """Say that it sits on a machine; shots since then are counted on it."""
        return await done(
            request, idempotency_key, name,
            lambda desk: desk.mount(
                body.machine, desk.mold(name).name, since=body.since, revision=body.revision,
                resin=body.resin, cavities_open=body.cavities_open, reason=body.reason,
            ),
        )  # fmt: skip

    @route("POST", "/molds/{name:path}/unmount", "unmount")
    async def unmount(
        request: Request, name: str, body: Unmounting, idempotency_key: Key = None
    ) -> Response:
        """Say that it was taken off."""
        return await done(
            request, idempotency_key, name,
            lambda desk: desk.unmount(
                body.machine, desk.mold(name).name, since=body.since, reason=body.reason
            ),
        )  # fmt: skip

    @route("POST", "/molds/{name:path}/revise", "revise")
    async def revise(
        request: Request, name: str, body: Revising, idempotency_key: Key = None
    ) -> Response:
        """Begin a new revision."""
        return await done(
            request, idempotency_key, name,
            lambda desk: desk.revise(
                name, revision=body.revision, since=body.since, restarts=body.restarts,
                reason=body.reason,
            ),
        )  # fmt: skip

    @route("POST", "/molds/{name:path}/retire", "retire")
    async def retire(
        request: Request, name: str, body: Retiring, idempotency_key: Key = None
    ) -> Response:
        """Take it out of lists and alerts, or back."""
        return await done(
            request, idempotency_key, name,
            lambda desk: desk.retire(name, body.reason, back=body.back),
        )  # fmt: skip

    @route("POST", "/molds/{name:path}/services", "log")
    async def service(
        request: Request, name: str, body: Servicing, idempotency_key: Key = None
    ) -> Response:
        """Write an entry into its log."""
        said = body.model_dump(exclude={"at", "done_by"})
        at, by = body.at or writes.now(), body.done_by or visitor().name or login_name()
        entry = Service(mold=name, at=at, done_by=by, **said)
        return await done(request, idempotency_key, name, lambda desk: desk.service(entry))

    @route("POST", "/molds/{name:path}/corrections", "correct")
    async def correct(
        request: Request, name: str, body: Correcting, idempotency_key: Key = None
    ) -> Response:
        """Add a signed row to its count; nothing is overwritten."""
        return await done(
            request, idempotency_key, name,
            lambda desk: desk.correct(
                name, body.shots, body.reason, revision=body.revision, resin=body.resin,
                closings=body.closings,
            ),
        )  # fmt: skip
