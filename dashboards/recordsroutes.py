"""Addresses of the records page: choose, export, watch it being written, download, verify."""

import asyncio
import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from sqlalchemy import Connection

from agent.audit import Author, login_name
from agent.context.error import ContextError
from agent.export.logged import Exported, exported_as
from agent.files import RecordError
from agent.today import day_start
from dashboards.changing import answered
from dashboards.exportjobs import ExportJobs, Job
from dashboards.face import shown
from dashboards.recordaccess import RecordAccess, new_key
from dashboards.recordspage import ChoiceError, RecordsPage, choice_of, look_at_records
from dashboards.rendering import Renderer

KEY = re.compile(r"[0-9a-f]{32}")
DIGEST = re.compile(r"[0-9a-fA-F]{64}")


def add(app: FastAPI, draw: Renderer, access: RecordAccess, jobs: ExportJobs) -> None:
    """Add the routes to an application."""
    zone = ZoneInfo(draw.plant.site.timezone)

    @app.api_route("/records", methods=["GET", "HEAD"])
    async def records(request: Request) -> Response:
        now = access.now()
        try:
            choice = choice_of(request.query_params, zone, day_start(now, zone))
            found = await access.ask(lambda history, at: look_at_records(history, at, choice))
            head = await access.head()
        except (ChoiceError, ContextError) as error:
            return draw.sorry(400, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        except RecordError as error:
            return draw.sorry(503, str(error))
        page = RecordsPage(found, choice, now, draw.strings, draw.zone)
        key = new_key()
        return draw.page(
            "records.html", now=now, page=page, who=login_name(), key=key,
            query=choice.query(zone), **head,
        )  # fmt: skip

    @app.post("/records/exports/{key}")
    async def change(request: Request, key: str) -> Response:
        if not KEY.fullmatch(key):
            return draw.sorry(404, draw.strings["records.no_such"])

        def deed(_connection: Connection, author: Author, form: Mapping[str, str]) -> None:
            job = jobs.get(key)
            if form.get("deed") == "cancel":
                if job is None:
                    raise ChoiceError(draw.strings["records.no_such"])
                job.cancel()
                return
            choice = choice_of(request.query_params, zone, day_start(author.at, zone))
            asked.append(
                Job(
                    key=key,
                    wanted=choice.wanted,
                    form=choice.form,
                    units=choice.units,
                    curves=choice.curves,
                    author=author,
                )
            )

        async def again(words: str, _said: Mapping[str, str]) -> Response:
            return draw.sorry(409, f"{words[:1].upper()}{words[1:]}.")

        asked: list[Job] = []
        answer = await answered(
            request, draw, access, deed, group="export", refuses=ChoiceError, again=again,
            then=f"/records/exports/{key}",
        )  # fmt: skip
        for job in asked:
            jobs.ask(job)
        return answer

    @app.api_route("/records/exports/{key}", methods=["GET", "HEAD"])
    async def one(key: str) -> Response:
        job = jobs.get(key)
        if job is None:
            return draw.sorry(404, draw.strings["records.no_such"])
        try:
            head = await access.head()
        except RecordError as error:
            return draw.sorry(503, str(error))
        return draw.page(
            "export.html", now=access.now(), job=job, share=_share(job), key=new_key(),
            who=login_name(), name=shown(job.path.name) if job.path else "", **head,
        )  # fmt: skip

    @app.api_route("/records/exports/{key}/{part}", methods=["GET", "HEAD"])
    async def download(key: str, part: str) -> Response:
        job = jobs.get(key)
        if job is None or job.path is None or job.state != "done":
            return draw.sorry(404, draw.strings["records.no_such"])
        path = {"file": job.path, "manifest": job.path.with_name(f"{job.path.name}.manifest.json")}
        if part not in path or not path[part].is_file():
            return draw.sorry(404, draw.strings["records.no_such"])
        return FileResponse(path[part], filename=path[part].name)

    @app.api_route("/records/verify", methods=["GET", "HEAD"])
    async def verify(request: Request) -> Response:
        digest = request.query_params.get("sha256", "").strip()
        if digest and not DIGEST.fullmatch(digest):
            right = "right would be the 64 digits that sha256sum prints."
            return draw.sorry(400, f"sha256 is {shown(digest)!r}; {right}")
        found: list[Exported] = []
        here = None
        try:
            if digest:
                found = list(
                    await access.read(lambda connection, _at: exported_as(connection, digest))
                )
            if found:
                here = await asyncio.to_thread(jobs.file, found[0].name, found[0].sha256)
            head = await access.head()
        except RecordError as error:
            return draw.sorry(503, str(error))
        now = access.now()
        told = [(each, draw.zone.moment(each.at, now)) for each in found]
        return draw.page(
            "verify.html", now=now, digest=digest, found=told, here=here is not None, **head
        )


def _share(job: Job) -> str:
    """How far it is, for a bar: per cent."""
    if job.state == "done":
        return "100"
    return f"{100 * job.written / job.rows:.1f}" if job.rows else "0"
