"""The shot counter of a Modbus device, read so that a torn number is never taken for a shot."""

from drivers.modbusline import Station
from drivers.observations import Value
from drivers.register import Register
from drivers.registers import RegisterMap
from drivers.sweep import Sweep

LEAP = 1000
"""A counter that rises by more between two readings, or falls, is read again."""
TRIES = 4


class ShotCounter:
    """Reads one counter.

    A counter of two registers is torn where the device writes them one after the other and is read
    in between: at 65,536 shots it shows 0 or 131,071.

    Args:
        station: Our place on the line to the device.
        register: Where the counter is.
        limits: The map.
    """

    def __init__(self, station: Station, register: Register, limits: RegisterMap) -> None:
        self.register = register
        self._sweep = Sweep(station, [register], limits)
        self._last: int | None = None

    @property
    def seen(self) -> bool:
        """Whether a count was ever believed on this connection."""
        return self._last is not None

    async def read(self) -> Value | None:
        """What it shows; None where it can't be read."""
        (value,), _ = await self._sweep.read()
        return value

    async def sure(self, shown: Value | None) -> int | None:
        """A count that may be believed.

        Args:
            shown: As read with the other registers.

        Returns:
            `shown` where it follows the last count closely; else what two readings in a row agree
            on. None where there is no count, or it will not stand still.
        """
        last, before = self._last, shown
        if last is not None and isinstance(shown, int) and 0 <= shown - last <= LEAP:
            self._last = shown
            return shown
        for _ in range(TRIES):
            if not isinstance(before, int):
                return None
            now = await self.read()
            if isinstance(now, int) and 0 <= now - before <= 1:
                self._last = now
                return now
            before = now
        return None
