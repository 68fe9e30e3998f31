"""The address of the page about Sprue's own health."""

from fastapi import FastAPI, Response

from agent.files import RecordError
from dashboards.healthpage import HealthPage, look_at_health
from dashboards.recordaccess import RecordAccess
from dashboards.rendering import Renderer


def add(app: FastAPI, draw: Renderer, access: RecordAccess) -> None:
    """Add the routes to an application."""

    @app.api_route("/health", methods=["GET", "HEAD"])
    async def health() -> Response:
        try:
            found = await access.ask(lambda history, at: look_at_health(access.url, history, at))
            head = await access.head()
        except RecordError as error:
            return draw.sorry(503, str(error))
        now = access.now()
        page = HealthPage(found, now, draw.strings, draw.zone)
        return draw.page("health.html", now=now, page=page, **head)
