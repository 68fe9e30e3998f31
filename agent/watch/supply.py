"""What the presses of a plant have in common: the water.

One object for a plant, that the watches of its presses share.
"""

from datetime import datetime, timedelta

from agent.watch.verdict import Elsewhere

TOGETHER = timedelta(minutes=20)
"""Presses that turn warm within this have one cause."""


class Supply:
    """Remembers which presses' water or molds turned warm of late."""

    def __init__(self) -> None:
        self._warm: dict[str, tuple[datetime, str, str]] = {}

    def warmed(self, machine: str, at: datetime, signal: str, anomaly: str) -> None:
        """A press's water or mold is warm since then."""
        self._warm[machine] = (at, signal, anomaly)

    def cooled(self, machine: str) -> None:
        """It is as ever again."""
        self._warm.pop(machine, None)

    def elsewhere(self, machine: str, at: datetime) -> list[Elsewhere]:
        """The other presses that turned warm at about that time, the earliest first."""
        return [
            Elsewhere(machine=other, anomaly=anomaly, signal=signal)
            for other, (since, signal, anomaly) in sorted(self._warm.items(), key=lambda i: i[1][0])
            if other != machine and abs(at - since) <= TOGETHER
        ]
