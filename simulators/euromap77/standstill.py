"""Why a press stands, in the words of its control (OPC 40083, StandstillReasonType)."""

from collections.abc import Mapping
from dataclasses import dataclass

from asyncua import ua

from simulators.euromap77.types import STRUCTURES

CLAMPING_UNIT, MOLD, MANUAL_OPERATION = 101, 105, 301
"""OPC 40077 IMMMessageClassificationEnumeration."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """A reason to stand still."""

    id: str
    text: str
    classification: int
    severity: int
    alarm: bool = False
    """The control says it in a message of its own, besides."""
    who: str = ""
    """Who entered it; empty where the control did by itself."""


RUNNING = Standstill("", "", 0, 0)
"""No reason: it molds, or nobody has said why it does not."""
DOOR = Standstill("DOOR", "Guard door open", CLAMPING_UNIT, 500, alarm=True)
BREAK = Standstill("BREAK", "Break", MANUAL_OPERATION, 100, who="Operator 2")
SET_UP = Standstill("SETUP", "Set-up, mould change", MOLD, 100)

BY_FAULT: Mapping[str, Standstill] = {"cycle_interrupted": DOOR, "start_up": BREAK}
"""Stops of the fault menu that have a reason."""


def entered(text: str, who: str) -> Standstill:
    """A reason that somebody enters in words of his own."""
    return Standstill("OTHER", text, MANUAL_OPERATION, 300, alarm=True, who=who)


def known_reasons() -> ua.Variant:
    """The value of StandstillReasons: those that the control knows."""
    reasons = [
        STRUCTURES["StandstillReasonType"].packed(each.id, ua.LocalizedText(each.text), False)
        for each in (DOOR, BREAK, SET_UP)
    ]
    return ua.Variant(reasons, ua.VariantType.ExtensionObject, is_array=True)
