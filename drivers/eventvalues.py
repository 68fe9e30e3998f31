"""What the fields of an event hold, made into plain values."""

import math
from datetime import UTC, datetime

from asyncua import ua

from drivers.observations import Value
from drivers.plastics import CAVITY_QUALITIES, JOB_STATUSES
from drivers.signals import QUALITIES

WORDS = {"CavityCycleQuality": CAVITY_QUALITIES, "JobStatus": JOB_STATUSES}
"""Enumerations among the fields that are carried."""


def value_of(name: str, raw: object) -> Value | None:
    """A field's value as it is carried; None where the event does not say one."""
    raw = getattr(raw, "Text", raw)
    if isinstance(raw, list):
        words = [value_of(name, each) for each in raw]
        return ", ".join(str(word) for word in words if word is not None) or None
    if isinstance(raw, str):
        return raw.strip() or None
    if (known := WORDS.get(name)) is not None and isinstance(raw, int):
        return known[raw] if 0 <= raw < len(known) else str(raw)
    if isinstance(raw, float):
        return raw if math.isfinite(raw) else None
    if isinstance(raw, bool | int):
        return raw
    if isinstance(raw, datetime):
        time = utc_of(raw)
        return time.isoformat() if time else None
    if isinstance(raw, bytes):
        return raw.hex() or None
    if raw is None or isinstance(raw, ua.StatusCode):  # OPC 10000-4, 7.22.3: a value that is none
        return None
    return str(getattr(raw, "Name", raw))  # a maker's own type is at least not lost


def word_of(name: str, raw: object) -> str | None:
    """A word of the event; None where it does not say one that we know."""
    if name == "CycleQuality":
        number = count_of(raw)
        return QUALITIES[number] if number is not None and number < len(QUALITIES) else None
    text = getattr(raw, "Text", raw)
    return text.strip() or None if isinstance(text, str) else None


def count_of(raw: object) -> int | None:
    """A whole number from 0 on; None where the event does not say one."""
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)  # there are servers that give every number as Double
    return raw if isinstance(raw, int) and raw >= 0 else None


def utc_of(raw: object) -> datetime | None:
    """The machine's time of an event; None where it has none (1601 is OPC UA's zero)."""
    if not isinstance(raw, datetime) or raw.year < 1970:
        return None
    return raw if raw.tzinfo else raw.replace(tzinfo=UTC)
