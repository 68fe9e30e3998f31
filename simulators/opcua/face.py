"""The OPC UA server of one press or several, with what any such server can suffer.

A face says what is on its server; that the server goes down and comes back, with other ids, another
certificate or a wrong clock, is done here, on the order of the presses' faults.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace

from asyncua import ua
from asyncua.server.address_space import NodeData

from simulators.certificates import expired, renew
from simulators.faults import Active
from simulators.opcua.absence import Absence, Content
from simulators.opcua.conditions import Conditions
from simulators.opcua.eventhistory import EventHistory
from simulators.opcua.limits import Limits
from simulators.opcua.renumbering import FIRST
from simulators.opcua.security import Security
from simulators.opcua.server import UaServer
from simulators.press import Press
from simulators.wire import Wire

log = logging.getLogger(__name__)

RESTARTS = frozenset(
    {
        "server_restart",
        "namespace_reordered",
        "node_ids_changed",
        "nodes_missing",
        "certificate_changed",
    }
)
"""Faults that happen once, each with a `down_s`."""

RESTART_S = 1.0
"""How long a server is down that comes back with an expired certificate, or without."""


def application_uri(press: str) -> str:
    """What a server calls itself whose first press has that name."""
    return f"urn:sprue:simulated:{press}"


class UaFace(ABC):
    """Publishes presses on one OPC UA server.

    Args:
        presses: One, or several behind a gateway.
        name: Of the server's application.
        host: Address to listen on.
        port: 0 for any.
        security: None for a server that anybody reads in clear.
        limits: What it takes at once; None for anything.
        event_history: Past events that clients may read; 0 for none.
    """

    namespaces: Sequence[str]
    """URIs from index 2 on."""

    def __init__(
        self,
        presses: Sequence[Press],
        *,
        name: str,
        host: str,
        port: int,
        security: Security | None = None,
        limits: Limits | None = None,
        event_history: int = 0,
    ) -> None:
        self.presses = tuple(presses)
        self.name = name
        self.host = host
        self.port = port
        """0 until it has started, if it was not given."""
        self.generation = 0
        """Software updates so far; each gives the machine's own nodes other ids."""
        self._uri = application_uri(self.presses[0].name)
        self._security = security
        self._limits = limits
        self.history = EventHistory(event_history) if event_history else None
        """Past events, through restarts."""
        self._turns = 0
        faults = [press.faults for press in self.presses]
        self._conditions = Conditions(faults)
        self._wire = Wire(faults)
        self._lock = asyncio.Lock()
        self._started = False
        self._restart: asyncio.Task[None] | None = None
        self._listens = asyncio.Event()
        self._server: UaServer | None = None
        self._content: Content | None = None
        self._absence = Absence(self.presses)
        for press in self.presses:
            press.faults.followers.append(self)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"opc.tcp://{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen with a fresh address space that shows the presses as they are.

        Raises:
            OSError: the port is taken, or a file can't be read or written.
        """
        async with self._lock:
            if not self._is_on("power_off"):
                await self._come_up()
            self._started = True

    async def stop(self) -> None:
        """Stop answering; the presses mold on."""
        async with self._lock:
            self._started = False
            await self._go_down()

    async def listens(self) -> None:
        """Wait until it answers clients: at once, unless it is restarting or without power."""
        await self._listens.wait()

    @abstractmethod
    async def tick(self) -> None:
        """Tell those who subscribed to live values."""

    @abstractmethod
    async def base(self) -> Mapping[ua.NodeId, NodeData]:
        """The nodes that its servers start with."""

    @abstractmethod
    async def fill(self, server: UaServer) -> Content:
        """Put on a server what the presses show now; it is reachable afterwards.

        The ids of the machine's own nodes differ from those of another generation.
        """

    # What faults do

    async def fault_changed(self, active: Active, *, on: bool) -> None:
        """Act at the moment a fault of one of the presses comes or goes."""
        name = active.name
        async with self._lock:
            if not self._started:
                return
            if name in RESTARTS:
                await self._change(name)
                await self._restart_in(active["down_s"], active.given.get("after_s"))
            elif name == "certificate_expired":
                await self._restart_in(RESTART_S)
            elif name == "power_off" and on:
                await self._go_down()
            elif name == "power_off":
                await self._restart_in(0)
            elif self._server is not None:
                await self._conditions.apply(self._server, name)
                await self._absence.apply()

    async def _change(self, name: str) -> None:
        match name:
            case "namespace_reordered":
                self._turns += 1
            case "node_ids_changed":
                self.generation += 1
            case "certificate_changed" if self._security is not None:
                await asyncio.to_thread(renew, self._security.folder, self._uri)

    async def _restart_in(self, down_s: float, late_s: float | None = None) -> None:
        await self._go_down()
        if not self._is_on("power_off"):
            coming = self._come_back(down_s, late_s)
            self._restart = asyncio.create_task(coming, name=f"restart of {self.name}")

    async def _come_back(self, down_s: float, late_s: float | None) -> None:
        await asyncio.sleep(down_s)
        while True:
            try:
                async with self._lock:  # so that nobody ends this while it opens a socket
                    await self._come_up(partly=late_s is not None)
                break
            except OSError as error:
                log.warning("%s can't come back at %s: %s", self.name, self.address, error)
                await asyncio.sleep(RESTART_S)
        if late_s is not None:
            await asyncio.sleep(late_s)
            async with self._lock:
                await self._absence.end()

    # How it goes up and down

    async def _come_up(self, *, partly: bool = False) -> None:
        server = UaServer(
            await self.base(),
            self.namespaces,
            name=self.name,
            uri=self._uri,
            security=await asyncio.to_thread(self._identity),
            limits=self._limits,
            order=self._order(),
            history=self.history,
        )
        await server.init()
        server.clock_offset_s = self._conditions.clock_offset_s()
        content = await self.fill(server)
        for press, listener in content.listeners:
            press.listeners.append(listener)
        self._server, self._content = server, content
        try:
            await server.settle()
            await self._conditions.apply(server)
            await self._absence.start(server, content, partly=partly)
            await server.listen(self.host, self.port, self._wire)
        except BaseException:
            await self._take_down()
            raise
        self.port = server.port
        self._listens.set()

    async def _go_down(self) -> None:
        restart, self._restart = self._restart, None
        if restart is not None:
            restart.cancel()
            await asyncio.wait([restart])
        await self._take_down()

    async def _take_down(self) -> None:
        self._listens.clear()
        server, content = self._server, self._content
        self._server = self._content = None
        if server is None or content is None:
            return
        for press, listener in content.listeners:
            press.listeners.remove(listener)
        await server.close()

    def _is_on(self, name: str) -> bool:
        return any(press.faults.active(name) for press in self.presses)

    def _identity(self) -> Security | None:
        if self._security is not None and self._is_on("certificate_expired"):
            return replace(self._security, folder=expired(self._security.folder, self._uri))
        return self._security

    def _order(self) -> list[int] | None:
        """Each restart with other namespaces takes the first and puts it last."""
        count = len(self.namespaces)
        order = [FIRST + (place + self._turns) % count for place in range(count)]
        return order if self._turns % count else None
