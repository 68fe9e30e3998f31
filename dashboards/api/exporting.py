"""Exports for programs: asked for, watched, called off, fetched; the same jobs as on the pages."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from pydantic import AfterValidator, Field, model_validator

from agent.audit import login_name
from agent.export.writing import FORMATS
from agent.history import Filter
from agent.molds.fields import Name
from dashboards.api import shapes
from dashboards.api.error import MissingError
from dashboards.api.moment import Moment
from dashboards.api.paging import answer, encoded
from dashboards.api.reading import described
from dashboards.api.writing import Key, Writes
from dashboards.exportjobs import ExportJobs, Job
from dashboards.recordaccess import new_key, wish_of
from drivers.checked import Checked


def _form(text: str) -> str:
    if text not in FORMATS:
        raise ValueError(f"should be one of {', '.join(FORMATS)}")
    return text


Form = Annotated[str, AfterValidator(_form), Field(json_schema_extra={"enum": [*FORMATS]})]


Counter = Annotated[int, Field(ge=0, lt=2**63)]
Label = Annotated[str, Field(min_length=1, max_length=120)]


class Wanted(Checked):
    """Which cycles, and how they are to be written."""

    format: Form = "csv"
    machine: Name | None = None
    mold: Name | None = None
    revision: Annotated[str | None, Field(max_length=16)] = None
    job: Annotated[str | None, Field(max_length=200)] = None
    state: Annotated[str | None, Field(max_length=16)] = None
    segment: Annotated[
        int | None, Field(ge=0, lt=2**63, description="Of the machine's counter.")
    ] = None
    shots: Annotated[
        list[Counter] | None,
        Field(
            min_length=2,
            max_length=2,
            description="First and last by the machine's counter, both included.",
        ),
    ] = None
    lot: Label | None = None
    box: Label | None = None
    part_id: Label | None = None
    since: Moment | None = None
    until: Moment | None = None
    units: Annotated[bool, Field(description="CSV: a second row, of units.")] = False
    curves: Annotated[bool, Field(description="Parquet: curves, too.")] = False

    @model_validator(mode="after")
    def _goes_together(self) -> "Wanted":
        if self.machine is None and (self.shots is not None or self.segment is not None):
            raise ValueError("shots and segment are of one machine's counter: say which machine")
        if self.revision is not None and self.mold is None:
            raise ValueError("a revision is one of a mold: say which mold")
        if sum(each is not None for each in (self.lot, self.box, self.part_id)) > 1:
            raise ValueError("lot, box and part_id: one of the three at a time")
        return self


def exporting(writes: Writes, jobs: ExportJobs) -> APIRouter:
    """The routes about exports."""
    router = APIRouter()

    @writes.route("POST", "/exports", "export.make", shapes.Export, "exports")
    async def make_export(request: Request, body: Wanted, idempotency_key: Key = None) -> Response:
        """Have an export written, beside everything else; its key tells how far it is."""
        author = writes.author(None)
        text = (await request.body()).hex()
        key = wish_of(author.who, idempotency_key, text)[:32] if idempotency_key else new_key()
        wanted = Filter(
            machine=body.machine, mold=body.mold, revision=body.revision, job=body.job,
            state=body.state, segment=body.segment,
            counters=(body.shots[0], body.shots[1]) if body.shots else None, lot=body.lot,
            box=body.box, part_id=body.part_id, since=body.since, until=body.until,
        )  # fmt: skip
        jobs.ask(
            Job(key=key, wanted=wanted, form=body.format, units=body.units, curves=body.curves,
                author=author)
        )  # fmt: skip
        return answer(_line(_job(jobs, key)))

    @writes.route("DELETE", "/exports/{key}", "export.cancel", shapes.Export, "exports")
    async def cancel_export(key: str) -> Response:
        """Call it off; what is written of it goes away. One that is done stays."""
        job = _job(jobs, key)
        job.cancel()
        return answer(_line(job))

    @router.get("/exports/{key}", responses=described(shapes.Export), tags=["exports"])
    async def one_export(key: str) -> Response:
        """How far an export is; the newest 200 are remembered until Sprue is started anew."""
        return answer(_line(_job(jobs, key)))

    @router.get("/exports/{key}/{part}", tags=["exports"], response_class=FileResponse)
    async def download(key: str, part: Literal["file", "manifest"]) -> Response:
        """The file, or the manifest that it is checked against."""
        path = _job(jobs, key).path
        if path is not None and part == "manifest":
            path = path.with_name(f"{path.name}.manifest.json")
        if path is None or _job(jobs, key).state != "done" or not path.is_file():
            raise MissingError(f"export {key} has no {part}, or not yet")
        return FileResponse(path, filename=path.name)

    return router


def _job(jobs: ExportJobs, key: str) -> Job:
    job = jobs.get(key)
    if job is None:
        raise MissingError(f"no export is remembered under {key[:40]!r}")
    return job


def _line(job: Job) -> bytes:
    return encoded(
        {
            "key": job.key,
            "state": job.state,
            "rows": job.rows,
            "written": job.written,
            "name": job.path.name if job.path else None,
            "sha256": job.sha256 or None,
            "why": job.why or None,
            "who": job.author.who or login_name(),
            "asked_at": job.author.at,
        }
    )
