"""Numbers as the pages print them; assets/figures.js does the same, and a test compares the two."""

import math
from decimal import ROUND_HALF_UP, Decimal

from dashboards.manner import manner

THIN = "\u202f"
"""Narrow no-break space: separates thousands, and a number from its per cent sign."""

MINUS = "−"

NOTHING = "–"
"""What stands where there is no number."""


def number(value: float, decimals: int = 0) -> str:
    """A number with thin spaces between thousands and a true minus.

    >>> number(11240).replace(THIN, "_"), number(-3.456, 2), number(-0.001, 2)
    ('11_240', '−3.46', '0.00')
    """
    if not math.isfinite(value):
        return NOTHING
    rounded = _rounded(value, decimals)
    whole, _, part = f"{abs(rounded):,.{decimals}f}".partition(".")
    text = whole.replace(",", THIN) + (f"{manner().decimal}{part}" if part else "")
    return f"{MINUS}{text}" if rounded < 0 else text


def signed(value: float, decimals: int) -> str:
    """A difference, with its sign.

    >>> signed(0.481, 2), signed(-0.05, 2), signed(0.001, 2)
    ('+0.48', '−0.05', '±0.00')
    """
    if not math.isfinite(value):
        return NOTHING
    rounded = _rounded(value, decimals)
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else "±"
    return f"{sign}{abs(rounded):.{decimals}f}".replace(".", manner().decimal)


def brief(value: float) -> str:
    """A planned number: one decimal, two where it needs them.

    >>> brief(24.0), brief(28.55)
    ('24.0', '28.55')
    """
    text = number(value, 2)
    return text.removesuffix("0") if text.endswith("0") else text


def percent(part: float, whole: float) -> int:
    """How many whole per cent of the way, rounded down: 100 is only said when it is done.

    >>> percent(999, 1000), percent(1000, 1000)
    (99, 100)
    """
    return int(100 * part // whole)


def duration_parts(seconds: float) -> tuple[str, dict[str, int]]:
    """Which string of the catalogue tells a duration, and its numbers; rounded down.

    >>> duration_parts(6735)
    ('time.h_min', {'h': 1, 'min': 52})
    """
    whole = max(0, int(seconds))
    if whole < 60:
        return "time.s", {"s": whole}
    if whole < 3600:
        return "time.min", {"min": whole // 60}
    if whole < 86400:
        return "time.h_min", {"h": whole // 3600, "min": whole % 3600 // 60}
    return "time.d_h", {"d": whole // 86400, "h": whole % 86400 // 3600}


def _rounded(value: float, decimals: int) -> Decimal:
    # Half away from zero, as toFixed does in a browser; Python's own formatting rounds to even.
    return Decimal(value).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
