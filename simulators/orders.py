"""Orders to a simulated plant: switch a fault on or off, or do something to a press."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.actions import ACTIONS
from simulators.faults import FaultError, Faults
from simulators.menu import MENU
from simulators.mold import Mold
from simulators.press import Press
from simulators.strict import hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order to one press."""

    what: str
    """A fault of the menu, or an action."""
    given: Mapping[str, Any] = field(default_factory=dict)
    for_s: float | None = None
    """Process seconds until a fault is switched off again; None: it stays."""
    off: bool = False
    """Switch the fault off."""


def checked(order: Order) -> Order:
    """The order, if it can be carried out on some press.

    Raises:
        ValueError: it can't; the message is a sentence about what it names.
    """
    what = order.what
    if what in ACTIONS:
        if order.off or order.for_s is not None:
            raise ValueError(f"'{what}' is no fault: it can't be switched off, nor end by itself")
        try:
            ACTIONS[what].check(order.given)
        except ValueError as error:
            raise ValueError(f"'{what}' {error}") from error
        return order
    if what not in MENU:
        near = hint(what, [*MENU, *ACTIONS])
        raise ValueError(f"'{what}' is neither a fault nor an action{near}")
    fault = MENU[what]
    if fault.once and (order.off or order.for_s is not None):
        raise ValueError(f"'{what}' happens once: it can't be switched off, nor end by itself")
    fault.check(order.given)
    return order


async def carry_out(order: Order, press: Press, molds: Mapping[str, Mold], faults: Faults) -> None:
    """Do it now; what has to wait for the end of a cycle is written into the press's script.

    Args:
        order: What, as `checked` let it through.
        press: To which press, or at which the control unit stands.
        molds: What can be put on, by id.
        faults: Of the press or of its control unit.

    Raises:
        FaultError: this machine can't have the fault.
    """
    if order.what in ACTIONS:
        action = ACTIONS[order.what]
        if not action.between:
            await action.act(press, order.given, molds)
            return

        async def act() -> None:
            await action.act(press, order.given, molds)

        press.script.add(press.at_s, act, between=True)
        return
    if order.off:
        await faults.off(order.what)
        return
    given = {key: float(value) for key, value in order.given.items()}
    active = await faults.on(order.what, given)
    if order.for_s is not None:

        async def off() -> None:
            if faults.active(order.what) is active:  # not one that came on anew meanwhile
                await faults.off(order.what)

        press.script.add(press.at_s + order.for_s, off)


def parsed(words: str) -> tuple[list[str], Order]:
    """An order as a person types it: `IMM-03 late_reply delay_s=2 for=60`, `* off black_hole`.

    Returns:
        The presses it is for, `*` for all; and the order.

    Raises:
        FaultError: it can't be understood; the message says what it should be like.

    >>> parsed("IMM-01,IMM-02 coolant_supply_warm by_k=3 for=600")[0]
    ['IMM-01', 'IMM-02']
    >>> parsed("IMM-01 stop standing_s=60 reason='Ejector not back'")[1].given["reason"]
    'Ejector not back'
    """
    try:
        machines, *rest = shlex.split(words) or [""]
    except ValueError as error:
        raise FaultError(f"{words.strip()!r} has a quotation mark that is not closed") from error
    off = rest[:1] == ["off"]
    rest = rest[1:] if off else rest
    if not machines or not rest or "=" in rest[0]:
        raise FaultError(
            f"{words.strip()!r} should be like 'IMM-03 late_reply delay_s=2 for=60' "
            "or 'IMM-03 off late_reply'"
        )
    what, *pairs = rest
    texts = _texts(what)
    given: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key or not value:
            raise FaultError(f"{pair!r} should be like 'delay_s=2'")
        given[key] = value if key in texts else _number(value)
    for_s = given.pop("for", None)
    if for_s is not None and not (isinstance(for_s, int | float) and for_s > 0):
        raise FaultError(f"for={for_s} should be a number of process seconds above 0")
    try:
        return machines.split(","), checked(Order(what=what, given=given, for_s=for_s, off=off))
    except ValueError as error:
        raise FaultError(str(error)) from error


def _texts(what: str) -> set[str]:
    """Parameters that are texts whatever they look like: job 48300 is one."""
    if what not in ACTIONS:
        return set()
    action = ACTIONS[what]
    return {key for key, kind in {**action.needs, **action.takes}.items() if kind is str}


def _number(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number
