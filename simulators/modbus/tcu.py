"""A temperature control unit: the device beside a press that pumps the coolant through its mold.

The same values stand twice in its registers, as integers and as floats, as in many such units; one
request reads 40 integers or 20 floats at most. `docs/reference/simulators-modbus.md` is the page
for people.

Source:
    Layout and limit of the register maps in the reference page on interfaces, 9.2; signatures of
    water faults in the reference page on molding, 2.4.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from zlib import crc32

from simulators.faults import Faults
from simulators.menu import MODBUS
from simulators.modbus.registers import Block, integer, sensed, sensed_float, swapped_float
from simulators.modbus.unit import Identity, Unit
from simulators.physics.water import HEAT_J_LK
from simulators.press import Press

INTEGERS_AT, FLOATS_AT = 0, 4000
MAX_WORDS = 40

USUAL_BAR, SHUT_OFF_BAR = 1.2, 2.0
"""Pressure difference at the usual flow, and what the pump makes against a closed valve."""
PUMP_PERCENT = 80.0
FLOW_LOW = 0.7
"""Share of the usual flow below which it alarms."""
OFF_SET_K = 3.0
REGULATES_K = 1.0
"""Closer to the set value than that, it neither heats up nor cools down."""
LONGEST_LIFE_H = 30_000

REGULATING, HEATING_UP, COOLING_DOWN = 1, 2, 3
FLOW_ALARM, TEMPERATURE_ALARM, PRESSURE_ALARM = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value; its number in `PARAMETERS` says where it stands."""

    name: str
    step: float
    """Of the integer."""
    measured: bool = True


PARAMETERS: tuple[Parameter, ...] = (
    Parameter("main_line_c", 0.1),
    Parameter("return_c", 0.1),
    Parameter("set_c", 0.1, measured=False),
    Parameter("flow_l_min", 0.1),
    Parameter("pressure_difference_bar", 0.01),
    Parameter("pump_percent", 0.1, measured=False),
    Parameter("power_kw", 0.01),
    Parameter("hours_h", 1, measured=False),
    Parameter("mode", 1, measured=False),
    Parameter("alarms", 1, measured=False),
)
"""The integer of number n is register n; its float starts at 4000 + 2n."""


def tcu_unit(press: Press, *, name: str = "") -> Unit:
    """The temperature control unit at a press, with faults of its own.

    Args:
        press: Whose mold it cools.
        name: `IMM-01 TCU` where it has none of its own.
    """
    name = name or f"{press.name} TCU"
    faults = Faults(machine=name, protocol=MODBUS)
    values = partial(tcu_values, press, crc32(name.encode()) % LONGEST_LIFE_H)
    return Unit(
        faults,
        (
            Block.of(INTEGERS_AT, len(PARAMETERS), partial(_integers, faults, values)),
            Block.of(FLOATS_AT, 2 * len(PARAMETERS), partial(_floats, faults, values)),
        ),
        identity=Identity(product="Temperature control unit", model="TCU-9", serial=name),
        max_words=MAX_WORDS,
    )


def tcu_values(press: Press, hours_h: float = 0.0) -> Mapping[str, float]:
    """What the unit shows, by the names of `PARAMETERS`.

    Args:
        press: Whose mold it cools.
        hours_h: What it had run when the press started.
    """
    levels, program = press.levels, press.program
    supply, back = levels["coolant_in_c"], levels["coolant_out_c"]
    flow, usual_flow = levels["coolant_flow_l_min"], program.coolant_flow_l_min
    off_k = supply - program.coolant_in_c
    pressure = pressure_difference_bar(
        flow / usual_flow, blocked=press.faults.active("coolant_flow_low") is not None
    )
    alarms = (
        FLOW_ALARM * (flow < FLOW_LOW * usual_flow)
        | TEMPERATURE_ALARM * (abs(off_k) > OFF_SET_K)
        | PRESSURE_ALARM * (pressure > (USUAL_BAR + SHUT_OFF_BAR) / 2)
    )
    return {
        "main_line_c": supply,
        "return_c": back,
        "set_c": program.coolant_in_c,
        "flow_l_min": flow,
        "pressure_difference_bar": pressure,
        "pump_percent": PUMP_PERCENT,
        "power_kw": (supply - back) * flow / 60 * HEAT_J_LK / 1000,
        "hours_h": hours_h + max(0.0, press.at_s) / 3600,
        "mode": _mode(off_k),
        "alarms": alarms,
    }


def pressure_difference_bar(flow: float, *, blocked: bool) -> float:
    """Between main line and return.

    Where the circuit blocks, the pump's own curve says what it makes of less flow: more pressure.
    Where it does not, less flow means that the pump is weaker or water is lost: less pressure.

    Args:
        flow: Share of the usual one.
        blocked: Whether the circuit is.

    >>> round(pressure_difference_bar(0.5, blocked=True), 2)
    1.8
    >>> round(pressure_difference_bar(0.5, blocked=False), 2)
    0.3
    """
    if blocked:
        return SHUT_OFF_BAR - (SHUT_OFF_BAR - USUAL_BAR) * flow**2
    return USUAL_BAR * flow**2


def _mode(off_k: float) -> int:
    if abs(off_k) <= REGULATES_K:
        return REGULATING
    return COOLING_DOWN if off_k > 0 else HEATING_UP


def _integers(faults: Faults, values: Callable[[], Mapping[str, float]]) -> bytes:
    now = values()
    return b"".join(
        struct.pack(">h", integer(_shown(faults, each, now), each.step)) for each in PARAMETERS
    )


def _floats(faults: Faults, values: Callable[[], Mapping[str, float]]) -> bytes:
    now = values()
    return b"".join(
        swapped_float(sensed_float(faults, now[each.name]) if each.measured else now[each.name])
        for each in PARAMETERS
    )


def _shown(faults: Faults, parameter: Parameter, now: Mapping[str, float]) -> float | None:
    value = now[parameter.name]
    return sensed(faults, value) if parameter.measured else value
