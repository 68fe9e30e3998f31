"""One press: its last cycles, the curves of one of them, what is open, and where we were blind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

from sqlalchemy import select

from agent.anomalies import STATES, Known, Wanted, count, most_urgent
from agent.anomaly import AnomalyError
from agent.batch import Blind
from agent.cycle import Booked, Curve
from agent.drift import read_baselines
from agent.history import Filter, History
from agent.live import Plant, Tile
from agent.rows import from_ns
from agent.schema import VALUE_COLUMNS, cycle, machine, notice
from agent.shotnow import ShotNow
from agent.watch.baseline import WATER, Baseline
from agent.watch.channel import ARMED
from agent.watch.facts import Facts
from agent.watch.plate import least_cooling_s, material
from agent.watchwords import Golden, read_golden, read_words
from dashboards.catalogue import Catalogue
from dashboards.controlchart import ControlChart, control_chart
from dashboards.curvechart import CurveChart, curve_chart
from dashboards.cyclechart import CycleChart, cycle_chart, shot_of
from dashboards.face import Artist, Face, shown
from dashboards.figures import duration_parts, number
from dashboards.phasebar import PHASES, PhaseBar, phase_bar
from dashboards.plantzone import PlantZone
from dashboards.wording import figured, in_words, measure_of, told, unit_of
from drivers.signals import SIGNALS

CYCLES_SHOWN = 120
OVERLAID = 10
LISTED = 12
NOTICES_SHOWN = 8
OPEN_SHOWN = 20
BLIND_HOURS = 24

STRIPS = (
    "cooling_time_s", "cycle_time_s", "fill_time_s", "cavity_pressure_peak_bar",
    "injection_pressure_peak_bar", "cushion_mm", "transfer_position_mm", "transfer_pressure_bar",
    "mold_temp_c", "coolant_flow_l_min", "coolant_out_c", "recovery_time_s", "melt_temp_c",
)  # fmt: skip
"""What is drawn over the cycles, in this order, where the press gives it."""

STRIPS_MOST = 9

CYCLES_TOLD = 20
"""So many without any of these say that the mold has none."""

NEAR = 0.8
"""Share of the last cooling time from which on the physical minimum is drawn beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PressFound:
    """What the record says of one press."""

    cycles: Sequence[Booked]
    """The newest, oldest first."""
    shown: Booked | None
    """The one that is looked at."""
    curves: Mapping[str, Curve]
    before: Mapping[str, Curve]
    """Of the cycle before that one."""
    facts: Facts | None
    """What people know of the mold of the cycle that is shown."""
    baseline: Baseline | None
    """What the watch has learned of it on this press."""
    golden: Sequence[Golden]
    """Approvals of its revision on this press, oldest first."""
    raised: int
    """Anomalies in the last day, muted ones left out."""
    open: Sequence[Known]
    blinds: Sequence[Blind]
    notices: Sequence[Mapping[str, Any]]


def look_at_press(
    history: History, now: datetime, name: str, wanted: tuple[int, int] | None
) -> PressFound:
    """Read what the page shows.

    Args:
        history: The record.
        now: UTC.
        name: Of the machine.
        wanted: Segment and counter of the cycle to show; None: the newest.

    Raises:
        AnomalyError: there is no such cycle.
    """
    if wanted is None:
        newest = Filter(machine=name, since=_reach(history, name))
        cycles = list(history.cycles(newest, newest=CYCLES_SHOWN))
    else:
        cycles = history.cycles_up_to(name, *wanted, CYCLES_SHOWN)
    shown_ = cycles[-1] if cycles else None
    if wanted is not None and (shown_ is None or (shown_.segment, shown_.cycle.counter) != wanted):
        raise AnomalyError(f"{name} has no cycle {wanted[1]} in segment {wanted[0]}")
    with history.connect() as connection:
        undone = Wanted(machine=name, states=STATES[:2], muted=False)
        open_ = most_urgent(connection, undone, now=now, most=OPEN_SHOWN)
        query = (
            select(notice)
            .join(machine)
            .where(machine.c.name == name)
            .order_by(notice.c.id.desc())
            .limit(NOTICES_SHOWN)
        )
        notices = [dict(row) for row in connection.execute(query).mappings()]
        facts, baseline, golden = None, None, list[Golden]()
        if shown_ and shown_.mold:
            revision = shown_.revision or ""
            facts = read_words(connection).of(shown_.mold, revision)
            golden = [
                each
                for each in read_golden(connection, shown_.mold)
                if (each.machine, each.revision) == (name, revision)
            ]
            for of, each in read_baselines(connection, shown_.mold):
                if of == name and each.key[1] == revision:
                    baseline = each
        day = Wanted(machine=name, since=now - timedelta(days=1), muted=False)
        raised = count(connection, day, now=now)
    return PressFound(
        cycles=cycles,
        shown=shown_,
        curves=history.curves(shown_) if shown_ else {},
        before=history.curves(cycles[-2]) if len(cycles) > 1 else {},
        facts=facts,
        baseline=baseline,
        golden=golden,
        raised=raised,
        open=open_,
        blinds=history.blinds(name, since=now - timedelta(hours=BLIND_HOURS)),
        notices=notices,
    )


