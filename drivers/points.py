"""Mapped nodes in one connection: found, read together, decoded."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from asyncua import ua

from drivers.browsing import resolve
from drivers.errors import UnreachableError
from drivers.guardedread import GuardedRead
from drivers.knownnodes import KnownNodes
from drivers.mappednode import MappedNode
from drivers.nodeunits import NodeUnits
from drivers.observations import Column, Quality, Value
from drivers.reading import told_time
from drivers.session import Session
from drivers.signals import plausible
from drivers.skew import Stamps
from drivers.uaerrors import ABSENT

log = logging.getLogger(__name__)

PROVE_S = 1.0
"""Between two lookups of nodes that have come back."""

_NOTHING: tuple[Value | None, Quality] = (None, Quality.MISSING)


@dataclass(slots=True)
class Shown:
    """What some nodes showed at one reading, aligned with the nodes."""

    values: list[Value | None]
    qualities: list[Quality]
    times: list[datetime | None]
    """When the machine set each value, by its own clock; None where it does not say."""
    asked_at: datetime | None = None
    """When we asked for it, by our clock; None where it was told unasked."""

    @property
    def time(self) -> datetime | None:
        """The newest of the machine's times."""
        return max((time for time in self.times if time is not None), default=None)


class Points:
    """Some nodes of a map in one connection, in the order they were given.

    Nodes that are not there are asked for again whenever `find` is called; the others never wait
    for them. What comes back under an id is looked up anew before its value counts.

    Args:
        session: The connection.
        nodes: As mapped.
        known: What they are called; None: ids are taken as they are.
    """

    def __init__(
        self, session: Session, nodes: Sequence[MappedNode], known: KnownNodes | None = None
    ) -> None:
        self.nodes = tuple(nodes)
        self.found: list[ua.NodeId | None] = [None] * len(nodes)
        self._session = session
        self._known = known
        self._unproved: frozenset[int] = frozenset()
        self._came = False
        """Whether something shows where a node is not proved."""
        self._found_at = 0.0
        self._all = _Places(session, [])
        self._unwatched: frozenset[int] = frozenset()
        self._polled = _Places(session, [])
        self.units = NodeUnits(session.machine, nodes)
        self._stamps = Stamps(session.machine_clock)
        self._absent: set[int] = set(range(len(nodes)))
        self._told: frozenset[int] = frozenset()
        self.unavailable: tuple[str, ...] = ()
        """What is not there, where and why; for a person."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The signal table, with the units that the machine uses now."""
        return columns_of([self.units.node(at) or node for at, node in enumerate(self.nodes)])

    @property
    def absent(self) -> tuple[MappedNode, ...]:
        """The nodes that were not there when last read."""
        return tuple(self.nodes[slot] for slot in sorted(self._absent))

    async def find(self) -> None:
        """Look the nodes up, by the namespaces as they are now.

        Raises:
            UnreachableError: the namespaces moved since we connected; all ids are void.
        """
        before = self._session.namespaces
        await self._session.look_up()
        if self._session.namespaces[: len(before)] != before and len(before) > 1:
            raise UnreachableError(self._session.machine, "the server's namespaces have moved")
        addresses = [node.address for node in self.nodes]
        if self._known is None:
            self.found = await resolve(self._session, addresses)
        else:
            self.found, self._unproved = await self._known.find(self._session, addresses)
        self._found_at = time.monotonic()
        await self.units.find(self._session, self.found)
        self._all = _Places(self._session, [*self._places(range(len(self.found)))])
        self._polled = self._to_poll()

    async def read(self) -> Shown:
        """Every node once, in as few requests as the server takes."""
        shown = await self._shown()
        if self._came and time.monotonic() - self._found_at > PROVE_S:
            await self.find()
            shown = await self._shown()
        self._stamps.take([*shown.times], datetime.now(UTC))
        self.note(shown.qualities)
        return shown

    async def _shown(self) -> Shown:
        count = len(self.nodes)
        asked_at = datetime.now(UTC)
        shown = Shown([None] * count, [Quality.MISSING] * count, [None] * count, asked_at)
        self._came = False
        await self._show(self._all, shown)
        return shown

    @property
    def polled(self) -> frozenset[int]:
        """The nodes that `read_polled` reads: whose unit the server says, and `poll` named."""
        return self._unwatched.union(self.units.found)

    def poll(self, slots: Iterable[int]) -> None:
        """Say which nodes can't be had otherwise than by reading them."""
        unwatched = frozenset(slots)
        if unwatched != self._unwatched:
            self._unwatched = unwatched
            self._polled = self._to_poll()

    def _to_poll(self) -> "_Places":
        return _Places(self._session, [*self._places(sorted(self.polled))])

    async def read_polled(self, shown: Shown) -> None:
        """Only the nodes of `polled`, into what was shown before."""
        if self._polled.read:
            await self._show(self._polled, shown)

    def _places(self, slots: Iterable[int]) -> Iterator[tuple[int, bool, ua.NodeId]]:
        """What to read for some nodes: each unit just before its value."""
        for slot in slots:
            if (unit := self.units.found.get(slot)) is not None:
                yield slot, True, unit
            if (node_id := self.found[slot]) is not None:
                yield slot, False, node_id

    async def _show(self, places: "_Places", shown: Shown) -> None:
        answers = await places.batch.read()
        for (slot, is_unit, _), answer in zip(places.read, answers, strict=True):
            if is_unit:
                self.units.take(slot, answer)
            else:
                shown.values[slot], shown.qualities[slot] = self.decoded(slot, answer)
                shown.times[slot] = told_time(answer.SourceTimestamp)

    def decoded(self, slot: int, answer: ua.DataValue) -> tuple[Value | None, Quality]:
        """One node's answer, in the unit that the machine uses now."""
        if slot in self._unproved:
            self._came = self._came or answer.StatusCode.value not in ABSENT
            return _NOTHING
        node = self.units.node(slot)
        if node is None:
            return None, Quality.BAD  # in a unit that can't be made ours
        return decoded(node, answer)

    def note(self, qualities: Sequence[Quality]) -> None:
        """Tell of nodes that are gone, or back, since we last told."""
        self._absent = {slot for slot, q in enumerate(qualities) if q is Quality.MISSING}
        if self._known is not None and not self._unproved >= self._absent:
            self._unproved |= self._absent
        if self._absent == self._told:
            return
        for word, slots in (
            ("not found", self._absent - self._told),
            ("found again", self._told - self._absent),
        ):
            if slots:
                names = ", ".join(
                    f"{self.nodes[slot].signal} at {self.nodes[slot].address.text}"
                    for slot in sorted(slots)
                )
                log.warning("%s: %s: %s", self._session.machine, word, names)
        self._told = frozenset(self._absent)
        self.unavailable = tuple(self._reason(slot) for slot in sorted(self._absent))

    def _reason(self, slot: int) -> str:
        node = self.nodes[slot]
        why = "the server has no such node"
        if self._known is not None:
            why = self._known.faults.get(node.address.text, why)
        for at, culprit in self._all.batch.culprits.items():
            if self._all.read[at][:2] == (slot, False):
                why = culprit
        return f"{node.signal} at {node.address.text}: {why}"


