"""What a machine's states were, by its own clock: an event belongs to the mold of its instant.

Values, events and readings of one machine reach us in no sure order, but each has its time.
"""

from collections import deque
from datetime import datetime

from drivers.observations import Value

KEPT = 32
"""Changes per state; an event is late by a few changes at the most."""


class Timeline:
    """The latest changes of some states."""

    def __init__(self) -> None:
        self._changes: dict[str, deque[tuple[datetime, Value]]] = {}

    def set(self, state: str, value: Value, at: datetime) -> bool:
        """Note a state as it is from an instant on; whether it differs from what it was then."""
        changes = self._changes.setdefault(state, deque(maxlen=KEPT))
        was = self.at(state, at)
        if was == value:
            return False
        place = len(changes)
        while place and changes[place - 1][0] > at:
            place -= 1
        if len(changes) == KEPT:
            changes.popleft()
            place = max(0, place - 1)
        changes.insert(place, (at, value))
        return True

    def at(self, state: str, instant: datetime | None) -> Value | None:
        """A state at an instant, now if it is None; before the first that we know, that one."""
        changes = self._changes.get(state)
        if not changes:
            return None
        if instant is None:
            return changes[-1][1]
        for at, value in reversed(changes):
            if at <= instant:
                return value
        return changes[0][1]
