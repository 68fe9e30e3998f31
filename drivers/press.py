"""What every driver hands out: a press that we are connected to."""

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from drivers.condition import Condition
from drivers.observations import Column, Frame, Observation


class Press(Protocol):
    """A connected machine; a driver's `open_press(settings)` makes one and closes it.

    Every method raises a `MachineError` when the link can no longer be trusted; nobody reconnects
    inside a driver.
    """

    @property
    def columns(self) -> tuple[Column, ...]:
        """The signals of its frames."""
        ...

    @property
    def report_columns(self) -> tuple[Column, ...]:
        """What it yields once a cycle, in reports; empty where there are none."""
        ...

    @property
    def reports(self) -> bool:
        """Whether it yields a `Report` per cycle; if not, cycles are made from its frames."""
        ...

    @property
    def counter_modulus(self) -> int | None:
        """What the shot counter counts modulo (65536, 10000); None where unknown or too wide."""
        ...

    @property
    def identity(self) -> Mapping[str, str]:
        """What the machine says of itself: `manufacturer`, `model`, `serial`, `identity` (whatever
        proves it), `controller`, `software`; may be empty."""
        ...

    @property
    def condition(self) -> Condition:
        """How the connection does, as `sprue status` shows it."""
        ...

    async def read(self) -> Frame:
        """Every signal once, now."""
        ...

    def observations(self) -> AsyncIterator[Observation]:
        """Frames, reports and notices, until the link fails or the caller stops.

        The first observation is a `Frame` with what the machine shows at once.
        """
        ...
