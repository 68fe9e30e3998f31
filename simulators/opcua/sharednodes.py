"""The nodes of OPC UA servers that start quickly, because they share those that never differ.

The standard address space takes seconds to make and is the same for every server, so it is made
once; a server's own copy of a node comes into being when somebody looks at it.
"""

import gc
from collections.abc import Mapping
from functools import cache
from typing import Any

from asyncua import ua
from asyncua.server.address_space import (
    AddressSpace,
    AttributeValue,
    NodeData,
    NodeManagementService,
)

from simulators.opcua.renumbering import Renumbering


class SharedNodes(dict[ua.NodeId, NodeData]):
    """Nodes of one server: what `base` has is copied when it is first looked at.

    Args:
        base: Nodes of the order in which they were built.
        renumbering: Of this server's namespaces.
    """

    def __init__(
        self, base: Mapping[ua.NodeId, NodeData], renumbering: Renumbering | None = None
    ) -> None:
        super().__init__()
        self._base = base
        self._renumbering = renumbering

    def __missing__(self, node: ua.NodeId) -> NodeData:
        if self._renumbering is None:
            own = _copy(self._base[node])
        else:
            own = self._renumbering.data(self._base[self._renumbering.built(node)])
        self[node] = own
        return own

    def __contains__(self, node: object) -> bool:
        if super().__contains__(node):
            return True
        if self._renumbering is not None and isinstance(node, ua.NodeId):
            node = self._renumbering.built(node)
        return node in self._base

    def get(self, node: ua.NodeId, default: Any = None) -> Any:
        """The node, or the default where neither has it."""
        try:
            return self[node]
        except KeyError:
            return default

    def renumbered(self, renumbering: Renumbering) -> "SharedNodes":
        """The same nodes with the namespaces in another order."""
        seen = SharedNodes(self._base, renumbering)
        for node, data in self.items():
            seen[renumbering.node(node)] = renumbering.data(data)
        return seen


def _copy(node: NodeData) -> NodeData:
    own = NodeData(node.nodeid)
    own.attributes = {key: AttributeValue(each.value) for key, each in node.attributes.items()}
    own.references = list(node.references)
    own.call = node.call
    return own


@cache
def standard_nodes() -> Mapping[ua.NodeId, NodeData]:
    """The standard address space, made once per process; takes a few seconds the first time."""
    gc_was_on = gc.isenabled()
    gc.disable()  # a hundred thousand small objects that all stay
    try:
        from asyncua.server.standard_address_space import standard_address_space

        space = AddressSpace()
        standard_address_space.fill_address_space(NodeManagementService(space))
        nodes: Mapping[ua.NodeId, NodeData] = space._nodes
        return nodes
    finally:
        if gc_was_on:
            gc.enable()


def empty_space(base: Mapping[ua.NodeId, NodeData]) -> AddressSpace:
    """An address space that starts as `base` and goes its own way."""
    space = AddressSpace()
    space._nodes = SharedNodes(base)
    return space
