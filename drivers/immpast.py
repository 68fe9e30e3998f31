"""A gap in a machine's cycles, filled from what its server has kept (HistoryRead).

Only where the machine says that it keeps events, only from the last cycle that we know of, and in
the machine's own order; each is marked as filled in. What the past does not tell (temperatures,
curves) stays out.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from asyncua import ua

from drivers.cycleevent import CycleData
from drivers.immwatch import Watch
from drivers.memory import Memory
from drivers.observations import Notice, Observation, Report
from drivers.pastevents import PastEvents, Wanted
from drivers.session import Session
from drivers.shots import Shots
from drivers.timeline import Timeline

log = logging.getLogger(__name__)

BUDGET_S = 3.0
"""How long the past may hold up the present; what was not read by then comes late."""
AHEAD = timedelta(days=1)
"""How far the machine's clock may be ahead of ours."""
FROM_LOG = ("mode", "production_status")
"""States whose changes are in the logbook's past."""


class Past:
    """Reads what happened since the last cycle that we know of.

    Args:
        session: The connection.
        watch: Knows the machine's events; hears the new ones already.
        shots: Makes reports of them.
        memory: Where the gap begins.
    """

    def __init__(self, session: Session, watch: Watch, shots: Shots, memory: Memory) -> None:
        self._session = session
        self._watch = watch
        self._shots = shots
        self._memory = memory
        self._since = datetime.min.replace(tzinfo=UTC)
        self._job: str | None = None
        self._mold: str | None = None
        self._timeline = Timeline()
        self._pages: PastEvents | None = None

    @property
    def goes_on(self) -> bool:
        """Whether there are cycles left to read."""
        return self._pages is not None and not self._pages.is_done

    async def begin(self, *, job: str | None, mold: str | None) -> list[Observation]:
        """Notices and reports of the gap, in order; none where there is nothing to fill from.

        Args:
            job: As the machine shows it now.
            mold: As the machine shows it now.

        Raises:
            UnreachableError: the link dropped.
        """
        since = self._memory.since
        if since is None or not self._watch.keeps_past:
            return []
        self._since, self._job, self._mold = since, job, mold
        deadline = asyncio.get_running_loop().time() + BUDGET_S
        notices: list[Notice] = []
        logbook, log_filter = self._watch.logbook, self._watch.log_filter
        if logbook is not None and log_filter is not None:
            pages, received_at = self._past(log_filter), datetime.now(UTC)
            for values in await self._read(pages, deadline):
                entry = logbook.read(values, received_at)
                if entry is not None and entry.notice.at > since and self._watch.remember(entry):
                    notices.append(replace(entry.notice, backfilled=True))
        self._timeline = self._states(notices, since)
        cycle_filter = self._watch.cycle_filter
        if not self._watch.keeps_past or cycle_filter is None:
            return [*notices]
        self._pages = self._past(cycle_filter)
        reports = self._reports(await self._read(self._pages, deadline))
        self._memory.behind = since if self.goes_on else None
        if reports:
            log.info("%s: %d cycles filled in from its past", self._session.machine, len(reports))
        both: list[Report | Notice] = [*notices, *reports]
        both.sort(key=lambda each: each.at if isinstance(each, Notice) else each.ended_at)
        return [*both]

    async def more(self) -> list[Report]:
        """The next page of a past that was too long to begin with; they come late.

        Raises:
            UnreachableError: the link dropped.
        """
        if self._pages is None:
            return []
        reports = self._reports(await self._pages.page())
        self._memory.behind = self._since if self.goes_on else None
        return reports

    def _past(self, event_filter: ua.EventFilter) -> PastEvents:
        wanted = Wanted(
            source=self._watch.source,
            event_filter=event_filter,
            since=self._since,
            until=datetime.now(UTC) + AHEAD,
        )
        return PastEvents(self._session, wanted)

    async def _read(self, pages: PastEvents, deadline: float) -> list[list[ua.Variant]]:
        """All past events, as far as the time lasts."""
        found: list[list[ua.Variant]] = []
        while not pages.is_done and asyncio.get_running_loop().time() < deadline:
            found += await pages.page()
        if pages.is_refused:
            self._watch.keeps_past = False  # not asked again in this connection
        return found

    def _reports(self, rows: Sequence[list[ua.Variant]]) -> list[Report]:
        """Reports of past cycles, in the order of their times."""
        received_at = datetime.now(UTC)
        found = [
            data
            for values in rows
            if (data := self._watch.events.read(values)) is not None
            and data.time is not None
            and data.time > self._since
        ]
        found.sort(key=lambda data: data.time or self._since)
        molds = self._molds(found, self._job, self._mold)
        return [
            report
            for data, mold in zip(found, molds, strict=True)
            if (report := self._report(data, mold, self._timeline, received_at)) is not None
        ]

    def _states(self, notices: Sequence[Notice], since: datetime) -> Timeline:
        """Mode and production status through the gap."""
        timeline = Timeline()
        for state in FROM_LOG:
            if (before := self._memory.states.get(state)) is not None:
                timeline.set(state, before, since)
        for notice in notices:
            if notice.name in FROM_LOG and notice.new is not None:
                timeline.set(notice.name, notice.new, notice.at)
        return timeline

    def _report(
        self,
        data: CycleData,
        mold: str | None,
        timeline: Timeline,
        received_at: datetime,
    ) -> Report | None:
        """The report of one past cycle; None where it is known, or its number can't be told."""
        if self._shots.needs_counters(data) or not self._watch.remember(data):
            return None  # the counters that could number it are of now; or it came already
        states = {
            state: str(value)
            for state in FROM_LOG
            if (value := timeline.at(state, data.time)) is not None
        }
        if mold is not None:
            states["mold"] = mold
        report = self._shots.report(data, received_at, states=states)
        if report is None or self._memory.knows(report):
            return None
        return replace(report, backfilled=True)

    def _molds(
        self, found: Sequence[CycleData], job: str | None, mold: str | None
    ) -> list[str | None]:
        """The mold of each cycle: told by its job, or by the job's counter that began anew.

        None where neither tells on which side of the mold change a cycle was.
        """
        before, before_job = self._memory.states.get("mold"), self._memory.states.get("job") or None
        if before is None or before == mold:
            return [mold] * len(found)
        counts = [data.counts.get("JobCycleCounter") for data in found]
        pairs = pairwise(counts)
        falls = [
            at for at, (one, two) in enumerate(pairs, 1) if one is not None and two and two < one
        ]
        jobs = {before_job: before, job: mold} if None not in (before_job, job) else {}
        molds: list[str | None] = []
        for at, data in enumerate(found):
            said = data.words.get("JobName")
            if before_job != job and said in jobs:
                molds.append(jobs[said])
            elif not jobs and falls and not self.goes_on and (at < falls[0] or at >= falls[-1]):
                molds.append(before if at < falls[0] else mold)
            else:
                molds.append(None)
        return molds
