"""What a mold should be like: cycles that a person chooses, approvals, drift, limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import select

from agent.cycle import Booked
from agent.drift import Drift, read_baselines, read_drifts
from agent.history import Filter, History
from agent.schema import VALUE_COLUMNS, machine, mold, run
from agent.watch.baseline import Baseline
from agent.watch.envelope import Envelope
from agent.watch.shapes import CHOSEN_LEAST, chosen_curves
from agent.watchwords import Golden, SheetLimit, WatchError, read_golden, read_limits
from dashboards.catalogue import Catalogue
from dashboards.cyclechart import CycleChart, Shot, cycle_chart, shot_of
from dashboards.face import shown
from dashboards.figures import number, signed
from dashboards.plantzone import PlantZone
from dashboards.wording import decimals_of, in_words, told, unit_of
from drivers.signals import SIGNALS, Kind

PROPOSED = 30
"""Good cycles that are laid over each other until somebody chooses."""

OVERLAID = 60
"""Curves that are drawn; all chosen ones count."""

DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address asks for."""

    mold: str
    version: int | None = None
    """An approval by its number among those of the mold; None: what may be approved next."""
    machine: str | None = None
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the record says."""

    machines: Sequence[str]
    """That have made shots with the mold, the newest first."""
    machine: str
    revision: str
    cycles: Sequence[Booked]
    """The chosen good ones, oldest first; none where an old approval is looked at."""
    shots: Sequence[Shot]
    envelopes: Mapping[str, Envelope]
    levels: Mapping[str, float]
    baseline: Baseline | None
    golden: Sequence[Golden]
    drifts: Sequence[Drift]
    limits: Sequence[SheetLimit]


def look_at_golden(history: History, now: datetime, asked: Asked, zone: ZoneInfo) -> Found:
    """Read what the page shows.

    Raises:
        WatchError: the record has no shot of such a mold, or no such approval.
    """
    with history.connect() as connection:
        golden = read_golden(connection, asked.mold)
        query = (  # by the ledger, which has every shot, wherever its cycle lies
            select(machine.c.name)
            .select_from(run.join(machine).join(mold, mold.c.id == run.c.mold_id))
            .where(mold.c.name == asked.mold, run.c.kind == "seen")
            .group_by(machine.c.name)
            .order_by(machine.c.name)
        )
        machines = list(connection.execute(query).scalars())
        if not machines:
            raise WatchError(f"the record has no shot of a mold {asked.mold!r}")
        version = None
        if asked.version is not None:
            if not 1 <= asked.version <= len(golden):
                raise WatchError(f"{asked.mold} has {len(golden)} golden references")
            version = golden[asked.version - 1]
        name = version.machine if version else asked.machine or machines[0]
        if name not in machines:
            raise WatchError(f"{asked.mold} made no shot on a press {name!r}")
        drifts = list(read_drifts(history, now, DAYS, zone, asked.mold))
        limits = read_limits(connection, asked.mold)
        baselines = [b for of, b in read_baselines(connection, asked.mold) if of == name]
    newest = list(history.cycles(Filter(machine=name, mold=asked.mold), newest=1))
    revision = version.revision if version else (newest[-1].revision or "" if newest else "")
    chosen: list[Booked] = []
    if version is None and newest:
        chosen = _chosen(history, name, asked, newest[-1])
    curves = [history.curves(each) for each in chosen]
    both = zip(chosen, curves, strict=True)
    envelopes = chosen_curves(replace(each.cycle, curves=of) for each, of in both)
    if version is not None:
        envelopes = {signal: Envelope.load(each) for signal, each in version.curves.items()}
    levels = dict(version.levels) if version else _levels(chosen)
    return Found(
        machines=machines,
        machine=name,
        revision=revision,
        cycles=chosen,
        shots=[shot_of(each) for each in curves[-OVERLAID:] if each][::-1],
        envelopes=envelopes,
        levels=levels,
        baseline=next((each for each in baselines if each.key[1] == revision), None),
        golden=golden,
        drifts=drifts,
        limits=limits,
    )


def _chosen(history: History, name: str, asked: Asked, newest: Booked) -> list[Booked]:
    """Good shots of the present segment: those asked for, or the newest ones."""
    most = PROPOSED
    last = asked.last if asked.last is not None else newest.cycle.counter
    if asked.first is not None:
        most = max(0, min(last - asked.first + 1, 500))
    found = history.cycles_up_to(name, newest.segment, last, most)
    return [
        each
        for each in found
        if (each.mold, each.revision) == (newest.mold, newest.revision)
        and each.cycle.counter >= (asked.first or 0)
        and each.cycle.closing == "shot"
        and each.cycle.state == "production"
    ]


def _levels(chosen: Sequence[Booked]) -> dict[str, float]:
    """The middle of every signal over the chosen cycles, where enough have it."""
    found = {}
    for name in VALUE_COLUMNS:
        if SIGNALS[name].kind not in (Kind.CYCLE, Kind.LEVEL):
            continue
        values = [each.cycle.values.get(name) for each in chosen]
        known = [float(value) for value in values if isinstance(value, int | float)]
        if len(known) >= CHOSEN_LEAST:
            found[name] = median(known)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One signal: as chosen, as it is golden now, and the difference."""

    name: str
    chosen: str
    golden: str
    off: str


