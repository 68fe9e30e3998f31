"""A press whose OPC UA server follows OPC 40077 (EUROMAP 77): cycle data as events.

One server may hold several machines, as a gateway's does. The types come from our own tables or
from the official NodeSet files; the machines' own nodes are the same in both cases.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from asyncua import ua
from asyncua.server.address_space import NodeData

from simulators.euromap77.options import Options
from simulators.euromap77.panel import Panel
from simulators.euromap77.publisher import Publisher
from simulators.euromap77.typenodes import machine_types
from simulators.euromap77.types import NAMESPACES
from simulators.listener import Units
from simulators.opcua.absence import Content
from simulators.opcua.face import UaFace
from simulators.opcua.limits import Limits
from simulators.opcua.nodes import texts
from simulators.opcua.security import Security
from simulators.opcua.server import UaServer
from simulators.opcua.units import Pressure, Temperature
from simulators.press import Press

__all__ = ["Euromap77Face", "Options"]

PROFILES = ua.NodeId(ua.ObjectIds.Server_ServerCapabilities_ServerProfileArray)
PROFILE = "http://opcfoundation.org/UA-Profile/PlasticsRubber/IMM2MES/Server/"


class Euromap77Face(UaFace):
    """Publishes presses on one OPC UA server.

    Args:
        presses: One, or several for a gateway.
        host: Address to listen on.
        port: 0 for any.
        options: What the machines offer.
        nodesets: Folder of the official NodeSet files; None for the types built here.
        security: None for a server that anybody reads in clear.
        limits: What it takes at once; None for anything.
    """

    namespaces = NAMESPACES

    def __init__(
        self,
        presses: Press | Sequence[Press],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        options: Options | None = None,
        nodesets: Path | None = None,
        security: Security | None = None,
        limits: Limits | None = None,
    ) -> None:
        every = (presses,) if isinstance(presses, Press) else tuple(presses)
        super().__init__(
            every,
            name=" ".join([*(press.name for press in every), "OPC 40077"]),
            host=host,
            port=port,
            security=security,
            limits=limits,
            event_history=(options or Options()).event_history,
        )
        self.options = options or Options()
        self._nodesets = nodesets
        self._panels = [Panel(press, self.options) for press in every]

    async def tick(self) -> None:
        """Nothing to do: OPC 40077 has no live values."""

    async def base(self) -> Mapping[ua.NodeId, NodeData]:
        """The standards' types and the maker's."""
        return await machine_types(self._nodesets, self.options)

    async def fill(self, server: UaServer) -> Content:
        """Every machine below DeviceSet, and the profiles that the server follows."""
        options = self.options
        profiles = [PROFILE + "Basic"]
        profiles += [PROFILE + "Jobs"] * options.jobs
        profiles += [PROFILE + "ProductionDatasetManagement"] * options.production_datasets
        await server.write(PROFILES, texts(profiles))
        machines = [
            (press, Publisher(server, press, options, panel, self.generation))
            for press, panel in zip(self.presses, self._panels, strict=True)
        ]
        return Content(
            listeners=machines,
            fragile={press.name: machine.fragile for press, machine in machines},
            late=[node for _, machine in machines for node in machine.late],
        )

    async def set_units(
        self, *, pressure: Pressure | None = None, temperature: Temperature | None = None
    ) -> None:
        """Set all controls to other units, as a person may at any time; None leaves one as it is.

        Values and their EngineeringUnits change together; event types stay as they were declared.
        """
        for panel in self._panels:
            await panel.set_to(Units(pressure=pressure, temperature=temperature))
