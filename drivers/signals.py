"""The vocabulary of signals: every canonical name, once, with unit, meaning and plausible range.

A name ends in its unit, and all numbers inside Sprue are in that unit: drivers convert. A value
outside the plausible range is kept and marked `UNCERTAIN`; the range says "no press does this", not
"this mold should not". A vendor's extra value is carried under its own name.

Source:
    Ranges bracket the typical values of an 80 t press with an aluminum mold by about a factor of
    ten, wide enough for large steel-mold presses.

Machines have more of a kind than anybody can list: `signal_named` knows those by rule.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache


class Kind(StrEnum):
    """How a signal relates to the cycle."""

    CYCLE = "cycle"
    """One number per finished cycle; between cycles a machine shows the last one."""
    CURVE = "curve"
    """Moves during the shot; sampled, and kept as a curve."""
    LEVEL = "level"
    """Holds at any time (a temperature, a flow); a cycle takes it as it stood at its end."""
    COUNTER = "counter"
    """Rises by the closing."""
    STATE = "state"
    """A word: mode, job, mold, phase."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One named quantity."""

    name: str
    unit: str
    """Empty for counters and words."""
    text: str
    """What it is, for a person."""
    low: float
    high: float
    """Plausible range, in `unit`."""
    kind: Kind = Kind.CYCLE
    decimals: int = 2
    """How many a page shows."""


INFINITY = float("inf")
BARREL_ZONES = 12


def _cycle(name: str, unit: str, text: str, low: float, high: float, decimals: int = 2) -> Signal:
    return Signal(name, unit, text, low, high, Kind.CYCLE, decimals)


def _level(name: str, unit: str, text: str, low: float, high: float, decimals: int = 1) -> Signal:
    return Signal(name, unit, text, low, high, Kind.LEVEL, decimals)


def _curve(name: str, unit: str, text: str, low: float, high: float, decimals: int = 0) -> Signal:
    return Signal(name, unit, text, low, high, Kind.CURVE, decimals)


def _counter(name: str, text: str) -> Signal:
    return Signal(name, "", text, 0, INFINITY, Kind.COUNTER, 0)


def _state(name: str, text: str) -> Signal:
    return Signal(name, "", text, -INFINITY, INFINITY, Kind.STATE, 0)


