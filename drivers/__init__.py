"""What a machine can tell us, and the ways of asking.

Import the words from here and a driver from its own module:

    from drivers import Frame, MachineError, Report
    from drivers.modbus import open_press
"""

from drivers.errors import (
    GarbledError,
    MachineError,
    MapError,
    MistakenError,
    RefusedError,
    StaleError,
    UnreachableError,
)
from drivers.observations import (
    Change,
    Column,
    Frame,
    Link,
    Notice,
    Observation,
    Origin,
    Quality,
    Report,
    Value,
)

__all__ = [
    "Change",
    "Column",
    "Frame",
    "GarbledError",
    "Link",
    "MachineError",
    "MapError",
    "MistakenError",
    "Notice",
    "Observation",
    "Origin",
    "Quality",
    "RefusedError",
    "Report",
    "StaleError",
    "UnreachableError",
    "Value",
]
