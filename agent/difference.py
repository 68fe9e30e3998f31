"""What a new configuration changes of the one that is in force."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.config import Loaded
from agent.devices import AnyMachine


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Names of machines in the order of the configuration, and of tables of the file."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    """Machines that stay, and are read in another way: another address, map, rate or device."""
    dressed: tuple[str, ...]
    """Machines that are read as before, and look otherwise on the pages."""
    moved: bool
    """Whether machines that stay have another order."""
    tables: tuple[str, ...]
    """Other tables that are not as they were."""
    fixed: tuple[str, ...]
    """Of all that has changed, what an agent takes at its start only."""

    def __bool__(self) -> bool:
        return bool(
            self.added or self.removed or self.changed or self.dressed or self.tables or self.moved
        )

    @property
    def seeds(self) -> bool:
        """Whether the file says something else of molds."""
        return "[mold]" in self.tables

    def sentences(self) -> list[str]:
        """For a person: what is done about it, part by part."""
        told = [
            f"{done}: {', '.join(names)}"
            for done, names in (
                ("followed from now on", self.added),
                ("not followed any more", self.removed),
                ("connected anew", self.changed),
                ("shown in another way", self.dressed),
                ("taken over", self.tables),
            )
            if names
        ]
        if self.moved:
            told.append("machines are in another order")
        return told or ["nothing has changed"]


FIXED = ("pki", "record", "site", "watch", "web")
"""Tables that other parts hold on to for as long as they run."""

DRESS = ("label", "tonnage", "hall")
"""Keys of a machine that only the pages know."""


def difference(old: Loaded, new: Loaded) -> Difference:
    """What `new` changes of `old`."""
    was = {machine.name: machine for machine in old.config.machine}
    now = {machine.name: machine for machine in new.config.machine}
    both = [name for name in now if name in was]
    changed = [name for name in both if _read_by(old, was[name]) != _read_by(new, now[name])]
    tables = [
        name
        for name in type(new.config).model_fields
        if name != "machine" and getattr(old.config, name) != getattr(new.config, name)
    ]
    return Difference(
        added=tuple(name for name in now if name not in was),
        removed=tuple(name for name in was if name not in now),
        changed=tuple(changed),
        dressed=tuple(name for name in both if name not in changed and was[name] != now[name]),
        moved=both != [name for name in was if name in now],
        tables=tuple(f"[{name}]" for name in tables),
        fixed=tuple(_fixed(old, new, tables)),
    )


def _read_by(loaded: Loaded, machine: AnyMachine) -> tuple[object, ...]:
    """All that says how a machine is read: its table, and the maps that this names."""
    table: dict[str, Any] = machine.model_dump(exclude={*DRESS})
    maps = [loaded.maps.get(each.name) for each in (machine, *machine.tcd)]
    return table, *maps


def _fixed(old: Loaded, new: Loaded, tables: list[str]) -> Iterator[str]:
    yield from (f"[{name}]" for name in tables if name in FIXED)
    leased = [_leased(each) for each in (old, new)]
    if leased[0] != leased[1]:
        yield "machines that are shared with other agents, and the plant record they are leased by"


def _leased(loaded: Loaded) -> tuple[object, ...]:
    if not loaded.takes_turns:
        return ()
    shared = [(each.name, _read_by(loaded, each)) for each in loaded.config.machine if each.shared]
    return loaded.plant_record, shared
