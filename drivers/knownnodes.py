"""What the nodes of a map are called on a machine: learned once, and proved on each connection.

After an update of its software a server may show the same nodes under other ids, or give an id to
another quantity. So the browse name of each id and the path of names that leads to it are learned
on the first connection and kept. An id whose name is another one is never read: the node is looked
for by its path, and is missing where that leads nowhere.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asyncua import ua
from pydantic import Field, ValidationError

from drivers.browsing import ANY_CLASS, DOWN, OBJECTS, browse, plain, resolve
from drivers.checked import Checked, complaints
from drivers.closedfile import put
from drivers.errors import GarbledError, RefusedError
from drivers.guardedread import GuardedRead
from drivers.nodeid import Address, NodeAddress, PathAddress
from drivers.session import Session
from drivers.uaerrors import ABSENT

log = logging.getLogger(__name__)

DEEPEST = 16
"""Steps from the Objects folder down to a node."""

Name = tuple[str, str]
"""Namespace URI and browse name."""


class _Node(Checked):
    name: Name
    path: tuple[Name, ...] = ()
    """From the Objects folder; empty where no path leads to this node alone."""
    now: str
    """Its id as it was last found, with its namespace's URI."""


class _File(Checked):
    machine: str
    nodes: dict[str, _Node] = Field(default_factory=dict)
    """By the address in the map."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A node that was found by its path, under another id than before."""

    address: str
    """As the map writes it."""
    old: str
    new: str


class KnownNodes:
    """The nodes of one machine; they outlive its connections, and the agent where it has a file.

    Args:
        machine: Its name.
        file: Where they are kept; None: nowhere.
        keep: Whether what is learned is written there.
    """

    def __init__(self, machine: str, file: Path | None = None, *, keep: bool = False) -> None:
        self.file = file
        self._machine = machine
        self._keep = keep
        self._unkept = False
        """Whether the file is behind, as it can't be written."""
        self._nodes: dict[str, _Node] = {}
        self._moved: list[Moved] = []
        self.faults: dict[str, str] = {}
        """Why an address is not taken as it is written, for a person."""

    def __len__(self) -> int:
        """How many nodes are known."""
        return len(self._nodes)

    def load(self) -> None:
        """Read the file; a person may have removed it meanwhile.

        Raises:
            RefusedError: it can't be used.
        """
        if self.file is None or self._unkept:
            return
        if not self.file.exists():
            self._nodes = {}
            return
        try:
            found = _File.model_validate(json.loads(self.file.read_bytes()))
        except ValidationError as error:
            raise RefusedError(self._machine, complaints(error, self.file, _File)[0]) from error
        except (OSError, ValueError) as error:
            raise RefusedError(self._machine, f"{self.file}: {error}") from error
        if found.machine != self._machine:
            raise RefusedError(self._machine, f"{self.file} is of {found.machine!r}")
        self._nodes = dict(found.nodes)

    def moved(self) -> list[Moved]:
        """Nodes that have other ids since the last call."""
        moved, self._moved = self._moved, []
        return moved

    async def find(
        self, session: Session, addresses: Sequence[Address]
    ) -> tuple[list[ua.NodeId | None], frozenset[int]]:
        """The ids of addresses in this connection, none of them another node's.

        Returns:
            One id an address, as `drivers.browsing.resolve` gives them, and the places of those
            that did not answer to their name: whatever shows there later has to be looked up anew.

        Raises:
            MachineError: the server did not answer, or said no.
        """
        found = await resolve(session, addresses)
        given = {at: each for at, each in enumerate(addresses) if isinstance(each, NodeAddress)}
        names = await _names(session, {at: found[at] for at in given})
        known = {at: self._nodes[a.whole] for at, a in given.items() if a.whole in self._nodes}
        lost = {at: node for at, node in known.items() if names.get(at) != node.name}
        led = await _followed(session, lost)
        for at, address in given.items():
            self.faults.pop(address.text, None)
            if at in led:
                found[at] = led[at]
            elif at in lost and (name := names.get(at)) is not None:
                found[at] = None  # a node is there, and it is another one
                self.faults[address.text] = self._fault(lost[at].name[1], name[1])
        self._settle(
            {given[at]: _text(session, found[at]) for at in known if at not in lost or at in led}
        )
        await self._learn(
            session,
            {at: (found[at], name) for at, name in names.items() if name and at not in known},
            given,
        )
        absent = {at for at in given if at not in names and at not in known}
        return found, frozenset(absent | (lost.keys() - led.keys()))

    def _fault(self, was: str, now: str) -> str:
        right = f'if that is right, `sprue trust "{self._machine}"` says so'
        return f"the node with this id is called {now!r} now, and was {was!r}; {right}"

    async def _learn(
        self,
        session: Session,
        fresh: Mapping[int, tuple[ua.NodeId | None, Name]],
        given: Mapping[int, NodeAddress],
    ) -> None:
        """Keep what nodes are called that were not known, and where they are."""
        if not fresh:
            return
        paths = await _paths(session, {at: node_id for at, (node_id, _) in fresh.items()})
        for at, (node_id, name) in fresh.items():
            now = _text(session, node_id)
            self._nodes[given[at].whole] = _Node(name=name, path=paths.get(at, ()), now=now)
        self._save()

    def _settle(self, ids: Mapping[NodeAddress, str]) -> None:
        """Note where known nodes are now."""
        moved = []
        for address, now in ids.items():
            known = self._nodes[address.whole]
            if known.now != now:
                moved.append(Moved(address.text, known.now, now))
                self._nodes[address.whole] = known.model_copy(update={"now": now})
        if moved:
            self._moved += moved
            log.warning("%s: %d nodes are found by their paths", self._machine, len(moved))
            self._save()

    def _save(self) -> None:
        if self.file is None or not self._keep:
            return
        kept = _File(machine=self._machine, nodes=self._nodes)
        try:
            put(self.file, kept.model_dump_json(indent=1).encode())
        except OSError as error:
            self._unkept = True
            log.warning("%s: what its nodes are called can't be kept: %s", self._machine, error)
        else:
            self._unkept = False


