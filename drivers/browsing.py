"""Looking around in a server's address space, many nodes a request."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from asyncua import ua

from drivers.nodeid import Address, NodeAddress, PathAddress
from drivers.session import BROWSE, TRANSLATE, Session
from drivers.uaerrors import told

OBJECTS = ua.NodeId(ua.ObjectIds.ObjectsFolder)
DOWN = ua.NodeId(ua.ObjectIds.HierarchicalReferences)
PARTS = ua.NodeId(ua.ObjectIds.Aggregates)
"""HasComponent, HasProperty and their kin: what a thing consists of."""
SUBTYPE = ua.NodeId(ua.ObjectIds.HasSubtype)
OBJECT_OR_VARIABLE = int(ua.NodeClass.Object) | int(ua.NodeClass.Variable)
ANY_CLASS = 0


def plain(node_id: ua.NodeId) -> ua.NodeId:
    """The id as requests want it; browsing answers with expanded ones."""
    return ua.NodeId(node_id.Identifier, node_id.NamespaceIndex, node_id.NodeIdType)


async def browse(
    session: Session,
    node_ids: Sequence[ua.NodeId],
    reference: ua.NodeId = DOWN,
    classes: int = OBJECT_OR_VARIABLE,
    *,
    back: bool = False,
) -> list[list[ua.ReferenceDescription]]:
    """What each node refers to by one kind of reference or its subtypes.

    Args:
        session: The connection.
        node_ids: Where to look from.
        reference: The type of reference.
        classes: Mask of the wanted node classes; 0 for all.
        back: Look against the direction of the reference.

    Returns:
        One list a node; empty where the node does not exist or has no such reference.

    Raises:
        MachineError: the server did not answer, or said no.
    """
    asked = [
        ua.BrowseDescription(
            NodeId=node_id,
            BrowseDirection=ua.BrowseDirection.Inverse if back else ua.BrowseDirection.Forward,
            ReferenceTypeId=reference,
            IncludeSubtypes=True,
            NodeClassMask=classes,
            ResultMask=ua.BrowseResultMask.All,
        )
        for node_id in node_ids
    ]

    async def request(piece: Sequence[ua.BrowseDescription]) -> Sequence[ua.BrowseResult]:
        found: Sequence[ua.BrowseResult] = await session.services.browse(
            ua.BrowseParameters(NodesToBrowse=list(piece))
        )
        return found

    results = await session.ask(BROWSE, asked, request)
    return [[*result.References, *await _rest(session, result)] for result in results]


async def _rest(session: Session, result: ua.BrowseResult) -> list[ua.ReferenceDescription]:
    """What did not fit into the first answer."""
    found: list[ua.ReferenceDescription] = []
    point = result.ContinuationPoint
    while point:
        with told(session.machine, BROWSE):
            more = await session.services.browse_next(
                ua.BrowseNextParameters(ReleaseContinuationPoints=False, ContinuationPoints=[point])
            )
        session.heard()
        found += more[0].References
        point = more[0].ContinuationPoint
    return found


async def subtypes(session: Session, roots: Iterable[ua.NodeId]) -> dict[ua.NodeId, ua.NodeId]:
    """All types below some types.

    Returns:
        Each type with its supertype, the roots themselves not among them; from the top down.
    """
    above: dict[ua.NodeId, ua.NodeId] = {}
    level = list(roots)
    known = set(level)
    while level:
        found = await browse(session, level, SUBTYPE, ANY_CLASS)
        below = [
            (plain(ref.NodeId), parent)
            for parent, refs in zip(level, found, strict=True)
            for ref in refs
        ]
        fresh = {node_id: parent for node_id, parent in below if node_id not in known}
        above |= fresh
        known |= fresh.keys()
        level = list(fresh)
    return above


@dataclass(slots=True, eq=False)
class Branch:
    """One node of a tree that we browsed."""

    node_id: ua.NodeId
    name: ua.QualifiedName
    type_id: ua.NodeId
    """Its type definition; a null id where it has none."""
    is_variable: bool
    parts: dict[str, "Branch"] = field(default_factory=dict)
    """By name without namespace: makers put standard names into namespaces of their own."""

    def at(self, *names: str) -> "Branch | None":
        """What stands under a path of names; None where there is nothing."""
        branch: Branch | None = self
        for name in names:
            branch = branch.parts.get(name) if branch else None
        return branch

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], "Branch"]]:
        """Every node below, with its path of names."""
        for name, part in self.parts.items():
            yield (*path, name), part
            yield from part.walk((*path, name))


def branch_of(reference: ua.ReferenceDescription) -> Branch:
    """The node that a reference leads to, nothing below it known yet."""
    return Branch(
        plain(reference.NodeId),
        reference.BrowseName,
        plain(reference.TypeDefinition),
        reference.NodeClass == ua.NodeClass.Variable,
    )


async def grow(session: Session, branches: Sequence[Branch], depth: int) -> None:
    """Browse what the branches consist of, so many levels down, one request or so a level."""
    level = list(branches)
    for _ in range(depth):
        found = await browse(session, [branch.node_id for branch in level], PARTS)
        for branch, references in zip(level, found, strict=True):
            branch.parts = {ref.BrowseName.Name: branch_of(ref) for ref in references}
        level = [part for branch in level for part in branch.parts.values()]
        if not level:
            return


async def resolve(
    session: Session, addresses: Sequence[Address], *, alone: bool = False
) -> list[ua.NodeId | None]:
    """The node ids of addresses in this connection.

    An id is taken as it is, whether or not there is such a node; a path is followed, to the first
    node that it leads to, or with `alone` only where it leads to one.

    Returns:
        One an address; None where the server has not the namespace, or the path leads nowhere.
    """
    found: list[ua.NodeId | None] = [
        address.node_id(session.index_of) if isinstance(address, NodeAddress) else None
        for address in addresses
    ]
    paths = [
        (at, relative)
        for at, address in enumerate(addresses)
        if isinstance(address, PathAddress)
        and (relative := address.relative(session.index_of)) is not None
    ]
    asked = [ua.BrowsePath(StartingNode=OBJECTS, RelativePath=relative) for _, relative in paths]
    answers = await session.ask(
        TRANSLATE, asked, lambda piece: session.services.translate_browsepaths_to_nodeids(piece)
    )
    for (at, _), answer in zip(paths, answers, strict=True):
        count = len(answer.Targets or ())
        if answer.StatusCode.is_good() and (count == 1 or (count and not alone)):
            found[at] = plain(answer.Targets[0].TargetId)
    return found
