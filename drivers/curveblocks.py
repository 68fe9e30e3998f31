"""Whole curves that a device keeps of its last shot in blocks of registers: one register a sample.

The shot's number is read before the first page and after the last; where it is not the same, and
that of the shot in question, the pages belong to no shot that we know.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from drivers.blocks import Block
from drivers.modbusline import Station
from drivers.modbuslink import BlockRefusedError
from drivers.observations import Column, Sampled
from drivers.register import Register
from drivers.registers import CurveRegisters, RegisterMap
from drivers.sweep import Sweep

MOST_SAMPLES = 36_000
"""More is no number of samples."""
FORMS = {"int16": "h", "uint16": "H"}


@dataclass(frozen=True, slots=True)
class _Head:
    shot: int
    samples: int
    step_s: float


class CurveBlocks:
    """The curves of one device.

    Args:
        station: Our place on the line to it.
        curves: Where they are.
        limits: The map.
    """

    def __init__(self, station: Station, curves: CurveRegisters, limits: RegisterMap) -> None:
        interval = (curves.interval,) if curves.interval is not None else ()
        self._station = station
        self._curves = curves
        self._page = limits.max_block
        self._head = Sweep(station, (curves.counter, curves.samples, *interval), limits)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The curves, as they come once a shot."""
        return tuple(register.column for register in self._curves.curves)

    async def take(self, shot: int) -> Mapping[str, Sampled]:
        """The curves of one shot, by signal; none where what stands there is of another.

        Raises:
            MachineError: the link can't be trusted any longer.
        """
        before = await self._said()
        if before is None or before.shot != shot % self._modulus:
            return {}
        try:
            curves = {
                register.signal: Sampled(
                    step_s=before.step_s,
                    values=await self._values(register, before.samples),
                    resolution=register.resolution,
                )
                for register in self._curves.curves
            }
        except BlockRefusedError:
            return {}  # the device keeps none, or fewer than it says
        return curves if await self._said() == before else {}

    @property
    def _modulus(self) -> int:
        return 1 << (16 * self._curves.counter.words)

    async def _said(self) -> _Head | None:
        """What the device says of its curves; None where it says nothing that makes sense."""
        (counter, samples, *rest), _ = await self._head.read()
        ms = rest[0] if rest else self._curves.interval_ms
        if not isinstance(counter, int) or not isinstance(samples, int):
            return None
        if not isinstance(ms, int | float) or ms <= 0 or not 1 < samples <= MOST_SAMPLES:
            return None
        return _Head(counter, samples, ms / 1000)

    async def _values(self, register: Register, samples: int) -> tuple[float | None, ...]:
        values: list[float | None] = []
        while len(values) < samples:
            count = min(self._page, samples - len(values))
            block = Block(register.function, register.address + len(values), count)
            data = await self._station.read(block)
            raws = struct.unpack(f">{count}{FORMS[register.type]}", data)
            values += [None if raw in register.invalid else register.scaling(raw) for raw in raws]
        return tuple(values)
