"""The web application: the overview, its live channel, and what they are made of.

Answers only what a plant shows; nothing here can change it.
"""

import hashlib
import json
from collections.abc import Collection
from importlib.metadata import version
from importlib.resources import files

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup
from starlette.middleware.gzip import GZipMiddleware

from agent.live import Plant
from dashboards.assets import Assets
from dashboards.catalogue import Catalogue, catalogue
from dashboards.channel import Channel
from dashboards.face import POINTER_SPAN, shown
from dashboards.headers import KnownHosts, SecurityHeaders
from dashboards.overview import (
    LIVES_SHOWN,
    NEEDS_SHOWN,
    Overview,
    ViewError,
    halls_of,
    view_of,
)
from dashboards.plantzone import PlantZone
from dashboards.spark import spark
from dashboards.wire import SCHEMA, epoch, snapshot_object

LAG_S = 5.0


def create_app(plant: Plant, *, hosts: Collection[str] = (), lag_s: float = LAG_S) -> FastAPI:
    """The application that shows one plant.

    Args:
        plant: What it shows; the application only reads.
        hosts: Host names under which it may be asked for, beside this computer's own.
        lag_s: A viewer that falls further behind is closed.
    """
    assets = Assets()
    pages = _Pages(plant, assets)
    channel = Channel(plant, build=pages.build, layout=pages.layout, lag_s=lag_s)
    app = FastAPI(title="Sprue", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.abort = _stay
    app.add_middleware(GZipMiddleware, minimum_size=500)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(KnownHosts, hosts=hosts)

    @app.api_route("/", methods=["GET", "HEAD"])
    async def overview(request: Request) -> Response:
        return pages.overview(request)

    @app.get("/api/snapshot")
    async def snapshot() -> Response:
        return JSONResponse(pages.snapshot())

    @app.api_route("/healthz", methods=["GET", "HEAD"])
    async def healthz() -> Response:
        return JSONResponse({"status": "ok", "build": pages.build})

    @app.api_route("/assets/{digest}/{path:path}", methods=["GET", "HEAD"])
    async def asset(request: Request, digest: str, path: str) -> Response:
        return assets.answer(request, digest, path)

    @app.websocket("/live")
    async def live(websocket: WebSocket) -> None:
        await channel.serve(websocket)

    return app


def _stay(_websocket: WebSocket) -> None:
    """Where no server of ours runs the application, nothing can drop a connection."""


class _Pages:
    """Draws the pages of one plant."""

    def __init__(self, plant: Plant, assets: Assets) -> None:
        self._plant = plant
        self._strings = catalogue("en")
        self._zone = PlantZone(plant.site.timezone, self._strings)
        self._jinja = _environment(self._strings, assets)
        self.build = _digest(version("sprue"), assets.digest, str(SCHEMA), *_templates().values())
        self.layout = _digest(*(f"{tile.machine}\n{tile.hall}" for tile in plant.tiles))

    def overview(self, request: Request) -> Response:
        """The overview as its address asks for it."""
        try:
            view = view_of(request.query_params, halls_of(self._plant.tiles))
        except ViewError as error:
            html = self._jinja.get_template("error.html").render(
                site=shown(self._plant.site.name), sentence=str(error), theme=None
            )
            return HTMLResponse(html, error.status)
        page = Overview(self._plant, view, self._strings, self._zone)
        return HTMLResponse(
            self._jinja.get_template("overview.html").render(
                page=page,
                site=shown(self._plant.site.name),
                zone=self._zone,
                theme=view.theme,
                given=self._given(page),
                needs_shown=NEEDS_SHOWN,
                lives_shown=LIVES_SHOWN,
                pointer_percent=round(100 * POINTER_SPAN),
            )
        )

    def snapshot(self) -> dict[str, object]:
        """Everything as objects, with what tells a page that it is of another build."""
        return {"build": self.build, "layout": self.layout, **snapshot_object(self._plant)}

    def _given(self, page: Overview) -> Markup:
        """What the page's script starts from, as JSON that can't end its element."""
        given = {
            "build": self.build,
            "layout": self.layout,
            "schema": SCHEMA,
            "zone": self._zone.name,
            "abbreviation": self._zone.abbreviation(page.now),
            "language": self._strings.language,
            "now": epoch(page.now),
            "whole_plant": page.whole_plant,
            "places": [placed.place for placed in page.presses],
            "strings": dict(self._strings),
        }
        text = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
        return Markup(text.replace("<", "\\u003c"))


def _environment(strings: Catalogue, assets: Assets) -> Environment:
    templates = _templates()
    jinja = Environment(
        loader=FunctionLoader(templates.get),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.globals |= {"t": strings.say, "count": strings.count, "asset": assets.url, "spark": spark}
    jinja.globals["language"] = strings.language
    return jinja


def _templates() -> dict[str, str]:
    folder = files("dashboards") / "templates"
    return {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir()}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:12]
