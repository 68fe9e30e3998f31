"""The web application: its routes, and what they are made of."""

from collections.abc import Collection

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse
from starlette.middleware.gzip import GZipMiddleware

from agent.live import Plant
from dashboards import healthroutes, inboxroutes, moldroutes, pressroutes
from dashboards.assets import Assets
from dashboards.channel import Channel
from dashboards.headers import KnownHosts, SecurityHeaders
from dashboards.inbox import waiting
from dashboards.overview import (
    LIVES_SHOWN,
    NEEDS_SHOWN,
    Overview,
    ViewError,
    halls_of,
    view_of,
)
from dashboards.recordaccess import RecordAccess
from dashboards.rendering import Renderer
from dashboards.wire import snapshot_object

LAG_S = 5.0


def create_app(
    plant: Plant, *, record: str | None = None, hosts: Collection[str] = (), lag_s: float = LAG_S
) -> FastAPI:
    """The application that shows one plant.

    Args:
        plant: What it shows live.
        record: URL of the record that the pages about molds and anomalies read and write; None
            leaves these pages out.
        hosts: Host names under which it may be asked for, beside this computer's own.
        lag_s: A viewer that falls further behind is closed.
    """
    assets = Assets()
    draw = Renderer(plant, assets, recorded=record is not None)
    channel = Channel(plant, build=draw.build, layout=draw.layout, lag_s=lag_s)
    access = RecordAccess(record, plant.clock) if record is not None else None
    app = FastAPI(title="Sprue", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.abort = _stay
    app.state.access = access
    app.add_middleware(GZipMiddleware, minimum_size=500)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(KnownHosts, hosts=hosts)

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
        inboxroutes.add(app, draw, access)
        moldroutes.add(app, draw, access)
        pressroutes.add(app, draw, access)
        healthroutes.add(app, draw, access)
    return app


def _stay(_websocket: WebSocket) -> None:
    """Where no server of ours runs the application, nothing can drop a connection."""