def _reach(history: History, name: str) -> datetime | None:
    """Since when a machine's newest cycles are, by an index: to order all of them takes long."""
    key = select(machine.c.id).where(machine.c.name == name).scalar_subquery()
    query = (
        select(cycle.c.time_ns)
        .where(cycle.c.machine_id == key)
        .order_by(cycle.c.time_ns.desc())
        .offset(CYCLES_SHOWN - 1)
        .limit(1)
    )
    with history.connect() as connection:
        ns = connection.execute(query).scalar()
    return from_ns(ns) if ns is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One signal over the cycles."""

    name: str
    last: str
    odd: bool
    """Whether the newest one is beyond its limits."""
    least: str
    """The least that physics asks, in words; empty where that is not known."""
    chart: ControlChart


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRow:
    """One value of the cycle that is shown."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRow:
    """One line of the list of cycles."""

    address: str
    counter: str
    when: str
    cycle: str
    cooling: str
    note: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One line of blind intervals, or of notices."""

    when: str
    text: str
    more: str = ""


class PressPage:
    """Everything that the template of the page needs."""

    def __init__(
        self,
        found: PressFound,
        plant: Plant,
        tile: Tile,
        now: datetime,
        strings: Catalogue,
        zone: PlantZone,
        *,
        live: bool,
    ) -> None:
        self.now = now
        self.tile = tile
        self.live = live
        """Whether the newest cycle is shown, whichever that is."""
        self.place = [each.machine for each in plant.tiles].index(tile.machine)
        self.name = shown(tile.machine)
        self.face: Face = Artist(strings, zone).face(tile, now)
        names = [each.machine for each in plant.tiles]
        self.before = names[self.place - 1]
        self.after = names[(self.place + 1) % len(names)]
        self.open = [(each.number, each.anomaly) for each in found.open]
        self.states = {each.number: each.state for each in found.open}
        self._plant = plant
        self._found = found
        self._strings = strings
        self._zone = zone

    @property
    def heading(self) -> str:
        """Which cycle is shown."""
        each = self._found.shown
        if each is None:
            return self._strings["press.no_cycle"]
        at = self._zone.moment(each.cycle.time, self.now)
        return self._strings.say("press.cycle", n=number(each.cycle.counter), time=at)

    @property
    def about(self) -> str:
        """Mold, job and state of the cycle that is shown."""
        each = self._found.shown
        if each is None:
            return ""
        mold = f"{shown(each.mold)} {shown(each.revision or '')}".rstrip() if each.mold else ""
        job = self._strings.say("tile.job", job=shown(each.cycle.job)) if each.cycle.job else ""
        words = (mold, job, self._strings.get(f"closing.{each.cycle.closing}", ""),
                 "" if each.cycle.state == "production" else each.cycle.state,
                 *(shown(flag).replace("_", " ") for flag in each.cycle.flags))  # fmt: skip
        return ", ".join(word for word in words if word)

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Job, resin, parts and reference, for the top of the page."""
        say, tile, of = self._strings.say, self.tile, self._found.shown
        resin = shown((of.cycle.resin if of else None) or "")
        if not resin and self._found.facts is not None:
            resin = shown(self._found.facts.resin or "")
        parts = number(tile.parts_done) if tile.parts_done is not None else ""
        if parts and tile.parts_planned:
            parts = say("press.parts_of", done=parts, planned=number(tile.parts_planned))
        found = (
            ("job", shown(tile.job or "")),
            ("resin", resin),
            ("parts", parts),
            ("golden", self.reference),
        )
        return [(key, value) for key, value in found if value]

    @property
    def reference(self) -> str:
        """Which golden reference holds, or how far the watch is with learning one."""
        say, baseline = self._strings.say, self._found.baseline
        if baseline is not None and baseline.approved_by and baseline.approved_at:
            n = max(1, len(self._found.golden))
            day = self._zone.day(baseline.approved_at)
            return say("press.golden", n=n, who=shown(baseline.approved_by), day=day)
        learned = sorted(each.learned for each in baseline.channels.values()) if baseline else []
        if not learned:
            return self._strings["press.golden_none"]
        return say("press.golden_learning", n=min(learned[len(learned) // 2], ARMED), of=ARMED)

    @property
    def approved(self) -> bool:
        """Whether a person said what is golden."""
        return bool(self._found.baseline and self._found.baseline.approved_by)

    @property
    def raised(self) -> int:
        """Anomalies of the last day."""
        return self._found.raised

    @property
    def strips(self) -> list[Strip]:
        """Signals over the last shots of the mold that made the one that is shown."""
        mine, strips = self._mine, []
        least_s = self._least_cooling_s()
        channels = self._found.baseline.channels if self._found.baseline else {}
        for name in STRIPS:
            values = [_number(each.cycle.values.get(name)) for each in mine]
            least = least_s if name == "cooling_time_s" and values else None
            near = least if least is not None and least >= NEAR * (values[-1] or 0.0) else None
            decimals = SIGNALS[name].decimals
            chart = control_chart(
                values,
                channels.get(name),
                decimals,
                self._strings,
                partial(figured, name=name),
                near,
            )
            if chart is not None:
                last = values[-1]
                strips.append(
                    Strip(
                        name=in_words(name),
                        last=told(last, name) if last is not None else "",
                        odd=bool(chart.flagged and last is not None and chart.ends_odd),
                        least=told(least, name),
                        chart=chart,
                    )
                )
        return strips[:STRIPS_MOST]

    @property
    def bar(self) -> PhaseBar:
        """The phases of the cycle that is shown, and golden ones."""
        return phase_bar(self._golden_lengths, self._lengths, self._span_s, self._strings)

    @property
    def chart(self) -> CycleChart:
        """Curves of the cycle that is shown, the one before behind, over the golden ones."""
        baseline, shot = self._found.baseline, self._shot
        golden = baseline.shapes.envelopes if baseline and baseline.shapes.golden else {}
        known = {name: each for name, each in golden.items() if each.known}
        levels = {}
        for name in shot.names if shot else ():
            channel = baseline.channels.get(name) if baseline else None
            value = _number(self._found.shown.cycle.values.get(name)) if self._found.shown else None
            if channel is not None and channel.ready:
                levels[name] = channel.home
            elif value is not None:
                levels[name] = value
        shots = [shot_of(self._found.curves), shot_of(self._found.before)]
        return cycle_chart(
            shots, known, self._span_s, self._strings,
            live=shot.names if shot else (), levels=levels,
        )  # fmt: skip

    @property
    def start(self) -> Mapping[str, Any]:
        """What the page's script starts from."""
        bar = self.bar
        return {
            **self.chart.data,
            "phases": bar.lengths_s,
            "bar_s": bar.span_s,
            "target_s": self.tile.target_s,
            "last_s": self._cycle_s,
        }

    @property
    def sampling(self) -> str:
        """How the curves of the cycle that is shown were sampled."""
        curve = max(self._found.curves.values(), key=lambda c: len(c.values), default=None)
        if curve is None or len(curve.values) < 2:
            return ""
        rate_hz = (len(curve.values) - 1) / float(curve.t_s[-1] or 1.0)
        decimals = 0 if rate_hz >= 10 else 1
        rate = number(rate_hz, decimals)
        return self._strings.say("press.curve", n=number(len(curve.values)), rate=rate)

    @property
    def _shot(self) -> ShotNow | None:
        return self._plant.shot(self.tile.machine) if self.live else None

    @property
    def _lengths(self) -> dict[str, float]:
        """Phases of the cycle that is shown."""
        of = self._found.shown
        values = of.cycle.values if of else {}
        known = {phase: _number(values.get(name)) for phase, name in PHASES.items()}
        return {phase: value for phase, value in known.items() if value is not None}

    @property
    def _golden_lengths(self) -> dict[str, float]:
        baseline = self._found.baseline
        if baseline is None or not baseline.approved_by:
            return {}
        golden = baseline.golden
        return {phase: golden[name] for phase, name in PHASES.items() if name in golden}

    @property
    def _cycle_s(self) -> float | None:
        of = self._found.shown
        return _number(of.cycle.values.get("cycle_time_s")) if of else None

    @property
    def _span_s(self) -> float:
        """So long is what is drawn: a cycle and a little more."""
        lengths = (sum(self._golden_lengths.values()), sum(self._lengths.values()))
        return 1.04 * max(self.tile.target_s or 0.0, self._cycle_s or 0.0, *lengths) or 30.0

    @property
    def blind_to_coolant(self) -> bool:
        """Whether nothing that this mold shows would tell that its water fails."""
        cycles = self._mine
        return len(cycles) >= CYCLES_TOLD and not any(
            name in each.cycle.values for each in cycles for name in WATER
        )

    @property
    def _mine(self) -> Sequence[Booked]:
        """Those of the cycles that the same mold made, without a break in the counter."""
        of = self._found.shown
        if of is None:
            return []
        return [c for c in self._found.cycles if (c.mold, c.segment) == (of.mold, of.segment)]

    def _least_cooling_s(self) -> float | None:
        """The shortest physical cooling time of the part, with melt and mold as measured."""
        facts, of = self._found.facts, self._found.shown
        if facts is None or of is None or facts.wall_mm is None:
            return None
        resin = material(of.cycle.resin or facts.resin)
        if resin is None:
            return None
        melt_c, wall_c = self._middle("melt_temp_c"), self._middle("mold_temp_c")
        return least_cooling_s(facts.wall_mm, resin, melt_c=melt_c, wall_c=wall_c)

    def _middle(self, name: str) -> float | None:
        values = [_number(each.cycle.values.get(name)) for each in self._mine]
        known = [value for value in values if value is not None]
        return median(known) if known else None

    @property
    def curves(self) -> list[tuple[str, CurveChart]]:
        """Curves of the cycle that is shown and are in no plot, by their names with units."""
        found = []
        drawn = {each["name"] for plot in self.chart.data["plots"] for each in plot["signals"]}
        for name, curve in sorted(self._found.curves.items()):
            if name in drawn:
                continue
            signal = SIGNALS.get(name)
            decimals = signal.decimals if signal else 2
            chart = curve_chart(name, curve, self._found.before.get(name), decimals)
            if chart is not None:
                unit = unit_of(name)
                found.append((f"{in_words(name)}, {unit}" if unit else in_words(name), chart))
        return found

    @property
    def values(self) -> list[ValueRow]:
        """Every value of the cycle, in the order of the vocabulary."""
        each = self._found.shown
        if each is None:
            return []
        values, order = each.cycle.values, {name: n for n, name in enumerate(VALUE_COLUMNS)}
        rows = []
        for name in sorted(values, key=lambda name: (order.get(name, len(order)), name)):
            doubt = each.cycle.uncertainty.get(name)
            text = told(values[name], name)
            if doubt:
                text = f"{text} ±{number(measure_of(name).apart(doubt), 2)}"
            origin = each.cycle.provenance.get(name)
            word = self._strings.get(f"origin.{origin.value}", origin.value) if origin else ""
            rows.append(ValueRow(name=in_words(name), value=text, origin=word))
        return rows

    @property
    def last_cycles(self) -> list[CycleRow]:
        """The last cycles, newest first."""
        rows = []
        for each in reversed(self._found.cycles[-LISTED:]):
            values = each.cycle.values
            note = [] if each.cycle.closing == "shot" else [self._strings["closing.dry"]]
            note += [] if each.cycle.state == "production" else [each.cycle.state]
            rows.append(
                CycleRow(
                    address=f"{each.segment}/{each.cycle.counter}",
                    counter=number(each.cycle.counter),
                    when=self._zone.moment(each.cycle.time, self.now),
                    cycle=told(values.get("cycle_time_s"), "cycle_time_s"),
                    cooling=told(values.get("cooling_time_s"), "cooling_time_s"),
                    note=", ".join(note),
                    current=each is self._found.shown and not self.live,
                )
            )
        return rows

    @property
    def blinds(self) -> list[Stretch]:
        """Where we could not see it, newest first."""
        rows = []
        for each in reversed(self._found.blinds):
            until = each.until or self.now
            key, parts = duration_parts((until - each.since).total_seconds())
            lasting = self._strings.say(key, **parts)
            if each.until is None:
                lasting = self._strings.say("press.still", duration=lasting)
            when = self._zone.moment(each.since, self.now)
            rows.append(Stretch(when=when, text=lasting, more=shown(each.why)))
        return rows[:NOTICES_SHOWN]

    @property
    def notices(self) -> list[Stretch]:
        """What was changed on it, newest first."""
        rows = []
        for row in self._found.notices:
            old, new = _plain(row["old"]), _plain(row["new"])
            text = in_words(row["name"]) if row["name"] else row["change"]
            if old or new:
                unit = f" {shown(row['unit'])}" if row["unit"] else ""
                text = self._strings.say("press.changed", what=shown(text), old=old, new=new + unit)
            elif row["text"]:
                text = f"{shown(text)}: {shown(row['text'])}"
            when = self._zone.moment(from_ns(row["time_ns"]), self.now)
            rows.append(Stretch(when=when, text=text, more=shown(row["who"] or "")))
        return rows


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _plain(text: str | None) -> str:
    return shown(text.strip('"')) if text and text != "null" else ""
