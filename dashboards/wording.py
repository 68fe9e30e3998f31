"""Signals and their values in words."""

from dashboards.catalogue import catalogue
from dashboards.face import shown
from dashboards.figures import NOTHING, number, signed
from dashboards.manner import manner
from dashboards.measures import Measure, measure
from drivers import Value
from drivers.signals import signal_named


def in_words(name: str) -> str:
    """A name that may hold signals, without their units.

    >>> in_words("mold_temp_c"), in_words("coolant_flow_l_min usual"), in_words("shots")
    ('Mold temp', 'Coolant flow usual', 'Shots')
    """
    own = catalogue(manner().language)
    bare = [_bare(word) for word in name.replace(",", " ").replace(":", " ").split()]
    parts = [own.get(f"signal.{word}", word) for word in bare]
    words = shown(" ".join(parts).replace("_", " "))
    return words[:1].upper() + words[1:]


def measure_of(name: str | None) -> Measure:
    """In which unit a signal is shown; an empty one where it has none, or is no signal."""
    signal = signal_named(name) if name else None
    return measure(signal.unit if signal is not None else "")


def unit_of(name: str) -> str:
    """The unit that a signal is shown in; empty where it has none, or is no signal."""
    return measure_of(name).unit


def decimals_of(name: str | None) -> int:
    """How many decimals a signal is shown with."""
    signal = signal_named(name) if name else None
    return signal.decimals + measure(signal.unit).decimals if signal is not None else 2


def figured(value: float, name: str | None) -> str:
    """A value of a signal in the unit that it is shown in, without the unit."""
    return number(measure_of(name).of(value), decimals_of(name))


def apart(difference: float, name: str) -> str:
    """A difference of a signal's values, with its sign and unit."""
    shown_in = measure_of(name)
    return f"{signed(shown_in.apart(difference), decimals_of(name))} {shown_in.unit}"


def told(value: Value | None, name: str | None) -> str:
    """A value with its unit; empty where there is none.

    >>> told(12.2, "cooling_time_s"), told("Operator 2", "who"), told(None, "cooling_time_s")
    ('12.20 s', 'Operator 2', '')
    """
    if value is None or value == "":
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return shown(str(value))
    unit = unit_of(name) if name else ""
    if unit:
        return f"{figured(value, name)} {unit}"
    if isinstance(value, int):
        return number(value)
    text = number(value, 4 if abs(value) < 1 else 3).rstrip("0").rstrip(manner().decimal)
    return text or NOTHING


def _bare(name: str) -> str:
    unit = unit_of(name)
    if not unit:
        return name
    return name.removesuffix("_l_min") if name.endswith("_l_min") else name.rpartition("_")[0]
