"""What one maker's cycle event holds, learned by browsing its type.

OPC 40083 leaves `CycleParametersEventType` abstract: each maker derives its own and adds what it
likes, in objects of its own. So the fields are not known beforehand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asyncua import ua

from drivers.browsing import ANY_CLASS, Branch, browse, grow, subtypes
from drivers.errors import RefusedError
from drivers.plastics import CYCLE_EVENT_TYPE, LABELS, UNIT_SIGNALS, ZONE_TEMPERATURE, type_id
from drivers.session import Session
from drivers.units import Unit, unit_named, unit_of_id

DEPTH = 4
"""Event, injection unit, temperature zone, temperature, its EngineeringUnits."""
UNITS = "EngineeringUnits"
DURATION = ua.NodeId(ua.ObjectIds.Duration)
GENERATES_EVENT = ua.NodeId(ua.ObjectIds.GeneratesEvent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One variable of an event, at the top or inside one of its objects."""

    path: tuple[ua.QualifiedName, ...]
    declared_by: ua.NodeId
    """The event type that has it."""
    is_standard: bool
    """Declared by OPC 40083 itself, or named as a field of it is."""
    is_duration: bool
    """Milliseconds, by its data type."""
    has_unit: bool
    """An event carries its EngineeringUnits too."""
    unit: Unit | None
    """As the type declares it; an event may say another."""

    @property
    def name(self) -> str:
        """Browse names joined with `/`."""
        return "/".join(step.Name for step in self.path)

    @property
    def last(self) -> str:
        """Its own browse name."""
        return str(self.path[-1].Name)

    @property
    def is_nested(self) -> bool:
        """Inside an object of the event."""
        return len(self.path) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """The cycle events of one machine."""

    types: tuple[ua.NodeId, ...]
    """The maker's concrete types."""
    base: ua.NodeId
    """OPC 40083's own, which they derive from."""
    fields: tuple[Field, ...]

    def find(self, name: str) -> list[Field]:
        """The fields that a person means: all candidates, one where it is clear.

        A bare name is the field at the top of the event if there is one, else those inside its
        objects; a name with slashes is exactly that one.
        """
        if "/" in name:
            return [field for field in self.fields if field.name == name]
        named = [field for field in self.fields if field.last == name]
        return [field for field in named if not field.is_nested] or named

    @property
    def vendors(self) -> list[str]:
        """Names of the fields that the maker added, for a person to choose from."""
        return [
            field.name
            for field in self.fields
            if not field.is_standard
            and field.last not in {*UNIT_SIGNALS, *LABELS, ZONE_TEMPERATURE}
        ]


async def browse_event_type(session: Session, machine: Branch) -> EventType:
    """Learn which cycle events a machine fires, and what they hold.

    Raises:
        RefusedError: the server does not know OPC 40083's cycle event.
    """
    base = type_id(session, CYCLE_EVENT_TYPE)
    if base is None:
        raise RefusedError(session.machine, "the server has no cycle events of OPC 40083")
    above = await subtypes(session, [base])
    concrete = await _concrete(session, machine, base, above)
    chain = _chain(concrete, base, above)
    branches = [
        Branch(node_id, ua.QualifiedName(), ua.NodeId(), is_variable=False) for node_id in chain
    ]
    await grow(session, branches, DEPTH)
    for branch in branches:
        await _borrow_parts(session, branch)
    fields = await _fields(session, branches, base)
    return EventType(types=tuple(concrete), base=base, fields=tuple(fields))


async def _concrete(
    session: Session, machine: Branch, base: ua.NodeId, above: Mapping[ua.NodeId, ua.NodeId]
) -> list[ua.NodeId]:
    """The types below the abstract one that this machine says it generates, or else all of them."""
    types = [base, *above]
    flags = await session.read(types, ua.AttributeIds.IsAbstract)
    concrete = [
        node_id
        for node_id, flag in zip(types, flags, strict=True)
        if not (flag.StatusCode.is_good() and flag.Value.Value)
    ]
    told = await browse(session, [machine.node_id, machine.type_id], GENERATES_EVENT, ANY_CLASS)
    generated = {ref.NodeId for references in told for ref in references}
    mine = [node_id for node_id in concrete if node_id in generated]
    return mine or concrete or [base]


def _chain(
    concrete: Sequence[ua.NodeId], base: ua.NodeId, above: Mapping[ua.NodeId, ua.NodeId]
) -> list[ua.NodeId]:
    """The concrete types and what they derive from, the abstract one last."""
    chain: list[ua.NodeId] = []
    for node_id in concrete:
        here: ua.NodeId | None = node_id
        while here is not None and here != base:
            if here not in chain:
                chain.append(here)
            here = above.get(here)
    return [*chain, base]


async def _borrow_parts(session: Session, branch: Branch) -> None:
    """Take the parts of an object's type where a maker has left the object itself bare."""
    for _, part in branch.walk():
        if not part.is_variable and not part.parts and not part.type_id.is_null():
            kind = Branch(part.type_id, part.name, ua.NodeId(), is_variable=False)
            await grow(session, [kind], DEPTH - 1)
            part.parts = kind.parts


async def _fields(session: Session, branches: Sequence[Branch], base: ua.NodeId) -> list[Field]:
    standard = set(branches[-1].parts)
    variables = [
        (owner, path, part)
        for owner in branches
        for path, part in _variables(owner, ())
        if not (len(path) == 1 and owner.node_id != base and path[0].Name in standard)
    ]
    data_types = await session.read(
        [part.node_id for _, _, part in variables], ua.AttributeIds.DataType
    )
    units = await _units(session, [part for _, _, part in variables])
    fields: dict[tuple[str, ...], Field] = {}
    for (owner, path, part), data_type in zip(variables, data_types, strict=True):
        field = Field(
            path=path,
            declared_by=owner.node_id,
            is_standard=owner.node_id == base,
            is_duration=data_type.StatusCode.is_good() and data_type.Value.Value == DURATION,
            has_unit=UNITS in part.parts,
            unit=units.get(part.node_id),
        )
        fields.setdefault(tuple(step.Name for step in path), field)
    return list(fields.values())


def _variables(
    branch: Branch, above: tuple[ua.QualifiedName, ...]
) -> list[tuple[tuple[ua.QualifiedName, ...], Branch]]:
    """Variables of an event, not those that describe another variable."""
    found = []
    for part in branch.parts.values():
        path = (*above, part.name)
        found += [(path, part)] if part.is_variable else _variables(part, path)
    return found


async def _units(session: Session, variables: Sequence[Branch]) -> dict[ua.NodeId, Unit]:
    """The units that the type declares, by variable."""
    holders = [part for part in variables if UNITS in part.parts]
    answers = await session.read([part.parts[UNITS].node_id for part in holders])
    found = {}
    for part, answer in zip(holders, answers, strict=True):
        unit = unit_of(answer.Value.Value) if answer.StatusCode.is_good() else None
        if unit is not None:
            found[part.node_id] = unit
    return found


def unit_of(found: object) -> Unit | None:
    """The unit of an EUInformation, by its number or else by its name; None where unknown."""
    if not isinstance(found, ua.EUInformation):
        return None
    name = found.DisplayName.Text if found.DisplayName else None
    return unit_of_id(found.UnitId) or (unit_named(name) if name else None)
