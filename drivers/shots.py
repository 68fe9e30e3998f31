"""Cycle events of OPC 40077, numbered and made into reports."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from drivers.cycleevent import CycleData
from drivers.observations import Change, Notice, Origin, Report, Value
from drivers.timeline import Timeline

log = logging.getLogger(__name__)

MACHINE_COUNTER, JOB_COUNTER = "machine_counter", "job_counter"
COUNTERS: Mapping[str, str] = {
    "MachineCycleCounter": MACHINE_COUNTER,
    "JobCycleCounter": JOB_COUNTER,
    "JobPartsCounter": "parts_counter",
}
STATES = ("mode", "production_status", "mold")
"""Not in the event itself; taken as they were at its instant."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """Parts of the job so far, as one event said."""

    job: str | None
    cycle: int
    good: int
    bad: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Both counters as they were read together."""

    machine: int
    job: int


class Shots:
    """Makes one report of each cycle event.

    Args:
        machine: Its name.
        numbered_by: The counter that the machine offers to read, which then numbers the cycles;
            None where it offers none: the first event decides.
        timeline: The machine's states.
    """

    def __init__(self, machine: str, numbered_by: str | None, timeline: Timeline) -> None:
        self._machine = machine
        self._numbered_by = numbered_by
        self._timeline = timeline
        self._parts: _Parts | None = None
        self._units: dict[str, str] = {}

    def needs_counters(self, data: CycleData) -> bool:
        """Whether an event lacks the counter that numbers the cycles, so that it must be read."""
        return self._numbered_by == MACHINE_COUNTER and "MachineCycleCounter" not in data.counts

    def report(
        self,
        data: CycleData,
        received_at: datetime,
        *,
        counted: Counted | None = None,
        latched: Mapping[str, Value] | None = None,
        states: Mapping[str, str] | None = None,
    ) -> Report | None:
        """The report of one cycle; None where nothing says its number.

        Args:
            data: What the event says.
            received_at: UTC, our clock.
            counted: The counters, where `needs_counters`.
            latched: Values that were read beside the event.
            states: Mode, mold and so on of the event's instant; None: as the timeline has them.
        """
        counter = self.number(data, counted)
        if counter is None:
            log.warning("%s: a cycle event without a counter is left out", self._machine)
            return None
        values = {COUNTERS.get(field, field): count for field, count in data.counts.items()}
        latched = latched or {}
        return Report(
            machine=self._machine,
            counter=counter,
            ended_at=data.time or received_at,
            received_at=received_at,
            origin=Origin.REPORTED,
            origins=dict.fromkeys(latched, Origin.LATCHED),
            values={**values, **self._made_now(data), **data.values, **latched},
            units=data.units,
            states=self._states(data, states),
        )

    def unit_changes(self, data: CycleData, received_at: datetime) -> Iterator[Notice]:
        """Signals whose unit at the machine is another than in the event before."""
        for signal, unit in data.units.items():
            old = self._units.get(signal)
            self._units[signal] = unit
            if old is not None and old != unit:
                yield Notice(
                    machine=self._machine,
                    change=Change.UNIT,
                    name=signal,
                    old=old,
                    new=unit,
                    at=data.time or received_at,
                    received_at=received_at,
                )

    def number(self, data: CycleData, counted: Counted | None = None) -> int | None:
        """The number of a cycle; None where nothing says it."""
        machine = data.counts.get("MachineCycleCounter")
        job = data.counts.get("JobCycleCounter")
        if self._numbered_by is None:
            self._numbered_by = JOB_COUNTER if machine is None else MACHINE_COUNTER
        if self._numbered_by == JOB_COUNTER:
            return job
        if machine is None and counted is not None and job is not None and job <= counted.job:
            return counted.machine - (counted.job - job)
        return machine

    def _states(self, data: CycleData, given: Mapping[str, str] | None) -> dict[str, str]:
        states = dict(given or {})
        if given is None:
            states = {
                name: str(value)
                for name in STATES
                if (value := self._timeline.at(name, data.time)) is not None
            }
        names = {"CycleQuality": "quality", "JobName": "job", "CurrentLotName": "lot"}
        return states | {name: data.words[f] for f, name in names.items() if f in data.words}

    def _made_now(self, data: CycleData) -> dict[str, Value]:
        """Good and bad parts of this cycle, where the event before was that of the cycle before."""
        names = ("JobCycleCounter", "JobGoodPartsCounter", "JobBadPartsCounter")
        if any(name not in data.counts for name in names):
            self._parts = None
            return {}
        before = self._parts
        now = _Parts(data.words.get("JobName"), *(data.counts[name] for name in names))
        self._parts = now
        if before is None or before.job != now.job or now.cycle != before.cycle + 1:
            return {}
        if now.good < before.good or now.bad < before.bad:
            return {}
        return {"parts_good": now.good - before.good, "parts_bad": now.bad - before.bad}
