"""The event that tells of nodes that came and went (OPC 10000-5, GeneralModelChangeEventType)."""

from asyncua import ua

from simulators.opcua.event import MachineEvent, Source
from simulators.opcua.server import UaServer

MODEL_CHANGE = ua.NodeId(ua.ObjectIds.GeneralModelChangeEventType)
NODE_ADDED, NODE_DELETED = 1, 2


def model_change(
    server: UaServer, container: Source, kind: ua.NodeId, *, deleted: ua.NodeId, added: ua.NodeId
) -> MachineEvent:
    """One node in a container has taken the place of another.

    Args:
        server: Whose clients are told.
        container: Where they stood and stand.
        kind: Type of both.
        deleted: The one that is gone.
        added: The one that is new.
    """
    changes = [
        ua.ModelChangeStructureDataType(node, kind, verb)
        for node, verb in ((deleted, NODE_DELETED), (added, NODE_ADDED))
    ]
    if server.nodes.renumbering is not None:
        changes = server.nodes.renumbering.of(changes)
    fields = {"Changes": ua.Variant(changes, ua.VariantType.ExtensionObject, is_array=True)}
    return MachineEvent(MODEL_CHANGE, container, server.now(), f"{container.name} changed", fields)
