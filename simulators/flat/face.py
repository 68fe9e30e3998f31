"""A press whose OPC UA server follows no companion specification: a flat list of tokens.

Every number is a Double, even counters; the mode is a bit mask. The values of the last cycle are
written one after the other, then its curves, the counter last, as controls of this kind do it.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

from asyncua import ua
from asyncua.server.address_space import NodeData

from simulators.flat.tokens import (
    ALL,
    CURVES,
    LAST_CYCLE,
    LEVELS,
    LIVE,
    STATES,
    TEXTS,
    is_measured,
    shown,
)
from simulators.listener import Change
from simulators.opcua.absence import Content
from simulators.opcua.face import UaFace
from simulators.opcua.limits import Limits
from simulators.opcua.nodes import DATA_VARIABLE, FOLDER, OBJECTS, ORGANIZES, double, doubles, text
from simulators.opcua.security import Security
from simulators.opcua.server import UaServer
from simulators.opcua.sharednodes import standard_nodes
from simulators.press import Press
from simulators.shot import Shot

NAMESPACE = "urn:sprue:simulated:flat"
TWIN_NAMESPACE = "urn:sprue:simulated:flat:twin"
INDEX, TWIN_INDEX = 2, 3

DOUBLE = ua.NodeId(ua.ObjectIds.Double)
STRING = ua.NodeId(ua.ObjectIds.String)

FRAGILE = "ActTimCool"
LATE = ("ActTimCool", *LEVELS)

TWIN_NUMBER, TWIN_TEXT = 777.0, "TWIN"
"""What the other machine shows, always: nothing that this press could."""


class FlatFace(UaFace):
    """Publishes one press on an OPC UA server of its own.

    Args:
        press: The press.
        host: Address to listen on.
        port: 0 for any.
        security: None for a server that anybody reads in clear.
        limits: What it takes at once; None for anything.
        twin: Whether a second namespace has nodes of the same names with another machine's values,
            as on a server that collects the values of several.
    """

    namespaces = (NAMESPACE, TWIN_NAMESPACE)

    def __init__(
        self,
        press: Press,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        security: Security | None = None,
        limits: Limits | None = None,
        twin: bool = False,
    ) -> None:
        super().__init__(
            [press],
            name=f"{press.name} flat",
            host=host,
            port=port,
            security=security,
            limits=limits,
        )
        self.press = press
        self._twin = twin
        self._ids: dict[str, ua.NodeId] = {}
        self._curves_at = datetime.now(UTC)

    async def tick(self) -> None:
        """Tell those who subscribed to live values; reads compute them anyway."""
        await self._publish(LIVE)

    async def phase_changed(self, press: Press) -> None:
        """Publish the phase, and the levels that go with it."""
        await self._write("StsPhase", double(press.phase))
        for token, signal in LEVELS.items():
            await self._write(token, double(press.levels[signal]))

    async def shot_ended(self, press: Press, shot: Shot) -> None:
        """Publish the last cycle's values, its curves, and then the counter."""
        for token, signal in LAST_CYCLE.items():
            await self._write(token, double(shot.values[signal]))
            await asyncio.sleep(0)
        if self._server is not None:
            self._curves_at = self._server.now()
        await self._publish(CURVES)
        await self._write("TypClosing", double(shot.closing == "dry"))
        await self._write("ActCntCyc", double(shot.counter))

    async def changed(self, press: Press, change: Change) -> None:
        """Publish mode, production status, job, mold and counter as they are now."""
        for token in (*TEXTS, *STATES):
            if token != "TypClosing":
                await self._write(token, shown(press, token))

    async def base(self) -> Mapping[ua.NodeId, NodeData]:
        """The standard's nodes."""
        return standard_nodes()

    async def fill(self, server: UaServer) -> Content:
        """One folder with a variable for each token; the twin's has the same names."""
        prefix = f"g{self.generation}." if self.generation else ""
        self._ids = {token: ua.NodeId(prefix + token, INDEX) for token in ALL}
        values = {token: shown(self.press, token) for token in ALL}
        _add(server, ua.NodeId(f"{prefix}Machine", INDEX), self._ids, values)
        self._curves_at = server.now()
        for token in (*LIVE, *CURVES):  # a kept curve would take more memory than all the rest
            value = partial(shown, self.press, token)
            at = self._when_curves_came if token in CURVES else None
            server.on_read(self._ids[token], value, at=at)
        for token in filter(is_measured, ALL):
            server.measured(self._ids[token], self.press.faults)
        if self._twin:
            ids = {token: ua.NodeId(token, TWIN_INDEX) for token in ALL}
            _add(server, ua.NodeId("Machine", TWIN_INDEX), ids, _twins(values))
        return Content(
            listeners=[(self.press, self)],
            fragile={self.press.name: self._ids[FRAGILE]},
            late=[self._ids[token] for token in LATE],
        )

    def _when_curves_came(self) -> datetime:
        return self._curves_at

    async def _write(self, token: str, value: ua.Variant) -> None:
        if self._server is not None:
            await self._server.write(self._ids[token], value)

    async def _publish(self, tokens: Iterable[str]) -> None:
        if self._server is not None:
            await self._server.publish(*(self._ids[token] for token in tokens))


def _add(
    server: UaServer,
    folder: ua.NodeId,
    ids: Mapping[str, ua.NodeId],
    values: Mapping[str, ua.Variant],
) -> None:
    index = folder.NamespaceIndex
    name = ua.QualifiedName("Machine", index)
    server.nodes.object(folder, name, OBJECTS, FOLDER, reference=ORGANIZES)
    for token, value in values.items():
        kind = STRING if value.VariantType is ua.VariantType.String else DOUBLE
        name = ua.QualifiedName(token, index)
        server.nodes.variable(ids[token], name, folder, value, kind, DATA_VARIABLE)


def _twins(values: Mapping[str, ua.Variant]) -> Mapping[str, ua.Variant]:
    """Another machine's values of the same kinds."""
    return {token: _twin(value) for token, value in values.items()}


def _twin(value: ua.Variant) -> ua.Variant:
    if value.VariantType is ua.VariantType.String:
        return text(TWIN_TEXT)
    return doubles([TWIN_NUMBER]) if value.is_array else double(TWIN_NUMBER)
