"""Addresses of one press: as it is now, and one old cycle of it."""

from fastapi import FastAPI, Response

from agent.anomaly import AnomalyError
from agent.files import RecordError
from agent.live import Tile
from dashboards.face import shown
from dashboards.presspage import PressPage, look_at_press
from dashboards.recordaccess import RecordAccess
from dashboards.rendering import Renderer

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
                lambda history, at: look_at_press(history, at, tile.machine, wanted)
            )
            head = await access.head()
        except (AnomalyError, RecordError) as error:
            return draw.sorry(404 if isinstance(error, AnomalyError) else 503, str(error))
        now = access.now()
        shown_page = PressPage(
            found, draw.plant, tile, now, draw.strings, draw.zone, live=wanted is None
        )
        return draw.page("press.html", now=now, page=shown_page, **head, places=[shown_page.place])

    @app.api_route("/press/{name}", methods=["GET", "HEAD"])
    async def press(name: str) -> Response:
        return await page(name, None)

    @app.api_route("/press/{name}/cycle/{segment}/{counter}", methods=["GET", "HEAD"])
    async def one_cycle(name: str, segment: str, counter: str) -> Response:
        for text in (segment, counter):
            if not text.isdecimal() or len(text) > COUNTER_DIGITS:
                return draw.sorry(404, f"There is no cycle {shown(text)!r}.")
        return await page(name, (int(segment), int(counter)))
