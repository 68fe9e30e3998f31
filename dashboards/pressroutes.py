"""Addresses of one press: as it is now, and one old cycle of it."""

from fastapi import FastAPI, Request, Response

from agent.anomaly import AnomalyError
from agent.audit import login_name
from agent.files import RecordError
from agent.live import Tile
from dashboards.comparepage import ComparePage, look_at_cycles
from dashboards.face import shown
from dashboards.pressfound import look_at_press
from dashboards.presspage import PressPage
from dashboards.recordaccess import RecordAccess, new_key
from dashboards.rendering import Renderer, as_json

COUNTER_DIGITS = 18


def add(app: FastAPI, draw: Renderer, access: RecordAccess) -> None:
    """Add the routes to an application."""

    def tile_of(name: str) -> Tile | None:
        """By the machine's name, else by the short one on its tile."""
        tiles = draw.plant.tiles
        named = [tile for tile in tiles if tile.machine == name]
        return next(iter(named or [tile for tile in tiles if tile.label == name]), None)

    async def page(name: str, wanted: tuple[int, int] | None) -> Response:
        tile = tile_of(name)
        if tile is None:
            return draw.sorry(404, f"There is no press {shown(name)!r}.")
        try:
            found = await access.ask(
                lambda history, at: look_at_press(history, at, tile.machine, wanted, tile.mold)
            )
            head = await access.head()
        except (AnomalyError, RecordError) as error:
            return draw.sorry(404 if isinstance(error, AnomalyError) else 503, str(error))
        now = access.now()
        shown_page = PressPage(
            found, draw.plant, tile, now, draw.strings, draw.zone, live=wanted is None
        )
        return draw.page(
            "press.html",
            now=now,
            page=shown_page,
            start=as_json(shown_page.start),
            who=login_name(),
            key=new_key(),
            **head,
            places=[shown_page.place],
        )

    @app.api_route("/press/{name}", methods=["GET", "HEAD"])
    async def press(name: str) -> Response:
        return await page(name, None)

    @app.api_route("/press/{name}/compare", methods=["GET", "HEAD"])
    async def compare(request: Request, name: str) -> Response:
        tile = tile_of(name)
        if tile is None:
            return draw.sorry(404, f"There is no press {shown(name)!r}.")
        wanted = []
        for text in ",".join(request.query_params.getlist("ids")).split(","):
            segment, _, counter = text.partition("/")
            if not text:
                continue
            if not (_is_number(segment) and _is_number(counter)):
                right = "right would be segment and counter, as in 1/139,1/140."
                return draw.sorry(400, f"ids names {shown(text)!r}; {right}")
            wanted.append((int(segment), int(counter)))
        try:
            found = await access.ask(
                lambda history, _at: look_at_cycles(history, tile.machine, wanted)
            )
            head = await access.head()
        except RecordError as error:
            return draw.sorry(503, str(error))
        now = access.now()
        shown_page = ComparePage(found, tile.machine, now, draw.strings, draw.zone, last=not wanted)
        return draw.page("compare.html", now=now, page=shown_page, **head)

    @app.api_route("/press/{name}/cycle/{segment}/{counter}", methods=["GET", "HEAD"])
    async def one_cycle(name: str, segment: str, counter: str) -> Response:
        for text in (segment, counter):
            if not _is_number(text):
                return draw.sorry(404, f"There is no cycle {shown(text)!r}.")
        return await page(name, (int(segment), int(counter)))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= COUNTER_DIGITS
