"""A press that molds in memory: phases, counters, values; faces publish it on real protocols."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, NoReturn

from simulators.clock import Clock
from simulators.curves import Curves, Live
from simulators.faults import Faults
from simulators.listener import Change, Listener, Recorder
from simulators.modes import MOLDING, Mode, Phase, ProductionStatus
from simulators.mold import Job, Mold
from simulators.process import WARM, Process, Restart
from simulators.program import program
from simulators.shot import Closing, Plan, Shot

MAX_LAG_S = 0.25
"""Wall seconds that a cycle may start late and still keep its schedule."""
KEPT_SHOTS = 10_000


@dataclass(slots=True, kw_only=True)
class Counters:
    """What a press counts."""

    machine: int = 0
    """Closings in the machine's life."""
    job: int = 0
    """Closings in the job."""
    good: int = 0
    """Parts in the job."""
    bad: int = 0
    """Parts in the job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a press is, and what it starts with."""

    name: str
    mold: Mold
    job: Job
    tonnage: int = 80
    mode: Mode = Mode.AUTOMATIC
    set_points: Mapping[str, float] = field(default_factory=dict)
    """Entered otherwise than usual for the resin."""
    counter: int = 0
    job_counter: int = 0


class Press:
    """One press. `run` molds in the clock's time; `mold` molds one shot at once, by hand.

    Args:
        setup: What it is.
        clock: The time it lives in.
        seed: Two presses of one name and seed mold the same shots.
    """

    def __init__(self, setup: Setup, clock: Clock, seed: int | str = 0) -> None:
        self.name = setup.name
        self.setup = setup
        self.clock = clock
        self.mold_on = setup.mold
        self.job = setup.job
        self.mode = setup.mode
        self.program = program(setup.mold, setup.tonnage, setup.set_points)
        good = setup.job_counter * setup.mold.cavities
        self.counters = Counters(machine=setup.counter, job=setup.job_counter, good=good)
        self.phase = Phase.IDLE
        self.last: Shot | None = None
        """The last closing; None before the first of a new machine."""
        self.shots: deque[Shot] = deque(maxlen=KEPT_SHOTS)
        """Closings since the simulator started, newest last."""
        self.listeners: list[Listener] = []
        self.recorders: list[Recorder] = []
        self.faults = Faults(machine=setup.name)
        """Those that are switched on."""
        self._random = Random(f"{seed}/{setup.name}/{setup.counter}")
        self._process = Process(self._random)
        self.levels: Mapping[str, float] = self._process.levels(self.program)
        """Temperatures and flows as they stand now."""
        self._plan: Plan | None = None
        self._closing: Closing = "shot"
        self._curves: Curves | None = None
        self._step = 0
        self._began = 0.0
        self._restart: Restart = WARM
        self._stopped_at: float | None = None if setup.mode in MOLDING else -3600.0
        self._paused = False
        self._dry_due = 0
        self._told_status = self.status
        self._go = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._ended = asyncio.Event()
        if setup.counter:
            self.last = self._shot(self._process.shot(self.program, self.mold_on, self.mode))
        self._ready()

    # What it shows

    @property
    def counter(self) -> int:
        """Closings in the machine's life."""
        return self.counters.machine

    @property
    def mold_shown(self) -> Mold:
        """The mold that the control says is on, which is not always the one that is."""
        return self.mold_on

    @property
    def running(self) -> bool:
        """Whether it molds by itself, or would as soon as it is run."""
        return self.mode in MOLDING and not self._paused

    @property
    def status(self) -> ProductionStatus:
        """What the control says of production."""
        if not self.running:
            return ProductionStatus.NO_PRODUCTION
        if self._closing == "dry":
            return ProductionStatus.DRY_RUN
        return ProductionStatus.PRODUCTION

    @property
    def live(self) -> Live:
        """The sampled signals now."""
        if self._curves is None or self._plan is None:
            return Live(screw_position_mm=self.program.start_mm)
        seconds = self.clock.now() - self._began
        phase_ends = sum(length for _, length in self._plan.phases[: self._step]) / 1000
        return self._curves.at(min(seconds, phase_ends))

    # How it runs

    async def run(self) -> NoReturn:
        """Mold until cancelled, from a random point of the first cycle on.

        Every phase ends at an absolute instant, so that cycles don't drift with the machine's load.
        """
        start = self.clock.now()
        if self.running:
            start -= self._random.random() * self.program.cycle_s
        while True:
            if not self.running:
                await self._stand_still()
                start = self.clock.now()
            end = start
            plan = self._begin(start)
            for phase, length in plan.phases:
                end += length / 1000
                self._step += 1
                if end > self.clock.now() or phase is plan.phases[-1][0]:
                    await self._enter(phase)
                    await self.clock.until(end)
            await self._end(plan)
            assert self.clock.speed is not None
            late = self.clock.now() - end
            start = end if late < MAX_LAG_S * self.clock.speed else self.clock.now()

    async def step(self) -> Phase:
        """By hand: end the phase that runs and enter the next; IDLE when the closing has ended."""
        if self._plan is None:
            self._only_by_hand()
        plan = self._plan or self._begin(self.clock.now())
        if self._step:
            self.clock.advance(plan.phases[self._step - 1][1] / 1000)
        if self._step == len(plan.phases):
            await self._end(plan)
            await self._rest()
        else:
            self._step += 1
            await self._enter(plan.phases[self._step - 1][0])
        return self.phase

    async def mold(self, *, dry: bool = False, **values: float) -> Shot:
        """By hand: one whole closing at once.

        Args:
            dry: Without plastic.
            values: What this shot shows, by signal; a phase's length also decides the cycle's.

        Raises:
            RuntimeError: it molds by itself, or is in the middle of a closing.
        """
        self._only_by_hand()
        if self._plan is not None:
            raise RuntimeError(f"{self.name} is in {self.phase.name}; take it on with `step`")
        if dry:
            self._dry_due += 1
        self._begin(self.clock.now(), values)
        while await self.step() is not Phase.IDLE:
            pass
        assert self.last is not None
        return self.last

    async def until(self, counter: int) -> Shot:
        """Wait until the shot counter has reached a number."""
        while self.counters.machine < counter or self.last is None:
            await self._ended.wait()
        return self.last

    def pause(self) -> None:
        """Stop at the end of the running cycle."""
        self._paused = True
        self._ready()

    def resume(self) -> None:
        """Mold on."""
        self._paused = False
        self._ready()

    async def paused(self) -> None:
        """Wait until no cycle runs."""
        await self._idle.wait()

    def dry_run(self, closings: int = 1) -> None:
        """Let the next closings be without plastic."""
        self._dry_due += closings

    # What people do to it

    async def set_mode(self, mode: Mode, who: str = "") -> None:
        """Switch the mode; out of automatic, the running cycle is finished first."""
        old, self.mode = self.mode, mode
        self._ready()
        if old is not mode:
            await self._tell(Change(kind="mode", name="mode", old=old, new=mode, who=who))
        await self._tell_status()

    async def set_point(self, name: str, value: float, who: str = "") -> None:
        """Change one set point of the molding program, from the next cycle on.

        Raises:
            ValueError: there is no such set point.
        """
        old = getattr(self.program, name, None)
        self.program = self.program.changed(name, value)
        await self._tell(Change(kind="parameter", name=name, old=old, new=value, who=who))

    async def change_job(self, job: Job, who: str = "") -> None:
        """Start another job: its counters start at 0."""
        old, self.job = self.job, job
        counters = self.counters
        counters.job = counters.good = counters.bad = 0
        await self._tell(Change(kind="job", name="job", old=old, new=job, who=who))

    async def change_mold(self, mold: Mold, job: Job | None = None, who: str = "") -> None:
        """Take another mold onto the press, with its own program, and perhaps another job.

        Raises:
            RuntimeError: a cycle runs.
        """
        if self._plan is not None:
            raise RuntimeError(f"{self.name} is molding; pause it and wait until it has paused")
        old, self.mold_on = self.mold_on, mold
        self.program = program(mold, self.setup.tonnage)
        self.levels = self._process.levels(self.program)
        self._restart = Restart.after(900)
        await self._tell(Change(kind="mold", name="mold", old=old, new=mold, who=who))
        if job is not None:
            await self.change_job(job, who)

    async def reset_counter(self, to: int = 0, who: str = "") -> None:
        """Set the machine's shot counter, as a service technician may."""
        old, self.counters.machine = self.counters.machine, to
        await self._tell(Change(kind="counter", name="machine", old=old, new=to, who=who))

    async def reset_job_counters(self, who: str = "") -> None:
        """Set the job's counters to 0, as anyone may."""
        counters, old = self.counters, self.counters.job
        counters.job = counters.good = counters.bad = 0
        await self._tell(Change(kind="counter", name="job", old=old, new=0, who=who))

    # What outlives the control's power

    def snapshot(self) -> dict[str, Any]:
        """What a control keeps over a power-off, as plain JSON values."""
        return {
            "counters": asdict(self.counters),
            "mold": asdict(self.mold_on),
            "job": asdict(self.job),
            "last": None if self.last is None else self.last.to_json(),
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Start from what a control kept; the cycle that ran when power went is lost."""
        self.counters = Counters(**kept["counters"])
        self.mold_on, self.job = Mold(**kept["mold"]), Job(**kept["job"])
        given = self.setup.set_points if self.mold_on.id == self.setup.mold.id else None
        self.program = program(self.mold_on, self.setup.tonnage, given)
        self._random.seed(f"{self.setup.name}/{self.counters.machine}")
        if kept["last"] is not None:
            self.last = Shot.from_json(kept["last"])

    # The machinery

    def _only_by_hand(self) -> None:
        if self.clock.speed is not None and not (self._idle.is_set() and not self.running):
            raise RuntimeError(f"{self.name} molds by itself; pause it, or give speed=None")

    def _ready(self) -> None:
        if self.running:
            self._go.set()
        else:
            self._go.clear()

    async def _stand_still(self) -> None:
        await self._rest()
        await self._go.wait()

    async def _rest(self) -> None:
        if self._stopped_at is None:
            self._stopped_at = self.clock.now()
        self._idle.set()
        if self.phase is not Phase.IDLE:
            await self._enter(Phase.IDLE)
        await self._tell_status()

    def _begin(self, at: float, values: Mapping[str, float] | None = None) -> Plan:
        self._idle.clear()
        if self._stopped_at is not None:
            restart = Restart.after(at - self._stopped_at)
            self._restart = restart if restart.severity else self._restart
            self._stopped_at = None
        if self._dry_due:
            self._dry_due -= 1
            plan = self._process.dry(self.program)
        else:
            plan = self._process.shot(self.program, self.mold_on, self.mode, self._restart)
            self._restart = self._restart.next()
        self._plan = plan.showing(values or {})
        self._closing = plan.closing
        self._curves = Curves(self._plan, self.program.gate_freeze_s)
        self._began, self._step = at, 0
        return self._plan

    async def _enter(self, phase: Phase) -> None:
        self.phase = phase
        if self._plan is not None and phase in (Phase.COOL, Phase.OPEN):
            self.levels = self._plan.levels
        for listener in tuple(self.listeners):
            await listener.phase_changed(self)
        if phase is Phase.CLOSE:
            await self._tell_status()

    async def _end(self, plan: Plan) -> None:
        counters = self.counters
        counters.machine += 1
        counters.job += 1
        counters.good += plan.parts_good
        counters.bad += plan.parts_bad
        self.last = shot = self._shot(plan)
        self._plan = self._curves = None
        self._step = 0
        self.shots.append(shot)
        for recorder in self.recorders:
            recorder.record(self, shot)
        for listener in tuple(self.listeners):
            await listener.shot_ended(self, shot)
        self._ended.set()
        self._ended = asyncio.Event()

    def _shot(self, plan: Plan) -> Shot:
        return Shot(
            machine=self.name,
            counter=self.counters.machine,
            job_counter=self.counters.job,
            ended_at=datetime.now(UTC),
            closing=plan.closing,
            mold=self.mold_on,
            job=self.job,
            mode=self.mode,
            quality=plan.quality,
            values={**plan.values, **self.levels},
            parts_good=plan.parts_good,
            parts_bad=plan.parts_bad,
        )

    async def _tell(self, change: Change) -> None:
        for listener in tuple(self.listeners):
            await listener.changed(self, change)

    async def _tell_status(self) -> None:
        old, new = self._told_status, self.status
        if old is not new:
            self._told_status = new
            await self._tell(Change(kind="production", name="production", old=old, new=new, who=""))
