"""Where a Modbus line is: behind a TCP port, or at a serial port of this computer."""

from typing import Literal, NamedTuple

from drivers.modbusframe import FramingName

Parity = Literal["N", "E", "O"]

BITS_PER_CHARACTER = 11
SILENT_CHARACTERS = 3.5
"""Between frames on a serial line."""
LEAST_SILENCE_S = 0.00175
"""The same on fast lines, from 19,200 baud on.

Source:
    MODBUS over Serial Line V1.02, 2.5.1.1.
"""


class Port(NamedTuple):
    """A TCP port."""

    host: str
    port: int
    framing: FramingName
    is_secured: bool = False
    """Whether it speaks TLS, and nothing else."""

    @property
    def silence_s(self) -> float:
        """How long the line has to be still before a request."""
        return 0.0

    def __str__(self) -> str:
        """For a person."""
        return f"{self.host}:{self.port}"


class Serial(NamedTuple):
    """A serial port, which carries RTU frames of 8 bits a character."""

    device: str
    baud: int
    parity: Parity
    stop_bits: int

    @property
    def framing(self) -> FramingName:
        """Of requests and answers."""
        return "rtu"

    @property
    def silence_s(self) -> float:
        """How long the line has to be still before a request.

        >>> round(Serial("/dev/ttyUSB0", 9600, "E", 1).silence_s, 5)
        0.00401
        """
        return max(LEAST_SILENCE_S, SILENT_CHARACTERS * BITS_PER_CHARACTER / self.baud)

    def __str__(self) -> str:
        """For a person."""
        return self.device
