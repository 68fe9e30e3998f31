"""Injection molding machines of OPC 40077 in a server: found below DeviceSet, and browsed."""

from collections.abc import Mapping

from drivers.browsing import Branch, branch_of, browse, grow, subtypes
from drivers.errors import RefusedError
from drivers.plastics import DEVICE_SET, MACHINE_TYPE, type_id
from drivers.session import Session

Places = Mapping[tuple[int, int], int]
"""Place of a barrel zone from the feed side, by which injection unit it is of (1 is the first) and
the number in its name."""
MOST_ZONES = 99
DEPTH = 6
"""Moulds, Mould_1, TemperatureZones, TemperatureZone_1, ActualTemperature, EngineeringUnits."""
BRANCHES = (
    "MachineInformation",
    "MachineStatus",
    "MachineMESStatus",
    "InjectionUnits",
    "Moulds",
    "Jobs",
)
"""The parts of a machine that hold what we read; the others are not browsed."""


async def find_machine(
    session: Session, serial: str | None = None, browse_name: str | None = None
) -> Branch:
    """The machine, with its parts browsed.

    Raises:
        RefusedError: there is none, or several and nobody said which.
    """
    machines = await find_machines(session)
    if not machines:
        raise RefusedError(
            session.machine,
            "no machine of OPC 40077 (EUROMAP 77) below DeviceSet; "
            "for a server of the maker's own design there is driver 'opcua'",
        )
    serials = {id(root): (await identity(session, root)).get("serial", "") for root in machines}
    chosen = [
        root
        for root in machines
        if (serial is None or serials[id(root)] == serial)
        and (browse_name is None or root.name.Name == browse_name)
    ]
    if len(chosen) == 1:
        return chosen[0]
    listed = "; ".join(
        f"browse_name = {root.name.Name!r}, serial = {serials[id(root)]!r}" for root in machines
    )
    how = "has none of that" if not chosen else "has several machines; say which, by one of"
    wanted = f" ({serial or browse_name})" if not chosen else ""
    raise RefusedError(session.machine, f"the server {how}{wanted}: {listed}")


async def find_machines(session: Session) -> list[Branch]:
    """Every machine of OPC 40077 that a server shows, with its parts browsed."""
    machine_type, devices = type_id(session, MACHINE_TYPE), type_id(session, DEVICE_SET)
    if machine_type is None or devices is None:
        return []
    types = {machine_type, *await subtypes(session, [machine_type])}
    below = await browse(session, [devices])
    roots = {
        (root := branch_of(ref)).node_id: root for ref in below[0] if ref.TypeDefinition in types
    }
    for root in roots.values():
        await grow_machine(session, root)
    return list(roots.values())


async def grow_machine(session: Session, root: Branch) -> None:
    """Browse what we read of a machine."""
    await grow(session, [root], 1)
    await grow(session, [root.parts[name] for name in BRANCHES if name in root.parts], DEPTH - 1)


async def identity(session: Session, root: Branch) -> dict[str, str]:
    """What the machine says of itself: of its maker, and of its control and software."""
    names = {
        "manufacturer": "Manufacturer", "model": "Model", "serial": "SerialNumber",
        "controller": "ControllerName", "software": "SoftwareRevision",
    }  # fmt: skip
    found = {
        key: branch
        for key, name in names.items()
        if (branch := root.at("MachineInformation", name)) is not None
    }
    answers = await session.read([branch.node_id for branch in found.values()])
    said = {}
    for key, answer in zip(found, answers, strict=True):
        raw = answer.Value.Value if answer.StatusCode.is_good() and answer.Value else None
        text = str(getattr(raw, "Text", raw) or "").strip()
        if text:
            said[key] = text
    return said


async def announced(session: Session, root: Branch) -> set[int]:
    """Numbers of the changes that the machine announces by logbook events."""
    branch = root.at("MachineInformation", "SupportedLogbookEvents")
    if branch is None:
        return set()
    answer = (await session.read([branch.node_id]))[0]
    found = answer.Value.Value if answer.StatusCode.is_good() and answer.Value else None
    return {int(n) for n in found if isinstance(n, int)} if isinstance(found, list) else set()


async def barrel_places(session: Session, root: Branch) -> Places:
    """Place from the feed side of each barrel zone.

    A zone that does not say its place has its number as its place.
    """
    places: dict[tuple[int, int], int] = {}
    told: list[tuple[tuple[int, int], Branch]] = []
    for rank, unit in enumerate(injection_units(root).values(), 1):
        for number, zone in zones_of(unit).items():
            places[rank, number] = number
            if (position := zone.at("Position")) is not None:
                told.append(((rank, number), position))
    answers = await session.read([branch.node_id for _, branch in told])
    said = dict(places)
    for (key, _), answer in zip(told, answers, strict=True):
        place = answer.Value.Value if answer.StatusCode.is_good() and answer.Value else None
        if isinstance(place, int) and 1 <= place <= MOST_ZONES:
            said[key] = place
    different = {(rank, place) for (rank, _), place in said.items()}
    return said if len(different) == len(said) else places  # else nobody has set them


def injection_units(root: Branch) -> dict[str, Branch]:
    """The injection units of a machine, by number."""
    return numbered(root.at("InjectionUnits"), "InjectionUnit_")


def zones_of(part: Branch) -> dict[int, Branch]:
    """The temperature zones of an injection unit or a mold, by the number in their names."""
    zones = numbered(part.at("TemperatureZones"), "TemperatureZone_")
    return {number_of(name): zone for name, zone in zones.items()}


def number_of(name: str) -> int:
    """The number at the end of a container's child, 0 where it has none.

    >>> number_of("Mould_042"), number_of("Mould")
    (42, 0)
    """
    digits = name.rpartition("_")[2]
    return int(digits) if digits.isdigit() else 0


def numbered(container: Branch | None, prefix: str) -> dict[str, Branch]:
    """The children `prefix1`, `prefix042`, ... of a container, by number; there may be gaps."""
    if container is None:
        return {}
    names = [name for name in container.parts if name.startswith(prefix) and number_of(name)]
    return {name: container.parts[name] for name in sorted(names, key=number_of)}
