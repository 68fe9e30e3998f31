"""Exports that somebody asked for on a page: one after the other, beside everything else."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn
from zoneinfo import ZoneInfo

from agent.audit import Author
from agent.ending import CommandError
from agent.export.error import ExportError
from agent.export.logged import digest_of
from agent.export.survey import survey
from agent.export.writing import Order, export
from agent.files import RecordError, is_plant, main_path
from agent.history import Filter, open_history

log = logging.getLogger(__name__)

JobState = Literal["waiting", "writing", "done", "failed", "cancelled"]

REMEMBERED = 200
"""Jobs; the files of those that are forgotten stay, and so does the audit log."""


class CancelledError(Exception):
    """Somebody does not want it any more."""


@dataclass(slots=True, kw_only=True)
class Job:
    """One export, from the wish to the file."""

    key: str
    wanted: Filter
    form: str
    units: bool
    curves: bool
    author: Author
    state: JobState = "waiting"
    rows: int | None = None
    """None until they are counted."""
    written: int = 0
    path: Path | None = None
    sha256: str = ""
    why: str = ""
    """Why it failed, for a person."""

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in ("done", "failed", "cancelled")

    def cancel(self) -> None:
        """Stop it; what is written of it goes away."""
        if not self.ended:
            self.state = "cancelled"


class ExportJobs:
    """Writes exports into folders of their own, beside the record.

    Args:
        url: Of the record.
        zone: That people's times are in.
        site: Where the presses are.
    """

    def __init__(self, url: str, zone: ZoneInfo, site: str) -> None:
        self._url = url
        self._zone = zone
        self._site = site
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._waiting: asyncio.Queue[Job] = asyncio.Queue()

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return (Path() if is_plant(self._url) else main_path(self._url).parent) / "exports"

    def get(self, key: str) -> Job | None:
        """The job of a key, while it is remembered."""
        return self._jobs.get(key)

    def ask(self, job: Job) -> None:
        """Put a job at the end of the queue; the same key again changes nothing."""
        if job.key in self._jobs:
            return
        self._jobs[job.key] = job
        self._waiting.put_nowait(job)
        while len(self._jobs) > REMEMBERED:
            self._jobs.popitem(last=False)

    def file(self, name: str, sha256: str) -> Path | None:
        """The file of an export that was made here, if it is still as it was written."""
        for path in sorted(self.folder.glob(f"*/{name}")) if "/" not in name else ():
            if digest_of(path) == sha256:
                return path
        return None

    async def work(self) -> NoReturn:
        """Write what is asked for, until cancelled."""
        while True:
            job = await self._waiting.get()
            if job.state != "waiting":
                continue
            job.state = "writing"
            try:
                await asyncio.to_thread(self._write, job)
            finally:
                job.cancel()  # what is cut off by the end of the agent stops at the next page

    def _write(self, job: Job) -> None:
        def progress(rows: int) -> None:
            job.written += rows
            if job.state == "cancelled":
                raise CancelledError

        order = Order(
            form=job.form, folder=self.folder / job.key, zone=self._zone, author=job.author,
            units=job.units, curves=job.curves, site=self._site,
        )  # fmt: skip
        try:
            with open_history(self._url) as opened, opened.held() as history:
                found = survey(history, job.wanted, job.author.at)
                job.rows = found.rows
                progress(0)
                job.path = export(history, self._url, found, order, progress)
            job.sha256 = digest_of(job.path)
            job.state = "done"
        except CancelledError:
            pass
        except (ExportError, RecordError, CommandError, OSError) as error:
            job.state, job.why = "failed", str(error)
        except Exception:  # one export that fails must end nothing else
            log.exception("the export %s of %s failed", job.key, job.author.who)
            job.state, job.why = "failed", "something went wrong in Sprue itself; its log has it"