_ALL = (
    # Times. Movements are movements: pauses are not in them.
    _cycle("cycle_time_s", "s", "whole cycle, start of closing to start of closing", 0.5, 3600),
    _cycle("cooling_time_s", "s", "end of hold to start of opening", 0, 1800),
    _cycle("cooling_time_set_s", "s", "cooling timer as set", 0, 1800),
    _cycle("fill_time_s", "s", "injection forward to switch-over", 0, 120, 3),
    _cycle("hold_time_s", "s", "switch-over to end of hold", 0, 600),
    _cycle("hold_time_set_s", "s", "hold timer as set", 0, 600),
    _cycle("recovery_time_s", "s", "screw turning until the shot volume is reached", 0, 600),
    _cycle("mold_close_time_s", "s", "closing movement and clamping", 0, 60),
    _cycle("mold_open_time_s", "s", "opening movement", 0, 60),
    _cycle("ejection_time_s", "s", "ejector out and back", 0, 120),
    _cycle("pause_time_s", "s", "ejector back, or open, to the next closing", 0, 3600),
    # Pressures, all specific (in the melt) unless the name says otherwise.
    _cycle("injection_pressure_peak_bar", "bar", "largest pressure while filling", 0, 3500, 0),
    _cycle("transfer_pressure_bar", "bar", "pressure at switch-over", 0, 3500, 0),
    _cycle("hold_pressure_bar", "bar", "mean pressure while holding", 0, 3000, 0),
    _cycle("back_pressure_bar", "bar", "mean pressure while the screw recovers", 0, 500, 0),
    _cycle("cavity_pressure_peak_bar", "bar", "largest pressure in the cavity", 0, 2500, 0),
    # Screw and clamp.
    _cycle("cushion_mm", "mm", "smallest screw position", -5, 200),
    _cycle("cushion_cm3", "cm³", "smallest screw volume", -10, 5000),
    _cycle("shot_volume_cm3", "cm³", "volume injected", 0, 50000),
    _cycle("transfer_position_mm", "mm", "screw position at switch-over", 0, 500),
    _cycle("clamp_force_kn", "kN", "largest clamp force", 0, 100000, 0),
    _cycle("screw_torque_nm", "N·m", "mean torque while the screw recovers", 0, 50000, 0),
    _cycle("parts_good", "", "good parts of this cycle", 0, 1024, 0),
    _cycle("parts_bad", "", "bad parts of this cycle", 0, 1024, 0),
    # Levels.
    _level("melt_temp_c", "°C", "melt in the nozzle or antechamber", 0, 500),
    *(
        _level(f"barrel_zone_{n}_c", "°C", f"barrel zone {n}, 1 is the feed side", -20, 500)
        for n in range(1, BARREL_ZONES + 1)
    ),
    _level("mold_temp_c", "°C", "mold, by its own sensor", -20, 300),
    _level("mold_temp_set_c", "°C", "mold temperature as set", -20, 300),
    _level("coolant_in_c", "°C", "coolant into the mold", -30, 250),
    _level("coolant_out_c", "°C", "coolant out of the mold", -30, 250),
    _level("coolant_flow_l_min", "L/min", "coolant flow of one circuit", 0, 500),
    _level("oil_temp_c", "°C", "hydraulic oil", -20, 120),
    # Curves.
    _curve("injection_pressure_bar", "bar", "pressure in the melt, sampled", -50, 3500),
    _curve("cavity_pressure_bar", "bar", "pressure in the cavity, sampled", -50, 2500),
    _curve("screw_position_mm", "mm", "screw position, sampled", -20, 1000, 1),
    # Counters.
    _counter("counter", "the shot counter that identifies a cycle"),
    _counter("machine_counter", "finished cycles in the machine's life"),
    _counter("job_counter", "finished cycles in the job"),
    _counter("parts_counter", "parts in the job, cumulative"),
    # States.
    _state("mode", "MachineMode as OPC 40083 names it: AUTOMATIC, SEMI_AUTOMATIC, MANUAL, ..."),
    _state("production_status", "ProductionStatus as OPC 40083 names it: PRODUCTION, DRY_RUN, ..."),
    _state("phase", "what the press is doing: close, fill, hold, cool, open, eject, pause, idle"),
    _state("mold", "id of the mold, as the machine has it"),
    _state("job", "job or order"),
    _state("lot", "lot"),
    _state("resin", "material loaded"),
    _state("quality", "CycleQuality as OPC 40083 names it: GOOD_CYCLE, BAD_CYCLE, ..."),
    _state("closing", "shot, or dry: the mold closed without plastic"),
    _state("expected_cycle_s", "cycle time that the job plans with"),
    _state("parts_planned", "parts the job asks for"),
    _state("cavities_open", "cavities that fill"),
)

SIGNALS: Mapping[str, Signal] = {signal.name: signal for signal in _ALL}
"""Every canonical signal by name."""

_BY_RULE: Mapping[str, Signal] = {
    signal.name: signal
    for signal in (
        _level("coolant_pressure_difference_bar", "bar", "between main and return line", -10, 50),
        _level("barrel_zone_c", "°C", "barrel zone", -20, 500),
        _level("mold_zone_c", "°C", "mold zone, by its own sensor", -20, 300),
        _level("mold_zone_set_c", "°C", "mold zone as set", -20, 300),
    )
}
_FURTHER = re.compile(
    r"(?P<part>injection_unit|mold|circuit)_(?P<number>[1-9]\d*)_(?P<base>[a-z]\w+)"
)
_ZONE = re.compile(r"(?P<before>(?:barrel|mold)_zone)_(?P<number>[1-9]\d*)(?P<after>(?:_set)?_c)")


