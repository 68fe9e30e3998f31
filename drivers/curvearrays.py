"""Whole curves that a server shows after each shot, as arrays: read once, and only of that shot.

One Read brings the shot's number, the arrays and the number again; they count only where it is the
same before and after, and that of the shot in question.
"""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from drivers.browsing import resolve
from drivers.guardedread import GuardedRead
from drivers.knownnodes import KnownNodes
from drivers.mappednode import MappedNode
from drivers.nodeunits import NodeUnits, UnitChange
from drivers.observations import Column, Sampled
from drivers.session import Session
from drivers.uaerrors import LateError

log = logging.getLogger(__name__)

MOST_SAMPLES = 36_000
"""An hour at 10 Hz, six minutes at 100 Hz; a longer array is no curve of a shot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveMap:
    """Where a machine shows the curves of its last shot."""

    counter: MappedNode
    """The number of the shot that they are of."""
    nodes: tuple[MappedNode, ...]
    """The arrays."""
    interval: MappedNode | None = None
    """From one sample to the next, in s as mapped; None where it is fixed."""
    interval_s: float = 0.0
    """Where it is fixed."""


class CurveArrays:
    """The curves of one machine in one connection.

    Args:
        session: The connection.
        curves: Where they are.
        known: What the nodes are called; None: ids are taken as they are.
    """

    def __init__(self, session: Session, curves: CurveMap, known: KnownNodes | None = None) -> None:
        extra = (curves.interval,) if curves.interval is not None else ()
        self._session = session
        self._map = curves
        self._known = known
        self._nodes = (curves.counter, *extra, *curves.nodes)
        self._first = 1 + len(extra)
        self._units = NodeUnits(session.machine, self._nodes)
        self._places: list[tuple[int, bool]] = []
        self._batch = GuardedRead(session, [])

    @property
    def columns(self) -> tuple[Column, ...]:
        """The curves, as they come once a shot."""
        return tuple(
            Column(signal=node.signal, source=f"array {node.address.text}", unit=node.unit)
            for node in self._map.nodes
        )

    def unit_changes(self) -> Iterator[UnitChange]:
        """Switches of units since the last call."""
        return self._units.changes()

    async def find(self) -> None:
        """Look the nodes up."""
        addresses = [node.address for node in self._nodes]
        if self._known is None:
            found = await resolve(self._session, addresses)
        else:
            found, unproved = await self._known.find(self._session, addresses)
            found = [None if at in unproved else each for at, each in enumerate(found)]
        await self._units.find(self._session, found)
        self._places, ids = [], []
        for slot, node_id in enumerate(found):
            if (unit := self._units.found.get(slot)) is not None:
                self._places.append((slot, True))
                ids.append(unit)
            if node_id is not None:
                self._places.append((slot, False))
                ids.append(node_id)
        if found[0] is not None:
            self._places.append((0, False))
            ids.append(found[0])
        self._batch = GuardedRead(self._session, ids)

    async def take(self, shot: int | None) -> Mapping[str, Sampled]:
        """The curves of one shot, by signal; none where what stands there is of another.

        Args:
            shot: Its number by the map's counter; None where that is not known.
        """
        if shot is None or (0, False) not in self._places:
            return {}
        try:
            answers = await self._batch.read()
        except LateError:
            return {}  # the shot stands without them; a dead link shows elsewhere
        raw: dict[int, object] = {}
        numbers: list[object] = []
        for (slot, is_unit), answer in zip(self._places, answers, strict=True):
            if is_unit:
                self._units.take(slot, answer)
                continue
            good = answer.StatusCode.is_good() and answer.Value is not None
            raw[slot] = answer.Value.Value if good else None
            if slot == 0:
                numbers.append(self._map.counter.value(raw[0]))
        if numbers != [shot, shot]:
            return {}
        step_s = self._step_s(raw.get(1))
        if step_s is None:
            return {}
        curves = {}
        for slot, node in enumerate(self._map.nodes, self._first):
            now, array = self._units.node(slot), raw.get(slot)
            if now is not None and isinstance(array, list) and 1 < len(array) <= MOST_SAMPLES:
                curves[node.signal] = Sampled(step_s=step_s, values=tuple(_values(now, array)))
        return curves

    def _step_s(self, raw: object) -> float | None:
        if self._map.interval is None:
            return self._map.interval_s
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not raw > 0:
            return None
        return self._map.interval.scaling(raw)


def _values(node: MappedNode, array: Sequence[object]) -> Iterator[float | None]:
    for raw in array:
        is_number = isinstance(raw, int | float) and not isinstance(raw, bool)
        if not is_number or not math.isfinite(raw) or raw in node.invalid:  # type: ignore[arg-type]
            yield None
        else:
            yield node.scaling(raw)  # type: ignore[arg-type]
