"""A script walked through the agent's own stages, and what the ledger says held against it."""

from collections import Counter
from dataclasses import dataclass, replace

from agent.assembly import Assembly
from agent.entry import Entry
from agent.ledger import Ledger, Standing
from agent.ledgersums import LedgerSums, Sums
from agent.stages import Stages
from agent.standing import from_body, to_body
from bench.counting.entering import Entering
from bench.counting.press import Entered, Gap, Key, Told
from bench.counting.script import Script
from drivers import Column, Frame, Link, Observation, Origin, Quality, Report


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the ledger's answer compares with the truth."""

    script: Script
    wrong: tuple[str, ...]
    """Bounds that the truth is not in, and numbers that should be exact; a sentence each."""
    wide: tuple[str, ...]
    """Bounds that are wider than there is doubt."""
    exact: bool
    """All numbers are exact, and so says the ledger."""


class Counting:
    """Walks reports of any number of machines, with restarts in between.

    Args:
        script: Whose.
        live: Whether somebody tells when a connection breaks.
    """

    def __init__(self, script: Script, *, live: bool = True) -> None:
        self._script = script
        self._live = live
        self._entering: dict[str, Entering] = {}
        self._stages: dict[str, Stages] = {}
        self._revisions: dict[str, str] = {}
        self._frames: dict[str, Told] = {}
        self._away: set[str] = set()
        self.sums = LedgerSums()
        self.entries: list[Entry] = []

    def take(self, told: Told | Gap | Entered | str) -> None:
        """Walk one thing that is told, or stop and start again."""
        if isinstance(told, str):
            for machine, stages in self._stages.items():
                self._stages[machine] = self._begin(machine, _kept(stages.ledger.standing))
            return
        polled = told.machine in self._script.polled
        if isinstance(told, Gap):
            if told.machine in self._stages:
                self._away.add(told.machine)
                self._frames.pop(told.machine, None)
                link = Link(machine=told.machine, up=False, at=told.at)
                self._walk(told.machine, link)
            return
        if isinstance(told, Told) and told.mold:
            self._revisions[told.mold] = told.revision
        if told.machine not in self._stages:
            self._stages[told.machine] = self._begin(told.machine, Standing())
        if isinstance(told, Entered):
            self._of(told.machine).enter(told, self._stages[told.machine].ledger, self.sums)
            return
        if told.machine in self._away:
            self._away.discard(told.machine)
            modulus = self._script.modulus.get(told.machine)
            self._stages[told.machine].connected(
                reports=not polled, modulus=modulus, live=self._live
            )
        if not polled:
            self._walk(told.machine, report_of(told))
            return
        before = self._frames.get(told.machine)
        if before is not None:
            quarter = (told.at - before.at) / 4
            for n in (1, 2, 3):
                self._walk(told.machine, _frame(replace(before, at=before.at + n * quarter)))
        self._walk(told.machine, _frame(told))
        self._frames[told.machine] = told

    def _walk(self, machine: str, observation: Observation) -> None:
        for entry in self._stages[machine].take(observation).entries:
            self.sums.add(machine, entry)
            self._of(machine).note(entry)
            self.entries.append(entry)

    def finish(self) -> None:
        """Attribute anew what was booked since people said something."""
        for entering in self._entering.values():
            entering.attribute(self.sums)

    def _of(self, machine: str) -> Entering:
        if machine not in self._entering:
            self._entering[machine] = Entering(machine, self._script.revised)
        return self._entering[machine]

    def _begin(self, machine: str, standing: Standing) -> Stages:
        modulus = self._script.modulus.get(machine)
        ledger = Ledger(machine, standing, lambda mold: self._revisions.get(mold, "A"), modulus)
        stages = Stages(Assembly(machine), ledger)
        reports = machine not in self._script.polled
        stages.connected(reports=reports, modulus=modulus, live=self._live)
        self._frames.pop(machine, None)
        return stages


def _kept(standing: Standing) -> Standing:
    assert standing.segment is not None
    again = from_body(to_body(standing), standing.segment, standing.mount)
    again.times.extend(standing.times)
    return again


def report_of(told: Told) -> Report:
    """The report that a driver would make of it."""
    return Report(
        machine=told.machine,
        counter=told.counter,
        ended_at=told.stamp,
        received_at=told.at,
        origin=Origin.REPORTED,
        values=dict(told.others),
        states={"closing": told.closing, "job": told.job, "mold": told.mold or ""},
    )


COLUMNS: dict[tuple[str, ...], tuple[Column, ...]] = {}


def _frame(told: Told) -> Frame:
    values = {
        "counter": told.counter, "closing": told.closing, "job": told.job, "mold": told.mold,
        **told.others,
    }  # fmt: skip
    names = tuple(values)
    columns = COLUMNS.setdefault(names, tuple(Column(signal=name, source="") for name in names))
    return Frame(
        machine=told.machine,
        columns=columns,
        values=tuple(values.values()),
        qualities=(Quality.GOOD,) * len(names),
        received_at=told.at,
    )


def judge(script: Script) -> Verdict:
    """Walk a script and compare, mold revision by mold revision."""
    counting = Counting(script)
    for told in script.reports:
        counting.take(told)
    counting.finish()
    return compare(script, {(m or "", r or ""): s for m, r, s in counting.sums.lines()})


def compare(script: Script, found: dict[Key, Sums]) -> Verdict:
    wrong, wide = [], []
    exact = True
    for key in sorted(set(found) | set(script.truth)):
        sums, true = found.get(key, Sums()), script.truth[key]
        said = f"{key[0]} {key[1]}: {sums.shots} shots ({sums.shots_min} to {sums.shots_max})"
        if not sums.shots_min <= true <= sums.shots_max:
            wrong.append(f"{said}, truth {true}")
        if not sums.shots_min <= sums.shots <= sums.shots_max:
            wrong.append(f"{said}: outside of its own bounds")
        if script.is_clear and (sums.shots != true or sums.shots_min != sums.shots_max):
            wrong.append(f"{said}, truth {true}, and nothing is in doubt")
        if sums.shots_max - sums.shots_min > script.doubt:
            wide.append(f"{said}, truth {true}, with a doubt of {script.doubt}")
        exact = exact and sums.shots_min == sums.shots == sums.shots_max == true
    return Verdict(script, tuple(wrong), tuple(wide), exact)


def tally(verdicts: list[Verdict]) -> Counter[str]:
    """How many scripts came out how."""
    words: Counter[str] = Counter()
    for each in verdicts:
        word = "wrong" if each.wrong else "exact" if each.exact else "bounded"
        words[word] += 1
        words["too wide"] += bool(each.wide)
    return words
