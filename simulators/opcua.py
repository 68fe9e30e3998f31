"""OPC UA servers for presses: what their faces write to, and what clients reach."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asyncua import Server, ua
from asyncua.common.events import Event
from asyncua.common.utils import ServiceError
from asyncua.server.address_space import NodeData
from asyncua.server.internal_server import InternalServer

from simulators.distortion import distorted
from simulators.faults import Faults
from simulators.limits import NONE, LimitedSession, Limits
from simulators.nodes import Nodes, uint32
from simulators.removal import Removed, put_back, remove
from simulators.renumbering import FIRST, Renumbering
from simulators.security import Security, secure
from simulators.sharednodes import SharedNodes
from simulators.uasocket import Sockets
from simulators.wire import Wire

VALUE = ua.AttributeIds.Value
MAX_SESSION_S = 60.0
"""How long the session of a client that went without a word is kept, with its subscriptions."""
SERVER = ua.NodeId(ua.ObjectIds.Server)
SERVER_STATUS = ua.NodeId(ua.ObjectIds.Server_ServerStatus)
START_TIME = ua.NodeId(ua.ObjectIds.Server_ServerStatus_StartTime)
CURRENT_TIME = ua.NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime)
GOOD = ua.StatusCodes.Good


class InternalServerOn(InternalServer):  # type: ignore[misc]  # asyncua is untyped to us
    """The library's server, on nodes that are there already, and with limits."""

    def __init__(self, base: Mapping[ua.NodeId, NodeData], limits: Limits = NONE) -> None:
        super().__init__()
        self._base = base
        self.disabled_clock = True  # ours is read, not written; and theirs holds up a stop by 1 s
        self.max_session_timeout_ms = MAX_SESSION_S * 1000
        self.allow_remote_admin = False
        self.limits = limits
        if limits.subscriptions:
            self.max_subscriptions = limits.subscriptions
        self.max_sessions: int | None = limits.sessions or None
        """None for any number."""
        self.is_secured = False
        """Whether sessions need a secure channel."""
        self.trusts_clients = True
        """Whether the certificates of clients are taken when they open or renew a channel."""

    async def load_standard_address_space(self, shelf_file: Path | None = None) -> None:
        self.aspace._nodes = SharedNodes(self._base)

    def create_session(self, name: str, user: Any = None, external: bool = False) -> LimitedSession:
        """A session for a client that asks for one.

        Raises:
            ServiceError: BadTooManySessions.
        """
        if self.max_sessions is not None and len(self._external_sessions) >= self.max_sessions:
            raise ServiceError(ua.StatusCodes.BadTooManySessions)
        given = {} if user is None else {"user": user}
        return LimitedSession(
            self, self.aspace, self.subscription_service, name, external=external, **given
        )


class _Shown(ua.DataValue):  # type: ignore[misc]
    """A value that nobody changes: asyncua copies each one deeply for every subscriber."""

    __slots__ = ()

    def __deepcopy__(self, _memo: Any) -> "_Shown":
        return self


