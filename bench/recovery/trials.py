"""Which trials there are: each fault of the menu on each protocol that can have it.

What troubles a line is tried with RTU frames as well.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.fleet import Fleet
from simulators.menu import MENU, Fault

PRESS, NEIGHBOR = "IMM-01", "IMM-02"
SPARE = "A-3"
"""A mold in the rack, for a change while a mold fault is on."""

PROCESS = (("timer_changed", "euromap77"), ("operator_wait", "modbus"))
"""Process faults are the truth itself and no trouble for a driver; two of them stand for all."""

AT_RECONNECT = ("session_limit", "certificate_untrusted")
"""Faults that a link which stands does not feel: it is dropped as they begin."""

GIVEN: Mapping[str, Mapping[str, float]] = {
    "mold_id_late": {"shots": 3},
    "late_replies": {"every": 4},
}
"""Parameters that make a fault happen within the few seconds of a trial."""


LONGER: Mapping[str, int] = {"dead_unit": 8}
"""Times as long as the others a fault is on: one wait of a gateway is a seventh of 7 s already."""
QUICK_S = 0.3
"""How long a gateway waits that is set up for its units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One fault on one protocol."""

    fault: Fault
    protocol: str
    rtu: bool = False
    """RTU frames over TCP, whose answers carry no id."""
    variant: str = ""
    """What is else than by default, for a person."""
    given: Mapping[str, float] = field(default_factory=dict)

    @property
    def on(self) -> str:
        """The protocol, for a person."""
        on = "modbus rtu" if self.rtu else self.protocol
        return f"{on}, {self.variant}" if self.variant else on

    @property
    def longer(self) -> int:
        """Times as long as others the fault is on."""
        return LONGER.get(self.fault.name, 1)

    @property
    def over_s(self) -> float:
        """How long it goes on by itself when it has happened for the last time, wall seconds."""
        every = {key: each.default for key, each in self.fault.parameters.items()}
        every |= self.given
        return sum(every.get(key, 0.0) for key in ("down_s", "after_s", "delay_s"))

    def fleet(self) -> Fleet:
        """The afflicted press and its neighbor, alike; each on a server of its own.

        Only a dead unit has its neighbor behind the same gateway: that is whom it troubles.
        """
        like: dict[str, Any] = {"protocol": self.protocol}
        if self.rtu:
            like["framing"] = "rtu"
        if self.fault.needs_security:
            like["security"] = {}
        presses = [
            {"name": name, "mold": mold, "job": job, "counter": 9000, **like}
            for name, mold, job in ((PRESS, "A-1", "J-1"), (NEIGHBOR, "A-2", "J-2"))
        ]
        if self.fault.name == "counter_wrap":
            presses[0]["counter"] = 65_500
        if self.fault.name == "power_off":
            presses[0] |= {"counter_kept": "saved", "save_every": 20}
        if self.fault.name == "dead_unit":
            for unit, press in enumerate(presses, 1):
                press |= {"gateway": "line", "unit": unit}
        molds = [
            {"id": name, "part": "Test plate", "expected_cycle_s": 20.0, "cavities": cavities}
            for name, cavities in (("A-1", 1), ("A-2", 2), (SPARE, 4))
        ]
        return Fleet.model_validate({"press": presses, "mold": molds})


def trials(fault: str | None = None, protocol: str | None = None) -> Iterator[Trial]:
    """Every trial, or those of one fault, one protocol.

    Raises:
        ValueError: there is no such trial.
    """
    found = False
    for each in MENU.values():
        for face in sorted(each.faces, reverse=True):
            if each.kind == "process" and (each.name, face) not in PROCESS:
                continue
            if fault not in (None, each.name) or protocol not in (None, face):
                continue
            found = True
            given = dict(GIVEN.get(each.name, {}))
            yield Trial(fault=each, protocol=face, given=given)
            if face == "modbus" and (each.kind == "link" or each.name == "dead_unit"):
                yield Trial(fault=each, protocol=face, rtu=True, given=given)
            if each.name == "dead_unit":
                variant, quick = f"gateway waits {QUICK_S:g} s", {"wait_s": QUICK_S}
                yield Trial(fault=each, protocol=face, variant=variant, given=given | quick)
    if not found:
        raise ValueError(f"no trial of fault '{fault or 'any'}' on protocol '{protocol or 'any'}'")
