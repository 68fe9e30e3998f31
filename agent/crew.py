"""Who follows which machine: a line, a tile and a task for each, as the configuration has it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent.before import Before, unknown
from agent.config import Loaded
from agent.cycle import Booked
from agent.difference import Difference
from agent.display import Display, first_tile
from agent.line import Line
from agent.live import Plant
from agent.machine import follow_from
from agent.molds.moldlife import MoldLife
from agent.record import Record
from agent.today import Tally
from agent.watch import Supply
from drivers.settings import MachineSettings

if TYPE_CHECKING:  # with libraries that most agents need not
    from agent.turns import Turns

ANEW = "Sprue connected anew, with another configuration"
ABSENT = "Sprue was not running, or the machine was not configured"


class Crew:
    """Everything that is there once a machine.

    Args:
        loaded: The configuration.
        record: Where all of it is kept.
        plant: Where the tiles hang.
        tally: Today's sums.
        molds: Follows what molds take.
        clock: Our clock.
    """

    def __init__(
        self,
        loaded: Loaded,
        record: Record,
        plant: Plant,
        tally: Tally,
        molds: MoldLife,
        clock: Callable[[], datetime],
    ) -> None:
        self._loaded = loaded
        self._record = record
        self._plant = plant
        self._tally = tally
        self._molds = molds
        self._clock = clock
        self._supply = Supply()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turns: Turns | None = None
        self.displays = {name: Display(name, plant, molds) for name in loaded.machines}
        self.lines = {
            machine.name: self._line(machine, record.before.get(machine.name) or unknown())
            for machine in loaded.config.machine
        }

    async def begin(self) -> None:
        """Open what is open while nobody looks, and seed the mounts."""
        for machine in self._loaded.config.machine:
            if not machine.shared:
                await self.lines[machine.name].begin()

    def follow(self, tasks: asyncio.TaskGroup, path: Path) -> None:
        """Follow every machine from now on.

        Args:
            tasks: Where the work goes on.
            path: The record's main file.
        """
        if self._loaded.takes_turns:
            from agent.turns import Turns

            self._turns = Turns(
                self._loaded, path, self.lines, self.displays, self._line, self._clock
            )
            tasks.create_task(self._turns.run(), name="leases")
        for machine in self._loaded.config.machine:
            before = self._record.before.get(machine.name) or unknown()
            self._begin_task(tasks, machine, before)

    async def change(
        self,
        loaded: Loaded,
        difference: Difference,
        tasks: asyncio.TaskGroup,
        past: Mapping[str, Sequence[Booked]],
    ) -> None:
        """Follow what another configuration says; machines that it leaves as they were go on.

        Args:
            loaded: The new one.
            difference: From the one before.
            tasks: Where the work goes on.
            past: The newest cycles of machines that are new.
        """
        gone = (*difference.removed, *difference.changed)
        await self._record.flush()  # a disk that takes nothing is no time to leave a machine
        await self._end(self._tasks.pop(name) for name in gone)
        await self._record.flush()  # what they still had is shown on tiles that are there
        for name in difference.removed:
            del self.lines[name], self.displays[name]
        self._loaded = loaded
        self._plant.arrange([first_tile(machine) for machine in loaded.config.machine])
        for row, machine in zip(loaded.machine_rows, loaded.config.machine, strict=True):
            name = machine.name
            if name not in (*difference.added, *difference.changed):
                continue
            before = await self._record.before_of(row)
            if name in difference.added:
                self.displays[name] = Display(name, self._plant, self._molds)
                for booked in past.get(name, ()):
                    self.displays[name].replay(booked)
            self.lines[name] = self._line(machine, before)
            await self.lines[name].begin(ABSENT if name in difference.added else ANEW)
            self._begin_task(tasks, machine, before)

    async def _end(self, ended: Iterable[asyncio.Task[None]]) -> None:
        waiting = list(ended)
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting)

    def _begin_task(
        self, tasks: asyncio.TaskGroup, machine: MachineSettings, before: Before
    ) -> None:
        name = machine.name
        work = (
            self._turns.follow(machine, before)
            if self._turns is not None and machine.shared
            else follow_from(machine, self._loaded, before.standing, self.lines[name], self._clock)
        )
        self._tasks[name] = tasks.create_task(work, name=f"follow {name}")

    def _line(self, machine: MachineSettings, before: Before) -> Line:
        return Line(
            machine,
            self._record,
            self.displays[machine.name],
            self._tally,
            before,
            self._molds,
            self._supply,
            self._clock,
            together=self._loaded.config.watch.together,
            slow_s=self._loaded.config.record.slow_s,
        )
