"""OPC UA servers for presses: what their faces build on and write to, and what clients reach."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace

from asyncua import Server, ua
from asyncua.common.events import Event
from asyncua.server.address_space import NodeData

from simulators.opcua.event import MachineEvent
from simulators.opcua.eventhistory import EventHistory
from simulators.opcua.internalserver import InternalServerOn
from simulators.opcua.limits import NONE, Limits
from simulators.opcua.nodes import Nodes, uint32
from simulators.opcua.renumbering import FIRST, Renumbering
from simulators.opcua.security import Security, secure
from simulators.opcua.sockets import Sockets
from simulators.opcua.variables import VALUE, Variables
from simulators.wire import Wire

EVENTS = ua.AttributeIds.EventNotifier
SERVER = ua.NodeId(ua.ObjectIds.Server)
SERVER_STATUS = ua.NodeId(ua.ObjectIds.Server_ServerStatus)
START_TIME = ua.NodeId(ua.ObjectIds.Server_ServerStatus_StartTime)
CURRENT_TIME = ua.NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime)


class UaServer(Variables):
    """One OPC UA server that nobody can reach before `listen`.

    Its address space is built with the namespaces in the order given, and its ids are written so
    here, always; clients may see the namespaces in another order.

    Args:
        base: Nodes that it starts with.
        namespaces: From index 2 on; 0 is the standard's and 1 the server's own.
        name: Of the application.
        uri: ApplicationUri, which is also namespace 1.
        security: None for a server that anybody reads in clear.
        limits: What it takes at once; None for anything.
        order: The indexes of the namespaces in the order in which clients see them from 2 on:
            (3, 2) swaps two. None: as given.
        history: Where it keeps past events; None: nowhere.

    Raises:
        ValueError: the order is no permutation of the namespaces' indexes.
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
        history: EventHistory | None = None,
    ) -> None:
        self._iserver = InternalServerOn(base, limits or NONE)
        self._iserver.history = history
        self._iserver.event_as_seen = self._as_seen
        super().__init__(self._iserver.aspace)
        self._iserver.now = self.now
        self._server = Server(iserver=self._iserver)
        self._server.set_server_name(name)
        self._server.product_uri = "urn:sprue:simulated"
        self._server.manufacturer_name = "Sprue Simulated Machines"
        self._namespaces = tuple(namespaces)
        self._order = tuple(order or range(FIRST, FIRST + len(self._namespaces)))
        if sorted(self._order) != list(range(FIRST, FIRST + len(self._namespaces))):
            raise ValueError(f"order is {order}; it should have the index of each namespace once")
        self._uri = uri
        self._security = security
        self.nodes = Nodes(self._iserver.node_mgt_service)
        self.port = 0

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

    async def settle(self) -> None:
        """Put the namespaces in the order that clients see; the space is built."""
        if self._renumbering is None and list(self._order) != sorted(self._order):
            node = self._server.nodes.namespace_array
            uris = await node.read_value()
            await node.write_value([*uris[:FIRST], *(uris[index] for index in self._order)])
            self.nodes.renumbering = Renumbering(self._order)
            self._renumber(self.nodes.renumbering)

    async def listen(self, host: str, port: int, wire: Wire | None = None) -> None:
        """Answer clients from now on.

        Args:
            host: Address to listen on.
            port: 0 for any.
            wire: What all links run over.

        Raises:
            OSError: the port is taken.
        """
        await self.settle()
        self._date_all()
        self._server.set_endpoint(f"opc.tcp://{host}:{port}")
        await self._server._setup_server_nodes()
        await self._iserver.start()
        await self._run_clock()
        # asyncua's own start makes sockets without a wire, and logs a traceback for a taken port
        sockets = Sockets(self._iserver, host, port, self._server.limits, wire)
        sockets.set_policies(self._server._policies)
        await sockets.start()
        self._server.bserver = sockets
        self.port = sockets.port

    async def close(self) -> None:
        """Drop every client and stop answering; no session outlives its server."""
        await self._server.stop()
        for session in list(self._iserver._external_sessions.values()):
            await session.close_session(delete_subs=True)

    def allow_sessions(self, most: int | None) -> None:
        """Take no more sessions than that; None for as many as its limits say."""
        self._iserver.max_sessions = self._iserver.limits.sessions or None if most is None else most

    def trust_clients(self, trusted: bool) -> None:
        """Whether clients' certificates are taken from now on, as they open or renew a channel."""
        self._iserver.trusts_clients = trusted

    @property
    def calls(self) -> int:
        """Methods that clients have called."""
        return self._iserver.calls

    @property
    def writes(self) -> int:
        """Attributes that clients have written."""
        return self._iserver.writes

    def remember(self, event: MachineEvent) -> None:
        """Keep an event for clients that ask for the past, if this server does."""
        if self._iserver.history is not None:
            self._iserver.history.keep(event)

    async def fire(self, event: Event, *above: ua.NodeId) -> None:
        """Give an event to those who subscribed to its emitting node, and to the Server object.

        Args:
            event: What happened.
            above: Further nodes whose subscribers it is for.
        """
        seen = self._as_seen(event)
        for node in (event.emitting_node, *above, SERVER):
            seen.emitting_node = self._seen(node)
            await self._iserver.subscription_service.trigger_event(seen)

    async def push(self, event: Event, *nodes: ua.NodeId) -> None:
        """Give an event to those who subscribed to some nodes, whatever their filters ask for."""
        seen, wanted = self._as_seen(event), {self._seen(node) for node in nodes}
        for subscription in self._iserver.subscription_service.subscriptions.values():
            for key, item in subscription.monitored_item_srv._monitored_items.items():
                asked = item.read_value_id
                if asked.AttributeId == EVENTS and asked.NodeId in wanted:
                    selected = seen.to_event_fields(item.filter.SelectClauses)
                    fields = ua.EventFieldList(item.client_handle, selected)
                    await subscription.enqueue_event(key, fields, item.queue_size)

    def _as_seen(self, event: Event) -> Event:
        seen = copy(event)
        seen.EventType = self._seen(event.EventType)
        seen.SourceNode = self._seen(event.SourceNode)
        return seen

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
        await self._put(START_TIME, ua.Variant(started, ua.VariantType.DateTime))

        def time() -> ua.DataValue:
            return self._at_this_time(ua.Variant(self.now(), ua.VariantType.DateTime))

        def status_now() -> ua.DataValue:
            current = copy(status)
            current.CurrentTime = self.now()
            return self._at_this_time(ua.Variant(current, ua.VariantType.ExtensionObject))

        self._compute(CURRENT_TIME, time)
        self._compute(SERVER_STATUS, status_now)

    def _at_this_time(self, value: ua.Variant) -> ua.DataValue:
        now = self.now()
        return ua.DataValue(value, SourceTimestamp=now, ServerTimestamp=now)
