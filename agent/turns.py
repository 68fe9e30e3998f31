"""Machines that this agent follows in turn with others, by leases in the plant record."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from agent.batch import Blind
from agent.before import Before
from agent.config import Loaded
from agent.display import Display
from agent.forward.forwarding import agent_of
from agent.line import Line
from agent.machine import follow_from
from agent.plantrecord.handover import before_by_plant
from agent.plantrecord.leases import Leases, in_turn
from drivers import Link
from drivers.settings import MachineSettings


class Turns:
    """Machines that this agent follows when no other does.

    Args:
        loaded: The configuration.
        path: The record's main file.
        lines: By machine; a shared one's is made anew whenever another agent had it.
        displays: By machine.
        line_of: Makes a line of what is known of its machine.
        clock: Our clock.
    """

    def __init__(
        self,
        loaded: Loaded,
        path: Path,
        lines: dict[str, Line],
        displays: dict[str, Display],
        line_of: Callable[[MachineSettings, Before], Line],
        clock: Callable[[], datetime],
    ) -> None:
        record = loaded.plant_record
        assert record is not None
        self._loaded = loaded
        self._record = record
        self._lines = lines
        self._displays = displays
        self._line_of = line_of
        self._clock = clock
        self._leases = Leases(record, agent_of(path), loaded.shared)

    async def run(self) -> NoReturn:
        """Ask for leases until cancelled."""
        await self._leases.run()

    async def follow(self, machine: MachineSettings, before: Before) -> NoReturn:
        """Follow a machine whenever it is ours.

        Args:
            machine: Its settings.
            before: What our own record knew of it at start.
        """
        name, begun = machine.name, False

        async def begin(from_other: bool) -> None:
            nonlocal before, begun
            if from_other:
                before = await asyncio.to_thread(before_by_plant, self._record, name)
                self._lines[name] = self._line_of(machine, before)
            elif begun:
                why = "This agent could not renew its lease"
                at = self._clock()
                await self._lines[name].take(
                    Link(machine=name, up=False, at=at, cause="not_running", why=why)
                )
                return
            begun = True
            await self._lines[name].begin()

        def end() -> None:
            why = "Another agent follows it, or the plant record is away"
            self._displays[name].lost(
                Blind(machine=name, since=self._clock(), until=None, cause="not_running", why=why)
            )

        async def work() -> NoReturn:
            await follow_from(
                machine, self._loaded, before.standing, self._lines[name], self._clock
            )

        end()
        await in_turn(self._leases, name, work, begin, end)
