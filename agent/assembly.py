"""Cycle assembly: what one machine says, made into cycles, with the origin of every value.

From reports where the machine gives them, from counter steps and phase edges in frames where it
does not. Levels (temperatures, flows) and curves come from the frames either way. The object does
no I/O and has no clock: it can be fed from a socket, a file or a list.
"""

import math
import sys
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np

from agent.cycle import Closing, Curve, Cycle
from agent.edges import Edges
from agent.passages import Passages
from agent.sighting import Sighting
from drivers import Change, Column, Frame, Link, Notice, Observation, Origin, Report, Value
from drivers.settings import Cooling
from drivers.signals import SIGNALS, Kind, kind_of, signal_named

CURVE_SAMPLES = 36_000
"""An hour at 10 Hz; a stop longer than that keeps the newest samples and flags the curve as cut."""

GRACE_S = 2.0
"""How long a counter may be ahead of the last report before its shots count as not seen."""

MOST_COUNTED = 2**63 - 1
"""No counter of shots gets there: an unset 64-bit counter reads as 2**64 - 1."""

LEAST_COUNTED = -(2**31)
"""A counter of 32 bits with a sign goes on there after 2**31 - 1."""

MOVED = 0.02
"""Share by which a level has to differ between two looks for that to be more than its noise."""

FINITE = sys.float_info.max

OTHER_COUNTERS = ("machine_counter", "job_counter", "parts_counter")

CLOCK_OFF = timedelta(minutes=1)
"""How far a machine's stamp may lie from the instant in which we hear of it."""

PHASE_SIGNALS = {
    "close": "mold_close_time_s",
    "fill": "fill_time_s",
    "hold": "hold_time_s",
    "cool": "cooling_time_s",
    "open": "mold_open_time_s",
    "eject": "ejection_time_s",
    "pause": "pause_time_s",
}
REST_OF_CYCLE = tuple(s for s in PHASE_SIGNALS.values() if s != "cooling_time_s")
"""What a derived cooling time subtracts from the cycle; true where phases do not overlap."""


@dataclass(slots=True)
class _Plan:
    """Where in a frame's values each kind of signal stands; made once per table."""

    columns: tuple[Column, ...]
    counter: int | None = None
    levels: list[tuple[int, str]] = field(default_factory=list)
    curves: list[tuple[int, str]] = field(default_factory=list)
    states: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def of(cls, columns: tuple[Column, ...]) -> "_Plan":
        plan = cls(columns)
        kinds = {Kind.LEVEL: plan.levels, Kind.CURVE: plan.curves}
        for at, column in enumerate(columns):
            if column.signal == "counter":
                plan.counter = at
            known = column.signal in SIGNALS
            rows = kinds.get(kind_of(column.signal), plan.states) if known else plan.levels
            rows.append((at, column.signal))
        return plan


