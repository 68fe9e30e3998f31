"""The ledger: every closing on the segment that proves it and on the mold that made it.

A shot's identity is (machine, segment, counter), the clock has a say, and everything here is
idempotent on the two. The ledger of a machine is a list of runs: stretches of consecutive counters
on one mold revision, either seen (each with its cycle) or unobserved (the counter proves them, no
cycle came). Life is the sum of runs; a run is only ever extended, and what is wrong is corrected by
one of its own. Which rule books what is in docs/reference/ledger.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from agent.counter import Judgement, Step, certain
from agent.cycle import Booked, Cycle
from agent.entry import Entry, Finding, Mount, Run, Segment
from agent.judging import POWER_OFF_S, Look, judged, proves, shown
from agent.learning import learn
from agent.ledgerrows import Place, Rows
from agent.novelty import (
    BOUNCE,
    BOUNCE_SURELY,
    LATE,
    Known,
    Pulse,
    ended_at,
    known,
    pulse,
)
from agent.pace import PACE_CYCLES
from agent.seating import Seating
from agent.segments import follow, opened
from agent.sighting import Sighting
from agent.standing import Gap, Standing
from agent.witness import CYCLES

__all__ = ["PACE_CYCLES", "Entry", "Ledger", "Mount", "Run", "Segment", "Standing"]

SET_UP_LEAST_S = 300.0
"""Nobody sets a mold up for another job in less; own assumption."""

ONE = certain(Step.RISEN, 1)

ORDINARY_MOST = 100
"""Cycles of time within which a counter that rose by one did not go round, whatever its width."""


class Ledger:
    """Books one machine's closings.

    Args:
        machine: Its name.
        standing: Where the record says it stands; a new `Standing()` for a new machine.
        revision_of: The present revision of a mold id.
        modulus: What the counter counts modulo, where the driver knows.
        cavities_of: Open cavities of a mold revision, where nobody else says them.
    """

    def __init__(
        self,
        machine: str,
        standing: Standing,
        revision_of: Callable[[str], str],
        modulus: int | None = None,
        cavities_of: Callable[[str, str], int | None] = lambda _mold, _revision: None,
    ) -> None:
        self.machine = machine
        self.standing = standing
        self.modulus = modulus
        self._seating = Seating(machine, revision_of, cavities_of)

    @property
    def interval_s(self) -> float | None:
        """Usual time from one end of cycle to the next, s; None before the second."""
        return self.standing.pace.usual_s

    def take(self, item: Cycle | Sighting) -> Entry:
        """Book one cycle, or what a bare counter proves."""
        confirmed = self._seating.confirmed(self.standing, item)
        entry = self._sight(item) if isinstance(item, Sighting) else self._cycle(item)
        if confirmed is not None and item.mold == self.standing.said:
            object.__setattr__(entry, "mounts", [*entry.mounts, confirmed])
        # Made just now, and in nobody's hands yet: a copy with one field more would cost as much
        # as all the rest of an ordinary shot.
        object.__setattr__(entry, "standing", self.standing.copy())
        return entry

    def seat(self, mount: Mount | None) -> None:
        """Take a person's word on what sits on the machine, from the next closing on.

        What was booked since the time that the word is about is attributed anew in the record.
        """
        standing, pace = self.standing, self.standing.pace.copy()
        nothing_before = standing.mount is None
        self._seating.sit(standing, mount)
        if mount is not None and standing.ended is not None and mount.since < standing.ended:
            standing.bare = False  # it made what was seen since
            if mount.since <= standing.ended - timedelta(seconds=sum(pace.steps_s)):
                standing.pace = pace
            elif nothing_before:
                standing.pace.restart()
        self._seating.set_place(standing, None, None)

    # One cycle, or one sighting

    def _cycle(self, cycle: Cycle) -> Entry:
        standing, at = self.standing, cycle.received_at
        when = ended_at(standing, cycle)
        if standing.segment is None:
            if not cycle.fresh:  # made before we ever looked: not ours to count
                return self._begin(cycle, at, "before_first_seen")
            return self._first(cycle, at, when)
        if (old := known(standing, cycle, when)) is not None:
            return self._known(cycle, old, when)
        when = ended_at(standing, cycle)
        if self._is_ordinary(cycle, when):
            return self._ordinary(cycle, when)
        changes = (
            self._seating.begins(standing, cycle.mold) is not None and standing.mount is not None
        )
        look = Look(item=cycle, when=when, at=at, sure=proves(standing, cycle), changes=changes)
        pulses = standing.pulses if changes or standing.pace.usual_s is None else ()
        entry = self._judge(look, cycle)
        return self._doubting(entry, pulses, cycle.counter, when) if pulses else entry

    def _judge(self, look: Look, cycle: Cycle) -> Entry:
        """Book a cycle that is new by the counters, the clock and one another."""
        standing = self.standing
        verdict = judged(standing, look, self.modulus)
        if verdict.step is Step.TORN:
            counter = standing.counter + verdict.closings
            cycle = replace(cycle, counter=counter, flags=(*cycle.flags, "torn_word"))
            look = replace(look, item=cycle)
        plain = verdict.closings == 1 and verdict.step in (Step.RISEN, Step.WRAPPED)
        if plain and not look.changes:
            return self._pulse(look, verdict, cycle)
        return self._book(look, verdict)

    def _doubting(
        self, entry: Entry, pulses: Sequence[tuple[datetime, int]], counter: int, when: datetime
    ) -> Entry:
        """Say that steps that came too soon for one mold may have been closings of the next."""
        evidence = "they came too soon for the mold before"
        row = self._pulse_row("double_pulse", counter, 0, (0, len(pulses)), when, evidence)
        return replace(entry, runs=[*entry.runs, row])

    def _is_ordinary(self, cycle: Cycle, when: datetime) -> bool:
        """Whether no rule has anything to say: the counter rose by one in the time of a cycle or
        a little more, on the same mold and job, and no other counter rose by more."""
        standing = self.standing
        fastest_s, usual_s = standing.pace.fastest_s, standing.pace.usual_s
        if fastest_s is None or usual_s is None or standing.ended is None:
            return False
        if cycle.counter != standing.counter + 1 or cycle.stood or not cycle.fresh:
            return False
        if (
            standing.pulses
            or standing.track is not None
            or self._seating.begins(standing, cycle.mold) is not None
        ):
            return False
        if cycle.job != standing.job and cycle.job is not None and standing.job is not None:
            return False
        if self.modulus is not None and self.modulus < 2 * ORDINARY_MOST:
            return False
        step_s = (when - standing.ended).total_seconds()
        if not BOUNCE * usual_s <= step_s < ORDINARY_MOST * fastest_s:
            return False
        if standing.rolls and step_s - usual_s >= POWER_OFF_S:
            return False
        others, before = cycle.counters, standing.others
        return all(others[n] - before.get(n, others[n]) <= 1 for n in CYCLES if n in others)

    def _ordinary(self, cycle: Cycle, when: datetime) -> Entry:
        """Book an ordinary shot: what `_book` does with it, without asking every rule."""
        standing = self.standing
        self._seating.take(standing, cycle, cycle.received_at)
        run = self._seen(cycle, ONE, when)
        learn(standing, cycle, ONE, when, changed=False)
        self._kept(cycle)
        self._stand(cycle, cycle.received_at, when, started=cycle.closing == "shot")
        return Entry(booked=self._booked(cycle), segments=[], runs=[run], mounts=[], findings=[])

    def _sight(self, sighting: Sighting) -> Entry:
        standing, at = self.standing, sighting.at
        if standing.segment is None:
            return self._begin(sighting, at, None)
        changes = (
            self._seating.begins(standing, sighting.mold) is not None and standing.mount is not None
        )
        look = Look(item=sighting, when=at, at=at, sure=False, changes=changes)
        verdict = judged(standing, look, self.modulus)
        if verdict.step is Step.TORN:
            sighting = replace(sighting, counter=standing.counter + verdict.closings)
            look = replace(look, item=sighting)
        return self._book(look, verdict)

    def _begin(self, item: Cycle | Sighting, at: datetime, refused: str | None) -> Entry:
        """The first word of a machine: what its counter says already is not ours."""
        standing = self.standing
        segment = opened(self.machine, standing, item.counter, at, "first_seen")
        mounts = self._seating.take(standing, item, at)
        self._stand(item, at, at, started=False)
        if isinstance(item, Cycle):
            standing.shown = shown(item)
        return Entry(segments=[segment], mounts=mounts, refused=refused)

    def _first(self, cycle: Cycle, at: datetime, when: datetime) -> Entry:
        """The first word of a machine is a cycle that we saw end."""
        standing = self.standing
        segment = opened(self.machine, standing, cycle.counter - 1, at, "first_seen")
        mounts = self._seating.take(standing, cycle, at)
        run = self._seen(cycle, certain(Step.RISEN, 1), when)
        self._kept(cycle)
        self._stand(cycle, at, when, started=cycle.closing == "shot")
        return Entry(booked=self._booked(cycle), segments=[segment], runs=[run], mounts=mounts)

    def _book(self, look: Look, verdict: Judgement) -> Entry:
        """Book what a judgement proves: the closings nobody saw, and the item's own."""
        standing, item, when = self.standing, look.item, look.when
        cycle = item if isinstance(item, Cycle) else None
        before, since = self._place, standing.ended or when
        last, others, job = standing.counter, standing.others, standing.job
        new_job = item.job if job is not None and item.job != job else None
        idle_s = (when - since).total_seconds() - verdict.closings * (standing.pace.usual_s or 0.0)
        set_up = standing.bare or (new_job is not None and idle_s >= SET_UP_LEAST_S)
        segments, resumed = follow(self.machine, standing, verdict, item.counter, look.at)
        mounts = self._seating.take(standing, item, look.at)
        rows = Rows(
            machine=self.machine,
            segment=self._number,
            verdict=verdict,
            first=standing.counter + 1,
            counter=item.counter,
            width=last + verdict.closings - item.counter if verdict.step is Step.WRAPPED else 0,
            since=since,
            until=when,
            seen=0 if cycle is None else min(1, verdict.closings),
            shot=0 if cycle is None or cycle.closing == "dry" else min(1, verdict.closings),
            dry=cycle is None and item.closing == "dry",
            set_up=set_up,
            same_job=job is not None and item.job == job,
            job=item.counters.get("job_counter"),
            job_before=others.get("job_counter"),
        )
        changed = bool(mounts) and before.mount is not None
        runs = [*rows.settled(resumed), *rows.unseen(self._place, before if changed else None)]
        # A counter that was only seen may have moved a little before.
        early = timedelta() if standing.started else LATE
        standing.gaps += (replace(gap, since=gap.since - early) for gap in rows.gaps)
        if rows.doubt is not None and standing.track is not None and not standing.track.stood:
            standing.track = replace(standing.track, doubt=rows.doubt)
        if any(run.kind == "unobserved" for run in runs):
            standing.run = None
        findings = []
        if not _plain(verdict):
            found = _finding(verdict, last, item, others, since, when)
            findings.append(replace(found, new_job=new_job))
        refused, booked = None, None
        if cycle is None:
            if runs or segments or item.counter != last:
                self._stand(item, look.at, when, started=False)
        elif not rows.seen:
            # The counter fell to here; what the machine shows is an older cycle's values.
            self._stand(item, look.at, look.at, started=False)
            refused = "not_new"
        else:
            runs.append(self._seen(cycle, verdict, when))
            learn(standing, cycle, verdict, when, changed=bool(mounts))
            self._kept(cycle)
            self._stand(cycle, look.at, when, started=cycle.fresh and cycle.closing == "shot")
            booked = self._booked(cycle)
        return Entry(
            booked=booked,
            segments=segments,
            runs=runs,
            mounts=mounts,
            refused=refused,
            findings=findings,
        )

    # Cycles that are no new closing

    def _known(self, cycle: Cycle, old: Known, when: datetime) -> Entry:
        """A cycle that is booked already, or came late: it was booked as unobserved."""
        standing, gap = self.standing, old.gap
        if gap is None:
            return Entry(refused=old.refused)
        number = gap.number(cycle.counter)
        shots, proved = self._close(gap, number, dry=cycle.closing == "dry")
        if cycle.fresh:
            standing.times.append((cycle.counter, cycle.time))
        row = self._place.row(
            machine=self.machine,
            segment=gap.segment,
            kind="seen_late",
            first=number,
            last=number,
            closings=0,
            shots=shots,
            unobserved=-1,
            shots_min=shots + proved,
            shots_max=shots,
            since=when,
            until=when,
        )
        # From before a wrap: its raw value is one of the segment that the wrap ended.
        segment = gap.segment if number == cycle.counter else gap.segment - 1
        return Entry(booked=replace(self._booked(cycle), segment=segment), runs=[row])

    def _close(self, gap: Gap, number: int, *, dry: bool) -> tuple[int, int]:
        """Take a closing out of a gap, now that its cycle has come.

        Returns:
            By how much the row's shots were wrong: a dry closing of a row that has none left is a
            shot less, and a shot of one that has nothing else left a shot more. Then how many it
            proves of those that may have been none.
        """
        standing = self.standing
        of_row = [each for each in standing.gaps if each.is_beside(gap)]
        left = sum(each.last - each.first + 1 for each in of_row) - 1
        dry_left = min(max(0, gap.dry - dry), left)
        shots = gap.dry - dry_left - dry
        doubt = min(gap.doubt, left - dry_left)
        parts = [
            replace(gap, first=low, last=high)
            for low, high in ((gap.first, number - 1), (number + 1, gap.last))
            if low <= high
        ]
        rest = [each for each in of_row if each != gap]
        standing.gaps = [each for each in standing.gaps if not each.is_beside(gap)]
        standing.gaps += [replace(each, doubt=doubt, dry=dry_left) for each in (*rest, *parts)]
        return shots, gap.doubt - doubt

    def _pulse(self, look: Look, verdict: Judgement, cycle: Cycle) -> Entry:
        """Book a step of the counter by one, unless it came sooner than a mold can close."""
        standing, when = self.standing, look.when
        kind = pulse(standing, cycle, when)
        if kind is Pulse.CLOSING:
            return self._book(look, verdict)
        last, others, since = standing.counter, standing.others, standing.ended or when
        usual_s, step_s = self.interval_s or 0.0, (when - since).total_seconds()
        evidence = f"{step_s:.1f} s after the last one; a cycle takes {usual_s:.1f} s"
        if kind is Pulse.PACE:
            return self._new_pace(look, verdict, evidence)
        doubted = kind is Pulse.DOUBTED
        most = 0 if doubted else int(step_s >= BOUNCE_SURELY * usual_s)
        if doubted:
            entry = self._book(look, verdict)
        else:
            segments = []
            if verdict.step is Step.WRAPPED:
                segments.append(
                    opened(self.machine, standing, cycle.counter - 1, look.at, Step.WRAPPED.value)
                )
            standing.pulses = (*standing.pulses, (when, most))
            standing.counter = cycle.counter
            standing.others = {**others, **cycle.counters}
            standing.run = None
            entry = Entry(segments=segments, refused="double_pulse")
        row = self._pulse_row(
            "double_pulse", cycle.counter, 0, (-int(doubted), most), when, evidence
        )
        found = Judgement(
            step=Step.DOUBLED,
            closings=int(doubted),
            least=0,
            most=max(most, int(doubted)),
            evidence=evidence,
        )
        finding = _finding(found, last, cycle, others, since, when)
        return replace(entry, runs=[*entry.runs, row], findings=[finding])

    def _new_pace(self, look: Look, verdict: Judgement, evidence: str) -> Entry:
        """Book what was taken for double pulses: it comes too evenly, and is another pace."""
        standing, n = self.standing, len(self.standing.pulses)
        doubts = sum(most for _when, most in standing.pulses)
        standing.pace.restart()
        standing.ended, standing.started = standing.pulses[-1][0], True
        entry = self._book(look, verdict)
        first = look.item.counter - n
        row = self._pulse_row("hidden", first, n, (n, n - doubts), look.when, evidence)
        return replace(entry, runs=[*entry.runs, row])

    def _pulse_row(
        self,
        kind: str,
        first: int,
        n: int,
        bounds: tuple[int, int],
        when: datetime,
        evidence: str,
    ) -> Run:
        return self._place.row(
            machine=self.machine,
            segment=self._number,
            kind=kind,
            first=first,
            last=first + max(0, n - 1),
            closings=n,
            shots=n,
            unobserved=n,
            shots_min=bounds[0],
            shots_max=bounds[1],
            since=when,
            until=when,
            reason=Step.DOUBLED.value,
            evidence=evidence,
        )

    # Where it stands

    def _stand(
        self, item: Cycle | Sighting, at: datetime, when: datetime, *, started: bool
    ) -> None:
        """Note where the ledger stands after an item."""
        standing = self.standing
        standing.counter, standing.at, standing.started = item.counter, at, started
        standing.ended = when
        standing.early_s = 0.0
        if isinstance(item, Cycle) and not item.announced:
            standing.early_s = item.time_uncertainty_s
        if item.counters:
            standing.others = {**standing.others, **item.counters}
        if item.job is not None:
            standing.bare = standing.bare or standing.job not in (None, item.job)
            standing.job = item.job
        if isinstance(item, Cycle) and item.closing == "shot":
            standing.bare = False

    def _kept(self, cycle: Cycle) -> None:
        """Remember a cycle, to know it again."""
        if cycle.fresh:
            self.standing.times.append((cycle.counter, cycle.time))
        self.standing.shown = shown(cycle)
        self.standing.stale = None

    def _seen(self, cycle: Cycle, verdict: Judgement, when: datetime) -> Run:
        """The run that a cycle is in: the one before, grown by one, or a new one.

        Its times are by our clock, and all of its cycles are stamped by one that is as far off.
        """
        standing, place = self.standing, self._place
        off_s = (when - cycle.time).total_seconds()
        shots = 0 if cycle.closing == "dry" else 1
        run = standing.run
        follows = run is not None and run.last == cycle.counter - 1 and place.is_of(run)
        if run is not None and follows and off_s == standing.run_off_s:
            run = run.grown(cycle.counter, shots, when)
        else:
            rose = verdict.step is Step.RISEN
            run = place.row(
                machine=self.machine,
                segment=self._number,
                kind="seen",
                first=cycle.counter,
                last=cycle.counter,
                closings=1,
                shots=shots,
                unobserved=0,
                shots_min=shots,
                shots_max=shots,
                since=when,
                until=when,
                reason="" if rose else verdict.step.value,
                evidence="" if rose else verdict.evidence,
            )
        standing.run, standing.run_off_s = run, off_s
        return run

    @property
    def _place(self) -> Place:
        standing = self.standing
        return Place(standing.mount, standing.resin, standing.cavities)

    @property
    def _number(self) -> int:
        assert self.standing.segment is not None
        return self.standing.segment.number

    def _booked(self, cycle: Cycle) -> Booked:
        mount = self.standing.mount
        return Booked(
            cycle=cycle,
            segment=self._number,
            mold=mount.mold if mount else None,
            revision=mount.revision if mount else None,
        )


def _plain(verdict: Judgement) -> bool:
    """Whether there is nothing to tell: the counter stood, or rose by one."""
    return verdict.step in (Step.RISEN, Step.SAME) and verdict.most <= 1


def _finding(
    verdict: Judgement,
    last: int,
    item: Cycle | Sighting,
    others: Mapping[str, int],
    since: datetime,
    until: datetime,
) -> Finding:
    rose = verdict.step in (Step.RISEN, Step.SAME)
    return Finding(
        what="unobserved" if rose else verdict.step.value,
        before=last,
        after=item.counter,
        closings=verdict.closings,
        least=verdict.least,
        most=verdict.most,
        evidence=verdict.evidence,
        numbers={name: now - others[name] for name, now in item.counters.items() if name in others},
        since=since,
        until=until,
    )
