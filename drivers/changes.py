"""Changes of a machine's states, told once however many ways they reach us.

A change of mode shows in a logbook event that says who did it, in the variable that we watch, and
in the next frame. The event is the best of the three, so where the machine announces one, the
others wait for it a moment.
"""

from collections.abc import Collection, Iterator
from datetime import datetime

from drivers.observations import Change, Notice, Value
from drivers.timeline import Timeline

HOLD_S = 1.5
"""How long a watched change waits for its logbook event."""

CHANGES = {
    "mode": Change.MODE,
    "production_status": Change.PRODUCTION,
    "job": Change.JOB,
    "mold": Change.MOLD,
}
"""States whose change is worth a notice."""


class Changes:
    """The states of one machine, and the notices of their changes.

    Args:
        machine: Its name.
        announced: States that the machine announces by logbook events.
    """

    def __init__(self, machine: str, announced: Collection[str]) -> None:
        self.timeline = Timeline()
        self._machine = machine
        self._announced = frozenset(announced)
        self._told: dict[str, Value] = {}
        self._held: dict[str, tuple[float, Notice]] = {}

    def watched(
        self, state: str, value: Value, at: datetime, received_at: datetime, now: float
    ) -> Iterator[Notice]:
        """A state as a variable shows it.

        Args:
            state: Its signal.
            value: What it is.
            at: Since when, by the machine's clock.
            received_at: UTC, our clock.
            now: By the loop's clock.
        """
        old = self.timeline.at(state, None)
        if not self.timeline.set(state, value, at) or state not in CHANGES:
            return
        if old is None:
            self._told[state] = value
            return
        notice = Notice(
            machine=self._machine,
            change=CHANGES[state],
            name=state,
            old=old,
            new=value,
            at=at,
            received_at=received_at,
        )
        if state in self._announced:
            yield from self._let_go(state)
            self._held[state] = (now + HOLD_S, notice)
        else:
            yield from self._tell(state, notice)

    def logged(self, notice: Notice) -> Iterator[Notice]:
        """A logbook event."""
        if notice.name not in CHANGES:
            yield notice
            return
        held = self._held.get(notice.name)
        if held is not None and held[1].new == notice.new:
            del self._held[notice.name]
        if notice.new is not None:
            self.timeline.set(notice.name, notice.new, notice.at)
        yield from self._tell(notice.name, notice)

    def due(self, now: float) -> Iterator[Notice]:
        """Changes that have waited long enough for an event that did not come."""
        for state, (until, _) in [*self._held.items()]:
            if until <= now:
                yield from self._let_go(state)

    @property
    def due_at(self) -> float:
        """When the next change has waited long enough, by the loop's clock."""
        return min((until for until, _ in self._held.values()), default=float("inf"))

    def _let_go(self, state: str) -> Iterator[Notice]:
        held = self._held.pop(state, None)
        if held is not None:
            yield from self._tell(state, held[1])

    def _tell(self, state: str, notice: Notice) -> Iterator[Notice]:
        if notice.new is None or self._told.get(state) != notice.new:
            if notice.new is not None:
                self._told[state] = notice.new
            yield notice
