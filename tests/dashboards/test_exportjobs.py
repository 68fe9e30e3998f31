"""An export that fails is told, and ends neither the next one nor the agent."""

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.audit import Author
from agent.history import Filter
from dashboards.exportjobs import ExportJobs, Job
from tests.dashboards.recorded import recorded
from tests.dashboards.story import AT

ADA = Author(who="Ada", at=AT, origin="page")


async def test_an_error_of_our_own_fails_one_job_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = ExportJobs(await recorded(tmp_path), ZoneInfo("UTC"), "Plant 2")

    def wrong(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    def job(key: str) -> Job:
        made = Job(
            key=key, wanted=Filter(machine="IMM-07"), form="csv", units=False, curves=False,
            author=ADA,
        )  # fmt: skip
        jobs.ask(made)
        return made

    async def ended(made: Job) -> Job:
        async with asyncio.timeout(60):
            while not made.ended:  # noqa: ASYNC110 - a thread writes it
                await asyncio.sleep(0.01)
        return made

    working = asyncio.create_task(jobs.work())
    try:
        monkeypatch.setattr("dashboards.exportjobs.survey", wrong)
        first = await ended(job("first"))
        monkeypatch.undo()
        second = await ended(job("second"))
    finally:
        working.cancel()
        await asyncio.wait([working])

    assert (first.state, "its log has it" in first.why) == ("failed", True)
    assert "ZeroDivisionError: a defect" in caplog.text
    assert (second.state, second.rows) == ("done", 140)
