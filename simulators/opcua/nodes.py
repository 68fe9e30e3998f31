"""Writes nodes straight into an OPC UA address space: quick, and with the ids that we choose."""

from typing import Any

from asyncua import ua
from asyncua.server.address_space import NodeManagementService

from simulators.opcua.renumbering import Renumbering

HAS_COMPONENT = ua.NodeId(ua.ObjectIds.HasComponent)
HAS_PROPERTY = ua.NodeId(ua.ObjectIds.HasProperty)
HAS_SUBTYPE = ua.NodeId(ua.ObjectIds.HasSubtype)
ORGANIZES = ua.NodeId(ua.ObjectIds.Organizes)
GENERATES_EVENT = ua.NodeId(ua.ObjectIds.GeneratesEvent)
HAS_MODELLING_RULE = ua.NodeId(ua.ObjectIds.HasModellingRule)
MANDATORY = ua.NodeId(ua.ObjectIds.ModellingRule_Mandatory)
OPTIONAL = ua.NodeId(ua.ObjectIds.ModellingRule_Optional)
PROPERTY = ua.NodeId(ua.ObjectIds.PropertyType)
DATA_VARIABLE = ua.NodeId(ua.ObjectIds.BaseDataVariableType)
ANALOG_ITEM = ua.NodeId(ua.ObjectIds.AnalogItemType)
BASE_OBJECT = ua.NodeId(ua.ObjectIds.BaseObjectType)
FOLDER = ua.NodeId(ua.ObjectIds.FolderType)
OBJECTS = ua.NodeId(ua.ObjectIds.ObjectsFolder)
NOBODY = ua.NodeId()

READ = ua.AccessLevel.CurrentRead.mask
READ_WRITE = READ | ua.AccessLevel.CurrentWrite.mask


class Nodes:
    """Adds nodes to one address space.

    Raises (every method):
        asyncua.ua.UaError: the parent or the type is not there, or the id is taken.
    """

    def __init__(self, service: NodeManagementService) -> None:
        self._service = service
        self.renumbering: Renumbering | None = None
        """Of a server whose clients see the namespaces in another order; ids here stay as built."""

    def object(
        self,
        node: ua.NodeId,
        name: ua.QualifiedName,
        parent: ua.NodeId,
        kind: ua.NodeId = BASE_OBJECT,
        *,
        reference: ua.NodeId = HAS_COMPONENT,
        events: bool = False,
        history: bool = False,
    ) -> ua.NodeId:
        """An object of a type; with `events` clients may subscribe to events at it.

        With `history` they may also read those of the past.
        """
        attributes = ua.ObjectAttributes()
        attributes.EventNotifier = ua.EventNotifier.SubscribeToEvents.mask if events else 0
        if history:
            attributes.EventNotifier |= ua.EventNotifier.HistoryRead.mask
        return self._add(ua.NodeClass.Object, node, name, parent, reference, kind, attributes)

    def variable(
        self,
        node: ua.NodeId,
        name: ua.QualifiedName,
        parent: ua.NodeId,
        value: ua.Variant,
        data_type: ua.NodeId,
        kind: ua.NodeId = PROPERTY,
        *,
        writable: bool = False,
    ) -> ua.NodeId:
        """A variable; a property unless its type says otherwise."""
        attributes = ua.VariableAttributes()
        attributes.DataType = data_type
        attributes.Value = value
        attributes.ValueRank = ua.ValueRank.OneDimension if value.is_array else ua.ValueRank.Scalar
        attributes.ArrayDimensions = None
        attributes.AccessLevel = attributes.UserAccessLevel = READ_WRITE if writable else READ
        attributes.Historizing = False
        attributes.MinimumSamplingInterval = 0.0
        reference = HAS_PROPERTY if kind == PROPERTY else HAS_COMPONENT
        return self._add(ua.NodeClass.Variable, node, name, parent, reference, kind, attributes)

    def object_type(
        self, node: ua.NodeId, name: ua.QualifiedName, parent: ua.NodeId, *, abstract: bool = False
    ) -> ua.NodeId:
        """A subtype of an object or event type."""
        attributes = ua.ObjectTypeAttributes()
        attributes.IsAbstract = abstract
        return self._add(
            ua.NodeClass.ObjectType, node, name, parent, HAS_SUBTYPE, NOBODY, attributes
        )

    def data_type(self, node: ua.NodeId, name: ua.QualifiedName, parent: ua.NodeId) -> ua.NodeId:
        """A subtype of a data type."""
        attributes = ua.DataTypeAttributes()
        attributes.IsAbstract = False
        return self._add(ua.NodeClass.DataType, node, name, parent, HAS_SUBTYPE, NOBODY, attributes)

    def reference(
        self, source: ua.NodeId, kind: ua.NodeId, target: ua.NodeId, target_class: ua.NodeClass
    ) -> None:
        """A forward reference between two nodes that are there."""
        item = ua.AddReferencesItem()
        item.SourceNodeId, item.ReferenceTypeId, item.TargetNodeId = source, kind, target
        item.IsForward = True
        item.TargetNodeClass = target_class
        for status in self._service.add_references([self._seen(item)]):
            status.check()

    def rule(self, node: ua.NodeId, *, optional: bool) -> None:
        """The modelling rule of a type's child."""
        rule = OPTIONAL if optional else MANDATORY
        self.reference(node, HAS_MODELLING_RULE, rule, ua.NodeClass.Object)

    def _add(
        self,
        node_class: ua.NodeClass,
        node: ua.NodeId,
        name: ua.QualifiedName,
        parent: ua.NodeId,
        reference: ua.NodeId,
        kind: ua.NodeId,
        attributes: Any,
    ) -> ua.NodeId:
        attributes.DisplayName = ua.LocalizedText(name.Name)
        attributes.Description = ua.LocalizedText("")
        attributes.WriteMask = attributes.UserWriteMask = 0
        item = ua.AddNodesItem()
        item.RequestedNewNodeId = node
        item.BrowseName = name
        item.ParentNodeId = parent
        item.ReferenceTypeId = reference
        item.NodeClass = node_class
        item.TypeDefinition = kind
        item.NodeAttributes = attributes
        for result in self._service.add_nodes([self._seen(item)]):
            result.StatusCode.check()
        return node

    def _seen(self, item: Any) -> Any:
        return item if self.renumbering is None else self.renumbering.of(item)


def text(value: str) -> ua.Variant:
    """A String."""
    return ua.Variant(value, ua.VariantType.String)


def localized(value: str) -> ua.Variant:
    """A LocalizedText."""
    return ua.Variant(ua.LocalizedText(value), ua.VariantType.LocalizedText)


def double(value: float) -> ua.Variant:
    """A Double."""
    return ua.Variant(float(value), ua.VariantType.Double)


def uint32(value: int) -> ua.Variant:
    """A UInt32."""
    return ua.Variant(value, ua.VariantType.UInt32)


def uint64(value: int) -> ua.Variant:
    """A UInt64."""
    return ua.Variant(value, ua.VariantType.UInt64)


def number(value: int) -> ua.Variant:
    """An Int32, which is what enumerations are on the wire."""
    return ua.Variant(int(value), ua.VariantType.Int32)


def boolean(value: bool) -> ua.Variant:
    """A Boolean."""
    return ua.Variant(value, ua.VariantType.Boolean)


def doubles(values: list[float]) -> ua.Variant:
    """An array of Double."""
    return ua.Variant(values, ua.VariantType.Double, is_array=True)


def texts(values: list[str]) -> ua.Variant:
    """An array of String."""
    return ua.Variant(values, ua.VariantType.String, is_array=True)
