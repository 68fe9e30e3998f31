"""Event filters in a form that asyncua's server follows as the standard means it."""

from asyncua import ua
from asyncua.server.address_space import AddressSpace

HAS_SUBTYPE = ua.NodeId(ua.ObjectIds.HasSubtype)


def take_in_subtypes(where: ua.ContentFilter, space: AddressSpace) -> None:
    """Write out each OfType as the list of the type and its subtypes.

    asyncua's server takes an OfType for that very type, so that who asks for the events of a
    standard's type would never hear of a maker's, which derive from it.

    Source:
        OPC 10000-4, 7.7.3: OfType is true for the type and for its subtypes.
    """
    for element in where.Elements:
        if element.FilterOperator == ua.FilterOperator.OfType:
            kinds = _with_subtypes(element.FilterOperands[0].Value.Value, space)
            element.FilterOperator = ua.FilterOperator.InList
            element.FilterOperands = [_event_type(), *(_literal(kind) for kind in kinds)]


def _with_subtypes(kind: ua.NodeId, space: AddressSpace) -> list[ua.NodeId]:
    kinds = [kind]
    for each in kinds:  # grows as it goes
        node = space._nodes.get(each)
        if node is not None:
            kinds += [
                reference.NodeId
                for reference in node.references
                if reference.IsForward and reference.ReferenceTypeId == HAS_SUBTYPE
            ]
    return kinds


def _event_type() -> ua.SimpleAttributeOperand:
    operand = ua.SimpleAttributeOperand()
    operand.TypeDefinitionId = ua.NodeId(ua.ObjectIds.BaseEventType)
    operand.BrowsePath = [ua.QualifiedName("EventType", 0)]
    operand.AttributeId = ua.AttributeIds.Value
    return operand


def _literal(node: ua.NodeId) -> ua.LiteralOperand:
    return ua.LiteralOperand(Value=ua.Variant(node, ua.VariantType.NodeId))
