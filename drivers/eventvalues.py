"""What the fields of an event hold, made into plain values."""

import math
from datetime import UTC, datetime

from drivers.observations import Value
from drivers.plastics import CAVITY_QUALITIES
from drivers.signals import QUALITIES


def value_of(name: str, raw: object) -> Value | None:
    """A field's value as it is carried; None where the event does not say one."""
    raw = getattr(raw, "Text", raw)
    if isinstance(raw, list):
        words = [value_of(name, each) for each in raw]
        return ", ".join(str(word) for word in words if word is not None) or None
    if isinstance(raw, str):
        return raw.strip() or None
    if name == "CavityCycleQuality" and isinstance(raw, int):
        return CAVITY_QUALITIES[raw] if 0 <= raw < len(CAVITY_QUALITIES) else str(raw)
    if isinstance(raw, float):
        return raw if math.isfinite(raw) else None
    return raw if isinstance(raw, bool | int) else None


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