async def _names(session: Session, ids: Mapping[int, ua.NodeId | None]) -> dict[int, Name | None]:
    """What nodes are called, by place; None where the server does not say it.

    Those that are not there are left out.
    """
    wanted = {at: node_id for at, node_id in ids.items() if node_id is not None}
    if not wanted:
        return {}
    batch = GuardedRead(session, list(wanted.values()), ua.AttributeIds.BrowseName)
    try:
        answers = await batch.read()
    except (RefusedError, GarbledError):
        if not session.stands:
            raise
        return dict.fromkeys(wanted)
    return {
        at: _name(session, answer)
        for at, answer in zip(wanted, answers, strict=True)
        if answer.StatusCode.value not in ABSENT
    }


async def _followed(session: Session, nodes: Mapping[int, _Node]) -> dict[int, ua.NodeId]:
    """Where paths lead, by place; those that lead nowhere, or to several nodes, are left out."""
    addresses = {
        at: PathAddress(node.path, "/".join(name for _, name in node.path))
        for at, node in nodes.items()
        if node.path
    }
    if not addresses:
        return {}
    found = await resolve(session, list(addresses.values()), alone=True)
    return {at: it for at, it in zip(addresses, found, strict=True) if it is not None}


async def _paths(
    session: Session, ids: Mapping[int, ua.NodeId | None]
) -> dict[int, tuple[Name, ...]]:
    """The paths that lead from the Objects folder to nodes and to them alone, by place."""
    above: dict[ua.NodeId, tuple[ua.NodeId, Name]] = {}
    """Of each node its parent, and its own name."""
    level = {node_id for node_id in ids.values() if node_id is not None}
    seen = {OBJECTS}
    for _ in range(DEEPEST):
        level -= seen
        if not level:
            break
        seen |= level
        asked = list(level)
        try:
            found = await browse(session, asked, DOWN, ANY_CLASS, back=True)
        except (RefusedError, GarbledError):
            if not session.stands:
                raise
            return {}
        parents = {
            node_id: plain(references[0].NodeId)
            for node_id, references in zip(asked, found, strict=True)
            if references
        }
        names = await _names(session, dict(enumerate(parents)))
        for at, (node_id, parent) in enumerate(parents.items()):
            if (name := names.get(at)) is not None:
                above[node_id] = parent, name
        level = set(parents.values())
    paths = {at: _path(above, node_id) for at, node_id in ids.items() if node_id is not None}
    nodes = {at: _Node(name=path[-1], path=path, now="") for at, path in paths.items() if path}
    led = await _followed(session, nodes)
    return {at: paths[at] for at, node_id in led.items() if node_id == ids[at]}


def _path(
    above: Mapping[ua.NodeId, tuple[ua.NodeId, Name]], node_id: ua.NodeId
) -> tuple[Name, ...]:
    """From the Objects folder to a node; empty where it does not hang there."""
    steps: list[Name] = []
    while node_id != OBJECTS:
        if node_id not in above or len(steps) > DEEPEST:
            return ()
        node_id, name = above[node_id]
        steps.insert(0, name)
    return tuple(steps)


def _name(session: Session, answer: ua.DataValue) -> Name | None:
    """A browse name with its namespace; None where the answer is none."""
    found = answer.Value.Value if answer.Value and answer.StatusCode.is_good() else None
    if not isinstance(found, ua.QualifiedName) or not found.Name:
        return None
    index = found.NamespaceIndex
    return (session.namespaces[index], found.Name) if index < len(session.namespaces) else None


def _text(session: Session, node_id: ua.NodeId | None) -> str:
    """An id as it is written so that it survives a restart."""
    assert node_id is not None
    index = node_id.NamespaceIndex
    return f"nsu={session.namespaces[index]};{node_id.to_string().removeprefix(f'ns={index};')}"
