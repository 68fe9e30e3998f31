"""What a person should know of the counting, in words with numbers: the `shot_count` anomalies.

Told once each and not again and again: what happens at one instant is an anomaly that is closed at
once, what lasts is one that stays open, and small things in a row are told as one. A counter that
is set back when another job begins is an ordinary day, and only said for the record.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agent.anomaly import SHORT_MOST, Anomaly, Severity
from agent.counter import Step
from agent.countwords import WORDS, doubt, shots
from agent.entry import Entry, Finding
from agent.ratios import Disagreement, PartsRatio

OFTEN = 200
"""Closings within which the same small thing again is no news."""

DRY_LONG = 3
"""Closings without plastic in a row, from which on they are told."""


@dataclass(slots=True)
class _Told:
    """What was told last of one cause."""

    anomaly: Anomaly
    closings: int
    """How many the ledger had then."""
    times: int = 1


class ShotCount:
    """Finds what is odd in one machine's entries.

    Args:
        machine: Its name.
        is_registered: Whether a mold is known to people; one that is not is told once.
    """

    def __init__(
        self, machine: str, is_registered: Callable[[str], bool] = lambda _mold: True
    ) -> None:
        self._machine = machine
        self._is_registered = is_registered
        self._told: dict[str, _Told] = {}
        self._unknown: set[str] = set()
        self._closings = 0
        self._dry: list[tuple[int, datetime]] = []
        self._mold: tuple[str | None, str | None] = (None, None)
        self._segment = 0
        self._disagreement = Disagreement()
        self._ratio = PartsRatio()

    def take(self, entry: Entry) -> Sequence[Anomaly]:
        """What one entry has to tell; mostly nothing."""
        for segment in entry.segments:
            self._segment = segment.number
        if entry.runs:
            self._mold = entry.runs[-1].mold, entry.runs[-1].revision
        n = _closings(entry)
        self._closings += n
        found = [*self._molds(entry)] if entry.mounts else []
        for finding in entry.findings:
            found += self._step(finding)
        if entry.refused == "duplicate" and entry.standing is not None:
            found += self._again(entry)
        if entry.booked is not None:
            cycle = entry.booked.cycle
            if self._told:  # what lasts may be over
                found += self._moves_again(entry)
            if self._dry or cycle.closing == "dry":
                found += self._dries(entry)
            odd = self._disagreement.take(cycle, n)
            if odd is not None:
                found.append(
                    self._event(
                        "counters_disagree",
                        cycle.time,
                        cycle.counter,
                        odd[1],
                        "warning",
                        odd[0],
                        "Counters disagree",
                    )
                )
            ratio = self._ratio.take(entry.booked, entry.runs[-1].cavities, n)
            if ratio is not None:
                found.append(
                    self._event(
                        "cavity_ratio",
                        cycle.time,
                        cycle.counter,
                        cycle.counter,
                        "warning",
                        ratio,
                        "Parts per shot are off",
                    )
                )
        return found

    # What happens at one instant

    def _step(self, finding: Finding) -> Iterator[Anomaly]:
        """A counter that did not simply rise, and closings that nobody saw."""
        words = WORDS.get(finding.what)
        if words is None:
            return
        if finding.what == Step.STUCK:
            yield from self._stalls(finding)
            return
        cause, sentence, short = words
        severity: Severity = "warning"
        if finding.least == finding.most and cause in ("counter_wrapped", "shots_unobserved"):
            severity = "info"
        if cause == "counter_reset" and finding.new_job is not None and finding.most < 2:
            severity = "info"
        before, after = f"{finding.before:,}", f"{finding.after:,}"
        said = sentence.format(
            machine=self._machine, before=before, after=after, n=shots(finding.closings)
        )
        if finding.new_job is not None:
            said += f" Job {finding.new_job} began, which is the usual reason."
        said += doubt(finding)
        if finding.what in (Step.DOUBLED, Step.TORN):
            told = self._told.get(cause)
            if told is not None and self._closings - told.closings <= OFTEN:
                told.closings = self._closings
                told.times += 1
                return
        anomaly = self._event(
            cause,
            finding.until,
            finding.after,
            finding.before,
            severity,
            said,
            short,
            numbers={
                **finding.numbers,
                "before": finding.before,
                "after": finding.after,
                "booked": finding.closings,
                "fewest": finding.least,
                "most": finding.most,
            },
        )
        self._told[cause] = _Told(anomaly, self._closings)
        yield anomaly
        if finding.what not in (Step.DOUBLED, Step.TORN):
            disagreeing = {n for n in finding.numbers.values() if n > 0} - {finding.closings}
            if disagreeing and cause == "shots_unobserved":
                yield self._differ(finding)

    def _differ(self, finding: Finding) -> Anomaly:
        rose = ", ".join(
            f"{name.replace('_', ' ')} by {n:,}"
            for name, n in finding.numbers.items()
            if name != "parts_counter"
        )
        said = (
            f"The counters of {self._machine} disagree: the shot counter rose by "
            f"{finding.after - finding.before:,}, {rose}. {shots(finding.closings)} are booked"
            f"{doubt(finding)}"
        )
        return self._event(
            "counters_disagree",
            finding.until,
            finding.after,
            finding.before,
            "warning",
            said,
            "Counters disagree",
        )

    def _again(self, entry: Entry) -> Iterator[Anomaly]:
        """The same report again: told once, however many follow."""
        told = self._told.get("duplicate")
        if told is not None and self._closings - told.closings <= OFTEN:
            told.closings = self._closings
            return
        standing = entry.standing
        if standing is None or standing.at is None:
            return
        said = (
            f"{self._machine} sent a report again that was booked already (counter "
            f"{standing.counter:,}); nothing is counted twice. More of them are not told."
        )
        anomaly = self._event(
            "duplicate",
            standing.at,
            standing.counter,
            standing.counter,
            "info",
            said,
            "Report came twice",
        )
        self._told["duplicate"] = _Told(anomaly, self._closings)
        yield anomaly

    # What lasts

    def _stalls(self, finding: Finding) -> Iterator[Anomaly]:
        told = self._told.get("counter_stalled")
        if told is not None and told.anomaly.is_open:
            told.times += 1
            return
        said = (
            f"The shot counter of {self._machine} stands at {finding.after:,} while the press "
            f"molds; shots are counted by what else shows them.{doubt(finding)}"
        )
        anomaly = self._event(
            "counter_stalled",
            finding.until,
            finding.after,
            finding.after,
            "warning",
            said,
            "Counter stands still",
            lasts=True,
        )
        self._told["counter_stalled"] = _Told(anomaly, self._closings)
        yield anomaly

    def _moves_again(self, entry: Entry) -> Iterator[Anomaly]:
        """Close what lasted: the counter moves."""
        told = self._told.get("counter_stalled")
        if told is None or not told.anomaly.is_open or entry.booked is None:
            return
        if any(finding.what == Step.STUCK for finding in entry.findings):
            return
        cycle = entry.booked.cycle
        said = f"{told.anomaly.message} It moved again after {shots(told.times)}."
        told.anomaly = replace(
            told.anomaly, message=said, closed_at=cycle.time, until_counter=cycle.counter
        )
        yield told.anomaly

    def _dries(self, entry: Entry) -> Iterator[Anomaly]:
        """Closings without plastic, from the third in a row; set-up closings are no surprise."""
        assert entry.booked is not None
        cycle = entry.booked.cycle
        told = self._told.get("dry_cycles")
        is_open = told is not None and told.anomaly.is_open
        if cycle.closing == "dry":
            self._dry.append((cycle.counter, cycle.time))
            if len(self._dry) == DRY_LONG and not is_open:
                said = (
                    f"{self._machine} closes the mold without plastic since counter "
                    f"{self._dry[0][0]:,}: closings, and no shots."
                )
                anomaly = self._event(
                    "dry_cycles",
                    cycle.time,
                    cycle.counter,
                    self._dry[0][0],
                    "info",
                    said,
                    "Closing without plastic",
                    lasts=True,
                )
                self._told["dry_cycles"] = _Told(anomaly, self._closings)
                yield anomaly
            return
        n, self._dry = len(self._dry), []
        if told is not None and is_open:
            said = f"{told.anomaly.message} {n} of them, until counter {cycle.counter - 1:,}."
            told.anomaly = replace(
                told.anomaly, message=said, closed_at=cycle.time, until_counter=cycle.counter - 1
            )
            yield told.anomaly

    # Molds

    def _molds(self, entry: Entry) -> Iterator[Anomaly]:
        """A mold that a machine names and nobody has registered, once."""
        for mount in entry.mounts:
            if mount.mold in self._unknown or self._is_registered(mount.mold):
                continue
            self._unknown.add(mount.mold)
            yield Anomaly(
                id=f"shot_count:mold_unknown:{mount.mold}",
                time=mount.since,
                machine=self._machine,
                mold=mount.mold,
                revision=mount.revision,
                kind="shot_count",
                cause="mold_unknown",
                severity="warning",
                message=(
                    f"{self._machine} names the mold {mount.mold}, which is not registered. Its "
                    "shots are counted; its plan and cavities are not known."
                ),
                short="Mold not registered",
                advice=f"Register it: sprue molds add {mount.mold}",
                closed_at=mount.since,
            )

    def _event(
        self,
        cause: str,
        at: datetime,
        counter: int,
        since: int,
        severity: Severity,
        message: str,
        short: str,
        *,
        lasts: bool = False,
        numbers: Mapping[str, int] | None = None,
    ) -> Anomaly:
        mold, revision = self._mold
        return Anomaly(
            id=f"shot_count:{cause}:{self._machine}:{self._segment}:{counter}",
            time=at,
            machine=self._machine,
            mold=mold,
            revision=revision,
            segment=self._segment,
            counter=counter,
            since_counter=since,
            kind="shot_count",
            cause=cause,
            signal="counter",
            value=counter,
            severity=severity,
            message=message,
            short=short[:SHORT_MOST],
            evidence=dict(numbers or {}),
            closed_at=None if lasts else at,
        )


def _closings(entry: Entry) -> int:
    """How many closings an entry adds to the ledger."""
    added, late = 0, False
    for run in entry.runs:
        if run.kind == "seen_late":
            late = True
        elif run.kind != "seen":
            added += run.closings
    return added + int(entry.booked is not None and not late)
