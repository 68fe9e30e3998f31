"""A plain asyncua client: looks at everything below one object of a server, then listens.

    python asyncua_client.py '{"url": "opc.tcp://...", "folder": "...", "start": "DeviceSet", ...}'

Takes and prints the same as `node-opcua/client.mjs`. What asyncua warns of goes to standard error.
"""

import asyncio
import json
import socket
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from asyncua import Client, Node, ua
from asyncua.common.ua_utils import data_type_to_variant_type
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from cryptography.x509.oid import ExtendedKeyUsageOID

HIERARCHICAL = ua.ObjectIds.HierarchicalReferences
FORWARD = ua.BrowseDirection.Forward
SESSION_MS = 60_000
"""What the machines grant; asyncua warns of less than it asked for."""
URI = "urn:sprue:foreign:asyncua"
VARIABLE = ("Value", "DataType", "ValueRank", "AccessLevel", "UserAccessLevel")


def say(kind: str, **what: Any) -> None:
    print(json.dumps({"is": kind, **what}), flush=True)


class Listener:
    """The handler of a subscription."""

    def __init__(self) -> None:
        self.paths: dict[Node, str] = {}

    def datachange_notification(self, node: Node, _value: Any, data: Any) -> None:
        value = plain(data.monitored_item.Value.Value)
        say("change", path=self.paths[node], value=value)

    def event_notification(self, event: Any) -> None:
        fields = event.get_event_props_as_fields_dict()
        say("event", fields={name: plain(each) for name, each in fields.items()})


async def main(job: dict[str, Any]) -> None:
    client = Client(job["url"])
    client.session_timeout = SESSION_MS
    if "user" in job:
        await secure(client, Path(job["folder"]), job["user"], job["password"])
    async with client:
        await client.load_data_type_definitions()
        nodes = await everything_below(await starting_point(client, job["start"]))
        for path, reference in nodes.items():
            say("node", path=path, node_class=ua.NodeClass(reference.NodeClass).name)
        for path, reference in nodes.items():
            if reference.NodeClass == ua.NodeClass.Variable:
                await read(client, path, client.get_node(reference.NodeId))
        listener = Listener()
        subscription = await client.create_subscription(20, listener)
        for path in job["watch"]:
            node = client.get_node(nodes[path].NodeId)
            listener.paths[node] = path
            await subscription.subscribe_data_change(node, queuesize=100)
        if "source" in job:
            source = client.get_node(nodes[job["source"]].NodeId)
            kind = await generated(source, job["event"])
            await subscription.subscribe_events(source, kind, queuesize=100)
        say("listening")
        await asyncio.to_thread(sys.stdin.read)
        await subscription.delete()


async def secure(client: Client, folder: Path, user: str, password: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    key, certificate = folder / "key.pem", folder / "certificate.der"
    use = [ExtendedKeyUsageOID.CLIENT_AUTH]
    await setup_self_signed_certificate(key, certificate, URI, socket.gethostname(), use, {})
    client.application_uri = URI
    client.set_user(user)
    client.set_password(password)
    await client.set_security(SecurityPolicyBasic256Sha256, certificate, key)


async def starting_point(client: Client, name: str) -> Node:
    for reference in await client.nodes.objects.get_references(HIERARCHICAL, FORWARD):
        if reference.BrowseName.Name == name:
            return client.get_node(reference.NodeId)
    raise LookupError(f"the server has no {name} below Objects")


async def everything_below(node: Node, above: str = "") -> dict[str, Any]:
    """References by path, depth first."""
    found: dict[str, Any] = {}
    for reference in await node.get_references(HIERARCHICAL, FORWARD):
        path = above + reference.BrowseName.Name
        child = Node(node.session, reference.NodeId)
        found[path] = reference
        if reference.NodeClass != ua.NodeClass.Method and reference.TypeDefinition.is_null():
            say("complaint", text=f"{path} has no type definition")
        found |= await everything_below(child, f"{path}/")
    return found


async def read(client: Client, path: str, node: Node) -> None:
    answers = await node.read_attributes([ua.AttributeIds[name] for name in VARIABLE])
    for name, answer in zip(VARIABLE, answers, strict=True):
        if not answer.StatusCode.is_good():
            say("complaint", text=f"{path}: {name} is {answer.StatusCode.name}")
    value, data_type, rank = (answer.Value for answer in answers[:3])
    declared = await data_type_to_variant_type(client.get_node(data_type.Value))
    say(
        "value",
        path=path,
        type=value.VariantType.name,
        declared=declared.name,
        array=value.is_array,
        rank=rank.Value,
        value=plain(value),
    )


async def generated(source: Node, name: str) -> Node:
    """The event type of that name that a node generates."""
    if ua.EventNotifier.SubscribeToEvents not in await source.read_event_notifier():
        say("complaint", text=f"{source} does not let anyone subscribe to events")
    for kind in await source.get_referenced_nodes(ua.ObjectIds.GeneratesEvent, FORWARD):
        if (await kind.read_browse_name()).Name == name:
            return kind
    raise LookupError(f"{source} generates no {name}")


def plain(variant: Any) -> Any:
    """The value as JSON has it."""
    if isinstance(variant.Value, list):
        return [_plain(each) for each in variant.Value]
    return _plain(variant.Value)


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.isoformat()
        case bytes():
            return value.hex()
        case ua.LocalizedText():
            return value.Text
        case ua.NodeId():
            return value.to_string()
        case _:
            return str(value)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
