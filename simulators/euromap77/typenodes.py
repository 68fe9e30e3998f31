"""Address spaces with the types of OPC 40077: built from our tables, or from the official files."""

import logging
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from asyncua import Server, ua
from asyncua.server.address_space import (
    AddressSpace,
    AttributeValue,
    NodeData,
    NodeManagementService,
)

from simulators.euromap77.eventfields import FIELDS, Field, Part, placeholder
from simulators.euromap77.maker import build_event_types
from simulators.euromap77.options import Options
from simulators.euromap77.types import (
    DATA_TYPES,
    DEVICE_SET,
    DI,
    ENUMERATION,
    ENUMERATIONS,
    GT,
    OBJECT_TYPES,
    STRUCTURES,
    Structure,
)
from simulators.opcua.internalserver import InternalServerOn
from simulators.opcua.nodes import ANALOG_ITEM, DATA_VARIABLE, OBJECTS, ORGANIZES, PROPERTY, Nodes
from simulators.opcua.sharednodes import empty_space, standard_nodes
from simulators.opcua.units import EU_INFORMATION, RANGE, Measures

NODESET_FILES = (
    "Opc.Ua.Di.NodeSet2.xml",
    "Opc.Ua.PlasticsRubber.GeneralTypes.NodeSet2.xml",
    "Opc.Ua.PlasticsRubber.IMM2MES.NodeSet2.xml",
)


@cache
def built_types() -> Mapping[ua.NodeId, NodeData]:
    """The standard address space with the types of our tables."""
    space = empty_space(standard_nodes())
    nodes = Nodes(NodeManagementService(space))
    nodes.object(DEVICE_SET, ua.QualifiedName("DeviceSet", DI), OBJECTS, reference=ORGANIZES)
    for name, structure in STRUCTURES.items():
        _structure(nodes, space, name, structure)
    for name, (number, values, words) in ENUMERATIONS.items():
        _enumeration(nodes, name, ua.NodeId(number, GT), ua.NodeId(values, GT), words)
    for index, number, name, parent, abstract in OBJECT_TYPES:
        node = ua.NodeId(number, index)
        nodes.object_type(node, ua.QualifiedName(name, index), parent, abstract=abstract)
        for child in FIELDS.get(node, ()):
            _child(nodes, node, child)
    result: Mapping[ua.NodeId, NodeData] = space._nodes
    return result


_loaded: dict[Path, Mapping[ua.NodeId, NodeData]] = {}


async def loaded_types(folder: Path) -> Mapping[ua.NodeId, NodeData]:
    """The standard address space with the types of the official NodeSet files in a folder.

    Raises:
        OSError: a file is missing or can't be read.
    """
    if folder not in _loaded:
        for name in NODESET_FILES:
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder}: the official NodeSet {name} is not there")
        server = Server(iserver=InternalServerOn(standard_nodes()))
        await server.iserver.init()
        await server.set_application_uri("urn:sprue:simulated:types")
        with _quiet():
            for name in NODESET_FILES:
                await server.import_xml(str(folder / name))
        space = server.iserver.aspace._nodes
        _leave_out_empty_definitions(space.values())
        _loaded[folder] = space
    return _loaded[folder]


_made: dict[tuple[Path | None, bool, int, Measures], Mapping[ua.NodeId, NodeData]] = {}


async def machine_types(nodesets: Path | None, options: Options) -> Mapping[ua.NodeId, NodeData]:
    """The standard address space with all types of a machine, its maker's event types included.

    Args:
        nodesets: Folder of the official NodeSet files; None for the types built here.
        options: What the machine offers.

    Raises:
        OSError: a NodeSet file is missing or can't be read.
    """
    key = nodesets, options.machine_counter, options.injection_units, options.measures
    if key not in _made:
        base = built_types() if nodesets is None else await loaded_types(nodesets)
        space = empty_space(base)
        build_event_types(Nodes(NodeManagementService(space)), options)
        _made[key] = space._nodes
    return _made[key]


