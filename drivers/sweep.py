"""A set of registers read once, in few requests; one that is refused does not take others along."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from drivers.blocks import Group, merged
from drivers.modbusline import Station
from drivers.modbuslink import BlockRefusedError
from drivers.observations import Quality, Value
from drivers.register import Register
from drivers.registers import RegisterMap

log = logging.getLogger(__name__)

PROBE_S = 60.0
"""How often refused registers are asked for again; one a sweep, to spare the line."""


class Sweep:
    """Reads some registers of a device, again and again.

    Args:
        station: Our place on the line to the device.
        registers: At least one.
        limits: The map, with the limits of the device.
    """

    def __init__(
        self, station: Station, registers: Sequence[Register], limits: RegisterMap
    ) -> None:
        self.registers = tuple(registers)
        self._station = station
        self._limits = limits
        self._groups = self._merged()
        self._refused: dict[str, tuple[Register, float]] = {}
        """By signal, with the time to ask again on the loop's clock."""
        self._all_good = (Quality.GOOD,) * len(self.registers)
        self._arrange()

    @property
    def refused(self) -> tuple[Register, ...]:
        """Registers that the device does not let us read, as far as we know."""
        return tuple(register for register, _ in self._refused.values())

    @property
    def requests(self) -> int:
        """How many it takes."""
        return len(self._groups)

    async def read(self) -> tuple[tuple[Value | None, ...], tuple[Quality, ...]]:
        """Values and qualities of all registers, in their order; MISSING where refused.

        Raises:
            MachineError: the link can't be trusted any longer.
        """
        if self._refused:
            await self._probe()
        while True:
            values: list[Value | None] = []
            qualities: list[Quality] = []
            doubtful = bool(self._refused)
            for group in self._groups:
                try:
                    data = await self._station.read(group.block)
                except BlockRefusedError as error:
                    await self._isolate(group, error)
                    break
                shown, trusted = group.decode(data)
                values += shown
                qualities += trusted
                doubtful = doubtful or trusted is not group.good
            else:
                missing = len(self._refused)
                values += [None] * missing
                qualities += [Quality.MISSING] * missing
                trust = self._in_order(qualities) if doubtful else self._all_good
                return self._in_order(values), trust

    def _merged(self) -> list[Group]:
        limits = self._limits
        return merged(self.registers, max_block=limits.max_block, gap=limits.gap)

    def _arrange(self) -> None:
        """Note where each register's value comes up, the refused ones last."""
        read = [register for group in self._groups for register in group.registers]
        at = {register.signal: place for place, register in enumerate([*read, *self.refused])}
        self._in_order = _picker([at[register.signal] for register in self.registers])

    async def _isolate(self, group: Group, why: BlockRefusedError) -> None:
        """Read a refused group in parts, to find what may be read together and what not at all."""
        kept: list[Group] = []
        culprits: list[Register] = []
        refused = [group]
        while refused:
            part = refused.pop()
            if len(part.registers) == 1:
                culprits += part.registers
                continue
            for half in part.split():
                try:
                    await self._station.read(half.block)
                except BlockRefusedError as error:
                    why = error
                    refused.append(half)
                else:
                    kept.append(half)
        others = [each for each in self._groups if each is not group]
        self._groups = sorted([*others, *kept], key=lambda each: each.block)
        ask_at = asyncio.get_running_loop().time() + PROBE_S
        self._refused |= {register.signal: (register, ask_at) for register in culprits}
        self._arrange()
        if culprits:
            names = ", ".join(f"{each.signal} at {each.source}" for each in culprits)
            log.warning("%s: refused, %s: %s", self._station.machine, why, names)

    async def _probe(self) -> None:
        """Ask for one of the refused registers, if its time has come."""
        now = asyncio.get_running_loop().time()
        register, ask_at = next(iter(self._refused.values()))
        if ask_at > now:
            return
        del self._refused[register.signal]
        alone = Group([register])
        try:
            await self._station.read(alone.block)
        except BlockRefusedError:
            self._refused[register.signal] = register, now + PROBE_S
        else:
            # Once all are back, the device is as it was, and may be read as it was.
            self._groups = [*self._groups, alone] if self._refused else self._merged()
            log.warning("%s: found again: %s", self._station.machine, register.signal)
        self._arrange()


def _picker(order: Sequence[int]) -> Callable[[list[Any]], tuple[Any, ...]]:
    """A function that puts a list into an order, as a tuple."""
    if len(order) == 1:
        return lambda items: (items[order[0]],)
    return itemgetter(*order)
