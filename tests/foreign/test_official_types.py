"""What a machine shows is what the official types declare, which a generic client builds on.

Methods are left out: the simulated machines take no orders from outside.
"""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, Node, ua
from asyncua.common.ua_utils import is_subtype

from simulators.fleet import Fleet
from simulators.plant import open_plant

FORWARD, INVERSE = ua.BrowseDirection.Forward, ua.BrowseDirection.Inverse
DI = "http://opcfoundation.org/UA/DI/"
MAKER = "urn:sprue:simulated:imm"
IMM = "http://opcfoundation.org/UA/PlasticsRubber/IMM2MES/"


@pytest.fixture
async def client(nodesets: Path) -> AsyncGenerator[Client]:
    """A client of a machine with the types of the official files."""
    press = {"name": "IMM-01", "protocol": "euromap77", "mold": "A-1", "mold_number": 42}
    fleet = Fleet.model_validate({"mold": [{"id": "A-1"}], "press": [press]})
    async with open_plant(fleet, speed=None, free_ports=True, nodesets=nodesets) as plant:
        client = Client(f"opc.tcp://127.0.0.1:{plant.ports['IMM-01']}")
        client.session_timeout = 60_000
        async with client:
            yield client


class Comparison:
    """Of instances with the declarations of their types."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._declared: dict[ua.NodeId, dict[str, Any]] = {}
        self.differences: list[str] = []
        self.compared = 0

    async def below(self, node: Node, kind: Node, *, whole: bool = True) -> None:
        """Compare all that is below a node with what its type declares; a subtype is not whole."""
        path = (await node.read_browse_name()).Name
        await self._below(node.nodeid, kind.nodeid, path, whole=whole)

    async def _below(
        self, node: ua.NodeId, kind: ua.NodeId, path: str, *, whole: bool = True
    ) -> None:
        children = {each.BrowseName.Name: each for each in await self._children(node)}
        for name, declared in (await self._declarations(kind)).items():
            if name in children:
                await self._compare(children[name], declared, f"{path}/{name}")
            elif whole and await self._mandatory(declared):
                self.differences.append(f"{path}/{name} is missing")
        for name, child in children.items():
            await self._below(child.NodeId, child.TypeDefinition, f"{path}/{name}")

    async def _compare(self, child: Any, declared: Any, path: str) -> None:
        self.compared += 1
        for what in ("BrowseName", "NodeClass", "ReferenceTypeId"):
            have, should = getattr(child, what), getattr(declared, what)
            if have != should:
                self.differences.append(f"{path}: {what} is {have}, not {should}")
        await self._is_a(child.TypeDefinition, declared.TypeDefinition, path)
        if child.NodeClass == ua.NodeClass.Variable:
            have, should = self._node(child.NodeId), self._node(declared.NodeId)
            await self._is_a(await have.read_data_type(), await should.read_data_type(), path)
            if await have.read_value_rank() != await should.read_value_rank():
                self.differences.append(f"{path} has another ValueRank")

    async def _is_a(self, kind: ua.NodeId, wanted: ua.NodeId, path: str) -> None:
        if kind != wanted and not await is_subtype(self._node(kind), wanted):
            self.differences.append(f"{path} is a {kind.to_string()}, not a {wanted.to_string()}")

    async def _declarations(self, kind: ua.NodeId) -> dict[str, Any]:
        """Children of a type and of its supertypes."""
        if kind not in self._declared:
            inherited: dict[str, Any] = {}
            for parent in await self._node(kind).get_references(ua.ObjectIds.HasSubtype, INVERSE):
                inherited = await self._declarations(parent.NodeId)
            own = {each.BrowseName.Name: each for each in await self._children(kind)}
            self._declared[kind] = inherited | own
        return self._declared[kind]

    async def _children(self, node: ua.NodeId) -> list[Any]:
        found = await self._node(node).get_references(ua.ObjectIds.Aggregates, FORWARD)
        return [each for each in found if each.NodeClass != ua.NodeClass.Method]

    async def _mandatory(self, declared: Any) -> bool:
        rules = await self._node(declared.NodeId).get_referenced_nodes(
            ua.ObjectIds.HasModellingRule, FORWARD
        )
        return [rule.nodeid for rule in rules] == [ua.NodeId(ua.ObjectIds.ModellingRule_Mandatory)]

    def _node(self, node: ua.NodeId) -> Node:
        return self._client.get_node(node)


async def test_a_machine_is_what_its_official_type_declares(client: Client) -> None:
    di, imm, maker = [await client.get_namespace_index(uri) for uri in (DI, IMM, MAKER)]
    devices = client.get_node(ua.NodeId(5001, di))
    machine = await devices.get_child(f"{maker}:IMM_SprueSim_IMM-01")
    comparison = Comparison(client)

    await comparison.below(machine, client.get_node(ua.NodeId(1007, imm)))

    assert comparison.differences == []
    assert comparison.compared > 60


async def test_the_makers_event_types_keep_to_the_official_ones(client: Client) -> None:
    maker = await client.get_namespace_index(MAKER)
    comparison = Comparison(client)

    kinds = [client.get_node(ua.ObjectIds.BaseEventType)]
    for kind in kinds:  # grows as it goes
        kinds += await kind.get_referenced_nodes(ua.ObjectIds.HasSubtype, FORWARD)
    own = [kind for kind in kinds if kind.nodeid.NamespaceIndex == maker]
    for kind in own:
        (parent,) = await kind.get_referenced_nodes(ua.ObjectIds.HasSubtype, INVERSE)
        await comparison.below(kind, parent, whole=False)

    assert len(own) >= 5
    assert comparison.differences == []
    assert comparison.compared > 20
