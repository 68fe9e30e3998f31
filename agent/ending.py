"""How a command ends: its exit status, and what is said where it can't do what it was asked."""

from typing import ClassVar

DONE, FAILED, MISUSED = 0, 1, 2


class CommandError(Exception):
    """Ends a command; the message is for the person who gave it."""

    status: ClassVar[int] = FAILED
    """Exit status: failed, or misused where the words or the files given are wrong."""
