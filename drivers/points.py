"""Mapped nodes in one connection: found, read together, decoded."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncua import ua

from drivers.browsing import resolve
from drivers.errors import UnreachableError
from drivers.guardedread import GuardedRead
from drivers.mappednode import MappedNode
from drivers.observations import Column, Quality, Value
from drivers.session import Session
from drivers.signals import plausible
from drivers.uaerrors import ABSENT

log = logging.getLogger(__name__)

_NOTHING: tuple[Value | None, Quality] = (None, Quality.MISSING)


@dataclass(slots=True)
class Shown:
    """What some nodes showed at one reading, aligned with the nodes."""

    values: list[Value | None]
    qualities: list[Quality]
    times: list[datetime | None]
    """When the machine set each value, by its own clock; None where it does not say."""

    @property
    def time(self) -> datetime | None:
        """The newest of the machine's times."""
        return max((time for time in self.times if time is not None), default=None)


class Points:
    """Some nodes of a map in one connection, in the order they were given.

    Nodes that are not there are asked for again whenever `find` is called; the others never wait
    for them.
    """

    def __init__(self, session: Session, nodes: Sequence[MappedNode]) -> None:
        self.nodes = tuple(nodes)
        self.found: list[ua.NodeId | None] = [None] * len(nodes)
        self._session = session
        self._slots: list[int] = []
        self._batch = GuardedRead(session, [])
        self._absent: set[int] = set(range(len(nodes)))
        self._told: frozenset[int] = frozenset()
        self.unavailable: tuple[str, ...] = ()
        """What is not there, where and why; for a person."""

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
        self.found = await resolve(self._session, [node.address for node in self.nodes])
        self._slots = [slot for slot, node_id in enumerate(self.found) if node_id is not None]
        self._batch = GuardedRead(self._session, [node_id for node_id in self.found if node_id])

    async def read(self) -> Shown:
        """Every node once, in as few requests as the server takes."""
        count = len(self.nodes)
        shown = Shown([None] * count, [Quality.MISSING] * count, [None] * count)
        for slot, answer in zip(self._slots, await self._batch.read(), strict=True):
            shown.values[slot], shown.qualities[slot] = decoded(self.nodes[slot], answer)
            shown.times[slot] = told_time(answer)
        self.note(shown.qualities)
        return shown

    def note(self, qualities: Sequence[Quality]) -> None:
        """Tell of nodes that are gone, or back, since we last told."""
        self._absent = {slot for slot, q in enumerate(qualities) if q is Quality.MISSING}
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
        if slot in self._slots:
            why = self._batch.culprits.get(self._slots.index(slot), why)
        return f"{node.signal} at {node.address.text}: {why}"


def told_time(answer: ua.DataValue) -> datetime | None:
    """The machine's own time of a value; None where it gives none (1601 is OPC UA's zero)."""
    time: datetime | None = answer.SourceTimestamp
    return time if time is not None and time.year >= 1970 else None


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
