"""A press whose OPC UA server follows OPC 40077 (EUROMAP 77): cycle data as events.

One server may hold several machines, as a gateway's does. The types come from our own tables or
from the official NodeSet files; the machines' own nodes are the same in both cases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from asyncua import ua

from simulators.cycle_event import Source, cycle_fields, event, log_fields, message
from simulators.listener import Change
from simulators.machine77 import MANUFACTURER, build_machine
from simulators.maker77 import EVENT_TYPE, LOGS, build_event_types
from simulators.modes import Phase
from simulators.nodes import GENERATES_EVENT, texts
from simulators.opcua import UaServer
from simulators.press import Press
from simulators.shot import Shot
from simulators.tree77 import Tree
from simulators.typenodes77 import built_types, loaded_types
from simulators.types77 import (
    CYCLE_EVENT,
    DEVICE_SET,
    LOGBOOK_EVENT,
    MACHINE_TYPE,
    MAKER,
    NAMESPACES,
)

PROFILES = ua.NodeId(ua.ObjectIds.Server_ServerCapabilities_ServerProfileArray)
PROFILE = "http://opcfoundation.org/UA-Profile/PlasticsRubber/IMM2MES/Server/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What of the standard's optional parts the machines offer."""

    jobs: bool = True
    """The Jobs branch, with all counters that can be read."""
    machine_counter: bool = True
    """MachineCycleCounter, in the event and in ActiveJobValues."""


class Euromap77Face:
    """Publishes presses on one OPC UA server.

    Args:
        presses: One, or several for a gateway.
        nodesets: Folder of the official NodeSet files; None for the types built here.
    """

    def __init__(
        self,
        presses: Press | Sequence[Press],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        options: Options | None = None,
        nodesets: Path | None = None,
    ) -> None:
        self.presses = (presses,) if isinstance(presses, Press) else tuple(presses)
        self.host = host
        self.port = port
        """0 until it has started, if it was not given."""
        self.options = options or Options()
        self._nodesets = nodesets
        self._server: UaServer | None = None
        self._machines: list[_Machine] = []

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"opc.tcp://{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen with a fresh address space that shows the presses as they are.

        Raises:
            OSError: the port is taken, or a NodeSet file is missing.
        """
        base = built_types() if self._nodesets is None else await loaded_types(self._nodesets)
        names = " ".join(press.name for press in self.presses)
        uri = f"urn:sprue:simulated:{self.presses[0].name}"
        server = UaServer(base, NAMESPACES, name=f"{names} OPC 40077", uri=uri)
        await server.init()
        build_event_types(server.nodes, machine_counter=self.options.machine_counter)
        profiles = [PROFILE + "Basic"] + [PROFILE + "Jobs"] * self.options.jobs
        await server.write(PROFILES, texts(profiles))
        machines = [_Machine(press, server, self.options) for press in self.presses]
        await server.listen(self.host, self.port)
        self._server, self._machines, self.port = server, machines, server.port
        for machine in machines:
            machine.press.listeners.append(machine)

    async def stop(self) -> None:
        """Stop answering; the presses mold on."""
        if self._server is None:
            return
        for machine in self._machines:
            machine.press.listeners.remove(machine)
        server, self._server, self._machines = self._server, None, []
        await server.close()

    async def tick(self) -> None:
        """Nothing to do: OPC 40077 has no live values."""


class _Machine:
    """One press below DeviceSet."""

    def __init__(self, press: Press, server: UaServer, options: Options) -> None:
        self.press = press
        self._server = server
        self._options = options
        name = f"IMM_{MANUFACTURER}_{press.name}"
        self._tree = Tree(server, name)
        self._source = Source(self._tree.root, name)
        nodes, root = server.nodes, self._tree.root
        nodes.object(root, ua.QualifiedName(name, MAKER), DEVICE_SET, MACHINE_TYPE, events=True)
        for kind in (CYCLE_EVENT, LOGBOOK_EVENT, EVENT_TYPE):
            nodes.reference(root, GENERATES_EVENT, kind, ua.NodeClass.ObjectType)
        build_machine(self._tree, press, jobs=options.jobs, machine_counter=options.machine_counter)

    async def phase_changed(self, press: Press) -> None:
        """Publish the temperatures that come with a phase."""
        if press.phase in (Phase.COOL, Phase.OPEN, Phase.IDLE):
            await self._tree.publish()

    async def shot_ended(self, press: Press, shot: Shot) -> None:
        """Publish the counters, and fire the cycle event."""
        await self._tree.publish()
        fields = cycle_fields(press, shot, machine_counter=self._options.machine_counter)
        await self._fire(EVENT_TYPE, shot.ended_at, f"Cycle {shot.job_counter} finished", fields)

    async def changed(self, press: Press, change: Change) -> None:
        """Publish what changed, and fire the logbook event that announces it."""
        await self._tree.publish()
        if change.kind in LOGS:
            kind = ua.NodeId(LOGS[change.kind][0], MAKER)
            fields = log_fields(press, change)
            await self._fire(kind, datetime.now(UTC), message(change), fields)

    async def _fire(
        self, kind: ua.NodeId, at: datetime, words: str, fields: Mapping[str, ua.Variant]
    ) -> None:
        await self._server.fire(event(kind, self._source, at, words, fields))
