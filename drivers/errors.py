"""Everything a machine can do to us, grouped by what the caller does next.

MachineError
├── UnreachableError   no link, or it dropped           -> wait and try again
├── RefusedError       it answered, and said no         -> a person must act; try again rarely
├── MistakenError      another machine answers          -> a person must act; nothing is booked
├── GarbledError       an answer that is off the map    -> the map, or the machine, is wrong
└── StaleError         the link stands, nothing comes   -> connect anew

MapError is ours, not a machine's: a map file that can't be used.
"""


class MachineError(Exception):
    """Something one machine did.

    Args:
        machine: The name from the configuration.
        what: What happened, for a person, without the name.
    """

    cause = "unreachable"
    """How the blind interval that follows is called (`blind` in the record)."""

    def __init__(self, machine: str, what: str) -> None:
        super().__init__(f"{machine}: {what}")
        self.machine = machine
        self.what = what


class UnreachableError(MachineError):
    """No link, or it dropped."""


class RefusedError(MachineError):
    """The machine answered and said no: security, a log-in, an unknown node or address."""

    cause = "refused"


class MistakenError(MachineError):
    """Another machine answers than the one that is meant, or was there before."""

    cause = "mistaken"


class GarbledError(MachineError):
    """An answer that does not fit what the map says."""

    cause = "garbled"


class StaleError(MachineError):
    """The link stands, but nothing has come over it for too long."""

    cause = "stale"


class MapError(ValueError):
    """A register or node map that can't be used.

    The message is whole: it names the file, the entry, what was found and what would be right.
    """
