"""OPC UA servers for presses: quick to start, because they share the nodes that never differ.

The standard address space takes seconds to make and is the same for every server, so it is made
once; a server's own copy of a node comes into being when somebody looks at it.
"""

import gc
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from asyncua import Server, ua
from asyncua.common.events import Event
from asyncua.server.address_space import (
    AddressSpace,
    AttributeValue,
    NodeData,
    NodeManagementService,
)
from asyncua.server.internal_server import InternalServer

from simulators.nodes import Nodes

logging.getLogger("asyncua.server").setLevel(logging.ERROR)
"""It warns of endpoints without security and of clients that come and go: both are meant."""

NAMESPACE_ZERO = "http://opcfoundation.org/UA/"
VALUE = ua.AttributeIds.Value
CURRENT_TIME = ua.NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime)
MAX_SESSION_S = 60.0
"""How long the session of a client that went without a word is kept, with its subscriptions."""
SERVER = ua.NodeId(ua.ObjectIds.Server)
SERVER_STATUS = ua.NodeId(ua.ObjectIds.Server_ServerStatus)


class SharedNodes(dict[ua.NodeId, NodeData]):
    """Nodes of one server: what `base` has is copied when it is first looked at."""

    def __init__(self, base: Mapping[ua.NodeId, NodeData]) -> None:
        super().__init__()
        self._base = base

    def __missing__(self, node: ua.NodeId) -> NodeData:
        self[node] = own = _copy(self._base[node])
        return own

    def __contains__(self, node: object) -> bool:
        return super().__contains__(node) or node in self._base

    def get(self, node: ua.NodeId, default: Any = None) -> Any:
        """The node, or the default where neither has it."""
        try:
            return self[node]
        except KeyError:
            return default


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


class InternalServerOn(InternalServer):  # type: ignore[misc]  # asyncua is untyped to us
    """The library's server, on nodes that are there already."""

    def __init__(self, base: Mapping[ua.NodeId, NodeData]) -> None:
        super().__init__()
        self._base = base
        self.disabled_clock = True  # ours is read, not written; and theirs holds up a stop by 1 s
        self.max_session_timeout_ms = MAX_SESSION_S * 1000

    async def load_standard_address_space(self, shelf_file: Path | None = None) -> None:
        self.aspace._nodes = SharedNodes(self._base)


class UaServer:
    """One OPC UA server, without security, that nobody can reach before `listen`.

    Args:
        base: Nodes that it starts with.
        namespaces: From index 2 on; 0 is the standard's and 1 the server's own.
        name: Of the application.
        uri: ApplicationUri, which is also namespace 1.
    """

    def __init__(
        self,
        base: Mapping[ua.NodeId, NodeData],
        namespaces: Sequence[str],
        *,
        name: str,
        uri: str,
    ) -> None:
        self._server = Server(iserver=InternalServerOn(base))
        self._server.set_server_name(name)
        self._server.product_uri = "urn:sprue:simulated"
        self._server.manufacturer_name = "Sprue Simulated Machines"
        self._namespaces = namespaces
        self._uri = uri
        self.nodes = Nodes(self._server.iserver.node_mgt_service)
        self.port = 0

    async def init(self) -> None:
        """Fill the address space."""
        self._server._application_uri = self._uri
        await self._server.init()
        for uri in self._namespaces:
            await self._server.register_namespace(uri)
        self._server.set_security_policy([ua.SecurityPolicyType.NoSecurity])

    async def listen(self, host: str, port: int) -> None:
        """Answer clients from now on.

        Raises:
            OSError: the port is taken.
        """
        with socket.create_server((host, port)):  # else the library logs a traceback first
            pass
        self._server.set_endpoint(f"opc.tcp://{host}:{port}")
        await self._server.start()
        self.port = self._server.bserver.port
        status = await self._server.get_node(SERVER_STATUS).read_value()
        self.on_read(SERVER_STATUS, lambda: _at_this_time(status))
        self.on_read(CURRENT_TIME, lambda: ua.Variant(datetime.now(UTC), ua.VariantType.DateTime))

    async def close(self) -> None:
        """Drop every client and stop answering; no session outlives its server."""
        await self._server.stop()
        for session in list(self._server.iserver._external_sessions.values()):
            await session.close_session(delete_subs=True)

    async def fire(self, event: Event) -> None:
        """Give an event to those who subscribed to its emitting node, and to the Server object."""
        await self._server.iserver.subscription_service.trigger_event(event)
        event.emitting_node, source = SERVER, event.emitting_node
        await self._server.iserver.subscription_service.trigger_event(event)
        event.emitting_node = source

    async def write(self, node: ua.NodeId, value: ua.Variant) -> None:
        """Give a variable a value, with the time of now.

        Raises:
            asyncua.ua.UaError: the node is not there or has another type.
        """
        now = datetime.now(UTC)
        data = ua.DataValue(value, SourceTimestamp=now, ServerTimestamp=now)
        status = await self._server.iserver.aspace.write_attribute_value(node, VALUE, data)
        status.check()

    def on_read(self, node: ua.NodeId, value: Callable[[], ua.Variant]) -> None:
        """Let every read of a variable compute it; writes still tell those who subscribed."""
        self._server.set_attribute_value_callback(
            node, lambda _node, _attribute: _data_value(value())
        )
        self._server.set_attribute_value_setter(node, lambda _node, _attribute, _value: None)


def _data_value(value: ua.Variant) -> ua.DataValue:
    now = datetime.now(UTC)
    return ua.DataValue(value, SourceTimestamp=now, ServerTimestamp=now)


def _at_this_time(status: Any) -> ua.Variant:
    now = copy(status)
    now.CurrentTime = datetime.now(UTC)
    return ua.Variant(now, ua.VariantType.ExtensionObject)
