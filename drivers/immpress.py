"""A press of OPC 40077 at work: what it tells and what we ask, as one stream of observations."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from drivers.browsing import Branch
from drivers.changes import Changes
from drivers.condition import Condition
from drivers.cooling import CoolingNode
from drivers.curvearrays import CurveArrays
from drivers.cycleevent import CycleData
from drivers.imm import barrel_places, grow_machine
from drivers.immpast import Past
from drivers.immview import Reading, View
from drivers.immwatch import StateShown, Told, Watch
from drivers.logbook import Entry
from drivers.memory import Memory
from drivers.observations import (
    OVERFLOW,
    Change,
    Column,
    Frame,
    Link,
    Notice,
    Observation,
    Quality,
    Report,
    Value,
)
from drivers.polling import Ticks
from drivers.session import Session, SessionSettings
from drivers.shots import Counted, Shots
from drivers.uaerrors import LateError
from drivers.units import unit_of_id

FIND_S = 30.0
"""How often parts of the machine that were not there are looked for."""


class ImmPress:
    """A press we are connected to; `euromap77.open_press` makes one."""

    def __init__(
        self,
        session: Session,
        settings: SessionSettings,
        root: Branch,
        view: View,
        watch: Watch,
        changes: Changes,
        *,
        identity: Mapping[str, str],
        report_columns: tuple[Column, ...],
        cooling: CoolingNode | None,
        memory: Memory,
        curves: tuple[str, CurveArrays] | None = None,
    ) -> None:
        self._session = session
        self._settings = settings
        self._root = root
        self._view = view
        self._watch = watch
        self._changes = changes
        self._identity = identity
        self._report_columns = report_columns
        self._cooling = cooling
        self._shots = Shots(settings.name, view.counter, changes.timeline)
        self._memory = memory
        self._gap: Past | None = None
        self._curves = curves
        self._states: dict[str, Value | None] = {}
        self._reading: Reading | None = None
        self._ticks = Ticks(settings.name, settings.poll_s)
        self._find_at = 0.0

    @property
    def columns(self) -> tuple[Column, ...]:
        """The signals of its frames; another table when the machine has got other parts."""
        return self._view.columns

    @property
    def report_columns(self) -> tuple[Column, ...]:
        """What its cycle events hold, and the curves that it keeps."""
        return (*self._report_columns, *(self._curves[1].columns if self._curves else ()))

    @property
    def reports(self) -> bool:
        """Always: OPC 40077 has a cycle's values in its event and nowhere else."""
        return True

    @property
    def counter_modulus(self) -> int | None:
        """None: the counters are 64 bit wide."""
        return None

    @property
    def identity(self) -> Mapping[str, str]:
        """Manufacturer, model, serial number, control and its software."""
        return self._identity

    @property
    def condition(self) -> Condition:
        """Which variables are not there, how fast the server publishes, what was left out."""
        publishing_s, sampling_s, lost = self._watch.rates
        return Condition(
            unavailable=self._view.points.unavailable,
            publishing_s=publishing_s,
            sampling_s=sampling_s,
            lost=lost,
            missed=self._ticks.missed,
            clock=self._session.machine_clock.skew,
            server_clock=self._session.server_clock.skew,
        )

    async def read(self) -> Frame:
        """Every signal that can be read, now."""
        return self._frame(await self._view.read())

    async def observations(self) -> AsyncIterator[Observation]:
        """Frames at `poll_s`; reports and notices as the machine tells them."""
        loop = asyncio.get_running_loop()
        tick = loop.time() + self._ticks.wait_s(loop.time())
        self._find_at = tick + FIND_S
        for observation in await self._past():
            self._note(observation)
            yield observation
        while True:
            if loop.time() >= tick:
                for observation in [*await self._poll(), *await self._more_past()]:
                    self._note(observation)
                    yield observation
                tick = loop.time() + self._ticks.wait_s(loop.time())
            if self._reading is None:  # a frame comes first, whatever else has come
                await asyncio.sleep(max(0.0, tick - loop.time()))
                continue
            for notice in self._changes.due(loop.time()):
                yield notice
            came = await self._watch.next(min(tick, self._changes.due_at))
            if came is None:
                continue
            received_at, told = came
            if self._watch.gap:
                yield Link(
                    machine=self._session.machine,
                    up=False,
                    at=received_at,
                    cause=OVERFLOW,
                    why=self._watch.gap,
                )
            for at, one in enumerate(told):
                is_last = self._watch.is_drained and not any(
                    isinstance(later, CycleData) for later in told[at + 1 :]
                )
                for observation in await self._observe(one, received_at, is_last=is_last):
                    self._note(observation)
                    yield observation

    async def _past(self) -> list[Observation]:
        """What the machine has kept since the last cycle that we know of."""
        if self._memory.until is None or not self._watch.keeps_past:
            return []
        try:
            reading = self._frame(await self._view.read())
        except LateError:
            return []  # a dead link shows at the first poll
        job, mold = (reading.value(state) for state in ("job", "mold"))
        self._gap = Past(self._session, self._watch, self._shots, self._memory)
        return await self._gap.begin(
            job=str(job) if job else None, mold=None if mold is None else str(mold)
        )

    async def _more_past(self) -> list[Observation]:
        """The next page of a past that was too long to come before the present."""
        if self._gap is None or not self._gap.goes_on:
            return []
        return [*await self._gap.more()]

    def _note(self, observation: Observation) -> None:
        """Remember a cycle as it is told, and not before."""
        if isinstance(observation, Report):
            self._memory.note(observation)

    async def _poll(self) -> list[Observation]:
        """A frame, and the changes that only it shows; nothing where the answer is late."""
        try:
            before, reading = self._reading, await self._view.read()
            if self._is_outgrown(before, reading):
                await self._grow()
                before, reading = None, await self._view.read()
        except LateError as error:
            await self._session.check_life(self._settings.silent_most_s, error)
            return []
        self._reading = reading
        frame = self._frame(reading)
        at = frame.received_at
        unwatched = [name for name in reading.states if name not in self._watch.states]
        return [
            frame,
            *(n for name in unwatched for n in self._show(name, reading.states[name], at, at)),
            *self._unit_changes(before, reading, at),
        ]

    def _frame(self, reading: Reading) -> Frame:
        return Frame(
            machine=self._session.machine,
            columns=self._view.columns,
            values=reading.values,
            qualities=reading.qualities,
            source_time=reading.time,
            source_times=reading.times,
            asked_at=reading.asked_at,
            received_at=datetime.now(UTC),
        )

    def _is_outgrown(self, before: Reading | None, reading: Reading) -> bool:
        """Whether the machine has other parts than we know (OPC 40083 §7)."""
        if before is not None and before.versions != reading.versions:
            return True
        now = asyncio.get_running_loop().time()
        if now < self._find_at:
            return False
        self._find_at = now + FIND_S
        return Quality.MISSING in reading.qualities or bool(self._view.points.absent)

    async def _grow(self) -> None:
        """Browse the machine anew."""
        await grow_machine(self._session, self._root)
        view = View(self._session, self._root, await barrel_places(self._session, self._root))
        await view.find(self._view.counter)
        if view.columns == self._view.columns:
            view.columns = self._view.columns
        await self._watch.watch_states(view)
        self._view = view

    async def _observe(
        self, told: Told, received_at: datetime, *, is_last: bool
    ) -> list[Observation]:
        match told:
            case StateShown():
                return [*self._show(told.name, told.value, told.at, received_at)]
            case Entry():
                return [*self._changes.logged(told.notice)]
            case CycleData():
                return await self._cycle(told, received_at, is_last=is_last)

    def _show(
        self, name: str, value: Value | None, at: datetime, received_at: datetime
    ) -> Iterator[Notice]:
        """What follows from a state variable's value."""
        self._states[name] = value
        state, now = self._view.state_of(self._states, name)
        if now is not None:
            loop_s = asyncio.get_running_loop().time()
            yield from self._changes.watched(state, now, at, received_at, loop_s)

    async def _cycle(
        self, data: CycleData, received_at: datetime, *, is_last: bool
    ) -> list[Observation]:
        counted, latched = None, {}
        try:
            if self._shots.needs_counters(data):
                counted = await self._counted()
            if self._cooling is not None:
                cycle = data.counts.get("JobCycleCounter")
                latched = dict(await self._cooling.read(cycle, is_last=is_last))
        except LateError:
            pass  # the event stands without it; a dead link shows at the next poll
        missed = await self._past() if self._skips(self._shots.number(data, counted)) else []
        report = self._shots.report(data, received_at, counted=counted, latched=latched)
        if report is not None and self._memory.knows(report):
            return missed
        if report is not None and self._curves is not None and is_last:
            counter, arrays = self._curves
            report = replace(report, curves=await arrays.take(data.counts.get(counter)))
        notices = self._shots.unit_changes(data, received_at)
        return [*missed, *notices, report] if report else [*missed, *notices]

    def _skips(self, number: int | None) -> bool:
        """Whether cycles before that one did not come, and may be in the machine's past."""
        if number is None or not self._memory.told or (self._gap and self._gap.goes_on):
            return False
        return number > self._memory.told[-1][0] + 1

    async def _counted(self) -> Counted | None:
        """Both counters, read together."""
        ids = [self._view.node_id(name) for name in ("machine_counter", "job_counter")]
        if None in ids:
            return None
        machine, job = (
            answer.Value.Value if answer.StatusCode.is_good() and answer.Value else None
            for answer in await self._session.read(ids)
        )
        if isinstance(machine, int) and isinstance(job, int):
            return Counted(machine, job)
        return None

    def _unit_changes(
        self, before: Reading | None, reading: Reading, at: datetime
    ) -> Iterator[Notice]:
        """Temperatures that the machine now shows in another unit."""
        for signal, unit_id in reading.units.items():
            old = before.units.get(signal) if before is not None else None
            if old is not None and old != unit_id:
                yield Notice(
                    machine=self._session.machine,
                    change=Change.UNIT,
                    name=signal,
                    old=_unit(old),
                    new=_unit(unit_id),
                    at=reading.time or at,
                    received_at=at,
                )


def _unit(unit_id: int) -> str:
    unit = unit_of_id(unit_id)
    return unit.name if unit else f"unit {unit_id}"
