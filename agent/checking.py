"""`sprue check`: the configuration alone, or with one read of every machine."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agent.config import Loaded
from agent.console import ago, print_json, print_table
from agent.machine import opener
from agent.run import now
from drivers import Column, Frame, MachineError, Report, Value
from drivers.press import Press
from drivers.settings import MachineSettings
from drivers.signals import signal_named

LAST_CYCLE_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one machine said to `check --connect`."""

    machine: str
    error: str | None = None
    """Why it could not be read; None where it could."""
    identity: str = ""
    frame: Frame | None = None
    per_cycle: tuple[Column, ...] = ()
    """What comes once a cycle and so is not in the frame."""
    last_cycle: Mapping[str, Value] = field(default_factory=dict)
    """Of those, what the machine still shows of its last cycle."""


async def connect_all(loaded: Loaded) -> list[Reading]:
    """Read every machine once, all at the same time; nothing is stored."""
    return list(await asyncio.gather(*(_read(m, loaded) for m in loaded.config.machine)))


async def _read(settings: MachineSettings, loaded: Loaded) -> Reading:
    try:
        async with opener(settings, loaded)() as press:
            frame = await press.read()
            report = await _last_report(press, settings.poll_s)
            return Reading(
                machine=settings.name,
                identity=", ".join(f"{key} {word}" for key, word in press.identity.items()),
                frame=frame,
                per_cycle=press.report_columns,
                last_cycle={**report.states, **report.values} if report else {},
            )
    except MachineError as error:
        return Reading(machine=settings.name, error=error.what)


async def _last_report(press: Press, poll_s: float) -> Report | None:
    """What the machine shows of its last cycle; None where it only tells as a cycle ends."""
    if not press.reports:
        return None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAST_CYCLE_WITHIN_S + poll_s):
            async for observation in press.observations():
                if isinstance(observation, Report):
                    return observation
    return None


def show(readings: Sequence[Reading], *, json: bool) -> None:
    """Print a row a value: what it is, where it was read, how good and how old it is."""
    at = now()
    rows = [row for reading in readings for row in _rows(reading, at)]
    if json:
        print_json(rows)
        return
    print_table(
        ["machine", "signal", "value", "unit", "source", "quality", "age"],
        ([_figure(cell) for cell in row.values()] for row in rows),
        right=("value", "age"),
    )


def _rows(reading: Reading, at: datetime) -> list[dict[str, object]]:
    if reading.frame is None:
        return [_row(reading.machine, "(machine)", "", "", "", f"not read: {reading.error}", "")]
    frame = reading.frame
    times = [time or frame.received_at for time in frame.source_times]
    ages = [ago(time, at) for time in times or [frame.received_at] * len(frame.columns)]
    shown = zip(frame.columns, frame.values, frame.qualities, ages, strict=True)
    rows = [
        _row(reading.machine, c.signal, value, _unit(c), c.source, quality.name.lower(), age)
        for c, value, quality, age in shown
    ]
    for column in reading.per_cycle:
        value = reading.last_cycle.get(column.signal, "")
        quality = "last cycle" if column.signal in reading.last_cycle else "once a cycle"
        rows.append(
            _row(reading.machine, column.signal, value, _unit(column), column.source, quality, "")
        )
    if reading.identity:
        rows.insert(0, _row(reading.machine, "(identity)", reading.identity, "", "", "", ""))
    return rows


def _row(
    machine: str, signal: str, value: object, unit: str, source: str, quality: str, age: str
) -> dict[str, object]:
    return {
        "machine": machine,
        "signal": signal,
        "value": value,
        "unit": unit,
        "source": source,
        "quality": quality,
        "age": age,
    }


def _figure(cell: object) -> object:
    """A number as short as it can be without losing what a machine can know."""
    return f"{cell:.7g}" if isinstance(cell, float) else cell


def _unit(column: Column) -> str:
    """Our unit, and the machine's own where it is another."""
    signal = signal_named(column.signal)
    ours = signal.unit if signal else (column.unit or "")
    return f"{ours} (from {column.unit})" if column.unit and column.unit != ours else ours
