"""What a machine shows of a measured value while its value faults are on."""

import math
from collections.abc import Mapping

from asyncua import ua

from simulators.faults import Faults

NO_SENSOR = -999.0
"""What this control shows where it has no sensor."""

NUMBERS: Mapping[str, float] = {
    "not_a_number": math.nan,
    "infinity": math.inf,
    "sentinel": NO_SENSOR,
}
"""Faults that put another number in a value's place."""

STATUSES: Mapping[str, int] = {
    "bad_status": ua.StatusCodes.BadSensorFailure,
    "uncertain_status": ua.StatusCodes.UncertainLastUsableValue,
}

VALUE_FAULTS = frozenset({*NUMBERS, *STATUSES})

FLOATS = (ua.VariantType.Double, ua.VariantType.Float)


def distorted(value: ua.Variant, status: int, faults: Faults) -> tuple[ua.Variant, int]:
    """A value and its status as a machine with these faults shows them.

    Numbers that are no floating-point numbers have no NaN and no sentinel; they only take a status.
    """
    if not faults.names:
        return value, status
    if value.VariantType in FLOATS:
        for name, number in NUMBERS.items():
            if faults.active(name):
                value = _all(number, value)
    for name, code in STATUSES.items():
        if faults.active(name):
            return value, code
    return value, status


def _all(number: float, value: ua.Variant) -> ua.Variant:
    if not value.is_array:
        return ua.Variant(number, value.VariantType)
    return ua.Variant([number] * len(value.Value), value.VariantType, is_array=True)