class UaServer:
    """One OPC UA server that nobody can reach before `listen`.

    Its address space is built with the namespaces in the order given, and that is how its ids are
    written here, always; what clients see may stand in another order.

    Args:
        base: Nodes that it starts with.
        namespaces: From index 2 on; 0 is the standard's and 1 the server's own.
        name: Of the application.
        uri: ApplicationUri, which is also namespace 1.
        security: None for a server that anybody reads in clear.
        limits: What it takes at once; None for anything.
        order: The indexes of the namespaces in the order in which clients see them from 2 on:
            (3, 2) swaps two. None: as given.

    Raises:
        ValueError: the order is no permutation of 2, 3, ...
    """

    def __init__(
        self,
        base: Mapping[ua.NodeId, NodeData],
        namespaces: Sequence[str],
        *,
        name: str,
        uri: str,
        security: Security | None = None,
        limits: Limits | None = None,
        order: Sequence[int] | None = None,
    ) -> None:
        self._iserver = InternalServerOn(base, limits or NONE)
        self._server = Server(iserver=self._iserver)
        self._server.set_server_name(name)
        self._server.product_uri = "urn:sprue:simulated"
        self._server.manufacturer_name = "Sprue Simulated Machines"
        self._namespaces = namespaces
        self._uri = uri
        self._security = security
        self._order = tuple(order) if order is not None else None
        self._seen_as: Renumbering | None = None
        self._measured: dict[ua.NodeId, Faults] = {}
        self._true: dict[ua.NodeId, tuple[ua.Variant, int]] = {}
        self._read: dict[ua.NodeId, Callable[[], ua.Variant]] = {}
        self._held: dict[ua.NodeId, ua.Variant] = {}
        self._dropped: dict[ua.NodeId, tuple[ua.Variant, int]] = {}
        self._hidden: list[Removed] = []
        self.nodes = Nodes(self._iserver.node_mgt_service)
        self.port = 0
        self.clock_offset_s = 0.0
        """How far the control's clock is ahead of ours."""
        self.frozen = False
        """Whether what is written is dropped, and what is computed stays as it was last read."""

    async def init(self) -> None:
        """Fill the address space.

        Raises:
            OSError: the folder of the certificate can't be read or written.
        """
        self._server._application_uri = self._uri
        await self._server.init()
        for uri in self._namespaces:
            await self._server.register_namespace(uri)
        await secure(self._server, self._security, self._uri)
        for node, limit in self._iserver.limits.stated().items():
            await self.write(node, uint32(limit))

    async def listen(self, host: str, port: int, wire: Wire | None = None) -> None:
        """Answer clients from now on.

        Args:
            host: Address to listen on.
            port: 0 for any.
            wire: What all links run over.

        Raises:
            OSError: the port is taken.
        """
        if self._order is not None:
            await self._renumber(self._order)
        self._date_all()
        self._server.set_endpoint(f"opc.tcp://{host}:{port}")
        await self._server._setup_server_nodes()
        await self._iserver.start()
        await self._run_clock()
        # asyncua's own start makes sockets without a wire, and logs a traceback for a taken port
        self._server.bserver = sockets = Sockets(
            self._iserver, host, port, self._server.limits, wire
        )
        sockets.set_policies(self._server._policies)
        try:
            await sockets.start()
        except OSError:
            self._server.bserver = None
            await self._server.stop()
            raise
        self.port = sockets.port

    async def close(self) -> None:
        """Drop every client and stop answering; no session outlives its server."""
        await self._server.stop()
        for session in list(self._iserver._external_sessions.values()):
            await session.close_session(delete_subs=True)

    # The clock, the sessions and the trust of the control

    def now(self) -> datetime:
        """The control's time."""
        return datetime.now(UTC) + timedelta(seconds=self.clock_offset_s)

    def allow_sessions(self, most: int | None) -> None:
        """Take no more sessions than that; None for as many as its limits say."""
        self._iserver.max_sessions = self._iserver.limits.sessions or None if most is None else most

    def trust_clients(self, trusted: bool) -> None:
        """Whether the certificates of clients are taken from now on."""
        self._iserver.trusts_clients = trusted

    # What the machines do

    async def fire(self, event: Event) -> None:
        """Give an event to those who subscribed to its emitting node, and to the Server object."""
        seen = copy(event)
        seen.EventType = self._seen(event.EventType)
        seen.SourceNode = self._seen(event.SourceNode)
        for node in (self._seen(event.emitting_node), SERVER):
            seen.emitting_node = node
            await self._iserver.subscription_service.trigger_event(seen)

    async def write(
        self, node: ua.NodeId, value: ua.Variant, *, status: ua.StatusCode | int = GOOD
    ) -> None:
        """Give a variable a value, with the control's time.

        Raises:
            asyncua.ua.UaError: the node is not there or has another type.
        """
        code = status if isinstance(status, int) else status.value
        if self.frozen:
            self._dropped[node] = value, code
            return
        faults = self._measured.get(node)
        if faults is not None:
            self._true[node] = value, code
            value, code = distorted(value, code, faults)
        await self._put(self._seen(node), value, code)

    def on_read(self, node: ua.NodeId, value: Callable[[], ua.Variant]) -> None:
        """Let every read of a variable compute it; writes still tell those who subscribed."""
        self._read[node] = value
        self._compute(node, lambda: self._computed(node))

    def measured(self, node: ua.NodeId, faults: Faults) -> None:
        """Say that a variable comes from a sensor of the machine that has these faults.

        Raises:
            asyncua.ua.UaError: the node is not there.
        """
        data = self._iserver.aspace.read_attribute_value(self._seen(node), VALUE)
        data.StatusCode.check()
        self._measured[node] = faults
        self._true[node] = data.Value, GOOD

    async def refresh(self) -> None:
        """Show every measured value anew, as the faults of its machine make it."""
        for node in self._measured:
            value, code = self._true[node]
            if node in self._read:
                value = self._read[node]()
            await self.write(node, value, status=code)

    async def thaw(self) -> None:
        """Be frozen no longer, and show what was written meanwhile."""
        self.frozen = False
        dropped, self._dropped = self._dropped, {}
        for node, (value, code) in dropped.items():
            await self.write(node, value, status=code)

    async def delete(self, node: ua.NodeId) -> None:
        """Delete a node and all below it; who subscribed to one is told BadNodeIdUnknown first.

        Raises:
            asyncua.ua.UaError: the node is not there.
        """
        removed = await remove(self._iserver.aspace, [self._seen(node)], self.now())
        if not removed.nodes:
            raise ua.UaStatusCodeError(ua.StatusCodes.BadNodeIdUnknown)
        for seen in removed.nodes:
            built = seen if self._seen_as is None else self._seen_as.built(seen)
            for known in (self._measured, self._true, self._read, self._held, self._dropped):
                known.pop(built, None)

    async def hide(self, nodes: Iterable[ua.NodeId]) -> Removed:
        """Delete nodes as clients see it, with all below them, until they are revealed.

        They are kept up to date meanwhile.
        """
        seen = [self._seen(node) for node in nodes]
        removed = await remove(self._iserver.aspace, seen, self.now())
        self._hidden.append(removed)
        return removed

    def reveal(self, removed: Removed) -> None:
        """Let hidden nodes be there again."""
        self._hidden.remove(removed)
        put_back(self._iserver.aspace, removed)

    # The machinery

    def _seen(self, node: ua.NodeId) -> ua.NodeId:
        return node if self._seen_as is None else self._seen_as.node(node)

    async def _put(self, node: ua.NodeId, value: ua.Variant, code: int) -> None:
        data = self._dated(value, code)
        status = await self._iserver.aspace.write_attribute_value(node, VALUE, data)
        if not status.is_good() and not self._put_hidden(node, data):
            status.check()

    def _put_hidden(self, node: ua.NodeId, data: ua.DataValue) -> bool:
        for removed in self._hidden:
            if node in removed.nodes:
                removed.nodes[node].attributes[VALUE].value = data
                return True
        return False

    def _dated(self, value: ua.Variant, code: int = GOOD) -> ua.DataValue:
        now = self.now()
        return _Shown(value, ua.StatusCode(code), now, now)

    def _compute(self, node: ua.NodeId, value: Callable[[], ua.DataValue]) -> None:
        seen = self._seen(node)
        self._server.set_attribute_value_callback(seen, lambda _node, _attribute: value())
        self._server.set_attribute_value_setter(seen, lambda _node, _attribute, _value: None)

    def _computed(self, node: ua.NodeId) -> ua.DataValue:
        if not self.frozen or node not in self._held:
            self._held[node] = self._read[node]()
        value, code = self._held[node], GOOD
        if (faults := self._measured.get(node)) is not None:
            value, code = distorted(value, code, faults)
        return self._dated(value, code)

    async def _renumber(self, order: Sequence[int]) -> None:
        aspace, node = self._iserver.aspace, self._server.nodes.namespace_array
        uris = await node.read_value()
        await node.write_value([*uris[:FIRST], *(uris[index] for index in order)])
        self._seen_as = self.nodes.renumbering = Renumbering(order)
        aspace._nodes = aspace._nodes.renumbered(self._seen_as)

    def _date_all(self) -> None:
        """What was built carries our time; a control with another clock has another."""
        if self.clock_offset_s:
            now = self.now()
            for node, data in self._iserver.aspace._nodes.items():
                value = data.attributes.get(VALUE)
                if node.NamespaceIndex and value is not None and value.value is not None:
                    value.value = replace(value.value, SourceTimestamp=now, ServerTimestamp=now)

    async def _run_clock(self) -> None:
        started = self.now()
        status = await self._server.get_node(SERVER_STATUS).read_value()
        status.StartTime = started
        await self.write(START_TIME, ua.Variant(started, ua.VariantType.DateTime))

        def now() -> ua.Variant:
            return ua.Variant(self.now(), ua.VariantType.DateTime)

        def status_now() -> ua.Variant:
            current = copy(status)
            current.CurrentTime = self.now()
            return ua.Variant(current, ua.VariantType.ExtensionObject)

        self._compute(CURRENT_TIME, lambda: self._dated(now()))
        self._compute(SERVER_STATUS, lambda: self._dated(status_now()))
