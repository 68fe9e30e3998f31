"""A press that molds by itself: cycles, stops, and the change from one run to the next."""

import asyncio
from random import Random
from typing import NoReturn

from simulators.modes import Mode
from simulators.press import Press
from simulators.runs import Rack

MAX_LAG_S = 0.25
"""Wall seconds that a cycle may end late and still keep its schedule."""


class Molding:
    """Lets one press mold in its clock's time.

    Args:
        press: Whose clock runs.
        rack: Where the molds of its runs wait; None where it has none.
    """

    def __init__(self, press: Press, rack: Rack | None = None) -> None:
        self._press = press
        self._rack = rack or Rack()
        self._rack.restore(press.runs)

    async def run(self) -> NoReturn:
        """Mold until cancelled, from some point of the first cycle on.

        Every phase ends at an absolute instant, so that cycles don't drift with the machine's load.
        """
        press = self._press
        if press.running:  # not all presses close at the same time
            press.at_s -= Random(f"{press.seed}/{press.name}").random() * press.program.cycle_s
        press.late_s = press.clock.now()
        while True:
            await self._act(between=True)
            if press.runs and press.running and 0 < press.job.parts <= press.counters.parts:
                await self._change_over()
            elif press.running:
                await self._cycle()
            else:
                await self._stand_still()

    async def _cycle(self) -> None:
        press = self._press
        plan = press.begin(press.at_s)
        for phase, length in plan.phases:
            press.at_s += length / 1000
            if press.at_s + press.late_s > press.clock.now() or phase is plan.phases[-1][0]:
                await press.enter(phase)
                await self._until(press.at_s)
            else:
                press.pass_through(phase)
            await self._act()
            if press.lose():
                return
        late = press.faults.active("late_publication")
        if late is not None and late.shots % 2 == 0:
            await self._until(press.at_s + late["by_s"])
            if press.lose():  # power went in the meantime
                return
        await press.end(plan)
        self._keep_up(allowed_s=0.0 if late is None else late["by_s"])

    def _keep_up(self, allowed_s: float) -> None:
        """Give up what is too far behind: the next cycle starts now, not in the past."""
        press = self._press
        assert press.clock.speed is not None
        behind_s = press.clock.now() - press.late_s - press.at_s
        if behind_s > MAX_LAG_S * press.clock.speed + allowed_s:
            press.late_s += behind_s

    async def _stand_still(self) -> None:
        press, changed = self._press, self._press.script.changed
        await press.rest()
        changed.clear()
        due_s = press.script.next_s
        if due_s is None:
            await changed.wait()
            press.at_s = press.now_s
            return
        assert press.clock.speed is not None
        wall_s = (due_s + press.late_s - press.clock.now()) / press.clock.speed
        try:
            async with asyncio.timeout(wall_s):
                await changed.wait()
            press.at_s = min(press.now_s, due_s)
        except TimeoutError:
            press.at_s = max(press.at_s, due_s)

    async def _change_over(self) -> None:
        """Take the old mold off, wait for the next one, set it up and start its job."""
        press, runs = self._press, self._press.runs
        before, round_ = runs.at(runs.done)
        old = press.mold_on if press.mold_on.id == before.mold.id else before.mold_of(round_)
        if runs.is_last:
            self._rack.give(old, before.turn(round_), press.at_s)
            await press.set_mode(Mode.MANUAL)
            return
        await press.set_mode(Mode.SETUP)
        press.has_mold = False
        await press.rest()
        run, next_round = runs.at(runs.done + 1)
        begin_s = press.at_s
        self._rack.give(old, before.turn(round_), begin_s + run.set_up_s / 2)
        free_s, mold = await self._rack.take(run, next_round)
        press.at_s = max(press.at_s, begin_s + run.set_up_s, free_s + run.set_up_s / 2)
        await self._until(press.at_s)
        await press.change_mold(mold, run.job_of(next_round), set_points=run.set_points)
        runs.done += 1  # not before: what stops in a change-over has it to do again
        press.open_cavities = run.open_cavities or mold.cavities
        press.set_up_due = run.set_up_closings
        while press.set_up_due and press.running:
            await self._cycle()
        await press.produce(run.mode)

    async def _act(self, *, between: bool = False) -> None:
        while act := self._press.script.due(self._press.at_s, between=between):
            await act()

    async def _until(self, at_s: float) -> None:
        await self._press.clock.until(at_s + self._press.late_s)
