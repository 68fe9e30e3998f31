"""What drivers yield: four kinds of observation, and the words they are made of.

A `Frame` is what the machine shows at one instant, a `Report` its own record of one finished
cycle, a `Notice` something that changed, a `Link` whether we can see the machine at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from drivers.unchanging import unchanging

OVERFLOW = "overflow"
"""Cause of a `Link` that stood while things were lost on it: its down and up are one gap."""

Value = float | int | bool | str
"""One reading. Numbers are in the unit that the signal's name ends in."""


class Quality(IntEnum):
    """How far one reading may be trusted; the order is from best to worst."""

    GOOD = 0
    UNCERTAIN = 1
    """The machine itself doubts it, or it lies outside the plausible range."""
    BAD = 2
    """Read, and no value: a bad status code, a sentinel, NaN."""
    MISSING = 3
    """Not read: the node is gone, the register refused."""


class Origin(StrEnum):
    """Where a value of a cycle came from."""

    REPORTED = "reported"
    """In the machine's own record of that cycle (an OPC 40083 cycle event)."""
    LATCHED = "latched"
    """From last-cycle registers or nodes, with the counter unchanged before and after."""
    EDGES = "edges"
    """From the instants at which sampled signals changed; uncertain by the sampling interval."""
    SAMPLED = "sampled"
    """A level (a temperature, a flow) as it stood when the cycle ended."""
    DERIVED = "derived"
    """Computed from other values of the cycle."""


class Change(StrEnum):
    """What a `Notice` is about."""

    MODE = "mode"
    PRODUCTION = "production"
    JOB = "job"
    MOLD = "mold"
    PARAMETER = "parameter"
    MESSAGE = "message"
    USER = "user"
    """Somebody logged on or off, at the machine or from afar."""
    UNIT = "unit"
    """The machine was switched to another unit; values stay in ours."""
    CLOCK = "clock"
    """A clock was set, the machine's, its server's or ours; `old` and `new` are how far it was and
    is ahead of ours, in s, and for ours by how much it was set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One signal as a driver reads it."""

    signal: str
    """A canonical name of `drivers.signals`, or the vendor's own."""
    source: str
    """Where it is read, in the protocol's words: `holding 102`, `ns=2;s=ActTimCyc`."""
    unit: str | None = None
    """The unit the machine uses; None where it has none or does not say."""
    resolution: float | None = None
    """The step of the machine's number after conversion; None where unknown."""


@unchanging
class Frame:
    """Sampled signals at one instant: one object a poll, not one a value."""

    machine: str
    columns: tuple[Column, ...]
    """The driver's table; the same object in every frame of a connection."""
    values: tuple[Value | None, ...]
    """Aligned with `columns`; None where the quality is BAD or MISSING."""
    qualities: tuple[Quality, ...]
    source_time: datetime | None = None
    """The machine's own clock, UTC, the newest; None where the protocol has no time."""
    source_times: tuple[datetime | None, ...] = ()
    """Of each value, aligned with `columns`; None where the machine says none, and no entry at all
    where the protocol has no time."""
    asked_at: datetime | None = None
    """When we asked, our clock, UTC: it was so then or later; None where it was told unasked."""
    received_at: datetime
    """Our clock, UTC."""

    def value(self, signal: str) -> Value | None:
        """The reading of one signal; None where it is not in the table or not usable."""
        for column, value in zip(self.columns, self.values, strict=True):
            if column.signal == signal:
                return value
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """One signal through one shot, as the machine itself sampled it, to the end of the shot."""

    step_s: float
    """From one sample to the next."""
    values: tuple[float | None, ...]
    """In our unit; None where a sample is none."""
    resolution: float | None = None
    """The step of the machine's number in our unit; None where unknown."""


@unchanging
class Report:
    """The machine's own record of one finished cycle, consistent by construction."""

    machine: str
    counter: int
    """Number of this cycle by the machine's counter: MachineCycleCounter where OPC 40077 offers it,
    else JobCycleCounter; the shot register of a Modbus or flat OPC UA machine."""
    ended_at: datetime
    """UTC: the machine's clock where the event carries one, else ours."""
    received_at: datetime
    """UTC, our clock."""
    stamped_at: datetime | None = None
    """UTC: what the machine's clock said when it counted, where `ended_at` is ours because that
    can't have been."""
    origin: Origin
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """By signal, where it differs from `origin`."""
    fresh: bool = True
    """False where the shot ended before we looked (first read after connecting): `ended_at` is then
    only the latest it can have been, and the same counter again means nothing new."""
    values: Mapping[str, Value]
    """By signal. Units are ours; a vendor's extra value stands under the vendor's name."""
    units: Mapping[str, str] = field(default_factory=dict)
    """The unit that the machine used, by signal, where it said one."""
    resolutions: Mapping[str, float] = field(default_factory=dict)
    """The step of the machine's number in our unit, by signal, where known."""
    states: Mapping[str, str] = field(default_factory=dict)
    """Words of this cycle, where the machine says them: `job`, `quality`, `closing`."""
    curves: Mapping[str, Sampled] = field(default_factory=dict)
    """By signal, where the machine keeps its own and they are of this cycle."""
    backfilled: bool = False
    """Read from what the machine had kept, after a gap; nothing that shows now is of this cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something changed at the machine, by its own word."""

    machine: str
    change: Change
    name: str
    """What changed: `mode`, `job`, `mold`, or the vendor's parameter id."""
    old: Value | None
    new: Value | None
    unit: str | None = None
    """Of `old` and `new`: ours where the name is a signal, else the machine's; None: not said."""
    who: str | None = None
    """User, or the originator's word (`OPERATOR`, `MES`); None where not said."""
    originator: str | None = None
    """`MACHINE`, `OPERATOR`, `MES` or `PERIPHERAL_DEVICE`; None where not said."""
    text: str | None = None
    """The machine's own words for it."""
    job_counter: int | None = None
    """Cycles of the job by then, where the machine says so."""
    backfilled: bool = False
    """Read from what the machine had kept, after a gap."""
    at: datetime
    """UTC, the machine's clock where it gives one."""
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Whether we see a machine; a `Link` down opens a blind interval."""

    machine: str
    up: bool
    at: datetime
    """UTC: up since, or the last instant at which we still saw the machine."""
    cause: str = ""
    """`unreachable`, `refused`, `garbled`, `stale`, `overflow`, `not_running`; empty when up."""
    why: str = ""
    """For a person; empty when up."""


Observation = Frame | Report | Notice | Link