class _Places:
    """Some nodes and units that are read together."""

    def __init__(self, session: Session, places: Sequence[tuple[int, bool, ua.NodeId]]) -> None:
        self.read = tuple(places)
        """Slot, whether it is the unit, and where."""
        self.batch = GuardedRead(session, [node_id for _, _, node_id in places])


def decoded(node: MappedNode, answer: ua.DataValue) -> tuple[Value | None, Quality]:
    """One answer of the server in our unit or words, and how far it may be trusted."""
    code = answer.StatusCode.value if answer.StatusCode else 0
    if code >> 30 >= 2:  # the two top bits are the severity: 0 good, 1 uncertain, 2 and 3 bad
        return _NOTHING if code in ABSENT else (None, Quality.BAD)
    value = node.value(answer.Value.Value if answer.Value else None)
    if value is None:
        return None, Quality.BAD
    doubtful = isinstance(value, float) and not plausible(node.signal, value)
    return value, Quality.UNCERTAIN if doubtful or code >> 30 else Quality.GOOD


def columns_of(nodes: Sequence[MappedNode]) -> tuple[Column, ...]:
    """The signal table of some nodes."""
    return tuple(
        Column(
            signal=node.signal,
            source=node.address.text,
            unit=node.unit,
            resolution=node.resolution,
        )
        for node in nodes
    )
