"""A retrofit PLC at a press: which of its registers holds what.

`docs/reference/simulators-modbus.md` is the page for people.
"""

import struct
from collections.abc import Sequence
from functools import partial

from simulators.modbus.curveblocks import curve_blocks
from simulators.modbus.registers import Block, integer, sensed, sensed_float, swapped_float, text
from simulators.modbus.unit import MAX_WORDS, Identity, Unit
from simulators.modes import MOLDING, Phase
from simulators.press import Press

LIVE_AT, LIVE_WORDS = 0, 36
LAST_AT, LAST_WORDS = 100, 25
NAMES_AT, NAMES_WORDS = 200, 16
TEXT_WORDS = 8
CONTACTS = 8

LEVELS: tuple[tuple[str, str], ...] = (
    ("mold_temp_c", "h"),
    ("coolant_in_c", "h"),
    ("coolant_out_c", "h"),
    ("coolant_flow_l_min", "H"),
    ("barrel_zone_1_c", "h"),
    ("barrel_zone_2_c", "h"),
    ("barrel_zone_3_c", "h"),
    ("barrel_zone_4_c", "h"),
    ("melt_temp_c", "h"),
)
"""Signal and type of the registers from 10 on, in tenths."""

LAST_CYCLE: tuple[tuple[str, float, str], ...] = (
    ("cycle_time_s", 0.01, "H"),
    ("cooling_time_s", 0.01, "H"),
    ("fill_time_s", 0.001, "H"),
    ("hold_time_s", 0.01, "H"),
    ("recovery_time_s", 0.01, "H"),
    ("mold_open_time_s", 0.01, "H"),
    ("mold_close_time_s", 0.01, "H"),
    ("ejection_time_s", 0.01, "H"),
    ("pause_time_s", 0.01, "H"),
    ("injection_pressure_peak_bar", 0.1, "H"),
    ("transfer_pressure_bar", 0.1, "H"),
    ("hold_pressure_bar", 0.1, "H"),
    ("back_pressure_bar", 0.1, "H"),
    ("cushion_mm", 0.01, "h"),
    ("clamp_force_kn", 1, "H"),
    ("cavity_pressure_peak_bar", 0.1, "H"),
    ("transfer_position_mm", 0.01, "H"),
    ("shot_volume_cm3", 0.01, "H"),
    ("cooling_time_set_s", 0.01, "H"),
    ("mold_temp_set_c", 0.1, "h"),
)
"""Signal, units per count and type of the registers from 100 on."""

TIMED_OR_SET = ("_time_s", "_set_s", "_set_c")
"""Endings of values that need no sensor."""


def press_unit(press: Press, *, max_words: int = MAX_WORDS) -> Unit:
    """The PLC of a press."""
    identity = Identity(product="Retrofit PLC", model="RP-4", serial=press.name)
    return Unit(
        press.faults,
        (
            Block(LIVE_AT, LIVE_WORDS, partial(_live, press)),
            Block.of(LAST_AT, LAST_WORDS, partial(last_image, press)),
            Block.of(NAMES_AT, NAMES_WORDS, partial(names_image, identity)),
            *curve_blocks(press),
        ),
        identity=identity,
        contacts=partial(contacts, press),
        max_words=max_words,
    )


def _live(press: Press, first: int, count: int) -> bytes:
    image, faults = live_image(press), press.faults
    frozen = faults.active("frozen_values")  # registers that never change are never torn
    if first == 0 and frozen is None and faults.take("torn_word"):
        (high,) = struct.unpack_from(">H", image)
        image = struct.pack(">H", high + 1 & 0xFFFF) + image[2:]
    return image[2 * first : 2 * (first + count)]


def live_image(press: Press) -> bytes:
    """Registers 0 to 35 as they stand now."""
    live, levels, faults = press.live, press.levels, press.faults
    screw = integer(sensed(faults, live.screw_position_mm), 0.01)
    tenths = [
        integer(sensed(faults, levels.get(name)), 0.1, signed=kind == "h") for name, kind in LEVELS
    ]
    return (
        struct.pack(">IHHH", press.counter & 0xFFFFFFFF, press.phase, press.mode, press.status)
        + swapped_float(sensed_float(faults, live.injection_pressure_bar))
        + swapped_float(sensed_float(faults, live.cavity_pressure_bar))
        + struct.pack(">h", screw)
        + struct.pack(f">{''.join(kind for _, kind in LEVELS)}xx", *tenths)
        + text(TEXT_WORDS, press.mold_shown.id)
        + text(TEXT_WORDS, press.job.name)
    )


def last_image(press: Press) -> bytes:
    """Registers 100 to 124: the last closing; zeros before the first."""
    shot = press.last
    if shot is None:
        return bytes(2 * LAST_WORDS)
    numbers = []
    for name, step, kind in LAST_CYCLE:
        value: float | None = shot.values[name]
        if not name.endswith(TIMED_OR_SET):
            value = sensed(press.faults, value)
        numbers.append(struct.pack(">" + kind, integer(value, step, signed=kind == "h")))
    dry = shot.closing == "dry"
    return b"".join(numbers) + struct.pack(">HHHxxxx", dry, shot.parts_good, shot.parts_bad)


def names_image(identity: Identity) -> bytes:
    """Registers 200 to 215: which machine this is."""
    return text(TEXT_WORDS, identity.serial) + text(TEXT_WORDS, identity.product)


def contacts(press: Press) -> Sequence[bool]:
    """Discrete inputs: mold closed, injecting, ejector out, automatic; the rest is open."""
    shut = press.phase in (Phase.FILL, Phase.HOLD, Phase.COOL)
    wired = (
        shut,
        press.phase in (Phase.FILL, Phase.HOLD),
        press.phase is Phase.EJECT,
        press.mode in MOLDING,
    )
    return wired + (False,) * (CONTACTS - len(wired))
