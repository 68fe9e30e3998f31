"""Units that a server says of its own nodes, watched beside the values.

A person may switch a machine from bar to psi at any time. Where a node has EngineeringUnits, they
are read in the same request as its value, so that no value is taken for one in another unit.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from asyncua import ua

from drivers.browsing import PARTS, browse
from drivers.eventtype import UNITS
from drivers.mappednode import MappedNode
from drivers.observations import Change, Notice
from drivers.scaling import IDENTITY, scaling
from drivers.session import Session
from drivers.signals import Kind, signal_named
from drivers.units import Unit, unit_named, unit_of_id

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UnitChange:
    """A node is in another unit than before."""

    signal: str
    old: str
    new: str

    def told(self, machine: str, at: datetime) -> Notice:
        """What a person hears of it, as of when we saw it."""
        return Notice(
            machine=machine,
            change=Change.UNIT,
            name=self.signal,
            old=self.old,
            new=self.new,
            at=at,
            received_at=at,
        )


class NodeUnits:
    """The units of some nodes of a map, as the server says them now.

    The first word of a server goes before the map's: the machine may have been switched while
    nobody looked. Where it says nothing that fits the signal, the map's unit stands.

    Args:
        machine: Its name, for the log.
        nodes: As mapped.
    """

    def __init__(self, machine: str, nodes: Sequence[MappedNode]) -> None:
        self._machine = machine
        self._mapped = tuple(nodes)
        self._now: list[MappedNode | None] = list(nodes)
        self.found: dict[int, ua.NodeId] = {}
        """The nodes whose unit the server says, and where."""
        self._told: dict[int, str] = {}
        self._first: dict[int, Unit | None] = {}
        self._changes: list[UnitChange] = []
        self._looked: dict[ua.NodeId, ua.NodeId | None] = {}

    async def find(self, session: Session, found: Sequence[ua.NodeId | None]) -> None:
        """Look for the EngineeringUnits of nodes, by their ids as they are now."""
        wanted = {
            slot: node_id
            for slot, node_id in enumerate(found)
            if node_id is not None and _measures(self._mapped[slot])
        }
        new = [node_id for node_id in set(wanted.values()) if node_id not in self._looked]
        for node_id, parts in zip(new, await browse(session, new, PARTS), strict=True):
            units = [ref.NodeId for ref in parts if ref.BrowseName.Name == UNITS]
            self._looked[node_id] = units[0] if units else None
        self.found = {
            slot: unit for slot, node_id in wanted.items() if (unit := self._looked[node_id])
        }

    def take(self, slot: int, answer: ua.DataValue) -> None:
        """Note what the server says of one node now."""
        said = answer.Value.Value if answer.StatusCode.is_good() and answer.Value else None
        if not isinstance(said, ua.EUInformation):
            return  # not readable just now: what it said last stands
        text = said.DisplayName.Text if said.DisplayName else None
        unit = unit_of_id(said.UnitId) or (unit_named(text) if text else None)
        if unit is None and not text and said.UnitId <= 0:
            return  # OPC UA's way of saying that it does not say
        self._note(slot, unit, unit.name if unit else text or f"unit {said.UnitId}")

    def node(self, slot: int) -> MappedNode | None:
        """A node with its unit of now; None where that can't be made ours."""
        return self._now[slot]

    def changes(self) -> Iterator[UnitChange]:
        """Switches since the last call."""
        while self._changes:
            yield self._changes.pop(0)

    def _note(self, slot: int, unit: Unit | None, name: str) -> None:
        before = self._told.get(slot)
        if before == name:
            return
        mapped = self._mapped[slot]
        self._first.setdefault(slot, unit)
        now = _in(mapped, unit, self._first[slot])
        if before is None:
            self._begin(slot, mapped, now, name)
        else:
            self._told[slot] = name
            self._now[slot] = now
            self._changes.append(UnitChange(mapped.signal, before, name))
            if now is None:
                log.warning("%s: %s is in %s now", self._machine, mapped.signal, name)

    def _begin(self, slot: int, mapped: MappedNode, now: MappedNode | None, name: str) -> None:
        """The first word of a connection."""
        self._told[slot] = name if now is not None else (mapped.unit or name)
        if now is None:
            return
        self._now[slot] = now
        if mapped.unit is not None and mapped.unit != name:
            where = mapped.address.text
            log.warning(
                "%s: %s at %s: the map says %s, the machine %s, which counts",
                self._machine,
                mapped.signal,
                where,
                mapped.unit,
                name,
            )


def _measures(node: MappedNode) -> bool:
    """Whether a node's number has a unit that could change."""
    signal = signal_named(node.signal)
    if node.states or node.unit_from == "map":
        return False
    return signal is None or (bool(signal.unit) and signal.kind is not Kind.STATE)


def _in(node: MappedNode, unit: Unit | None, first: Unit | None) -> MappedNode | None:
    """The node where its number is in that unit; None where that can't be made ours.

    A vendor's own value stays in the unit that the map says, or else in that of the first word. A
    map that scales and names no unit has turned the first word's unit into ours by its scale.

    Args:
        node: As mapped.
        unit: Of now; None for one that we do not know.
        first: Of the first word.
    """
    if unit is None:
        return None
    signal = signal_named(node.signal)
    ours = signal.unit if signal is not None else node.unit
    by_scale = node.unit is None and node.counts != IDENTITY
    try:
        if by_scale or ours is None:
            own = scaling(theirs=unit, ours=(first or unit).name).then(node.scaling)
        else:
            own = node.counts.then(scaling(theirs=unit, ours=ours))
    except ValueError:
        return None
    return replace(node, unit=unit.name, scaling=IDENTITY if own.is_identity else own)
