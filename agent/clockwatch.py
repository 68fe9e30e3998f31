"""The clocks of a machine and of its server beside ours: a jump is told, and nothing is mended.

Cycles keep the stamp that the machine gave them, and are told apart by their counter. Where a stamp
is far off, the cycle says so (`clock_off`); when the clock was set, a notice does.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from drivers import Notice
from drivers.condition import Condition
from drivers.observations import Change
from drivers.skew import Skew

JUMP_S = 5.0
"""Clocks drift by seconds a day; one that is off by so much more at once was set."""
MACHINE, SERVER, OURS = "clock", "server_clock", "our_clock"
"""What a notice says was set."""


def own_s() -> float:
    """Our own clock less one that nobody sets."""
    return time.time() - time.monotonic()


@dataclass(frozen=True, slots=True)
class _Known:
    """A skew, and where our own clock was when it was found."""

    skew: Skew
    own_s: float


class ClockWatch:
    """Follows the clocks of one machine through all its connections.

    Args:
        machine: Its name.
        own_s: Our own clock less one that nobody sets, so that our being set is not taken for
            theirs.
    """

    def __init__(self, machine: str, own_s: Callable[[], float] = own_s) -> None:
        self._machine = machine
        self._own_s = own_s
        self._set_from_s = own_s()
        self._known: dict[str, _Known] = {}

    def take(self, condition: Condition, at: datetime) -> list[Notice]:
        """What is told of the clocks as they are now; mostly nothing.

        Args:
            condition: How the connection does.
            at: Now, UTC.
        """
        now_s = self._own_s()
        notices = []
        if abs(now_s - self._set_from_s) > JUMP_S:
            notices.append(self._notice(OURS, 0.0, now_s - self._set_from_s, at))
            self._set_from_s = now_s
        for name, skew in ((MACHINE, condition.clock), (SERVER, condition.server_clock)):
            known = self._known.get(name)
            if skew is None or (known and known.skew is skew):
                continue
            self._known[name] = _Known(skew, now_s)
            if known is None:
                continue
            moved_s = skew.ahead_s - known.skew.ahead_s + now_s - known.own_s
            if abs(moved_s) - skew.within_s - known.skew.within_s > JUMP_S:
                notices.append(self._notice(name, known.skew.ahead_s, skew.ahead_s, at))
        return notices

    def _notice(self, name: str, old_s: float, new_s: float, at: datetime) -> Notice:
        return Notice(
            machine=self._machine,
            change=Change.CLOCK,
            name=name,
            old=round(old_s, 1),
            new=round(new_s, 1),
            unit="s",
            at=at,
            received_at=at,
        )