class GoldenPage:
    """Everything that the template needs."""

    def __init__(
        self, found: Found, asked: Asked, now: datetime, strings: Catalogue, zone: PlantZone
    ) -> None:
        self.asked = asked
        self.mold = shown(asked.mold)
        self.machine = found.machine
        self.machines = found.machines
        self.revision = shown(found.revision)
        self.enough = len(found.cycles) >= CHOSEN_LEAST
        self.least = CHOSEN_LEAST
        self.signals = [
            (name, in_words(name), signal.unit)
            for name, signal in SIGNALS.items()
            if signal.kind in (Kind.CYCLE, Kind.LEVEL)
        ]
        self._found = found
        self._now = now
        self._strings = strings
        self._zone = zone

    @property
    def first(self) -> int | None:
        """Counter of the first chosen shot."""
        return self._found.cycles[0].cycle.counter if self._found.cycles else self.asked.first

    @property
    def last(self) -> int | None:
        """Counter of the last one."""
        return self._found.cycles[-1].cycle.counter if self._found.cycles else self.asked.last

    @property
    def state(self) -> str:
        """How far the watch is with this mold on this press."""
        baseline = self._found.baseline
        return self._strings[f"golden.state_{(baseline.state if baseline else 'learning')}"]

    @property
    def chosen(self) -> str:
        """How many good shots are chosen, and how many of them have curves."""
        n, curves = len(self._found.cycles), len(self._found.shots)
        return self._strings.say("golden.chosen", n=number(n), curves=number(curves))

    @property
    def chart(self) -> CycleChart:
        """The chosen shots over each other, and the envelope that they make."""
        spans = [each.cycle.values.get("cycle_time_s") for each in self._found.cycles]
        known = [float(each) for each in spans if isinstance(each, int | float)]
        if not known:
            known = [sum(e.phases.values()) for e in self._found.envelopes.values()]
        names = [name for name in self._found.envelopes if not self._found.shots]
        span_s = 1.04 * max(known, default=0.0)
        return cycle_chart(
            self._found.shots, self._found.envelopes, span_s, self._strings, live=names
        )

    @property
    def levels(self) -> list[Level]:
        """What the signals of the chosen shots are like."""
        baseline = self._found.baseline
        golden = baseline.golden if baseline and baseline.approved_by else {}
        rows = []
        for name, value in self._found.levels.items():
            now = golden.get(name)
            off = ""
            if now is not None and abs(value - now) >= 0.5 * 10.0 ** -decimals_of(name):
                off = f"{signed(value - now, decimals_of(name))} {unit_of(name)}"
            rows.append(
                Level(
                    name=in_words(name), chosen=told(value, name), golden=told(now, name), off=off
                )
            )
        return rows

    @property
    def approvals(self) -> list[tuple[int, Golden, str, str]]:
        """Every word on this mold, newest first: its number, itself, when, and of which shots."""
        rows = []
        for n, each in enumerate(self._found.golden, 1):
            if each.action == "carry":
                of = self._strings.say("golden.carried", revision=shown(each.from_revision or ""))
            elif each.cycles is None:
                of = self._strings["golden.as_it_stood"]
            else:
                _segment, first, last = each.cycles
                of = self._strings.say("golden.shots", first=number(first), last=number(last))
            rows.append((n, each, self._zone.moment(each.at, self._now), of))
        return rows[::-1]

    @property
    def drifts(self) -> list[tuple[str, str, str, str, str, str, str]]:
        """Day, press, signal, golden, mean, how far off, parts lost."""
        return [
            (
                f"{each.day}",
                shown(each.machine),
                in_words(each.signal),
                told(each.golden, each.signal),
                told(each.mean, each.signal),
                f"{signed(each.off, 2)} s, {signed(each.percent, 1)} %",
                number(each.parts_lost) if each.parts_lost is not None else "",
            )
            for each in self._found.drifts
        ]

    @property
    def limits(self) -> list[tuple[str, str, str, str, str, str]]:
        """Revision, signal, low, high, since when, and by whom; the newest first."""
        none = self._strings["golden.lifted"]
        return [
            (
                shown(each.revision),
                in_words(each.signal),
                told(each.low, each.signal) or ("" if each.high is not None else none),
                told(each.high, each.signal),
                self._zone.moment(each.since, self._now),
                shown(each.who),
            )
            for each in reversed(self._found.limits)
        ]
