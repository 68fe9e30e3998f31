"""The API as an application of its own, below /api: its routes, errors and OpenAPI document."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.ending import CommandError
from agent.files import RecordError
from agent.live import Site
from dashboards.api import shapes
from dashboards.api.error import MissingError
from dashboards.api.exporting import exporting
from dashboards.api.paging import CursorError
from dashboards.api.reading import reading
from dashboards.api.writing import Writes, writing
from dashboards.exportjobs import ExportJobs
from dashboards.mishap import Mishap
from dashboards.problem import MEDIA_TYPE, problem
from dashboards.recordaccess import RecordAccess
from dashboards.refusing import LONGEST_FORM, RefusedError

TEXT = """Everything that the pages show and do, for programs.

Log in by a token: `Authorization: Bearer sprue_...`; `sprue tokens add` makes one. A browser that
is logged in may use it too, and sends `X-CSRF-Token` with what changes anything.

Times are ISO 8601 in UTC. A name ends in its unit (`_s`, `_bar`, `_c`, ...), which `x-unit` says
too. Lists come in parts, in an order that does not change: what comes meanwhile is after what was
there. What changes anything takes an `Idempotency-Key`: the same key with the same body is done
once, also when Sprue was started anew in between. Errors are problems in JSON (RFC 9457) with a
sentence in `detail`."""

WRONG = (400, 401, 403, 404, 409, 413, 422, 503)


def create_api(access: RecordAccess, site: Site, jobs: ExportJobs) -> FastAPI:
    """The application; what lets people in lies before it.

    Args:
        access: The record.
        site: Where the presses are.
        jobs: The exports that are written, for pages and programs.
    """
    writes = Writes(access)
    writing(writes)
    exports = exporting(writes, jobs)
    problems: dict[int | str, dict[str, Any]] = {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in WRONG
    }
    api = FastAPI(
        title="Sprue API",
        summary="Shots, molds and anomalies of an injection molding plant.",
        description=TEXT,
        version=version("sprue"),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        responses=problems,
        generate_unique_id_function=lambda route: route.name,
    )
    api.include_router(writes.router)
    api.include_router(exports)
    api.include_router(reading(access, site))
    api.add_middleware(Capped)
    api.add_middleware(Mishap)
    _described(api)
    _answering(api)
    return api


def _described(api: FastAPI) -> None:
    """What FastAPI does not say by itself: how one logs in, and what a problem looks like."""
    made = api.openapi

    def document() -> dict[str, Any]:
        if api.openapi_schema is None:
            found = made()
            found["servers"] = [{"url": "/api"}]
            parts = found["components"]
            parts["schemas"]["Problem"] = shapes.Problem.model_json_schema()
            for unused in ("HTTPValidationError", "ValidationError"):
                parts["schemas"].pop(unused, None)
            parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            found["security"] = [{"token": []}]
        return api.openapi_schema or {}

    api.openapi = document  # type: ignore[method-assign]


def _answering(api: FastAPI) -> None:
    @api.exception_handler(HTTPException)
    async def wrong_address(_request: Request, error: HTTPException) -> Response:
        return problem(error.status_code, str(error.detail), error.headers)

    @api.exception_handler(RequestValidationError)
    async def wrong_words(_request: Request, error: RequestValidationError) -> Response:
        return problem(422, "; ".join(_sentences(error.errors())))

    @api.exception_handler(RefusedError)
    async def refused(_request: Request, error: RefusedError) -> Response:
        return problem(error.status, str(error))

    @api.exception_handler(RecordError)
    async def no_record(_request: Request, error: RecordError) -> Response:
        return problem(503, str(error))

    @api.exception_handler(CursorError)
    async def no_cursor(_request: Request, error: CursorError) -> Response:
        return problem(400, str(error))

    @api.exception_handler(MissingError)
    async def missing(_request: Request, error: MissingError) -> Response:
        return problem(404, str(error))

    @api.exception_handler(CommandError)
    async def impossible(_request: Request, error: CommandError) -> Response:
        return problem(409, str(error))


def _sentences(errors: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for each in errors:
        where = ".".join(str(part) for part in each["loc"])
        yield f"{where}: {str(each['msg'])[:1].lower()}{str(each['msg'])[1:]}"


class Capped:
    """Refuses a body that is longer than any that makes sense, before it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", scope["type"] == "http" and scope["method"] not in ("GET", "HEAD")
        given = more
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > LONGEST_FORM:
                words = f"The body is longer than {LONGEST_FORM} bytes."
                await problem(413, words)(scope, receive, send)
                return

        async def again() -> Message:
            nonlocal given
            if not given:
                return await receive()
            given = False
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)


def describing() -> dict[str, Any]:
    """The OpenAPI document, without a record."""
    url, site = "sqlite:///none.db", Site(name="Plant", timezone="UTC")
    access = RecordAccess(url, lambda: datetime.now(UTC))
    return create_api(access, site, ExportJobs(url, ZoneInfo("UTC"), site.name)).openapi()
