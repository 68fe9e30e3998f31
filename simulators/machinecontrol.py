"""The control of a press: what people enter, what it counts and says, whatever the press does."""

from abc import ABC, abstractmethod
from dataclasses import replace

from simulators.counters import Counters
from simulators.faults import Faults
from simulators.listener import Change, Units
from simulators.modes import MOLDING, Mode, ProductionStatus
from simulators.mold import Job, Mold
from simulators.physics.program import Program, program
from simulators.runs import Run, Runs
from simulators.script import Script
from simulators.setup import Setup
from simulators.shot import Closing


class MachineControl(ABC):
    """What a press is told, and what it tells of itself; `Press` molds by it."""

    def __init__(self, setup: Setup) -> None:
        self.name = setup.name
        self.setup = setup
        self.mold_on = setup.mold
        self.mold_shown = setup.mold
        """The mold that the control says is on, which is not always the one that is."""
        self.has_mold = True
        """Not from the end of one run to the mold change of the next."""
        self.mounted = 0
        """How often a mold has come onto it; each time with a program of its own."""
        self.open_cavities = setup.open_cavities or setup.mold.cavities
        """Cavities that make parts; NumCavities is the mold's, whatever is blocked."""
        self.job = setup.job
        self.mode = setup.mode
        self.program = program(setup.mold, setup.tonnage, setup.set_points)
        self.dataset = dataset_of(setup.mold)
        """Name of the production data set that is loaded."""
        self.counters = Counters(
            machine=setup.counter,
            job=setup.job_counter,
            good=setup.job_counter * self.open_cavities,
            limit=setup.counter_limit,
            kept=setup.counter_kept,
            save_every=setup.save_every,
        )
        self.at_s = 0.0
        """Process time: the end of the last phase, or of a stop."""
        self.script = Script()
        """What is to happen to it."""
        self.runs = Runs(
            Run(
                mold=setup.mold,
                job=setup.job,
                mode=setup.mode,
                open_cavities=setup.open_cavities,
                set_points=setup.set_points,
            ),
            setup.runs,
            repeat=setup.repeat,
        )
        self.set_up_due = 0
        """Closings without plastic that the set-up of its mold still takes."""
        self.faults = Faults(machine=setup.name)
        """Those that are switched on."""
        self._closing: Closing = "shot"
        self._paused = False
        self._powered = True
        self._resumes: Mode | None = None
        """The mode in which it goes on when the stop that it stands for is over."""
        self._stands_until_s = 0.0
        self._shown_after: int | None = None
        self._told_status = self.status

    @abstractmethod
    async def tell(self, change: Change) -> None:
        """Tell everybody who follows it."""

    # What it says

    @property
    def counter(self) -> int:
        """What the machine's shot counter shows."""
        return self.counters.machine

    @property
    def running(self) -> bool:
        """Whether it molds by itself, or would as soon as it is run."""
        wanted = self.mode in MOLDING or self.set_up_due > 0
        return wanted and self._powered and not self._paused

    @property
    def status(self) -> ProductionStatus:
        """What the control says of production."""
        if not self.running:
            return ProductionStatus.NO_PRODUCTION
        if self._closing == "dry":
            return ProductionStatus.DRY_RUN
        return ProductionStatus.PRODUCTION

    # How it stops

    def pause(self) -> None:
        """Stop at the end of the running cycle."""
        self._paused = True
        self.script.changed.set()

    def resume(self) -> None:
        """Mold on."""
        self._paused = False
        self.script.changed.set()

    # What people do to it

    async def set_mode(self, mode: Mode, who: str = "", reason: str = "") -> None:
        """Switch the mode; out of automatic, the running cycle is finished first."""
        old, self.mode = self.mode, mode
        self._resumes = None
        self.script.changed.set()
        if old is not mode:
            change = Change(kind="mode", name="mode", old=old, new=mode, who=who, reason=reason)
            await self.tell(change)
        await self.tell_status()

    async def stop_for(self, seconds: float, who: str = "", reason: str = "") -> None:
        """Stop after the running cycle, in manual mode, and mold on in the mode of before.

        Of stops that overlap, the last to end counts; a mode that is set meanwhile ends them all.
        """
        ends_s, resumes = self.at_s + seconds, self._resumes
        if resumes is not None:
            self._stands_until_s = max(self._stands_until_s, ends_s)
        else:
            resumes, self._stands_until_s = self.mode, ends_s
        await self.set_mode(Mode.MANUAL, who, reason)
        self._resumes = resumes

        async def mold_on() -> None:
            if self._resumes is not None and ends_s >= self._stands_until_s:
                await self.set_mode(self._resumes, who)

        self.script.add(ends_s, mold_on)

    async def produce(self, mode: Mode) -> None:
        """Be set up: mold in that mode, unless somebody has stopped it meanwhile."""
        if self._resumes is not None:
            self._resumes = mode
        elif self.mode is Mode.SETUP:
            await self.set_mode(mode)

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
            await self.tell(Change(kind="parameter", name=name, old=old, new=value, who=who))

    async def load(self, data: Program, dataset: str, who: str = "") -> None:
        """Load another production data set, from the next cycle on."""
        old, self.dataset, self.program = self.dataset, dataset, data
        await self.tell(Change(kind="dataset", name="dataset", old=old, new=dataset, who=who))

    async def set_units(self, units: Units, who: str = "") -> None:
        """Set the control to other units; faces that show units in none of these take no notice."""
        await self.tell(Change(kind="units", name="units", old=None, new=units, who=who))

    async def change_job(self, job: Job, who: str = "") -> None:
        """Start another job: its counters start at 0."""
        old, self.job = self.job, job
        self.counters.new_job()
        await self.tell(Change(kind="job", name="job", old=old, new=job, who=who))

    async def change_lot(self, lot: str, who: str = "") -> None:
        """Go on with another lot of resin."""
        if lot != self.job.lot:
            old, self.job = self.job, replace(self.job, lot=lot)
            await self.tell(Change(kind="job", name="lot", old=old, new=self.job, who=who))

    async def show_mold(self, who: str = "") -> None:
        """Tell the control which mold is on."""
        self._shown_after = None
        old, self.mold_shown, self.dataset = self.mold_shown, self.mold_on, dataset_of(self.mold_on)
        if old != self.mold_on:
            change = Change(kind="mold", name="mold", old=old, new=self.mold_on, who=who)
            await self.tell(change)

    async def reset_counter(self, to: int = 0, who: str = "") -> None:
        """Set the machine's shot counter, as a service technician may, as far as it is wide."""
        to %= self.counters.limit
        old, self.counters.machine = self.counters.machine, to
        self.counters.save()
        await self.tell(Change(kind="counter", name="machine", old=old, new=to, who=who))

    async def reset_job_counters(self, who: str = "") -> None:
        """Set the job's counters to 0, as anyone may."""
        old = self.counters.job
        self.counters.new_job()
        await self.tell(Change(kind="counter", name="job", old=old, new=0, who=who))

    async def tell_status(self) -> None:
        """Say what production does, if it has changed."""
        old, new = self._told_status, self.status
        if old is not new:
            self._told_status = new
            await self.tell(Change(kind="production", name="production", old=old, new=new, who=""))


def dataset_of(mold: Mold) -> str:
    """Name of the production data set of a mold."""
    return f"{mold.id} {mold.revision}"
