"""Numbers and lengths of time as the watch's sentences say them."""

from drivers.signals import SIGNALS

_DIGITS = {"s": 2, "bar": 0, "°C": 1, "K": 1, "mm": 2, "cm³": 2, "kN": 0, "N·m": 0, "L/min": 1}


def amount(name: str, value: float, *, sign: bool = False) -> str:
    """A value of a signal with its unit: `12.50 s`; with `sign`, `+0.50 s`.

    >>> amount("cooling_time_s", 0.5, sign=True)
    '+0.50 s'
    """
    signal = SIGNALS.get(name)
    unit = signal.unit if signal else ("K" if name.endswith("_k") else "")
    digits = _DIGITS.get(unit, 2)
    if unit == "°C" and sign:
        unit = "K"
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    return f"{text} {unit}".rstrip()


def share(part: float, whole: float) -> str:
    """A change as a signed share: `+4 %`."""
    return f"{100 * part / whole:+.0f} %" if whole else ""


def by_whom(who: str | None) -> str:
    """` by OPERATOR`, or nothing where nobody is named."""
    return f" by {who}" if who else ""