@contextmanager
def _quiet() -> Generator[None]:
    """Without the library's warnings about the orphans that the official files do have."""
    log = logging.getLogger("asyncua.common")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _leave_out_empty_definitions(nodes: Iterable[NodeData]) -> None:
    """Let data types without a field have no definition at all.

    The library imports an empty one as null with status Good, which node-opcua can't make sense of.
    """
    for node in nodes:
        held = node.attributes.get(ua.AttributeIds.DataTypeDefinition)
        if held is not None and held.value is not None and held.value.Value.Value is None:
            del node.attributes[ua.AttributeIds.DataTypeDefinition]


def _child(nodes: Nodes, parent: ua.NodeId, child: Field | Part) -> None:
    index = parent.NamespaceIndex
    node = ua.NodeId(child.id, index)
    if isinstance(child, Part):
        nodes.object(node, ua.QualifiedName(child.name, index), parent, child.type)
        nodes.rule(node, optional=False)
        for each in child.fields:
            _child(nodes, node, each)
        return
    kind = ANALOG_ITEM if child.analog else DATA_VARIABLE if child.component else PROPERTY
    nodes.variable(
        node,
        ua.QualifiedName(child.name, index),
        parent,
        placeholder(child.type, array=child.array),
        DATA_TYPES[child.type],
        kind,
    )
    nodes.rule(node, optional=child.optional)
    if child.analog:
        for own, name, data_type in _analog_parts(child.analog, index):
            value = ua.Variant(None, ua.VariantType.Null)
            nodes.variable(own, ua.QualifiedName(name, 0), node, value, data_type)
            nodes.rule(own, optional=False)


def _analog_parts(ids: tuple[int, int], index: int) -> Iterator[tuple[ua.NodeId, str, ua.NodeId]]:
    yield ua.NodeId(ids[0], index), "EngineeringUnits", EU_INFORMATION
    yield ua.NodeId(ids[1], index), "EURange", RANGE


def _structure(nodes: Nodes, space: AddressSpace, name: str, structure: Structure) -> None:
    node = ua.NodeId(structure.id, GT)
    nodes.data_type(node, ua.QualifiedName(name, GT), ua.NodeId(ua.ObjectIds.Structure))
    encoding = nodes.object(
        ua.NodeId(structure.encoding, GT),
        ua.QualifiedName("Default Binary", 0),
        node,
        ua.NodeId(ua.ObjectIds.DataTypeEncodingType),
        reference=ua.NodeId(ua.ObjectIds.HasEncoding),
    )
    definition = ua.StructureDefinition()
    definition.DefaultEncodingId = encoding
    definition.BaseDataType = ua.NodeId(ua.ObjectIds.Structure)
    for field, kind, array in structure.fields:
        each = ua.StructureField()
        each.Name, each.DataType, each.IsOptional = field, ua.NodeId(kind.value), False
        each.ValueRank = ua.ValueRank.OneDimension if array else ua.ValueRank.Scalar
        definition.Fields.append(each)
    value = ua.DataValue(ua.Variant(definition, ua.VariantType.ExtensionObject))
    space._nodes[node].attributes[ua.AttributeIds.DataTypeDefinition] = AttributeValue(value)


def _enumeration(
    nodes: Nodes, name: str, node: ua.NodeId, values: ua.NodeId, words: tuple[str, ...]
) -> None:
    nodes.data_type(node, ua.QualifiedName(name, GT), ENUMERATION)
    listed = [
        ua.EnumValueType(Value=value, DisplayName=ua.LocalizedText(word))
        for value, word in enumerate(words)
    ]
    nodes.variable(
        values,
        ua.QualifiedName("EnumValues", 0),
        node,
        ua.Variant(listed, ua.VariantType.ExtensionObject, is_array=True),
        ua.NodeId(ua.ObjectIds.EnumValueType),
    )
