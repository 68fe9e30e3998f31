"""Units that machines use, turned into ours.

Ours are the ends of the signals' names. A unit is known by the words people and spreadsheets write
(`bar`, `degC`, `ms`) and by the UNECE code that OPC UA's EngineeringUnits carry.

Source:
    UNECE Recommendation 20; the UnitId of OPC 10000-8 is the code's ASCII bytes as one big-endian
    number.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: `ours = theirs * factor + offset`, in the base unit of its dimension."""

    name: str
    dimension: str
    factor: float
    offset: float = 0.0
    code: str = ""
    """UNECE code; empty where there is none."""
    aliases: tuple[str, ...] = ()


_UNITS = (
    Unit("s", "time", 1.0, code="SEC", aliases=("sec", "second", "seconds")),
    Unit("ms", "time", 1e-3, code="C26", aliases=("msec",)),
    Unit("min", "time", 60.0, code="MIN"),
    Unit("h", "time", 3600.0, code="HUR"),
    Unit("bar", "pressure", 1.0, code="BAR"),
    Unit("MPa", "pressure", 10.0, code="MPA"),
    Unit("kPa", "pressure", 0.01, code="KPA"),
    Unit("Pa", "pressure", 1e-5, code="PAL"),
    Unit("psi", "pressure", 0.0689475729, code="PS"),
    Unit("°C", "temperature", 1.0, code="CEL", aliases=("c", "degc", "celsius", "deg c")),
    Unit("°F", "temperature", 5 / 9, -160 / 9, "FAH", ("f", "degf", "fahrenheit", "deg f")),
    Unit("K", "temperature", 1.0, -273.15, "KEL", ("kelvin",)),
    Unit("mm", "length", 1.0, code="MMT"),
    Unit("cm", "length", 10.0, code="CMT"),
    Unit("m", "length", 1000.0, code="MTR"),
    Unit("in", "length", 25.4, code="INH", aliases=("inch", "inches", '"')),
    Unit("cm³", "volume", 1.0, code="CMQ", aliases=("cm3", "ccm", "cc", "ml")),
    Unit("mm³", "volume", 1e-3, code="MMQ", aliases=("mm3",)),
    Unit("in³", "volume", 16.387064, code="INQ", aliases=("in3", "cu in")),
    Unit("kN", "force", 1.0, code="B47"),
    Unit("N", "force", 1e-3, code="NEW"),
    Unit("t", "force", 9.80665, aliases=("tf", "ton", "tons", "tonnes")),
    Unit("N·m", "torque", 1.0, code="NU", aliases=("nm", "n m", "n.m")),
    Unit("L/min", "flow", 1.0, code="L2", aliases=("l/min", "lpm", "l min")),
    Unit("m³/h", "flow", 1000 / 60, code="MQH", aliases=("m3/h",)),
    Unit("gpm", "flow", 3.785411784, code="G2", aliases=("gal/min",)),
)


def _key(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


UNITS: Mapping[str, Unit] = {
    _key(word): unit for unit in _UNITS for word in (unit.name, *unit.aliases)
}
"""Every unit by each of its written forms, folded as `unit_named` folds."""

_BY_ID: Mapping[int, Unit] = {
    int.from_bytes(unit.code.encode("ascii"), "big"): unit for unit in _UNITS if unit.code
}


def unit_named(text: str) -> Unit | None:
    """The unit that a person or a spreadsheet means; None where it is not known.

    >>> unit_named("degC").name, unit_named(" PSI ").name, unit_named("furlong")
    ('°C', 'psi', None)
    """
    return UNITS.get(_key(text))


def unit_of_id(unit_id: int) -> Unit | None:
    """The unit of an OPC UA EUInformation.UnitId; None for -1 and for what we do not know.

    >>> unit_of_id(4342098).name, unit_of_id(-1)
    ('bar', None)
    """
    return _BY_ID.get(unit_id)


def converter(theirs: Unit, ours: str) -> Callable[[float], float]:
    """A function from the machine's number to ours.

    Args:
        theirs: The unit that the machine uses.
        ours: The unit of the canonical signal, as `Signal.unit` writes it.

    Raises:
        ValueError: the two measure different things.

    >>> round(converter(unit_named("psi"), "bar")(14503.8), 1)
    1000.0
    """
    target = unit_named(ours)
    if target is None or target.dimension != theirs.dimension:
        raise ValueError(f"{theirs.name} can't become {ours or 'a plain number'}")
    factor = theirs.factor / target.factor
    offset = (theirs.offset - target.offset) / target.factor
    if offset == 0.0:
        return lambda value: value * factor
    return lambda value: value * factor + offset
