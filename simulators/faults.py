"""The faults that are switched on at one machine, and who is told when that changes.

What each fault is stands in the menu (`simulators/menu.py`). The parts of a simulated machine ask
here, at the place where they can go wrong: `faults.active("slow_answers")`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from simulators.menu import MENU, Fault
from simulators.strict import hint


class FaultError(ValueError):
    """An order that can't be carried out; the message names machine, fault, key and a remedy."""


@dataclass(slots=True, kw_only=True)
class Active:
    """A fault that is on."""

    fault: Fault
    given: Mapping[str, float]
    """Every parameter of the fault, with its value."""
    shots: int = 0
    """Closings that ended since it is on."""
    left: int | None = None
    """How often it still happens, for faults that have a `count`; None where it has no end."""

    def __getitem__(self, parameter: str) -> float:
        return self.given[parameter]

    @property
    def name(self) -> str:
        """Of the fault."""
        return self.fault.name

    def ramp(self, parameter: str, over: str = "over") -> float:
        """A parameter that is reached in equal steps, the first with the first shot."""
        steps = max(1.0, self.given[over])
        return self.given[parameter] * min(1.0, (self.shots + 1) / steps)


class Follower(Protocol):
    """A part of a machine that acts at the moment a fault comes or goes."""

    async def fault_changed(self, active: Active, *, on: bool) -> None:
        """A fault was switched on, or off; a fault that happens `once` is only switched on."""


@dataclass(slots=True, kw_only=True)
class Faults:
    """The faults of one machine."""

    machine: str
    protocol: str = ""
    """Of its face; empty for a machine without one, which takes every fault."""
    secured: bool = True
    """Whether its server asks for certificates."""
    followers: list[Follower] = field(default_factory=list)
    _on: dict[str, Active] = field(default_factory=dict)
    _touched: dict[str, None] = field(default_factory=dict)
    _aftermath: dict[str, int] = field(default_factory=dict)

    def active(self, name: str) -> Active | None:
        """The fault, while it is on."""
        return self._on.get(name)

    def take(self, name: str) -> Active | None:
        """The fault, if it is to happen now: one of its `count` is used up, the last ends it."""
        active = self._on.get(name)
        if active is not None and active.left is not None:
            if active.fault.kind != "events":  # those tell of a closing that has ended
                self._touched[name] = None
            active.left -= 1
            if active.left <= 0:
                del self._on[name]
        return active

    @property
    def names(self) -> list[str]:
        """Those that are on, in the order in which they came."""
        return list(self._on)

    async def on(self, name: str, given: Mapping[str, float] | None = None) -> Active:
        """Switch a fault on; one that is on already starts anew.

        Raises:
            FaultError: there is no such fault, the machine can't have it, or a parameter is wrong.
        """
        active = self._checked(name, given or {})
        await self.off(name)
        if active.fault.kind != "process":
            self._touched[name] = None  # the closing that runs has its process already
        if not active.fault.once:
            self._on[name] = active
        elif active.fault.aftermath:
            self._aftermath[name] = active.fault.aftermath
        for follower in tuple(self.followers):
            await follower.fault_changed(active, on=True)
        return active

    async def off(self, name: str) -> None:
        """Switch a fault off; nothing happens where it is not on.

        Raises:
            FaultError: there is no such fault.
        """
        self._fault(name)
        active = self._on.pop(name, None)
        if active is not None:
            for follower in tuple(self.followers):
                await follower.fault_changed(active, on=False)

    def shot_began(self) -> None:
        """Note which faults the process of a closing has, before it is planned."""
        for active in self._on.values():
            if active.fault.kind == "process":
                self._touched[active.name] = None
        for name in list(self._aftermath):
            self._touched[name] = None
            self._aftermath[name] -= 1
            if not self._aftermath[name]:
                del self._aftermath[name]

    def shot_ended(self) -> list[str]:
        """Count a closing; the faults that touched it."""
        here = [each.name for each in self._on.values() if each.fault.kind != "process"]
        touched = list(self._touched | dict.fromkeys(here))
        self._touched.clear()
        for active in self._on.values():
            active.shots += 1
        return touched

    def _checked(self, name: str, given: Mapping[str, float]) -> Active:
        fault = self._fault(name)
        if self.protocol and self.protocol not in fault.faces:
            raise FaultError(
                f"{self.machine}: '{name}' can't happen on protocol '{self.protocol}'; "
                f"it is for {', '.join(sorted(fault.faces))}"
            )
        if fault.needs_security and not self.secured:
            raise FaultError(
                f"{self.machine}: '{name}' needs a press whose fleet entry has 'security'"
            )
        try:
            fault.check(given)
        except ValueError as error:
            raise FaultError(f"{self.machine}: {error}") from error
        every = {key: float(p.default) for key, p in fault.parameters.items()} | dict(given)
        count = every.get("count")
        return Active(fault=fault, given=every, left=None if count is None else max(1, int(count)))

    def _fault(self, name: str) -> Fault:
        if name not in MENU:
            raise FaultError(f"{self.machine}: no fault '{name}'{hint(name, MENU)}")
        return MENU[name]
