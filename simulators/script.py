"""What is to happen to one press, and when in its own time."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count

Act = Callable[[], Awaitable[None]]


@dataclass(order=True, slots=True)
class _Entry:
    at_s: float
    number: int
    act: Act = field(compare=False)
    between: bool = field(compare=False)


class Script:
    """Acts by process time; those of one instant in the order in which they were added."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._numbers = count()
        self.changed = asyncio.Event()
        """Set when something was added; whoever waits clears it."""

    def add(self, at_s: float, act: Act, *, between: bool = False) -> None:
        """Let something happen at the first phase that starts at that time or later.

        Args:
            at_s: Process seconds of the press.
            act: What happens.
            between: Only between two cycles, as a mold change.
        """
        heapq.heappush(self._entries, _Entry(at_s, next(self._numbers), act, between))
        self.changed.set()

    @property
    def next_s(self) -> float | None:
        """When the next act is due; None where nothing is to come."""
        return self._entries[0].at_s if self._entries else None

    def due(self, at_s: float, *, between: bool) -> Act | None:
        """Take the next act that is due; those for between two cycles only where that is."""
        if not self._entries or self._entries[0].at_s > at_s:
            return None
        if between:
            return heapq.heappop(self._entries).act
        ready = [entry for entry in self._entries if entry.at_s <= at_s and not entry.between]
        if not ready:
            return None
        first = min(ready)
        self._entries.remove(first)
        heapq.heapify(self._entries)
        return first.act
