"""The ledger: every closing on the segment that proves it and on the mold that made it.

A shot's identity is (machine, segment, counter), and everything here is idempotent on it. The
ledger of a machine is a list of runs: stretches of consecutive counters on one mold revision,
either seen (each with its cycle) or unobserved (the counter proves them, no cycle came). Life is
the sum of runs; a run is only ever extended, and what is wrong is corrected by one of its own.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import median

from agent.counter import Step, judge
from agent.cycle import Booked, Cycle
from agent.entry import Entry, Mount, Run, Segment
from agent.sighting import Sighting

__all__ = ["PACE_CYCLES", "Entry", "Ledger", "Mount", "Run", "Segment", "Standing"]

PACE_CYCLES = 20
"""How many of the last intervals say what is usual."""


@dataclass(slots=True, kw_only=True)
class Standing:
    """Where a machine's ledger stands; what the record gives back after a restart."""

    segment: Segment | None = None
    counter: int = 0
    """The last one booked in that segment."""
    at: datetime | None = None
    """When we learned of that one, by our clock."""
    mount: Mount | None = None
    run: Run | None = None
    """The run that the next seen closing may extend."""
    unobserved: list[tuple[int, int]] = field(default_factory=list)
    """Ranges of this segment that no cycle came for, less those that came late."""
    times: deque[tuple[int, datetime]] = field(default_factory=lambda: deque(maxlen=PACE_CYCLES))
    """Counter and end of the last cycles seen, by the clock that stamps the machine's cycles."""


