"""The words of a press's control, by the numbers that machines use for them."""

from enum import IntEnum


class Phase(IntEnum):
    """What the press is doing; the numbers are the retrofit PLC's and the flat server's."""

    IDLE = 0
    CLOSE = 1
    FILL = 2
    HOLD = 3
    COOL = 4
    OPEN = 5
    EJECT = 6
    PAUSE = 7


class Mode(IntEnum):
    """OPC 40083 MachineModeEnumeration."""

    OTHER = 0
    AUTOMATIC = 1
    SEMI_AUTOMATIC = 2
    MANUAL = 3
    SETUP = 4
    SLEEP = 5


MOLDING = (Mode.AUTOMATIC, Mode.SEMI_AUTOMATIC)
"""Modes in which a press runs cycles by itself."""


class ProductionStatus(IntEnum):
    """OPC 40083 ProductionStatusEnumeration."""

    OTHER = 0
    NO_PRODUCTION = 1
    START_UP = 2
    READY_FOR_PRODUCTION = 3
    PRODUCTION = 4
    DRY_RUN = 5


class Quality(IntEnum):
    """OPC 40083 CycleQualityEnumeration."""

    GOOD = 0
    BAD = 1
    TEST_SAMPLE = 2
    FAILED = 3
