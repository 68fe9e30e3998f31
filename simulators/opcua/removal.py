"""Taking nodes out of a running address space, and putting them back.

asyncua deletes a node without a word to those who subscribed to it (it never awaits the call that
would tell them); a machine tells them BadNodeIdUnknown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from asyncua import ua
from asyncua.server.address_space import AddressSpace, NodeData

BELOW = frozenset(
    {
        ua.NodeId(ua.ObjectIds.HasComponent),
        ua.NodeId(ua.ObjectIds.HasProperty),
        ua.NodeId(ua.ObjectIds.Organizes),
    }
)
"""References that lead from a node to what goes with it when it is deleted."""

GONE = ua.StatusCodes.BadNodeIdUnknown


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken out of an address space."""

    nodes: dict[ua.NodeId, NodeData]
    references: list[tuple[NodeData, ua.ReferenceDescription]]
    """Those that led to them from nodes that stayed."""


async def remove(space: AddressSpace, roots: Iterable[ua.NodeId], at: datetime) -> Removed:
    """Take nodes and all below them out; who subscribed to one is told first, with that time."""
    nodes = {node.nodeid: node for root in roots for node in _branch(space, root)}
    for node in nodes.values():
        await _tell(space, node, at)
    for node_id in nodes:
        del space[node_id]
    references = []
    for node in space._nodes.values():
        leading = [each for each in node.references if each.NodeId in nodes]
        references += [(node, each) for each in leading]
        if leading:
            node.references = [each for each in node.references if each.NodeId not in nodes]
    return Removed(nodes, references)


def put_back(space: AddressSpace, removed: Removed) -> None:
    """Let what was removed be there again."""
    for node_id, node in removed.nodes.items():
        space[node_id] = node
    for node, reference in removed.references:
        node.references.append(reference)


def _branch(space: AddressSpace, root: ua.NodeId) -> Iterator[NodeData]:
    node = space.get(root)
    if node is None:
        return
    yield node
    for each in node.references:
        if each.IsForward and each.ReferenceTypeId in BELOW:
            yield from _branch(space, each.NodeId)


async def _tell(space: AddressSpace, node: NodeData, at: datetime) -> None:
    for attribute in node.attributes.values():
        for handle, tell in tuple(attribute.datachange_callbacks.items()):
            unknown = ua.StatusCode(GONE)
            await tell(handle, ua.DataValue(None, unknown, SourceTimestamp=at, ServerTimestamp=at))
            space.delete_datachange_callback(handle)