def further(part: str, number: int, name: str) -> str:
    """Name of a signal of a further injection unit, mold or cooling circuit; the first has none.

    >>> further("injection_unit", 2, "fill_time_s"), further("circuit", 1, "coolant_in_c")
    ('injection_unit_2_fill_time_s', 'coolant_in_c')
    """
    return name if number <= 1 else f"{part}_{number}_{name}"


@cache
def signal_named(name: str) -> Signal | None:
    """What a name means, in the vocabulary or by its rules; None for a vendor's own.

    By rule are `injection_unit_2_fill_time_s` and `mold_2_mold_temp_c`, which are signals of a
    further one of something, `circuit_2_coolant_in_c` of a further cooling circuit, and the zones
    beyond those in the vocabulary: `mold_zone_2_c`, `mold_zone_2_set_c`, `barrel_zone_13_c`.

    >>> signal_named("injection_unit_2_fill_time_s").unit, signal_named("mold_zone_3_c").unit
    ('s', '°C')
    >>> signal_named("injection_unit_2_Kuehlzeit") is None
    True
    """
    if (known := SIGNALS.get(name) or _BY_RULE.get(name)) is not None:
        return known if known.name != "barrel_zone_c" else None
    if (told := _FURTHER.fullmatch(name)) and (base := signal_named(told["base"])):
        part = told["part"].replace("_", " ")
        return replace(base, name=name, text=f"{part} {told['number']}: {base.text}")
    if (told := _ZONE.fullmatch(name)) and (base := _BY_RULE.get(told["before"] + told["after"])):
        return replace(base, name=name, text=f"{base.text} ({told['number']})")
    return None


MODES = ("OTHER", "AUTOMATIC", "SEMI_AUTOMATIC", "MANUAL", "SETUP", "SLEEP")
"""OPC 40083 MachineModeEnumeration, by value."""

PRODUCTION_STATUSES = (
    "OTHER",
    "NO_PRODUCTION",
    "START_UP",
    "READY_FOR_PRODUCTION",
    "PRODUCTION",
    "DRY_RUN",
)
"""OPC 40083 ProductionStatusEnumeration, by value."""

QUALITIES = ("GOOD_CYCLE", "BAD_CYCLE", "TEST_SAMPLE_CYCLE", "FAILED_CYCLE")
"""OPC 40083 CycleQualityEnumeration, by value."""

PHASES = ("close", "fill", "hold", "cool", "open", "eject", "pause", "idle")
"""The words of the `phase` signal, in the order of a cycle; `idle` is outside one."""

ENUMERATIONS: Mapping[str, tuple[str, ...]] = {
    "mode": MODES,
    "production_status": PRODUCTION_STATUSES,
    "quality": QUALITIES,
}
"""States that OPC 40083 numbers; read so where a map gives no words of its own."""

STATE_WORDS: Mapping[str, tuple[str, ...]] = {
    **ENUMERATIONS,
    "phase": PHASES,
    "closing": ("shot", "dry"),
}
"""The only words that these states may have."""

NUMBER_STATES: Mapping[str, str] = {
    "expected_cycle_s": "s",
    "parts_planned": "",
    "cavities_open": "",
}
"""States that are numbers, with their unit."""

CLEARED = frozenset({"job", "lot"})
"""States that a machine clears when one is over: an empty text says that there is none now."""


def kind_of(name: str) -> Kind:
    """How a signal relates to the cycle; a vendor's own name counts as CYCLE."""
    signal = signal_named(name)
    return signal.kind if signal else Kind.CYCLE


def plausible(name: str, value: float) -> bool:
    """Whether a number lies in the signal's plausible range; always, for a vendor's own name."""
    signal = signal_named(name)
    return signal is None or signal.low <= value <= signal.high
