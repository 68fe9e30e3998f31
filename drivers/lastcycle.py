"""Last-cycle registers of a device that overwrites them: taken so that they belong to one shot.

They hold from the end of a cycle to the end of the next. So they are read as soon as the counter
has changed, and count only if the counter, read after them, still is the same.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from drivers.curveblocks import CurveBlocks
from drivers.modbusline import Station
from drivers.observations import Origin, Quality, Report, Value
from drivers.register import Register
from drivers.registers import RegisterMap
from drivers.shotcounter import ShotCounter
from drivers.signals import Kind, kind_of
from drivers.sweep import Sweep

log = logging.getLogger(__name__)

TRIES = 3

Taken = tuple[tuple[Value | None, ...], tuple[Quality, ...]]


class LastCycle:
    """Takes the last cycle's values whenever the counter has changed.

    Args:
        station: Our place on the line to the device.
        counter: That tells when there are new ones.
        registers: What holds the last cycle's values; at least one.
        limits: The map.
        curves: What the device keeps of the shot besides; None where nothing is read.
    """

    def __init__(
        self,
        station: Station,
        counter: ShotCounter,
        registers: Sequence[Register],
        limits: RegisterMap,
        curves: CurveBlocks | None = None,
    ) -> None:
        self._machine = station.machine
        self._curves = curves
        self._registers = tuple(registers)
        self._settle_s = limits.settle_s
        self._modulus = counter.register.modulus
        self._counter = counter
        self._values = Sweep(station, registers, limits)
        together = Sweep(station, [*registers, counter.register], limits)
        self._inside = together.requests == self._values.requests
        if self._inside:
            self._values = together
        self._last: int | None = None
        self._before: Taken | None = None
        self._told = False

    @property
    def refused(self) -> tuple[Register, ...]:
        """Registers that the device does not let us read."""
        return self._values.refused

    async def take(self, counter: int, seen_at: datetime) -> Report | None:
        """The report of the last shot, once for each value of the counter.

        Args:
            counter: As just read.
            seen_at: When that was, our clock.

        Returns:
            None where there is no other shot than the one already reported, and where the counter
            runs away under the reading.
        """
        if counter == self._last:
            return None
        if self._last is not None and self._settle_s:
            await asyncio.sleep(self._settle_s)
        fresh = self._last is not None
        fell = self._last is not None and counter < self._last
        none_yet = counter == 0 and not self._wraps()
        taken = None if none_yet else await self._settled(counter, twice=not fresh)
        if taken is None:
            self._last = counter
            return None
        settled, shown = taken
        received_at = datetime.now(UTC)
        same, self._before, self._last = shown == self._before, shown, settled
        if same and fell:
            return None  # the counter was set back; the shot is the one that we have reported
        if not fresh and _is_zeroed(shown):
            return None  # the device was started, and keeps its counter but not its last cycle
        ended_at = seen_at if settled == counter else received_at
        report = self._report(settled, shown, ended_at, received_at, fresh=fresh)
        if self._curves is None or not fresh:
            return report
        return replace(report, curves=await self._curves.take(settled))

    def _wraps(self) -> bool:
        """Whether the counter's next step may lead to 0."""
        return bool(self._modulus and self._last and self._last > 0.9 * self._modulus)

    async def _settled(self, counter: int, *, twice: bool) -> tuple[int, Taken] | None:
        """The values with the counter that stood before and after them.

        Args:
            counter: As last read.
            twice: Two readings must agree. We do not know how long the counter has stood, so the
                device may just be writing the next cycle's values.
        """
        before: Taken | None = None
        for _ in range(TRIES):
            values, qualities = await self._values.read()
            inside = values[-1] if self._inside else counter
            after = await self._counter.read()
            if not isinstance(after, int):
                return None
            if inside == counter == after:
                end = len(self._registers)
                shown = values[:end], qualities[:end]
                if shown == before or not twice:
                    return after, shown
                before = shown
            else:
                counter, before = after, None
        if not self._told:
            self._told = True
            log.warning(
                "%s: the last cycle's registers changed while they were read, %d times in a row; "
                "the shot at counter %d has no values (said once)",
                self._machine,
                TRIES,
                counter,
            )
        return None

    def _report(
        self, counter: int, shown: Taken, ended_at: datetime, received_at: datetime, *, fresh: bool
    ) -> Report:
        values: dict[str, Value] = {}
        states: dict[str, str] = {}
        for register, value in zip(self._registers, shown[0], strict=True):
            if value is None:
                continue
            if kind_of(register.signal) is Kind.STATE:
                states[register.signal] = str(value)
            else:
                values[register.signal] = value
        return Report(
            machine=self._machine,
            counter=counter,
            ended_at=ended_at,
            received_at=received_at,
            origin=Origin.LATCHED,
            fresh=fresh,
            values=values,
            units={r.signal: r.unit for r in self._registers if r.unit and r.signal in values},
            resolutions={
                r.signal: r.resolution
                for r in self._registers
                if r.resolution is not None and r.signal in values
            },
            states=states,
        )


def _is_zeroed(shown: Taken) -> bool:
    numbers = [value for value in shown[0] if isinstance(value, int | float)]
    return bool(numbers) and not any(numbers)
