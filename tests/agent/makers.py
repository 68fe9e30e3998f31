"""Short ways to make what the agent's stages take."""

from datetime import UTC, datetime, timedelta
from typing import Any

from agent.cycle import Cycle
from agent.ledger import Ledger, Standing
from agent.sighting import Sighting
from drivers import Column, Frame, Quality, Value

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def cycle(counter: int, seconds: float, **changes: Any) -> Cycle:
    """An announced cycle that ended `seconds` after the start."""
    fields: dict[str, Any] = {
        "machine": "IMM-01",
        "counter": counter,
        "time": at(seconds),
        "received_at": at(seconds),
        "announced": True,
        "mold": "A-1",
    }
    return Cycle(**(fields | changes))


def sighting(counter: int, seconds: float, **changes: Any) -> Sighting:
    fields: dict[str, Any] = {
        "machine": "IMM-01",
        "counter": counter,
        "at": at(seconds),
        "mold": "A-1",
    }
    return Sighting(**(fields | changes))


def ledger(modulus: int | None = None, standing: Standing | None = None) -> Ledger:
    return Ledger("IMM-01", standing or Standing(), lambda mold: "A", modulus)


COLUMNS: dict[tuple[str, ...], tuple[Column, ...]] = {}


def frame(seconds: float, **values: Value | None) -> Frame:
    """A frame with the given signals; the same signals share one table, as a driver's do."""
    names = tuple(values)
    columns = COLUMNS.setdefault(names, tuple(Column(signal=name, source="test") for name in names))
    return Frame(
        machine="IMM-01",
        columns=columns,
        values=tuple(values.values()),
        qualities=tuple(Quality.MISSING if v is None else Quality.GOOD for v in values.values()),
        received_at=at(seconds),
    )
