"""The web application: its routes, and what they are made of."""

from collections.abc import Callable, Collection, Coroutine
from functools import partial
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from agent.files import RecordError
from agent.history import open_history
from agent.live import Plant
from agent.users.people import is_anybody
from agent.web import WebSettings
from dashboards import (
    goldenroutes,
    healthroutes,
    inboxroutes,
    loginroutes,
    metricsroutes,
    moldroutes,
    pressroutes,
    recordsroutes,
    settingsroutes,
)
from dashboards.api.app import create_api
from dashboards.assets import Assets
from dashboards.channel import Channel
from dashboards.exportjobs import ExportJobs
from dashboards.face import shown
from dashboards.gate import Gate
from dashboards.headers import KnownHosts, Peer, SecurityHeaders, host_name
from dashboards.inbox import waiting
from dashboards.mishap import Mishap
from dashboards.news import follow_news, follow_trouble
from dashboards.overview import (
    LIVES_SHOWN,
    NEEDS_SHOWN,
    Overview,
    ViewError,
    halls_of,
    view_of,
)
from dashboards.problem import problem, wants_page
from dashboards.recordaccess import RecordAccess
from dashboards.rendering import Renderer
from dashboards.wire import snapshot_object

LAG_S = 5.0


def create_app(
    plant: Plant,
    *,
    record: str | None = None,
    hosts: Collection[str] = (),
    web: WebSettings | None = None,
    lag_s: float = LAG_S,
) -> FastAPI:
    """The application that shows one plant.

    Args:
        plant: What it shows live.
        record: URL of the record that the pages about molds and anomalies read and write; None
            leaves these pages out.
        hosts: Host names under which it may be asked for, beside this computer's own.
        web: How it is served.
        lag_s: A viewer that falls further behind is closed.
    """
    assets = Assets()
    draw = Renderer(plant, assets, recorded=record is not None)
    channel = Channel(plant, build=draw.build, layout=lambda: draw.layout, lag_s=lag_s)
    web = web or WebSettings()
    origins = [web.origin] if web.origin else []
    access = RecordAccess(record, plant.clock, origins) if record is not None else None
    app = FastAPI(title="Sprue", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.abort = _stay
    work: list[Callable[[], Coroutine[Any, Any, NoReturn]]] = []
    app.state.work = work  # for whoever serves it: what goes on beside the requests
    work.append(channel.pulse)
    if access is not None:
        work += [partial(follow_news, plant, access), partial(follow_trouble, plant, access)]
    app.add_middleware(
        Gate, access=access, terms=web.terms, secure=web.is_secure, nobody=_has_no_users(record),
        site=plant.site.taste, again=draw.again,
    )  # fmt: skip
    app.add_middleware(Mishap, page=partial(_mishap, draw))
    app.add_middleware(GZipMiddleware, minimum_size=500)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(KnownHosts, hosts=[*hosts, *map(_host_of, origins)])
    if web.trusted_proxy:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(web.trusted_proxy))
    app.add_middleware(Peer)

    @app.exception_handler(HTTPException)
    async def wrong_address(request: Request, error: HTTPException) -> Response:
        if not wants_page(request.scope):
            return problem(error.status_code, str(error.detail), error.headers)
        where = shown(request.url.path)
        sentence = draw.strings.say("error.nothing_there", path=where)
        return draw.sorry(error.status_code, sentence)

    @app.api_route("/", methods=["GET", "HEAD"])
    async def overview(request: Request) -> Response:
        try:
            view = view_of(request.query_params, halls_of(plant.tiles))
        except ViewError as error:
            return draw.sorry(error.status, str(error))
        page = Overview(plant, view, draw.strings, draw.zone)
        return draw.page(
            "overview.html",
            now=page.now,
            page=page,
            theme=view.theme,
            waiting=await access.read(waiting, otherwise=0) if access else 0,
            places=[placed.place for placed in page.presses],
            whole_plant=page.whole_plant,
            needs_shown=NEEDS_SHOWN,
            lives_shown=LIVES_SHOWN,
        )

    @app.get("/api/snapshot")
    async def snapshot() -> Response:
        return JSONResponse({"build": draw.build, "layout": draw.layout, **snapshot_object(plant)})

    @app.api_route("/healthz", methods=["GET", "HEAD"])
    async def healthz() -> Response:
        # 200 even so: to start an agent anew that holds shots in memory would lose them.
        trouble = await access.trouble() if access else ""
        said = {"status": "trouble", "record": trouble} if trouble else {"status": "ok"}
        return JSONResponse(said | {"build": draw.build})

    @app.api_route("/assets/{digest}/{path:path}", methods=["GET", "HEAD"])
    async def asset(request: Request, digest: str, path: str) -> Response:
        return assets.answer(request, digest, path)

    @app.websocket("/live")
    async def live(websocket: WebSocket) -> None:
        await channel.serve(websocket)

    if access is not None:
        loginroutes.add(app, draw, access, web.terms, secure=web.is_secure)
        inboxroutes.add(app, draw, access)
        moldroutes.add(app, draw, access)
        pressroutes.add(app, draw, access)
        jobs = ExportJobs(access.url, ZoneInfo(plant.site.timezone), plant.site.name)
        app.state.work.append(jobs.work)
        recordsroutes.add(app, draw, access, jobs)
        app.mount("/api", create_api(access, plant.site, jobs))
        goldenroutes.add(app, draw, access)
        healthroutes.add(app, draw, access)
        settingsroutes.add(app, draw, access)
        metricsroutes.add(app, access, plant)
    return app


def _mishap(draw: Renderer, name: str) -> Response:
    return draw.sorry(500, draw.strings.say("error.mishap", name=name))


def _has_no_users(record: str | None) -> bool:
    try:
        if record is not None:
            with open_history(record) as history, history.connect() as connection:
                return not is_anybody(connection)
    except RecordError:
        pass  # asked anew with the first request
    return False


def _host_of(origin: str) -> str:
    return host_name(origin.partition("://")[2])


def _stay(_websocket: WebSocket) -> None:
    """Where no server of ours runs the application, nothing can drop a connection."""
