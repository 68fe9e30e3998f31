"""What the faults of its presses make of an OPC UA server for as long as they are on."""

import time
from collections.abc import Sequence

from simulators.faults import Active, Faults
from simulators.opcua.distortion import VALUE_FAULTS
from simulators.opcua.server import UaServer

CENTURY_S = 100 * 365.25 * 86_400
"""A clock that is further off is held there: dates have an end."""


class Conditions:
    """Applies the lasting faults of the presses behind one server.

    Bad values are those of the press with the fault alone; clock, sessions and trust are the
    server's, so there a fault of any press is one of all behind it. A server stands still when all
    its presses do; where only some do, a face keeps their values as they are.
    """

    def __init__(self, faults: Sequence[Faults]) -> None:
        self._faults = tuple(faults)
        self._clock_lost: tuple[Active, float] | None = None

    async def apply(self, server: UaServer, changed: str = "") -> None:
        """Let a server be as the faults are now.

        Args:
            server: One that is built, reachable or not.
            changed: The fault that came or went; empty for a new server.
        """
        server.clock_offset_s = self.clock_offset_s()
        server.allow_sessions(self._sessions())
        server.trust_clients(not self._on("certificate_untrusted"))
        frozen = all(each.active("frozen_values") for each in self._faults)
        if server.frozen and not frozen:
            await server.thaw()
        if changed in VALUE_FAULTS or (not changed and any(each.names for each in self._faults)):
            await server.refresh()  # a new server freezes with values as the other faults have them
        server.frozen = frozen

    def clock_offset_s(self) -> float:
        """How far the control's clock is ahead of ours."""
        for active in self._on("clock_1970"):
            if self._clock_lost is None or self._clock_lost[0] is not active:
                self._clock_lost = active, time.time()
            return -self._clock_lost[1]
        ahead = sum(active["by_s"] for active in self._on("clock_forward"))
        behind = sum(active["by_s"] for active in self._on("clock_back"))
        return max(-time.time(), min(ahead - behind, CENTURY_S))

    def _on(self, name: str) -> list[Active]:
        return [active for each in self._faults if (active := each.active(name)) is not None]

    def _sessions(self) -> int | None:
        allowed = [int(active["sessions"]) for active in self._on("session_limit")]
        return min(allowed) if allowed else None