class Assembly:
    """Makes the cycles of one machine.

    Args:
        machine: Its name.
        cooling: Where its cooling time comes from; `edges` and `derived` are worked out here, the
            others arrive in the report.
        grace_s: How long a counter may be ahead of the last report.
    """

    def __init__(
        self, machine: str, cooling: Cooling | None = None, grace_s: float = GRACE_S
    ) -> None:
        self._machine = machine
        self._cooling = cooling
        self._grace = timedelta(seconds=grace_s)
        self._edges = Edges(cooling.edges if cooling else None)
        self._passages = Passages()
        self._announces = False
        self._plan = _Plan(())
        self._levels: dict[str, Value] = {}
        self._last: Sequence[Value | None] = ()
        self._before: Sequence[Value | None] = ()
        """The last two frames' values; empty where there are none of this table."""
        self._states: dict[str, Value] = {}
        self._shown = ChainMap(self._states, self._levels)
        self._samples: dict[str, list[tuple[datetime, float]]] = {}
        self._cut: set[str] = set()
        self._frame_at: datetime | None = None
        self._interval_s = 0.0
        self._counter: int | None = None
        self._looked_at: datetime | None = None
        self._stepped_at: datetime | None = None
        self._ahead_since: datetime | None = None
        self._fallen_to: int | None = None
        self._pending: Sighting | None = None
        self._told_mold: str | None = None
        self._reports = True
        self._linked = False
        self._live = False
        self._unbroken = False
        self._shown_counter: int | None = None

    @property
    def states(self) -> Mapping[str, Value]:
        """The newest word of every state signal, counters and vendor's values included."""
        return self._states

    def connected(self, *, reports: bool, live: bool = False) -> None:
        """A new connection stands.

        Args:
            reports: Whether this machine sends one per cycle.
            live: We shall be told when it breaks; not so of a file.
        """
        self._reports = reports
        self._live = live
        self._linked = True
        self._forget_shot()

    def take(self, observation: Observation) -> Iterator[Cycle | Sighting]:
        """What follows from one observation, in order; mostly nothing."""
        if (pending := self._pending) is not None:
            self._pending = None
            if isinstance(observation, Report) and observation.counter >= pending.counter:
                # It proves the same shots, and has values for one of them; as nobody is told of
                # the sighting, the shots may have ended at any time since the look before it.
                self._looked_at = pending.looked_at
            else:
                yield pending
        if isinstance(observation, Report) and observation.origin is Origin.REPORTED:
            self._announces = True
        match observation:
            case Frame():
                yield from self._frame(observation)
            case Report(counter=counter) if LEAST_COUNTED <= counter <= MOST_COUNTED:
                yield self._cycle(observation, {})
            case Report():
                pass
            case Notice():
                self._notice(observation)
            case Link(up=False):
                self._forget_shot()
            case Link():
                pass

    def _forget_shot(self) -> None:
        """Edges and curves across an outage are no edges and no curves."""
        self._pending = None
        self._unbroken = False
        self._edges.reset()
        self._passages.reset()
        self._samples = {}
        self._cut = set()
        self._frame_at = None
        self._last = self._before = ()
        self._looked_at = None
        self._shown_counter = None
        self._stepped_at = None

    def _notice(self, notice: Notice) -> None:
        word = {
            Change.MODE: "mode",
            Change.PRODUCTION: "production_status",
            Change.JOB: "job",
            Change.MOLD: "mold",
        }.get(notice.change)
        if word and notice.new is not None:
            self._states[word] = notice.new

    def _frame(self, frame: Frame) -> Iterator[Cycle | Sighting]:
        if frame.columns is not self._plan.columns:
            self._plan = _Plan.of(frame.columns)
            self._last = ()
        self._before, self._last = self._last, frame.values
        plan, values, at = self._plan, frame.values, frame.received_at
        self._interval_s = (at - self._frame_at).total_seconds() if self._frame_at else 0.0
        # A late answer shows what was: what comes after it may have happened since the question.
        self._frame_at = frame.asked_at or at
        for index, name in plan.levels:
            value = values[index]
            if value is None:
                self._levels.pop(name, None)
            else:
                self._levels[name] = value
        for index, name in plan.states:
            value = values[index]
            if value is not None:
                self._states[name] = value
        for index, name in plan.curves:
            value = values[index]
            if isinstance(value, (int, float)):
                self._sample(name, at, float(value))
        self._edges.take(self._shown, at, self._interval_s)
        counter = values[plan.counter] if plan.counter is not None else None
        missed = self._missed(counter, at)
        if isinstance(counter, int | float) and LEAST_COUNTED <= counter <= MOST_COUNTED:
            yield from self._count(int(counter), at, self._frame_at)
            if missed is not None and self._counter == counter:
                yield self._stood(missed, int(counter), at)
        if (
            self._counter is not None
            and (counter is None or counter == self._counter)
            and _text(self._states.get("mold")) != self._told_mold
        ):
            yield self._sighting(self._counter, at, self._frame_at)

    def _missed(self, counter: Value | None, at: datetime) -> datetime | None:
        """The end of a closing that the phases have shown and the counter has not."""
        phase = self._states.get("phase")
        if self._announces or not isinstance(phase, str):
            return None
        if isinstance(counter, int | float) and self._shown_counter is not None:
            n = int(counter) - self._shown_counter
            if n:
                self._passages.counted(max(n, 1))
        if isinstance(counter, int | float):
            self._shown_counter = int(counter)
        return self._passages.take(phase, at)

    def _stood(self, ended_at: datetime, counter: int, at: datetime) -> Cycle:
        """A cycle that only the phases tell of: the counter stands, and so nobody took its values.

        The cycle that runs goes on as it is: its curves and edges are its own.
        """
        states = self._states
        mode = _text(states.get("mode"))
        return Cycle(
            machine=self._machine,
            counter=counter,
            time=ended_at,
            received_at=at,
            time_uncertainty_s=self._interval_s,
            stood=True,
            closing="shot",
            state=_state(states, mode),
            mode=mode,
            job=_text(states.get("job")),
            mold=self._tell(_text(states.get("mold"))),
            resin=_text(states.get("resin")),
            cavities=_whole(states.get("cavities_open")),
            counters=_counters({}, states),
            flags=("counter_stood",),
        )

    def _sample(self, name: str, at: datetime, value: float) -> None:
        samples = self._samples.setdefault(name, [])
        samples.append((at, value))
        if len(samples) > CURVE_SAMPLES:
            del samples[: CURVE_SAMPLES // 4]
            self._cut.add(name)

    def _count(self, counter: int, at: datetime, asked: datetime) -> Iterator[Cycle | Sighting]:
        """What the counter of one frame proves, received at one time and asked for before."""
        if self._linked or self._counter is None:
            self._linked = False
            self._pending = self._sighting(counter, at, asked)
        elif counter == self._counter:
            self._ahead_since = self._fallen_to = None
            self._looked_at = asked
        elif counter < self._counter:
            # One frame proves nothing: it may have been read just before a report that came first.
            confirmed = self._fallen_to is not None and counter >= self._fallen_to
            self._fallen_to = counter
            if confirmed:
                yield self._sighting(counter, at, asked)
        elif not self._reports:
            yield self._stepped(counter, at)
        elif self._ahead_since is None:
            self._ahead_since = at
        elif at - self._ahead_since >= self._grace:
            yield self._sighting(counter, at, asked)

    def _tell(self, mold: str | None) -> str | None:
        """Note which mold the ledger has been told of last."""
        self._told_mold = mold
        return mold

    def _sighting(self, counter: int, at: datetime, asked: datetime) -> Sighting:
        self._counter = counter
        self._ahead_since = self._fallen_to = None
        states, looked_at = self._states, self._looked_at
        self._looked_at = asked
        return Sighting(
            machine=self._machine,
            counter=counter,
            at=at,
            closing=_closing(states),
            mold=self._tell(_text(states.get("mold"))),
            job=_text(states.get("job")),
            resin=_text(states.get("resin")),
            cavities=_whole(states.get("cavities_open")),
            counters=_counters({}, states),
            looked_at=looked_at,
        )

    def _stepped(self, counter: int, at: datetime) -> Cycle:
        """A cycle that only the counter and the phases tell of."""
        values: dict[str, Value] = {}
        uncertainty: dict[str, float] = {}
        whole = self._counter is not None and counter == self._counter + 1
        if whole and self._stepped_at is not None:
            values["cycle_time_s"] = round((at - self._stepped_at).total_seconds(), 3)
            uncertainty["cycle_time_s"] = self._interval_s
        if whole:
            for phase, (length_s, plus_minus_s) in self._edges.phases.items():
                if name := PHASE_SIGNALS.get(phase):
                    values[name], uncertainty[name] = length_s, plus_minus_s
        self._stepped_at = at
        report = Report(
            machine=self._machine,
            counter=counter,
            ended_at=at,
            received_at=at,
            origin=Origin.EDGES,
            values=values,
        )
        return self._cycle(report, uncertainty)

    def _cycle(self, report: Report, uncertainty: dict[str, float]) -> Cycle:
        """The cycle that a report, or our own stand-in for one, tells of."""
        values, flags = dict(report.values), []
        implausible = _implausible(values)
        for name in implausible:
            value = values[name]
            if value.__class__ is float and value - value != 0.0:  # inf, or nan
                del values[name]
                flags.append(f"not_a_number:{name}")
        provenance = dict.fromkeys(values, report.origin)
        if report.origins:
            for name in report.origins.keys() & values.keys():
                provenance[name] = report.origins[name]
        # What shows now is not of a cycle that the machine had kept from before.
        states = {**({} if report.backfilled else self._states), **report.states}
        mode = _text(states.get("mode"))
        curves: dict[str, Curve] = {}
        if report.backfilled:
            flags.append("backfilled")
            if self._cooling is not None and self._cooling.derived:
                self._cool(values, provenance, uncertainty, mode)
        elif report.fresh:
            self._cool(values, provenance, uncertainty, mode)
            for name, level in self._levels.items():
                if name not in values:
                    values[name], provenance[name] = level, Origin.SAMPLED
            if report.origin is not Origin.REPORTED:
                uncertainty |= self._moved(provenance)
            if self._samples or report.curves:
                curves, own = self._curves(), _own_curves(report)
                flags += [f"curve_cut:{n}" for n in sorted(self._cut & curves.keys() - own.keys())]
                curves |= own
            if abs(report.received_at - (report.stamped_at or report.ended_at)) > CLOCK_OFF:
                flags.append("clock_off")
        else:
            flags.append("time_uncertain")
        if implausible or len(values) != len(report.values):
            flags += [f"implausible:{name}" for name in _implausible(values)]
        self._samples, self._cut = {}, set()
        self._edges.next_cycle()
        looked_at, self._looked_at = self._looked_at, None
        self._counter = report.counter
        self._ahead_since = self._fallen_to = None
        announced = report.origin is Origin.REPORTED
        unbroken = self._unbroken and announced and not report.backfilled
        self._unbroken = self._live and announced
        return Cycle(
            machine=self._machine,
            counter=report.counter,
            time=report.ended_at,
            received_at=report.received_at,
            announced=announced,
            time_uncertainty_s=0.0 if announced else self._interval_s,
            fresh=report.fresh,
            closing=_closing(states),
            state=_state(states, mode),
            mode=mode,
            job=_text(states.get("job")),
            mold=self._tell(_text(states.get("mold"))),
            resin=_text(states.get("resin")),
            cavities=_whole(values.get("cavities_open", states.get("cavities_open"))),
            counters=_counters(values, states),
            looked_at=looked_at,
            unbroken=unbroken,
            values=values,
            provenance=provenance,
            uncertainty=uncertainty,
            curves=curves,
            flags=tuple(flags),
        )

    def _moved(self, provenance: Mapping[str, Origin]) -> dict[str, float]:
        """By how much sampled levels differ between the looks before and after the cycle's end.

        A mold that was changed in between, or an answer that came late, shows what was not this
        cycle's any more; which of the two was nearer to its end, nothing says.
        """
        moved = {}
        if self._before:
            for index, name in self._plan.levels:
                old, new = self._before[index], self._last[index]
                if (
                    isinstance(old, int | float)
                    and isinstance(new, int | float)
                    and (apart := abs(new - old)) > MOVED * max(abs(old), abs(new))
                    and provenance.get(name) is Origin.SAMPLED
                ):
                    moved[name] = round(apart, 3)
        return moved

    def _cool(
        self,
        values: dict[str, Value],
        provenance: dict[str, Origin],
        uncertainty: dict[str, float],
        mode: str | None,
    ) -> None:
        """Add the cooling time where the configuration says that it is worked out."""
        if self._cooling is None or "cooling_time_s" in values:
            return
        if self._cooling.edges and self._edges.length:
            values["cooling_time_s"], uncertainty["cooling_time_s"] = self._edges.length
            provenance["cooling_time_s"] = Origin.EDGES
        elif self._cooling.derived and mode == "AUTOMATIC":
            rest = [values.get(name) for name in REST_OF_CYCLE]
            cycle = values.get("cycle_time_s")
            if isinstance(cycle, int | float) and all(isinstance(r, int | float) for r in rest):
                left = float(cycle) - sum(float(r) for r in rest if r is not None)
                values["cooling_time_s"] = round(left, 3)
                provenance["cooling_time_s"] = Origin.DERIVED

    def _curves(self) -> dict[str, Curve]:
        if not self._samples:
            return {}
        resolutions = {column.signal: column.resolution for column in self._plan.columns}
        return {
            name: _curve(samples, resolutions.get(name))
            for name, samples in self._samples.items()
            if len(samples) > 1
        }


def _curve(samples: Sequence[tuple[datetime, float]], resolution: float | None) -> Curve:
    start = samples[0][0]
    return Curve(
        started_at=start,
        t_s=np.array([(at - start).total_seconds() for at, _ in samples]),
        values=np.array([value for _, value in samples]),
        resolution=resolution,
    )


def _whole(value: Value | None) -> int | None:
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _counters(values: Mapping[str, Value], states: Mapping[str, Value]) -> dict[str, int]:
    """The counters beside the one that numbers the cycles; those of the cycle go before."""
    found = {}
    for name in OTHER_COUNTERS:
        value = values[name] if name in values else states.get(name)
        if value is not None and (n := _whole(value)) is not None:
            found[name] = n
    return found


def _own_curves(report: Report) -> dict[str, Curve]:
    """The curves that the machine sampled itself; they end with the cycle."""
    curves = {}
    for name, sampled in report.curves.items():
        t_s = np.arange(len(sampled.values)) * sampled.step_s
        values = np.array([math.nan if v is None else v for v in sampled.values])
        there = np.isfinite(values)
        if there.sum() > 1:
            start = report.ended_at - timedelta(seconds=float(t_s[-1]))
            curves[name] = Curve(
                started_at=start + timedelta(seconds=float(t_s[there][0])),
                t_s=t_s[there] - t_s[there][0],
                values=values[there],
                resolution=sampled.resolution,
            )
    return curves


@lru_cache(maxsize=4096, typed=True)
def _text(value: Value | None) -> str | None:
    """A word as it can be stored: no halves of characters, no blanks around it."""
    text = (
        "" if value is None else str(value).encode("utf-8", "replace").decode().strip("\0 \t\r\n")
    )
    return text or None


def _implausible(values: Mapping[str, Value]) -> list[str]:
    """Names of numbers outside the plausible range of their signal, or that are none."""
    found = []
    for name, value in values.items():
        if value.__class__ is not str:
            low, high = _RANGES.get(name) or _range(name)
            if not low <= value <= high:  # type: ignore[operator]  # a number
                found.append(name)
    return found


@lru_cache(maxsize=4096)
def _range(name: str) -> tuple[float, float]:
    """The plausible range of a signal; everything finite, for a vendor's own name."""
    signal = signal_named(name)
    low, high = (signal.low, signal.high) if signal else (-FINITE, FINITE)
    return float(max(low, -FINITE)), float(min(high, FINITE))  # floats compare with theirs quickly


_RANGES: Mapping[str, tuple[float, float]] = {name: _range(name) for name in SIGNALS}
"""Asked once a value; what is not here is looked up by its rules."""


def _closing(states: Mapping[str, Value]) -> Closing:
    dry = states.get("closing") == "dry" or states.get("production_status") == "DRY_RUN"
    return "dry" if dry else "shot"


def _state(states: Mapping[str, Value], mode: str | None) -> str:
    match states.get("quality"):
        case "FAILED_CYCLE":
            return "failed"
        case "TEST_SAMPLE_CYCLE":
            return "test"
    return "setup" if mode in ("MANUAL", "SETUP") else "production"
