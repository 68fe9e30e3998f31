"""What the control of an OPC 40077 machine knows besides what its press does."""

from typing import Protocol

from simulators.euromap77.options import Options
from simulators.euromap77.standstill import BY_FAULT, RUNNING, Standstill
from simulators.faults import Active
from simulators.listener import Units
from simulators.opcua.units import Measures
from simulators.press import Press


class Display(Protocol):
    """What shows it to clients; another one after each restart of the server."""

    async def refresh(self) -> None:
        """Show everything as it is now, in the units that the control is set to."""

    async def standstill_changed(self) -> None:
        """The press stands for another reason, or for none."""


class Panel:
    """The units that it is set to, why its press stands, and the mold that its node is for.

    All of it outlives a restart of the server.
    """

    def __init__(self, press: Press, options: Options) -> None:
        self.measures = options.measures
        self.standstill = RUNNING
        self.display: Display | None = None
        self.mold_number = options.mold_number
        self.mold_nodes = 1
        """How many there have been."""
        self._press = press
        self._replaces = options.mold_nodes == "replace"
        self._mold = press.mold_shown.id
        press.faults.followers.append(self)

    async def set(self, measures: Measures) -> None:
        """Set it to other units."""
        if measures != self.measures:
            self.measures = measures
            if self.display is not None:
                await self.display.refresh()

    async def set_to(self, units: Units) -> None:
        """Set it to the units that are named."""
        old = self.measures
        pressure, temperature = units.pressure or old.pressure, units.temperature or old.temperature
        await self.set(Measures(pressure=pressure, temperature=temperature))

    async def stands(self, reason: Standstill) -> None:
        """Say why the press stands; `RUNNING` once it does no longer."""
        if reason != self.standstill:
            self.standstill = reason
            if self.display is not None:
                await self.display.standstill_changed()

    async def fault_changed(self, active: Active, *, on: bool) -> None:
        """Know why the press stands, where a fault makes it; show what was frozen until now."""
        reason = BY_FAULT.get(active.name)
        if on and reason is not None:
            await self.stands(reason)
        if active.name == "frozen_values" and not on and self.display is not None:
            await self.display.refresh()

    @property
    def has_another_mold(self) -> bool:
        """Whether the mold that is shown needs a node of its own, and has none yet."""
        return self._replaces and self._press.mold_shown.id != self._mold

    def number_mold(self) -> None:
        """Let the mold that is shown have the next number."""
        self._mold = self._press.mold_shown.id
        self.mold_number += 1
        self.mold_nodes += 1
