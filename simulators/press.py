"""A press that molds in memory: phases, counters, values; faces publish it on real protocols."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any, NoReturn

from simulators.clock import Clock
from simulators.counters import Counters, Kept
from simulators.curves import Curves, Live
from simulators.faults import Faults
from simulators.listener import Change, Listener, Recorder
from simulators.modes import MOLDING, Mode, Phase, ProductionStatus
from simulators.mold import Job, Mold
from simulators.process import Process
from simulators.program import Program, program
from simulators.runs import Rack, Run
from simulators.script import Script
from simulators.shot import Closing, Plan, Shot

MAX_LAG_S = 0.25
"""Wall seconds that a cycle may end late and still keep its schedule."""
KEPT_SHOTS = 200
LONG_STOP_S = 3600.0
"""How long a press has stood that does not mold when the simulator starts."""
MOLD_CHANGE_S = 900.0


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
    counter_limit: int = 2**32
    counter_kept: Kept = "always"
    save_every: int = 50
    open_cavities: int = 0
    """0 for all of the mold's."""
    runs: tuple[Run, ...] = ()
    """What follows when the job has its parts; without, the press molds on."""
    repeat: bool = False
    """Whether the runs start over after the last; else the press then stops."""


class Press:
    """One press. `run` molds in the clock's time; `mold` molds one shot at once, by hand.

    Everything that is random or due at some time happens in the press's own process time, which
    only the lengths of its phases and stops make; how late the wall's clock is changes nothing.

    Args:
        setup: What it is.
        clock: The time it lives in.
        seed: Two presses of one name and seed mold the same shots.
        rack: Where the molds of its runs wait.
    """

    def __init__(
        self, setup: Setup, clock: Clock, seed: int | str = 0, rack: Rack | None = None
    ) -> None:
        self.name = setup.name
        self.setup = setup
        self.clock = clock
        self.mold_on = setup.mold
        self.mold_shown = setup.mold
        """The mold that the control says is on, which is not always the one that is."""
        self.has_mold = True
        """Not from the end of one run to the mold change of the next."""
        self.open_cavities = setup.open_cavities or setup.mold.cavities
        """Cavities that make parts; the control does not know of blocked ones."""
        self.job = setup.job
        self.mode = setup.mode
        self.program = program(setup.mold, setup.tonnage, setup.set_points)
        self.dataset = _dataset(setup.mold)
        """Name of the production data set that is loaded."""
        self.counters = Counters(
            machine=setup.counter,
            job=setup.job_counter,
            good=setup.job_counter * self.open_cavities,
            limit=setup.counter_limit,
            kept=setup.counter_kept,
            save_every=setup.save_every,
        )
        self.phase = Phase.IDLE
        self.last: Shot | None = None
        """The last closing; None before the first of a new machine."""
        self.last_curves: Curves | None = None
        """The sensors during the last closing that the simulator molded."""
        self.shots: deque[Shot] = deque(maxlen=KEPT_SHOTS)
        """Closings since the simulator started, newest last."""
        self.at_s = 0.0
        """Process time: the end of the last phase, or of a stop."""
        self.script = Script()
        self.listeners: list[Listener] = []
        self.recorders: list[Recorder] = []
        self.faults = Faults(machine=setup.name)
        """Those that are switched on."""
        self.curves: Curves | None = None
        """The sensors during the closing that runs."""
        self._random = Random(f"{seed}/{setup.name}/{setup.counter}")
        self._process = Process(self._random, self.faults)
        self._process.mount(self.mold_on, self.program)
        self._process.warm()
        self.levels: Mapping[str, float] = self._process.levels(self.program)
        """Temperatures and flows as they stand now."""
        self._rack = rack or Rack()
        self._runs_done = 0
        self._plan: Plan | None = None
        self._closing: Closing = "shot"
        self._step = 0
        self._began = 0.0
        self._slip = 0.0
        self._paused = False
        self._powered = True
        self._aborted = False
        self._dry_due = 0
        self._set_up_due = 0
        self._stopped_at: float | None = None if self.running else -LONG_STOP_S
        self._shown_after: int | None = None
        self._told_status = self.status
        self._idle = asyncio.Event()
        self._idle.set()
        self._ended = asyncio.Event()
        if setup.counter:
            self.last = self._shot(self._planned())

    # What it shows

    @property
    def counter(self) -> int:
        """What the machine's shot counter shows."""
        return self.counters.machine

    @property
    def running(self) -> bool:
        """Whether it molds by itself, or would as soon as it is run."""
        wanted = self.mode in MOLDING or self._set_up_due > 0
        return wanted and self._powered and not self._paused

    @property
    def status(self) -> ProductionStatus:
        """What the control says of production."""
        if not self.running:
            return ProductionStatus.NO_PRODUCTION
        if self._closing == "dry":
            return ProductionStatus.DRY_RUN
        return ProductionStatus.PRODUCTION

    @property
    def seconds(self) -> float:
        """How long the closing has run, at most to the end of its phase; 0 where none runs."""
        if self._plan is None:
            return 0.0
        phase_ends = sum(length for _, length in self._plan.phases[: self._step]) / 1000
        return min(self.clock.now() - self._slip - self._began, phase_ends)

    @property
    def live(self) -> Live:
        """The sampled signals now."""
        if self.curves is None:
            return Live(screw_position_mm=self.program.start_mm)
        return self.curves.at(self.seconds)

    # How it runs

    async def run(self) -> NoReturn:
        """Mold until cancelled, from a random point of the first cycle on.

        Every phase ends at an absolute instant, so that cycles don't drift with the machine's load.
        """
        if self.running:
            self.at_s -= self._random.random() * self.program.cycle_s
        self._slip = max(0.0, self.clock.now())
        while True:
            await self._act(between=True)
            if self._run_is_over():
                await self._change_over()
            elif self.running:
                await self._cycle()
            else:
                await self._stand_still()

    async def step(self) -> Phase:
        """By hand: end the phase that runs and enter the next; IDLE when the closing has ended."""
        if self._plan is None:
            self._only_by_hand()
        plan = self._plan or self._begin(self._by_hand_s())
        if self._step:
            self.clock.advance(plan.phases[self._step - 1][1] / 1000)
            self.at_s = self._by_hand_s()
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
        self._begin(self._by_hand_s(), values)
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
        self.script.changed.set()

    def resume(self) -> None:
        """Mold on."""
        self._paused = False
        self.script.changed.set()

    async def paused(self) -> None:
        """Wait until no cycle runs."""
        await self._idle.wait()

    def abort(self) -> None:
        """Lose the cycle that runs, at the end of its phase: it is never counted."""
        self._aborted = self._plan is not None

    def dry_run(self, closings: int = 1) -> None:
        """Let the next closings be without plastic."""
        self._dry_due += closings

    def stand(self, seconds: float) -> None:
        """By hand: let that much process time pass before the next closing."""
        self.clock.advance(seconds)
        if self._stopped_at is None:
            self._stopped_at = self._by_hand_s() - seconds

    # What people do to it

    async def set_mode(self, mode: Mode, who: str = "") -> None:
        """Switch the mode; out of automatic, the running cycle is finished first."""
        old, self.mode = self.mode, mode
        self.script.changed.set()
        if old is not mode:
            await self._tell(Change(kind="mode", name="mode", old=old, new=mode, who=who))
        await self._tell_status()

    async def stop_for(self, seconds: float, who: str = "") -> None:
        """Stop after the running cycle, in manual mode, and mold on in the mode of before."""
        before = self.mode
        await self.set_mode(Mode.MANUAL, who)

        async def mold_on() -> None:
            await self.set_mode(before, who)

        self.script.add(self.at_s + seconds, mold_on)

    async def set_point(
        self, name: str, value: float, who: str = "", *, logged: bool = True
    ) -> None:
        """Change one set point of the molding program, from the next cycle on.

        Raises:
            ValueError: there is no such set point.
        """
        old = getattr(self.program, name, None)
        self.program = self.program.changed(name, value)
        if logged:
            await self._tell(Change(kind="parameter", name=name, old=old, new=value, who=who))

    async def load(self, data: Program, dataset: str, who: str = "") -> None:
        """Load another production data set, from the next cycle on."""
        old, self.dataset, self.program = self.dataset, dataset, data
        await self._tell(Change(kind="dataset", name="dataset", old=old, new=dataset, who=who))

    async def change_job(self, job: Job, who: str = "") -> None:
        """Start another job: its counters start at 0."""
        old, self.job = self.job, job
        self.counters.new_job()
        await self._tell(Change(kind="job", name="job", old=old, new=job, who=who))

    async def change_lot(self, lot: str, who: str = "") -> None:
        """Go on with another lot of resin."""
        if lot != self.job.lot:
            old, self.job = self.job, replace(self.job, lot=lot)
            await self._tell(Change(kind="job", name="lot", old=old, new=self.job, who=who))

    async def change_mold(
        self,
        mold: Mold,
        job: Job | None = None,
        who: str = "",
        *,
        set_points: Mapping[str, float] | None = None,
    ) -> None:
        """Take another mold onto the press, with its own program, and perhaps another job.

        The control shows the new mold at once, unless a fault has it otherwise.

        Raises:
            RuntimeError: a cycle runs.
        """
        if self._plan is not None:
            raise RuntimeError(f"{self.name} is molding; pause it and wait until it has paused")
        self.mold_on, self.has_mold = mold, True
        self.open_cavities = mold.cavities
        self.program = program(mold, self.setup.tonnage, set_points)
        self._process.mount(mold, self.program)
        self.levels = self._process.levels(self.program)
        if self._stopped_at is None:
            self._stopped_at = self.at_s - MOLD_CHANGE_S
        late = self.faults.active("mold_id_late")
        if late is not None:
            self._shown_after = int(late["shots"])
        elif self.faults.active("mold_id_never") is None:
            await self.show_mold(who)
        if job is not None:
            await self.change_job(job, who)

    async def show_mold(self, who: str = "") -> None:
        """Tell the control which mold is on."""
        self._shown_after = None
        old, self.mold_shown, self.dataset = self.mold_shown, self.mold_on, _dataset(self.mold_on)
        if old != self.mold_on:
            change = Change(kind="mold", name="mold", old=old, new=self.mold_on, who=who)
            await self._tell(change)

    async def reset_counter(self, to: int = 0, who: str = "") -> None:
        """Set the machine's shot counter, as a service technician may."""
        old, self.counters.machine = self.counters.machine, to
        self.counters.save()
        await self._tell(Change(kind="counter", name="machine", old=old, new=to, who=who))

    async def reset_job_counters(self, who: str = "") -> None:
        """Set the job's counters to 0, as anyone may."""
        old = self.counters.job
        self.counters.new_job()
        await self._tell(Change(kind="counter", name="job", old=old, new=0, who=who))

    # What outlives the control's power

    async def power_off(self) -> None:
        """Lose power: the running cycle, and what the control has not saved of its counters."""
        self._powered = False
        self.abort()
        self.script.changed.set()
        self.counters.power_lost()

    async def power_on(self) -> None:
        """Have power again."""
        self._powered = True
        self.script.changed.set()
        await self._tell_status()

    def snapshot(self) -> dict[str, Any]:
        """What a control keeps over a power-off, as plain JSON values."""
        return {
            "counters": asdict(self.counters),
            "mold": asdict(self.mold_on),
            "job": asdict(self.job),
            "last": None if self.last is None else self.last.to_json(),
            "runs": self._runs_done,
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Start from what a control kept; the cycle that ran when power went is lost."""
        self.counters = Counters(**kept["counters"])
        self.mold_on = self.mold_shown = Mold(**kept["mold"])
        self.job = Job(**kept["job"])
        self._runs_done = kept.get("runs", 0)
        self.open_cavities = self._run(self._runs_done)[0].open_cavities or self.mold_on.cavities
        given = self.setup.set_points if self.mold_on.id == self.setup.mold.id else None
        self.program = program(self.mold_on, self.setup.tonnage, given)
        self.dataset = _dataset(self.mold_on)
        self._random.seed(f"{self.setup.name}/{self.counters.machine}")
        self._process.mount(self.mold_on, self.program)
        self._process.warm()
        if kept["last"] is not None:
            self.last = Shot.from_json(kept["last"])
        for number in range(self._runs_done):
            run, round_ = self._run(number)
            self._rack.give(run.mold, run.turn(round_), 0.0)

    # Runs

    def _run(self, number: int) -> tuple[Run, int]:
        """One of the runs, from 0 for what the press starts with; and which round it is in."""
        setup = self.setup
        if number == 0:
            return Run(mold=setup.mold, job=setup.job, open_cavities=setup.open_cavities), 0
        round_, index = divmod(number - 1, len(setup.runs))
        return setup.runs[index], round_

    def _run_is_over(self) -> bool:
        made = self.counters.good + self.counters.bad
        return bool(self.setup.runs) and 0 < self.job.parts <= made and self.running

    async def _change_over(self) -> None:
        """Take the old mold off, wait for the next one, set it up and start its job."""
        before, round_ = self._run(self._runs_done)
        if self._runs_done >= len(self.setup.runs) and not self.setup.repeat:
            await self.set_mode(Mode.MANUAL)
            return
        await self.set_mode(Mode.SETUP)
        self.has_mold = False
        await self._rest()
        self._runs_done += 1
        run, next_round = self._run(self._runs_done)
        self._rack.give(self.mold_on, before.turn(round_), self.at_s + run.set_up_s / 2)
        free_s, mold = await self._rack.take(run, next_round)
        self.at_s = max(self.at_s + run.set_up_s, free_s + run.set_up_s / 2)
        await self._until(self.at_s)
        await self.change_mold(mold, run.job_of(next_round), set_points=run.set_points)
        self.open_cavities = run.open_cavities or run.mold.cavities
        self._set_up_due = run.set_up_closings
        while self._set_up_due and self.running:
            await self._cycle()
        await self.set_mode(run.mode)

    # The machinery

    def _by_hand_s(self) -> float:
        return max(self.at_s, self.clock.now() - self._slip)

    def _only_by_hand(self) -> None:
        if self.clock.speed is not None and not (self._idle.is_set() and not self.running):
            raise RuntimeError(f"{self.name} molds by itself; pause it, or give speed=None")

    async def _until(self, at_s: float) -> None:
        await self.clock.until(at_s + self._slip)

    async def _act(self, *, between: bool = False) -> None:
        while act := self.script.due(self.at_s, between=between):
            await act()

    async def _stand_still(self) -> None:
        await self._rest()
        self.script.changed.clear()
        due = self.script.next_s
        if due is None:
            await self.script.changed.wait()
            self.at_s = self._by_hand_s()
            return
        assert self.clock.speed is not None
        try:
            async with asyncio.timeout((due + self._slip - self.clock.now()) / self.clock.speed):
                await self.script.changed.wait()
            self.at_s = min(self._by_hand_s(), due)
        except TimeoutError:
            self.at_s = max(self.at_s, due)

    async def _rest(self) -> None:
        if self._stopped_at is None:
            self._stopped_at = self.at_s
        self._idle.set()
        if self.phase is not Phase.IDLE:
            await self._enter(Phase.IDLE)
        await self._tell_status()

    async def _cycle(self) -> None:
        plan = self._begin(self.at_s)
        for phase, length in plan.phases:
            self.at_s += length / 1000
            self._step += 1
            if self.at_s + self._slip > self.clock.now() or phase is plan.phases[-1][0]:
                await self._enter(phase)
                await self._until(self.at_s)
            else:
                self._reach(phase)  # nobody could have seen it
            await self._act()
            if self._aborted:
                self._aborted = False
                self._plan = self.curves = None
                self._step = 0
                return
        late = self.faults.active("late_publication")
        if late is not None and late.shots % 2 == 0:
            await self._until(self.at_s + late["by_s"])
        await self._end(plan)
        assert self.clock.speed is not None
        behind = self.clock.now() - self._slip - self.at_s
        if behind > MAX_LAG_S * self.clock.speed and late is None:
            self._slip += behind

    def _planned(self) -> Plan:
        return self._process.shot(self.program, self.mold_on, self.mode, self.open_cavities)

    def _begin(self, at: float, values: Mapping[str, float] | None = None) -> Plan:
        self._idle.clear()
        if self._stopped_at is not None and at > self._stopped_at:
            self._process.stand(at - self._stopped_at)
        self._stopped_at = None
        dry = self._dry_due > 0 or self._set_up_due > 0
        if self._set_up_due:
            self._set_up_due -= 1
        elif self._dry_due:
            self._dry_due -= 1
        plan = self._process.dry(self.program) if dry else self._planned()
        self._plan = plan.showing(values or {})
        self._closing = plan.closing
        self.curves = Curves(self._plan, self.program.gate_freeze_s)
        self._began, self._step, self._aborted = at, 0, False
        return self._plan

    def _reach(self, phase: Phase) -> None:
        self.phase = phase
        if self._plan is not None and phase in (Phase.COOL, Phase.OPEN):
            self.levels = self._plan.levels

    async def _enter(self, phase: Phase) -> None:
        self._reach(phase)
        for listener in tuple(self.listeners):
            await listener.phase_changed(self)
        if phase is Phase.CLOSE:
            await self._tell_status()

    async def _end(self, plan: Plan) -> None:
        pulses = 2 if self.faults.take("double_pulse") else 1
        if self.faults.active("counter_stuck"):
            pulses = 0
        self.counters.closed(plan.parts_good, plan.parts_bad, pulses=pulses)
        self.last = shot = self._shot(plan, tuple(self.faults.shot_ended()))
        self.last_curves = self.curves
        self._plan = self.curves = None
        self._step = 0
        self.shots.append(shot)
        for recorder in self.recorders:
            recorder.record(self, shot)
        for listener in tuple(self.listeners):
            await listener.shot_ended(self, shot)
        await self._after(shot)
        self._ended.set()
        self._ended = asyncio.Event()

    async def _after(self, shot: Shot) -> None:
        """What the control or its people do when a closing has ended."""
        if self._shown_after is not None:
            self._shown_after -= 1
            if self._shown_after <= 0:
                await self.show_mold()
        run, _ = self._run(self._runs_done)
        if run.lots:
            await self.change_lot(run.lot_at(self.counters.good + self.counters.bad))

    def _shot(self, plan: Plan, injected: tuple[str, ...] = ()) -> Shot:
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
            injected=injected,
            at_s=round(self.at_s, 3),
        )

    async def _tell(self, change: Change) -> None:
        for listener in tuple(self.listeners):
            await listener.changed(self, change)

    async def _tell_status(self) -> None:
        old, new = self._told_status, self.status
        if old is not new:
            self._told_status = new
            await self._tell(Change(kind="production", name="production", old=old, new=new, who=""))


def _dataset(mold: Mold) -> str:
    return f"{mold.id} {mold.revision}"
