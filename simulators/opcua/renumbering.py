"""A server whose namespaces stand in another order than the one its address space was built in.

A control numbers its namespaces anew when it restarts; only their URIs stay (OPC 40083, 6.1).
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import fields, is_dataclass, replace
from operator import is_not
from typing import Any

from asyncua import ua
from asyncua.server.address_space import AttributeValue, NodeData

FIRST = 2
"""0 is the standard's namespace and 1 the server's own; neither ever moves."""


class Renumbering:
    """Turns what was built into what clients see.

    Args:
        order: The indexes that namespaces were built with, in the order in which they now stand
            from 2 on: (3, 2) swaps two.

    Raises:
        ValueError: it is no permutation of 2, 3, ...
    """

    def __init__(self, order: Sequence[int]) -> None:
        if sorted(order) != list(range(FIRST, FIRST + len(order))):
            raise ValueError(f"order is {order}; it should have each of 2, 3, ... once")
        self._seen = {built: FIRST + place for place, built in enumerate(order)}
        self._built = {seen: built for built, seen in self._seen.items()}

    def node(self, built: ua.NodeId) -> ua.NodeId:
        """The id that clients know a node by.

        >>> Renumbering((3, 2)).node(ua.NodeId("ActTimCool", 2)).to_string()
        'ns=3;s=ActTimCool'
        """
        return _moved(built, self._seen)

    def built(self, seen: ua.NodeId) -> ua.NodeId:
        """The id that a node was built with."""
        return _moved(seen, self._built)

    def of(self, value: Any) -> Any:
        """A value, with every id and every qualified name in it; itself where it holds none."""
        if isinstance(value, (ua.NodeId, ua.QualifiedName)):
            return _moved(value, self._seen)
        if isinstance(value, (list, tuple)):
            seen = [self.of(each) for each in value]
            return seen if any(map(is_not, seen, value)) else value
        if not is_dataclass(value) or isinstance(value, type):
            return value
        changed = {}
        for field in fields(value):
            old = getattr(value, field.name)
            new = self.of(old) if field.init else old
            if new is not old:
                changed[field.name] = new
        return replace(value, **changed) if changed else value

    def data(self, node: NodeData) -> NodeData:
        """A copy of a node as clients see it."""
        seen = NodeData(self.node(node.nodeid))
        seen.call = node.call
        seen.references = [self.of(reference) for reference in node.references]
        for key, attribute in node.attributes.items():
            own = AttributeValue(self.of(attribute.value))
            own.value_callback = attribute.value_callback
            own.value_setter = attribute.value_setter
            seen.attributes[key] = own
        return seen


def _moved(name: Any, indexes: dict[int, int]) -> Any:
    index = indexes.get(name.NamespaceIndex)
    if index is None or index == name.NamespaceIndex:
        return name
    moved = copy(name)
    moved.NamespaceIndex = index
    return moved
