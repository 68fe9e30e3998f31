"""A machine's number made ours: scale, offset and unit as one step that adds no digits.

215 counts of 0.1 are 21.5, not 21.500000000000004: whole numbers are multiplied and divided as
whole numbers, so that the result is the nearest number there is.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm

from drivers.units import Unit, converter, unit_named

MOST_PLAIN = 10_000
"""5/9 is meant where 0.5555555555555556 stands; beyond this the digits are meant."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """`ours = (raw * times + plus) / over`."""

    times: int
    plus: int
    over: int

    def __call__(self, raw: float) -> float:
        """One number; always a float."""
        return (raw * self.times + self.plus) / self.over

    def then(self, after: "Scaling") -> "Scaling":
        """This one, and another on its result."""
        plus = self.plus * after.times + after.plus * self.over
        return Scaling(self.times * after.times, plus, self.over * after.over)

    @property
    def step(self) -> float:
        """What one count is in our unit."""
        return abs(self.times) / self.over

    @property
    def is_identity(self) -> bool:
        """Whether the raw number is ours already."""
        return self == IDENTITY


IDENTITY = Scaling(1, 0, 1)


def scaling(
    scale: float = 1.0, offset: float = 0.0, theirs: Unit | None = None, ours: str = ""
) -> Scaling:
    """The step from a register's number to ours.

    Args:
        scale: Machine's units per count.
        offset: Added after scaling, in the machine's unit.
        theirs: The machine's unit; None where it is ours.
        ours: Our unit, as `drivers.signals` writes it.

    Raises:
        ValueError: the two units measure different things.

    >>> scaling(0.1)(3), scaling(0.05)(3), scaling(0.1, -40)(1)
    (0.3, 0.15, -39.9)
    >>> from drivers.units import unit_named
    >>> scaling(0.1, 0, unit_named("degF"), "°C")(1220)
    50.0
    """
    factor, shift = Fraction(1), Fraction(0)
    if theirs is not None:
        converter(theirs, ours)  # refuses what does not go together
        base = unit_named(ours) or theirs
        factor = _fraction(theirs.factor) / _fraction(base.factor)
        shift = (_fraction(theirs.offset) - _fraction(base.offset)) / _fraction(base.factor)
    times = _fraction(scale) * factor
    plus = _fraction(offset) * factor + shift
    over = lcm(times.denominator, plus.denominator)
    return Scaling(int(times * over), int(plus * over), over)


def _fraction(number: float) -> Fraction:
    """What a person meant by a number: the digits, or the simple fraction behind them."""
    plain = Fraction(number).limit_denominator(MOST_PLAIN)
    return plain if float(plain) == number else Fraction(Decimal(repr(number)))
