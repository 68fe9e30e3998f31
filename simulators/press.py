"""A press that molds in memory: phases, counters, values; faces publish it on real protocols."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from random import Random
from typing import Any

from simulators.clock import Clock
from simulators.counters import Counters
from simulators.listener import Change, Listener, Recorder
from simulators.machinecontrol import MachineControl, dataset_of
from simulators.modes import Phase
from simulators.mold import Job, Mold
from simulators.physics.curves import Curves, Live
from simulators.physics.process import Process
from simulators.physics.program import program
from simulators.setup import Setup
from simulators.shot import Plan, Shot

KEPT_SHOTS = 200
LONG_STOP_S = 3600.0
"""How long a press has stood that does not mold when the simulator starts."""
MOLD_CHANGE_S = 900.0


class Press(MachineControl):
    """One press; `simulators.molding` lets it mold in the clock's time, `mold` by hand.

    Everything that is random or due at some time happens in the press's own process time, which
    only the lengths of its phases and stops make; how late the wall's clock is changes nothing.

    Args:
        setup: What it is.
        clock: The time it lives in.
        seed: Two presses of one name and seed mold the same shots.
    """

    def __init__(self, setup: Setup, clock: Clock, seed: int | str = 0) -> None:
        super().__init__(setup)
        self.clock = clock
        self.seed = seed
        self.phase = Phase.IDLE
        self.last: Shot | None = None
        """The last closing; None before the first of a new machine."""
        self.last_curves: Curves | None = None
        """The sensors during the last closing that the simulator molded."""
        self.shots: deque[Shot] = deque(maxlen=KEPT_SHOTS)
        """Closings since the simulator started, newest last."""
        self.late_s = 0.0
        """How far the clock is ahead of the process time, after all that was late."""
        self.listeners: list[Listener] = []
        self.recorders: list[Recorder] = []
        self.curves: Curves | None = None
        """The sensors during the closing that runs."""
        self._random = Random(f"{seed}/{setup.name}/{setup.counter}")
        self._process = Process(self._random, self.faults)
        self._process.mount(self.mold_on, self.program)
        self._process.warm()
        self.levels: Mapping[str, float] = self._process.levels(self.program)
        """Temperatures and flows as they stand now."""
        self._plan: Plan | None = None
        self._step = 0
        self._began = 0.0
        self._aborted = False
        self._dry_due = 0
        self._stopped_at: float | None = None if self.running else -LONG_STOP_S
        self._idle = asyncio.Event()
        self._idle.set()
        self._ended = asyncio.Event()
        if setup.counter:
            self.last = self._shot(self._planned())

    # What it shows

    @property
    def now_s(self) -> float:
        """Process time by the clock; never before the end of the last phase."""
        return max(self.at_s, self.clock.now() - self.late_s)

    @property
    def seconds(self) -> float:
        """How long the closing has run, at most to the end of its phase; 0 where none runs."""
        if self._plan is None:
            return 0.0
        phase_ends = sum(length for _, length in self._plan.phases[: self._step]) / 1000
        return min(self.clock.now() - self.late_s - self._began, phase_ends)

    @property
    def live(self) -> Live:
        """The sampled signals now."""
        if self.curves is None:
            return Live(screw_position_mm=self.program.start_mm)
        return self.curves.at(self.seconds)

    # By hand

    async def step(self) -> Phase:
        """End the phase that runs and enter the next; IDLE when the closing has ended."""
        if self._plan is None:
            self._only_by_hand()
        plan = self._plan or self.begin(self.now_s)
        if self._step:
            self.clock.advance(plan.phases[self._step - 1][1] / 1000)
            self.at_s = self.now_s
        if self._step == len(plan.phases):
            await self.end(plan)
            await self.rest()
        else:
            await self.enter(plan.phases[self._step][0])
        return self.phase

    async def mold(self, *, dry: bool = False, **values: float) -> Shot:
        """Mold one whole closing at once.

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
        self.begin(self.now_s, values)
        while await self.step() is not Phase.IDLE:
            pass
        assert self.last is not None
        return self.last

    def stand(self, seconds: float) -> None:
        """Let that much process time pass before the next closing."""
        self.clock.advance(seconds)
        if self._stopped_at is None:
            self._stopped_at = self.now_s - seconds

    def catch_up(self) -> None:
        """Let a press that stands know what time it is, for what somebody tells it now.

        What is due before is done in its own time.
        """
        if self._plan is None and self._stopped_at is not None:
            due_s = self.script.next_s
            self.at_s = self.now_s if due_s is None else max(self.at_s, min(self.now_s, due_s))

    # How it stops, and has its mold changed

    async def until(self, counter: int) -> Shot:
        """Wait until the shot counter has reached a number."""
        while self.counters.machine < counter or self.last is None:
            await self._ended.wait()
        return self.last

    async def paused(self) -> None:
        """Wait until no cycle runs."""
        await self._idle.wait()

    def abort(self) -> None:
        """Lose the cycle that runs, at the end of its phase: it is never counted."""
        self._aborted = self._plan is not None

    def dry_run(self, closings: int = 1) -> None:
        """Let the next closings be without plastic."""
        self._dry_due += closings

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
        self.mounted += 1
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
        await self.tell_status()

    def snapshot(self) -> dict[str, Any]:
        """What a control keeps over a power-off, as plain JSON values."""
        return {
            "counters": asdict(self.counters),
            "mold": asdict(self.mold_on),
            "job": asdict(self.job),
            "last": None if self.last is None else self.last.to_json(),
            "runs": self.runs.done,
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Start from what a control kept; the cycle that ran when power went is lost."""
        self.counters = Counters(**kept["counters"])
        self.mold_on = self.mold_shown = Mold(**kept["mold"])
        self.job = Job(**kept["job"])
        self.runs.done = kept.get("runs", 0) if self.setup.runs else 0
        run = self.runs.now
        self.mode = run.mode
        self.open_cavities = run.open_cavities or self.mold_on.cavities
        given = run.set_points if self.mold_on.id == run.mold.id else None
        self.program = program(self.mold_on, self.setup.tonnage, given)
        self.dataset = dataset_of(self.mold_on)
        self._random.seed(f"{self.setup.name}/{self.counters.machine}")
        self._process.mount(self.mold_on, self.program)
        self._process.warm()
        self.levels = self._process.levels(self.program)
        if kept["last"] is not None:
            self.last = Shot.from_json(kept["last"])

    # One closing, step by step

    def _only_by_hand(self) -> None:
        if self.clock.speed is not None and not (self._idle.is_set() and not self.running):
            raise RuntimeError(f"{self.name} molds by itself; pause it, or give speed=None")

    async def rest(self) -> None:
        """Stand still from now on, if it does not already."""
        if self._stopped_at is None:
            self._stopped_at = self.at_s
        self._idle.set()
        if self.phase is not Phase.IDLE:
            await self.enter(Phase.IDLE)
        await self.tell_status()

    def _planned(self) -> Plan:
        return self._process.shot(self.program, self.mold_on, self.mode, self.open_cavities)

    def begin(self, at_s: float, values: Mapping[str, float] | None = None) -> Plan:
        """Plan the next closing, which starts at that process time.

        Args:
            at_s: Not before the end of the last closing.
            values: What it shows in place of what is drawn.
        """
        self._idle.clear()
        if self._stopped_at is not None and at_s > self._stopped_at:
            self._process.stand(at_s - self._stopped_at)
        self._stopped_at = None
        self.faults.shot_began()
        dry = self._dry_due > 0 or self.set_up_due > 0
        if self.set_up_due:
            self.set_up_due -= 1
        elif self._dry_due:
            self._dry_due -= 1
        plan = self._process.dry(self.program) if dry else self._planned()
        self._plan = plan.showing(values or {})
        self._closing = plan.closing
        self.curves = Curves(self._plan, self.program.gate_freeze_s)
        self._began, self._step, self._aborted = at_s, 0, False
        return self._plan

    def pass_through(self, phase: Phase) -> None:
        """Go through a phase that is over already: nobody could have seen it."""
        self._step += 1
        self._reach(phase)

    def lose(self) -> bool:
        """Drop the closing that runs, if it was aborted."""
        if not self._aborted:
            return False
        self._aborted = False
        self._plan = self.curves = None
        self._step = 0
        return True

    def _reach(self, phase: Phase) -> None:
        self.phase = phase
        if self._plan is not None and phase in (Phase.COOL, Phase.OPEN):
            self.levels = self._plan.levels

    async def enter(self, phase: Phase) -> None:
        """Start a phase, or stand idle, and tell it."""
        if phase is not Phase.IDLE:
            self._step += 1
        self._reach(phase)
        for listener in tuple(self.listeners):
            await listener.phase_changed(self)
        if phase is Phase.CLOSE:
            await self.tell_status()

    async def end(self, plan: Plan) -> None:
        """Count a closing that is through, and tell it."""
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
        if self.runs.now.lots:
            await self.change_lot(self.runs.now.lot_at(self.counters.parts))

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

    async def tell(self, change: Change) -> None:
        """Tell everybody who follows it."""
        for listener in tuple(self.listeners):
            await listener.changed(self, change)
