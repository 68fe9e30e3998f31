"""The rows of closings that nobody saw, on what made them, with bounds of how many there were."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from agent.counter import Judgement, Step
from agent.entry import Mount, Run
from agent.standing import Gap, Track

SPLIT = "split by the job"
"""Evidence of rows in a gap of which the machine itself says which came after a mold change."""

NO_NUMBER = -(2**40)
"""Added to the number of a closing it makes one of no other's: of a second doubt at one closing."""

SET_UP_MOST = 20
"""Closings without plastic with which a mold is set up, at most; own assumption."""


@dataclass(frozen=True, slots=True)
class Place:
    """What closings are booked on."""

    mount: Mount | None
    resin: str | None
    cavities: int | None

    def row(self, **fields: Any) -> Run:
        """A row of the ledger on it."""
        mount = self.mount
        return Run(
            mold=mount.mold if mount else None,
            revision=mount.revision if mount else None,
            resin=self.resin,
            cavities=self.cavities,
            **fields,
        )

    def is_of(self, run: Run) -> bool:
        """Whether a row is on it."""
        mount = self.mount
        mold, revision = (mount.mold, mount.revision) if mount else (None, None)
        return (run.mold, run.revision, run.resin, run.cavities) == (
            mold, revision, self.resin, self.cavities
        )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Rows:
    """Makes the rows of one judgement."""

    machine: str
    segment: int
    verdict: Judgement
    first: int
    """Number of the first closing that is new."""
    counter: int
    """The counter now."""
    width: int
    """What was taken from raw values before a wrap."""
    since: datetime
    until: datetime
    seen: int
    """1 if the last of the closings has its cycle."""
    shot: int
    """1 if that was a shot."""
    dry: bool
    """The last of the closings has no cycle, and was without plastic."""
    set_up: bool
    """No shot was seen since the mold came on, so that it may have been set up unseen."""
    same_job: bool
    """By its name the job is the one from before: a counter that fell did so without a mold."""
    job: int | None
    """Number of the last closing in its job."""
    job_before: int | None
    """The job's counter at the last closing before."""
    gaps: list[Gap] = field(default_factory=list)
    """Where late reports will find their place."""
    doubt: Run | None = None
    """The row that holds a doubt which the next closings may end."""

    def unseen(self, now: Place, before: Place | None) -> list[Run]:
        """The closings without a cycle, and the doubt about more or fewer.

        Args:
            now: What they are on.
            before: What the machine had on it before, if that has changed meanwhile.
        """
        verdict = self.verdict
        n, last = verdict.closings - self.seen, self.counter - self.seen
        fewer, more = verdict.closings - verdict.least, verdict.most - verdict.closings
        if n <= 0 and not more:
            return []
        shots = n if verdict.shots is None else max(0, min(n, verdict.shots - self.shot))
        if self.dry and verdict.shots is None and n > 0:
            shots = n - 1
            fewer = max(fewer, shots)  # those before it may have been, too
        runs = []
        evidence, first = verdict.evidence, self.first
        if n <= 0:
            first, last = self.counter, self.counter - 1  # no range, and a key of its own
        if before is not None:
            split = self._on_new(n)
            old = n if split is None else n - split
            old_shots = round(shots * old / n) if n else 0
            if self.dry and verdict.shots is None:
                old_shots = min(old, shots)  # that one is the new mold's
            word = "mold changed unseen" if split is None else SPLIT
            said = f"{evidence}; {word}" if evidence else word
            if old or more:
                bounds = 0, old_shots + more
                runs.append(self._row(before, first, first + old - 1, old, old_shots, bounds, said))
            # Setters set the job's counter back in the middle of a job, too: it says the least.
            first, n, shots, fewer, more = first + old, n - old, shots - old_shots, 0, old + more
            evidence = said
        if verdict.shots is None and (before is not None or self.set_up):
            fewer = max(fewer, min(shots, SET_UP_MOST))
        if n <= 0 and runs:
            first = self.counter + (NO_NUMBER if runs[0].kind == "hidden" else 0)
            last = first - 1
        if n > 0 or more:
            bounds = max(0, shots - fewer), shots + more
            runs.append(self._row(now, first, last, n, shots, bounds, evidence))
            if before is None and runs[-1].kind == "unobserved":
                self.gaps[-1] = replace(self.gaps[-1], doubt=shots - bounds[0], dry=n - shots)
        if before is None and runs and more and verdict.step is not Step.RISEN:
            self.doubt = runs[-1]  # whose they were would stay in doubt
        return runs

    def settled(self, track: Track | None) -> list[Run]:
        """The row that ends a doubt, now that the counter has gone on where it was."""
        doubt = track.doubt if track else None
        if doubt is None:
            return []
        return [
            replace(
                doubt,
                segment=self.segment,
                kind="settled",
                closings=0,
                shots=0,
                unobserved=0,
                shots_min=doubt.shots - doubt.shots_min,
                shots_max=doubt.shots - doubt.shots_max,
                until=self.until,
                reason=Step.RESUMED.value,
                evidence=f"segment {doubt.segment}: the counter went on where it was",
            )
        ]

    def _on_new(self, n: int) -> int | None:
        """How many of n unseen closings the new mold made; None where nothing says it."""
        verdict, job, before = self.verdict, self.job, self.job_before
        if self.same_job:
            return None
        if job is not None and (before is None or job < before + verdict.closings):
            return min(n, max(0, job - self.seen))
        if verdict.step is Step.RESET and verdict.alone:
            return min(n, max(0, self.counter - self.seen))
        return None

    def _row(
        self,
        place: Place,
        first: int,
        last: int,
        n: int,
        shots: int,
        bounds: tuple[int, int],
        evidence: str,
    ) -> Run:
        step = self.verdict.step
        kind = "unobserved" if n > 0 and last >= first else "hidden"
        if kind == "unobserved":
            self.gaps.append(Gap(self.segment, first, last, self.since, self.until, self.width))
        elif step is Step.DOUBLED:
            kind = "double_pulse"
        return place.row(
            machine=self.machine,
            segment=self.segment,
            kind=kind,
            first=first,
            last=last,
            closings=n,
            shots=shots,
            unobserved=n,
            shots_min=bounds[0],
            shots_max=bounds[1],
            since=self.since,
            until=self.until,
            reason="" if step is Step.RISEN else step.value,
            evidence=evidence,
        )