class Ledger:
    """Books one machine's closings.

    Args:
        machine: Its name.
        standing: Where the record says it stands; a new `Standing()` for a new machine.
        revision_of: The present revision of a mold id.
        modulus: What the counter counts modulo, where the driver knows.
    """

    def __init__(
        self,
        machine: str,
        standing: Standing,
        revision_of: Callable[[str], str],
        modulus: int | None = None,
    ) -> None:
        self.machine = machine
        self.standing = standing
        self.modulus = modulus
        self._revision_of = revision_of

    @property
    def interval_s(self) -> float | None:
        """Usual time from one end of cycle to the next, s; None before the third.

        Measured, not the machine's own cycle time: a simulator may run faster than its process.
        """
        steps = [
            (later - earlier).total_seconds()
            for (n, earlier), (m, later) in zip(
                self.standing.times, list(self.standing.times)[1:], strict=False
            )
            if m == n + 1
        ]
        return median(steps) if len(steps) > 1 else None

    def take(self, item: Cycle | Sighting) -> Entry:
        """Book one cycle, or what a bare counter proves."""
        if isinstance(item, Sighting):
            return self._sight(item)
        return self._cycle(item)

    def _cycle(self, cycle: Cycle) -> Entry:
        standing, at = self.standing, cycle.received_at
        segments: list[Segment] = []
        if standing.segment is None:
            if not cycle.fresh:  # made before we ever looked: not ours to count
                return self._begin(cycle.counter, at, cycle.mold, "before_first_seen")
            self._open(cycle.counter - 1, at, "first_seen")
            segments.append(self._segment())
        elif self._known(cycle):
            return self._late(cycle)
        else:
            segments += self._advance(cycle.counter, at, stuck=self._stuck(cycle))
        mounts = self._mount(cycle.mold, at)
        if cycle.counter == standing.counter and not cycle.announced:
            # The counter fell to here; what the machine shows is an older cycle's values.
            standing.at = at
            return Entry(segments=segments, mounts=mounts, refused="not_new")
        runs = self._gap(cycle.counter - 1, at, mounts, _job_counter(cycle))
        runs.append(self._seen(cycle))
        standing.counter, standing.at = cycle.counter, at
        if cycle.fresh:
            standing.times.append((cycle.counter, cycle.time))
        return Entry(booked=self._booked(cycle), segments=segments, runs=runs, mounts=mounts)

    def _sight(self, sighting: Sighting) -> Entry:
        standing = self.standing
        if standing.segment is None:
            return self._begin(sighting.counter, sighting.at, sighting.mold, None)
        segments = []
        if sighting.counter != standing.counter:
            segments = self._advance(sighting.counter, sighting.at, stuck=False)
        mounts = self._mount(sighting.mold, sighting.at)
        after = sighting.job_counter + 1 if sighting.job_counter is not None else None
        runs = self._gap(sighting.counter, sighting.at, mounts, after)
        standing.counter = sighting.counter
        if runs or segments:
            standing.at = sighting.at
        return Entry(segments=segments, runs=runs, mounts=mounts)

    def _begin(self, counter: int, at: datetime, mold: str | None, refused: str | None) -> Entry:
        """The first word of a machine: what its counter says already is not ours."""
        self._open(counter, at, "first_seen")
        self.standing.counter, self.standing.at = counter, at
        return Entry(segments=[self._segment()], mounts=self._mount(mold, at), refused=refused)

    def _segment(self) -> Segment:
        assert self.standing.segment is not None
        return self.standing.segment

    def _open(self, first: int, at: datetime, reason: str) -> None:
        standing = self.standing
        number = standing.segment.number + 1 if standing.segment else 1
        standing.segment = Segment(
            machine=self.machine, number=number, first=first, opened_at=at, reason=reason
        )
        standing.counter = first
        standing.run = None
        standing.unobserved = []

    def _known(self, cycle: Cycle) -> bool:
        """Whether a counter was booked already in this segment, so that nothing new happened."""
        standing = self.standing
        if cycle.counter == standing.counter:
            return not self._stuck(cycle)
        within = self._segment().first < cycle.counter < standing.counter
        return within and not self._later(cycle)

    def _later(self, cycle: Cycle) -> bool:
        """Whether it ended after the last one seen, so that its low counter is a fall.

        One that follows the last cycle seen, but not the last counter, is only late.
        """
        times = self.standing.times
        if not times or times[-1][0] < cycle.counter:
            return False
        return cycle.time > times[-1][1]

    def _stuck(self, cycle: Cycle) -> bool:
        """The same counter announced over half a cycle later: a new shot, a stuck counter."""
        standing, interval = self.standing, self.interval_s
        return (
            cycle.announced
            and cycle.counter == standing.counter
            and interval is not None
            and (cycle.time - standing.times[-1][1]).total_seconds() > interval / 2
            and self._unobserved_range(cycle.counter) is None
        )

    def _late(self, cycle: Cycle) -> Entry:
        """A cycle whose counter was booked: one that came late, or a duplicate."""
        found = self._unobserved_range(cycle.counter)
        if found is None:
            return Entry(refused="duplicate" if cycle.fresh else "not_new")
        standing = self.standing
        standing.unobserved.remove(found)
        standing.unobserved += [
            piece
            for piece in ((found[0], cycle.counter - 1), (cycle.counter + 1, found[1]))
            if piece[0] <= piece[1]
        ]
        if not standing.times or standing.times[-1][0] < cycle.counter:
            standing.times.append((cycle.counter, cycle.time))
        booked = self._booked(cycle)
        dry = cycle.closing == "dry"
        correction = Run(
            machine=self.machine,
            segment=self._segment().number,
            kind="seen_late",
            first=cycle.counter,
            last=cycle.counter,
            mold=booked.mold,
            revision=booked.revision,
            closings=0,
            shots=-1 if dry else 0,
            unobserved=-1,
            shots_min=-1 if dry else 0,
            shots_max=-1 if dry else 0,
            since=cycle.time,
            until=cycle.time,
        )
        return Entry(booked=booked, runs=[correction])

    def _unobserved_range(self, counter: int) -> tuple[int, int] | None:
        return next((r for r in self.standing.unobserved if r[0] <= counter <= r[1]), None)

    def _advance(self, counter: int, at: datetime, *, stuck: bool) -> list[Segment]:
        """Open a new segment where the counter did not simply rise."""
        standing = self.standing
        if stuck:
            self._open(counter - 1, at, "stuck")
            return [self._segment()]
        verdict = judge(
            standing.counter,
            counter,
            elapsed_s=(at - standing.at).total_seconds() if standing.at else 0.0,
            interval_s=self.interval_s,
            modulus=self.modulus,
        )
        match verdict.step:
            case Step.RISEN | Step.SAME:
                return []
            case Step.ROLLED_BACK:
                # What it repeats can't be told; only the closing that showed it is new.
                self._open(counter, at, "rolled_back")
            case Step.RESET | Step.WRAPPED:
                # In a wrap the closings up to the width belong to the new segment's count as well.
                self._open(counter - verdict.closings, at, verdict.step.value)
        return [self._segment()]

    def _gap(
        self, upto: int, at: datetime, mounts: Sequence[Mount], job_counter: int | None
    ) -> list[Run]:
        """Unobserved closings from the last one booked to `upto`, on the mold that made them."""
        standing = self.standing
        first, n = standing.counter + 1, upto - standing.counter
        if n <= 0:
            return []
        since = standing.at or at
        new = standing.mount
        old = self._replaced if mounts else new
        on_new = n
        evidence = "counter"
        if mounts and old is not None:
            # The mold changed while nobody looked: the job's own counter says since when.
            on_new = min(n, max(0, job_counter - 1)) if job_counter is not None else 0
            evidence = "job counter" if job_counter is not None else "mold changed unseen"
        standing.run = None
        standing.unobserved.append((first, upto))
        pieces = [(old, first, upto - on_new), (new, upto - on_new + 1, upto)]
        return [
            Run(
                machine=self.machine,
                segment=self._segment().number,
                kind="unobserved",
                first=low,
                last=high,
                mold=mount.mold if mount else None,
                revision=mount.revision if mount else None,
                closings=high - low + 1,
                shots=high - low + 1,
                unobserved=high - low + 1,
                shots_min=high - low + 1,
                shots_max=high - low + 1,
                since=since,
                until=at,
                evidence=evidence,
            )
            for mount, low, high in pieces
            if low <= high
        ]

    def _seen(self, cycle: Cycle) -> Run:
        standing, mount = self.standing, self.standing.mount
        mold = mount.mold if mount else None
        revision = mount.revision if mount else None
        shots = 1 if cycle.closing == "shot" else 0
        run = standing.run
        if run and (run.last, run.mold, run.revision) == (cycle.counter - 1, mold, revision):
            run = replace(
                run,
                last=cycle.counter,
                closings=run.closings + 1,
                shots=run.shots + shots,
                shots_min=run.shots_min + shots,
                shots_max=run.shots_max + shots,
                until=cycle.time,
            )
        else:
            run = Run(
                machine=self.machine,
                segment=self._segment().number,
                kind="seen",
                first=cycle.counter,
                last=cycle.counter,
                mold=mold,
                revision=revision,
                closings=1,
                shots=shots,
                unobserved=0,
                shots_min=shots,
                shots_max=shots,
                since=cycle.time,
                until=cycle.time,
            )
        standing.run = run
        return run

    def _mount(self, mold: str | None, at: datetime) -> list[Mount]:
        """A new mount where the machine names another mold than the one we have."""
        standing = self.standing
        if mold is None:
            return []
        revision = self._revision_of(mold)
        held = standing.mount
        if held and (held.mold, held.revision) == (mold, revision):
            return []
        self._replaced = held
        standing.mount = Mount(
            machine=self.machine, mold=mold, revision=revision, since=at, source="machine"
        )
        return [standing.mount]

    _replaced: Mount | None = None

    def _booked(self, cycle: Cycle) -> Booked:
        mount = self.standing.mount
        return Booked(
            cycle=cycle,
            segment=self._segment().number,
            mold=mount.mold if mount else None,
            revision=mount.revision if mount else None,
        )


def _job_counter(cycle: Cycle) -> int | None:
    """Number of this cycle in its job, where the machine says it."""
    value = cycle.values.get("job_counter")
    return int(value) if isinstance(value, int | float) else None
