"""The address that Prometheus scrapes."""

import asyncio

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST

from agent.files import RecordError
from agent.live import Plant
from dashboards.metrics import Metrics
from dashboards.recordaccess import RecordAccess


def add(app: FastAPI, access: RecordAccess, plant: Plant) -> None:
    """Add the route to an application."""
    metrics = Metrics(plant)
    one_by_one = asyncio.Lock()

    @app.api_route("/metrics", methods=["GET", "HEAD"])
    async def scraped() -> Response:
        async with one_by_one:
            try:
                found = await access.ask(
                    lambda history, now: metrics.read(history, access.url, now)
                )
                trouble = await access.trouble()
            except RecordError as error:
                found, trouble = None, str(error)
            text = await asyncio.to_thread(metrics.text, found, trouble)
        return Response(text, media_type=CONTENT_TYPE_LATEST)
